//! Interactions on the wire: opening, reading, reopening.

use rapport_core::{Context, InteractionId, PageRequest, Time, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, entry, filter, read, write};
use crate::{
    app::interaction::{CreateInteraction, ReopenInteraction, create_interaction, get_interaction, list_interactions, reopen_interaction},
    domain::{InformalOffer, InteractionDraft, default_setting::DefaultSettings, origin::MAX_SUBJECT},
};

/// The longest goal, expectation, note or reason, in characters.
pub(super) const MAX_NOTE: usize = 500;
/// The longest name of a queue, in characters.
pub(super) const MAX_QUEUE: usize = 100;
/// The longest name of an incident, in characters.
pub(super) const MAX_INCIDENT: usize = 200;
/// The longest name of what started an interaction, in characters.
pub(super) const MAX_SOURCE: usize = 200;

/// An interaction as a caller gives it; what is output only is passed over.
pub(super) fn draft(
    violations: &mut Violations,
    interaction: &pb::Interaction,
    defaults: &DefaultSettings,
    now: Time,
) -> Option<InteractionDraft> {
    let customer = violations.parse_optional("interaction.customer_id", &interaction.customer_id);
    let subject = violations.text_optional("interaction.subject", &interaction.subject, MAX_SUBJECT);
    let function = violations.word("interaction.function", interaction.function);
    let purpose = violations.word("interaction.purpose", interaction.purpose);
    let phase = violations.word_optional("interaction.phase", interaction.phase);
    let kind = violations.word("interaction.kind", interaction.kind);
    let channel = violations.word("interaction.channel", interaction.channel);
    let setting = match defaults.find(function, channel) {
        Some((default, _)) if interaction.setting == 0 => Some(default),
        _ => violations.word("interaction.setting", interaction.setting),
    };
    let direction = violations.word("interaction.direction", interaction.direction);
    let objective = violations.word_optional("interaction.objective", interaction.objective);
    let customer_goal = violations.text_optional("interaction.customer_goal", &interaction.customer_goal, MAX_NOTE);
    let customer_expectation = violations.text_optional("interaction.customer_expectation", &interaction.customer_expectation, MAX_NOTE);
    let informal_offer = interaction.informal_offer.as_ref().and_then(|offer| informal_offer(violations, offer));
    if informal_offer.is_some() && channel.is_some_and(|channel| !InformalOffer::made_by(channel)) {
        violations.add("interaction.informal_offer", "is only for the channels STREET and EVENT");
    }
    let queue = violations.text_optional("interaction.queue", &interaction.queue, MAX_QUEUE);
    let priority = priority(violations, interaction.priority);
    let tags = tags(violations, &interaction.tags);
    let incident = violations.text_optional("interaction.incident", &interaction.incident, MAX_INCIDENT);
    let source = violations.text_optional("interaction.source", &interaction.source, MAX_SOURCE);
    let journey = violations.parse_optional("interaction.journey_id", &interaction.journey_id);
    let scheduled_time = read::time(violations, "interaction.scheduled_time", interaction.scheduled_time.as_ref());
    let start_time = read::past_time(violations, "interaction.start_time", interaction.start_time.as_ref(), now);
    Some(InteractionDraft {
        customer,
        subject: subject?,
        function: function?,
        purpose: purpose?,
        phase,
        kind: kind?,
        setting: setting?,
        channel: channel?,
        direction: direction?,
        objective,
        customer_goal: customer_goal?,
        customer_expectation: customer_expectation?,
        informal_offer,
        feedback_solicited: interaction.feedback_solicited,
        queue: queue?,
        priority: priority?,
        tags,
        incident: incident?,
        source: source?,
        journey,
        scheduled_time,
        start_time,
        end_time: None,
    })
}

/// How urgent an interaction is.
pub(super) fn priority(violations: &mut Violations, priority: i32) -> Option<i32> {
    if (0..=100).contains(&priority) {
        return Some(priority);
    }
    violations.add("interaction.priority", "must be from 0 (usual) to 100 (most urgent)");
    None
}

/// What an interaction is filed under: each tag once.
pub(super) fn tags(violations: &mut Violations, given: &[String]) -> Vec<String> {
    let mut tags = read::texts(violations, "interaction.tags", given, 20, 50);
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn informal_offer(violations: &mut Violations, offer: &pb::InformalOffer) -> Option<InformalOffer> {
    let at = |field: &str| format!("interaction.informal_offer.{field}");
    let point_of_contact = violations.text(&at("point_of_contact"), &offer.point_of_contact, 200);
    let service_delivery = violations.text_optional(&at("service_delivery"), &offer.service_delivery, MAX_NOTE);
    let demand = violations.word(&at("demand"), offer.demand);
    let product_range = read::texts(violations, &at("product_range"), &offer.product_range, 50, 200);
    let location = violations.text_optional(&at("location"), &offer.location, 200);
    let supplier = violations.text_optional(&at("supplier"), &offer.supplier, 200);
    let until = read::time(violations, &at("until"), offer.until.as_ref());
    Some(InformalOffer {
        point_of_contact: point_of_contact?,
        service_delivery: service_delivery?,
        demand: demand?,
        product_range,
        location: location?,
        supplier: supplier?,
        until,
    })
}

fn create_command(
    request: &pb::CreateInteractionRequest,
    defaults: &DefaultSettings,
    cx: &Context,
) -> Result<CreateInteraction, Violations> {
    let mut violations = Violations::new();
    let id = read::new_id(&mut violations, "interaction_id", &request.interaction_id, cx);
    let interaction = read::required(&mut violations, "interaction", request.interaction.as_ref());
    let draft = interaction.and_then(|interaction| draft(&mut violations, interaction, defaults, cx.now));
    let first_entry = request.first_entry.as_ref().and_then(|first| entry::draft(&mut violations, "first_entry", first, None, cx.now));
    let planned = draft.as_ref().and_then(|draft| draft.scheduled_time).is_some_and(|time| time > cx.now);
    if planned && first_entry.as_ref().is_some_and(|first| first.said.is_some()) {
        violations.add("first_entry", "must be an INTERNAL_NOTE: a scheduled interaction has not begun");
    }
    let command = id.zip(draft).map(|(id, draft)| CreateInteraction { id, draft, first_entry, customer: None });
    violations.finish(command)
}

impl Api {
    pub(super) async fn create(
        &self,
        request: Request<pb::CreateInteractionRequest>,
    ) -> Result<Response<pb::CreateInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut command = create_command(&request, &self.settings.default_settings, &cx).map_err(status::invalid)?;
        command.customer = self.customers.vouch("interaction.customer_id", command.draft.customer, &cx).await?;

        let mutation =
            Mutation { method: "CreateInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, manuals, command) = (&cx, &self.manuals, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| create_interaction(conn, cx, manuals, command.clone()).await,
            |(interaction, first_entry)| pb::CreateInteractionResponse {
                interaction: Some(write::interaction(interaction)),
                first_entry: first_entry.map(write::entry),
            },
        )
        .await
    }

    pub(super) async fn get(&self, request: Request<pb::GetInteractionRequest>) -> Result<Response<pb::GetInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.get_ref().interaction_id);
        let id = violations.finish(id).map_err(status::invalid)?;
        let interaction = lookup(&self.database, "GetInteraction", &cx, async |conn| get_interaction(conn, id).await).await?;
        Ok(Response::new(pb::GetInteractionResponse { interaction: Some(write::interaction(interaction)) }))
    }

    pub(super) async fn list(
        &self,
        request: Request<pb::ListInteractionsRequest>,
    ) -> Result<Response<pb::ListInteractionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let criteria = filter::interactions(&mut violations, &request.filter);
        let of = format!("interactions {}", request.filter);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = read::page(&mut violations, request_page, |key: &(Time, InteractionId)| key.0);
        let (criteria, page) = violations.finish(criteria.zip(page)).map_err(status::invalid)?;
        let (criteria, page) = (&criteria, &page);
        let (interactions, next_page_token) =
            report(&self.database, "ListInteractions", &cx, async |conn| list_interactions(conn, criteria, page).await).await?;
        let interactions = interactions.into_iter().map(write::interaction).collect();
        Ok(Response::new(pb::ListInteractionsResponse { interactions, next_page_token }))
    }

    pub(super) async fn reopen(
        &self,
        request: Request<pb::ReopenInteractionRequest>,
    ) -> Result<Response<pb::ReopenInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let reason = violations.text("reason", &request.reason, MAX_NOTE);
        let read = read::etag(&mut violations, &request.etag);
        let command = id.zip(reason).map(|(id, reason)| ReopenInteraction { id, reason, read });
        let command = violations.finish(command).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "ReopenInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| reopen_interaction(conn, cx, command.clone()).await,
            |interaction| pb::ReopenInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }
}
