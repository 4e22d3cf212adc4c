//! The score as examples and as properties.

use super::*;
use proptest::prelude::*;

const CUSTOMER: CustomerId = CustomerId::from_uuid(Uuid::from_u128(1));
const START: Time = Time::from_micros(1_000_000_000_000_000);

fn subject(number: u128) -> SubjectId {
    SubjectId::from_uuid(Uuid::from_u128(number))
}
fn day(number: u32) -> Time {
    START + STEP * number
}
fn signal(code: RiskCode, number: u128) -> Signal {
    Signal { customer: CUSTOMER, code, key: subject(number), evidence: subject(number), observe_time: START, mended: false }
}
fn score(signals: &[Signal], now: Time) -> i32 {
    assess(CUSTOMER, signals, now).score
}

#[test]
fn nobody_is_at_risk_for_no_reason() {
    let assessment = assess(CUSTOMER, &[], START);
    assert_eq!((assessment.score, assessment.level, assessment.reasons.len()), (0, RiskLevel::Healthy, 0));
    assert_eq!(review_time(&[], START), None);
}

#[test]
fn a_broken_promise_counts_less_each_day_and_less_once_it_is_kept_late() {
    let mut broken = signal(RiskCode::BrokenPromise, 1);
    assert_eq!((score(&[broken.clone()], day(0)), score(&[broken.clone()], day(45)), score(&[broken.clone()], day(90))), (25, 12, 0));
    broken.mended = true;
    assert_eq!(score(&[broken], day(0)), 10);
}

#[test]
fn what_goes_well_heals_but_never_below_nothing() {
    let promoter = signal(RiskCode::Promoter, 1);
    assert_eq!(score(std::slice::from_ref(&promoter), day(0)), 0);
    assert_eq!(score(&[promoter, signal(RiskCode::Detractor, 2)], day(0)), 10);
}

#[test]
fn the_levels_begin_where_they_are_documented() {
    let levels: Vec<_> = [0, 19, 20, 44, 45, 69, 70, 100].into_iter().map(level).collect();
    use RiskLevel::{AtRisk, Critical, Healthy, Watch};
    assert_eq!(levels, [Healthy, Healthy, Watch, Watch, AtRisk, AtRisk, Critical, Critical]);
}

#[test]
fn reasons_come_with_evidence_the_heaviest_first() {
    let assessment = assess(CUSTOMER, &[signal(RiskCode::Unsubscribed, 1), signal(RiskCode::Detractor, 2)], day(1));
    let reasons: Vec<_> = assessment.reasons.iter().map(|reason| (reason.code, reason.points, reason.evidence)).collect();
    assert_eq!(reasons, [(RiskCode::Detractor, 29, subject(2)), (RiskCode::Unsubscribed, 4, subject(1))]);
    assert_eq!(assessment.reasons[0].decay_time, day(90));
}

fn any_signals() -> impl Strategy<Value = Vec<Signal>> {
    let one = (0..RiskCode::ALL.len(), any::<bool>(), 0..200_u32, 0..86_400_u32);
    proptest::collection::vec(one, 0..30).prop_map(|all| {
        let build = |(number, (code, mended, days, seconds)): (usize, (usize, bool, u32, u32))| Signal {
            observe_time: day(days) + Duration::from_secs(u64::from(seconds)),
            mended,
            ..signal(RiskCode::ALL[code].0, u128::try_from(number).expect("small"))
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

proptest! {
    #[test]
    fn the_score_stays_on_its_scale_and_depends_on_no_order(mut signals in any_signals(), now in 0..300_u32) {
        let first = assess(CUSTOMER, &signals, day(now));
        prop_assert!((0..=100).contains(&first.score));
        prop_assert_eq!(level(first.score), first.level);
        signals.reverse();
        prop_assert_eq!(first, assess(CUSTOMER, &signals, day(now)));
    }

    #[test]
    fn a_score_holds_until_its_review(signals in any_signals(), now in 0..300_u32, part in 0.0..1.0_f64) {
        let now = day(now);
        if let Some(review) = review_time(&signals, now) {
            prop_assert!(review > now);
            let between = now + review.since(now).mul_f64(part * 0.999_999);
            prop_assert_eq!(score(&signals, now), score(&signals, between));
        }
    }

    #[test]
    fn in_the_end_everything_is_forgiven(signals in any_signals()) {
        prop_assert_eq!(score(&signals, day(300)), 0);
        prop_assert_eq!(review_time(&signals, day(300)), None);
        prop_assert!(signals.iter().all(|signal| signal.decay_time() > forgotten(day(300)) || signal.points(day(300)) == 0));
    }
}
