//! The HTML of the pages: values escaped by the template engine, nothing from elsewhere.

use std::sync::LazyLock;

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::answers::{PREFIX, Sent, values};
use crate::domain::{
    answer::Fault,
    language::text,
    questionnaire::{Question, QuestionKind, Questionnaire},
    wording::{Wording, right_to_left},
};

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    // Far more than the longest form needs, far less than an endless loop.
    pages.set_fuel(Some(2_000_000));
    for (name, source) in [("form", include_str!("form.html")), ("notice", include_str!("notice.html"))] {
        pages.add_template(name, source).expect("a test renders every template");
    }
    pages
});

/// The style of the pages.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css")).into_response()
}

/// One of the two ends of a scale, or a field to choose.
#[derive(Serialize)]
struct Choice<'a> {
    id: String,
    value: String,
    label: &'a str,
    chosen: bool,
}

#[derive(Serialize)]
struct Field<'a> {
    id: String,
    name: String,
    text: &'a str,
    required: bool,
    /// How it is entered: `scale`, `one`, `many`, `words` or `number`.
    form: &'static str,
    choices: Vec<Choice<'a>>,
    ends: Option<[&'static str; 2]>,
    value: String,
    min: Option<i32>,
    max: Option<i32>,
    problem: Option<&'static str>,
}

#[derive(Serialize)]
struct FormPage<'a> {
    language: &'a str,
    direction: &'static str,
    title: &'a str,
    introduction: &'a str,
    fields: Vec<Field<'a>>,
    others: Vec<&'a str>,
    problems: bool,
    words: Words,
}

#[derive(Serialize)]
struct Words {
    submit: &'static str,
    decline: &'static str,
    required: &'static str,
    problems: &'static str,
}

/// The form of a questionnaire, with what was sent before and what is wrong with it.
pub fn form(questionnaire: &Questionnaire, language: &str, wording: &'static Wording, sent: &Sent, faults: &[Fault]) -> Response {
    let content = &questionnaire.content;
    let fields = content.questions.iter().map(|question| field(questionnaire, question, language, wording, sent, faults)).collect();
    let page = FormPage {
        language,
        direction: direction(language),
        title: text(&content.title, language, content),
        introduction: text(&content.introduction, language, content),
        fields,
        others: content.title.keys().map(String::as_str).filter(|other| *other != language).collect(),
        problems: !faults.is_empty(),
        words: Words { submit: wording.submit, decline: wording.decline, required: wording.required, problems: wording.problems },
    };
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    rendered("form", status, &page)
}

fn field<'a>(
    questionnaire: &'a Questionnaire,
    question: &'a Question,
    language: &str,
    wording: &'static Wording,
    sent: &Sent,
    faults: &[Fault],
) -> Field<'a> {
    let content = &questionnaire.content;
    let given = values(question, sent);
    let id = format!("q-{}", question.key);
    let choice =
        |value: String, label: &'a str| Choice { id: format!("{id}-{value}"), chosen: given.contains(&value.as_str()), value, label };
    let form = match question.kind {
        QuestionKind::SingleChoice | QuestionKind::YesNo => "one",
        QuestionKind::MultiChoice => "many",
        QuestionKind::Text => "words",
        QuestionKind::Number => "number",
        QuestionKind::Nps | QuestionKind::Csat | QuestionKind::Ces | QuestionKind::Rating => "scale",
    };
    let choices = match (question.kind, question.scale()) {
        (QuestionKind::YesNo, _) => vec![choice("yes".to_owned(), wording.yes), choice("no".to_owned(), wording.no)],
        (_, Some((min, max))) => (min..=max).map(|step| choice(step.to_string(), "")).collect(),
        _ => question.options.iter().map(|option| choice(option.key.to_string(), text(&option.text, language, content))).collect(),
    };
    let problem = faults.iter().find(|fault| fault.question == question.key.as_str()).map(|fault| wording.misfit(&fault.misfit));
    Field {
        name: format!("{PREFIX}{}", question.key),
        text: text(&question.text, language, content),
        required: question.required,
        form,
        choices,
        ends: wording.ends(question),
        value: given.first().map(|value| (*value).to_owned()).unwrap_or_default(),
        min: question.scale_min,
        max: question.scale_max,
        problem,
        id,
    }
}

/// A page that says one thing.
pub fn notice(status: StatusCode, wording: &'static Wording, [title, text]: [&'static str; 2]) -> Response {
    #[derive(Serialize)]
    struct Notice {
        language: &'static str,
        title: &'static str,
        text: &'static str,
    }
    rendered("notice", status, &Notice { language: wording.language, title, text })
}

fn direction(language: &str) -> &'static str {
    if right_to_left(language) { "rtl" } else { "ltr" }
}

fn rendered(name: &str, status: StatusCode, page: &impl Serialize) -> Response {
    match PAGES.get_template(name).and_then(|template| template.render(page)) {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(page = name, %error, "a page could not be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. Please try again later.").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::{Id, Time};

    use super::*;
    use crate::domain::{answer::Misfit, questionnaire::examples::survey, wording};

    #[test]
    fn every_page_is_made_with_every_kind_of_question_and_every_kind_of_misfit() {
        let questionnaire = survey().into_questionnaire(Id::from_uuid(uuid::Uuid::from_u128(1)), 1, Time::EPOCH);
        let faults: Vec<Fault> = questionnaire
            .content
            .questions
            .iter()
            .map(|question| Fault { index: None, question: question.key.to_string(), misfit: Misfit::Missing })
            .collect();
        let wording = wording::of("en");
        assert_eq!(form(&questionnaire, "en", wording, &[], &[]).status(), StatusCode::OK);
        assert_eq!(form(&questionnaire, "de", wording, &[], &faults).status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(notice(StatusCode::NOT_FOUND, wording, wording.closed).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_longest_form_there_may_be_is_made() {
        let mut draft = survey();
        let choice = draft.content.questions[4].options[0].clone();
        let mut question = draft.content.questions[5].clone();
        question.options = vec![choice; crate::domain::questionnaire::MAX_OPTIONS];
        draft.content.questions = vec![question; crate::domain::questionnaire::MAX_QUESTIONS];
        let questionnaire = draft.into_questionnaire(Id::from_uuid(uuid::Uuid::from_u128(1)), 1, Time::EPOCH);
        assert_eq!(form(&questionnaire, "en", wording::of("en"), &[], &[]).status(), StatusCode::OK);
    }
}
