//! Guidance and reviews: what the manual says, with what is known of the customer. Versions of the manual are kept in memory, for they never change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rapport_core::{Channel, CustomerId, CustomerType, Direction, InteractionId, Language, ManualVersionId, Responder, Stage};
use rapport_db::Conn;

use super::{Result, interaction, shelf::Shelves};
use crate::{
    domain::{
        Customer, Draft, EntryDraft, EntryKind, Finding, Interaction, ManualVersion, Note, Review, Said, Situation,
        default_setting::DefaultSettings,
        guidance::{Guidance, GuidedFlow, House, Known, MAX_CONNECTIONS, guide},
        review,
    },
    store,
};

/// Versions of the manual that are kept in memory, at most.
const KEPT: usize = 8;
/// Open commitments that guidance tells of, at most.
const COMMITMENTS: i64 = 50;

/// The versions of the manual that were asked for last.
#[derive(Clone, Debug, Default)]
pub struct Manuals(Arc<Mutex<HashMap<ManualVersionId, Arc<ManualVersion>>>>);

impl Manuals {
    fn kept(&self) -> MutexGuard<'_, HashMap<ManualVersionId, Arc<ManualVersion>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This version, or the one in force; none when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, conn: &mut Conn<'_>, id: Option<ManualVersionId>) -> Result<Option<Arc<ManualVersion>>> {
        let id = match id {
            Some(id) => Some(id),
            None => store::manual::in_force(conn).await?,
        };
        let Some(id) = id else { return Ok(None) };
        if let Some(manual) = self.kept().get(&id) {
            return Ok(Some(Arc::clone(manual)));
        }
        let Some(manual) = store::manual::find(conn, id).await?.map(Arc::new) else { return Ok(None) };
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(id, Arc::clone(&manual));
        Ok(Some(manual))
    }
}

/// Whom and what something is asked for.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An interaction.
    Interaction(InteractionId),
    /// A customer, with what was learnt of them on the way if the projection did not know.
    Customer(CustomerId, Option<Customer>),
    /// Somebody whom nobody knows.
    Nobody,
}

/// Asks for guidance.
#[derive(Clone, Debug)]
pub struct GetGuidance {
    /// For whom.
    pub subject: Subject,
    /// What is known of the situation; it goes before what the interaction says.
    pub situation: Situation,
}

/// Asks for a review.
#[derive(Clone, Debug)]
pub struct ReviewDraft {
    /// For whom.
    pub subject: Subject,
    /// What is known of the situation; it goes before what the interaction says.
    pub situation: Situation,
    /// What is to be sent.
    pub text: String,
    /// Whether nothing more is to follow.
    pub closing: bool,
}

/// Who and what a subject stands for.
struct Setup {
    interaction: Option<Interaction>,
    customer: Option<CustomerId>,
    known: Option<Customer>,
    situation: Situation,
    manual: Option<Arc<ManualVersion>>,
}

/// What the house has in memory for guidance.
#[derive(Clone, Copy, Debug)]
pub struct Library<'a> {
    /// The versions of the manual.
    pub manuals: &'a Manuals,
    /// The approved messages and the call flows.
    pub shelves: &'a Shelves,
    /// By the book or personal, where nothing else decides.
    pub defaults: &'a DefaultSettings,
}

/// What to do and what not to, and the version of the manual that says so.
///
/// # Errors
/// When the interaction is not there.
pub async fn get_guidance(
    conn: &mut Conn<'_>,
    library: Library<'_>,
    command: GetGuidance,
) -> Result<(Guidance, Option<Arc<ManualVersion>>)> {
    let Library { manuals, shelves, defaults } = library;
    let Setup { interaction, customer, known, situation, manual } = set_up(conn, manuals, command.subject, command.situation).await?;
    let mut facts = Known { preferred_setting: known.and_then(|known| known.preferred_setting), ..Known::default() };
    if let Some(interaction) = &interaction {
        facts.following = following(conn, interaction).await?;
    }
    if let Some(customer) = customer {
        facts.notes = store::note::telling(conn, customer).await?;
        facts.risk = store::risk::find(conn, customer).await?;
        facts.open_commitments = store::commitment::open_of(conn, customer, COMMITMENTS).await?;
        facts.connections = store::connection::closest(conn, customer, MAX_CONNECTIONS).await?;
    }
    let shelf = shelves.open(conn).await?;
    let house = House { shelf: &shelf, defaults };
    Ok((guide(manual.as_deref(), house, situation, facts), manual))
}

/// The call flow that an interaction follows, as the version that it follows says.
async fn following(conn: &mut Conn<'_>, interaction: &Interaction) -> Result<Option<GuidedFlow>> {
    let Some(run) = &interaction.call_flow else { return Ok(None) };
    let Some(flow) = store::call_flow::find_version(conn, run.call_flow, run.revision).await? else { return Ok(None) };
    let next = run.current.as_deref().and_then(|step| flow.step(step)).cloned();
    Ok(Some(GuidedFlow { id: run.call_flow, revision: run.revision, title: flow.title, started: true, next }))
}

/// What the manual's rules find in a draft, and the version that says so.
///
/// # Errors
/// When the interaction is not there.
pub async fn review_draft(conn: &mut Conn<'_>, manuals: &Manuals, command: ReviewDraft) -> Result<(Review, Option<Arc<ManualVersion>>)> {
    let setup = set_up(conn, manuals, command.subject, command.situation).await?;
    let review = read(conn, &setup, &command.text, command.closing).await?;
    Ok((review, setup.manual))
}

/// What is found in something that a person of ours writes in an interaction; nothing in any other entry.
pub(super) async fn findings(
    conn: &mut Conn<'_>,
    manuals: &Manuals,
    interaction: &Interaction,
    entry: &EntryDraft,
) -> Result<Vec<Finding>> {
    if !reviewed(entry) {
        return Ok(Vec::new());
    }
    let setup = of_interaction(conn, manuals, interaction.clone(), None, Situation::default()).await?;
    let closing = interaction.stage == Some(Stage::Closing);
    Ok(read(conn, &setup, &entry.body, closing).await?.findings)
}

/// Writes into the entries of an interaction that is over what is found in each that a person of ours wrote. The stage is that of the last
/// one; `promised` is whether a promise was made with them.
pub(super) async fn review_all(
    conn: &mut Conn<'_>,
    manuals: &Manuals,
    (interaction, learnt): (&Interaction, Option<Customer>),
    entries: &mut [EntryDraft],
    promised: bool,
) -> Result<()> {
    let Some(last) = entries.iter().rposition(reviewed) else { return Ok(()) };
    let mut setup = of_interaction(conn, manuals, interaction.clone(), learnt, Situation::default()).await?;
    let stage = setup.situation.stage.take();
    let notes = touchy(conn, setup.customer).await?;
    let promised = promised || store::commitment::any_open(conn, None, setup.customer).await?;
    let mut said_before = false;
    for (index, entry) in entries.iter_mut().enumerate() {
        if reviewed(entry) {
            let situation = &Situation { stage: stage.filter(|_| index == last), ..setup.situation.clone() };
            let ground = Ground { situation, notes: &notes, said_before, promised, closing: false };
            entry.findings = judge(&setup, &entry.body, &ground).findings;
        }
        said_before |= entry.said == Some(OURS);
    }
    Ok(())
}

/// What a person of ours says to the customer.
const OURS: Said = Said { by: Responder::Human, direction: Direction::Outbound };

/// Whether an entry is reviewed: a message that a person of ours wrote to the customer.
pub(super) fn reviewed(entry: &EntryDraft) -> bool {
    entry.kind == EntryKind::Message && entry.said == Some(OURS)
}

async fn set_up(conn: &mut Conn<'_>, manuals: &Manuals, subject: Subject, given: Situation) -> Result<Setup> {
    match subject {
        Subject::Interaction(id) => {
            let interaction = interaction::get_interaction(conn, id).await?;
            of_interaction(conn, manuals, interaction, None, given).await
        }
        Subject::Customer(id, learnt) => {
            let known = match store::customer::find(conn, id).await? {
                Some(known) => Some(known),
                None => learnt,
            };
            let situation = complete(given, types(known.as_ref()), language(known.as_ref()));
            Ok(Setup { interaction: None, customer: Some(id), known, situation, manual: manuals.open(conn, None).await? })
        }
        Subject::Nobody => {
            let manual = manuals.open(conn, None).await?;
            Ok(Setup { interaction: None, customer: None, known: None, situation: given, manual })
        }
    }
}

async fn of_interaction(
    conn: &mut Conn<'_>,
    manuals: &Manuals,
    interaction: Interaction,
    learnt: Option<Customer>,
    given: Situation,
) -> Result<Setup> {
    let known = match interaction.customer {
        Some(customer) => store::customer::find(conn, customer).await?.or(learnt),
        None => None,
    };
    let manual = manuals.open(conn, interaction.manual_version).await?;
    let of = Situation::of(&interaction, types(known.as_ref()), language(known.as_ref()));
    let situation = given.or(of);
    Ok(Setup { customer: interaction.customer, interaction: Some(interaction), known, situation, manual })
}

fn types(known: Option<&Customer>) -> Vec<CustomerType> {
    known.map(|known| known.types.clone()).unwrap_or_default()
}

fn language(known: Option<&Customer>) -> Option<Language> {
    known.and_then(|known| known.language.clone())
}

fn complete(given: Situation, customer_types: Vec<CustomerType>, locale: Option<Language>) -> Situation {
    given.or(Situation { customer_types, locale, ..Situation::default() })
}

/// What must be known of a draft beside its text.
struct Ground<'a> {
    situation: &'a Situation,
    notes: &'a [Note],
    said_before: bool,
    promised: bool,
    closing: bool,
}

async fn read(conn: &mut Conn<'_>, setup: &Setup, text: &str, closing: bool) -> Result<Review> {
    let Setup { interaction, customer, situation, .. } = setup;
    let notes = touchy(conn, *customer).await?;
    let said_before = match interaction {
        Some(interaction) => store::entry::human(conn, interaction.id, Some(Direction::Outbound)).await?,
        None => situation.stage.is_some_and(|stage| stage != Stage::Greeting),
    };
    let promised = store::commitment::any_open(conn, interaction.as_ref().map(|interaction| interaction.id), *customer).await?;
    Ok(judge(setup, text, &Ground { situation, notes: &notes, said_before, promised, closing }))
}

async fn touchy(conn: &mut Conn<'_>, customer: Option<CustomerId>) -> Result<Vec<Note>> {
    Ok(match customer {
        Some(customer) => store::note::touchy(conn, customer).await?,
        None => Vec::new(),
    })
}

fn judge(setup: &Setup, text: &str, ground: &Ground<'_>) -> Review {
    let Ground { situation, notes, said_before, promised, closing } = *ground;
    let manual = setup.manual.as_ref();
    let written = situation.channel.is_some_and(|channel| matches!(channel, Channel::Email | Channel::Letter));
    let draft = Draft {
        text,
        language: situation.locale.as_ref().or(manual.map(|manual| &manual.locale)),
        situation,
        opening: written || !said_before,
        closing: closing || situation.stage == Some(Stage::Closing),
        notes,
        promised,
    };
    review(manual.map(|manual| manual.contents.rules.as_slice()).unwrap_or_default(), &draft)
}
