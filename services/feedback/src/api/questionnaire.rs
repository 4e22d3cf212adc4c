//! Questionnaires on the wire.

use std::collections::BTreeMap;

use rapport_core::{Failure, Language, QuestionnaireId, Violations, words::Word};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{Mutation, context, mutate, query, status};
use tonic::{Request, Response, Status};

use super::{Api, convert};
use crate::{
    app::{
        publish::{PublishQuestionnaire, publish_questionnaire},
        questionnaire::{CreateQuestionnaire, create_questionnaire, get_questionnaire},
    },
    domain::{
        questionnaire::{Choice, Content, Draft, Key, MAX_PROMPTS, Question, QuestionKind, Questionnaire, QuestionnaireStyle},
        refused::Refused,
    },
};

pub async fn create(
    api: &Api,
    request: Request<pb::CreateQuestionnaireRequest>,
) -> Result<Response<pb::CreateQuestionnaireResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let given: Option<QuestionnaireId> = violations.parse_optional("questionnaire_id", &request.questionnaire_id);
    let revises: Option<QuestionnaireId> = violations.parse_optional("revises", &request.revises);
    if given.is_some() && revises.is_some() {
        violations.add("questionnaire_id", "must be empty with revises: the next version keeps the id");
    }
    let draft = match &request.questionnaire {
        Some(questionnaire) => draft(questionnaire.clone(), &mut violations),
        None => {
            violations.add("questionnaire", "is required");
            None
        }
    };
    let draft = violations.finish(draft).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let id = revises.or(given).unwrap_or_else(|| cx.fresh());
    let command = CreateQuestionnaire { id, revises, draft };
    let mutation = Mutation { method: "CreateQuestionnaire", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    mutate(
        &api.database,
        mutation,
        async |conn| create_questionnaire(conn, &cx, command.clone()).await,
        |questionnaire| pb::CreateQuestionnaireResponse { questionnaire: Some(questionnaire.into()) },
    )
    .await
}

pub async fn get(api: &Api, request: Request<pb::GetQuestionnaireRequest>) -> Result<Response<pb::GetQuestionnaireResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let id: Option<QuestionnaireId> = violations.parse("questionnaire_id", &request.questionnaire_id);
    if request.version < 0 {
        violations.add("version", "must not be negative");
    }
    let id = violations.finish(id).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let number = Some(request.version).filter(|number| *number > 0);
    let found = query(&api.database, "GetQuestionnaire", &cx, async |conn| get_questionnaire(conn, id, number).await).await?;
    Ok(Response::new(pb::GetQuestionnaireResponse { questionnaire: Some(found.into()) }))
}

pub async fn publish(
    api: &Api,
    request: Request<pb::PublishQuestionnaireRequest>,
) -> Result<Response<pb::PublishQuestionnaireResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let id: Option<QuestionnaireId> = violations.parse("questionnaire_id", &request.questionnaire_id);
    let id = violations.finish(id).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    // An etag that is none of ours is none of the current version.
    let etag = Some(&request.etag).filter(|etag| !etag.is_empty()).map(|etag| etag.parse().unwrap_or(0));
    let command = PublishQuestionnaire { id, etag };
    let mutation = Mutation { method: "PublishQuestionnaire", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    mutate(
        &api.database,
        mutation,
        async |conn| publish_questionnaire(conn, &cx, command.clone()).await,
        |questionnaire| pb::PublishQuestionnaireResponse { questionnaire: Some(questionnaire.into()) },
    )
    .await
}

fn draft(questionnaire: pb::Questionnaire, violations: &mut Violations) -> Option<Draft> {
    let pb::Questionnaire { display_name, style, default_language, title, introduction, questions, .. } = questionnaire;
    let display_name = violations.text("questionnaire.display_name", &display_name, 200);
    let style = violations.word::<QuestionnaireStyle>("questionnaire.style", style);
    let default_language = violations.parse::<Language>("questionnaire.default_language", &default_language);
    let title = convert::texts("questionnaire.title", title, 200, violations);
    let introduction = convert::texts("questionnaire.introduction", introduction, 2_000, violations);
    let count = questions.len();
    let questions: Vec<Question> = questions
        .into_iter()
        .enumerate()
        .filter_map(|(index, question)| self::question(&format!("questionnaire.questions[{index}]"), question, violations))
        .collect();
    let content = Content { default_language: default_language?, title, introduction, questions };
    let draft = Draft { display_name: display_name?, style: style?, content };
    // With a question left out, the places of the others would be told wrong.
    if draft.content.questions.len() == count {
        draft.check("questionnaire", violations);
    }
    Some(draft)
}

fn question(at: &str, question: pb::Question, violations: &mut Violations) -> Option<Question> {
    let pb::Question { question_id, kind, text, required, options, scale_min, scale_max, information_needed, casual_prompts } = question;
    let key = violations.parse::<Key>(&format!("{at}.question_id"), &question_id);
    let kind = violations.word::<QuestionKind>(&format!("{at}.kind"), kind);
    let text = convert::texts(&format!("{at}.text"), text, 500, violations);
    let information_needed = violations.text_optional(&format!("{at}.information_needed"), &information_needed, 500);
    let casual_prompts = prompts(at, casual_prompts, violations);
    let count = options.len();
    let options: Vec<Choice> = options
        .into_iter()
        .enumerate()
        .filter_map(|(index, option)| {
            let at = format!("{at}.options[{index}]");
            let key = violations.parse::<Key>(&format!("{at}.option_id"), &option.option_id);
            let text = convert::texts(&format!("{at}.text"), option.text, 200, violations);
            Some(Choice { key: key?, text })
        })
        .collect();
    if options.len() < count {
        return None;
    }
    Some(Question {
        key: key?,
        kind: kind?,
        text,
        required,
        options,
        scale_min,
        scale_max,
        information_needed: information_needed?,
        casual_prompts,
    })
}

fn prompts(at: &str, prompts: BTreeMap<String, pb::CasualPrompts>, violations: &mut Violations) -> BTreeMap<String, Vec<String>> {
    prompts
        .into_iter()
        .map(|(tag, pb::CasualPrompts { texts })| {
            let at = format!("{at}.casual_prompts[{tag:?}]");
            violations.parse::<Language>(&at, &tag);
            if texts.len() > MAX_PROMPTS {
                violations.add(&at, format!("has {} prompts; at most {MAX_PROMPTS} are allowed", texts.len()));
            }
            for (index, text) in texts.iter().enumerate() {
                violations.text(&format!("{at}.texts[{index}]"), text, 500);
            }
            (tag, texts)
        })
        .collect()
}

impl From<Questionnaire> for pb::Questionnaire {
    fn from(questionnaire: Questionnaire) -> Self {
        let Questionnaire { id, number, version, display_name, style, state, content, create_time, publish_time } = questionnaire;
        let Content { default_language, title, introduction, questions } = content;
        Self {
            questionnaire_id: id.to_string(),
            version: number,
            display_name,
            style: style.number(),
            state: state.number(),
            default_language: default_language.to_string(),
            title,
            introduction,
            questions: questions.into_iter().map(Into::into).collect(),
            create_time: Some(convert::timestamp(create_time)),
            publish_time: publish_time.map(convert::timestamp),
            etag: version.to_string(),
        }
    }
}

impl From<Question> for pb::Question {
    fn from(question: Question) -> Self {
        let Question { key, kind, text, required, options, scale_min, scale_max, information_needed, casual_prompts } = question;
        Self {
            question_id: key.to_string(),
            kind: kind.number(),
            text,
            required,
            options: options.into_iter().map(|Choice { key, text }| pb::Option { option_id: key.to_string(), text }).collect(),
            scale_min,
            scale_max,
            information_needed,
            casual_prompts: casual_prompts.into_iter().map(|(tag, texts)| (tag, pb::CasualPrompts { texts })).collect(),
        }
    }
}
