//! The rules of types as examples and as properties.

use proptest::prelude::*;
use rapport_core::words::Word;
use uuid::Uuid;

use super::*;
use crate::domain::{Customer, CustomerKind, Profile, TypeSource, customer::Birth};

const CUSTOMER: CustomerId = CustomerId::from_uuid(Uuid::from_u128(1));
const START: Time = Time::from_micros(1_000_000_000_000_000);

fn on(number: u32) -> Time {
    START + DAY * number
}
fn subject(number: u128) -> SubjectId {
    SubjectId::from_uuid(Uuid::from_u128(number))
}
fn fact(kind: TypeFactKind, number: u128, time: Time) -> TypeFact {
    TypeFact::new(kind, CUSTOMER, subject(number), time)
}
fn judged(stage: LifecycleStage, facts: &[TypeFact], now: Time) -> Judgement {
    judge(Known { stage, bought_before: false, facts }, &Thresholds::USUAL, now)
}
/// The types of a customer who bought, and the rules.
fn rules(facts: &[TypeFact], now: Time) -> Vec<TypeRule> {
    judged(LifecycleStage::Customer, facts, now).verdicts.into_iter().map(|verdict| verdict.rule).collect()
}
fn purchases(days: &[u32]) -> Vec<TypeFact> {
    let one = |(number, day): (usize, &u32)| fact(TypeFactKind::Purchase, u128::try_from(number).expect("small") + 10, on(*day));
    days.iter().enumerate().map(one).collect()
}

#[test]
fn a_prospect_is_potential_and_the_first_interest_shows_it() {
    let interest = [fact(TypeFactKind::SalesContact, 3, on(2)), fact(TypeFactKind::SalesContact, 2, on(1))];
    let verdicts = judged(LifecycleStage::Prospect, &interest, on(3)).verdicts;
    assert_eq!((verdicts.len(), verdicts[0].kind, verdicts[0].rule), (1, CustomerType::Potential, TypeRule::NotBoughtYet));
    assert_eq!(verdicts[0].evidence, [subject(2)]);
    assert_eq!(rules(&interest, on(3)), [], "somebody who bought before is not potential");
}

#[test]
fn new_is_who_bought_lately_for_the_first_time_until_onboarded() {
    let mut facts = purchases(&[0, 20]);
    assert_eq!((rules(&facts, on(89)), rules(&facts, on(90))), (vec![TypeRule::FirstPurchase], vec![]));
    let known = Known { stage: LifecycleStage::Customer, bought_before: true, facts: &facts };
    assert_eq!(judge(known, &Thresholds::USUAL, on(30)).verdicts, [], "who had bought before is not new");
    facts.push(fact(TypeFactKind::Onboarding, 1, on(30)));
    assert_eq!(rules(&facts, on(31)), []);
}

#[test]
fn loyalty_is_shown_by_kept_purchases_over_time_and_fades() {
    let facts = purchases(&[0, 100, 180]);
    let verdicts = judged(LifecycleStage::Customer, &facts, on(181)).verdicts;
    assert_eq!((verdicts[0].rule, verdicts[0].evidence.as_slice()), (TypeRule::KeptPurchases, [10, 11, 12].map(subject).as_slice()));
    assert_eq!(rules(&facts, on(180 + 730)), []);
    assert_eq!(rules(&purchases(&[0, 1, 2]), on(3)), [TypeRule::FirstPurchase], "many at once are no history");
    let mut returned = purchases(&[0, 100]);
    returned.push(TypeFact { undone: true, ..fact(TypeFactKind::Contract, 20, on(180)) });
    assert_eq!(rules(&returned, on(181)), [], "what was given back is not kept");
}

#[test]
fn a_contract_and_the_interaction_in_which_it_was_sealed_are_one_purchase() {
    let sealed = |number: u128, at: u32, undone: bool| {
        let contract = TypeFact { occasion: subject(number), undone, ..fact(TypeFactKind::Contract, number + 100, on(at)) };
        [contract, fact(TypeFactKind::Purchase, number, on(at))]
    };
    let twice = [sealed(1, 0, false), sealed(2, 200, false)].concat();
    assert_eq!(rules(&twice, on(201)), [], "two purchases, not four");
    let kept = [twice.clone(), sealed(3, 300, false).to_vec()].concat();
    assert_eq!(rules(&kept, on(301)), [TypeRule::KeptPurchases]);
    let cancelled = [twice, sealed(3, 300, true).to_vec()].concat();
    assert_eq!(rules(&cancelled, on(301)), []);
}

#[test]
fn who_would_recommend_us_is_loyal_with_one_purchase_less_as_long_as_that_is_the_last_word() {
    let mut facts = purchases(&[0, 10]);
    facts.push(fact(TypeFactKind::Recommendation, 1, on(20)));
    let verdicts = judged(LifecycleStage::Customer, &facts, on(21)).verdicts;
    assert_eq!((verdicts[0].rule, verdicts[0].evidence.as_slice()), (TypeRule::Recommends, [10, 11, 1].map(subject).as_slice()));
    facts.push(TypeFact { undone: true, ..fact(TypeFactKind::Recommendation, 2, on(30)) });
    assert_eq!(rules(&facts, on(31)), [TypeRule::FirstPurchase]);
}

#[test]
fn impulsive_is_who_mostly_buys_without_having_meant_to() {
    let mut facts = purchases(&[100, 120, 140]);
    facts.push(TypeFact { seconds: 3600, ..fact(TypeFactKind::ImpulsePurchase, 10, on(100)) });
    facts.push(TypeFact { seconds: 601, ..fact(TypeFactKind::UnplannedPurchase, 11, on(120)) });
    assert_eq!(rules(&facts, on(300)), [], "one impulse: the other took too long");
    facts.push(TypeFact { seconds: 600, ..fact(TypeFactKind::UnplannedPurchase, 12, on(140)) });
    assert_eq!(rules(&facts, on(300)), [TypeRule::ImpulsePurchases]);
    assert_eq!(rules(&facts, on(465)), [], "one year later only one of them counts");
    facts.extend([fact(TypeFactKind::Purchase, 20, on(141)), fact(TypeFactKind::Purchase, 21, on(142))]);
    assert_eq!(rules(&facts, on(300)), [], "two of five are not half");
}

#[test]
fn discount_is_who_mostly_comes_for_a_deal() {
    let mut facts = purchases(&[0]);
    facts.push(fact(TypeFactKind::DealPurchase, 10, on(0)));
    facts.push(fact(TypeFactKind::Perk, 30, on(10)));
    let verdicts = judged(LifecycleStage::Customer, &facts, on(100)).verdicts;
    assert_eq!((verdicts[0].rule, verdicts[0].evidence.as_slice()), (TypeRule::DealPurchases, [10, 30].map(subject).as_slice()));
    facts[2].undone = true;
    assert_eq!(rules(&facts, on(100)), []);
}

#[test]
fn of_many_purchases_the_first_and_the_newest_are_named() {
    let days: Vec<u32> = (0..30).map(|number| number * 10).collect();
    let evidence = &judged(LifecycleStage::Customer, &purchases(&days), on(300)).verdicts[0].evidence;
    assert_eq!((evidence.len(), evidence[0], evidence[1], evidence[9]), (10, subject(10), subject(31), subject(39)));
}

#[test]
fn thresholds_that_make_no_sense_are_all_named() {
    assert_eq!(Thresholds::USUAL.problems(), Vec::<&str>::new());
    let senseless = Thresholds { new_days: 0, loyal_purchases: 1, share_percent: 101, ..Thresholds::USUAL };
    assert_eq!(senseless.problems().len(), 3);
}

fn any_facts() -> impl Strategy<Value = Vec<TypeFact>> {
    let one = (0..TypeFactKind::ALL.len(), 0_u128..8, 0..1500_u32, 0..1200_i64, proptest::bool::weighted(0.2));
    proptest::collection::vec(one, 0..25).prop_map(|all| {
        let build = |(number, (kind, occasion, day, seconds, undone)): (usize, (usize, u128, u32, i64, bool))| TypeFact {
            occasion: subject(occasion),
            seconds,
            undone,
            ..fact(TypeFactKind::ALL[kind].0, 100 + u128::try_from(number).expect("small"), on(day))
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

/// A prospect to whom these facts come to light one after the other, judged after each.
fn lived(facts: &[TypeFact], now: Time) -> Customer {
    let birth = Birth { kind: None, source: TypeSource::Agent, by: "ada".to_owned(), at: now };
    let mut customer = Customer::create(CUSTOMER, CustomerKind::Person, Profile::named("Ada"), &birth);
    for known in 1..=facts.len() {
        let fact = &facts[known - 1];
        if matches!(fact.kind, TypeFactKind::Purchase | TypeFactKind::Contract) && !fact.undone {
            customer = customer.bought(now).unwrap_or(customer);
        }
        let judgement = judged(customer.profile.stage(), &facts[..known], now);
        customer = customer.judged(&judgement, &[], now).unwrap_or(customer);
    }
    customer
}

proptest! {
    #[test]
    fn the_same_facts_in_any_order_give_the_same_types(
        (facts, shuffled) in any_facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        now in 0..2500_u32,
    ) {
        let stage = LifecycleStage::Customer;
        prop_assert_eq!(judged(stage, &facts, on(now)), judged(stage, &shuffled, on(now)));
        prop_assert_eq!(lived(&facts, on(now)).types, lived(&shuffled, on(now)).types);
    }

    #[test]
    fn a_verdict_holds_until_its_review(facts in any_facts(), now in 0..2500_u32, part in 0.0..1.0_f64) {
        let judgement = judged(LifecycleStage::Customer, &facts, on(now));
        if let Some(review) = judgement.review_time {
            prop_assert!(review > on(now));
            let between = on(now) + review.since(on(now)).mul_f64(part * 0.999_999);
            prop_assert_eq!(&judgement.verdicts, &judged(LifecycleStage::Customer, &facts, between).verdicts);
        } else {
            prop_assert_eq!(&judgement.verdicts, &judged(LifecycleStage::Customer, &facts, on(now + 5000)).verdicts);
        }
    }

    #[test]
    fn every_verdict_has_a_reason_and_at_most_one_is_a_step(facts in any_facts(), now in 0..2500_u32) {
        let verdicts = judged(LifecycleStage::Customer, &facts, on(now)).verdicts;
        let step = |verdict: &&Verdict| matches!(verdict.kind, CustomerType::Potential | CustomerType::New | CustomerType::Loyal);
        prop_assert!(verdicts.iter().filter(step).count() <= 1);
        for verdict in &verdicts {
            prop_assert!(!verdict.reason.is_empty() && !verdict.evidence.is_empty() && verdict.evidence.len() <= MAX_EVIDENCE);
        }
    }
}
