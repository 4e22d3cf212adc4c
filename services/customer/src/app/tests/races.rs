//! Rules over two rows, when two transactions meet in the middle.

use std::{sync::Arc, time::Duration};

use rapport_core::{CustomerType, Failure};
use rapport_testkit::{Backend, both_databases};
use tokio::sync::Notify;

use super::{Bench, bench, by, mail, profile};
use crate::{
    app::{
        Outcome,
        customer::{UpdateCustomer, update_customer},
        customer_type::{AssignCustomerType, assign_customer_type},
        resolve::resolve_customer,
    },
    domain::{Field, Profile, Refused, Thresholds},
};

/// How long the first transaction stays open after the second has begun: enough for the second to run into it.
const OVERLAP: Duration = Duration::from_millis(300);

both_databases! {
    async fn many_resolves_of_one_address_make_one_customer(backend: Backend) {
        let bench = Arc::new(bench(backend).await);
        let mut tasks = Vec::new();
        for number in 0..24 {
            let bench = Arc::clone(&bench);
            // Every second one names the two addresses the other way round.
            let mut points = vec![mail("ada@example.com"), mail("ADA@example.org")];
            if number % 2 == 0 {
                points.reverse();
            }
            tasks.push(tokio::spawn(async move { bench.resolve(points).await.expect("it resolves") }));
        }
        let mut resolved = Vec::new();
        for task in tasks {
            resolved.push(task.await.expect("no panic"));
        }
        assert_eq!(resolved.iter().filter(|resolved| resolved.created).count(), 1);
        assert!(resolved.iter().all(|other| other.customer.id == resolved[0].customer.id));
    }

    async fn many_creations_with_one_address_make_one_customer(backend: Backend) {
        let bench = Arc::new(bench(backend).await);
        let tasks: Vec<_> = (0..12).map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.create(profile("Ada", "ada@example.com")).await })
        }).collect();
        let mut created = 0;
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(_) => created += 1,
                Err(Failure::Refused(Refused::MatchingCustomerExists { customers })) => assert_eq!(customers.len(), 1),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(created, 1);
    }

    async fn an_address_that_is_given_up_leads_to_who_shares_it(backend: Backend) {
        let bench = bench(backend).await;
        let first = bench.create(profile("Ada", "home@example.com")).await.expect("created");
        let cx = bench.cx();
        let second = bench.create(Profile::named("Byron")).await.expect("created");
        let share = update(second.id, profile("Byron", "home@example.com"), true);
        bench.database.write(async |conn| update_customer(conn, &cx, &Thresholds::USUAL, share.clone()).await).await.expect("shared");
        let found = bench.resolve(vec![mail("home@example.com")]).await.expect("found");
        assert_eq!((found.customer.id, found.other_candidates), (first.id, vec![second.id]));
        let leave = update(first.id, Profile::named("Ada"), false);
        bench.database.write(async |conn| update_customer(conn, &cx, &Thresholds::USUAL, leave.clone()).await).await.expect("given up");
        let found = bench.resolve(vec![mail("home@example.com")]).await.expect("found");
        assert_eq!((found.customer.id, found.other_candidates), (second.id, vec![]));
    }
}

fn update(id: rapport_core::CustomerId, profile: Profile, allow_duplicate: bool) -> UpdateCustomer {
    UpdateCustomer { id, version: None, fields: vec![Field::ContactPoints], profile, allow_duplicate }
}

/// Runs `first` and, while it is open, `second`.
async fn meeting<A, B>(first: impl AsyncFnOnce(Arc<Notify>) -> A, second: impl AsyncFnOnce() -> B) -> (A, B) {
    let inside = Arc::new(Notify::new());
    let told = Arc::clone(&inside);
    tokio::join!(first(inside), async {
        told.notified().await;
        second().await
    })
}

async fn postgres() -> Bench {
    bench(Backend::Postgres).await
}

#[test]
fn a_resolve_that_meets_another_waits_and_finds_its_customer() {
    rapport_testkit::run(async {
        let bench = postgres().await;
        let cx = bench.cx();
        let command = by(vec![mail("ada@example.com")]);
        let first = async |inside: Arc<Notify>| {
            bench
                .database
                .write(async |conn| {
                    let resolved = resolve_customer(conn, &cx, command.clone()).await?;
                    inside.notify_one();
                    tokio::time::sleep(OVERLAP).await;
                    Outcome::Ok(resolved)
                })
                .await
        };
        let (first, second) = meeting(first, async || bench.resolve(vec![mail("ada@example.com")]).await).await;
        let (first, second) = (first.expect("created"), second.expect("found"));
        assert_eq!((first.created, second.created, first.customer.id), (true, false, second.customer.id));
    });
}

#[test]
fn a_resolve_that_meets_one_which_fails_creates_the_customer_itself() {
    rapport_testkit::run(async {
        let bench = postgres().await;
        let cx = bench.cx();
        let command = by(vec![mail("ada@example.com")]);
        let first = async |inside: Arc<Notify>| {
            bench
                .database
                .write(async |conn| {
                    resolve_customer(conn, &cx, command.clone()).await?;
                    inside.notify_one();
                    tokio::time::sleep(OVERLAP).await;
                    Outcome::<()>::Err(Failure::Stale)
                })
                .await
        };
        let (first, second) = meeting(first, async || bench.resolve(vec![mail("ada@example.com")]).await).await;
        assert!(first.is_err());
        assert!(second.expect("created").created);
    });
}

#[test]
fn two_changes_of_one_customer_that_meet_are_both_kept() {
    rapport_testkit::run(async {
        let bench = postgres().await;
        let customer = bench.create(profile("Ada", "ada@example.com")).await.expect("created");
        let cx = bench.cx();
        let mut wish = Profile::named("Ada Lovelace");
        wish.owner = "grace".to_owned();
        let change =
            UpdateCustomer { id: customer.id, version: Some(1), fields: vec![Field::Owner], profile: wish, allow_duplicate: false };
        let assign =
            AssignCustomerType { id: customer.id, version: None, kind: CustomerType::Loyal, reason: "came back".to_owned(), remove: false };
        let first = async |inside: Arc<Notify>| {
            bench
                .database
                .write(async |conn| {
                    let changed = update_customer(conn, &cx, &Thresholds::USUAL, change.clone()).await?;
                    inside.notify_one();
                    tokio::time::sleep(OVERLAP).await;
                    Outcome::Ok(changed)
                })
                .await
        };
        let second =
            async || bench.database.write(async |conn| assign_customer_type(conn, &cx, &Thresholds::USUAL, assign.clone()).await).await;
        let (first, second) = meeting(first, second).await;
        assert_eq!((first.expect("changed").version, second.expect("assigned").version), (2, 3));
        let stored = bench.find(customer.id).await;
        assert_eq!((stored.profile.owner.as_str(), stored.types[0].kind), ("grace", CustomerType::Loyal));
        let again = bench.database.write(async |conn| update_customer(conn, &cx, &Thresholds::USUAL, change.clone()).await).await;
        assert!(matches!(again, Err(Failure::Stale)), "the version that was read is no longer the one that is stored");
    });
}
