//! Workers that are killed, frozen or one of two: nothing is lost, nothing is sent twice that is held, and every unknown is listed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use rapport_proto::newsletter::v1::{self as pb, DeliveryState, IssueState, OnUnknown};
use rapport_testkit::{Backend, Smtp, smtp::Manners};

use super::house::{House, Worker, journal, settled};
use crate::torture::number;

/// How many letters are handed over at a time.
const AT_A_TIME: u64 = 10;

/// Every hundredth server drops the connection after the dot, and does not keep the mail.
const SOME_DROP: &str = "CASE WHEN n.i % 100 = 50 THEN 'dot.drop+' ELSE '' END || 'reader' || n.i || '@site' || (n.i % 50) || '.test'";
const NONE_DROP: &str = "'reader' || n.i || '@site' || (n.i % 50) || '.test'";

/// Sends one issue while the worker is killed again and again at random moments; gives the accounting, the deliveries and the kills.
async fn tortured(backend: Backend, smtp: &Smtp, on_unknown: OnUnknown, address: &str) -> (pb::Accounting, Vec<pb::Delivery>, u64) {
    let (readers, kills) = (number("RAPPORT_TORTURE_READERS", 1000), number("RAPPORT_TORTURE_KILLS", 10));
    let mut random = StdRng::seed_from_u64(number("RAPPORT_TORTURE_SEED", 1));
    let at_a_time = format!("newsletter.letters_at_a_time={AT_A_TIME}");
    let (house, mut worker) = House::open(backend, smtp.address(), readers as usize, address, &[&at_a_time]).await;
    let issue_id = worker.send(&house, on_unknown).await;
    let mut done = 0;
    let mut killed = 0;
    while killed < kills {
        // Each round gets so far that the kills spread over the whole issue.
        let goal = (done + (readers as i64 - done) / (2 * (kills - killed) as i64).max(1)).max(done + 1);
        let so = |accounting: &pb::Accounting| {
            accounting.issue_state() == IssueState::Completed || accounting.accepted + accounting.unknown >= goal
        };
        let accounting = worker.until(&issue_id, "sending goes on", so).await;
        if accounting.issue_state() == IssueState::Completed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..60))).await;
        worker.process.kill().await;
        killed += 1;
        worker = house.start().await;
        done = worker.accounting(&issue_id).await.accepted;
    }
    let accounting = worker.completed(&issue_id).await;
    let deliveries = worker.deliveries(&issue_id).await;
    let people: BTreeSet<_> = deliveries.iter().map(|delivery| &delivery.email).collect();
    assert_eq!((deliveries.len() as u64, people.len() as u64), (readers, readers), "each reader has one delivery");
    (accounting, deliveries, killed)
}

fn strangers(journal: &BTreeMap<String, usize>, deliveries: &[pb::Delivery]) {
    let known: BTreeSet<_> = deliveries.iter().map(|delivery| &delivery.mail_message_id).collect();
    let strange: Vec<_> = journal.keys().filter(|id| !known.contains(id)).collect();
    assert!(strange.is_empty(), "the server has mails that no delivery tells of: {strange:?}");
}

rapport_testkit::both_databases! {
    async fn killed_at_random_moments_a_worker_loses_nobody_and_sends_nobody_twice_who_is_held(backend: Backend) {
        let smtp = Smtp::start(Manners::default()).await;
        let (accounting, deliveries, kills) = tortured(backend, &smtp, OnUnknown::Hold, SOME_DROP).await;
        println!("{kills} kills, {accounting:?}");
        assert!(kills > 0, "it was over before the first kill");
        let journal = journal(&smtp);
        deliveries.iter().for_each(|delivery| settled(delivery, &journal, 1));
        strangers(&journal, &deliveries);
        // Those whose server dropped the connection after the dot are unknown, and beside them only what was in flight at a kill.
        let unknown: Vec<_> = deliveries.iter().filter(|delivery| delivery.state() == DeliveryState::Unknown).collect();
        assert_eq!(unknown.len() as i64, accounting.unknown, "every unknown is listed");
        let dropped = deliveries.iter().filter(|delivery| delivery.email.starts_with("dot.drop+")).count();
        let dropped_and_unknown = unknown.iter().filter(|delivery| delivery.email.starts_with("dot.drop+")).count();
        assert_eq!(dropped_and_unknown, dropped, "whose answer never came is unknown");
        let others = (unknown.len() - dropped) as u64;
        assert!(others <= kills * AT_A_TIME, "{others} are unknown after {kills} kills of {AT_A_TIME} open sessions");
    }

    async fn resent_after_a_kill_a_mail_is_there_at_most_twice_and_has_the_same_message_id(backend: Backend) {
        let smtp = Smtp::start(Manners::default()).await;
        let (accounting, deliveries, kills) = tortured(backend, &smtp, OnUnknown::Resend, NONE_DROP).await;
        let journal = journal(&smtp);
        deliveries.iter().for_each(|delivery| settled(delivery, &journal, usize::MAX));
        strangers(&journal, &deliveries);
        assert_eq!(accounting.accepted, accounting.audience, "everybody got it");
        let again: usize = journal.values().map(|count| count - 1).sum();
        assert!(again as u64 <= kills * AT_A_TIME, "{again} were sent again after {kills} kills of {AT_A_TIME} open sessions");
        println!("{kills} kills, {again} of {} were sent again", accounting.audience);
    }
}

/// Two workers on PostgreSQL, of which the first gets `deed` when a part is done.
async fn two_workers(deed: impl AsyncFnOnce(&mut Worker)) -> (Smtp, House, [Worker; 2], String) {
    let smtp = Smtp::start(Manners::default()).await;
    let address = "'dot.late-20+reader' || n.i || '@site' || (n.i % 50) || '.test'";
    let (house, mut first) = House::open(Backend::Postgres, smtp.address(), 800, address, &[]).await;
    let second = house.start().await;
    let issue_id = first.send(&house, OnUnknown::Hold).await;
    second.until(&issue_id, "a part is done", |accounting| accounting.accepted > 150).await;
    deed(&mut first).await;
    let left = second.accounting(&issue_id).await;
    assert!(left.accepted < 800, "it was over before");
    second.completed(&issue_id).await;
    (smtp, house, [first, second], issue_id)
}

fn both_took_part(deliveries: &[pb::Delivery]) {
    let workers: BTreeSet<_> = deliveries.iter().flat_map(|delivery| &delivery.attempts).map(|attempt| &attempt.worker).collect();
    assert_eq!(workers.len(), 2, "both took part: {workers:?}");
}

#[test]
fn of_two_workers_one_is_killed_and_the_other_finishes() {
    rapport_testkit::run(async {
        let (smtp, _house, [_first, second], issue_id) = two_workers(async |first| first.process.kill().await).await;
        let (deliveries, journal) = (second.deliveries(&issue_id).await, journal(&smtp));
        deliveries.iter().for_each(|delivery| settled(delivery, &journal, 1));
        strangers(&journal, &deliveries);
        both_took_part(&deliveries);
    });
}

#[test]
fn a_worker_that_sleeps_past_its_lease_sends_nothing_more_and_changes_nothing() {
    rapport_testkit::run(async {
        let (smtp, _house, [first, second], issue_id) = two_workers(async |first| first.process.freeze().await).await;
        let before = second.deliveries(&issue_id).await;
        first.process.thaw().await;
        // It serves again, so it has gone on with what it held.
        first.accounting(&issue_id).await;
        let also =
            first.until(&issue_id, "it sees what the other did", |accounting| accounting.issue_state() == IssueState::Completed).await;
        assert_eq!(also.in_flight + also.pending, 0);
        rapport_testkit::eventually("its letters have ended", async || {
            let now = second.deliveries(&issue_id).await;
            let journal = journal(&smtp);
            now.iter().for_each(|delivery| settled(delivery, &journal, 1));
            // What it has read before it fell asleep proves its own attempts; nothing else changes.
            now.iter().zip(&before).all(|(now, before)| {
                now.state() == before.state() || (before.state() == DeliveryState::Unknown && now.state() == DeliveryState::Accepted)
            })
        })
        .await;
        both_took_part(&before);
    });
}
