//! Keeping the list of interactions without what was said in them.

use rapport_core::{InteractionId, Page, Time};
use rapport_db::{Conn, Fault};

use super::Answer;
use crate::{
    domain::{
        filter::UndocumentedComparison,
        remark::Remark,
        undocumented::{Documentation, Undocumented},
    },
    store,
};

/// Lists an interaction if its conclusion leaves a gap, and takes it off the list if it does not.
///
/// # Errors
/// When the database fails.
pub async fn note_conclusion(conn: &mut Conn<'_>, concluded: Documentation) -> Answer<()> {
    let interaction = concluded.gap.interaction;
    let said_in = store::undocumented::with_merged(conn, interaction).await?;
    let named = concluded.gap.remarks.clone();
    let ids = said_in.iter().map(|id| id.uuid()).chain(named.iter().map(|id| id.uuid()));
    store::undocumented::hold(conn, ids).await?;
    store::undocumented::delete(conn, interaction).await?;
    let recorded = store::remark::known(conn, &named).await?;
    let any = named.is_empty() && store::remark::any_in(conn, &said_in).await?;
    if let Some(gap) = concluded.gap(&recorded, any) {
        store::undocumented::insert(conn, gap).await?;
    }
    Ok(())
}

/// Takes an interaction that is not concluded any more off the list.
///
/// # Errors
/// When the database fails.
pub async fn note_going_on(conn: &mut Conn<'_>, interaction: InteractionId) -> Answer<()> {
    Ok(store::undocumented::delete(conn, interaction).await?)
}

/// Notes that an interaction goes on in another one.
///
/// # Errors
/// When the database fails.
pub async fn note_merge(conn: &mut Conn<'_>, interaction: InteractionId, survivor: InteractionId) -> Answer<()> {
    store::undocumented::delete(conn, interaction).await?;
    Ok(store::undocumented::merge(conn, interaction, survivor).await?)
}

/// Takes what a remark documents off the list; the remark is stored.
pub(super) async fn note_remark(conn: &mut Conn<'_>, remark: &Remark) -> Result<(), Fault> {
    let mut documented = match remark.interaction {
        Some(interaction) => store::undocumented::with_survivors(conn, interaction).await?,
        None => Vec::new(),
    };
    let ids = documented.iter().map(|id| id.uuid()).chain([remark.id.uuid()]);
    store::undocumented::hold(conn, ids).await?;
    documented.extend(store::undocumented::found(conn, remark.id).await?);
    for interaction in documented {
        if !store::undocumented::waits(conn, interaction).await? {
            store::undocumented::delete(conn, interaction).await?;
        }
    }
    Ok(())
}

/// Lists interactions without what was said in them, the longest concluded first.
///
/// # Errors
/// When the database fails.
pub async fn list_undocumented(
    conn: &mut Conn<'_>,
    filter: &[UndocumentedComparison],
    page: &Page<(Time, InteractionId)>,
) -> Answer<Vec<Undocumented>> {
    Ok(store::undocumented::list(conn, filter, page).await?)
}
