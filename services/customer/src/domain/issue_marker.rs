//! An issue that went out, as a mark on the timelines of those who had the subscription then.

use std::collections::BTreeMap;

use rapport_core::{Channel, ContactPurpose, CustomerId, Direction, EventId, IssueId, JourneyId, Time};

use super::{ConsentRecord, ConsentStatus, TimelineEntry, consent::Subject};

/// An issue that went out. It is kept once: a line for each reader would be as many rows as mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueMarker {
    /// The issue.
    pub issue: IssueId,
    /// The publication, as it is the topic of consents.
    pub publication: String,
    /// When its audience was frozen: who had the subscription then was in it, unless the issue left somebody out.
    pub time: Time,
    /// The event that told it.
    pub event: EventId,
    /// What happened, for people.
    pub summary: String,
    /// The trace that it was written in, or nothing.
    pub trace_id: String,
    /// The journey that it began.
    pub journey: Option<JourneyId>,
}

impl IssueMarker {
    /// The service that it happened in.
    pub const SERVICE: &'static str = "newsletter";
    /// What happened.
    pub const KIND: &'static str = "issue.completed";
    /// The way by which it happened.
    pub const CHANNEL: Channel = Channel::Email;
    /// Who turned to whom.
    pub const DIRECTION: Direction = Direction::Outbound;

    /// The line on the timeline of somebody who had the subscription.
    pub fn entry(self, customer: CustomerId) -> TimelineEntry {
        let Self { issue, publication: _, time, event, summary, trace_id, journey } = self;
        TimelineEntry {
            event,
            customer,
            time,
            service: Self::SERVICE.to_owned(),
            kind: Self::KIND.to_owned(),
            subject: issue.cast(),
            summary,
            channel: Some(Self::CHANNEL),
            direction: Some(Self::DIRECTION),
            setting: None,
            trace_id,
            journey,
        }
    }
}

/// A time in which somebody had the subscription of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The publication.
    pub publication: String,
    /// Since when.
    pub from: Time,
    /// Until when, this moment not included; without an end if none.
    pub until: Option<Time>,
}

/// When somebody had which subscriptions, as the ledger of mail says: from each consent to a publication to what was said next about it.
pub fn readings(ledger: &[ConsentRecord]) -> Vec<Reading> {
    let mut said: BTreeMap<&str, Vec<&ConsentRecord>> = BTreeMap::new();
    for record in ledger.iter().filter(|record| record.channel == IssueMarker::CHANNEL) {
        if let Subject::Topic(ContactPurpose::Newsletters, publication) = &record.subject {
            said.entry(publication).or_default().push(record);
        }
    }
    let mut readings = Vec::new();
    for (publication, mut records) in said {
        records.sort_by(|one, other| one.later(other));
        for (at, record) in records.iter().enumerate().filter(|(_, record)| record.status == ConsentStatus::Granted) {
            let next = records.get(at + 1).map(|next| next.effective_time);
            let until = next.into_iter().chain(record.expire_time).min();
            readings.push(Reading { publication: publication.to_owned(), from: record.effective_time, until });
        }
    }
    readings
}

/// The template of a subject as one line for everybody: an ellipsis where it differs from reader to reader.
pub fn plain(template: &str) -> String {
    let (mut line, mut rest) = (String::new(), template);
    while let Some((at, end)) = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
        .into_iter()
        .filter_map(|(begin, end)| rest.find(begin).map(|at| (at, end)))
        .min_by_key(|(at, _)| *at)
    {
        line.push_str(&rest[..at]);
        if end == "}}" {
            line.push('…');
        }
        rest = rest[at..].split_once(end).map_or("", |(_, rest)| rest);
    }
    line + rest
}

#[cfg(test)]
mod tests {
    use rapport_core::{Actor, ActorKind, ConsentId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::ConsentSource;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn said(number: u128, subject: Subject, status: ConsentStatus, seconds: i64, expires: Option<i64>) -> ConsentRecord {
        ConsentRecord {
            id: ConsentId::from_uuid(Uuid::from_u128(number)),
            customer: CustomerId::from_uuid(Uuid::from_u128(1)),
            channel: Channel::Email,
            subject,
            status,
            source: ConsentSource::DoubleOptIn,
            evidence: String::new(),
            wording_version: String::new(),
            actor: Actor { kind: ActorKind::Service, name: "newsletter".to_owned() },
            effective_time: at(seconds),
            expire_time: expires.map(at),
            create_time: at(seconds),
        }
    }

    fn topic(name: &str) -> Subject {
        Subject::Topic(ContactPurpose::Newsletters, name.to_owned())
    }

    #[test]
    fn somebody_reads_from_each_consent_to_what_was_said_next() {
        let ledger = [
            said(5, topic("b"), ConsentStatus::Granted, 50, None),
            said(2, topic("a"), ConsentStatus::Withdrawn, 20, None),
            said(1, topic("a"), ConsentStatus::Granted, 10, None),
            said(3, topic("a"), ConsentStatus::Granted, 30, Some(35)),
            said(4, topic("a"), ConsentStatus::Granted, 40, None),
            said(6, Subject::Topic(ContactPurpose::Survey, "a".to_owned()), ConsentStatus::Granted, 1, None),
            said(7, Subject::Purpose(ContactPurpose::Newsletters), ConsentStatus::Granted, 1, None),
            said(8, topic("c"), ConsentStatus::Denied, 1, None),
            ConsentRecord { channel: Channel::Phone, ..said(9, topic("a"), ConsentStatus::Granted, 1, None) },
        ];
        let reading = |publication: &str, from, until: Option<i64>| Reading {
            publication: publication.to_owned(),
            from: at(from),
            until: until.map(at),
        };
        let expected = [reading("a", 10, Some(20)), reading("a", 30, Some(35)), reading("a", 40, None), reading("b", 50, None)];
        assert_eq!(readings(&ledger), expected);
    }

    #[test]
    fn what_differs_from_reader_to_reader_is_left_out_of_a_subject() {
        let cases = [
            ("News", "News"),
            ("Dear {{ subscriber.display_name }}, all for 5 %", "Dear …, all for 5 %"),
            ("{# note #}{% if x %}A{% endif %}{{ b }}", "A…"),
            ("{{ never closed", "…"),
            ("", ""),
        ];
        for (template, line) in cases {
            assert_eq!(plain(template), line);
        }
    }
}
