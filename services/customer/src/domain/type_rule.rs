//! Of what types a customer is: a pure function of the facts, of the thresholds and of the time.

use std::{collections::BTreeMap, time::Duration};

use rapport_core::{CustomerId, CustomerType, SubjectId, Time, words};
use serde::Deserialize;

use super::{LifecycleStage, TypeFact, TypeFactKind};

/// The most resources that a verdict names.
const MAX_EVIDENCE: usize = 10;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

words! {
    /// A rule by which a customer is of a type.
    pub enum TypeRule {
        /// A prospect of whom no purchase is known is a potential customer.
        NotBoughtYet = 1 "NOT_BOUGHT_YET",
        /// Who bought for the first time not long ago and was not onboarded yet is a new customer.
        FirstPurchase = 2 "FIRST_PURCHASE",
        /// Who bought several times over a long time, and kept what was bought, is a loyal customer.
        KeptPurchases = 3 "KEPT_PURCHASES",
        /// Who bought more than once and would recommend us is a loyal customer.
        Recommends = 4 "RECOMMENDS",
        /// Who often buys without having meant to is an impulsive customer.
        ImpulsePurchases = 5 "IMPULSE_PURCHASES",
        /// Who often buys because of a deal is a discount customer.
        DealPurchases = 6 "DEAL_PURCHASES",
    }
}

/// Where the rules draw their lines: the section `[customer.types]` of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// For how many days after the first purchase somebody is new.
    pub new_days: u32,
    /// How many kept purchases make somebody loyal; one less does if the customer would recommend us.
    pub loyal_purchases: u32,
    /// How many days lie at least between the first and the last of them.
    pub loyal_days: u32,
    /// How many days after the last purchase loyalty fades.
    pub loyal_fade_days: u32,
    /// How many purchases on impulse make somebody impulsive.
    pub impulsive_purchases: u32,
    /// For how many days a purchase on impulse counts.
    pub impulsive_days: u32,
    /// How many minutes an unexpected purchase takes at most to be one on impulse.
    pub impulsive_minutes: u32,
    /// How many deals make somebody a discount customer.
    pub discount_deals: u32,
    /// For how many days a deal counts.
    pub discount_days: u32,
    /// Which part of the purchases of those days has to be of that nature, in per cent.
    pub share_percent: u32,
}

#[cfg(test)]
impl Thresholds {
    /// As in rapport.toml.
    pub(crate) const USUAL: Self = Self {
        new_days: 90,
        loyal_purchases: 3,
        loyal_days: 180,
        loyal_fade_days: 730,
        impulsive_purchases: 2,
        impulsive_days: 365,
        impulsive_minutes: 10,
        discount_deals: 2,
        discount_days: 365,
        share_percent: 50,
    };
}

impl Thresholds {
    /// What makes no sense in the settings, one sentence each.
    pub fn problems(&self) -> Vec<&'static str> {
        let days = 1..=36_500;
        let counts = 1..=1_000;
        let checks = [
            (days.contains(&self.new_days), "customer.types.new_days must be from 1 to 36500"),
            ((2..=1_000).contains(&self.loyal_purchases), "customer.types.loyal_purchases must be from 2 to 1000"),
            (self.loyal_days <= 36_500, "customer.types.loyal_days must be at most 36500"),
            (days.contains(&self.loyal_fade_days), "customer.types.loyal_fade_days must be from 1 to 36500"),
            (counts.contains(&self.impulsive_purchases), "customer.types.impulsive_purchases must be from 1 to 1000"),
            (days.contains(&self.impulsive_days), "customer.types.impulsive_days must be from 1 to 36500"),
            (self.impulsive_minutes <= 1_440, "customer.types.impulsive_minutes must be at most 1440"),
            (counts.contains(&self.discount_deals), "customer.types.discount_deals must be from 1 to 1000"),
            (days.contains(&self.discount_days), "customer.types.discount_days must be from 1 to 36500"),
            ((1..=100).contains(&self.share_percent), "customer.types.share_percent must be from 1 to 100"),
        ];
        checks.into_iter().filter(|(met, _)| !met).map(|(_, problem)| problem).collect()
    }
}

/// What is kept of a customer besides the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeStanding {
    /// The customer.
    pub customer: CustomerId,
    /// Counts the changes.
    pub version: i64,
    /// Whether the customer had bought before the first purchase that the facts tell of.
    pub bought_before: bool,
    /// The types that people took away.
    pub taken_away: Vec<CustomerType>,
    /// When time alone may change the types.
    pub review_time: Option<Time>,
}

impl TypeStanding {
    /// A customer of whom nothing was noted.
    pub const fn none(customer: CustomerId) -> Self {
        Self { customer, version: 0, bought_before: false, taken_away: Vec::new(), review_time: None }
    }
}

/// What is known of a customer.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How far the business has come.
    pub stage: LifecycleStage,
    /// Whether the customer had bought before the first purchase that the facts tell of.
    pub bought_before: bool,
    /// The facts, in any order.
    pub facts: &'a [TypeFact],
}

/// That a customer is of a type by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The type.
    pub kind: CustomerType,
    /// The rule.
    pub rule: TypeRule,
    /// Why, in a sentence.
    pub reason: String,
    /// The resources that show it, the oldest first.
    pub evidence: Vec<SubjectId>,
}

/// What the rules come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The types, by type.
    pub verdicts: Vec<Verdict>,
    /// When that may change without anything new; none if it never does.
    pub review_time: Option<Time>,
}

/// A kept purchase: what was accepted and what was concluded in one interaction is one.
#[derive(Debug)]
struct Purchase {
    time: Time,
    evidence: SubjectId,
    on_impulse: bool,
    by_deal: bool,
}

/// What somebody is of whom nothing is known but how far the business has come.
pub fn unknown(stage: LifecycleStage) -> Option<Verdict> {
    potential(stage, &[])
}

fn potential(stage: LifecycleStage, facts: &[&TypeFact]) -> Option<Verdict> {
    if stage != LifecycleStage::Prospect {
        return None;
    }
    let asked = facts.iter().find(|fact| fact.kind == TypeFactKind::SalesContact);
    let reason = match asked {
        Some(fact) => format!("has not bought yet; showed interest since {}", day(fact.time)),
        None => "has not bought yet".to_owned(),
    };
    let evidence = asked.map(|fact| fact.evidence).into_iter().collect();
    Some(Verdict { kind: CustomerType::Potential, rule: TypeRule::NotBoughtYet, reason, evidence })
}

/// The types of a customer at this time.
pub fn judge(known: Known<'_>, thresholds: &Thresholds, now: Time) -> Judgement {
    let mut facts: Vec<&TypeFact> = known.facts.iter().collect();
    facts.sort_unstable();
    let occasions = occasions(&facts);
    let mut purchases: Vec<Purchase> = occasions.values().filter_map(|facts| purchase(facts, thresholds)).collect();
    purchases.sort_by_key(|purchase| (purchase.time, purchase.evidence));
    let deals: Vec<(Time, SubjectId)> = occasions.values().filter_map(|facts| deal(facts)).collect();
    let case = Case { known, facts: &facts, purchases: &purchases, thresholds, now };
    let step = case
        .loyal()
        .or_else(|| case.recommends())
        .or_else(|| case.newcomer())
        .or_else(|| potential(known.stage, &facts).filter(|_| purchases.is_empty()));
    let verdicts = step.into_iter().chain(case.impulsive()).chain(case.discount(deals)).collect();
    Judgement { verdicts, review_time: review_time(&facts, thresholds, now) }
}

fn occasions<'a>(facts: &[&'a TypeFact]) -> BTreeMap<SubjectId, Vec<&'a TypeFact>> {
    let mut occasions: BTreeMap<SubjectId, Vec<&TypeFact>> = BTreeMap::new();
    for fact in facts {
        occasions.entry(fact.occasion).or_default().push(fact);
    }
    occasions
}

/// What was bought at an occasion, if it is kept: where there are contracts, they say so.
fn purchase(facts: &[&TypeFact], thresholds: &Thresholds) -> Option<Purchase> {
    let of = |kind| facts.iter().filter(move |fact| fact.kind == kind);
    let kept: Vec<_> = of(TypeFactKind::Contract).filter(|fact| !fact.undone).collect();
    let sealed = of(TypeFactKind::Contract).next().is_some();
    let bought = of(TypeFactKind::Purchase).next();
    let first = match (sealed, kept.first()) {
        (true, None) => return None,
        (true, Some(contract)) => bought.unwrap_or(contract),
        (false, _) => bought?,
    };
    let quick = |fact: &&&TypeFact| fact.seconds <= i64::from(thresholds.impulsive_minutes) * 60;
    Some(Purchase {
        time: first.time,
        evidence: first.evidence,
        on_impulse: of(TypeFactKind::ImpulsePurchase).next().is_some() || of(TypeFactKind::UnplannedPurchase).any(|fact| quick(&fact)),
        by_deal: deal(facts).is_some(),
    })
}

/// What makes an occasion a deal: an answer to a campaign, or a perk that is kept.
fn deal(facts: &[&TypeFact]) -> Option<(Time, SubjectId)> {
    let is_deal = |fact: &&&TypeFact| matches!(fact.kind, TypeFactKind::DealPurchase | TypeFactKind::Perk) && !fact.undone;
    facts.iter().find(is_deal).map(|fact| (fact.time, fact.evidence))
}

fn days(count: u32) -> Duration {
    DAY * count
}

/// The day of a time, for a sentence.
fn day(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

/// The first and the newest, the oldest first.
fn bounded(mut evidence: Vec<SubjectId>) -> Vec<SubjectId> {
    if evidence.len() > MAX_EVIDENCE {
        let newest = evidence.len() - (MAX_EVIDENCE - 1);
        evidence.drain(1..newest);
    }
    evidence
}

struct Case<'a> {
    known: Known<'a>,
    facts: &'a [&'a TypeFact],
    purchases: &'a [Purchase],
    thresholds: &'a Thresholds,
    now: Time,
}

impl Case<'_> {
    fn newcomer(&self) -> Option<Verdict> {
        let first = self.purchases.first().filter(|_| !self.known.bought_before)?;
        let onboarded = self.facts.iter().any(|fact| fact.kind == TypeFactKind::Onboarding && fact.time >= first.time);
        let over = self.now >= first.time + days(self.thresholds.new_days);
        (!onboarded && !over).then(|| Verdict {
            kind: CustomerType::New,
            rule: TypeRule::FirstPurchase,
            reason: format!("bought for the first time on {}", day(first.time)),
            evidence: vec![first.evidence],
        })
    }

    /// The first and the last purchase, if there are so many and the last is not too long ago.
    fn stayed(&self, purchases: u32) -> Option<(&Purchase, &Purchase)> {
        let (first, last) = self.purchases.first().zip(self.purchases.last())?;
        let enough = u32::try_from(self.purchases.len()).is_ok_and(|count| count >= purchases);
        (enough && self.now < last.time + days(self.thresholds.loyal_fade_days)).then_some((first, last))
    }

    fn loyal(&self) -> Option<Verdict> {
        let (first, last) = self.stayed(self.thresholds.loyal_purchases)?;
        (last.time.since(first.time) >= days(self.thresholds.loyal_days)).then(|| Verdict {
            kind: CustomerType::Loyal,
            rule: TypeRule::KeptPurchases,
            reason: format!("bought {} times from {} to {} and kept it", self.purchases.len(), day(first.time), day(last.time)),
            evidence: bounded(self.purchases.iter().map(|purchase| purchase.evidence).collect()),
        })
    }

    fn recommends(&self) -> Option<Verdict> {
        self.stayed(self.thresholds.loyal_purchases.saturating_sub(1).max(1))?;
        let said = self.facts.iter().rfind(|fact| fact.kind == TypeFactKind::Recommendation)?;
        let holds = !said.undone && self.now < said.time + days(self.thresholds.loyal_fade_days);
        holds.then(|| Verdict {
            kind: CustomerType::Loyal,
            rule: TypeRule::Recommends,
            reason: format!("bought {} times and would recommend us, as said on {}", self.purchases.len(), day(said.time)),
            evidence: bounded(self.purchases.iter().map(|purchase| purchase.evidence).chain([said.evidence]).collect()),
        })
    }

    fn impulsive(&self) -> Option<Verdict> {
        let Thresholds { impulsive_purchases, impulsive_days, .. } = *self.thresholds;
        let recent = || self.purchases.iter().filter(|purchase| self.now < purchase.time + days(impulsive_days));
        let impulses: Vec<SubjectId> = recent().filter(|purchase| purchase.on_impulse).map(|purchase| purchase.evidence).collect();
        self.mostly(impulses.len(), recent().count(), impulsive_purchases).then(|| Verdict {
            kind: CustomerType::Impulsive,
            rule: TypeRule::ImpulsePurchases,
            reason: format!("{} of {} purchases in {impulsive_days} days were on impulse", impulses.len(), recent().count()),
            evidence: bounded(impulses),
        })
    }

    fn discount(&self, mut deals: Vec<(Time, SubjectId)>) -> Option<Verdict> {
        let Thresholds { discount_deals, discount_days, .. } = *self.thresholds;
        let is_recent = |time: Time| self.now < time + days(discount_days);
        deals.retain(|(time, _)| is_recent(*time));
        deals.sort_unstable();
        let without = self.purchases.iter().filter(|purchase| is_recent(purchase.time) && !purchase.by_deal).count();
        let all = deals.len() + without;
        self.mostly(deals.len(), all, discount_deals).then(|| Verdict {
            kind: CustomerType::Discount,
            rule: TypeRule::DealPurchases,
            reason: format!("{} of {all} purchases and perks in {discount_days} days were deals", deals.len()),
            evidence: bounded(deals.into_iter().map(|(_, evidence)| evidence).collect()),
        })
    }

    /// Whether there are enough of a nature, and enough of all.
    fn mostly(&self, of: usize, all: usize, enough: u32) -> bool {
        let (of, all) = (u64::try_from(of).unwrap_or(u64::MAX), u64::try_from(all).unwrap_or(u64::MAX));
        of >= u64::from(enough) && of.saturating_mul(100) >= all.saturating_mul(u64::from(self.thresholds.share_percent))
    }
}

/// The next moment at which some fact begins or ceases to count.
fn review_time(facts: &[&TypeFact], thresholds: &Thresholds, now: Time) -> Option<Time> {
    let Thresholds { new_days, loyal_fade_days, impulsive_days, discount_days, .. } = *thresholds;
    let spans = [new_days, loyal_fade_days, impulsive_days, discount_days];
    facts.iter().flat_map(|fact| spans.map(|span| fact.time + days(span))).filter(|time| *time > now).min()
}

#[cfg(test)]
#[path = "type_rule_tests.rs"]
mod tests;
