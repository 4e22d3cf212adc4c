//! Entries on the wire.

use rapport_core::{Direction, EntryId, PageRequest, Time, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, query, status};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::{
    app::entry::{AddEntry, add_entry, list_entries},
    domain::{EntryDraft, EntryKind, Said, entry::PLAIN, origin::MAX_BODY},
};

/// The longest Message-ID, in characters (RFC 5322 §2.1.1).
const MAX_MESSAGE_ID: usize = 998;

/// An entry as a caller gives it; `at` is its place in the request.
pub(super) fn draft(violations: &mut Violations, at: &str, entry: &pb::Entry, id: Option<EntryId>, now: Time) -> Option<EntryDraft> {
    let kind = violations.word::<EntryKind>(&format!("{at}.kind"), entry.kind);
    if kind == Some(EntryKind::System) {
        violations.add(format!("{at}.kind"), "SYSTEM is written by the service only: use INTERNAL_NOTE");
    }
    let said = kind.and_then(|kind| said(violations, at, entry, kind));
    let body = violations.text(&format!("{at}.body"), &entry.body, MAX_BODY);
    let content_type = read::text_or_none(violations, &format!("{at}.content_type"), &entry.content_type, 100);
    let in_reply_to = read::text_or_none(violations, &format!("{at}.in_reply_to"), &entry.in_reply_to, MAX_MESSAGE_ID);
    let message_id = read::text_or_none(violations, &format!("{at}.message_id"), &entry.message_id, MAX_MESSAGE_ID);
    let delivery = violations.parse_optional(&format!("{at}.delivery_id"), &entry.delivery_id);
    let occur_time = read::past_time(violations, &format!("{at}.occur_time"), entry.occur_time.as_ref(), now);
    Some(EntryDraft {
        id,
        kind: kind?,
        said,
        body: body?,
        content_type: content_type.unwrap_or_else(|| PLAIN.to_owned()),
        in_reply_to,
        message_id,
        delivery,
        occur_time,
        findings: Vec::new(),
    })
}

fn said(violations: &mut Violations, at: &str, entry: &pb::Entry, kind: EntryKind) -> Option<Said> {
    let (responder, direction) = (format!("{at}.responder"), format!("{at}.direction"));
    if kind.reaches_the_other_side() {
        let by = violations.word(&responder, entry.responder);
        let direction = violations.word(&direction, entry.direction);
        return by.zip(direction).map(|(by, direction)| Said { by, direction });
    }
    for (field, number) in [(responder, entry.responder), (direction, entry.direction)] {
        if number != 0 {
            violations.add(field, format!("is not allowed for {kind}: only MESSAGE and SPOKEN reach the other side"));
        }
    }
    None
}

/// What a mail cannot carry, whatever the interaction.
fn sendable(violations: &mut Violations, entry: &EntryDraft) {
    if entry.kind != EntryKind::Message || !matches!(entry.said, Some(Said { direction: Direction::Outbound, .. })) {
        violations.add("send", "is only for a MESSAGE to the customer (OUTBOUND)");
    }
    if entry.delivery.is_some() {
        violations.add("entry.delivery_id", "must be empty with send: the service gives it");
    }
}

impl Api {
    pub(super) async fn add(&self, request: Request<pb::AddEntryRequest>) -> Result<Response<pb::AddEntryResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let interaction = violations.parse("interaction_id", &request.interaction_id);
        let id = violations.parse_optional("entry_id", &request.entry_id);
        let entry = read::required(&mut violations, "entry", request.entry.as_ref());
        let entry = entry.and_then(|entry| draft(&mut violations, "entry", entry, id, cx.now));
        let (reopen_window, send) = (self.settings.reopen_window(), request.send);
        if send && let Some(entry) = &entry {
            sendable(&mut violations, entry);
        }
        let command = interaction.zip(entry).map(|(interaction, entry)| AddEntry { interaction, entry, reopen_window, send });
        let command = violations.finish(command).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "AddEntry", request: &request, request_id: &request.request_id, subject: &command.interaction, cx: &cx };
        let (cx, manuals, command) = (&cx, &self.manuals, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| add_entry(conn, cx, manuals, command.clone()).await,
            |(entry, interaction, mail)| pb::AddEntryResponse {
                entry: Some(write::entry_with_mail(entry, mail)),
                interaction: Some(write::interaction(interaction)),
            },
        )
        .await;
        self.mailed.wake_if(send && response.is_ok());
        response
    }

    pub(super) async fn entries(&self, request: Request<pb::ListEntriesRequest>) -> Result<Response<pb::ListEntriesResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let interaction = violations.parse("interaction_id", &request.interaction_id);
        let of = format!("entries {} {}", request.interaction_id, request.include_internal);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = read::page(&mut violations, request_page, |key: &(Time, i32, EntryId)| key.0);
        let (interaction, page) = violations.finish(interaction.zip(page)).map_err(status::invalid)?;
        let (page, internal) = (&page, request.include_internal);
        let (entries, next_page_token) =
            query(&self.database, "ListEntries", &cx, async |conn| list_entries(conn, interaction, internal, page).await).await?;
        Ok(Response::new(pb::ListEntriesResponse {
            entries: entries.into_iter().map(|(entry, mail)| write::entry_with_mail(entry, mail)).collect(),
            next_page_token,
        }))
    }
}
