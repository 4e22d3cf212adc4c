//! The whole suite killed at random moments under mixed writes: nothing acknowledged is lost, nothing is there twice,
//! the feeds are complete and in order, and the states of an issue add up at every poll.

pub mod calls;
pub mod check;
pub mod feeds;
mod mailing;
pub mod suite;
pub mod writers;

use std::{collections::BTreeMap, env, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use rapport::SERVICES;
use rapport_testkit::{Backend, Smtp, smtp::Manners};

use feeds::Follower;
use mailing::Mailing;
use suite::Suite;
use writers::Writers;

const WRITERS: usize = 6;

rapport_testkit::both_databases! {
    async fn a_suite_killed_at_random_moments_loses_nothing_and_doubles_nothing(backend: Backend) {
        let rounds = number("RAPPORT_TORTURE_ROUNDS", 5);
        let seed = number("RAPPORT_TORTURE_SEED", 1);
        println!("{rounds} rounds with the seed {seed} (RAPPORT_TORTURE_ROUNDS, RAPPORT_TORTURE_SEED)");
        println!("{}", torture(backend, rounds, seed).await);
    }
}

/// Tells how much happened.
async fn torture(backend: Backend, rounds: u64, seed: u64) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    let smtp = Smtp::start(Manners::default()).await;
    let mut suite = Suite::new(backend, &mailing::settings(&smtp)).await;
    suite.start().await;
    let mut mailing = Mailing::prepare(&suite, &smtp).await;
    let followers: Vec<_> = SERVICES.iter().map(|service| Follower::start(&suite, service)).collect();
    let writers = Writers::start(&suite, WRITERS);

    for round in 0..rounds {
        mailing.send(round);
        let before = writers.progress();
        rapport_testkit::eventually("writing goes on", async || writers.progress() > before).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..700))).await;
        suite.kill().await;
        suite.start().await;
    }

    let known = writers.finish().await;
    let polls = mailing.finish(&smtp).await;
    check::services(&suite, &known).await;
    check::timelines(&suite, &known).await;
    let mut feeds = BTreeMap::new();
    for (service, follower) in SERVICES.into_iter().zip(followers) {
        feeds.insert(service, follower.finish(&suite).await);
    }
    check::feeds(&feeds, &known);
    let events: usize = feeds.values().map(Vec::len).sum();
    suite.stop().await;
    format!("{} customers, {events} events, {} mails, {polls} polls", known.customers.len(), smtp.mails().len())
}

/// A number that the environment may say.
pub fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}
