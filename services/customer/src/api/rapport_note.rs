//! Rapport notes between the messages and the domain.

use rapport_core::{Violations, words::Word};
use rapport_proto::customer::v1 as pb;

use super::wire::{number, text, timestamp};
use crate::domain::{
    RapportNote, RapportNoteKind,
    rapport_note::{Content, Day},
};

const MAX_TEXT: usize = 1000;

/// What a note is to say.
pub fn content(given: &pb::RapportNote, violations: &mut Violations) -> Option<Content> {
    let kind = violations.word("rapport_note.kind", given.kind);
    let said = violations.text("rapport_note.text", given.text.trim(), MAX_TEXT);
    let initiator = violations.word_optional("rapport_note.initiator", given.initiator);
    if kind == Some(RapportNoteKind::PersonalTopic) && given.initiator == 0 {
        violations.add("rapport_note.initiator", "is required for PERSONAL_TOPIC: say who brought it up");
    }
    let interaction = violations.parse_optional("rapport_note.interaction_id", &given.interaction_id);
    let day = day(kind, given, violations);
    kind.zip(said).map(|(kind, text)| Content { kind, text, initiator, interaction, day })
}

fn day(kind: Option<RapportNoteKind>, given: &pb::RapportNote, violations: &mut Violations) -> Option<Day> {
    let (month, day, year) = (given.month, given.day, given.year);
    match kind? {
        RapportNoteKind::ImportantDate => {
            let read = Day::new(month, day, (year != 0).then_some(year));
            if read.is_none() {
                violations.add("rapport_note.day", "and month and year must be a day of the calendar; 0 for a year that is not known");
            }
            read
        }
        other => {
            if (month, day, year) != (0, 0, 0) {
                violations.add("rapport_note.day", format!("and month and year belong to IMPORTANT_DATE: leave them out for {other}"));
            }
            None
        }
    }
}

/// A note as messages have it.
pub fn message(note: RapportNote) -> pb::RapportNote {
    let RapportNote { id, version, customer, content, author, create_time, update_time } = note;
    let Content { kind, text: said, initiator, interaction, day } = content;
    pb::RapportNote {
        rapport_note_id: id.to_string(),
        customer_id: customer.to_string(),
        kind: kind.number(),
        text: said,
        initiator: number(initiator),
        interaction_id: text(interaction),
        month: day.map_or(0, |day| day.month),
        day: day.map_or(0, |day| day.day),
        year: day.and_then(|day| day.year).unwrap_or_default(),
        author,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}
