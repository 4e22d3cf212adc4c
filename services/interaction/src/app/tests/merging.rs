//! Merging and moving while others write, conclude and promise: nothing is lost, nothing dangles, nobody waits in a circle.

use std::time::Duration;

use rapport_core::{CommitmentId, Context, CustomerId, Direction, Failure, InteractionId, InteractionKind, Responder, Setting};
use rapport_db::Conn;
use rapport_testkit::Backend;
use uuid::Uuid;

use super::{HOUR, Scene};
use crate::{
    app::{
        Result,
        commitment::{CreateCommitment, KeepCommitment, create_commitment, keep_commitment},
        conclusion::{ConcludeInteraction, conclude_interaction},
        entry::{AddEntry, add_entry},
        guidance::Manuals,
        interaction::{CreateInteraction, create_interaction},
        merge::{MergeInteractions, MoveInteraction, merge_interactions, move_interaction},
    },
    domain::{
        CommitmentDraft, InteractionDraft, Refused,
        testing::{conclusion, draft, promise, said},
    },
};

fn customer(number: u128) -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(0xC0FFEE + number))
}

/// What one of several callers does, with the numbers of interactions.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Hear(usize),
    Say(usize),
    Conclude(usize),
    Merge(usize, usize),
    Move(usize, u128),
    Promise(usize, CommitmentId),
    Keep(CommitmentId),
}

/// Does it; says whether an entry or a promise came of it.
async fn act(conn: &mut Conn<'_>, cx: &Context, deed: Deed, of: &[InteractionId]) -> Result<(usize, usize)> {
    let add = |interaction: usize, direction| AddEntry {
        interaction: of[interaction],
        entry: said(Responder::Human, direction),
        reopen_window: HOUR,
        send: false,
    };
    let manuals = &Manuals::default();
    match deed {
        Deed::Hear(at) => add_entry(conn, cx, manuals, add(at, Direction::Inbound)).await.map(|_| (1, 0)),
        Deed::Say(at) => add_entry(conn, cx, manuals, add(at, Direction::Outbound)).await.map(|_| (1, 0)),
        Deed::Conclude(at) => {
            let command = ConcludeInteraction { id: of[at], conclusion: conclusion(), new_commitment: None, read: None };
            conclude_interaction(conn, cx, command).await.map(|_| (0, 0))
        }
        Deed::Merge(survivor, merged) => {
            let command = MergeInteractions { survivor: of[survivor], merged: vec![of[merged]], read: None };
            merge_interactions(conn, cx, command).await.map(|_| (0, 0))
        }
        Deed::Move(at, to) => {
            let command = MoveInteraction { id: of[at], customer: customer(to), reason: "a mistake".to_owned(), read: None, learnt: None };
            move_interaction(conn, cx, command).await.map(|_| (0, 0))
        }
        Deed::Promise(at, id) => {
            let draft =
                CommitmentDraft { id: Some(id), interaction: Some(of[at]), customer: None, due_time: cx.now + HOUR, ..promise(HOUR) };
            create_commitment(conn, cx, CreateCommitment { draft, customer: None }).await.map(|_| (0, 1))
        }
        Deed::Keep(id) => {
            let command = KeepCommitment { id, evidence: "call 17".to_owned(), kept_time: None, read: None };
            keep_commitment(conn, cx, command).await.map(|_| (0, 0))
        }
    }
}

/// A sequence that is the same in every run (Knuth's MMIX constants).
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
    fn deed(&mut self, of: usize, cx: &Context, promises: &mut Vec<CommitmentId>) -> Deed {
        let (one, other) = (self.roll(of), self.roll(of));
        match self.roll(12) {
            0..=2 => Deed::Hear(one),
            3 | 4 => Deed::Say(one),
            5 => Deed::Conclude(one),
            6 | 7 => Deed::Merge(one, if one == other { (one + 1) % of } else { other }),
            8 | 9 => Deed::Move(one, u128::from(self.roll(2) == 0)),
            10 => {
                let id = cx.fresh();
                promises.push(id);
                Deed::Promise(one, id)
            }
            _ if promises.is_empty() => Deed::Hear(one),
            _ => Deed::Keep(promises[self.roll(promises.len())]),
        }
    }
}

async fn begun(scene: &Scene, cx: &Context) -> InteractionId {
    let draft = InteractionDraft { customer: Some(customer(0)), ..draft(Setting::Informal, InteractionKind::Expected) };
    let command = &CreateInteraction { id: cx.fresh(), draft, first_entry: None, customer: None };
    scene
        .database
        .write(async |conn| create_interaction(conn, cx, &Manuals::default(), command.clone()).await)
        .await
        .expect("it begins")
        .0
        .id
}

/// Merged into nothing, into itself, or into one that was merged too; or merged and yet not ended.
const DANGLING: &str = "interactions one LEFT JOIN interactions other ON one.merged_into = other.id WHERE one.merged_into IS NOT NULL AND \
                        (other.id IS NULL OR other.merged_into IS NOT NULL OR one.state <> 'CONCLUDED')";
const ASTRAY: &str = "commitments made JOIN interactions of ON made.interaction = of.id WHERE made.customer IS DISTINCT FROM of.customer";

#[test]
fn what_is_said_promised_and_concluded_while_others_merge_and_move_is_never_lost() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let (cx, mut dice) = (&scene.context(), Dice(320));
        let (mut entries, mut promises_made, mut done) = (0, 0, [0_usize; 2]);
        for walk in 0..12 {
            let mut of = Vec::new();
            for _ in 0..5 {
                of.push(begun(&scene, cx).await);
            }
            let (of, mut promises) = (&of, Vec::new());
            for _ in 0..12 {
                let deeds: Vec<Deed> = (0..6).map(|_| dice.deed(of.len(), cx, &mut promises)).collect();
                let at_once = deeds.iter().map(async |deed| scene.database.write(async |conn| act(conn, cx, *deed, of).await).await);
                for (answer, deed) in futures::future::join_all(at_once).await.into_iter().zip(&deeds) {
                    match answer {
                        Ok((entry, promise)) => {
                            entries += entry;
                            promises_made += promise;
                            done[usize::from(matches!(deed, Deed::Merge(..)))] += 1;
                        }
                        Err(Failure::Refused(_) | Failure::NotFound { .. }) => {}
                        Err(failure) => panic!("walk {walk}: {deed:?} of {deeds:?}: {failure}"),
                    }
                }
                assert_eq!((scene.count(DANGLING).await, scene.count(ASTRAY).await), (0, 0), "walk {walk}: after {deeds:?}");
            }
        }
        assert!(done[0] > 300 && done[1] > 20, "the walks do something: {done:?}");
        assert_eq!(scene.count("entries WHERE kind = 'MESSAGE'").await, entries, "each entry that was answered is there");
        assert_eq!(scene.count("commitments").await, promises_made, "each promise that was answered is there");
        assert_eq!(scene.count("outbox WHERE kind = 'commitment.made'").await, promises_made);
        // PostgreSQL counts what it had to break up when a connection rests for a second.
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(deadlocks(&scene).await, 0, "nobody waited in a circle");
    });
}

async fn deadlocks(scene: &Scene) -> usize {
    // As many rows as there were deadlocks.
    scene.count("pg_stat_database, generate_series(1, deadlocks) WHERE datname = current_database()").await
}

#[test]
fn an_entry_that_meets_the_merge_of_its_interaction_goes_to_the_survivor() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        let of = &[begun(&scene, cx).await, begun(&scene, cx).await, begun(&scene, cx).await];
        let add = &AddEntry { interaction: of[1], entry: said(Responder::Human, Direction::Inbound), reopen_window: HOUR, send: false };
        let manuals = &Manuals::default();
        let (merged, added) =
            meet!(scene, |conn| act(conn, cx, Deed::Merge(0, 1), of).await, add_entry(conn, cx, manuals, add.clone()).await);
        merged.expect("they are merged");
        assert_eq!(added.expect("it is added").1.id, of[0]);
        // Two merges that would make a circle or a chain: the second one sees what the first one did.
        let (first, second) = meet!(scene, |conn| act(conn, cx, Deed::Merge(2, 0), of).await, act(conn, cx, Deed::Merge(0, 2), of).await);
        first.expect("they are merged");
        assert!(matches!(second, Err(Failure::Refused(Refused::InteractionMerged { .. }))), "{second:?}");
        assert_eq!(scene.count(DANGLING).await, 0);
        let (moved, added) =
            meet!(scene, |conn| act(conn, cx, Deed::Move(2, 1), of).await, add_entry(conn, cx, manuals, add.clone()).await);
        moved.expect("it is moved");
        let to = added.expect("it is added").1;
        assert_eq!((to.id, to.customer), (of[2], Some(customer(1))), "with whom it really was");
    });
}

#[test]
fn a_conclusion_and_a_merge_of_the_same_interaction_exclude_each_other() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        let of = &[begun(&scene, cx).await, begun(&scene, cx).await];
        let (concluded, merged) =
            meet!(scene, |conn| act(conn, cx, Deed::Conclude(1), of).await, act(conn, cx, Deed::Merge(0, 1), of).await);
        concluded.expect("it is concluded");
        assert!(matches!(merged, Err(Failure::Refused(_))), "what has ended is not merged: {merged:?}");
        let of = &[begun(&scene, cx).await, begun(&scene, cx).await];
        let (merged, concluded) =
            meet!(scene, |conn| act(conn, cx, Deed::Merge(0, 1), of).await, act(conn, cx, Deed::Conclude(1), of).await);
        merged.expect("they are merged");
        assert!(matches!(concluded, Err(Failure::Refused(_))), "what was merged is not concluded again: {concluded:?}");
        // A promise that is made while its interaction is moved is made to the right customer.
        let id = cx.fresh();
        let (moved, made) = meet!(scene, |conn| act(conn, cx, Deed::Move(0, 1), of).await, act(conn, cx, Deed::Promise(0, id), of).await);
        moved.expect("it is moved");
        made.expect("it is made");
        assert_eq!((scene.count(DANGLING).await, scene.count(ASTRAY).await), (0, 0));
    });
}
