//! How likely a customer is to have a bad experience: a pure function of what was observed and of the time.

use std::time::Duration;

use rapport_core::{CustomerId, RiskLevel, SubjectId, Time, words, words::Word};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the rules in this file: the points, the spans and the levels.
pub const MODEL_VERSION: &str = "2026-11.2";

/// Points fall in equal steps, one a day, so that a score holds until the next step.
const STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// From which score on a customer is at each level.
const LEVELS: [(i32, RiskLevel); 3] = [(70, RiskLevel::Critical), (45, RiskLevel::AtRisk), (20, RiskLevel::Watch)];

words! {
    /// A reason for which a customer is at risk, or is less so.
    pub enum RiskCode {
        /// A promise was broken.
        BrokenPromise = 1 "BROKEN_PROMISE",
        /// An interaction was unwanted.
        UnwantedInteraction = 2 "UNWANTED_INTERACTION",
        /// A person of ours answered for the first time too late, or not yet.
        SlowHumanResponse = 3 "SLOW_HUMAN_RESPONSE",
        /// A further answer, or the conclusion, did not come in time.
        Unanswered = 4 "UNANSWERED",
        /// A concluded interaction was reopened.
        Reopened = 5 "REOPENED",
        /// The customer would not recommend us.
        Detractor = 7 "DETRACTOR",
        /// The customer unsubscribed.
        Unsubscribed = 9 "UNSUBSCRIBED",
        /// Mail to the customer's address fails.
        AddressInvalid = 10 "ADDRESS_INVALID",
        /// The customer's expectation was missed.
        ExpectationMissed = 13 "EXPECTATION_MISSED",
        /// A promise was kept in time.
        PromiseKept = 14 "PROMISE_KEPT",
        /// The customer would recommend us.
        Promoter = 15 "PROMOTER",
        /// The customer's expectation was exceeded.
        ExpectationExceeded = 16 "EXPECTATION_EXCEEDED",
    }
}

impl RiskCode {
    /// What a reason counts on its first day, and for how many days it counts.
    const fn weight(self, mended: bool) -> (i32, i32) {
        match (self, mended) {
            (Self::BrokenPromise, false) => (25, 90),
            (Self::BrokenPromise, true) => (10, 90),
            (Self::UnwantedInteraction, false) => (20, 60),
            (Self::UnwantedInteraction, true) => (10, 60),
            (Self::SlowHumanResponse, _) => (10, 30),
            (Self::Unanswered, false) => (15, 30),
            (Self::Unanswered, true) => (5, 30),
            (Self::Reopened, _) => (10, 30),
            (Self::Detractor, _) => (30, 90),
            (Self::Unsubscribed, _) => (5, 30),
            (Self::AddressInvalid, _) => (10, 60),
            (Self::ExpectationMissed, _) => (20, 60),
            (Self::PromiseKept | Self::ExpectationExceeded, _) => (-10, 60),
            (Self::Promoter, _) => (-20, 90),
        }
    }

    const fn sentence(self, mended: bool) -> &'static str {
        match (self, mended) {
            (Self::BrokenPromise, false) => "a promise was broken",
            (Self::BrokenPromise, true) => "a promise was kept late",
            (Self::UnwantedInteraction, false) => "an unwanted interaction is not concluded",
            (Self::UnwantedInteraction, true) => "there was an unwanted interaction",
            (Self::SlowHumanResponse, _) => "a person of ours did not answer in time for the first time",
            (Self::Unanswered, false) => "an answer or a conclusion did not come in time",
            (Self::Unanswered, true) => "a person of ours answered after an answer or a conclusion did not come in time",
            (Self::Reopened, _) => "a concluded interaction was reopened",
            (Self::Detractor, _) => "the customer would not recommend us",
            (Self::Unsubscribed, _) => "the customer unsubscribed",
            (Self::AddressInvalid, _) => "mail to the customer fails",
            (Self::ExpectationMissed, _) => "an expectation was missed",
            (Self::PromiseKept, _) => "a promise was kept in time",
            (Self::Promoter, _) => "the customer would recommend us",
            (Self::ExpectationExceeded, _) => "an expectation was exceeded",
        }
    }
}

/// Something observed about a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The customer.
    pub customer: CustomerId,
    /// What was observed.
    pub code: RiskCode,
    /// What makes it one observation and not two: the evidence, or the event where one thing may happen often.
    pub key: SubjectId,
    /// The resource that shows it.
    pub evidence: SubjectId,
    /// When it was observed.
    pub observe_time: Time,
    /// Whether it was made good as far as that goes.
    pub mended: bool,
}

impl Signal {
    fn days(&self, now: Time) -> i32 {
        i32::try_from(now.since(self.observe_time).as_secs() / STEP.as_secs()).unwrap_or(i32::MAX)
    }
    /// What it counts at this time, before it is cut to the scale.
    pub fn points(&self, now: Time) -> i32 {
        let (points, days) = self.code.weight(self.mended);
        let left = days.saturating_sub(self.days(now));
        if left <= 0 { 0 } else { points * left / days }
    }
    /// When it stops to count.
    pub fn decay_time(&self) -> Time {
        let (_, days) = self.code.weight(self.mended);
        self.observe_time + STEP * u32::try_from(days).unwrap_or(0)
    }
    fn next_step(&self, now: Time) -> Option<Time> {
        if now >= self.decay_time() {
            return None;
        }
        let steps = u32::try_from(self.days(now)).unwrap_or(u32::MAX).saturating_add(1);
        Some(self.observe_time + STEP * steps)
    }
}

/// A reason with what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The reason.
    pub code: RiskCode,
    /// What it counts now; below zero it heals.
    pub points: i32,
    /// The resource that shows it.
    pub evidence: SubjectId,
    /// The same in a sentence.
    pub summary: String,
    /// When it was observed.
    pub observe_time: Time,
    /// When it stops to count.
    pub decay_time: Time,
}

/// How likely a bad experience is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The customer.
    pub customer: CustomerId,
    /// 0 to 100.
    pub score: i32,
    /// The level that the score means.
    pub level: RiskLevel,
    /// Every reason that counts, the heaviest first.
    pub reasons: Vec<Reason>,
    /// The time that it is for.
    pub compute_time: Time,
}

/// The level that a score means.
pub fn level(score: i32) -> RiskLevel {
    LEVELS.iter().find(|(from, _)| score >= *from).map_or(RiskLevel::Healthy, |(_, level)| *level)
}

/// The lowest score that means this level.
pub fn min_score(level: RiskLevel) -> i32 {
    LEVELS.iter().find(|(_, known)| *known == level).map_or(0, |(from, _)| *from)
}

/// Assesses a customer by what was observed.
pub fn assess(customer: CustomerId, signals: &[Signal], now: Time) -> Assessment {
    let mut reasons: Vec<Reason> = signals
        .iter()
        .map(|signal| Reason {
            code: signal.code,
            points: signal.points(now),
            evidence: signal.evidence,
            summary: signal.code.sentence(signal.mended).to_owned(),
            observe_time: signal.observe_time,
            decay_time: signal.decay_time(),
        })
        .filter(|reason| reason.points != 0)
        .collect();
    reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.points.abs()), reason.code, reason.observe_time, reason.evidence));
    let score = reasons.iter().map(|reason| reason.points).fold(0_i32, i32::saturating_add).clamp(0, 100);
    Assessment { customer, score, level: level(score), reasons, compute_time: now }
}

/// The time before which nothing that was observed counts at this time, whatever it was.
pub fn forgotten(now: Time) -> Time {
    let longest = RiskCode::ALL.iter().flat_map(|(code, _, _)| [code.weight(false).1, code.weight(true).1]).max().unwrap_or(0);
    now - STEP * u32::try_from(longest).unwrap_or(0)
}

/// When the score may change without anything new: the next step of any signal; none when nothing counts any more.
pub fn review_time(signals: &[Signal], now: Time) -> Option<Time> {
    signals.iter().filter_map(|signal| signal.next_step(now)).min()
}

/// The id of a customer's assessment as the subject of events, so that its versions are not taken for the customer's.
pub fn assessment_id(customer: CustomerId) -> SubjectId {
    SubjectId::from_uuid(Uuid::new_v5(&customer.uuid(), b"risk"))
}

#[cfg(test)]
#[path = "risk_tests.rs"]
mod tests;
