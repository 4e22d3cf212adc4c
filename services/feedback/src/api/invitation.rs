//! Invitations on the wire.

use std::time::Duration;

use rapport_core::{CustomerId, Failure, InteractionId, InvitationId, Page, PageRequest, QuestionnaireId, Time, Violations, words::Word};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{Mutation, context, lookup, mutate, query, status};
use tonic::{Request, Response, Status};

use super::{Api, convert, customer};
use crate::{
    app::invitation::{InviteCustomer, get_invitation, invite_customer, list_invitations},
    domain::{filter, invitation::Invitation, refused::Refused},
};

/// The longest time to answer.
const LONGEST_LIFE: Duration = Duration::from_secs(366 * 86_400);

pub async fn invite(api: &Api, request: Request<pb::InviteCustomerRequest>) -> Result<Response<pb::InviteCustomerResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let given: Option<InvitationId> = violations.parse_optional("invitation_id", &request.invitation_id);
    let id = given.unwrap_or_else(|| cx.fresh());
    let command = parse(id, &request, cx.now, &mut violations);
    let command = violations.finish(command).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    if !customer::exists(api, &cx, command.customer, "customer_id").await? {
        let what = "the customer service cannot be asked whether this customer may be invited: try again";
        return Err(status(Failure::<Refused>::unavailable(what, Duration::from_secs(1))));
    }
    let mutation = Mutation { method: "InviteCustomer", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
    let answer = mutate(
        &api.database,
        mutation,
        async |conn| invite_customer(conn, &cx, command.clone()).await,
        |invitation| pb::InviteCustomerResponse { invitation: Some(invitation.into()) },
    )
    .await;
    api.invited.notify_one();
    answer
}

fn parse(id: InvitationId, request: &pb::InviteCustomerRequest, now: Time, violations: &mut Violations) -> Option<InviteCustomer> {
    let customer: Option<CustomerId> = violations.parse("customer_id", &request.customer_id);
    let questionnaire: Option<QuestionnaireId> = violations.parse("questionnaire_id", &request.questionnaire_id);
    let interaction: Option<InteractionId> = violations.parse_optional("interaction_id", &request.interaction_id);
    let expire_time = convert::time("expire_time", request.expire_time, violations);
    if expire_time.is_some_and(|time| time <= now || time > now + LONGEST_LIFE) {
        violations.add("expire_time", "must be in the future, at most one year from now");
    }
    Some(InviteCustomer { id, customer: customer?, questionnaire: questionnaire?, interaction, expire_time })
}

pub async fn get(api: &Api, request: Request<pb::GetInvitationRequest>) -> Result<Response<pb::GetInvitationResponse>, Status> {
    let cx = context(&request, &api.world);
    let mut violations = Violations::new();
    let id: Option<InvitationId> = violations.parse("invitation_id", &request.get_ref().invitation_id);
    let id = violations.finish(id).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let found = lookup(&api.database, "GetInvitation", &cx, async |conn| get_invitation(conn, id).await).await?;
    Ok(Response::new(pb::GetInvitationResponse { invitation: Some(found.into()) }))
}

pub async fn list(api: &Api, request: Request<pb::ListInvitationsRequest>) -> Result<Response<pb::ListInvitationsResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let of = format!("ListInvitations {}", request.filter);
    let page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
    let page: Option<Page<(Time, InvitationId)>> = Page::parse(page, &mut violations);
    let filter = filter::invitations(&request.filter, &mut violations);
    let asked = violations.finish(page.zip(filter)).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let (page, filter) = &asked;
    let rows = query(&api.database, "ListInvitations", &cx, async |conn| list_invitations(conn, filter, page).await).await?;
    let (rows, next_page_token) = page.answer(rows, |invitation| (invitation.create_time, invitation.id));
    Ok(Response::new(pb::ListInvitationsResponse { invitations: rows.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Invitation> for pb::Invitation {
    fn from(invitation: Invitation) -> Self {
        let Invitation {
            id,
            version: _,
            questionnaire,
            number,
            customer,
            interaction,
            rule,
            state,
            withheld,
            failure,
            language,
            create_time,
            due_time,
            expire_time,
            hand_over_time: _,
            send_time,
            settle_time,
            attempts: _,
            next_attempt_time: _,
            journey,
        } = invitation;
        Self {
            invitation_id: id.to_string(),
            questionnaire_id: questionnaire.to_string(),
            questionnaire_version: number,
            customer_id: customer.to_string(),
            interaction_id: convert::id(interaction),
            rule_id: convert::id(rule),
            state: state.number(),
            withheld_reason: withheld.map_or(0, Word::number),
            failure: failure.unwrap_or_default(),
            language: language.to_string(),
            create_time: Some(convert::timestamp(create_time)),
            due_time: Some(convert::timestamp(due_time)),
            send_time: send_time.map(convert::timestamp),
            settle_time: settle_time.map(convert::timestamp),
            expire_time: Some(convert::timestamp(expire_time)),
            journey_id: convert::id(journey),
        }
    }
}
