//! What a form sends, as answers.

use crate::domain::{
    answer::{Answer, AnswerValue},
    questionnaire::{Question, QuestionKind},
};

/// What stands before the name of a question in the form.
pub const PREFIX: &str = "q.";

/// A form as it was sent: names and values, in order.
pub type Sent = [(String, String)];

/// The answers that a form gives to these questions. What was left empty is no answer; what cannot be read is one that will
/// not fit, so that it is told with all others.
pub fn read(questions: &[Question], sent: &Sent) -> Vec<Answer> {
    questions
        .iter()
        .filter_map(|question| {
            let value = value(question, &values(question, sent))?;
            Some(Answer { question: question.key.to_string(), value })
        })
        .collect()
}

/// The values that were sent for a question, without those that are empty.
pub fn values<'a>(question: &Question, sent: &'a Sent) -> Vec<&'a str> {
    let of_question = |name: &str| name.strip_prefix(PREFIX).is_some_and(|key| key == question.key.as_str());
    sent.iter().filter(|(name, _)| of_question(name)).map(|(_, value)| value.trim()).filter(|value| !value.is_empty()).collect()
}

fn value(question: &Question, values: &[&str]) -> Option<AnswerValue> {
    let first = *values.first()?;
    Some(match question.kind {
        QuestionKind::SingleChoice | QuestionKind::MultiChoice => {
            AnswerValue::Choices(values.iter().map(|value| (*value).to_owned()).collect())
        }
        // Forms write line breaks as CR LF.
        QuestionKind::Text => AnswerValue::Text(first.replace("\r\n", "\n")),
        QuestionKind::YesNo => match first {
            "yes" => AnswerValue::Flag(true),
            "no" => AnswerValue::Flag(false),
            other => AnswerValue::Text(other.to_owned()),
        },
        // A decimal comma is as good as a point; what is no number fits nowhere.
        _ => AnswerValue::Number(first.replace(',', ".").parse().unwrap_or(f64::NAN)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{answer::fit, questionnaire::examples::survey};

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_is_read_by_the_kind_of_each_question() {
        let questions = survey().content.questions;
        let sent = sent(&[
            ("q.recommend", "9"),
            ("q.colours", "red"),
            ("q.colours", "blue"),
            ("q.why", "  one\r\ntwo "),
            ("q.again", "no"),
            ("q.visits", "2,5"),
            ("q.satisfied", ""),
            ("language", "de"),
        ]);
        let answers = fit(&questions, read(&questions, &sent)).expect("fitting");
        let values: Vec<&AnswerValue> = answers.iter().map(|answer| &answer.value).collect();
        assert_eq!(
            values,
            [
                &AnswerValue::Number(9.0),
                &AnswerValue::Choices(vec!["red".to_owned(), "blue".to_owned()]),
                &AnswerValue::Text("one\ntwo".to_owned()),
                &AnswerValue::Flag(false),
                &AnswerValue::Number(2.5),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_does_not_fit() {
        let questions = survey().content.questions;
        let sent = sent(&[("q.recommend", "nine"), ("q.again", "perhaps"), ("q.visits", "many")]);
        assert_eq!(fit(&questions, read(&questions, &sent)).expect_err("misfits").len(), 3);
    }
}
