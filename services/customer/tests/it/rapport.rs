//! What is worth knowing of customers as persons.

use rapport_proto::{
    common::v1::watch_start::At,
    customer::v1::{self as pb, RapportInitiator, RapportNoteKind, event::Payload},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::{
    feed::{events, kinds},
    running::{Running, customer, refusal, start},
};

const INTERACTION: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn note(customer_id: &str, kind: RapportNoteKind, text: &str) -> pb::RapportNote {
    pb::RapportNote { customer_id: customer_id.to_owned(), kind: kind.into(), text: text.to_owned(), ..Default::default() }
}

async fn record(running: &Running, note: pb::RapportNote) -> Result<pb::RapportNote, tonic::Status> {
    let request = pb::RecordRapportNoteRequest { rapport_note: Some(note), ..Default::default() };
    Ok(running.rapport().record_rapport_note(request).await?.into_inner().rapport_note.expect("a note"))
}

async fn list(running: &Running, customer_id: &str, filter: &str) -> Vec<String> {
    let request = pb::ListRapportNotesRequest { customer_id: customer_id.to_owned(), filter: filter.to_owned(), ..Default::default() };
    let listed = running.rapport().list_rapport_notes(request).await.expect("listed").into_inner();
    listed.rapport_notes.into_iter().map(|note| note.text).collect()
}

both_databases! {
    async fn row_2_small_talk_is_kept_with_where_it_was_learnt(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let learnt = pb::RapportNote { interaction_id: INTERACTION.to_owned(), ..note(&ada, RapportNoteKind::SmallTalk, "sails at weekends") };
        let kept = record(&running, learnt).await.expect("recorded");
        assert_eq!((kept.interaction_id.as_str(), kept.author.as_str(), kept.etag.as_str()), (INTERACTION, "local", "1"));
        let birthday = pb::RapportNote { month: 12, day: 10, ..note(&ada, RapportNoteKind::ImportantDate, "birthday") };
        record(&running, birthday).await.expect("recorded");
        assert_eq!(list(&running, &ada, "").await, ["sails at weekends", "birthday"]);
        assert_eq!(list(&running, &ada, "kind = SMALL_TALK").await, ["sails at weekends"]);
        assert_eq!(list(&running, &ada, "kind != SMALL_TALK AND initiator != BY_CUSTOMER").await, ["birthday"]);
        running.stop().await;
    }

    async fn row_73_a_personal_topic_says_who_brought_it_up(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let personal = note(&ada, RapportNoteKind::PersonalTopic, "moves house");
        let (code, _, fields) = refusal(record(&running, personal.clone()).await);
        assert_eq!((code, fields), (Code::InvalidArgument, vec!["rapport_note.initiator".to_owned()]));
        let said = pb::RapportNote { initiator: RapportInitiator::ByCustomer.into(), ..personal };
        assert_eq!(record(&running, said).await.expect("recorded").initiator(), RapportInitiator::ByCustomer);
        assert_eq!(list(&running, &ada, "initiator = BY_CUSTOMER").await, ["moves house"]);
        running.stop().await;
    }

    async fn row_72_a_product_in_use_is_told_on_the_feed_until_it_is_not(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let kept = record(&running, note(&ada, RapportNoteKind::UsesProduct, "Acme mail")).await.expect("recorded");
        let changed = pb::RapportNote { text: "Acme calendar".to_owned(), ..kept.clone() };
        let update = pb::UpdateRapportNoteRequest { rapport_note: Some(changed), ..Default::default() };
        let changed = running.rapport().update_rapport_note(update.clone()).await.expect("changed").into_inner().rapport_note.expect("a note");
        assert_eq!(changed.etag, "2");
        assert_eq!(refusal(running.rapport().update_rapport_note(update).await).0, Code::Aborted);

        let present = events(&running, At::Snapshot(true), 2).await;
        assert_eq!(kinds(&present), ["customer.updated", "rapport_note.recorded"]);
        assert_eq!(present[1].meta.as_ref().expect("meta").subject_version, 2);

        let delete = pb::DeleteRapportNoteRequest { rapport_note_id: kept.rapport_note_id.clone(), ..Default::default() };
        running.rapport().delete_rapport_note(delete.clone()).await.expect("deleted");
        assert_eq!(refusal(running.rapport().delete_rapport_note(delete).await).0, Code::NotFound);
        assert_eq!(list(&running, &ada, "").await, Vec::<String>::new());
        let told = events(&running, At::Earliest(true), 4).await;
        assert_eq!(kinds(&told), ["customer.created", "rapport_note.recorded", "rapport_note.updated", "rapport_note.deleted"]);
        let Some(Payload::RapportNote(last)) = &told[3].payload else { panic!("a note") };
        assert_eq!((last.text.as_str(), last.etag.as_str(), &last.rapport_note_id), ("Acme calendar", "3", &kept.rapport_note_id));
        running.stop().await;
    }

    async fn a_wrong_note_is_told_everything_at_once(backend: Backend) {
        let running = start(backend).await;
        let wrong = pb::RapportNote { kind: 4, month: 2, day: 30, interaction_id: "there".to_owned(), ..Default::default() };
        let fields = refusal(record(&running, wrong).await).2;
        assert_eq!(fields, ["rapport_note.customer_id", "rapport_note.text", "rapport_note.interaction_id", "rapport_note.day"]);
        assert_eq!(refusal(record(&running, note(INTERACTION, RapportNoteKind::Values, "honesty")).await).0, Code::NotFound);
        running.stop().await;
    }

    async fn a_cadence_is_set_and_says_who_is_due_by_then(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(pb::Customer { owner: "grace".to_owned(), ..customer("Ada", "") }).await.customer_id;
        let set = pb::SetTouchCadenceRequest { customer_id: ada.clone(), cadence_days: 30, ..Default::default() };
        let touch = running.rapport().set_touch_cadence(set).await.expect("set").into_inner().touch.expect("a touch");
        assert_eq!((touch.cadence_days, touch.owner.as_str(), touch.etag.as_str(), touch.told), (30, "grace", "1", false));
        let now = running.rapport().list_due_touches(pb::ListDueTouchesRequest::default()).await.expect("listed").into_inner();
        assert_eq!(now.touches, []);
        let then = pb::ListDueTouchesRequest { owner: "grace".to_owned(), before: touch.next_touch_time, ..Default::default() };
        assert_eq!(running.rapport().list_due_touches(then).await.expect("listed").into_inner().touches, [touch]);
        let wrong = pb::SetTouchCadenceRequest { cadence_days: -1, etag: "x".to_owned(), ..Default::default() };
        assert_eq!(refusal(running.rapport().set_touch_cadence(wrong).await).2, ["customer_id", "cadence_days", "etag"]);
        running.stop().await;
    }
}
