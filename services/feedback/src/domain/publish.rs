//! Publishing: what a draft must have before customers are asked with it.

use rapport_core::{Condition, Time};

use super::{
    questionnaire::{Content, Question, Questionnaire, QuestionnaireState, QuestionnaireStyle, Texts},
    refused::Refused,
};

impl Questionnaire {
    /// Puts a draft into use for ever.
    ///
    /// # Errors
    /// Everything that is missing, at once; or that it is published already.
    pub fn publish(self, at: Time) -> Result<Self, Refused> {
        if self.state != QuestionnaireState::Draft {
            return Err(Refused::AlreadyPublished { version: self.number });
        }
        let missing = missing(self.style, &self.content);
        if !missing.is_empty() {
            return Err(Refused::QuestionnaireIncomplete { missing });
        }
        Ok(Self { state: QuestionnaireState::Published, publish_time: Some(at), ..self })
    }

    /// Takes a published version out of use because a later one is published.
    pub fn close(self) -> Self {
        Self { state: QuestionnaireState::Closed, ..self }
    }
}

/// Everything that a draft lacks.
fn missing(style: QuestionnaireStyle, content: &Content) -> Vec<Condition> {
    let mut missing = Vec::new();
    let mut lacks = |kind: &'static str, subject: String, description: String| missing.push(Condition { kind, subject, description });
    if !content.title.contains_key(content.default_language.as_str()) {
        lacks("TEXT", "title".to_owned(), format!("there is no title in the default language {}", content.default_language));
    }
    // The title names the languages; a form that is half translated asks half of the customers nothing.
    let mut languages: Vec<&str> = content.title.keys().map(String::as_str).collect();
    if languages.is_empty() {
        languages.push(content.default_language.as_str());
    }
    if !content.introduction.is_empty() {
        untranslated(&content.introduction, &languages, "introduction", &mut lacks);
    }
    if content.questions.is_empty() {
        lacks("QUESTION", "questions".to_owned(), "there is no question".to_owned());
    }
    for question in &content.questions {
        lacking(question, style, &languages, &mut lacks);
    }
    missing
}

fn lacking(question: &Question, style: QuestionnaireStyle, languages: &[&str], lacks: &mut impl FnMut(&'static str, String, String)) {
    let key = &question.key;
    untranslated(&question.text, languages, &format!("{key}.text"), lacks);
    if question.is_choice() && question.options.len() < 2 {
        lacks("OPTION", format!("{key}.options"), format!("a choice needs two options at least; {key} has {}", question.options.len()));
    }
    for option in &question.options {
        untranslated(&option.text, languages, &format!("{key}.options.{}", option.key), lacks);
    }
    if style == QuestionnaireStyle::ConversationGuide {
        if question.information_needed.trim().is_empty() {
            lacks(
                "INFORMATION_NEEDED",
                format!("{key}.information_needed"),
                format!("say what we need to learn from {key} before the talk"),
            );
        }
        for language in languages.iter().filter(|language| question.casual_prompts.get(**language).is_none_or(Vec::is_empty)) {
            lacks("CASUAL_PROMPT", format!("{key}.casual_prompts.{language}"), format!("give a casual way to ask {key} in {language}"));
        }
    }
}

fn untranslated(texts: &Texts, languages: &[&str], subject: &str, lacks: &mut impl FnMut(&'static str, String, String)) {
    for language in languages.iter().filter(|language| !texts.contains_key(**language)) {
        lacks("TEXT", format!("{subject}.{language}"), format!("there is no text in {language}"));
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::{Id, Refusal as _};
    use uuid::Uuid;

    use super::{super::questionnaire::examples::*, *};

    fn draft(change: impl FnOnce(&mut super::super::questionnaire::Draft)) -> Questionnaire {
        let mut draft = survey();
        change(&mut draft);
        draft.into_questionnaire(Id::from_uuid(Uuid::from_u128(1)), 1, Time::EPOCH)
    }

    fn missing_of(questionnaire: Questionnaire) -> Vec<String> {
        let refused = questionnaire.publish(Time::EPOCH).expect_err("it lacks something");
        refused.conditions().into_iter().map(|condition| condition.subject).collect()
    }

    #[test]
    fn a_complete_draft_is_published_once() {
        let published = draft(|_| ()).publish(Time::from_micros(5)).expect("complete");
        assert_eq!((published.state, published.publish_time), (QuestionnaireState::Published, Some(Time::from_micros(5))));
        assert_eq!(published.publish(Time::EPOCH).expect_err("published").reason(), "ALREADY_PUBLISHED");
    }

    #[test]
    fn a_guide_names_every_missing_prompt_and_need_at_once() {
        let guide = draft(|draft| {
            draft.style = QuestionnaireStyle::ConversationGuide;
            draft.content.questions.truncate(2);
            draft.content.questions[0].information_needed = "Whether they would recommend us".to_owned();
            draft.content.questions[0].casual_prompts = [("en".to_owned(), vec!["So, would you tell a friend?".to_owned()])].into();
        });
        assert_eq!(
            missing_of(guide),
            ["recommend.casual_prompts.de", "satisfied.information_needed", "satisfied.casual_prompts.de", "satisfied.casual_prompts.en"]
        );
    }

    #[test]
    fn half_a_translation_and_half_a_choice_are_named() {
        let half = draft(|draft| {
            draft.content.questions[0].text.remove("de");
            draft.content.questions[4].options.truncate(1);
            draft.content.questions[5].options[0].text.clear();
        });
        assert_eq!(missing_of(half), ["recommend.text.de", "colour.options", "colours.options.red.de", "colours.options.red.en"]);
    }

    #[test]
    fn an_empty_draft_lacks_title_and_questions() {
        let empty = draft(|draft| {
            draft.content.title.clear();
            draft.content.questions.clear();
        });
        assert_eq!(missing_of(empty), ["title", "questions"]);
    }
}
