//! Reading the rows of ImportSubscribers, each by itself.

use rapport_core::{Time, Violations, words::Word};
use rapport_proto::newsletter::v1 as pb;
use tonic::Status;

use super::read;
use crate::{
    app::roster::{ImportSubscribers, SubscriberRow},
    domain::SubscriberRowOutcome,
};

/// The most rows of one call.
const MAX_ROWS: usize = 500;

/// What is to be imported, and what is wrong with each row that is not.
pub struct Read {
    /// The sound rows.
    pub command: ImportSubscribers,
    /// For each row that came: nothing, or its problems.
    pub problems: Vec<Option<Vec<String>>>,
}

pub fn import(request: &pb::ImportSubscribersRequest, now: Time) -> Result<Read, Status> {
    let mut violations = Violations::new();
    let publication = violations.parse("publication_id", &request.publication_id);
    let source = violations.text("source", &request.source, 500);
    let wording = violations.text_optional("wording", &request.wording, 2000);
    let wording_version = violations.text("wording_version", &request.wording_version, 100);
    if request.rows.is_empty() || request.rows.len() > MAX_ROWS {
        violations.add("rows", format!("must be 1 to {MAX_ROWS}: call again with the others"));
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for given in request.rows.iter().take(MAX_ROWS) {
        match row(given, now) {
            Ok(row) => {
                rows.push(row);
                problems.push(None);
            }
            Err(wrong) => problems.push(Some(wrong)),
        }
    }
    let command = (|| {
        Some(ImportSubscribers {
            publication: publication?,
            rows,
            confirmed: request.confirmed,
            source: source?,
            wording: wording?,
            wording_version: wording_version?,
            dry_run: request.dry_run,
        })
    })();
    Ok(Read { command: read::finish(violations, command)?, problems })
}

fn row(given: &pb::SubscriberRow, now: Time) -> Result<SubscriberRow, Vec<String>> {
    let mut violations = Violations::new();
    let email = violations.parse("email", &given.email);
    let display_name = violations.text_optional("display_name", &given.display_name, 100);
    let language = violations.parse_optional("language", &given.language);
    let customer = violations.parse_optional("customer_id", &given.customer_id);
    let time = given.subscribe_time.map(|given| Time::from_parts(given.seconds, given.nanos));
    if time.is_some_and(|time| time.is_none_or(|time| time > now)) {
        violations.add("subscribe_time", "must be a time that is not in the future");
    }
    let row = (|| Some(SubscriberRow { email: email?, display_name: display_name?, language, customer, time: time.flatten() }))();
    let told = |violations: Violations| violations.iter().map(|wrong| format!("{} {}", wrong.field, wrong.description)).collect();
    violations.finish(row).map_err(told)
}

/// One result for each row that came, in their order.
pub fn results(problems: Vec<Option<Vec<String>>>, outcomes: Vec<SubscriberRowOutcome>) -> Vec<pb::SubscriberRowResult> {
    let mut outcomes = outcomes.into_iter();
    let result = |problems: Option<Vec<String>>| {
        let outcome = if problems.is_some() { Some(SubscriberRowOutcome::Refused) } else { outcomes.next() };
        pb::SubscriberRowResult { outcome: outcome.map_or(0, Word::number), problems: problems.unwrap_or_default() }
    };
    problems.into_iter().map(result).collect()
}
