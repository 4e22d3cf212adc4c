//! NPS, CSAT and CES with their 95 % confidence intervals.
//! NPS: adjusted Wald (B. Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician 70(4), 2016).
//! CSAT: score interval (E. B. Wilson, JASA 22, 1927). CES: Student's t interval of the mean.

use std::collections::BTreeMap;

use rapport_core::{Time, words};

use super::questionnaire::QuestionKind;

words! {
    /// A kind of score.
    pub enum ScoreKind {
        /// The net promoter score.
        Nps = 1 "NPS",
        /// The customer satisfaction score.
        Csat = 2 "CSAT",
        /// The customer effort score.
        Ces = 3 "CES",
    }
}
words! {
    /// By what scores are told apart.
    pub enum ScoreGroup {
        /// By the version of the questionnaire.
        Version = 1 "VERSION",
        /// By the day.
        Day = 2 "DAY",
    }
}

impl ScoreKind {
    /// The score that answers to this kind of question are counted for.
    pub fn of(kind: QuestionKind) -> Option<Self> {
        match kind {
            QuestionKind::Nps => Some(Self::Nps),
            QuestionKind::Csat => Some(Self::Csat),
            QuestionKind::Ces => Some(Self::Ces),
            _ => None,
        }
    }
}

/// A period: its beginning included, its end not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The beginning.
    pub from: Time,
    /// The end.
    pub to: Time,
}

/// What was counted in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TallyRow {
    /// Invitations that were sent.
    pub invited: i64,
    /// Invitations that were withheld.
    pub withheld: i64,
    /// Responses.
    pub answered: i64,
    /// How often each answer was given, by question.
    pub answers: BTreeMap<(String, ScoreKind), Histogram>,
}

/// What was counted, by group: 0 without a group, the number of the version, or the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<i32, TallyRow>);

impl Tally {
    /// The row of this group.
    pub fn row(&mut self, group: i32) -> &mut TallyRow {
        self.0.entry(group).or_default()
    }
    /// Adds answers to a question.
    pub fn count(&mut self, group: i32, question: String, kind: QuestionKind, value: i32, count: i64) {
        if let Some(kind) = ScoreKind::of(kind) {
            *self.row(group).answers.entry((question, kind)).or_default().entry(value).or_default() += count;
        }
    }
}

/// How often each answer was given.
pub type Histogram = BTreeMap<i32, i64>;

/// A score with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The score.
    pub value: f64,
    /// The interval, if the answers suffice for one.
    pub interval: Option<(f64, f64)>,
    /// How many answers were counted.
    pub n: i64,
}

/// The standard normal quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;

/// The score of these answers; none if there are none.
pub fn score(kind: ScoreKind, histogram: &Histogram) -> Option<Score> {
    let n: i64 = histogram.values().sum();
    if n <= 0 {
        return None;
    }
    Some(match kind {
        ScoreKind::Nps => nps(histogram, n),
        ScoreKind::Csat => csat(histogram, n),
        ScoreKind::Ces => ces(histogram, n),
    })
}

fn count(histogram: &Histogram, of: impl Fn(i32) -> bool) -> f64 {
    histogram.iter().filter(|(answer, _)| of(**answer)).map(|(_, times)| *times).sum::<i64>() as f64
}

/// Percentage of 9 and 10 less percentage of 0 to 6. The interval adds three answers, 3/4 of them promoters and 3/4 detractors,
/// and takes the variance of the difference of two shares.
fn nps(histogram: &Histogram, n: i64) -> Score {
    let (promoters, detractors, answers) = (count(histogram, |answer| answer >= 9), count(histogram, |answer| answer <= 6), n as f64);
    let adjusted = answers + 3.0;
    let (p, d) = ((promoters + 0.75) / adjusted, (detractors + 0.75) / adjusted);
    let margin = Z * ((p + d - (p - d).powi(2)) / adjusted).sqrt();
    let interval = ((p - d - margin).max(-1.0) * 100.0, (p - d + margin).min(1.0) * 100.0);
    Score { value: (promoters - detractors) / answers * 100.0, interval: Some(interval), n }
}

/// Percentage of 4 and 5.
fn csat(histogram: &Histogram, n: i64) -> Score {
    let answers = n as f64;
    let share = count(histogram, |answer| answer >= 4) / answers;
    let z2 = Z * Z;
    let centre = (share + z2 / (2.0 * answers)) / (1.0 + z2 / answers);
    let margin = Z / (1.0 + z2 / answers) * (share * (1.0 - share) / answers + z2 / (4.0 * answers * answers)).sqrt();
    let interval = ((centre - margin).max(0.0) * 100.0, (centre + margin).min(1.0) * 100.0);
    Score { value: share * 100.0, interval: Some(interval), n }
}

/// The mean.
fn ces(histogram: &Histogram, n: i64) -> Score {
    let answers = n as f64;
    let mean = histogram.iter().map(|(answer, times)| f64::from(*answer) * *times as f64).sum::<f64>() / answers;
    let squares = histogram.iter().map(|(answer, times)| (f64::from(*answer) - mean).powi(2) * *times as f64).sum::<f64>();
    let interval = (n > 1).then(|| {
        let margin = student(n - 1) * (squares / (answers - 1.0) / answers).sqrt();
        ((mean - margin).max(1.0), (mean + margin).min(7.0))
    });
    Score { value: mean, interval, n }
}

/// The quantile 0.975 of Student's t: tabulated up to 30 degrees of freedom, then by the expansion of Cornish and Fisher.
fn student(freedom: i64) -> f64 {
    const TABLE: [f64; 30] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199,
        2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ];
    let tabulated = usize::try_from(freedom - 1).ok().and_then(|at| TABLE.get(at)).copied();
    tabulated.unwrap_or_else(|| {
        let v = freedom as f64;
        Z + (Z.powi(3) + Z) / (4.0 * v) + (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * v * v)
    })
}

/// The day of a time: how many days after 1970-01-01 (UTC).
pub fn day(time: Time) -> i32 {
    i32::try_from(time.micros().div_euclid(86_400_000_000)).unwrap_or(i32::MAX)
}

/// A day as YYYY-MM-DD.
pub fn day_text(day: i32) -> String {
    let time = Time::from_micros(i64::from(day) * 86_400_000_000).to_string();
    time.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 0.005
    }

    #[test]
    fn nps_is_promoters_less_detractors() {
        // 60 promoters, 25 passives, 15 detractors: 60.75/103 - 15.75/103, by hand 0.43689 +- 1.95996 * sqrt(0.55184/103).
        let score = score(ScoreKind::Nps, &[(10, 40), (9, 20), (8, 25), (6, 10), (0, 5)].into()).expect("answers");
        assert!(near(score.value, 45.0) && score.n == 100);
        let (low, high) = score.interval.expect("an interval");
        assert!(near(low, 29.34) && near(high, 58.04), "{low} {high}");
    }

    #[test]
    fn csat_is_the_share_of_the_two_best() {
        // 8 of 10: Wilson's interval 0.4902 to 0.9433.
        let score = score(ScoreKind::Csat, &[(5, 5), (4, 3), (2, 2)].into()).expect("answers");
        assert!(near(score.value, 80.0));
        let (low, high) = score.interval.expect("an interval");
        assert!(near(low, 49.02) && near(high, 94.33), "{low} {high}");
    }

    #[test]
    fn ces_is_the_mean() {
        // 4, 5, 6, 7, 3: mean 5, s = 1.5811, t(4) = 2.7764, margin 1.9632.
        let score = score(ScoreKind::Ces, &[(3, 1), (4, 1), (5, 1), (6, 1), (7, 1)].into()).expect("answers");
        let (low, high) = score.interval.expect("an interval");
        assert!(near(score.value, 5.0) && near(low, 3.0368) && near(high, 6.9632), "{low} {high}");
    }

    #[test]
    fn one_answer_has_no_interval_of_its_mean_and_none_has_no_score() {
        assert_eq!(score(ScoreKind::Ces, &[(4, 1)].into()), Some(Score { value: 4.0, interval: None, n: 1 }));
        assert_eq!(score(ScoreKind::Nps, &Histogram::new()), None);
    }

    #[test]
    fn the_quantiles_of_student_go_on_where_the_table_ends() {
        for (freedom, known) in [(1, 12.7062), (30, 2.0423), (31, 2.0395), (60, 2.0003), (120, 1.9799), (1_000_000, 1.95997)] {
            assert!((student(freedom) - known).abs() < 1e-4, "{freedom}");
        }
    }

    #[test]
    fn days_are_those_of_utc() {
        let time: Time = "2026-11-22T23:59:59Z".parse().expect("a time");
        assert_eq!(day_text(day(time)), "2026-11-22");
        assert_eq!(day_text(day(Time::from_micros(-1))), "1969-12-31");
    }

    proptest! {
        #[test]
        fn a_score_lies_in_its_range_and_more_answers_narrow_it(answers in proptest::collection::vec(1i32..=5, 2..60)) {
            for (kind, bottom, top) in [(ScoreKind::Nps, -100.0, 100.0), (ScoreKind::Csat, 0.0, 100.0), (ScoreKind::Ces, 1.0, 7.0)] {
                let mut histogram = Histogram::new();
                for answer in &answers {
                    *histogram.entry(if kind == ScoreKind::Nps { answer * 2 } else { *answer }).or_default() += 1;
                }
                let few = score(kind, &histogram).expect("answers");
                let many = score(kind, &histogram.iter().map(|(answer, times)| (*answer, times * 100)).collect()).expect("answers");
                let (low, high) = few.interval.expect("an interval");
                let (narrow_low, narrow_high) = many.interval.expect("an interval");
                prop_assert!((bottom..=top).contains(&few.value) && low >= bottom && high <= top && low <= high);
                prop_assert!(near(few.value, many.value) && narrow_high - narrow_low <= high - low + 1e-9);
            }
        }
    }
}
