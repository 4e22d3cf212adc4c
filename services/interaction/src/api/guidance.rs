//! Guidance and reviews on the wire.

use async_trait::async_trait;
use rapport_core::{Context, CustomerType, Violations, words::Word};
use rapport_proto::interaction::v1::{self as pb, guidance_service_server::GuidanceService};
use rapport_server::{context, query, status};
use tonic::{Request, Response, Status};

use super::{Api, call_flow, etiquette::write_rule, manual, read, write};
use crate::{
    app::guidance::{GetGuidance, Library, ReviewDraft, Subject, get_guidance, review_draft},
    domain::{
        EtiquetteRule, ManualSection, Situation,
        connection::Connection,
        guidance::{Applying, Guidance, GuidedFlow},
        origin::MAX_BODY,
        shelf::OfferedMessage,
    },
};

/// Reads a situation; `at` is its place in the request.
fn situation(violations: &mut Violations, at: &str, given: Option<&pb::Situation>) -> Situation {
    let Some(given) = given else { return Situation::default() };
    let pb::Situation { setting, channel, stage, customer_types, purpose, kind, function, phase, locale } = given;
    let types = format!("{at}.customer_types");
    read::at_most(violations, &types, customer_types.len(), CustomerType::ALL.len());
    let each = customer_types.iter().take(CustomerType::ALL.len()).enumerate();
    Situation {
        setting: violations.word_optional(&format!("{at}.setting"), *setting),
        channel: violations.word_optional(&format!("{at}.channel"), *channel),
        stage: violations.word_optional(&format!("{at}.stage"), *stage),
        customer_types: each.filter_map(|(index, number)| violations.word(&format!("{types}[{index}]"), *number)).collect(),
        purpose: violations.word_optional(&format!("{at}.purpose"), *purpose),
        kind: violations.word_optional(&format!("{at}.kind"), *kind),
        function: violations.word_optional(&format!("{at}.function"), *function),
        phase: violations.word_optional(&format!("{at}.phase"), *phase),
        locale: violations.parse_optional(&format!("{at}.locale"), locale),
    }
}

fn write_situation(situation: Situation) -> pb::Situation {
    let Situation { setting, channel, stage, customer_types, purpose, kind, function, phase, locale } = situation;
    pb::Situation {
        setting: setting.map_or(0, Word::number),
        channel: channel.map_or(0, Word::number),
        stage: stage.map_or(0, Word::number),
        customer_types: customer_types.into_iter().map(Word::number).collect(),
        purpose: purpose.map_or(0, Word::number),
        kind: kind.map_or(0, Word::number),
        function: function.map_or(0, Word::number),
        phase: phase.map_or(0, Word::number),
        locale: locale.map(|locale| locale.to_string()).unwrap_or_default(),
    }
}

fn rules(rules: Vec<Applying<EtiquetteRule>>) -> Vec<pb::ApplyingRule> {
    rules.into_iter().map(|Applying { what, because }| pb::ApplyingRule { rule: Some(write_rule(what)), because }).collect()
}

fn sections(sections: Vec<Applying<ManualSection>>) -> Vec<pb::ApplyingSection> {
    let write = |Applying { what, because }| pb::ApplyingSection { section: Some(manual::write::section(what)), because };
    sections.into_iter().map(write).collect()
}

fn write_guidance(guidance: Guidance, manual_version_id: String) -> pb::Guidance {
    let Guidance {
        situation,
        dos,
        donts,
        sections: shared,
        confidential_sections,
        playbook,
        invited_topics,
        interests,
        never_criticise,
        open_commitments,
        risk,
        advised_setting,
        advised_because,
        messages: canned_messages,
        call_flow: flow,
        connections,
    } = guidance;
    pb::Guidance {
        manual_version_id,
        situation: Some(write_situation(situation)),
        dos: rules(dos),
        donts: rules(donts),
        sections: sections(shared),
        confidential_sections: sections(confidential_sections),
        playbook: sections(playbook),
        invited_topics,
        interests,
        never_criticise,
        open_commitments: open_commitments.into_iter().map(write::commitment).collect(),
        risk_level: risk.as_ref().map_or(0, |risk| risk.level.number()),
        risk_summary: risk.map(|risk| risk.summary()).unwrap_or_default(),
        advised_setting: advised_setting.number(),
        advised_because,
        canned_messages: canned_messages.into_iter().map(message).collect(),
        call_flow: flow.map(applying_flow),
        connections: connections.into_iter().map(bond).collect(),
    }
}

fn message(applying: Applying<OfferedMessage>) -> pb::ApplyingCannedMessage {
    let Applying { what, because } = applying;
    let OfferedMessage { id, short_code, kind, subject, file, revision, scope: _ } = what;
    pb::ApplyingCannedMessage {
        canned_message_id: id.to_string(),
        short_code,
        kind: kind.number(),
        subject,
        file,
        version: revision,
        because,
    }
}

fn applying_flow(applying: Applying<GuidedFlow>) -> pb::ApplyingCallFlow {
    let Applying { what, because } = applying;
    let GuidedFlow { id, revision, title, started, next } = what;
    pb::ApplyingCallFlow { call_flow_id: id.to_string(), version: revision, title, started, next_step: next.map(call_flow::step), because }
}

fn bond(connection: Connection) -> pb::KnownBy {
    let Connection { agent, level } = connection;
    pb::KnownBy { agent, level: level.number() }
}

impl Api {
    /// Whom a request is about; a customer whom this service does not know is asked for.
    async fn subject(&self, mut violations: Violations, interaction: &str, customer: &str, cx: &Context) -> Result<Subject, Status> {
        let of = violations.parse_optional("interaction_id", interaction);
        let to = violations.parse_optional("customer_id", customer);
        if of.is_some() && to.is_some() {
            violations.add("customer_id", "must be empty if interaction_id is given: the interaction says who the customer is");
        }
        violations.finish(Some(())).map_err(status::invalid)?;
        Ok(match (of, to) {
            (Some(id), _) => Subject::Interaction(id),
            (None, Some(id)) => Subject::Customer(id, self.customers.vouch("customer_id", Some(id), cx).await?),
            (None, None) => Subject::Nobody,
        })
    }
}

#[async_trait]
impl GuidanceService for Api {
    async fn get_guidance(&self, request: Request<pb::GetGuidanceRequest>) -> Result<Response<pb::GetGuidanceResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let situation = situation(&mut violations, "situation", request.situation.as_ref());
        if request.interaction_id.is_empty() && request.customer_id.is_empty() && request.situation.is_none() {
            violations.add("situation", "is required unless interaction_id or customer_id is given");
        }
        let subject = self.subject(violations, &request.interaction_id, &request.customer_id, &cx).await?;
        let library = Library { manuals: &self.manuals, shelves: &self.shelves, defaults: &self.settings.default_settings };
        let command = &GetGuidance { subject, situation };
        let (guidance, manual) =
            query(&self.database, "GetGuidance", &cx, async |conn| get_guidance(conn, library, command.clone()).await).await?;
        let version = manual.map(|manual| manual.id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::GetGuidanceResponse { guidance: Some(write_guidance(guidance, version)) }))
    }

    async fn review_draft(&self, request: Request<pb::ReviewDraftRequest>) -> Result<Response<pb::ReviewDraftResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let situation = situation(&mut violations, "situation", request.situation.as_ref());
        let text = violations.text("text", &request.text, MAX_BODY).unwrap_or_default();
        let subject = self.subject(violations, &request.interaction_id, &request.customer_id, &cx).await?;
        let (manuals, command) = (&self.manuals, &ReviewDraft { subject, situation, text, closing: request.closing });
        let (review, manual) =
            query(&self.database, "ReviewDraft", &cx, async |conn| review_draft(conn, manuals, command.clone()).await).await?;
        Ok(Response::new(pb::ReviewDraftResponse {
            sendable: review.sendable(),
            language: review.language.unwrap_or_default().to_owned(),
            unchecked: review.unchecked.iter().map(|kind| kind.number()).collect(),
            findings: review.findings.into_iter().map(write::finding).collect(),
            manual_version_id: manual.map(|manual| manual.id.to_string()).unwrap_or_default(),
        }))
    }
}
