//! Pausing, resuming and cancelling at any moment: nothing leaves meanwhile, nobody is lost, and the counters always add up.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use rapport_core::{Failure, IssueId};
use rapport_testkit::both_databases;

use super::{House, start};
use crate::{
    app::{
        claim::Work,
        issue::{self, Control},
        ledger::{self, Step, Stepped},
    },
    domain::{Counts, Issue, IssueState, Refused, Reply, Report, SmtpPhase, StopRule, Verdict},
};

const AUDIENCE: usize = 12;

impl House {
    async fn control(&self, id: IssueId, control: Control) -> Result<Issue, Failure<Refused>> {
        self.database.write(async |conn| issue::control_issue(conn, &self.cx, id, None, &control).await).await
    }

    async fn found(&self, id: IssueId) -> Issue {
        self.database.read(async |conn| issue::get_issue(conn, id).await).await.expect("it is there")
    }

    /// One pass over those who wait for an issue that was cancelled, a few at a time.
    async fn give_up(&self, id: IssueId) {
        let mut after = None;
        loop {
            let (cx, keys) = (&self.cx, &self.keys);
            after = self.database.write(async |conn| ledger::give_up(conn, cx, keys, id, after, 5).await).await.expect("settled");
            if after.is_none() {
                return;
            }
        }
    }
}

fn ended(work: &Work, in_flight: Option<i32>, random: &mut StdRng) -> Step {
    let (phase, codes) = if in_flight.is_some() { (SmtpPhase::Dot, &[250, 451, 550, 0]) } else { (SmtpPhase::Rcpt, &[451, 550, 451, 0]) };
    let code = *codes.choose(random).expect("some");
    let reply = Reply { code, ..Reply::default() };
    let verdict = match (code, phase) {
        (250, _) => Verdict::Accepted,
        (550, _) => Verdict::Rejected,
        (0, SmtpPhase::Dot) => Verdict::Unknown,
        _ => Verdict::Deferred,
    };
    Step::End(Report { held: work.held.clone(), in_flight, phase, verdict, reply })
}

/// Does something at random, and looks whether the rules held.
async fn round(house: &House, id: IssueId, random: &mut StdRng, leased: &mut Vec<Work>, in_flight: &mut Vec<(Work, i32)>) {
    let state = house.found(id).await.state;
    match random.random_range(0..10) {
        0 => drop(house.control(id, Control::Pause("a look".to_owned())).await),
        1 => drop(house.control(id, Control::Resume).await),
        2 if random.random_bool(0.2) => drop(house.control(id, Control::Cancel("a mistake".to_owned())).await),
        2 if state == IssueState::Cancelled => house.give_up(id).await,
        3 | 4 => {
            let claimed = house.claim("worker", 3).await;
            assert!(claimed.is_empty() || state == IssueState::Sending, "leased while {state}");
            leased.extend(claimed);
        }
        5..=7 if !leased.is_empty() => {
            let work = leased.swap_remove(random.random_range(0..leased.len()));
            if random.random_bool(0.2) {
                house.step(&[ended(&work, None, random)]).await;
                return;
            }
            match house.step(&[start(&work)]).await[0] {
                Stepped::Go(number) => {
                    assert_eq!(state, IssueState::Sending, "a dot left");
                    in_flight.push((work, number));
                }
                _ => drop(house.step(&[Step::Release(work.held.clone())]).await),
            }
        }
        _ if !in_flight.is_empty() => {
            let (work, number) = in_flight.swap_remove(random.random_range(0..in_flight.len()));
            house.step(&[ended(&work, Some(number), random)]).await;
        }
        _ => {}
    }
}

both_databases! {
    async fn whatever_is_done_with_an_issue_at_whatever_moment_nobody_is_lost(backend: Backend) {
        for seed in 0..8 {
            let house = House::new(backend).await;
            let mut random = StdRng::seed_from_u64(seed);
            let id = house.issue(AUDIENCE).await;
            let (mut leased, mut in_flight) = (Vec::new(), Vec::new());
            for _ in 0..60 {
                round(&house, id, &mut random, &mut leased, &mut in_flight).await;
                assert_eq!(house.counts(id).await.audience, AUDIENCE as i64, "seed {seed}");
            }
            // Whatever it was, it can be brought to an end, and everybody is settled then.
            let _completed = house.control(id, Control::Cancel("the end".to_owned())).await;
            for (work, number) in in_flight {
                house.step(&[ended(&work, Some(number), &mut random)]).await;
            }
            house.give_up(id).await;
            let (counts, issue) = (house.counts(id).await, house.found(id).await);
            assert!(counts.settled() && issue.complete_time.is_some(), "seed {seed}: {counts:?} {issue:?}");
            assert!(matches!(issue.state, IssueState::Completed | IssueState::Cancelled), "seed {seed}");
        }
    }

    async fn issues_whose_readers_all_wait_for_later_hold_up_no_newer_one(backend: Backend) {
        let house = House::new(backend).await;
        for number in 0..51 {
            house.issue_to(number..number + 1).await;
        }
        let mut leased = house.claim("worker", 100).await;
        assert_eq!(leased.len(), 50, "as many issues as are leased from at a time");
        leased.extend(house.claim("worker", 100).await);
        assert_eq!(leased.len(), 51, "those that have nobody left do not count");
    }

    async fn a_letter_that_is_being_written_does_not_leave_when_its_issue_is_paused_and_waits_for_the_next_lease(backend: Backend) {
        let house = House::new(backend).await;
        let id = house.issue(3).await;
        let work = house.claim("worker", 2).await;
        assert_eq!(house.step(&[start(&work[0])]).await, [Stepped::Go(1)]);
        let paused = house.control(id, Control::Pause("a wrong link".to_owned())).await.expect("it is on its way");
        assert_eq!((paused.state, paused.state_reason.as_str()), (IssueState::Paused, "a wrong link"));
        assert_eq!(house.control(id, Control::Pause("again".to_owned())).await.expect("it stays"), paused);
        assert_eq!(house.step(&[start(&work[1])]).await, [Stepped::Stop]);
        house.step(&[Step::Release(work[1].held.clone())]).await;
        assert!(house.claim("worker", 3).await.is_empty());
        // What is in flight is concluded.
        house.step(&[super::accepted(&work[0], 1)]).await;
        assert_eq!(house.counts(id).await, Counts { audience: 3, accepted: 1, pending: 2, ..Counts::default() });
        let resumed = house.control(id, Control::Resume).await.expect("it is paused");
        assert_eq!((resumed.state, resumed.state_reason.as_str()), (IssueState::Sending, ""));
        assert_eq!(house.claim("worker", 3).await.len(), 2);
    }

    async fn a_cancelled_issue_settles_who_waits_and_stays_cancelled(backend: Backend) {
        let house = House::new(backend).await;
        let id = house.issue(4).await;
        let work = house.claim("worker", 2).await;
        assert_eq!(house.step(&[start(&work[0])]).await, [Stepped::Go(1)]);
        house.control(id, Control::Cancel("a mistake".to_owned())).await.expect("it is on its way");
        house.give_up(id).await;
        assert_eq!(house.counts(id).await, Counts { audience: 4, in_flight: 1, cancelled: 3, ..Counts::default() });
        assert_eq!(house.step(&[start(&work[1])]).await, [Stepped::Stop]);
        assert_eq!(house.found(id).await.complete_time, None);
        house.step(&[super::accepted(&work[0], 1)]).await;
        let over = house.found(id).await;
        assert_eq!((over.state, over.complete_time.is_some()), (IssueState::Cancelled, true));
        let refused = house.control(id, Control::Resume).await.expect_err("it is for good");
        assert!(matches!(refused, Failure::Refused(Refused::IssueNotRunning(IssueState::Cancelled))), "{refused}");
        let again = house.database.write(async |conn| issue::send_issue(conn, &house.cx, id, None).await).await;
        assert!(matches!(again, Err(Failure::Refused(Refused::IssueNotRunning(IssueState::Cancelled)))), "{again:?}");
    }

    async fn the_stop_rule_pauses_an_issue_that_bounces_too_often_until_somebody_overrules_it(backend: Backend) {
        let house = House::new(backend).await;
        let id = house.issue(560).await;
        let mut work = Vec::new();
        while work.len() < 540 {
            work.extend(house.claim("worker", 540 - work.len()).await);
        }
        let bounced = |work: &Work| {
            let reply = Reply { code: 550, enhanced: "5.1.1".to_owned(), ..Reply::default() };
            Step::End(Report { held: work.held.clone(), in_flight: None, phase: SmtpPhase::Rcpt, verdict: Verdict::Rejected, reply })
        };
        // 25 of 500 are 5 %, which is not more than 5 %.
        let (good, bad) = (&work[..475], &work[475..]);
        house.step(&good.iter().map(start).collect::<Vec<_>>()).await;
        house.step(&good.iter().map(|work| super::accepted(work, 1)).collect::<Vec<_>>()).await;
        house.step(&bad[..25].iter().map(bounced).collect::<Vec<_>>()).await;
        assert_eq!(house.found(id).await.state, IssueState::Sending);
        house.step(&bad[25..30].iter().map(bounced).collect::<Vec<_>>()).await;
        let stopped = house.found(id).await;
        assert_eq!((stopped.state, stopped.stop_rule), (IssueState::Paused, StopRule::Stopped));
        assert!(stopped.state_reason.contains("30 of 505"), "{}", stopped.state_reason);
        assert_eq!(house.step(&[start(&bad[30])]).await, [Stepped::Stop]);
        assert!(house.claim("other", 20).await.is_empty());
        let resumed = house.control(id, Control::Resume).await.expect("somebody looked");
        assert_eq!((resumed.state, resumed.stop_rule), (IssueState::Sending, StopRule::Overruled));
        house.step(&bad[31..].iter().map(bounced).collect::<Vec<_>>()).await;
        assert_eq!(house.found(id).await.state, IssueState::Sending);
        let counts = house.counts(id).await;
        assert_eq!((counts.accepted, counts.rejected, counts.pending), (475, 64, 21));
    }
}
