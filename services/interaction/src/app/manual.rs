//! The manual: written, published, and loaded as an example on a first run.

use rapport_core::{Context, Failure, Language, ManualVersionId, Page};
use rapport_db::Conn;

use super::{Result, agent, announce, unchanged};
use crate::{
    domain::{Contents, Event, ManualEdit, ManualVersion, Refused, filter::ManualCriterion},
    store::{self, manual::Key},
};

/// Begins a version.
#[derive(Clone, Debug)]
pub struct CreateManualVersion {
    /// The id to give it.
    pub id: ManualVersionId,
    /// What it says.
    pub edit: ManualEdit,
    /// The version to copy.
    pub base: Option<ManualVersionId>,
}

/// Begins a version as a draft.
///
/// # Errors
/// When there is one with its id, or when the one to copy is not there.
pub async fn create_manual_version(conn: &mut Conn<'_>, cx: &Context, command: CreateManualVersion) -> Result<ManualVersion> {
    let CreateManualVersion { id, edit, base } = command;
    let draft = match base {
        Some(base) => get_manual_version(conn, Some(base)).await?.copy(id, cx.now),
        None => ManualVersion::draft(id, String::new(), english()?, cx.now),
    };
    let draft = draft.edit(edit, cx.now).map_err(Failure::Refused)?;
    if store::manual::insert(conn, draft.clone()).await? { Ok(draft) } else { Err(Failure::Refused(Refused::ManualVersionExists(id))) }
}

fn english() -> Result<Language> {
    "en".parse().map_err(Failure::internal)
}

/// One version with its contents; without an id, the one in force.
///
/// # Errors
/// When there is none.
pub async fn get_manual_version(conn: &mut Conn<'_>, id: Option<ManualVersionId>) -> Result<ManualVersion> {
    let id = match id {
        Some(id) => id,
        None => store::manual::in_force(conn).await?.ok_or(Failure::Refused(Refused::ManualNotPublished))?,
    };
    store::manual::find(conn, id).await?.ok_or_else(|| Failure::not_found("manual version", id))
}

/// One page of versions without contents, the newest first, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_manual_versions(
    conn: &mut Conn<'_>,
    criteria: &[ManualCriterion],
    page: &Page<Key>,
) -> Result<(Vec<ManualVersion>, String)> {
    let rows = store::manual::list(conn, criteria, page).await?;
    Ok(page.answer(rows, |manual| (manual.create_time, manual.id)))
}

/// Changes a draft.
#[derive(Clone, Debug)]
pub struct UpdateManualVersion {
    /// Which one.
    pub id: ManualVersionId,
    /// What to change.
    pub edit: ManualEdit,
    /// The version of the row that the caller read.
    pub read: Option<i64>,
}

/// Changes a draft.
///
/// # Errors
/// When it is not there, or no draft any more.
pub async fn update_manual_version(conn: &mut Conn<'_>, cx: &Context, command: UpdateManualVersion) -> Result<ManualVersion> {
    let loaded = load(conn, command.id, command.read).await?;
    save(conn, loaded.edit(command.edit, cx.now).map_err(Failure::Refused)?).await
}

/// Puts a draft in force.
#[derive(Clone, Debug)]
pub struct PublishManualVersion {
    /// Which one.
    pub id: ManualVersionId,
    /// The version of the row that the caller read.
    pub read: Option<i64>,
}

/// A version that was put in force.
#[derive(Clone, Debug)]
pub struct Published {
    /// The version, without its contents.
    pub manual: ManualVersion,
    /// How many endorsements lapsed by it.
    pub lapsed: usize,
}

/// Puts a draft in force, retires the version before it, and lapses the endorsements that no longer meet what is required.
///
/// # Errors
/// When it is not there, no draft any more, or every problem that it has.
pub async fn publish_manual_version(conn: &mut Conn<'_>, cx: &Context, command: PublishManualVersion) -> Result<Published> {
    // First, so that nobody is endorsed by the old version while the new one is being put in force.
    let (before, count) = store::manual::in_force_for_update(conn).await?;
    let draft = load(conn, command.id, command.read).await?;
    let published = draft.publish(count + 1, cx).map_err(Failure::Refused)?;
    if let Some(before) = before {
        let old = store::manual::find_for_update(conn, before).await?.ok_or_else(|| Failure::not_found("manual version", before))?;
        save(conn, old.retire(cx.now)).await?;
    }
    let published = save(conn, published).await?;
    store::manual::put_in_force(conn, published.id, published.number).await?;
    let mut events = vec![Event::ManualPublished(head(published.clone()))];
    let lapsed = agent::review_all(conn, cx, &published.contents, &mut events).await?;
    announce(conn, cx, &events).await?;
    Ok(Published { manual: head(published), lapsed })
}

/// What publishing would do, without doing it.
///
/// # Errors
/// Those of publishing.
pub async fn check_manual_version(conn: &mut Conn<'_>, cx: &Context, command: PublishManualVersion) -> Result<Published> {
    let draft = get_manual_version(conn, Some(command.id)).await?;
    unchanged(command.read, draft.version)?;
    let published = draft.publish(1, cx).map_err(Failure::Refused)?;
    let lapsed = agent::would_lapse(conn, cx, &published.contents).await?;
    Ok(Published { manual: head(published), lapsed })
}

/// Loads the example manual and puts it in force, if this database has seen neither a manual nor an interaction. Says whether it did. Of
/// several replicas that start at once one does it.
///
/// # Errors
/// When the database fails, or when the example cannot be published.
pub async fn load_example(conn: &mut Conn<'_>, cx: &Context, edit: ManualEdit) -> Result<bool> {
    // The lock makes the second of two replicas see what the first one did.
    store::manual::in_force_for_update(conn).await?;
    if store::manual::any(conn).await? || !store::interaction::after(conn, None, 1).await?.is_empty() {
        return Ok(false);
    }
    let created = create_manual_version(conn, cx, CreateManualVersion { id: cx.fresh(), edit, base: None }).await?;
    publish_manual_version(conn, cx, PublishManualVersion { id: created.id, read: None }).await?;
    Ok(true)
}

fn head(manual: ManualVersion) -> ManualVersion {
    ManualVersion { contents: Contents::default(), ..manual }
}

async fn load(conn: &mut Conn<'_>, id: ManualVersionId, read: Option<i64>) -> Result<ManualVersion> {
    let manual = store::manual::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("manual version", id))?;
    unchanged(read, manual.version)?;
    Ok(manual)
}

async fn save(conn: &mut Conn<'_>, manual: ManualVersion) -> Result<ManualVersion> {
    store::manual::update(conn, manual).await?.ok_or(Failure::Stale)
}
