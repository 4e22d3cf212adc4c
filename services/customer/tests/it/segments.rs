//! Segments: saved filters over customers, counted and streamed.

use rapport_proto::{
    common::v1::{Channel, ContactPurpose, CustomerType},
    customer::v1::{self as pb, ConsentSource, ConsentStatus, LifecycleStage},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::running::{Running, customer, refusal, start};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn segment(name: &str, filter: &str) -> pb::Segment {
    pb::Segment { display_name: name.to_owned(), filter: filter.to_owned(), ..Default::default() }
}

async fn save(running: &Running, segment: pb::Segment) -> pb::Segment {
    let request = pb::CreateSegmentRequest { segment: Some(segment), ..Default::default() };
    running.segments().create_segment(request).await.expect("created").into_inner().segment.expect("a segment")
}

async fn count(running: &Running, segment_id: &str, filter: &str) -> i64 {
    let request = pb::CountSegmentRequest { segment_id: segment_id.to_owned(), filter: filter.to_owned() };
    running.segments().count_segment(request).await.expect("counted").into_inner().count
}

async fn stream(running: &Running, request: pb::StreamSegmentRequest) -> Vec<pb::StreamSegmentResponse> {
    let mut stream = running.segments().stream_segment(request).await.expect("a stream").into_inner();
    let mut groups = Vec::new();
    while let Some(group) = stream.message().await.expect("a group") {
        groups.push(group);
    }
    groups
}

async fn consent(running: &Running, customer_id: &str, purpose: ContactPurpose, status: ConsentStatus) {
    let consent = pb::ConsentRecord {
        customer_id: customer_id.to_owned(),
        channel: Channel::Email.into(),
        purpose: purpose.into(),
        status: status.into(),
        source: ConsentSource::Form.into(),
        ..Default::default()
    };
    let request = pb::RecordConsentRequest { consent: Some(consent), ..Default::default() };
    running.consents().record_consent(request).await.expect("recorded");
}

both_databases! {
    async fn row_86_customers_are_segmented_by_their_place_in_the_funnel(backend: Backend) {
        let running = start(backend).await;
        let mut ids = Vec::new();
        for (number, stage) in [LifecycleStage::Prospect, LifecycleStage::Customer, LifecycleStage::Customer, LifecycleStage::Former].into_iter().enumerate() {
            let person = pb::Customer { lifecycle_stage: stage.into(), language: "en".to_owned(), ..customer(&format!("Person {number}"), &format!("p{number}@example.com")) };
            ids.push(running.create(person).await.customer_id);
        }
        let assign = pb::AssignCustomerTypeRequest {
            customer_id: ids[2].clone(),
            customer_type: CustomerType::Loyal.into(),
            reason: "comes back".to_owned(),
            ..Default::default()
        };
        running.customers().assign_customer_type(assign).await.expect("assigned");
        let saved = save(&running, segment("Those who bought", "lifecycle_stage = CUSTOMER")).await;
        assert_eq!((count(&running, &saved.segment_id, "").await, count(&running, "", "lifecycle_stage = CUSTOMER AND customer_type = LOYAL").await), (2, 1));
        let request = pb::StreamSegmentRequest { segment_id: saved.segment_id.clone(), group_size: 1, ..Default::default() };
        let groups = stream(&running, request.clone()).await;
        let streamed: Vec<(&str, &str, &str)> = groups.iter().flat_map(|group| &group.members).map(|it| (it.customer_id.as_str(), it.email.as_str(), it.language.as_str())).collect();
        assert_eq!(streamed, [(ids[1].as_str(), "p1@example.com", "en"), (ids[2].as_str(), "p2@example.com", "en")]);
        // Somebody who lost the stream goes on after the last group.
        let rest = stream(&running, pb::StreamSegmentRequest { after_customer_id: groups[0].last_customer_id.clone(), ..request }).await;
        assert_eq!(rest, groups[1..]);
        let asked = pb::MatchSegmentRequest { segment_id: saved.segment_id, customer_ids: ids.clone(), ..Default::default() };
        assert_eq!(running.segments().match_segment(asked).await.expect("matched").into_inner().customer_ids, ids[1..3]);
        running.stop().await;
    }

    async fn a_segment_knows_who_may_be_mailed_and_names_customers_one_by_one(backend: Backend) {
        let running = start(backend).await;
        let (ada, bob, cat) = (running.create(customer("Ada", "ada@example.com")).await.customer_id, running.create(customer("Bob", "")).await.customer_id, running.create(customer("Cat", "")).await.customer_id);
        consent(&running, &ada, ContactPurpose::Newsletters, ConsentStatus::Granted).await;
        consent(&running, &bob, ContactPurpose::Newsletters, ConsentStatus::Granted).await;
        consent(&running, &bob, ContactPurpose::Newsletters, ConsentStatus::Withdrawn).await;
        assert_eq!(count(&running, "", "consent = NEWSLETTERS").await, 1);
        assert_eq!((count(&running, "", "consent = SERVICE").await, count(&running, "", "").await), (3, 3));
        let request = pb::StreamSegmentRequest { filter: "consent = SERVICE".to_owned(), purpose: ContactPurpose::Newsletters.into(), ..Default::default() };
        let allowed: Vec<bool> = stream(&running, request).await.into_iter().flat_map(|group| group.members).map(|it| it.consent.expect("asked").allowed).collect();
        assert_eq!(allowed, [true, false, false]);
        let two = save(&running, pb::Segment { customer_ids: vec![cat.clone(), ada.clone(), ada.clone()], ..segment("Two", "") }).await;
        assert_eq!((two.customer_ids.as_slice(), count(&running, &two.segment_id, "").await), ([ada, cat].as_slice(), 2));
        running.stop().await;
    }

    async fn a_segment_is_changed_by_who_has_read_it_and_archived_for_good(backend: Backend) {
        let running = start(backend).await;
        let wrong = pb::Segment { customer_ids: vec!["x".to_owned()], ..segment("", "owner > a AND consent = ALWAYS AND nothing = 1") };
        let refused = running.segments().create_segment(pb::CreateSegmentRequest { segment: Some(wrong), ..Default::default() }).await;
        let (code, _, fields) = refusal(refused);
        assert_eq!((code, fields), (Code::InvalidArgument, ["segment.display_name", "segment.filter", "segment.customer_ids[0]"].map(str::to_owned).to_vec()));
        let saved = save(&running, segment("All", "")).await;
        let again = pb::CreateSegmentRequest { segment: Some(segment("All", "")), segment_id: saved.segment_id.clone(), ..Default::default() };
        assert_eq!(refusal(running.segments().create_segment(again).await).1, "SEGMENT_ID_TAKEN");
        let renamed = pb::Segment { segment_id: saved.segment_id.clone(), etag: saved.etag.clone(), ..segment("Everybody", "tag = vip") };
        let request = pb::UpdateSegmentRequest { segment: Some(renamed), ..Default::default() };
        let changed = running.segments().update_segment(request.clone()).await.expect("changed").into_inner().segment.expect("it");
        assert_eq!((changed.display_name.as_str(), changed.filter.as_str(), changed.etag.as_str()), ("Everybody", "tag = vip", "2"));
        assert_eq!(refusal(running.segments().update_segment(request).await).0, Code::Aborted);
        let archive = pb::ArchiveSegmentRequest { segment_id: saved.segment_id.clone(), ..Default::default() };
        for _ in 0..2 {
            assert!(running.segments().archive_segment(archive.clone()).await.expect("archived").into_inner().segment.expect("it").archived);
        }
        let request = pb::StreamSegmentRequest { segment_id: saved.segment_id.clone(), ..Default::default() };
        assert_eq!(refusal(running.segments().stream_segment(request).await.map(|_| ())).1, "SEGMENT_ARCHIVED");
        let listed = |show_archived| pb::ListSegmentsRequest { show_archived, ..Default::default() };
        let (without, with) = (running.segments().list_segments(listed(false)).await, running.segments().list_segments(listed(true)).await);
        assert_eq!((without.expect("listed").into_inner().segments.len(), with.expect("listed").into_inner().segments.len()), (0, 1));
        let got = running.segments().get_segment(pb::GetSegmentRequest { segment_id: saved.segment_id }).await.expect("got").into_inner().segment;
        assert!(got.expect("it").archived);
        let missing = running.segments().get_segment(pb::GetSegmentRequest { segment_id: ID.to_owned() }).await;
        assert_eq!(refusal(missing).0, Code::NotFound);
        running.stop().await;
    }

    async fn row_88_choices_can_be_changed_at_any_time_and_the_last_one_counts_at_once(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "ada@example.com")).await.customer_id;
        let allowed = async || {
            let request = pb::CheckConsentRequest {
                customer_ids: vec![ada.clone()],
                channel: Channel::Email.into(),
                purpose: ContactPurpose::MarketingContact.into(),
                ..Default::default()
            };
            running.consents().check_consent(request).await.expect("answered").into_inner().answers[0].allowed
        };
        assert!(!allowed().await);
        let choices = [ConsentStatus::Granted, ConsentStatus::Withdrawn, ConsentStatus::Granted, ConsentStatus::Denied];
        for choice in choices {
            consent(&running, &ada, ContactPurpose::MarketingContact, choice).await;
            assert_eq!(allowed().await, choice == ConsentStatus::Granted, "{choice:?}");
            assert_eq!(count(&running, "", "consent = MARKETING_CONTACT").await, i64::from(choice == ConsentStatus::Granted));
        }
        // Each choice stays in the ledger with its time: none is written over.
        let list = pb::ListConsentRecordsRequest { customer_id: ada.clone(), ..Default::default() };
        let records = running.consents().list_consent_records(list).await.expect("listed").into_inner().consents;
        let told: Vec<ConsentStatus> = records.iter().map(pb::ConsentRecord::status).collect();
        assert_eq!(told, choices);
        assert!(records.iter().all(|record| record.effective_time.is_some() && record.actor.is_some()));
        running.stop().await;
    }
}
