//! The frame of every use case that an RPC asks for: context, idempotency, audit, span, status.

use std::fmt;

use prost::Message;
use rapport_core::{Caller, Context, Failure, JourneyId, Refusal, Violations, World};
use rapport_db::{
    Body, Conn, Database, audit,
    requests::{self, Answered, RequestKey},
};
use rapport_telemetry::{meter, names, propagate};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};
use tracing::{Instrument, Span, field::Empty};

use crate::status::{invalid, status};

/// The metadata key by which a caller says to which journey a request belongs.
pub const JOURNEY: &str = "rapport-journey-id";

/// The most characters of a `request_id`.
const REQUEST_ID_MAX: usize = 64;

/// What a use case may know, from what the layers put beside the request.
pub fn context<T>(request: &Request<T>, world: &World) -> Context {
    let caller = request.extensions().get::<Caller>().cloned();
    // Without the layers nobody was asked who he is, so nobody may do anything.
    let mut context = world.context(caller.unwrap_or_else(|| Caller::new("unknown", [])));
    context.traceparent = propagate::current_traceparent();
    context.journey = request.metadata().get(JOURNEY).and_then(|text| text.to_str().ok()).and_then(|text| text.parse::<JourneyId>().ok());
    if let Some(journey) = context.journey {
        Span::current().record(names::RAPPORT_JOURNEY_ID, journey.to_string());
    }
    context
}

/// A request that changes something.
#[derive(Clone, Copy)]
pub struct Mutation<'a, Q> {
    /// The RPC, for example `CreateCustomer`.
    pub method: &'static str,
    /// The request as it came, for telling a repetition from another request under the same id.
    pub request: &'a Q,
    /// Its `request_id`; empty for none.
    pub request_id: &'a str,
    /// The id of what is changed, for the audit.
    pub subject: &'a (dyn fmt::Display + Sync),
    /// Its context.
    pub cx: &'a Context,
}

/// Does a change in one transaction, with its audit row, and answers. A repeated request (same caller, method and
/// `request_id`) gets the stored answer of the first and has no second effect; a failure is not stored.
///
/// # Errors
/// The failure of `body` as a status.
pub async fn mutate<Q, T, A, R>(
    database: &Database,
    mutation: Mutation<'_, Q>,
    body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    answer: impl Fn(T) -> A + Send + Sync,
) -> Result<Response<A>, Status>
where
    Q: Message,
    A: Message + Default,
    R: Refusal,
{
    let Mutation { method, request, request_id, subject, cx } = mutation;
    check_request_id(request_id)?;
    let subject = subject.to_string();
    let span = use_case(method, cx);
    let caller = &*cx.caller.name;
    let key = (!request_id.is_empty()).then_some(RequestKey { caller, method, request_id });
    let body_hash = key.map(|_| Sha256::digest(request.encode_to_vec()).to_vec()).unwrap_or_default();
    let done = database
        .write(async |conn| -> Result<(A, bool), Failure<R>> {
            if let Some(key) = key
                && let Some(stored) = requests::find(conn, key, cx.now).await?
            {
                return Ok((replay(&stored, &body_hash)?, true));
            }
            let answer = answer(body(&mut reborrowed(conn)).await?);
            audit::record(conn, cx, method, &subject, request_id).await?;
            if let Some(key) = key {
                let answered = Answered { body_hash: body_hash.clone(), answer: answer.encode_to_vec() };
                requests::insert(conn, key, &answered, cx.now).await?;
            }
            Ok((answer, false))
        })
        .instrument(span.clone())
        .await;
    match done {
        Ok((answer, replayed)) => {
            if replayed {
                Span::current().record(names::RAPPORT_REPLAYED, true);
                meter::counter(names::SERVER_REPLAYED).add(1, &[]);
            }
            Ok(Response::new(answer))
        }
        Err(failure) => Err(fail(failure)),
    }
}

/// Reads in one transaction.
///
/// # Errors
/// The failure of `body` as a status.
pub async fn query<T, R: Refusal>(
    database: &Database,
    method: &'static str,
    cx: &Context,
    body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
) -> Result<T, Status> {
    database.read(body).instrument(use_case(method, cx)).await.map_err(fail)
}

/// Like [`query`], for a body of a single statement: no transaction is begun for it.
///
/// # Errors
/// The failure of `body` as a status.
pub async fn lookup<T, R: Refusal>(
    database: &Database,
    method: &'static str,
    cx: &Context,
    body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
) -> Result<T, Status> {
    database.lookup(body).instrument(use_case(method, cx)).await.map_err(fail)
}

/// Like [`query`], for reads without a small bound: reports, searches. They stop nobody else.
///
/// # Errors
/// The failure of `body` as a status.
pub async fn report<T, R: Refusal>(
    database: &Database,
    method: &'static str,
    cx: &Context,
    body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
) -> Result<T, Status> {
    database.bulk_read(body).instrument(use_case(method, cx)).await.map_err(fail)
}

/// The same connection for a part of the transaction.
pub(crate) fn reborrowed<'a>(conn: &'a mut Conn<'_>) -> Conn<'a> {
    match conn {
        Conn::Postgres(conn) => Conn::Postgres(conn),
        Conn::Sqlite(conn) => Conn::Sqlite(conn),
    }
}

fn fail<R: Refusal>(failure: Failure<R>) -> Status {
    if let Failure::Refused(refusal) = &failure {
        Span::current().record(names::RAPPORT_REASON, refusal.reason());
    }
    status(failure)
}

fn use_case(method: &'static str, cx: &Context) -> Span {
    let span = tracing::info_span!(
        names::USE_CASE,
        otel.name = method,
        { names::RAPPORT_USE_CASE } = method,
        { names::RAPPORT_JOURNEY_ID } = Empty,
    );
    if let Some(journey) = cx.journey {
        span.record(names::RAPPORT_JOURNEY_ID, journey.to_string());
    }
    span
}

fn check_request_id(request_id: &str) -> Result<(), Status> {
    let mut violations = Violations::new();
    violations.text_optional("request_id", request_id, REQUEST_ID_MAX);
    if violations.is_empty() { Ok(()) } else { Err(invalid(violations)) }
}

fn replay<A: Message + Default, R>(stored: &Answered, body_hash: &[u8]) -> Result<A, Failure<R>> {
    if stored.body_hash != body_hash {
        return Err(Failure::invalid("request_id", "was used for another request within the last 24 hours: use a new one"));
    }
    A::decode(stored.answer.as_slice()).map_err(Failure::internal)
}
