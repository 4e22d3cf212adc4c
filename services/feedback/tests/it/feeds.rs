//! The feed: what happens, in order, and the present state for those who are new.

use rapport_proto::{
    common::v1::{WatchStart, watch_start::At},
    feedback::v1::{self as pb, watch_events_response::Item},
};
use rapport_testkit::both_databases;

use crate::feedback::{ADA, Feedback, number};

/// The types of the events until the feed is silent.
async fn told(feedback: &Feedback, at: At, types: &[&str]) -> Vec<String> {
    let types = types.iter().map(|kind| (*kind).to_owned()).collect();
    let request = pb::WatchEventsRequest { start: Some(WatchStart { at: Some(at) }), types, consumer: "test".into() };
    let mut stream = feedback.feed.clone().watch_events(request).await.expect("a feed").into_inner();
    let mut told = Vec::new();
    loop {
        match stream.message().await.expect("an item").expect("it goes on").item.expect("an item") {
            Item::Event(event) => {
                let meta = event.meta.expect("it says what it is");
                assert!(event.payload.is_some(), "{}", meta.r#type);
                told.push(meta.r#type);
            }
            Item::Heartbeat(heartbeat) if heartbeat.cursor == heartbeat.head => return told,
            Item::Heartbeat(_) => {}
        }
    }
}

both_databases! {
    async fn everything_is_told_in_order_and_again_as_a_snapshot(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (_, token) = feedback.invited(&survey.questionnaire_id).await;
        let request = pb::SubmitResponseRequest { token, answers: vec![number("recommend", 3.0)], ..Default::default() };
        feedback.collection.clone().submit_response(request).await.expect("open");
        let remark = pb::Remark {
            customer_id: ADA.into(),
            verbatim: "Fine".into(),
            occasion: pb::RemarkOccasion::Visit.into(),
            ..Default::default()
        };
        feedback.collection.clone().record_remark(pb::RecordRemarkRequest { remark: Some(remark), ..Default::default() }).await.expect("said");
        let happened = ["questionnaire.published", "invitation.sent", "response.submitted", "remark.recorded"];
        rapport_testkit::eventually("the relay has stamped them", async || told(&feedback, At::Earliest(true), &[]).await.len() == 4).await;
        assert_eq!(told(&feedback, At::Earliest(true), &[]).await, happened);
        assert_eq!(told(&feedback, At::Snapshot(true), &[]).await, ["questionnaire.published", "response.submitted", "remark.recorded"]);
        assert_eq!(told(&feedback, At::Earliest(true), &["remark.recorded"]).await, ["remark.recorded"]);
        feedback.stop().await;
    }
}
