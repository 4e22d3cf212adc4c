//! Noting what the other services told.

use rapport_core::Context;
use rapport_db::Conn;

use super::{Outcome, consent::withdraw_by_complaint, risk::reassess, save, touch::note_meeting, type_rule::note_shown};
use crate::{
    domain::{
        ContactPointKind, Customer, Event, Thresholds,
        observation::{Change, News, Observation},
    },
    store,
};

/// Notes an observation. A customer who is unknown here has a timeline and a risk all the same: events of different
/// services are not ordered against each other.
///
/// # Errors
/// When the database fails.
pub async fn observe(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, observation: Observation) -> Outcome<()> {
    let Observation { customer, entry, met, changes, news } = observation;
    // The customer before what hangs on it.
    if !news.is_empty()
        && let Some(known) = store::customer::find_for_update(conn, customer).await?
    {
        learn(conn, cx, thresholds, known, news).await?;
    }
    if let Some(entry) = entry {
        store::timeline::insert(conn, &[entry]).await?;
    }
    if met.is_none() && changes.is_empty() {
        return Ok(());
    }
    let mut standing = store::standing::find_for_update(conn, customer).await?;
    standing.last_interaction_time = standing.last_interaction_time.max(met);
    if let Some(met) = met {
        note_meeting(conn, cx.now, customer, met).await?;
    }
    if changes.is_empty() {
        store::standing::update(conn, &standing).await?;
        return Ok(());
    }
    for change in changes {
        match change {
            Change::Observe(signal) => store::signal::insert(conn, signal).await?,
            Change::Mend { code, key } => store::signal::mend(conn, customer, code, key).await?,
            Change::Complaint { interaction, open: true } => store::complaint::open(conn, interaction, customer).await?,
            Change::Complaint { interaction, open: false } => store::complaint::close(conn, interaction).await?,
            Change::HandOver { to, evidence } => store::signal::hand_over(conn, customer, to, evidence).await?,
            Change::TakeOver { from, evidence } => store::signal::hand_over(conn, from, customer, evidence).await?,
            Change::MendAll { code, evidence } => store::signal::mend_all(conn, customer, code, evidence).await?,
        }
    }
    reassess(conn, cx, standing, |before, after| before.score != after.score).await?;
    Ok(())
}

async fn learn(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, mut known: Customer, news: Vec<News>) -> Outcome<()> {
    for item in news {
        match item {
            News::Shown(shown) => known = note_shown(conn, cx, thresholds, known, &shown).await?,
            News::Health { email, health } => {
                if let Some(changed) = known.with_health(ContactPointKind::Email, &email.normalized(), health, cx.now) {
                    known = save(conn, cx, changed, Event::CustomerUpdated).await?;
                }
            }
            News::Complaint { evidence, time } => withdraw_by_complaint(conn, cx, known.id, &evidence, time).await?,
        }
    }
    Ok(())
}
