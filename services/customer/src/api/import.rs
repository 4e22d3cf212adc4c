//! The RPC that imports: rows in, results out, a group of rows in one transaction.

use std::{collections::VecDeque, time::Duration};

use futures::{StreamExt, stream, stream::BoxStream};
use rapport_core::{Context, Violations, words::Word};
use rapport_proto::customer::v1 as pb;
use rapport_server::{
    context,
    scope::Scope,
    status::{invalid, status},
};
use rapport_telemetry::names;
use tonic::{Request, Status, Streaming};
use tracing::{Instrument, Span};

use super::{Api, customer};
use crate::app::import::{ImportRow, RowOutcome, import_customers, preview_import};

/// The most rows of one transaction.
const GROUP: usize = 500;
/// A group is closed when no row has come for this long: a caller may wait for its results before it sends more.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest name of an import or a row.
const MAX_ID: usize = 64;

/// What ImportCustomers answers with.
pub type Results = BoxStream<'static, Result<pb::ImportCustomersResponse, Status>>;

/// ImportCustomers: nothing is read ahead of the results that the caller takes.
pub fn serve(api: &Api, request: Request<Streaming<pb::ImportCustomersRequest>>) -> Results {
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
    rows: Streaming<pb::ImportCustomersRequest>,
    scope: Option<Scope>,
    span: Span,
    /// The name of the import, as the last row that named one said.
    import: String,
    /// As the first row said.
    dry_run: Option<bool>,
    ready: VecDeque<pb::ImportCustomersResponse>,
    ended: bool,
}

/// A row that was read: its name, and what it says or what is wrong with it.
struct Read {
    row_id: String,
    row: Result<ImportRow, Violations>,
}

impl Importer {
    /// The next result; nothing at the end.
    async fn next(&mut self) -> Option<Result<pb::ImportCustomersResponse, Status>> {
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
        let rows: Vec<ImportRow> = group.iter().filter_map(|read| read.row.as_ref().ok().cloned()).collect();
        let mut outcomes = if rows.is_empty() { Vec::new() } else { self.store(&rows).await? }.into_iter();
        for Read { row_id, row } in group {
            let outcome = match row {
                Err(violations) => Some(RowOutcome::refused(violations)),
                Ok(_) => outcomes.next(),
            };
            self.ready.extend(outcome.map(|outcome| message(row_id, outcome)));
        }
        Ok(())
    }

    /// Reads rows until there is a group of them, or none has come for a while, or there are no more.
    async fn group(&mut self) -> Result<Vec<Read>, Status> {
        let mut group = Vec::new();
        while group.len() < GROUP {
            let next = if group.is_empty() {
                self.rows.message().await?
            } else {
                match tokio::time::timeout(PAUSE, self.rows.message()).await {
                    Ok(next) => next?,
                    Err(_) => break,
                }
            };
            match next {
                Some(row) => group.push(self.read(&row)?),
                None => {
                    self.ended = true;
                    break;
                }
            }
        }
        Ok(group)
    }

    fn read(&mut self, given: &pb::ImportCustomersRequest) -> Result<Read, Status> {
        let mut violations = Violations::new();
        if !given.import_id.is_empty() || self.import.is_empty() {
            let import = violations.text("import_id", &given.import_id, MAX_ID);
            // Without a name the rows could not be recognised when the import is repeated.
            self.import = violations.finish(import).map_err(invalid)?;
        }
        let mut violations = Violations::new();
        let row_id = violations.text("row_id", &given.row_id, MAX_ID).unwrap_or_default();
        if *self.dry_run.get_or_insert(given.dry_run) != given.dry_run {
            violations.add("dry_run", "must be the same on all rows of an import");
        }
        let customer_type = violations.word_optional("customer_type", given.customer_type);
        let whole = given.customer.clone().unwrap_or_default();
        let kind = customer::kind("customer", &whole, &mut violations);
        let profile = customer::profile("customer", &whole, &mut violations);
        if violations.is_empty() {
            customer::check_name("customer", &profile, &mut violations);
        }
        let row = ImportRow { import: self.import.clone(), row_id: row_id.clone(), kind, profile, customer_type };
        // What cannot be read is named as it came, for the report.
        let row_id = if row_id.is_empty() { given.row_id.chars().take(MAX_ID).collect() } else { row_id };
        Ok(Read { row_id, row: violations.finish(Some(row)) })
    }

    async fn store(&self, rows: &[ImportRow]) -> Result<Vec<RowOutcome>, Status> {
        let now = self.api.world.context(self.cx.caller.clone()).now;
        let cx = Context { now, ..self.cx.clone() };
        let span = tracing::info_span!(names::USE_CASE, otel.name = "ImportCustomers", { names::RAPPORT_USE_CASE } = "ImportCustomers");
        let database = &self.api.database;
        let done = if self.dry_run == Some(true) {
            database.bulk_read(async |conn| preview_import(conn, &cx, rows).await).instrument(span).await
        } else {
            database.write(async |conn| import_customers(conn, &cx, &self.api.thresholds, rows).await).instrument(span).await
        };
        done.map_err(status)
    }
}

fn message(row_id: String, outcome: RowOutcome) -> pb::ImportCustomersResponse {
    let RowOutcome { customer, result, violations } = outcome;
    let violation = |violation: rapport_core::Violation| pb::ImportViolation { field: violation.field, description: violation.description };
    pb::ImportCustomersResponse {
        row_id,
        customer_id: customer.map(|customer| customer.to_string()).unwrap_or_default(),
        result: result.number(),
        violations: violations.into_iter().map(violation).collect(),
    }
}
