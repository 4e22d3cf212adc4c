//! Segments between the messages and the domain, and the stream of their members.

use std::time::Duration;

use futures::{StreamExt, stream, stream::BoxStream};
use rapport_core::{CustomerId, Failure, Time, Violations, words::Word};
use rapport_db::Database;
use rapport_proto::customer::v1 as pb;
use rapport_server::{scope::Scope, status::status};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{consent_service, customer_filter, wire::timestamp};
use crate::{
    app::{
        Outcome,
        segment::{self, Criteria, Filter, Group, Member},
    },
    domain::{
        ContactPoint, ContactPointHealth, ContactPointKind, Customer, Refused,
        consent::Question,
        segment::{Outline, Segment},
    },
};

const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 1000;
const MAX_FILTER: usize = 4000;
/// The most customers that a segment or a request names.
pub const MAX_CUSTOMERS: usize = 1000;

/// What a request says of a segment.
pub fn outline(given: &pb::Segment, violations: &mut Violations) -> Option<Outline> {
    let display_name = violations.text("segment.display_name", given.display_name.trim(), MAX_NAME);
    if given.display_name.trim().contains(['\n', '\r', '\t']) {
        violations.add("segment.display_name", "must be one line");
    }
    let description = violations.text_optional("segment.description", &given.description, MAX_DESCRIPTION);
    let filter = violations.text_optional("segment.filter", given.filter.trim(), MAX_FILTER);
    if let Some(filter) = &filter {
        customer_filter::criteria("segment.filter", filter, violations);
    }
    let customers = customers("segment.customer_ids", &given.customer_ids, 0, violations);
    Some(Outline { display_name: display_name?, description: description?, filter: filter?, customers: customers? })
}

/// The customers that a request names, each once.
pub fn customers(field: &str, given: &[String], least: usize, violations: &mut Violations) -> Option<Vec<CustomerId>> {
    if given.len() < least || given.len() > MAX_CUSTOMERS {
        violations.add(field, format!("has {} ids; {least} to {MAX_CUSTOMERS} are allowed", given.len()));
        return None;
    }
    let named = given.iter().enumerate();
    let mut ids: Vec<CustomerId> = named.filter_map(|(at, id)| violations.parse(&format!("{field}[{at}]"), id)).collect();
    let whole = ids.len() == given.len();
    ids.sort_unstable();
    ids.dedup();
    whole.then_some(ids)
}

/// A segment as messages have it.
pub fn message(segment: Segment) -> pb::Segment {
    let Segment { id, version, outline, archived, author, create_time, update_time } = segment;
    let Outline { display_name, description, filter, customers } = outline;
    pb::Segment {
        segment_id: id.to_string(),
        display_name,
        description,
        filter,
        customer_ids: customers.iter().map(ToString::to_string).collect(),
        archived,
        author,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

/// Who is in a stored segment, whose filter was checked when it was saved.
pub fn criteria(segment: Segment) -> Outcome<Criteria> {
    let Outline { filter, customers, .. } = segment.outline;
    let mut violations = Violations::new();
    let criteria = customer_filter::criteria("segment.filter", &filter, &mut violations);
    let mut criteria = criteria.ok_or(Failure::Invalid(violations))?;
    if !customers.is_empty() {
        criteria.filters.push(Filter::Among(customers));
    }
    Ok(criteria)
}

fn member(member: Member) -> pb::SegmentMember {
    let Member { customer, consent, open_complaint } = member;
    let Customer { id, profile, risk_level, .. } = customer;
    let good = |point: &&ContactPoint| point.kind() == ContactPointKind::Email && point.health != ContactPointHealth::Invalid;
    let mut mails = profile.contact_points.iter().filter(good);
    let email = mails.clone().find(|point| point.primary).or_else(|| mails.next()).map(|point| point.value().to_owned());
    pb::SegmentMember {
        customer_id: id.to_string(),
        display_name: profile.display_name.clone(),
        given_name: profile.given_name.clone(),
        family_name: profile.family_name.clone(),
        email: email.unwrap_or_default(),
        language: profile.language.as_ref().map(|language| language.as_str().to_owned()).unwrap_or_default(),
        consent: consent.map(|answer| consent_service::message(id, &answer)),
        risk_level: risk_level.number(),
        open_complaint,
    }
}

/// What StreamSegment answers with.
pub type Members = BoxStream<'static, Result<pb::StreamSegmentResponse, Status>>;

/// What is streamed, and how far it has come.
pub struct Streamer {
    /// The database.
    pub database: Database,
    /// Who is in.
    pub criteria: Criteria,
    /// What consent is asked for.
    pub question: Option<Question>,
    /// After whom it goes on.
    pub after: Option<CustomerId>,
    /// The most members of a group.
    pub limit: i64,
    /// Says when the service stops.
    pub draining: CancellationToken,
    /// Tells the time.
    pub now: Box<dyn Fn() -> Time + Send + Sync>,
    /// Whether it ended.
    pub over: bool,
}

/// The groups of a segment, read as they are taken.
pub fn members(mut streamer: Streamer) -> Members {
    streamer.draining = Scope::current().map(|scope| scope.draining).unwrap_or_default();
    stream::unfold(streamer, |mut streamer| async move {
        let next = streamer.next().await?;
        streamer.over = next.is_err();
        Some((next, streamer))
    })
    .boxed()
}

/// How long a caller may look for members without a group.
const SILENCE: Duration = Duration::from_secs(2);

impl Streamer {
    async fn next(&mut self) -> Option<Result<pb::StreamSegmentResponse, Status>> {
        let begun = tokio::time::Instant::now();
        loop {
            if self.over {
                return None;
            }
            if self.draining.is_cancelled() {
                return Some(Err(Status::unavailable("the service stops: stream again after the last group")));
            }
            let (now, at) = ((self.now)(), (self.after, self.limit));
            let (criteria, question) = (&self.criteria, self.question.as_ref());
            let read = self.database.bulk_read(async |conn| segment::next_group(conn, now, criteria, at, question).await).await;
            let Group { members, last } = match read {
                Ok(group) => group,
                Err(failure) => return Some(Err(status::<Refused>(failure))),
            };
            let last = last?;
            self.after = Some(last);
            // Nobody of a group may pass the consents: then the next one is looked at, but not for ever in silence.
            if !members.is_empty() || begun.elapsed() > SILENCE {
                let members = members.into_iter().map(member).collect();
                return Some(Ok(pb::StreamSegmentResponse { members, last_customer_id: last.to_string() }));
            }
        }
    }
}
