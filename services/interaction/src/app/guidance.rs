//! Guidance and reviews: what the manual says, with what is known of the customer. Versions of the manual are kept in memory, for they never change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rapport_core::{Channel, CustomerId, CustomerType, Direction, InteractionId, Language, ManualVersionId, Responder, Stage};
use rapport_db::Conn;

use super::{Result, interaction};
use crate::{
    domain::{
        Customer, Draft, EntryDraft, EntryKind, Finding, Interaction, ManualVersion, Note, Review, Said, Situation,
        guidance::{Guidance, Known, guide},
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

/// What to do and what not to, and the version of the manual that says so.
///
/// # Errors
/// When the interaction is not there.
pub async fn get_guidance(conn: &mut Conn<'_>, manuals: &Manuals, command: GetGuidance) -> Result<(Guidance, Option<Arc<ManualVersion>>)> {
    let Setup { customer, known, situation, manual, .. } = set_up(conn, manuals, command.subject, command.situation).await?;
    let mut facts = Known { preferred_setting: known.and_then(|known| known.preferred_setting), ..Known::default() };
    if let Some(customer) = customer {
        facts.notes = store::note::telling(conn, customer).await?;
        facts.risk = store::risk::find(conn, customer).await?;
        facts.open_commitments = store::commitment::open_of(conn, customer, COMMITMENTS).await?;
    }
    Ok((guide(manual.as_deref(), situation, facts), manual))
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
    let setup = of_interaction(conn, manuals, interaction.clone(), Situation::default()).await?;
    let closing = interaction.stage == Some(Stage::Closing);
    Ok(read(conn, &setup, &entry.body, closing).await?.findings)
}

/// Whether an entry is reviewed: a message that a person of ours wrote to the customer.
fn reviewed(entry: &EntryDraft) -> bool {
    entry.kind == EntryKind::Message && entry.said == Some(Said { by: Responder::Human, direction: Direction::Outbound })
}

async fn set_up(conn: &mut Conn<'_>, manuals: &Manuals, subject: Subject, given: Situation) -> Result<Setup> {
    match subject {
        Subject::Interaction(id) => {
            let interaction = interaction::get_interaction(conn, id).await?;
            of_interaction(conn, manuals, interaction, given).await
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

async fn of_interaction(conn: &mut Conn<'_>, manuals: &Manuals, interaction: Interaction, given: Situation) -> Result<Setup> {
    let known = match interaction.customer {
        Some(customer) => store::customer::find(conn, customer).await?,
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

async fn read(conn: &mut Conn<'_>, setup: &Setup, text: &str, closing: bool) -> Result<Review> {
    let Setup { interaction, customer, situation, manual, .. } = setup;
    let notes: Vec<Note> = match customer {
        Some(customer) => store::note::touchy(conn, *customer).await?,
        None => Vec::new(),
    };
    let said_before = match interaction {
        Some(interaction) => store::entry::human(conn, interaction.id, Some(Direction::Outbound)).await?,
        None => situation.stage.is_some_and(|stage| stage != Stage::Greeting),
    };
    let written = situation.channel.is_some_and(|channel| matches!(channel, Channel::Email | Channel::Letter));
    let promised = store::commitment::any_open(conn, interaction.as_ref().map(|interaction| interaction.id), *customer).await?;
    let language = situation.locale.as_ref().or(manual.as_ref().map(|manual| &manual.locale));
    let draft = Draft {
        text,
        language,
        situation,
        opening: written || !said_before,
        closing: closing || situation.stage == Some(Stage::Closing),
        notes: &notes,
        promised,
    };
    let rules = manual.as_ref().map(|manual| manual.contents.rules.as_slice()).unwrap_or_default();
    Ok(review(rules, &draft))
}
