//! What is measured of interactions and promises: numbers that add up, so that any sum of them can be kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far an estimate of a percentile may lie from the true one, as a share of it.
pub const MAX_ERROR: f64 = 0.04;

/// How long things took, in buckets each of which is a little wider than the one before: every value of a bucket lies within
/// `MAX_ERROR` of the one that stands for it (Masson, Rim, Lee: `DDSketch`, VLDB 2019). Two histograms add up without a further error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram {
    /// Bucket and how many are in it, in the order of the buckets, none of them empty.
    buckets: Vec<(i32, i64)>,
}

impl Histogram {
    /// The one that holds a single span; shorter than a millisecond counts as one.
    pub fn of(span: Duration) -> Self {
        let milliseconds = (span.as_secs_f64() * 1000.0).max(1.0);
        let bucket = (milliseconds.ln() / growth().ln() - 1e-9).ceil().max(0.0);
        Self { buckets: vec![(bucket as i32, 1)] }
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// How many spans it holds.
    pub fn count(&self) -> i64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// An estimate of the span below or at which this share of all lies (by nearest rank); none when it holds nothing.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = ((self.count() as f64 * share).ceil() as i64).max(1);
        let mut passed = 0;
        let (bucket, _) = self.buckets.iter().find(|(_, count)| {
            passed += count;
            passed >= rank
        })?;
        let growth = growth();
        Some(Duration::from_secs_f64(2.0 * growth.powi(*bucket) / (growth + 1.0) / 1000.0))
    }

    /// Adds another one, or takes it away.
    fn add(&mut self, other: &Self, times: i64) {
        if other.buckets.is_empty() {
            return;
        }
        let (mine, mut sum) = (std::mem::take(&mut self.buckets), Vec::new());
        let (mut left, mut right) = (mine.into_iter().peekable(), other.buckets.iter().copied().peekable());
        loop {
            let (bucket, count) = match (left.peek().copied(), right.peek().copied()) {
                (Some((at, of)), Some((to, more))) if at == to => {
                    left.next();
                    right.next();
                    (at, of + times * more)
                }
                (Some(mine), Some((to, _))) if mine.0 < to => {
                    left.next();
                    mine
                }
                (Some(mine), None) => {
                    left.next();
                    mine
                }
                (_, Some((to, more))) => {
                    right.next();
                    (to, times * more)
                }
                (None, None) => break,
            };
            if count != 0 {
                sum.push((bucket, count));
            }
        }
        self.buckets = sum;
    }
}

/// How much wider a bucket is than the one before.
fn growth() -> f64 {
    (1.0 + MAX_ERROR) / (1.0 - MAX_ERROR)
}

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What is measured. Each number is a count, so that the measures of a whole are the sum of those of its parts.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Measures {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "nothing")] pub $name: i64,)+
            /// How long customers who turned to us waited for the first answer of a person.
            #[serde(default, skip_serializing_if = "Histogram::is_empty")]
            pub first_human_response: Histogram,
        }

        impl Measures {
            /// Adds others (`times` is 1), or takes them away (-1).
            pub fn add(&mut self, other: &Self, times: i64) {
                $(self.$name += times * other.$name;)+
                self.first_human_response.add(&other.first_human_response, times);
            }

            /// Whether there is nothing to tell.
            pub fn is_nothing(&self) -> bool {
                $(self.$name == 0 &&)+ self.first_human_response.is_empty()
            }
        }
    };
}

measures! {
    /// Interactions that began, whatever became of them; one that was merged into another is counted with that.
    interactions,
    /// Those in which the customer turned to us.
    inbound,
    /// Those that are concluded.
    concluded,
    /// Those that the customer left.
    abandoned,
    /// Of the concluded ones: with something to act upon or to think over.
    with_next_step,
    /// Of the concluded ones: the expectation was more than met.
    expectation_exceeded,
    /// Of the concluded ones: the expectation was met.
    expectation_met,
    /// Of the concluded ones: the expectation was missed.
    expectation_missed,
    /// Of the concluded ones: the customer wants more.
    wants_more,
    /// Of the concluded ones: the customer was asked for feedback.
    feedback_solicited,
    /// Of those asked: what the customer said is documented by a remark.
    feedback_documented,
    /// Of those asked: the customer said nothing.
    said_nothing,
    /// Interactions that were opened again.
    reopened,
    /// Interactions in which something was not reached in time.
    breached,
    /// What was not reached in time; an interaction may have several.
    breaches,
    /// Promises that are neither settled nor broken.
    promises_open,
    /// Promises kept by the time that the customer knew of.
    promises_kept,
    /// Promises kept after it.
    promises_kept_late,
    /// Promises broken and not made good.
    promises_broken,
    /// Promises that the customer let us off.
    promises_released,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn nothing(count: &i64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(spans: &[u64], share: f64) -> f64 {
        let mut sorted = spans.to_vec();
        sorted.sort_unstable();
        let rank = ((spans.len() as f64 * share).ceil() as usize).max(1);
        sorted[rank - 1] as f64
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_the_error_of_the_true_one(
            spans in prop::collection::vec(1_u64..40_000_000_000, 1..200),
            share in 0.01_f64..1.0,
        ) {
            let mut all = Histogram::default();
            for span in &spans {
                all.add(&Histogram::of(Duration::from_millis(*span)), 1);
            }
            let (estimate, exact) = (all.percentile(share).expect("not empty").as_secs_f64() * 1000.0, exact(&spans, share));
            prop_assert!((estimate - exact).abs() <= exact * 0.05, "{estimate} for {exact}");
        }

        #[test]
        fn what_is_added_and_taken_away_leaves_no_trace(first in prop::collection::vec(0_u64..1_000_000, 0..50), second in prop::collection::vec(0_u64..1_000_000, 0..50)) {
            let of = |spans: &[u64]| {
                let mut measures = Measures { interactions: spans.len() as i64, ..Measures::default() };
                for span in spans {
                    measures.first_human_response.add(&Histogram::of(Duration::from_millis(*span)), 1);
                }
                measures
            };
            let (first, second) = (of(&first), of(&second));
            let mut sum = first.clone();
            sum.add(&second, 1);
            let mut other_way = second.clone();
            other_way.add(&first, 1);
            prop_assert_eq!(&sum, &other_way);
            sum.add(&second, -1);
            prop_assert_eq!(&sum, &first);
            sum.add(&first, -1);
            prop_assert!(sum.is_nothing());
        }
    }

    #[test]
    fn measures_are_kept_without_what_is_zero() {
        let measures = Measures { interactions: 2, first_human_response: Histogram::of(Duration::from_secs(1)), ..Measures::default() };
        let text = serde_json::to_string(&measures).expect("it is written");
        assert_eq!(text, r#"{"interactions":2,"first_human_response":[[87,1]]}"#);
        assert_eq!(serde_json::from_str::<Measures>(&text).ok(), Some(measures));
    }
}
