//! Concluding an interaction: the rows that the decision rests on stay locked until it is stored.

use rapport_core::{CommitmentId, Context, Direction, Failure, InteractionId, InteractionKind};
use rapport_db::Conn;

use super::{Result, announce, call_flow, commitment, interaction};
use crate::{
    domain::{
        Commitment, CommitmentDraft, ConclusionDraft, DraftCheckKind, Event, Evidence, Finding, Interaction, NextStep, NoStepReason,
        Refused, Severity,
    },
    store,
};

/// Concludes an interaction.
#[derive(Clone, Debug)]
pub struct ConcludeInteraction {
    /// Which one.
    pub id: InteractionId,
    /// How it ended.
    pub conclusion: ConclusionDraft,
    /// A promise to be made with it.
    pub new_commitment: Option<CommitmentDraft>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Concludes an interaction, and makes a promise with it if there is one.
///
/// # Errors
/// When it is not there or not open, or every condition that is not met.
pub async fn conclude_interaction(
    conn: &mut Conn<'_>,
    cx: &Context,
    command: ConcludeInteraction,
) -> Result<(Interaction, Option<Commitment>)> {
    let ConcludeInteraction { id, mut conclusion, new_commitment, read } = command;
    let interaction = interaction::load(conn, id, read).await?;
    let made = new_commitment.map(|draft| promise(cx, draft, &interaction)).transpose()?;
    default_step(&mut conclusion, made.as_ref());
    let evidence = evidence(conn, &interaction, &conclusion, made.as_slice()).await?;
    let concluded = interaction.conclude(conclusion, &evidence, &cx.caller.name, cx.now).map_err(Failure::Refused)?;
    let concluded = interaction::update(conn, cx, concluded).await?;
    let mut events = Vec::with_capacity(2);
    if let Some(made) = &made {
        commitment::insert(conn, made).await?;
        events.push(Event::CommitmentMade(made.clone()));
    }
    events.push(Event::InteractionConcluded(concluded.clone()));
    announce(conn, cx, &events).await?;
    Ok((concluded, made))
}

/// The promise that a draft makes in an interaction, to the interaction's customer.
pub(super) fn promise(cx: &Context, draft: CommitmentDraft, interaction: &Interaction) -> Result<Commitment> {
    if draft.customer.is_some_and(|customer| interaction.customer != Some(customer)) {
        return Err(Failure::Refused(Refused::CustomerDiffers { interaction: interaction.id }));
    }
    let draft = CommitmentDraft { interaction: Some(interaction.id), ..draft };
    Ok(Commitment::make(draft, interaction.customer, interaction.journey, cx))
}

/// A promise that is made with the conclusion is the next step if the conclusion names none.
pub(super) fn default_step(conclusion: &mut ConclusionDraft, made: Option<&Commitment>) {
    if let Some(made) = made {
        conclusion.next_step.get_or_insert(NextStep::Commitment(made.id));
    }
}

/// The commitment that the next step names: one of those just made, or a stored one, which is locked.
pub(super) async fn named_commitment(conn: &mut Conn<'_>, conclusion: &ConclusionDraft, made: &[Commitment]) -> Result<Option<Commitment>> {
    let Some(NextStep::Commitment(id)) = conclusion.next_step else { return Ok(None) };
    let id: CommitmentId = id;
    match made.iter().find(|made| made.id == id) {
        Some(made) => Ok(Some(made.clone())),
        None => Ok(store::commitment::find_for_update(conn, id).await?),
    }
}

async fn evidence(conn: &mut Conn<'_>, interaction: &Interaction, conclusion: &ConclusionDraft, made: &[Commitment]) -> Result<Evidence> {
    let mut evidence = Evidence {
        commitment: named_commitment(conn, conclusion, made).await?,
        blocking_findings: blocking(conn, interaction, made).await?,
        unanswered_steps: call_flow::unanswered(conn, interaction).await?,
        ..Evidence::default()
    };
    let self_service = conclusion.next_step == Some(NextStep::None(NoStepReason::SelfService));
    let unwanted = interaction.kind == InteractionKind::Unwanted;
    if !(self_service || unwanted || interaction.feedback_solicited) {
        return Ok(evidence);
    }
    // What was said in those that were merged into it counts too.
    let mut of = store::interaction::merged(conn, interaction.id).await?;
    of.push(interaction.id);
    for id in of {
        evidence.human_entry |= self_service && store::entry::human(conn, id, None).await?;
        evidence.human_reply |= unwanted && store::entry::human(conn, id, Some(Direction::Outbound)).await?;
        evidence.remark |= interaction.feedback_solicited && store::remark::any(conn, id).await?;
    }
    Ok(evidence)
}

/// The findings that still forbid to conclude: those of the last message that we wrote. A promise is put right by making the commitment.
async fn blocking(conn: &mut Conn<'_>, interaction: &Interaction, made: &[Commitment]) -> Result<Vec<String>> {
    let found = store::entry::last_findings(conn, interaction.id).await?;
    let promised = found.iter().any(unbacked) && (!made.is_empty() || store::commitment::any_in(conn, interaction.id).await?);
    Ok(forbidding(found, promised))
}

fn unbacked(finding: &Finding) -> bool {
    finding.check == DraftCheckKind::NoUnbackedPromise
}

/// Those findings in the last message that forbid to conclude, in words; a promise is put right if a commitment was made.
pub(super) fn forbidding(mut found: Vec<Finding>, promised: bool) -> Vec<String> {
    found.retain(|finding| finding.severity == Severity::Block && !(promised && unbacked(finding)));
    found.into_iter().map(|finding| format!("by the rule {} it {}", finding.rule, finding.message)).collect()
}
