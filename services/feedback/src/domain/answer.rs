//! Answers, and whether they fit the questions.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::questionnaire::{Key, Question, QuestionKind};

/// What was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerValue {
    /// Words.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// The names of options, as they were given.
    Choices(Vec<String>),
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The name of the question, as it was given.
    pub question: String,
    /// What was answered.
    pub value: AnswerValue,
}

impl Answer {
    /// The answer as a whole number, if it is one.
    pub fn whole(&self) -> Option<i32> {
        match self.value {
            AnswerValue::Number(number) if number.fract() == 0.0 && number.abs() < 1e9 => Some(number as i32),
            _ => None,
        }
    }
}

/// The most characters of a text.
pub const MAX_TEXT: usize = 4_000;

/// Why an answer does not fit, or is missed.
#[derive(Clone, Debug, PartialEq)]
pub enum Misfit {
    /// A required answer is missing.
    Missing,
    /// There is no such question.
    NoSuchQuestion,
    /// The question was answered before.
    Repeated,
    /// Another form of answer is needed.
    WrongForm {
        /// What the question asks for.
        kind: QuestionKind,
    },
    /// Not a whole number on the scale.
    OffScale {
        /// The smallest value.
        min: i32,
        /// The largest value.
        max: i32,
    },
    /// A number that is too small, too large or none.
    OutOfBounds {
        /// The smallest value, if there is one.
        min: Option<i32>,
        /// The largest value, if there is one.
        max: Option<i32>,
    },
    /// An option that is not offered.
    NoSuchOption {
        /// What was named.
        option: String,
    },
    /// More or fewer options than the question takes.
    OptionCount {
        /// Whether only one is taken.
        single: bool,
    },
    /// A text that is too long.
    TooLong,
    /// A text with control characters.
    ControlCharacters,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("must be answered"),
            Self::NoSuchQuestion => f.write_str("is no question of this version of the questionnaire"),
            Self::Repeated => f.write_str("is answered twice"),
            Self::WrongForm { kind } => {
                let form = match kind {
                    QuestionKind::Text => "text",
                    QuestionKind::YesNo => "flag",
                    QuestionKind::SingleChoice | QuestionKind::MultiChoice => "choices",
                    _ => "number",
                };
                write!(f, "is a question of kind {kind} and takes `{form}`")
            }
            Self::OffScale { min, max } => write!(f, "must be a whole number from {min} to {max}"),
            Self::OutOfBounds { min, max } => match (min, max) {
                (Some(min), Some(max)) => write!(f, "must be a number from {min} to {max}"),
                (Some(min), None) => write!(f, "must be a number of {min} or more"),
                (None, Some(max)) => write!(f, "must be a number of {max} or less"),
                (None, None) => f.write_str("must be a number"),
            },
            Self::NoSuchOption { option } => write!(f, "{option:?} is no option of this question"),
            Self::OptionCount { single: true } => f.write_str("takes exactly one option"),
            Self::OptionCount { single: false } => f.write_str("takes one or more options, none twice"),
            Self::TooLong => write!(f, "is too long; at most {MAX_TEXT} characters are allowed"),
            Self::ControlCharacters => f.write_str("must not contain control characters"),
        }
    }
}

/// One misfit and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The place of the answer among the answers; none for one that is missing.
    pub index: Option<usize>,
    /// The name of the question.
    pub question: String,
    /// What is wrong.
    pub misfit: Misfit,
}

/// The answers in the order of the questions, if they fit.
///
/// # Errors
/// Every misfit, at once.
pub fn fit(questions: &[Question], answers: Vec<Answer>) -> Result<Vec<Answer>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut answered = BTreeSet::new();
    for (index, answer) in answers.iter().enumerate() {
        let question = questions.iter().find(|question| question.key.as_str() == answer.question);
        let misfit = match question {
            None => Some(Misfit::NoSuchQuestion),
            Some(_) if !answered.insert(answer.question.as_str()) => Some(Misfit::Repeated),
            Some(question) => misfit(question, &answer.value),
        };
        faults.extend(misfit.map(|misfit| Fault { index: Some(index), question: answer.question.clone(), misfit }));
    }
    for question in questions.iter().filter(|question| question.required && !answered.contains(question.key.as_str())) {
        faults.push(Fault { index: None, question: question.key.to_string(), misfit: Misfit::Missing });
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut fitting = answers;
    fitting.sort_by_key(|answer| questions.iter().position(|question| question.key.as_str() == answer.question));
    Ok(fitting)
}

fn misfit(question: &Question, value: &AnswerValue) -> Option<Misfit> {
    match (question.kind, value) {
        (QuestionKind::Text, AnswerValue::Text(text)) => text_misfit(question, text),
        (QuestionKind::YesNo, AnswerValue::Flag(_)) => None,
        (QuestionKind::SingleChoice | QuestionKind::MultiChoice, AnswerValue::Choices(chosen)) => choice_misfit(question, chosen),
        (QuestionKind::Number, AnswerValue::Number(number)) => {
            let (min, max) = (question.scale_min, question.scale_max);
            let fits =
                number.is_finite() && min.is_none_or(|min| *number >= f64::from(min)) && max.is_none_or(|max| *number <= f64::from(max));
            (!fits).then_some(Misfit::OutOfBounds { min, max })
        }
        (_, AnswerValue::Number(number)) => {
            let Some((min, max)) = question.scale() else { return Some(Misfit::WrongForm { kind: question.kind }) };
            let fits = number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(number);
            (!fits).then_some(Misfit::OffScale { min, max })
        }
        (kind, _) => Some(Misfit::WrongForm { kind }),
    }
}

fn text_misfit(question: &Question, text: &str) -> Option<Misfit> {
    if text.chars().count() > MAX_TEXT {
        return Some(Misfit::TooLong);
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Some(Misfit::ControlCharacters);
    }
    (question.required && text.trim().is_empty()).then_some(Misfit::Missing)
}

fn choice_misfit(question: &Question, chosen: &[String]) -> Option<Misfit> {
    let offered = |name: &String| question.options.iter().any(|option| option.key.as_str() == name);
    if let Some(option) = chosen.iter().find(|name| !offered(name)) {
        return Some(Misfit::NoSuchOption { option: option.clone() });
    }
    let distinct: BTreeSet<&String> = chosen.iter().collect();
    let single = question.kind == QuestionKind::SingleChoice;
    let fits = !chosen.is_empty() && distinct.len() == chosen.len() && (!single || chosen.len() == 1);
    (!fits).then_some(Misfit::OptionCount { single })
}

/// The answer to the first question of this kind, as a whole number.
pub fn first_of(kind: QuestionKind, questions: &[Question], answers: &[Answer]) -> Option<i32> {
    questions.iter().filter(|question| question.kind == kind).find_map(|question| answer_to(&question.key, answers).and_then(Answer::whole))
}

/// The answer to this question.
pub fn answer_to<'a>(key: &Key, answers: &'a [Answer]) -> Option<&'a Answer> {
    answers.iter().find(|answer| answer.question == key.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::questionnaire::examples::survey, *};

    fn answer(question: &str, value: AnswerValue) -> Answer {
        Answer { question: question.to_owned(), value }
    }
    fn number(question: &str, value: f64) -> Answer {
        answer(question, AnswerValue::Number(value))
    }
    fn choices(question: &str, names: &[&str]) -> Answer {
        answer(question, AnswerValue::Choices(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn fitting_answers_come_back_in_the_order_of_the_questions() {
        let questions = survey().content.questions;
        let given = vec![choices("colours", &["blue", "red"]), answer("again", AnswerValue::Flag(true)), number("recommend", 9.0)];
        let fitting = fit(&questions, given).expect("fitting");
        let order: Vec<&str> = fitting.iter().map(|answer| answer.question.as_str()).collect();
        assert_eq!(order, ["recommend", "colours", "again"]);
        assert_eq!(first_of(QuestionKind::Nps, &questions, &fitting), Some(9));
        assert_eq!(first_of(QuestionKind::Csat, &questions, &fitting), None);
    }

    #[test]
    fn every_misfit_is_named_at_once() {
        let questions = survey().content.questions;
        let faults = fit(
            &questions,
            vec![
                number("satisfied", 6.0),
                number("effort", 2.5),
                number("why", 1.0),
                choices("colour", &["red", "blue"]),
                choices("colours", &["green"]),
                number("visits", f64::NAN),
                number("nonsense", 1.0),
                answer("again", AnswerValue::Flag(true)),
                answer("again", AnswerValue::Flag(false)),
            ],
        )
        .expect_err("misfits");
        let found: Vec<(Option<usize>, &str)> = faults.iter().map(|fault| (fault.index, fault.question.as_str())).collect();
        assert_eq!(
            found,
            [
                (Some(0), "satisfied"),
                (Some(1), "effort"),
                (Some(2), "why"),
                (Some(3), "colour"),
                (Some(4), "colours"),
                (Some(5), "visits"),
                (Some(6), "nonsense"),
                (Some(8), "again"),
                (None, "recommend"),
            ]
        );
    }

    proptest! {
        #[test]
        fn whatever_fits_a_scale_is_a_whole_number_on_it(value in prop_oneof![any::<f64>(), (-20i32..40).prop_map(f64::from)]) {
            let questions = survey().content.questions;
            let fits = fit(&questions, vec![number("recommend", value)]).is_ok();
            prop_assert_eq!(fits, (0..=10).any(|whole| f64::from(whole) == value));
        }

        #[test]
        fn fitting_keeps_every_answer(names in proptest::sample::subsequence(vec!["satisfied", "effort", "rating", "visits"], 0..=4)) {
            let questions = survey().content.questions;
            let mut given: Vec<Answer> = names.iter().map(|name| number(name, 3.0)).collect();
            given.push(number("recommend", 3.0));
            let fitting = fit(&questions, given.clone()).expect("fitting");
            prop_assert_eq!(fitting.len(), given.len());
            prop_assert!(given.iter().all(|answer| fitting.contains(answer)));
        }
    }
}
