//! The clocks of interactions: chosen when one begins, followed with each change, and swept when nobody touches it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapport_core::{Context, CustomerId, SubjectId, Time};
use rapport_db::{Conn, Fault, leases};

use super::{Result, announce, interaction};
use crate::{
    domain::{
        Entry, EntryAdded, EntryDraft, Event, Interaction, Situation,
        calendar::OpenHours,
        service_level::{Breach, Promise, ServiceLevel, SlaBreached},
        sla_policy::{SlaPolicy, Terms, choose},
    },
    store,
};

/// What was found late while an interaction was changed, to be told once it is stored.
#[derive(Debug, Default)]
pub(super) struct Late {
    breaches: Vec<Breach>,
    escalation: Option<String>,
}

/// Lets the clocks of an interaction follow what it has become; chooses a policy when it begins, and when it begins again.
pub(super) async fn follow(conn: &mut Conn<'_>, now: Time, interaction: &mut Interaction) -> Result<Late> {
    let live = interaction.state.live();
    let chosen = interaction.service_level.take();
    let mut level = match chosen {
        Some(level) if !(level.ended && live) => level,
        // One that is planned has no clock yet, and one that is recorded when it is over never had one.
        None if !live => return Ok(Late::default()),
        before => {
            let promise = promise(conn, interaction).await?;
            ServiceLevel { promise, ..before.unwrap_or_default() }
        }
    };
    let hours = match &level.promise {
        Some(promise) => hours(conn, &promise.terms).await?,
        None => OpenHours::Always,
    };
    let breaches = level.follow(interaction, &hours, now);
    interaction.sla_due_time = level.next_due();
    interaction.service_level = Some(level);
    let escalation = interaction.escalate(&breaches);
    Ok(Late { breaches, escalation })
}

async fn promise(conn: &mut Conn<'_>, interaction: &Interaction) -> Result<Option<Promise>> {
    let policies = policies(conn).await?;
    if policies.is_empty() {
        return Ok(None);
    }
    let types = match interaction.customer {
        Some(customer) => types(conn, customer).await?,
        None => Vec::new(),
    };
    let situation = Situation { stage: None, ..Situation::of(interaction, types, None) };
    Ok(choose(&policies, &situation).map(|(policy, found)| Promise::of(policy, found.explain())))
}

/// Sets of policies, each as it was at its revision, the one that was asked for last at the end. A revision is an id that no other set of
/// this or another database has, so what is kept is never wrong: a change by whichever replica gives the set another one.
static KEPT: Mutex<Vec<(SubjectId, Arc<[SlaPolicy]>)>> = Mutex::new(Vec::new());
/// Sets kept at most.
const SETS: usize = 8;

fn kept() -> MutexGuard<'static, Vec<(SubjectId, Arc<[SlaPolicy]>)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The policies as this transaction sees them; read only if they were changed since they were last read.
async fn policies(conn: &mut Conn<'_>) -> std::result::Result<Arc<[SlaPolicy]>, Fault> {
    let set = store::service_level::policy_set(conn).await?;
    if set.policies == 0 {
        return Ok(Arc::default());
    }
    if let Some(revision) = set.revision {
        let mut kept = kept();
        if let Some(place) = kept.iter().position(|(of, _)| *of == revision) {
            kept[place..].rotate_left(1);
            return Ok(kept.last().map(|(_, policies)| Arc::clone(policies)).unwrap_or_default());
        }
    }
    let policies: Arc<[SlaPolicy]> = store::service_level::policies(conn).await?.into();
    // On PostgreSQL each statement sees what was committed before it: those just read are of this revision only if it is still that one.
    if let Some(revision) = set.revision
        && store::service_level::policy_set(conn).await? == set
    {
        let mut kept = kept();
        kept.retain(|(of, _)| *of != revision);
        if kept.len() >= SETS {
            kept.remove(0);
        }
        kept.push((revision, Arc::clone(&policies)));
    }
    Ok(policies)
}

async fn types(conn: &mut Conn<'_>, customer: CustomerId) -> std::result::Result<Vec<rapport_core::CustomerType>, Fault> {
    Ok(store::customer::find(conn, customer).await?.map(|customer| customer.types).unwrap_or_default())
}

async fn hours(conn: &mut Conn<'_>, terms: &Terms) -> Result<OpenHours> {
    let Some(id) = terms.calendar else { return Ok(OpenHours::Always) };
    Ok(store::service_level::find_calendar(conn, id).await?.map_or(OpenHours::Always, |calendar| calendar.hours.open()))
}

/// Tells what was found late, and keeps an escalation as an entry.
pub(super) async fn tell(conn: &mut Conn<'_>, cx: &Context, interaction: &Interaction, late: Late) -> Result<()> {
    let Late { breaches, escalation } = late;
    if breaches.is_empty() {
        return Ok(());
    }
    let mut events: Vec<Event> = breaches.into_iter().map(|breach| Event::SlaBreached(SlaBreached::of(interaction, breach))).collect();
    if let Some(escalation) = escalation {
        let note = Entry::record(EntryDraft::system(escalation), interaction.id, interaction.customer, cx);
        super::entry::insert(conn, &note).await?;
        events.push(Event::EntryAdded(EntryAdded::of(note, interaction, false)));
    }
    announce(conn, cx, &events).await?;
    Ok(())
}

/// When the next clock of any interaction is due.
///
/// # Errors
/// When the database fails.
pub async fn next_due(conn: &mut Conn<'_>) -> Result<Option<Time>> {
    Ok(store::interaction::next_sla_due(conn).await?)
}

/// Notes what is late by now, at most `limit` interactions, the oldest first, and says how many. Of several replicas only the
/// one that holds the lease does it; the others note nothing.
///
/// # Errors
/// When the database fails.
pub async fn sweep_service_levels(conn: &mut Conn<'_>, cx: &Context, holder: &str, limit: i64) -> Result<usize> {
    if leases::hold(conn, SWEEPER, holder, LEASE).await?.is_none() {
        return Ok(0);
    }
    let mut swept = 0;
    for late in store::interaction::late_for_update(conn, cx.now, limit).await? {
        let late = Interaction { update_time: cx.now, ..late };
        interaction::update(conn, cx, late).await?;
        swept += 1;
    }
    leases::release(conn, SWEEPER, holder).await?;
    Ok(swept)
}

const SWEEPER: &str = "service-levels";
const LEASE: Duration = Duration::from_secs(30);
