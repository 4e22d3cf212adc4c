//! The life of a promise, whatever is done to it and however the clock jumps.

use std::time::Duration;

use proptest::prelude::*;
use rapport_core::{Context, Time};

use super::{
    Commitment, CommitmentDraft, CommitmentState, KeptRate,
    testing::{NOON, context, customer, promise},
};

/// What can be done to a promise.
#[derive(Clone, Debug)]
enum Deed {
    Keep,
    Renegotiate { ahead: u64, agreed: bool },
    Release,
    Cancel,
    Lapse,
    Remind,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Keep),
        (1_u64..500, any::<bool>()).prop_map(|(ahead, agreed)| Deed::Renegotiate { ahead, agreed }),
        Just(Deed::Release),
        Just(Deed::Cancel),
        Just(Deed::Lapse),
        Just(Deed::Remind),
    ]
}

fn at(seconds: u64) -> Time {
    NOON + Duration::from_secs(seconds)
}

/// What the deed makes of the promise; the same when it is refused.
fn done(deed: &Deed, promise: &Commitment, now: Time) -> Commitment {
    let cx = Context { now, ..context() };
    let changed = match deed {
        Deed::Keep => promise.clone().keep("call 17".to_owned(), now, now).ok(),
        Deed::Renegotiate { ahead, agreed } => {
            promise.clone().renegotiate(now + Duration::from_secs(*ahead), *agreed, "parts are late".to_owned(), &cx).ok()
        }
        Deed::Release => promise.clone().release("entry 3".to_owned(), None, now).ok(),
        Deed::Cancel => promise.clone().cancel("wrong customer".to_owned(), now).ok(),
        Deed::Lapse => promise.clone().lapse(now),
        Deed::Remind => promise.clone().remind(now),
    };
    changed.unwrap_or_else(|| promise.clone())
}

/// The ways that a promise may go, as the specification lists them.
fn allowed(from: CommitmentState, to: CommitmentState) -> bool {
    use CommitmentState::{Broken, Cancelled, Kept, KeptLate, Open, Released};
    from == to || matches!((from, to), (Open, Kept | KeptLate | Broken | Released | Cancelled) | (Broken, KeptLate))
}

proptest! {
    #[test]
    fn a_promise_goes_only_the_ways_that_are_listed_however_the_clock_jumps(
        deeds in proptest::collection::vec((deed(), 0_u64..2000), 1..30),
        grace in 0_u64..50,
        reminders in proptest::collection::vec(1_u64..900, 0..4),
    ) {
        let draft = CommitmentDraft {
            grace: Duration::from_secs(grace),
            remind_before: reminders.iter().copied().map(Duration::from_secs).collect(),
            ..promise(Duration::from_secs(1000))
        };
        let cx = context();
        let mut now_at = Commitment::make(draft, Some(customer()), cx.fresh(), &cx);
        for (deed, seconds) in deeds {
            let (before, now) = (now_at, at(seconds));
            now_at = done(&deed, &before, now);
            prop_assert!(allowed(before.state, now_at.state), "{:?} made {} of {}", deed, now_at.state, before.state);
            let open = now_at.state == CommitmentState::Open;
            prop_assert!(open || now_at.remind_time.is_none(), "who is settled is not reminded");
            prop_assert_eq!(now_at.settle_time.is_some(), !matches!(now_at.state, CommitmentState::Open | CommitmentState::Broken));
            prop_assert!(now_at.break_time.is_some() || !matches!(now_at.state, CommitmentState::Broken | CommitmentState::KeptLate));
            prop_assert!(before.break_time.is_none() || now_at.break_time == before.break_time, "a break stays in the history");
            prop_assert!(now_at.renegotiations.starts_with(&before.renegotiations), "what was agreed is never erased");
            if now_at.state == CommitmentState::Broken && before.state == CommitmentState::Open {
                prop_assert!(matches!(deed, Deed::Lapse) && now >= before.deadline(), "only the clock breaks a promise, at its deadline");
            }
            if matches!(deed, Deed::Renegotiate { .. } | Deed::Release | Deed::Cancel) && now >= before.deadline() {
                prop_assert_eq!(&before, &now_at, "a promise that is overdue cannot be moved any more");
            }
        }
    }

    #[test]
    fn the_old_due_time_counts_until_the_customer_agrees(moves in proptest::collection::vec((1_u64..900, any::<bool>()), 0..6), kept in 0_u64..900) {
        let cx = context();
        let mut moved = Commitment::make(promise(Duration::from_secs(1000)), Some(customer()), cx.fresh(), &cx);
        let mut agreed = moved.due_time;
        for (ahead, customer_agreed) in moves {
            let due = NOON + Duration::from_secs(ahead);
            moved = moved.renegotiate(due, customer_agreed, "parts are late".to_owned(), &cx).expect("it is open");
            agreed = if customer_agreed { due } else { agreed };
            prop_assert_eq!((moved.due_time, moved.agreed_due_time()), (due, agreed));
        }
        let kept = moved.keep("call 17".to_owned(), at(kept), at(kept)).expect("it is open");
        prop_assert_eq!(kept.kept_as_agreed(), kept.kept_time.map(|time| time < agreed));
        let mut rate = KeptRate::default();
        rate.count(kept.state, kept.kept_as_agreed(), 1);
        prop_assert_eq!(rate.rate(), Some(if kept.kept_as_agreed() == Some(true) { 1.0 } else { 0.0 }));
    }

    #[test]
    fn each_reminder_comes_once_and_those_that_came_due_together_are_one(
        before in proptest::collection::btree_set(1_u64..999, 1..5),
        looks in proptest::collection::vec(0_u64..1100, 1..20),
    ) {
        let cx = context();
        let draft = CommitmentDraft { remind_before: before.iter().copied().map(Duration::from_secs).collect(), ..promise(Duration::from_secs(1000)) };
        let mut promised = Commitment::make(draft, Some(customer()), cx.fresh(), &cx);
        let mut looked = 0;
        let (mut reminded, mut latest) = (0, 0);
        for now in looks {
            latest = latest.max(now);
            let due = before.iter().filter(|span| (looked + 1..=now.min(999)).contains(&(1000 - **span))).count();
            if let Some(told) = promised.clone().remind(at(now)) {
                reminded += 1;
                prop_assert!(due > 0 && now < 1000);
                promised = told;
                looked = now;
            } else {
                prop_assert!(due == 0 || now >= 1000, "{} reminders were due at {}", due, now);
            }
        }
        prop_assert!(reminded <= before.len());
    }
}
