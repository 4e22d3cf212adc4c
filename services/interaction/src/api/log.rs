//! Interactions that are over, on the wire: one call for all of it.

use std::time::Duration;

use rapport_core::{Context, Stage, Time, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{
    Api, commitment, conclusion,
    customer::{self, Contact},
    entry, interaction, read as reading, write,
};
use crate::{
    app::log::{LogInteraction, log_interaction},
    domain::{CommitmentDraft, EntryDraft, InteractionDraft, default_setting::DefaultSettings},
    settings::Settings,
};

const MAX_ENTRIES: usize = 100;
const MAX_STAGES: usize = 20;
const MAX_COMMITMENTS: usize = 20;

fn command(request: &pb::LogInteractionRequest, settings: &Settings, cx: &Context) -> Result<LogInteraction, Violations> {
    let mut violations = Violations::new();
    let id = reading::new_id(&mut violations, "interaction_id", &request.interaction_id, cx);
    let entries = entries(&mut violations, &request.entries, cx.now);
    let of = reading::required(&mut violations, "interaction", request.interaction.as_ref());
    let draft = of.and_then(|of| draft(&mut violations, of, &settings.default_settings, entries.first(), cx.now));
    reading::at_most(&mut violations, "stages", request.stages.len(), MAX_STAGES);
    let mut stages = Vec::new();
    for (index, stage) in request.stages.iter().take(MAX_STAGES).enumerate() {
        stages.extend(violations.word::<Stage>(&format!("stages[{index}]"), *stage));
    }
    let conclusion = conclusion::draft(&mut violations, request.conclusion.as_ref());
    let commitments = commitments(&mut violations, request, settings.grace(), cx.now);
    if request.customer_contact.is_some() && draft.as_ref().is_some_and(|draft| draft.customer.is_some()) {
        violations.add("customer_contact", "must not be set together with interaction.customer_id");
    }
    let command = id.zip(draft).zip(conclusion).map(|((id, draft), conclusion)| LogInteraction {
        id,
        draft,
        entries,
        stages,
        conclusion,
        commitments,
        customer: None,
    });
    violations.finish(command)
}

fn draft(
    violations: &mut Violations,
    of: &pb::Interaction,
    defaults: &DefaultSettings,
    first: Option<&EntryDraft>,
    now: Time,
) -> Option<InteractionDraft> {
    let draft = interaction::draft(violations, of, defaults, now);
    let end_time = reading::past_time(violations, "interaction.end_time", of.end_time.as_ref(), now);
    let mut draft = draft?;
    let start_time = draft.start_time.or(first.and_then(|first| first.occur_time)).or(end_time).unwrap_or(now);
    if end_time.is_some_and(|end| end < start_time) {
        violations.add("interaction.end_time", format!("must not lie before the start, {start_time}"));
    }
    draft.start_time = Some(start_time);
    draft.end_time = Some(end_time.unwrap_or(now));
    Some(draft)
}

fn entries(violations: &mut Violations, entries: &[pb::Entry], now: Time) -> Vec<EntryDraft> {
    reading::at_most(violations, "entries", entries.len(), MAX_ENTRIES);
    let mut drafts = Vec::new();
    for (index, given) in entries.iter().take(MAX_ENTRIES).enumerate() {
        let at = format!("entries[{index}]");
        let id = violations.parse_optional(&format!("{at}.entry_id"), &given.entry_id);
        drafts.extend(entry::draft(violations, &at, given, id, now));
    }
    drafts
}

fn commitments(violations: &mut Violations, request: &pb::LogInteractionRequest, grace: Duration, now: Time) -> Vec<CommitmentDraft> {
    reading::at_most(violations, "commitments", request.commitments.len(), MAX_COMMITMENTS);
    let mut drafts = Vec::new();
    for (index, promise) in request.commitments.iter().take(MAX_COMMITMENTS).enumerate() {
        let at = format!("commitments[{index}]");
        drafts.extend(commitment::nested_draft(violations, &at, promise, &request.interaction_id, grace, now));
    }
    drafts
}

/// A request to log, and the way to reach the customer that it names; what is wrong with either is told at once.
pub(super) fn read(
    request: &pb::LogInteractionRequest,
    settings: &Settings,
    cx: &Context,
) -> Result<(LogInteraction, Option<Contact>), Violations> {
    match (command(request, settings, cx), customer::contact(request.customer_contact.as_ref())) {
        (Ok(command), Ok(contact)) => Ok((command, contact)),
        (read, contact) => Err(all(read.err(), contact.err())),
    }
}

impl Api {
    /// Finds out who the customer is, before the transaction.
    pub(super) async fn identify(&self, command: &mut LogInteraction, contact: Option<Contact>, cx: &Context) -> Result<(), Status> {
        command.customer = match contact {
            Some(contact) => {
                let found = self.customers.resolve(contact, cx).await?;
                command.draft.customer = Some(found.id);
                Some(found)
            }
            None => self.customers.vouch("interaction.customer_id", command.draft.customer, cx).await?,
        };
        Ok(())
    }

    pub(super) async fn log(&self, request: Request<pb::LogInteractionRequest>) -> Result<Response<pb::LogInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (mut command, contact) = read(&request, &self.settings, &cx).map_err(status::invalid)?;
        self.identify(&mut command, contact, &cx).await?;

        let mutation =
            Mutation { method: "LogInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, manuals, command) = (&cx, &self.manuals, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| log_interaction(conn, cx, manuals, command.clone()).await,
            |logged| pb::LogInteractionResponse {
                interaction: Some(write::interaction(logged.interaction)),
                entries: logged.entries.into_iter().map(write::entry).collect(),
                commitments: logged.commitments.into_iter().map(write::commitment).collect(),
            },
        )
        .await?;
        self.promised.wake_if(!response.get_ref().commitments.is_empty());
        Ok(response)
    }
}

pub(super) fn all(one: Option<Violations>, other: Option<Violations>) -> Violations {
    let mut all = Violations::new();
    for violation in one.into_iter().chain(other).flatten() {
        all.add(violation.field, violation.description);
    }
    all
}
