//! Rules over two rows, with two connections that meet in the middle, and the sweeper of several replicas.

/// Runs `first` and holds its transaction open until `second` has had time to run into it.
macro_rules! meet {
    ($scene:expr, |$conn:ident| $first:expr, $second:expr) => {{
        let (done, go) = (&tokio::sync::Notify::new(), &tokio::sync::Notify::new());
        let first = $scene.database.write(async |$conn| {
            let answer = $first;
            done.notify_one();
            go.notified().await;
            answer
        });
        let second = async {
            done.notified().await;
            let (answer, ()) = tokio::join!($scene.database.write(async |$conn| $second), async {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                go.notify_one();
            });
            answer
        };
        tokio::join!(first, second)
    }};
}

mod endorsement;
mod merging;
mod service_levels;

use std::time::Duration;

use rapport_core::{Caller, Context, Direction, Failure, InteractionKind, Responder, Setting, World};
use rapport_db::{Database, DatabaseSettings, Location};
use rapport_testkit::{Backend, TestDatabase, both_databases, world};
use tokio::sync::Notify;

use super::{
    commitment::{CreateCommitment, KeepCommitment, create_commitment, get_commitment, keep_commitment, next_turn, sweep_commitments},
    conclusion::{ConcludeInteraction, conclude_interaction},
    entry::{AddEntry, add_entry},
    guidance::Manuals,
    interaction::{CreateInteraction, create_interaction, get_interaction},
};
use crate::{
    domain::{
        Commitment, CommitmentDraft, CommitmentState, ConclusionDraft, Interaction, InteractionState, NextStep, Refused,
        testing::{conclusion, draft, promise, said},
    },
    store,
};

const HOUR: Duration = Duration::from_secs(3600);

/// A database, and a world in which it is nine o'clock.
struct Scene {
    database: Database,
    world: World,
    _place: TestDatabase,
}

impl Scene {
    async fn open(backend: Backend) -> Self {
        let place = backend.database().await;
        let location = match backend {
            Backend::Sqlite => Location::File(place.file(crate::NAME)),
            Backend::Postgres => Location::Postgres { url: place.url(), schema: crate::NAME.to_owned() },
        };
        let database = Database::open(&DatabaseSettings::new(location), store::migrations()).await.expect("the database opens");
        // Ids as in production: those of several databases of one process must differ.
        let world = World { ids: rapport_server::world::world().ids, ..world().world };
        Self { database, world, _place: place }
    }
    /// How many rows there are of these, in the words of SQL after FROM.
    async fn count(&self, from: &str) -> usize {
        self.database.read(async |conn| Ok::<_, Failure<Refused>>(store::testing::count(conn, from).await?)).await.expect("it reads")
    }
    fn context(&self) -> Context {
        self.world.context(Caller::local())
    }
    async fn interaction(&self) -> Interaction {
        let cx = &self.context();
        let draft = &draft(Setting::Informal, InteractionKind::Expected);
        let command = &CreateInteraction { id: cx.fresh(), draft: draft.clone(), first_entry: None, customer: None };
        let made = self
            .database
            .write(async |conn| create_interaction(conn, cx, &crate::app::guidance::Manuals::default(), command.clone()).await)
            .await;
        made.expect("it is created").0
    }
    async fn commitment(&self) -> Commitment {
        let cx = &self.context();
        let draft = &CommitmentDraft { due_time: cx.now + HOUR, ..promise(HOUR) };
        let made = self
            .database
            .write(async |conn| create_commitment(conn, cx, CreateCommitment { draft: draft.clone(), customer: None }).await)
            .await;
        made.expect("it is made")
    }
}

fn conclude_on(interaction: &Interaction, commitment: &Commitment) -> ConcludeInteraction {
    let conclusion = ConclusionDraft { next_step: Some(NextStep::Commitment(commitment.id)), ..conclusion() };
    ConcludeInteraction { id: interaction.id, conclusion, new_commitment: None, read: None }
}

fn kept(commitment: &Commitment) -> KeepCommitment {
    KeepCommitment { id: commitment.id, evidence: "call 17".to_owned(), kept_time: None, read: None }
}

#[test]
fn no_interaction_is_concluded_on_a_promise_that_was_settled_in_between() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let (interaction, commitment) = (scene.interaction().await, scene.commitment().await);
        let (cx, keep, conclude) = (&scene.context(), &kept(&commitment), &conclude_on(&interaction, &commitment));
        let (settled, go) = (&Notify::new(), &Notify::new());
        // The first connection has settled the promise and not committed yet when the second one comes to look at it.
        let first = scene.database.write(async |conn| {
            let kept = keep_commitment(conn, cx, keep.clone()).await;
            settled.notify_one();
            go.notified().await;
            kept
        });
        let second = async {
            settled.notified().await;
            let (concluded, ()) =
                tokio::join!(scene.database.write(async |conn| conclude_interaction(conn, cx, conclude.clone()).await), async {
                    // Time enough for a read that does not wait to have seen the promise as it was.
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    go.notify_one();
                });
            concluded
        };
        let (kept, concluded) = tokio::join!(first, second);
        assert_eq!(kept.expect("it is kept").state, CommitmentState::Kept);
        match concluded {
            Err(Failure::Refused(Refused::InteractionNotConcludable { conditions })) => {
                assert_eq!(conditions.iter().map(|condition| condition.kind).collect::<Vec<_>>(), ["COMMITMENT"]);
            }
            other => panic!("the promise is settled, but: {other:?}"),
        }
        let id = interaction.id;
        let stored = scene.database.read(async |conn| get_interaction(conn, id).await).await.expect("it is there");
        assert_eq!(stored.state, InteractionState::Open);
    });
}

#[test]
fn a_promise_cannot_be_settled_between_the_look_at_it_and_the_conclusion() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let (interaction, commitment) = (scene.interaction().await, scene.commitment().await);
        let (cx, keep, conclude) = (&scene.context(), &kept(&commitment), &conclude_on(&interaction, &commitment));
        let (concluded, go, order) = (&Notify::new(), &Notify::new(), &std::sync::Mutex::new(Vec::new()));
        let first = scene.database.write(async |conn| {
            let answer = conclude_interaction(conn, cx, conclude.clone()).await;
            concluded.notify_one();
            go.notified().await;
            order.lock().expect("not poisoned").push("concluded");
            answer
        });
        let second = async {
            concluded.notified().await;
            let keeping = async {
                let kept = scene.database.write(async |conn| keep_commitment(conn, cx, keep.clone()).await).await;
                order.lock().expect("not poisoned").push("kept");
                kept
            };
            let release = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                go.notify_one();
            };
            tokio::join!(keeping, release).0
        };
        let (answer, kept) = tokio::join!(first, second);
        assert_eq!(answer.expect("it is concluded").0.state, InteractionState::Concluded);
        kept.expect("it is kept afterwards");
        assert_eq!(*order.lock().expect("not poisoned"), ["concluded", "kept"], "keeping waited for the conclusion");
    });
}

#[test]
fn two_entries_at_the_same_moment_answer_the_customer_once() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let interaction = scene.interaction().await;
        let cx = &scene.context();
        let add = &AddEntry {
            interaction: interaction.id,
            entry: said(rapport_core::Responder::Human, rapport_core::Direction::Outbound),
            reopen_window: HOUR,
            send: false,
        };
        let one = scene.database.write(async |conn| add_entry(conn, cx, &Manuals::default(), add.clone()).await);
        let other = scene.database.write(async |conn| add_entry(conn, cx, &Manuals::default(), add.clone()).await);
        let (one, other) = tokio::join!(one, other);
        let versions = [one.expect("it is added").1.version, other.expect("it is added").1.version];
        assert!(versions.contains(&2) && versions.contains(&3), "one after the other: {versions:?}");
        let events = scene.database.read(async |conn| events(conn, "interaction.first_human_response").await).await.expect("it reads");
        assert_eq!(events, 1);
    });
}

/// How many events of a kind were written.
async fn events(conn: &mut rapport_db::Conn<'_>, kind: &str) -> Result<usize, Failure<Refused>> {
    // The relay does not run here, so the events have no position yet.
    Ok(store::testing::events(conn, kind).await?)
}

both_databases! {
    async fn of_several_sweepers_each_promise_is_broken_once(backend: Backend) {
        let scene = Scene::open(backend).await;
        let mut promises = Vec::new();
        for _ in 0..30 {
            promises.push(scene.commitment().await);
        }
        let cx = &Context { now: scene.world.clock.now() + HOUR, ..scene.context() };
        let sweep = async |holder: &'static str| {
            let mut broken = 0;
            for _ in 0..20 {
                broken += scene.database.write(async |conn| sweep_commitments(conn, cx, holder, 5).await).await.expect("it sweeps");
            }
            broken
        };
        let (one, two, three) = tokio::join!(sweep("one"), sweep("two"), sweep("three"));
        assert_eq!(one + two + three, 30);
        let written = scene.database.read(async |conn| events(conn, "commitment.broken").await).await.expect("it reads");
        assert_eq!(written, 30);
        for promise in promises {
            let id = promise.id;
            let stored = scene.database.read(async |conn| get_commitment(conn, id).await).await.expect("it is there");
            assert_eq!((stored.state, stored.break_time, stored.version), (CommitmentState::Broken, Some(promise.deadline()), 2));
        }
    }
    async fn of_several_sweepers_each_reminder_comes_once_also_when_the_clock_jumps_back(backend: Backend) {
        let scene = Scene::open(backend).await;
        let cx = &scene.context();
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for _ in 0..10 {
            let draft = &CommitmentDraft { due_time: cx.now + HOUR, remind_before: vec![minutes(50), minutes(10)], ..promise(HOUR) };
            let command = &CreateCommitment { draft: draft.clone(), customer: None };
            scene.database.write(async |conn| create_commitment(conn, cx, command.clone()).await).await.expect("it is made");
        }
        let sweep = async |holder: &'static str, after: Duration| {
            let cx = &Context { now: cx.now + after, ..cx.clone() };
            for _ in 0..10 {
                scene.database.write(async |conn| sweep_commitments(conn, cx, holder, 3).await).await.expect("it sweeps");
            }
        };
        let told = async |kind: &'static str| scene.database.read(async |conn| events(conn, kind).await).await.expect("it reads");
        for (after, reminders, broken) in [(9, 0, 0), (10, 10, 0), (5, 10, 0), (49, 10, 0), (50, 20, 0), (12, 20, 0), (60, 20, 10), (1, 20, 10)] {
            tokio::join!(sweep("one", minutes(after)), sweep("two", minutes(after)));
            assert_eq!((told("commitment.reminder_due").await, told("commitment.broken").await), (reminders, broken), "after {after} minutes");
        }
        assert_eq!(scene.database.read(async |conn| next_turn(conn).await).await.expect("it reads"), None, "nothing is left to wait for");
    }
    async fn row_55_no_reply_of_a_customer_erases_a_promise(backend: Backend) {
        let scene = Scene::open(backend).await;
        let (interaction, cx) = (scene.interaction().await, &scene.context());
        let draft = &CommitmentDraft { due_time: cx.now + HOUR, interaction: Some(interaction.id), customer: None, ..promise(HOUR) };
        let command = &CreateCommitment { draft: draft.clone(), customer: None };
        let made = scene.database.write(async |conn| create_commitment(conn, cx, command.clone()).await).await.expect("it is made");
        for number in 0..20 {
            // Both sides speak, people and machines, and nothing of it touches the promise.
            let by = if number % 3 == 0 { Responder::Automated } else { Responder::Human };
            let direction = if number % 2 == 0 { Direction::Inbound } else { Direction::Outbound };
            let command = &AddEntry { interaction: interaction.id, entry: said(by, direction), reopen_window: HOUR, send: false };
            scene.database.write(async |conn| add_entry(conn, cx, &Manuals::default(), command.clone()).await).await.expect("it is added");
            let stored = scene.database.read(async |conn| get_commitment(conn, made.id).await).await.expect("it is there");
            assert_eq!(stored, made);
        }
        let late = &Context { now: cx.now + HOUR, ..cx.clone() };
        let swept = scene.database.write(async |conn| sweep_commitments(conn, late, "one", 5).await).await.expect("it sweeps");
        assert_eq!(swept, 1, "the clock breaks it all the same");
    }
    async fn a_refused_conclusion_leaves_nothing_behind(backend: Backend) {
        let scene = Scene::open(backend).await;
        let interaction = scene.interaction().await;
        let cx = &scene.context();
        let command = &ConcludeInteraction {
            id: interaction.id,
            conclusion: ConclusionDraft { outcome: None, ..conclusion() },
            new_commitment: Some(CommitmentDraft { due_time: cx.now + HOUR, ..promise(HOUR) }),
            read: None,
        };
        let refused = scene.database.write(async |conn| conclude_interaction(conn, cx, command.clone()).await).await;
        assert!(matches!(refused, Err(Failure::Refused(_))));
        let made = scene.database.read(async |conn| events(conn, "commitment.made").await).await.expect("it reads");
        assert_eq!(made, 0);
    }
}
