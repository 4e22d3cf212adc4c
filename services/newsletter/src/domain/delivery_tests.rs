//! The ledger under every sequence of events: each step is allowed, and the counters always add up.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use rapport_core::{Id, Time};

use super::{
    Counts, Delivery, DeliveryState, Held, OnUnknown, Reply, Report, Resolution, SmtpPhase, Verdict, WithheldReason, issue::stop_reason,
};

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn at(seconds: u64) -> Time {
    Time::EPOCH + Duration::from_secs(seconds)
}

fn delivery(number: u128, on_unknown: OnUnknown) -> Delivery {
    Delivery {
        id: id(number),
        version: 1,
        issue: Some(id(1)),
        message: None,
        subscriber: Some(id(number)),
        subscription: Some(id(number)),
        customer: None,
        sender: id(1),
        email: "ada@example.com".parse().expect("an address"),
        display_name: String::new(),
        language: String::new(),
        state: DeliveryState::Pending,
        withheld_reason: None,
        consent_basis: String::new(),
        mail_message_id: format!("{number}@example.com"),
        attempts: 0,
        deferrals: 0,
        fence: 0,
        worker: None,
        lease_until: None,
        repeatable: false,
        next_attempt_time: at(0),
        give_up_time: at(100_000),
        on_unknown,
        settle_time: None,
        replied: false,
        journey: id(1),
        traceparent: None,
        create_time: at(0),
        resolution: String::new(),
        bounce: String::new(),
        complained: false,
    }
}

/// Something that happens to one delivery.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Lease,
    Start {
        repeatable: bool,
    },
    /// An attempt ends, reported under the lease taken this many leases ago.
    End {
        verdict: Verdict,
        leases_ago: i64,
        started: bool,
    },
    Release,
    Recover,
    Withhold,
    Expire,
    Prove,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Accepted), Just(Verdict::Rejected), Just(Verdict::Deferred), Just(Verdict::Unknown), Just(Verdict::Failed)]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::Lease),
        4 => any::<bool>().prop_map(|repeatable| Happening::Start { repeatable }),
        6 => (verdict(), 0..3_i64, any::<bool>()).prop_map(|(verdict, leases_ago, started)| Happening::End { verdict, leases_ago, started }),
        1 => Just(Happening::Release),
        2 => Just(Happening::Recover),
        1 => Just(Happening::Withhold),
        1 => Just(Happening::Expire),
        1 => Just(Happening::Prove),
    ]
}

fn happen(row: Delivery, what: Happening, now: Time) -> Delivery {
    let held = |leases_ago: i64| Held { delivery: row.id, worker: "w".into(), fence: row.fence - leases_ago, start_time: now };
    let same = row.clone();
    match what {
        Happening::Lease if row.state.waiting() && row.worker.is_none() => row.lease("w", now + Duration::from_secs(30)),
        Happening::Lease => row,
        Happening::Start { repeatable } => row.clone().start(&held(0), repeatable).map_or(same, |(row, _)| row),
        Happening::End { verdict, leases_ago, started } => {
            let in_flight = started.then_some(row.attempts);
            let phase = if started { SmtpPhase::Dot } else { SmtpPhase::Rcpt };
            let report = Report { held: held(leases_ago), in_flight, phase, verdict, reply: Reply::default() };
            row.conclude(&report, now).map_or(same, |(row, _)| row)
        }
        Happening::Release if row.state.waiting() => row.release(),
        Happening::Release => row,
        Happening::Recover if row.worker.is_some() => row.recover(now).0,
        Happening::Recover => row,
        Happening::Withhold => row.withhold(WithheldReason::Unsubscribed, now).unwrap_or(same),
        Happening::Expire => row.expire(now).unwrap_or(same),
        Happening::Prove => row.prove(now),
    }
}

/// Whether the ledger knows this step, or these two at once: refused for now and given up, unknown and sent again.
fn known(from: DeliveryState, to: DeliveryState) -> bool {
    let through = [DeliveryState::Deferred, DeliveryState::Unknown];
    from == to || from.allows(to) || through.into_iter().any(|between| from.allows(between) && between.allows(to))
}

proptest! {
    #[test]
    fn the_identity_holds_after_every_sequence(
        steps in prop::collection::vec((0..4_usize, happening(), 0..20_000_u64), 1..200),
        resend in any::<bool>(),
    ) {
        let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Hold };
        let mut rows: Vec<Delivery> = (1..=4).map(|number| delivery(number, on_unknown)).collect();
        let mut counts = Counts::default();
        rows.iter().for_each(|row| counts.add(row.state));
        let mut now = 0;
        for (which, what, later) in steps {
            now += later;
            let before = rows[which].clone();
            let after = happen(before.clone(), what, at(now));
            prop_assert!(known(before.state, after.state), "{what:?}: {} -> {}", before.state, after.state);
            if before.state.settled() && before.state != DeliveryState::Unknown {
                prop_assert_eq!(before.state, after.state);
            }
            prop_assert!(after.fence >= before.fence && after.attempts >= before.attempts);
            prop_assert_eq!(after.state.settled(), after.settle_time.is_some(), "{:?}", after.state);
            prop_assert!(!after.state.settled() || after.worker.is_none());
            counts.shift(before.state, after.state);
            rows[which] = after;
            prop_assert!(counts.balanced());
            let mut recount = BTreeMap::new();
            rows.iter().for_each(|row| *recount.entry(row.state).or_insert(0) += 1);
            for (state, count) in recount {
                prop_assert_eq!(*counts.of(state), count);
            }
        }
    }

    #[test]
    fn no_dot_leaves_twice_without_an_outcome_that_allows_it(steps in prop::collection::vec(happening(), 1..120)) {
        // Under HOLD, and without a transport that can repeat: after a dot that may have been taken, none leaves again.
        let mut row = delivery(1, OnUnknown::Hold);
        let mut perhaps_taken = false;
        for (second, what) in (0_u64..).zip(steps) {
            let what = match what { Happening::Start { .. } => Happening::Start { repeatable: false }, other => other };
            let before = row.state;
            row = happen(row, what, at(second));
            if before != DeliveryState::InFlight && row.state == DeliveryState::InFlight {
                prop_assert!(!perhaps_taken);
            }
            perhaps_taken |= before == DeliveryState::InFlight && row.state == DeliveryState::Unknown;
        }
    }
}

fn leased() -> (Delivery, Held) {
    let row = delivery(1, OnUnknown::Hold).lease("w", at(30));
    let held = Held { delivery: row.id, worker: "w".into(), fence: row.fence, start_time: at(1) };
    (row, held)
}

fn report(held: &Held, in_flight: Option<i32>, verdict: Verdict) -> Report {
    Report { held: held.clone(), in_flight, phase: SmtpPhase::Dot, verdict, reply: Reply::default() }
}

#[test]
fn a_lease_loses_nothing_and_an_old_one_starts_nothing() {
    let (row, held) = leased();
    assert_eq!(row.state, DeliveryState::Pending);
    let (free, ended) = row.recover(at(40));
    assert_eq!((free.state, ended), (DeliveryState::Pending, None));
    let again = free.lease("w", at(70));
    assert!(again.start(&held, false).is_none());
}

#[test]
fn a_crash_after_the_dot_is_unknown_and_a_late_acceptance_proves_it() {
    let (row, held) = leased();
    let (flying, attempt) = row.start(&held, false).expect("it goes");
    assert_eq!((flying.state, attempt.number), (DeliveryState::InFlight, 1));
    let (lost, ended) = flying.recover(at(40));
    assert_eq!((lost.state, ended), (DeliveryState::Unknown, Some((1, DeliveryState::Unknown))));
    assert!(lost.clone().conclude(&report(&held, Some(1), Verdict::Rejected), at(50)).is_none());
    let (proven, _) = lost.conclude(&report(&held, Some(1), Verdict::Accepted), at(50)).expect("a proof");
    assert_eq!(proven.state, DeliveryState::Accepted);
}

#[test]
fn a_transport_that_can_repeat_is_asked_again() {
    let (row, held) = leased();
    let (flying, _) = row.start(&held, true).expect("it goes");
    assert_eq!(flying.recover(at(40)).0.state, DeliveryState::Pending);
}

#[test]
fn what_is_deferred_for_too_long_expires() {
    let (row, held) = leased();
    let (deferred, _) = row.clone().conclude(&report(&held, None, Verdict::Deferred), at(10)).expect("noted");
    assert_eq!((deferred.state, deferred.attempts, deferred.deferrals), (DeliveryState::Deferred, 1, 1));
    assert!(deferred.next_attempt_time >= at(10 + 300) && deferred.next_attempt_time <= at(10 + 360));
    let (expired, attempt) = row.conclude(&report(&held, None, Verdict::Deferred), at(100_000)).expect("noted");
    assert_eq!((expired.state, attempt.outcome), (DeliveryState::Expired, Some(DeliveryState::Deferred)));
}

#[test]
fn an_answer_proves_that_an_unknown_one_arrived() {
    let (row, held) = leased();
    let (flying, _) = row.clone().start(&held, false).expect("it goes");
    assert_eq!(flying.recover(at(40)).0.prove(at(50)).state, DeliveryState::Accepted);
    assert_eq!(row.prove(at(50)).state, DeliveryState::Pending);
}

#[test]
fn only_an_unknown_outcome_is_settled_by_hand_and_one_sent_again_has_time_to_be_tried() {
    let (row, held) = leased();
    let (flying, _) = row.clone().start(&held, false).expect("it goes");
    let lost = flying.clone().recover(at(40)).0;
    let hour = Duration::from_secs(3600);
    for to in [Resolution::Accepted, Resolution::Failed, Resolution::Resend] {
        for other in [row.clone(), flying.clone()] {
            assert!(other.resolve(to, "ada", "the log", hour, at(50)).is_none());
        }
        let late = lost.give_up_time;
        let settled = lost.clone().resolve(to, "ada", "the log", hour, late).expect("it was unknown");
        assert!(lost.state.allows(settled.state));
        assert_eq!(settled.resolution, format!("{to} by ada: the log"));
        if to == Resolution::Resend {
            assert_eq!((settled.next_attempt_time, settled.settle_time), (late, None));
            assert!(settled.give_up_time >= late + hour);
            assert_eq!(settled.mail_message_id, lost.mail_message_id);
        }
    }
}

#[test]
fn the_stop_rule_needs_enough_outcomes_and_more_than_five_bounces_in_a_hundred_or_one_complaint_in_a_thousand() {
    for (accepted, refused, returned, complained, stops) in [
        (0, 499, 0, 0, false),
        (0, 500, 0, 0, true),
        (475, 25, 0, 0, false),
        (474, 26, 0, 0, true),
        (10_000, 500, 0, 0, false),
        (0, 0, 0, 0, false),
        (500, 0, 25, 0, false),
        (500, 0, 26, 0, true),
        (499, 0, 0, 499, false),
        (999, 0, 0, 1, true),
        (1000, 0, 0, 1, false),
        (1000, 0, 0, 2, true),
    ] {
        let reason = stop_reason(accepted, refused, returned, complained);
        assert_eq!(
            reason.is_some(),
            stops,
            "{accepted} accepted, {refused} refused, {returned} returned, {complained} complained: {reason:?}"
        );
    }
}
