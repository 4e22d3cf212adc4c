//! What is late is noted once, told once and escalated once: however many replicas look for it, whatever fails, however the clock jumps.

use std::time::Duration;

use rapport_core::{Context, Direction, Failure, InteractionId, InteractionKind, Responder, Setting, SlaPolicyId, Time};
use rapport_db::Conn;
use rapport_testkit::{Backend, both_databases};

use super::{HOUR, Scene};
use crate::{
    app::{
        Result,
        entry::{AddEntry, add_entry},
        guidance::Manuals,
        interaction::{CreateInteraction, create_interaction},
        service_level::{next_due, sweep_service_levels},
        sla_policy::{create_policy, delete_policy, update_policy},
    },
    domain::{
        Interaction, Refused, Scope,
        sla_policy::{SlaPolicy, SlaPolicyDraft, Terms},
        testing::{draft, said},
    },
    store::{self, service_level::MAX_POLICIES},
};

fn prompt() -> SlaPolicyDraft {
    SlaPolicyDraft {
        display_name: "Prompt".to_owned(),
        scope: Scope::default(),
        precedence: 0,
        terms: Terms {
            first_human_response: Some(HOUR),
            resolution: Some(HOUR * 2),
            escalate_to_queue: "late".to_owned(),
            escalate_priority: 7,
            ..Terms::default()
        },
    }
}

async fn begun(conn: &mut Conn<'_>, cx: &Context) -> Result<Interaction> {
    let draft = draft(Setting::Informal, InteractionKind::Expected);
    let command = CreateInteraction { id: cx.fresh(), draft, first_entry: None, customer: None };
    Ok(create_interaction(conn, cx, &Manuals::default(), command).await?.0)
}

/// An answer of a person of ours.
async fn answered(conn: &mut Conn<'_>, cx: &Context, id: InteractionId) -> Result<()> {
    let command = AddEntry { interaction: id, entry: said(Responder::Human, Direction::Outbound), reopen_window: HOUR, send: false };
    add_entry(conn, cx, &Manuals::default(), command).await.map(|_| ())
}

const TOLD: &str = "outbox WHERE kind = 'interaction.sla_breached'";
const ESCALATED: &str = "entries WHERE body LIKE 'Escalated%'";

impl Scene {
    async fn policy(&self, draft: SlaPolicyDraft) -> SlaPolicy {
        let (cx, draft) = (&self.context(), &draft);
        self.database.write(async |conn| create_policy(conn, cx, cx.fresh(), draft.clone()).await).await.expect("it is made")
    }
    async fn begin(&self, count: usize) -> Vec<InteractionId> {
        let cx = &self.context();
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.database.write(async |conn| begun(conn, cx).await).await.expect("it begins").id);
        }
        ids
    }
    async fn stored(&self, id: InteractionId) -> Interaction {
        let found = self.database.read(async |conn| Ok::<_, Failure<Refused>>(store::interaction::find(conn, id).await?)).await;
        found.expect("it reads").expect("it is there")
    }
    async fn next_due(&self) -> Option<Time> {
        self.database.read(async |conn| next_due(conn).await).await.expect("it reads")
    }
    /// Three replicas sweep at once until nothing is left at this time; says how many interactions each found.
    async fn sweep(&self, now: Time) -> [usize; 3] {
        let cx = &Context { now, ..self.context() };
        let one = async |holder: &'static str| {
            let mut found = 0;
            while self.next_due().await.is_some_and(|due| due <= now) {
                found += self.database.write(async |conn| sweep_service_levels(conn, cx, holder, 5).await).await.expect("it sweeps");
            }
            found
        };
        let (one, two, three) = tokio::join!(one("one"), one("two"), one("three"));
        [one, two, three]
    }
    /// The name of the policy of an interaction that begins now.
    async fn chosen(&self) -> Option<String> {
        let cx = &self.context();
        let begun = self.database.write(async |conn| begun(conn, cx).await).await.expect("it begins");
        begun.service_level.expect("it is live").promise.map(|promise| promise.display_name)
    }
}

both_databases! {
    async fn of_several_sweepers_each_breach_is_told_and_escalated_once_however_the_clock_jumps(backend: Backend) {
        let scene = Scene::open(backend).await;
        scene.policy(prompt()).await;
        let ids = scene.begin(40).await;
        let start = scene.context().now;
        let minutes = |minutes: u64| start + Duration::from_secs(60 * minutes);
        // Forward, back behind the first breach, forward over both, back to the beginning, and far ahead.
        let jumps = [(59, 0), (60, 40), (5, 40), (119, 40), (300, 80), (0, 80), (61, 80), (100_000, 80)];
        for (at, breaches) in jumps {
            scene.sweep(minutes(at)).await;
            assert_eq!((scene.count(TOLD).await, scene.count(ESCALATED).await), (breaches, breaches.min(40)), "after {at} minutes");
        }
        for id in ids {
            let level = scene.stored(id).await.service_level.expect("it is kept");
            let noted: Vec<_> = level.breaches.iter().map(|breach| (breach.due_time, breach.note_time)).collect();
            assert_eq!(noted, [(minutes(60), minutes(60)), (minutes(120), minutes(300))], "each at the moment it was due");
        }
        assert_eq!(scene.next_due().await, None, "nothing is left to wait for");
    }

    async fn a_sweep_that_is_cut_off_leaves_nothing_half_done(backend: Backend) {
        let scene = Scene::open(backend).await;
        scene.policy(prompt()).await;
        scene.begin(12).await;
        let cx = &Context { now: scene.context().now + HOUR, ..scene.context() };
        for _ in 0..3 {
            // It sweeps, and is gone before it commits; its lease goes with it.
            let cut = scene.database.write(async |conn| {
                let swept = sweep_service_levels(conn, cx, "cut off", 5).await?;
                assert_eq!(swept, 5);
                Err::<(), _>(Failure::<Refused>::Stale)
            });
            assert!(cut.await.is_err());
            assert_eq!((scene.count(TOLD).await, scene.count(ESCALATED).await), (0, 0));
        }
        assert_eq!(scene.sweep(cx.now).await.iter().sum::<usize>(), 12, "another one does all of it at once");
        assert_eq!((scene.count(TOLD).await, scene.count(ESCALATED).await), (12, 12));
    }

    async fn a_change_of_the_policies_counts_from_the_next_interaction_on(backend: Backend) {
        let scene = Scene::open(backend).await;
        let cx = &scene.context();
        assert_eq!(scene.chosen().await, None);
        let policy = scene.policy(prompt()).await;
        let name = |name: &str| Some(name.to_owned());
        assert_eq!((scene.chosen().await, scene.chosen().await), (name("Prompt"), name("Prompt")));
        let urgent = scene.policy(SlaPolicyDraft { display_name: "Urgent".to_owned(), precedence: 1, ..prompt() }).await;
        assert_eq!(scene.chosen().await, name("Urgent"));
        let lowered = &SlaPolicyDraft { display_name: "Lowered".to_owned(), precedence: -1, ..prompt() };
        scene.database.write(async |conn| update_policy(conn, cx, urgent.id, lowered.clone(), None).await).await.expect("it is changed");
        assert_eq!(scene.chosen().await, name("Prompt"));
        // A change that is taken back was none, also if it was looked at.
        let undone = scene.database.write(async |conn| {
            delete_policy(conn, cx, policy.id, None).await?;
            let seen = begun(conn, cx).await?.service_level.expect("it is live").promise.expect("one is left").display_name;
            assert_eq!(seen, "Lowered");
            Err::<(), _>(Failure::<Refused>::Stale)
        });
        assert!(undone.await.is_err());
        assert_eq!(scene.chosen().await, name("Prompt"));
        for id in [policy.id, urgent.id] {
            scene.database.write(async |conn| delete_policy(conn, cx, id, None).await).await.expect("it is deleted");
        }
        assert_eq!(scene.chosen().await, None);
    }

    async fn there_are_never_more_policies_than_the_limit(backend: Backend) {
        let scene = Scene::open(backend).await;
        let (cx, draft) = (&scene.context(), &prompt());
        let few = 10;
        let mut first: Option<SlaPolicyId> = None;
        scene
            .database
            .write(async |conn| {
                for _ in few..MAX_POLICIES {
                    create_policy(conn, cx, cx.fresh(), draft.clone()).await?;
                }
                Ok::<_, Failure<Refused>>(())
            })
            .await
            .expect("they are made");
        let rush = (0..2 * few).map(async |_| scene.database.write(async |conn| create_policy(conn, cx, cx.fresh(), draft.clone()).await).await);
        let mut refused = 0;
        for answer in futures::future::join_all(rush).await {
            match answer {
                Ok(policy) => first = first.or(Some(policy.id)),
                Err(Failure::Refused(Refused::TooManySlaPolicies { limit: 500 })) => refused += 1,
                Err(failure) => panic!("{failure}"),
            }
        }
        assert_eq!((refused, scene.count("sla_policies WHERE NOT deleted").await), (few, 500));
        let again = first.expect("some were made");
        let twice = scene.database.write(async |conn| create_policy(conn, cx, again, draft.clone()).await).await;
        assert!(twice.is_err(), "there is no room, and it is there");
        scene.database.write(async |conn| delete_policy(conn, cx, again, None).await).await.expect("it is deleted");
        scene.policy(prompt()).await;
        assert_eq!(scene.count("sla_policies WHERE NOT deleted").await, 500, "one that is deleted makes room for another");
    }
}

#[test]
fn a_breach_that_a_sweeper_and_an_answer_find_at_once_is_told_once() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        scene.policy(prompt()).await;
        let ids = scene.begin(2).await;
        let cx = &Context { now: scene.context().now + HOUR, ..scene.context() };
        let (swept, answer) = meet!(scene, |conn| sweep_service_levels(conn, cx, "one", 1).await, answered(conn, cx, ids[0]).await);
        assert_eq!(swept.expect("it sweeps"), 1);
        answer.expect("it is answered, if late");
        // The other way round: the sweeper passes over what somebody is just changing.
        let (answer, swept) = meet!(scene, |conn| answered(conn, cx, ids[1]).await, sweep_service_levels(conn, cx, "two", 5).await);
        answer.expect("it is answered");
        assert_eq!(swept.expect("it sweeps"), 0);
        assert_eq!((scene.count(TOLD).await, scene.count(ESCALATED).await), (2, 2));
        for id in ids {
            assert_eq!(scene.stored(id).await.service_level.expect("it is kept").breaches.len(), 1);
        }
    });
}

#[test]
fn a_policy_that_another_replica_changes_meanwhile_is_not_kept_under_the_old_revision() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        let policy = scene.policy(prompt()).await;
        let renamed = &SlaPolicyDraft { display_name: "Renamed".to_owned(), ..prompt() };
        for round in 0..20 {
            let change = SlaPolicyDraft { display_name: format!("Round {round}"), ..renamed.clone() };
            let change = &change;
            let (changed, ()) =
                tokio::join!(scene.database.write(async |conn| update_policy(conn, cx, policy.id, change.clone(), None).await), async {
                    for _ in 0..3 {
                        assert!(scene.chosen().await.is_some());
                    }
                });
            changed.expect("it is changed");
            assert_eq!(scene.chosen().await, Some(format!("Round {round}")), "what was committed counts");
        }
    });
}
