//! Responses on the wire.

use rapport_core::{
    Context, CustomerId, Failure, InteractionId, InvitationId, Language, Page, PageRequest, QuestionnaireId, ResponseId, Time, Violations,
    words::Word,
};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{Mutation, context, mutate, query, status};
use tonic::{Request, Response as Answered, Status};

use super::{Api, convert, customer};
use crate::{
    app::response::{Asked, SubmitResponse, list_responses, submit_response},
    domain::{
        answer::{Answer, AnswerValue},
        filter,
        refused::Refused,
        response::{Response, ResponseMode},
        token::TokenKeys,
    },
};

/// The most answers of one request: more than any questionnaire has questions.
const MAX_ANSWERS: usize = 200;
/// Told for every token that names no invitation, whatever is wrong with it.
const NO_TOKEN: &str = "is not a token of an invitation: take it from the link, unchanged";

pub async fn submit(api: &Api, request: Request<pb::SubmitResponseRequest>) -> Result<Answered<pb::SubmitResponseResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let given: Option<ResponseId> = violations.parse_optional("response_id", &request.response_id);
    let id = given.unwrap_or_else(|| cx.fresh());
    let command = parse(id, &request, &cx, &api.keys, &mut violations);
    let command = violations.finish(command).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    if let Asked::Questionnaire { customer, .. } = command.asked {
        // What was said is written down even if the customer service is out of reach: its feed tells later who it was.
        customer::exists(api, &cx, customer, "customer_id").await?;
    }
    let by_token = !request.token.is_empty();
    let mutation = Mutation { method: "SubmitResponse", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    mutate(
        &api.database,
        mutation,
        async |conn| match submit_response(conn, &cx, command.clone()).await {
            Err(Failure::NotFound { .. }) if by_token => Err(Failure::invalid("token", NO_TOKEN)),
            answer => answer,
        },
        |response| pb::SubmitResponseResponse { response: Some(response.into()) },
    )
    .await
}

fn parse(
    id: ResponseId,
    request: &pb::SubmitResponseRequest,
    cx: &Context,
    keys: &TokenKeys,
    violations: &mut Violations,
) -> Option<SubmitResponse> {
    let by_token = !request.token.is_empty();
    let asked = asked(request, keys, violations);
    let mode = violations.word_optional::<ResponseMode>("mode", request.mode);
    if by_token {
        if request.mode != 0 {
            violations.add("mode", "must be left out with a token: it is SELF_SERVICE");
        }
        if request.collect_time.is_some() {
            violations.add("collect_time", "must be left out with a token: it is now");
        }
    } else if request.mode == 0 || mode == Some(ResponseMode::SelfService) {
        violations.add("mode", "is required without a token: one of INTERVIEW, CONVERSATION, PAPER");
    }
    let language = violations.parse_optional::<Language>("language", &request.language);
    let collect_time = convert::time("collect_time", request.collect_time, violations);
    if collect_time.is_some_and(|time| time > cx.now) {
        violations.add("collect_time", "must not be in the future");
    }
    let answers = answers(&request.answers, violations);
    let mode = mode.unwrap_or(ResponseMode::SelfService);
    Some(SubmitResponse { id, asked: asked?, mode, language, answers, collect_time })
}

fn asked(request: &pb::SubmitResponseRequest, keys: &TokenKeys, violations: &mut Violations) -> Option<Asked> {
    let pb::SubmitResponseRequest { token, invitation_id, questionnaire_id, questionnaire_version, customer_id, interaction_id, .. } =
        request;
    let free = [questionnaire_id, customer_id, interaction_id].into_iter().any(|id| !id.is_empty()) || *questionnaire_version != 0;
    match (token.as_str(), invitation_id.as_str(), free) {
        (token, "", false) if !token.is_empty() => {
            let invitation = keys.verify(token);
            if invitation.is_none() {
                violations.add("token", NO_TOKEN);
            }
            invitation.map(Asked::Invitation)
        }
        ("", invitation, false) if !invitation.is_empty() => {
            violations.parse::<InvitationId>("invitation_id", invitation).map(Asked::Invitation)
        }
        ("", "", true) => {
            let id: Option<QuestionnaireId> = violations.parse("questionnaire_id", questionnaire_id);
            let customer: Option<CustomerId> = violations.parse("customer_id", customer_id);
            let interaction: Option<InteractionId> = violations.parse_optional("interaction_id", interaction_id);
            if *questionnaire_version < 0 {
                violations.add("questionnaire_version", "must not be negative");
            }
            let number = Some(*questionnaire_version).filter(|number| *number > 0);
            Some(Asked::Questionnaire { id: id?, number, customer: customer?, interaction })
        }
        _ => {
            violations.add("token", "exactly one is required: token, or invitation_id, or questionnaire_id with customer_id");
            None
        }
    }
}

fn answers(given: &[pb::Answer], violations: &mut Violations) -> Vec<Answer> {
    use pb::answer::Value;
    if given.len() > MAX_ANSWERS {
        violations.add("answers", format!("has {} answers; at most {MAX_ANSWERS} are allowed", given.len()));
        return Vec::new();
    }
    given
        .iter()
        .enumerate()
        .filter_map(|(index, answer)| {
            let value = match &answer.value {
                Some(Value::Text(text)) => AnswerValue::Text(text.clone()),
                Some(Value::Number(number)) => AnswerValue::Number(*number),
                Some(Value::Flag(flag)) => AnswerValue::Flag(*flag),
                Some(Value::Choices(choices)) => AnswerValue::Choices(choices.option_ids.clone()),
                None => {
                    violations.add(format!("answers[{index}]"), "has no value: leave out a question that was not answered");
                    return None;
                }
            };
            Some(Answer { question: answer.question_id.clone(), value })
        })
        .collect()
}

pub async fn list(api: &Api, request: Request<pb::ListResponsesRequest>) -> Result<Answered<pb::ListResponsesResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let of = format!("ListResponses {}", request.filter);
    let page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
    let page: Option<Page<(Time, ResponseId)>> = Page::parse(page, &mut violations);
    let filter = filter::responses(&request.filter, &mut violations);
    let asked = violations.finish(page.zip(filter)).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let (page, filter) = &asked;
    let rows = query(&api.database, "ListResponses", &cx, async |conn| list_responses(conn, filter, page).await).await?;
    let (rows, next_page_token) = page.answer(rows, |response| (response.create_time, response.id));
    Ok(Answered::new(pb::ListResponsesResponse { responses: rows.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Response> for pb::Response {
    fn from(response: Response) -> Self {
        let Response {
            id,
            questionnaire,
            number,
            invitation,
            customer,
            interaction,
            mode,
            recorded_by,
            language,
            answers,
            nps,
            csat,
            ces,
            collect_time,
            create_time,
            journey,
        } = response;
        Self {
            response_id: id.to_string(),
            questionnaire_id: questionnaire.to_string(),
            questionnaire_version: number,
            invitation_id: convert::id(invitation),
            customer_id: customer.to_string(),
            interaction_id: convert::id(interaction),
            mode: mode.number(),
            recorded_by,
            language: language.to_string(),
            answers: answers.into_iter().map(Into::into).collect(),
            nps,
            csat,
            ces,
            collect_time: Some(convert::timestamp(collect_time)),
            create_time: Some(convert::timestamp(create_time)),
            journey_id: convert::id(journey),
        }
    }
}

impl From<Answer> for pb::Answer {
    fn from(answer: Answer) -> Self {
        use pb::answer::Value;
        let Answer { question, value } = answer;
        let value = match value {
            AnswerValue::Text(text) => Value::Text(text),
            AnswerValue::Number(number) => Value::Number(number),
            AnswerValue::Flag(flag) => Value::Flag(flag),
            AnswerValue::Choices(option_ids) => Value::Choices(pb::Choices { option_ids }),
        };
        Self { question_id: question, value: Some(value) }
    }
}
