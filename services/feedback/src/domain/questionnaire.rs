//! Questionnaires: versions of a set of questions, and what a draft may contain.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use rapport_core::{Language, QuestionnaireId, Time, Violations, words};
use serde::{Deserialize, Deserializer, Serialize};

words! {
    /// How a questionnaire is used.
    pub enum QuestionnaireStyle {
        /// A standardised survey.
        FormalSurvey = 1 "FORMAL_SURVEY",
        /// A guide for a talk.
        ConversationGuide = 2 "CONVERSATION_GUIDE",
        /// A form for a complaint.
        ComplaintForm = 3 "COMPLAINT_FORM",
    }
}
words! {
    /// What may be done with one version of a questionnaire.
    pub enum QuestionnaireState {
        /// Written, but nobody is asked with it.
        Draft = 1 "DRAFT",
        /// In use.
        Published = 2 "PUBLISHED",
        /// A later version is in use.
        Closed = 3 "CLOSED",
    }
}
words! {
    /// What a question asks for.
    pub enum QuestionKind {
        /// How likely a recommendation is, 0 to 10.
        Nps = 1 "NPS",
        /// How satisfied, 1 to 5.
        Csat = 2 "CSAT",
        /// How easy, 1 to 7.
        Ces = 3 "CES",
        /// A whole number on a scale.
        Rating = 4 "RATING",
        /// One of the options.
        SingleChoice = 5 "SINGLE_CHOICE",
        /// Any of the options.
        MultiChoice = 6 "MULTI_CHOICE",
        /// Words of the customer's own.
        Text = 7 "TEXT",
        /// Yes or no.
        YesNo = 8 "YES_NO",
        /// A number.
        Number = 9 "NUMBER",
    }
}

/// A text in several languages, by language tag.
pub type Texts = BTreeMap<String, String>;

/// The name of a question or an option: it stays the same in all versions and languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key(String);

impl Key {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no name of a question or an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 lower-case letters, digits and _, for example would_recommend")]
pub struct NotAKey;

impl FromStr for Key {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fits = (1..=32).contains(&text.len())
            && !text.starts_with('_')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One answer that a choice offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its name.
    pub key: Key,
    /// What the customer reads.
    pub text: Texts,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name.
    pub key: Key,
    /// What it asks for.
    pub kind: QuestionKind,
    /// The question itself.
    pub text: Texts,
    /// Whether an answer is required.
    pub required: bool,
    /// What a choice offers.
    pub options: Vec<Choice>,
    /// The smallest value, where the kind leaves it open.
    pub scale_min: Option<i32>,
    /// The largest value, where the kind leaves it open.
    pub scale_max: Option<i32>,
    /// What we need to learn.
    pub information_needed: String,
    /// Casual ways to ask, by language.
    pub casual_prompts: BTreeMap<String, Vec<String>>,
}

impl Question {
    /// The smallest and the largest whole number of a question on a scale; none for the other kinds.
    pub fn scale(&self) -> Option<(i32, i32)> {
        match self.kind {
            QuestionKind::Nps => Some((0, 10)),
            QuestionKind::Csat => Some((1, 5)),
            QuestionKind::Ces => Some((1, 7)),
            QuestionKind::Rating => Some((self.scale_min.unwrap_or(1), self.scale_max.unwrap_or(5))),
            _ => None,
        }
    }
    /// Whether it offers options.
    pub fn is_choice(&self) -> bool {
        matches!(self.kind, QuestionKind::SingleChoice | QuestionKind::MultiChoice)
    }
}

/// What a version says, as it is written and never changed once published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The language to fall back to.
    pub default_language: Language,
    /// The title that customers see; its languages are those of the questionnaire.
    pub title: Texts,
    /// A sentence above the questions.
    pub introduction: Texts,
    /// The questions, in order.
    pub questions: Vec<Question>,
}

/// One version of a questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questionnaire {
    /// The id that all versions share.
    pub id: QuestionnaireId,
    /// The version that callers see, from 1.
    pub number: i32,
    /// The version of the row.
    pub version: i64,
    /// The name that we know it by.
    pub display_name: String,
    /// How it is used.
    pub style: QuestionnaireStyle,
    /// What may be done with it.
    pub state: QuestionnaireState,
    /// What it says.
    pub content: Content,
    /// When it was made.
    pub create_time: Time,
    /// When it was published.
    pub publish_time: Option<Time>,
}

/// What is asked to be written as a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The name that we know it by.
    pub display_name: String,
    /// How it is used.
    pub style: QuestionnaireStyle,
    /// What it says.
    pub content: Content,
}

/// The most questions of a questionnaire.
pub const MAX_QUESTIONS: usize = 100;
/// The most options of a question.
pub const MAX_OPTIONS: usize = 50;
/// The most languages of a questionnaire.
pub const MAX_LANGUAGES: usize = 20;
/// The most casual prompts of a question in one language.
pub const MAX_PROMPTS: usize = 10;
/// The most steps of a RATING.
pub const MAX_STEPS: i32 = 21;

impl Draft {
    /// Names everything that contradicts itself, with paths below `field`. What is merely missing is told when it is published.
    pub fn check(&self, field: &str, violations: &mut Violations) {
        let Content { default_language: _, title, introduction: _, questions } = &self.content;
        if title.len() > MAX_LANGUAGES {
            violations.add(format!("{field}.title"), format!("has {} languages; at most {MAX_LANGUAGES} are allowed", title.len()));
        }
        if questions.len() > MAX_QUESTIONS {
            violations.add(format!("{field}.questions"), format!("has {} questions; at most {MAX_QUESTIONS} are allowed", questions.len()));
        }
        let mut seen = BTreeSet::new();
        for (index, question) in questions.iter().enumerate() {
            let at = format!("{field}.questions[{index}]");
            if !seen.insert(&question.key) {
                violations.add(format!("{at}.question_id"), format!("{:?} is the id of an earlier question", question.key.as_str()));
            }
            check_options(question, &at, violations);
            check_scale(question, &at, violations);
        }
    }

    /// Version `number` of questionnaire `id`.
    pub fn into_questionnaire(self, id: QuestionnaireId, number: i32, now: Time) -> Questionnaire {
        let Self { display_name, style, content } = self;
        Questionnaire {
            id,
            number,
            version: 1,
            display_name,
            style,
            state: QuestionnaireState::Draft,
            content,
            create_time: now,
            publish_time: None,
        }
    }
}

fn check_options(question: &Question, at: &str, violations: &mut Violations) {
    if !question.is_choice() && !question.options.is_empty() {
        violations.add(format!("{at}.options"), format!("must be empty for a question of kind {}", question.kind));
    }
    if question.options.len() > MAX_OPTIONS {
        violations.add(format!("{at}.options"), format!("has {} options; at most {MAX_OPTIONS} are allowed", question.options.len()));
    }
    let mut seen = BTreeSet::new();
    for (index, option) in question.options.iter().enumerate() {
        if !seen.insert(&option.key) {
            violations.add(format!("{at}.options[{index}].option_id"), format!("{:?} is the id of an earlier option", option.key.as_str()));
        }
    }
}

fn check_scale(question: &Question, at: &str, violations: &mut Violations) {
    let given = question.scale_min.is_some() || question.scale_max.is_some();
    match question.kind {
        QuestionKind::Rating => {
            let (min, max) = question.scale().unwrap_or((1, 5));
            if max <= min || max.saturating_sub(min) >= MAX_STEPS {
                violations.add(format!("{at}.scale_max"), format!("must be 1 to {} above scale_min", MAX_STEPS - 1));
            }
        }
        QuestionKind::Number => {
            if let (Some(min), Some(max)) = (question.scale_min, question.scale_max)
                && max < min
            {
                violations.add(format!("{at}.scale_max"), "must not be less than scale_min");
            }
        }
        kind if given => {
            violations.add(format!("{at}.scale_min"), format!("must be left out for a question of kind {kind}, as must scale_max"))
        }
        _ => {}
    }
}

#[cfg(test)]
pub mod examples {
    //! Questionnaires to test with.
    use super::*;

    /// One text in English and German.
    pub fn texts(en: &str, de: &str) -> Texts {
        [("en".to_owned(), en.to_owned()), ("de".to_owned(), de.to_owned())].into()
    }

    /// A question that lacks nothing.
    pub fn question(key: &str, kind: QuestionKind, required: bool) -> Question {
        let option = |key: &str| Choice { key: key.parse().expect("a key"), text: texts(key, key) };
        Question {
            key: key.parse().expect("a key"),
            kind,
            text: texts("How was it?", "Wie war es?"),
            required,
            options: if matches!(kind, QuestionKind::SingleChoice | QuestionKind::MultiChoice) {
                vec![option("red"), option("blue")]
            } else {
                Vec::new()
            },
            scale_min: None,
            scale_max: None,
            information_needed: String::new(),
            casual_prompts: BTreeMap::new(),
        }
    }

    /// A survey with a question of each kind, of which the first is required.
    pub fn survey() -> Draft {
        let questions = [
            ("recommend", QuestionKind::Nps, true),
            ("satisfied", QuestionKind::Csat, false),
            ("effort", QuestionKind::Ces, false),
            ("rating", QuestionKind::Rating, false),
            ("colour", QuestionKind::SingleChoice, false),
            ("colours", QuestionKind::MultiChoice, false),
            ("why", QuestionKind::Text, false),
            ("again", QuestionKind::YesNo, false),
            ("visits", QuestionKind::Number, false),
        ];
        Draft {
            display_name: "After the sale".to_owned(),
            style: QuestionnaireStyle::FormalSurvey,
            content: Content {
                default_language: "en".parse().expect("a language"),
                title: texts("How did we do?", "Wie waren wir?"),
                introduction: Texts::new(),
                questions: questions.into_iter().map(|(key, kind, required)| question(key, kind, required)).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{examples::*, *};

    fn violations(draft: &Draft) -> String {
        let mut violations = Violations::new();
        draft.check("questionnaire", &mut violations);
        violations.to_string()
    }

    #[test]
    fn a_sound_draft_has_no_violations() {
        assert_eq!(violations(&survey()), "");
    }

    #[test]
    fn every_contradiction_of_a_draft_is_named_at_once() {
        let mut draft = survey();
        let questions = &mut draft.content.questions;
        questions[1].key = questions[0].key.clone();
        questions[2].scale_max = Some(9);
        questions[3].scale_min = Some(5);
        questions[4].options[1].key = questions[4].options[0].key.clone();
        questions[6].options = questions[5].options.clone();
        questions[8].scale_min = Some(3);
        questions[8].scale_max = Some(2);
        let all = violations(&draft);
        for field in ["[1].question_id", "[2].scale_min", "[3].scale_max", "[4].options[1].option_id", "[6].options", "[8].scale_max"] {
            assert!(all.contains(&format!("questionnaire.questions{field} ")), "{field} in {all}");
        }
    }

    #[test]
    fn keys_are_short_and_plain() {
        for bad in ["", "_x", "Why", "why not", "a-b", &"x".repeat(33)] {
            assert!(bad.parse::<Key>().is_err(), "{bad}");
        }
        assert_eq!("would_recommend_2".parse::<Key>().expect("a key").as_str(), "would_recommend_2");
    }
}
