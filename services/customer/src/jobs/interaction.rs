//! What the interaction service tells: timelines, when we last met, promises, and what went wrong.

use rapport_core::{BusinessFunction, Context, CustomerId, InteractionKind, SubjectId, Time, words::Word};
use rapport_db::Conn;
use rapport_proto::{
    common::v1::{EventMeta, Phase},
    interaction::v1::{
        Commitment, CommitmentState, Demand, EntryAdded, EntryKind, Event, Expectation, InformalOffer, Interaction, InteractionState,
        Outcome as Result, Purpose, SlaBreached, SlaTarget, event::Payload,
    },
};

use super::entry::{With, entry, quoted, time};
use crate::{
    app::{Outcome, observation::observe},
    domain::{
        RiskCode, Signal, Thresholds, TypeFact, TypeFactKind,
        observation::{Change, News, Observation, Shown},
    },
};

const SERVICE: &str = "interaction";

/// The events that say something here.
pub const TYPES: &[&str] = &[
    "interaction.scheduled",
    "interaction.opened",
    "interaction.entry_added",
    "interaction.first_human_response",
    "interaction.updated",
    "interaction.concluded",
    "interaction.reopened",
    "interaction.abandoned",
    "interaction.cancelled",
    "interaction.merged",
    "interaction.moved",
    "interaction.sla_breached",
    "commitment.made",
    "commitment.kept",
    "commitment.broken",
    "commitment.moved",
    "commitment.renegotiated",
    "commitment.released",
    "commitment.cancelled",
];

/// Notes an event.
///
/// # Errors
/// When the database fails.
pub async fn follow(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, event: &Event) -> Outcome<()> {
    for observation in left(event).into_iter().chain(observation(event)) {
        observe(conn, cx, thresholds, observation).await?;
    }
    Ok(())
}

/// What an event says about the customer from whom its subject was moved to another one: that it was a mistake, and counts no more.
fn left(event: &Event) -> Option<Observation> {
    let meta = event.meta.as_ref()?;
    let from: CustomerId = event.moved_from_customer_id.parse().ok()?;
    let (to, line) = match event.payload.as_ref()? {
        Payload::Interaction(interaction) => {
            let line = entry(SERVICE, meta, from, &format!("turned out to be with another customer: {}", subject(interaction)));
            (&interaction.customer_id, line.by(interaction.channel).towards(interaction.direction).in_setting(interaction.setting))
        }
        Payload::Commitment(commitment) => {
            let text = format!("turned out to be promised to another customer: {}", quoted(&commitment.text));
            (&commitment.customer_id, entry(SERVICE, meta, from, &text))
        }
        Payload::EntryAdded(_) | Payload::SlaBreached(_) | Payload::ManualVersion(_) | Payload::Agent(_) => return None,
    };
    let change = Change::HandOver { to: to.parse().ok().filter(|to| *to != from)?, evidence: meta.subject_id.parse().ok()? };
    Some(Observation { entry: line, changes: vec![change], ..Observation::of(from) })
}

/// What counted for the customer from whom the subject of an event was moved.
fn taken_over(event: &Event) -> Option<Change> {
    let from: CustomerId = event.moved_from_customer_id.parse().ok()?;
    Some(Change::TakeOver { from, evidence: event.meta.as_ref()?.subject_id.parse().ok()? })
}

fn subject(interaction: &Interaction) -> &str {
    if interaction.subject.is_empty() { interaction.purpose().as_str_name().trim_start_matches("PURPOSE_") } else { &interaction.subject }
}

/// What an event says about its customer, if it names one.
pub fn observation(event: &Event) -> Option<Observation> {
    let meta = event.meta.as_ref()?;
    let noted = match event.payload.as_ref()? {
        Payload::Interaction(interaction) => complaint(meta, interaction, of_interaction(meta, interaction)),
        Payload::EntryAdded(added) => of_entry(meta, added),
        Payload::Commitment(commitment) => of_commitment(meta, commitment),
        Payload::SlaBreached(breached) => of_breach(meta, breached),
        // What concerns our own people and no customer.
        Payload::ManualVersion(_) | Payload::Agent(_) => None,
    };
    // What was observed before it was moved, then what it says itself.
    noted.map(|noted| Observation { changes: taken_over(event).into_iter().chain(noted.changes).collect(), ..noted })
}

/// Adds whether the interaction is a complaint that is going on. What an interaction is for may change: a change always says so.
fn complaint(meta: &EventMeta, interaction: &Interaction, noted: Option<Observation>) -> Option<Observation> {
    let complaint = interaction.purpose() == Purpose::Complaint;
    if !complaint && !matches!(meta.r#type.as_str(), "interaction.updated" | "interaction.merged") {
        return noted;
    }
    let customer: CustomerId = interaction.customer_id.parse().ok()?;
    let change = Change::Complaint { interaction: interaction.interaction_id.parse().ok()?, open: complaint && live(interaction.state()) };
    let mut noted = noted.unwrap_or_else(|| Observation::of(customer));
    noted.changes.push(change);
    Some(noted)
}

fn of_interaction(meta: &EventMeta, interaction: &Interaction) -> Option<Observation> {
    let customer: CustomerId = interaction.customer_id.parse().ok()?;
    let id: SubjectId = interaction.interaction_id.parse().ok()?;
    let happened = time(meta.time.as_ref())?;
    let (began, ended) = (time(interaction.start_time.as_ref()), time(interaction.end_time.as_ref()));
    let subject = subject(interaction);
    let unwanted = interaction.kind == InteractionKind::Unwanted.number();
    let signal =
        |code, key, at: Option<Time>| Signal { customer, code, key, evidence: id, observe_time: at.unwrap_or(happened), mended: false };
    let mut noted = Observation::of(customer);
    let (text, at) = match meta.r#type.as_str() {
        // The entry that answered has a line of its own.
        "interaction.first_human_response" => {
            noted.changes.push(Change::MendAll { code: RiskCode::Unanswered, evidence: id });
            return Some(noted);
        }
        // One into which an unwanted one was merged, or that was found to be unwanted, counts as one that began so.
        "interaction.updated" => {
            if !unwanted || !live(interaction.state()) {
                return None;
            }
            noted.changes.push(Change::Observe(signal(RiskCode::UnwantedInteraction, id, Some(happened))));
            return Some(noted);
        }
        "interaction.scheduled" => (format!("is planned: {subject}"), None),
        "interaction.opened" => {
            noted.met = began;
            if unwanted {
                noted.changes.push(Change::Observe(signal(RiskCode::UnwantedInteraction, id, began)));
            }
            (format!("began: {subject}"), began)
        }
        "interaction.concluded" => {
            noted.met = ended;
            conclusion(interaction, unwanted, id, &mut noted, |code| signal(code, id, ended));
            noted.news.extend(shown(interaction, customer, id, ended.unwrap_or(happened)).map(News::Shown));
            (concluded(interaction, subject), ended)
        }
        "interaction.reopened" => {
            noted.met = Some(happened);
            let event: SubjectId = meta.event_id.parse().ok()?;
            noted.changes.push(Change::Observe(signal(RiskCode::Reopened, event, Some(happened))));
            (format!("was reopened: {subject}"), None)
        }
        "interaction.abandoned" => {
            noted.met = ended;
            (format!("was left by the customer: {subject}"), ended)
        }
        "interaction.cancelled" => (format!("was cancelled: {subject}"), None),
        "interaction.merged" => {
            // What is unwanted about it goes on in the survivor.
            noted.changes.push(Change::Mend { code: RiskCode::UnwantedInteraction, key: id });
            (format!("goes on in another one: {subject}"), None)
        }
        "interaction.moved" => {
            noted.met = ended.or(began);
            // What it shows was shown of another customer.
            noted.news.extend(ended.and_then(|ended| shown(interaction, customer, id, ended)).map(News::Shown));
            // Nobody noted it while nobody knew whose it was.
            if unwanted && ended.is_none() {
                noted.changes.push(Change::Observe(signal(RiskCode::UnwantedInteraction, id, began)));
            }
            (format!("turned out to be with this customer: {subject}"), None)
        }
        _ => return None,
    };
    noted.entry =
        entry(SERVICE, meta, customer, &text).by(interaction.channel).towards(interaction.direction).in_setting(interaction.setting).at(at);
    Some(noted)
}

const fn live(state: InteractionState) -> bool {
    use InteractionState::{Open, WaitingOnCustomer, WaitingOnUs};
    matches!(state, Open | WaitingOnCustomer | WaitingOnUs)
}

fn conclusion(interaction: &Interaction, unwanted: bool, id: SubjectId, noted: &mut Observation, signal: impl Fn(RiskCode) -> Signal) {
    if unwanted {
        noted.changes.push(Change::Mend { code: RiskCode::UnwantedInteraction, key: id });
    }
    let Some(conclusion) = &interaction.conclusion else { return };
    match conclusion.expectation() {
        Expectation::Missed => noted.changes.push(Change::Observe(signal(RiskCode::ExpectationMissed))),
        Expectation::Exceeded => noted.changes.push(Change::Observe(signal(RiskCode::ExpectationExceeded))),
        Expectation::Unspecified | Expectation::Met | Expectation::Unknown => {}
    }
}

/// What a conclusion shows of the customer's types; one that comes again takes the place of what the one before it showed.
fn shown(interaction: &Interaction, customer: CustomerId, id: SubjectId, at: Time) -> Option<Shown> {
    let resolved = interaction.conclusion.as_ref().is_some_and(|conclusion| conclusion.outcome() == Result::Resolved);
    let function = interaction.function;
    let mut kinds = Vec::new();
    if resolved && interaction.phase() == Phase::Purchase {
        kinds.push(TypeFactKind::Purchase);
        let demand = interaction.informal_offer.as_ref().map(InformalOffer::demand);
        if matches!(demand, Some(Demand::CreatedBySeller | Demand::Chance)) {
            kinds.push(TypeFactKind::ImpulsePurchase);
        }
        if interaction.kind == InteractionKind::Unpredictable.number() {
            kinds.push(TypeFactKind::UnplannedPurchase);
        }
        if interaction.purpose() == Purpose::CampaignResponse {
            kinds.push(TypeFactKind::DealPurchase);
        }
    } else if function == BusinessFunction::Sales.number()
        || function == BusinessFunction::Marketing.number()
        || interaction.phase() == Phase::PreSale
    {
        kinds.push(TypeFactKind::SalesContact);
    }
    if resolved && interaction.purpose() == Purpose::Onboarding {
        kinds.push(TypeFactKind::Onboarding);
    }
    let lasted = time(interaction.start_time.as_ref()).map_or(0, |began| at.since(began).as_secs());
    let seconds = i64::try_from(lasted).unwrap_or(i64::MAX);
    let facts: Vec<TypeFact> = kinds.into_iter().map(|kind| TypeFact { seconds, ..TypeFact::new(kind, customer, id, at) }).collect();
    (!facts.is_empty() || interaction.reopen_count > 0).then_some(Shown { by: id, facts })
}

fn concluded(interaction: &Interaction, subject: &str) -> String {
    let Some(conclusion) = &interaction.conclusion else { return format!("ended: {subject}") };
    let outcome = conclusion.outcome().as_str_name().trim_start_matches("OUTCOME_").to_lowercase().replace('_', " ");
    format!("ended, {outcome}: {subject}. {}", quoted(&conclusion.summary))
}

fn of_entry(meta: &EventMeta, added: &EntryAdded) -> Option<Observation> {
    let customer: CustomerId = added.customer_id.parse().ok()?;
    let said = added.entry.as_ref()?;
    let what = match said.kind() {
        EntryKind::Message => "a message",
        EntryKind::Spoken => "a spoken word",
        // Written by ourselves for ourselves: the customer had no part in it.
        EntryKind::Unspecified | EntryKind::InternalNote | EntryKind::System => return None,
    };
    use rapport_proto::common::v1::{Direction, Responder};
    let (from, automated) = (said.direction(), said.responder() == Responder::Automated);
    let who = match (from, automated) {
        (Direction::Inbound, _) => "of the customer",
        (_, true) => "by a machine of ours",
        (_, false) => "by a person of ours",
    };
    let at = time(said.occur_time.as_ref());
    let mut noted = Observation::of(customer);
    noted.met = at.filter(|_| !automated);
    noted.entry = entry(SERVICE, meta, customer, &format!("{what} {who}")).towards(said.direction).at(at);
    Some(noted)
}

/// Something was not reached in time: an observation for each thing that was waited for, not for each interaction.
fn of_breach(meta: &EventMeta, breached: &SlaBreached) -> Option<Observation> {
    let customer: CustomerId = breached.customer_id.parse().ok()?;
    let evidence: SubjectId = breached.interaction_id.parse().ok()?;
    let breach = breached.breach.as_ref()?;
    let due = time(breach.due_time.as_ref())?;
    let (code, what) = match breach.target() {
        SlaTarget::FirstHumanResponse => (RiskCode::SlowHumanResponse, "a person of ours did not answer in time for the first time"),
        SlaTarget::NextResponse => (RiskCode::Unanswered, "a further answer did not come in time"),
        SlaTarget::Resolution => (RiskCode::Unanswered, "the conclusion did not come in time"),
        SlaTarget::Unspecified => return None,
    };
    let key: SubjectId = meta.event_id.parse().ok()?;
    let mut noted = Observation::of(customer);
    noted.changes.push(Change::Observe(Signal { customer, code, key, evidence, observe_time: due, mended: false }));
    noted.entry = entry(SERVICE, meta, customer, what).at(Some(due));
    Some(noted)
}

fn of_commitment(meta: &EventMeta, commitment: &Commitment) -> Option<Observation> {
    let customer: CustomerId = commitment.customer_id.parse().ok()?;
    let id: SubjectId = commitment.commitment_id.parse().ok()?;
    let happened = time(meta.time.as_ref())?;
    let signal =
        |code, at: Option<Time>, mended| Signal { customer, code, key: id, evidence: id, observe_time: at.unwrap_or(happened), mended };
    let (broken, kept) = (time(commitment.break_time.as_ref()), time(commitment.kept_time.as_ref()));
    let mut noted = Observation::of(customer);
    let (verb, at) = match (meta.r#type.as_str(), commitment.state()) {
        ("commitment.made", _) => ("promised", None),
        ("commitment.kept", CommitmentState::KeptLate) => {
            // The clock may not have found it broken before it was kept: then it is observed as mended at once.
            noted.changes.push(Change::Observe(signal(RiskCode::BrokenPromise, broken.or(kept), true)));
            noted.changes.push(Change::Mend { code: RiskCode::BrokenPromise, key: id });
            ("promise kept late", kept)
        }
        ("commitment.kept", _) => {
            noted.changes.push(Change::Observe(signal(RiskCode::PromiseKept, kept, false)));
            ("promise kept", kept)
        }
        ("commitment.broken", _) => {
            noted.changes.push(Change::Observe(signal(RiskCode::BrokenPromise, broken, false)));
            ("promise broken", broken)
        }
        ("commitment.moved", state) => {
            if state == CommitmentState::Broken {
                noted.changes.push(Change::Observe(signal(RiskCode::BrokenPromise, broken, false)));
            }
            ("turned out to be promised to this customer", None)
        }
        ("commitment.renegotiated", _) => ("promise moved", None),
        ("commitment.released", _) => ("let us off a promise", time(commitment.settle_time.as_ref())),
        ("commitment.cancelled", _) => ("promise taken back, made in error", time(commitment.settle_time.as_ref())),
        _ => return None,
    };
    let due = time(commitment.due_time.as_ref()).map(|due| format!(" (due {due})")).unwrap_or_default();
    noted.entry = entry(SERVICE, meta, customer, &format!("{verb}{due}: {}", quoted(&commitment.text))).at(at);
    Some(noted)
}

#[cfg(test)]
#[path = "interaction_tests.rs"]
mod tests;
