//! Segments: keeping them, counting them, and telling who is in them, group by group.

use std::collections::BTreeSet;

use rapport_core::{Channel, ContactPurpose, Context, CustomerId, Failure, Page, SegmentId, Time};
use rapport_db::Conn;

use super::{Outcome, consent::check_consent};
pub use crate::store::customer::Filter;
use crate::{
    domain::{
        Customer, Refused,
        consent::{Answer, Question},
        segment::{Outline, Segment},
    },
    store,
};

/// Saves a segment.
///
/// # Errors
/// Refused when its id is taken.
pub async fn create_segment(conn: &mut Conn<'_>, cx: &Context, id: SegmentId, outline: Outline) -> Outcome<Segment> {
    let author = cx.caller.name.to_string();
    let segment = Segment { id, version: 1, outline, archived: false, author, create_time: cx.now, update_time: cx.now };
    if !store::segment::insert(conn, segment.clone()).await? {
        return Err(Failure::Refused(Refused::SegmentIdTaken { segment: id }));
    }
    Ok(segment)
}

/// Reads a segment.
///
/// # Errors
/// When there is none.
pub async fn get_segment(conn: &mut Conn<'_>, id: SegmentId) -> Outcome<Segment> {
    store::segment::find(conn, id).await?.ok_or_else(|| Failure::not_found("segment", id))
}

/// One page of segments; one row more than the page tells that there is another.
///
/// # Errors
/// When the database fails.
pub async fn list_segments(conn: &mut Conn<'_>, archived: bool, page: &Page<SegmentId>) -> Outcome<Vec<Segment>> {
    Ok(store::segment::list(conn, archived, page).await?)
}

/// What happens to a segment.
#[derive(Clone, Debug)]
pub enum Change {
    /// It says something else.
    Outline(Outline),
    /// Nothing can be sent to it any more.
    Archive,
}

/// Changes or archives a segment. A change to what is there already is none.
///
/// # Errors
/// When there is none, it is stale, or it was archived.
pub async fn change_segment(conn: &mut Conn<'_>, cx: &Context, id: SegmentId, version: Option<i64>, change: &Change) -> Outcome<Segment> {
    let loaded = store::segment::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("segment", id))?;
    if version.is_some_and(|version| version != loaded.version) {
        return Err(Failure::Stale);
    }
    let changed = match change {
        Change::Outline(outline) => loaded.clone().outlined(outline.clone(), cx.now).map_err(Failure::Refused)?,
        Change::Archive => loaded.clone().archive(cx.now),
    };
    match changed {
        Some(changed) => store::segment::update(conn, changed).await?.ok_or(Failure::Stale),
        None => Ok(loaded),
    }
}

/// Who is in a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// What the database compares.
    pub filters: Vec<Filter>,
    /// What mails to a customer must be allowed for.
    pub consents: Vec<ContactPurpose>,
}

/// A customer of a segment.
#[derive(Clone, Debug)]
pub struct Member {
    /// The customer.
    pub customer: Customer,
    /// Whether a mail is allowed, if that was asked.
    pub consent: Option<Answer>,
    /// Whether a complaint is going on.
    pub open_complaint: bool,
}

/// One group of members.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Those who are in.
    pub members: Vec<Member>,
    /// The last customer that was looked at; none when nobody was left.
    pub last: Option<CustomerId>,
}

/// The next customers of a segment after one.
///
/// # Errors
/// When the database fails.
pub async fn next_group(
    conn: &mut Conn<'_>,
    now: Time,
    criteria: &Criteria,
    (after, limit): (Option<CustomerId>, i64),
    question: Option<&Question>,
) -> Outcome<Group> {
    let looked_at = store::customer::list_after(conn, &criteria.filters, after, limit).await?;
    let last = looked_at.last().map(|customer| customer.id);
    let customers = consenting(conn, now, looked_at, &criteria.consents).await?;
    let ids: Vec<CustomerId> = customers.iter().map(|customer| customer.id).collect();
    let complaining = store::complaint::of(conn, &ids).await?;
    let answers = match question {
        Some(question) => check_consent(conn, now, &ids, question).await?.into_iter().map(Some).collect(),
        None => vec![None; ids.len()],
    };
    let member = |(customer, consent): (Customer, Option<Answer>)| {
        let open_complaint = complaining.contains(&customer.id);
        Member { customer, consent, open_complaint }
    };
    Ok(Group { members: customers.into_iter().zip(answers).map(member).collect(), last })
}

async fn consenting(conn: &mut Conn<'_>, now: Time, mut customers: Vec<Customer>, purposes: &[ContactPurpose]) -> Outcome<Vec<Customer>> {
    for purpose in purposes {
        let ids: Vec<CustomerId> = customers.iter().map(|customer| customer.id).collect();
        let question = Question { channel: Channel::Email, purpose: *purpose, topic: None };
        let answers = check_consent(conn, now, &ids, &question).await?;
        let allowed: BTreeSet<CustomerId> = ids.into_iter().zip(answers).filter(|(_, answer)| answer.allowed).map(|(id, _)| id).collect();
        customers.retain(|customer| allowed.contains(&customer.id));
    }
    Ok(customers)
}

/// How many customers one look at the database takes where it cannot count by itself.
const LOOK: i64 = 1000;

/// How many customers are in a segment.
///
/// # Errors
/// When the database fails.
pub async fn count_segment(conn: &mut Conn<'_>, now: Time, criteria: &Criteria) -> Outcome<i64> {
    if criteria.consents.is_empty() {
        return Ok(store::customer::count(conn, &criteria.filters).await?);
    }
    let (mut count, mut after) = (0, None);
    loop {
        let looked_at = store::customer::list_after(conn, &criteria.filters, after, LOOK).await?;
        let Some(last) = looked_at.last().map(|customer| customer.id) else { return Ok(count) };
        after = Some(last);
        count += i64::try_from(consenting(conn, now, looked_at, &criteria.consents).await?.len()).unwrap_or(i64::MAX);
    }
}

/// Which of these customers are in a segment, by id.
///
/// # Errors
/// When the database fails.
pub async fn match_segment(conn: &mut Conn<'_>, now: Time, criteria: &Criteria, among: &[CustomerId]) -> Outcome<Vec<CustomerId>> {
    let mut filters = criteria.filters.clone();
    filters.push(Filter::Among(among.to_vec()));
    let limit = i64::try_from(among.len()).unwrap_or(i64::MAX);
    let customers = store::customer::list_after(conn, &filters, None, limit).await?;
    Ok(consenting(conn, now, customers, &criteria.consents).await?.into_iter().map(|customer| customer.id).collect())
}
