//! Recording many interactions that are over: a group of rows in one transaction, each row decided by itself.

use std::collections::HashSet;

use rapport_core::{Context, Failure, InteractionId, Refusal, Violations};
use rapport_db::{Conn, Fault, audit};

use super::{
    Result, announce,
    guidance::Manuals,
    log::{LogInteraction, prepare},
};
use crate::{
    domain::{InteractionImportResult, Refused},
    store,
};

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// The interaction; none for a refused row.
    pub interaction: Option<InteractionId>,
    /// What became of it.
    pub result: InteractionImportResult,
    /// What is wrong with a refused row.
    pub violations: Violations,
}

impl RowOutcome {
    /// A refused row.
    pub const fn refused(violations: Violations) -> Self {
        Self { interaction: None, result: InteractionImportResult::Refused, violations }
    }
    const fn done(interaction: InteractionId, result: InteractionImportResult) -> Self {
        Self { interaction: Some(interaction), result, violations: Violations::new() }
    }
}

/// Records a group of rows and answers what became of each, in their order; in a dry run it stores nothing.
///
/// # Errors
/// When the database fails; no row's own fault fails the group.
pub async fn import_interactions(
    conn: &mut Conn<'_>,
    cx: &Context,
    manuals: &Manuals,
    import: &str,
    rows: &[LogInteraction],
    dry_run: bool,
) -> Result<Vec<RowOutcome>> {
    let ids: Vec<InteractionId> = rows.iter().map(|row| row.id).collect();
    let mut taken = store::interaction::taken(conn, &ids).await?;
    let mut outcomes = Vec::with_capacity(rows.len());
    let (mut interactions, mut entries, mut commitments, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut customers = HashSet::new();
    for row in rows {
        if taken.contains(&row.id) {
            outcomes.push(RowOutcome::done(row.id, InteractionImportResult::Duplicate));
            continue;
        }
        match prepare(conn, cx, manuals, row.clone()).await {
            Ok(prepared) => {
                taken.insert(row.id);
                if let Some(customer) = row.customer.clone().filter(|customer| !dry_run && customers.insert(customer.id)) {
                    store::customer::insert_if_new(conn, customer).await?;
                }
                interactions.push(prepared.interaction);
                entries.extend(prepared.entries);
                commitments.extend(prepared.commitments);
                events.extend(prepared.events);
                let recorded = RowOutcome::done(row.id, InteractionImportResult::Recorded);
                // What is not recorded has no id.
                outcomes.push(if dry_run { RowOutcome { interaction: None, ..recorded } } else { recorded });
            }
            Err(Failure::Invalid(violations)) => outcomes.push(RowOutcome::refused(violations)),
            Err(Failure::Refused(refused)) => outcomes.push(RowOutcome::refused(reasons(&refused))),
            Err(failure) => return Err(failure),
        }
    }
    if dry_run || interactions.is_empty() {
        return Ok(outcomes);
    }
    let stored = [
        (store::interaction::insert_many(conn, &interactions).await?, interactions.len()),
        (store::entry::insert_many(conn, &entries).await?, entries.len()),
        (store::commitment::insert_many(conn, &commitments).await?, commitments.len()),
    ];
    if stored.iter().any(|(stored, wanted)| stored != wanted) {
        // Another import took one of these rows just now: from the start, they are duplicates.
        return Err(Fault::Repeat.into());
    }
    announce(conn, cx, &events).await?;
    audit::record(conn, cx, "ImportInteractions", import, "").await?;
    Ok(outcomes)
}

/// What a refusal says, as violations: each condition that is not met, or the refusal itself.
fn reasons(refused: &Refused) -> Violations {
    let mut violations = Violations::new();
    let conditions = refused.conditions();
    for condition in &conditions {
        violations.add("conclusion", condition.description.clone());
    }
    if conditions.is_empty() {
        violations.add("interaction", refused.to_string());
    }
    violations
}
