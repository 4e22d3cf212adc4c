//! The RPC that imports interactions that are over: rows in, results out, a group of rows in one transaction.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use futures::{StreamExt, stream, stream::BoxStream};
use prost::Message;
use rapport_core::{Context, InteractionId, Violation, Violations, words::Word};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{
    context,
    scope::Scope,
    status::{invalid, status},
};
use rapport_telemetry::names;
use tonic::{Code, Request, Status, Streaming};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{Api, customer::Contact, log};
use crate::app::{
    import::{RowOutcome, import_interactions},
    log::LogInteraction,
};

/// The most rows of one transaction.
const GROUP: usize = 500;
/// The most octets of one group of rows: with it, an import of any size takes the same memory.
const GROUP_OCTETS: usize = 4 * 1024 * 1024;
/// A group is closed when no row has come for this long: a caller may wait for its results before it sends more.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest name of an import or a row.
const MAX_ID: usize = 64;
/// Customers asked for at once.
const ASKED: usize = 16;
/// What the ids of imported interactions are derived in.
const NAMESPACE: Uuid = Uuid::from_u128(0x9b2f_5e0a_41c7_5d3e_8f16_72a0_c3d4_e5b1);

/// What ImportInteractions answers with.
pub type Results = BoxStream<'static, Result<pb::ImportInteractionsResponse, Status>>;

/// ImportInteractions: nothing is read ahead of the results that the caller takes.
pub fn serve(api: &Api, request: Request<Streaming<pb::ImportInteractionsRequest>>) -> Results {
    let importer = Importer {
        cx: context(&request, &api.world),
        api: api.clone(),
        rows: request.into_inner(),
        scope: Scope::current(),
        span: Span::current(),
        import: String::new(),
        dry_run: None,
        ready: VecDeque::new(),
        ended: false,
    };
    stream::unfold(importer, |mut importer| async move {
        let span = importer.span.clone();
        let sent = match importer.scope.clone() {
            Some(scope) => scope.run(importer.next()).instrument(span).await,
            None => importer.next().instrument(span).await,
        };
        sent.map(|sent| (sent, importer))
    })
    .boxed()
}

/// One import that is going on.
struct Importer {
    api: Api,
    cx: Context,
    rows: Streaming<pb::ImportInteractionsRequest>,
    scope: Option<Scope>,
    span: Span,
    /// The name of the import, as the last row that named one said.
    import: String,
    /// As the first row said.
    dry_run: Option<bool>,
    ready: VecDeque<pb::ImportInteractionsResponse>,
    ended: bool,
}

/// A row that was read: its name, and what it says or what is wrong with it.
struct Read {
    row_id: String,
    row: Result<(LogInteraction, Option<Contact>), Violations>,
}

impl Importer {
    /// The next result; nothing at the end.
    async fn next(&mut self) -> Option<Result<pb::ImportInteractionsResponse, Status>> {
        loop {
            if let Some(result) = self.ready.pop_front() {
                return Some(Ok(result));
            }
            if self.ended {
                return None;
            }
            if let Err(status) = self.advance().await {
                self.ended = true;
                return Some(Err(status));
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Status> {
        let group = self.group().await?;
        let this = &*self;
        let vouched = stream::iter(group.into_iter().map(|read| this.vouch(read))).buffered(ASKED);
        let vouched: Vec<(String, Result<LogInteraction, Violations>)> =
            vouched.collect::<Vec<_>>().await.into_iter().collect::<Result<_, Status>>()?;
        let rows: Vec<LogInteraction> = vouched.iter().filter_map(|(_, row)| row.as_ref().ok().cloned()).collect();
        let mut outcomes = if rows.is_empty() { Vec::new() } else { self.store(&rows).await? }.into_iter();
        for (row_id, row) in vouched {
            let outcome = match row {
                Err(violations) => Some(RowOutcome::refused(violations)),
                Ok(_) => outcomes.next(),
            };
            self.ready.extend(outcome.map(|outcome| message(row_id, outcome)));
        }
        self.api.promised.wake_if(rows.iter().any(|row| !row.commitments.is_empty()));
        Ok(())
    }

    /// Reads rows until there is a group of them, or none has come for a while, or there are no more.
    async fn group(&mut self) -> Result<Vec<Read>, Status> {
        let mut group = Vec::new();
        let mut octets = 0;
        while group.len() < GROUP && octets < GROUP_OCTETS {
            let next = if group.is_empty() {
                self.rows.message().await?
            } else {
                match tokio::time::timeout(PAUSE, self.rows.message()).await {
                    Ok(next) => next?,
                    Err(_) => break,
                }
            };
            let Some(row) = next else {
                self.ended = true;
                break;
            };
            octets += row.encoded_len();
            group.push(self.read(row)?);
        }
        Ok(group)
    }

    fn read(&mut self, given: pb::ImportInteractionsRequest) -> Result<Read, Status> {
        let pb::ImportInteractionsRequest {
            import_id,
            row_id: given_id,
            dry_run,
            interaction,
            customer_contact,
            entries,
            stages,
            conclusion,
            commitments,
        } = given;
        let mut violations = Violations::new();
        if !import_id.is_empty() || self.import.is_empty() {
            let import = violations.text("import_id", &import_id, MAX_ID);
            // Without a name the rows could not be recognised when the import is repeated.
            self.import = violations.finish(import).map_err(invalid)?;
        }
        let mut violations = Violations::new();
        let row_id = violations.text("row_id", &given_id, MAX_ID);
        if *self.dry_run.get_or_insert(dry_run) != dry_run {
            violations.add("dry_run", "must be the same on all rows of an import");
        }
        twice(&mut violations, &entries);
        let request = pb::LogInteractionRequest {
            interaction,
            customer_contact,
            // Rows are recognised by their names, so all ids below are new ones.
            entries: entries.into_iter().map(|entry| pb::Entry { entry_id: String::new(), ..entry }).collect(),
            stages,
            conclusion,
            commitments: commitments.into_iter().map(|made| pb::Commitment { commitment_id: String::new(), ..made }).collect(),
            interaction_id: self.id(row_id.as_deref().unwrap_or_default()).to_string(),
            request_id: String::new(),
        };
        let row = log::read(&request, &self.api.settings, &self.cx);
        let row = match (row, violations.is_empty()) {
            (Ok(row), true) => Ok(row),
            (row, _) => Err(log::all(Some(violations), row.err())),
        };
        // What cannot be read is named as it came, for the report.
        let row_id = row_id.unwrap_or_else(|| given_id.chars().take(MAX_ID).collect());
        Ok(Read { row_id, row })
    }

    /// The id of the interaction of a row: the same whenever the import is repeated.
    fn id(&self, row: &str) -> InteractionId {
        InteractionId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{}\n{row}", self.import).as_bytes()))
    }

    /// Finds out who the customer of a row is, before the transaction.
    async fn vouch(&self, read: Read) -> Result<(String, Result<LogInteraction, Violations>), Status> {
        let Read { row_id, row } = read;
        let (mut command, contact) = match row {
            Ok(row) => row,
            Err(violations) => return Ok((row_id, Err(violations))),
        };
        // A dry run stores nothing, at the customer service neither.
        let contact = contact.filter(|_| self.dry_run != Some(true));
        match self.api.identify(&mut command, contact, &self.cx).await {
            Ok(()) => Ok((row_id, Ok(command))),
            Err(status) if status.code() == Code::InvalidArgument => {
                let mut violations = Violations::new();
                violations.add("customer", status.message());
                Ok((row_id, Err(violations)))
            }
            Err(status) => Err(status),
        }
    }

    async fn store(&self, rows: &[LogInteraction]) -> Result<Vec<RowOutcome>, Status> {
        let now = self.api.world.context(self.cx.caller.clone()).now;
        let cx = Context { now, ..self.cx.clone() };
        let span =
            tracing::info_span!(names::USE_CASE, otel.name = "ImportInteractions", { names::RAPPORT_USE_CASE } = "ImportInteractions");
        let (database, manuals, import, cx) = (&self.api.database, &self.api.manuals, self.import.as_str(), &cx);
        let done = if self.dry_run == Some(true) {
            database.bulk_read(async |conn| import_interactions(conn, cx, manuals, import, rows, true).await).instrument(span).await
        } else {
            database.write(async |conn| import_interactions(conn, cx, manuals, import, rows, false).await).instrument(span).await
        };
        done.map_err(status)
    }
}

/// Refuses a row that tells one message twice.
fn twice(violations: &mut Violations, entries: &[pb::Entry]) {
    let mut seen = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        if !entry.message_id.is_empty() && !seen.insert(entry.message_id.as_str()) {
            violations.add(format!("entries[{index}].message_id"), "is there twice: tell each message once");
        }
    }
}

fn message(row_id: String, outcome: RowOutcome) -> pb::ImportInteractionsResponse {
    let RowOutcome { interaction, result, violations } = outcome;
    let violation = |violation: Violation| pb::InteractionImportViolation { field: violation.field, description: violation.description };
    pb::ImportInteractionsResponse {
        row_id,
        interaction_id: interaction.map(|interaction| interaction.to_string()).unwrap_or_default(),
        result: result.number(),
        violations: violations.into_iter().map(violation).collect(),
    }
}
