//! Use cases: errors with their details, idempotency, audit.

use rapport_core::{Failure, Never};
use rapport_server::Host;
use rapport_testkit::{both_databases, until};
use tonic::Code;
use tonic_types::StatusExt;

use crate::fixture::{Fixture, question, recording};

both_databases! {
    async fn a_repeated_request_gets_the_answer_of_the_first(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        let mut consents = fixture.consents().await;
        let first = consents.record_consent(recording("once", "r1")).await.expect("recorded").into_inner();
        let again = consents.record_consent(recording("once", "r1")).await.expect("recorded").into_inner();
        let other = consents.record_consent(recording("once", "r2")).await.expect("recorded").into_inner();
        assert_eq!(first, again);
        assert_ne!(first, other);
        assert_eq!(events(&fixture).await, 2);
    }

    async fn the_same_request_id_with_another_request_is_refused(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        let mut consents = fixture.consents().await;
        consents.record_consent(recording("once", "r1")).await.expect("recorded");
        let refused = consents.record_consent(recording("twice", "r1")).await.expect_err("another request");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.get_error_details().bad_request().expect("violations").field_violations[0].field, "request_id");
    }

    async fn a_failure_is_not_stored_and_leaves_nothing(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        let mut consents = fixture.consents().await;
        for _ in 0..2 {
            let refused = consents.record_consent(recording("refuse", "r1")).await.expect_err("refused");
            assert_eq!(refused.code(), Code::FailedPrecondition);
        }
        assert_eq!(events(&fixture).await, 0);
        consents.record_consent(recording("now", "r1")).await.expect("the id is free still");
    }

    async fn many_at_once_with_one_request_id_have_one_effect(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        let consents = fixture.consents().await;
        let calls = (0..16).map(|_| {
            let mut consents = consents.clone();
            async move { consents.record_consent(recording("once", "r1")).await.expect("recorded").into_inner() }
        });
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(events(&fixture).await, 1);
    }
}

/// How many events there are, all of them stamped.
async fn events(fixture: &Fixture) -> usize {
    fixture.record("the end").await;
    until("the last event is stamped", async || {
        let read = fixture
            .database
            .read(async |conn| -> Result<_, Failure<Never>> { Ok(rapport_db::feed::after(conn, 0, &[], 100).await?) })
            .await
            .expect("a read");
        read.last().filter(|last| last.payload == "the end").map(|_| read.len() - 1)
    })
    .await
}

#[tokio::test]
async fn a_refusal_says_its_reason_its_conditions_and_its_domain() {
    let fixture = Fixture::start(&[]).await;
    let refused = fixture.consents().await.record_consent(recording("refuse", "")).await.expect_err("refused");
    let details = refused.get_error_details();
    let info = details.error_info().expect("info");
    assert_eq!((info.reason.as_str(), info.domain.as_str(), info.metadata["door"].as_str()), ("CLOSED", "customer.rapport", "front"));
    assert_eq!(details.precondition_failure().expect("conditions").violations[0].r#type, "OPEN");
}

#[tokio::test]
async fn a_request_id_that_is_too_long_is_refused_by_name() {
    let fixture = Fixture::start(&[]).await;
    let refused = fixture.consents().await.record_consent(recording("x", &"r".repeat(65))).await.expect_err("too long");
    assert!(refused.message().contains("request_id"), "{refused:?}");
}

#[tokio::test]
async fn an_internal_error_tells_nothing_of_what_is_inside() {
    let fixture = Fixture::start(&[]).await;
    let mut consents = fixture.consents().await;
    let corrupt = consents.record_consent(recording("corrupt", "")).await.expect_err("corrupt");
    let broken = consents.check_consent(question("broken")).await.expect_err("broken");
    for status in [corrupt, broken] {
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(status.get_error_details().error_info().expect("info").reason, "INTERNAL");
        assert!(!status.message().contains("asked") && !status.message().contains("secret"), "{status:?}");
    }
}

#[tokio::test]
async fn a_panic_answers_its_own_call_and_no_other() {
    let fixture = Fixture::start(&[]).await;
    let mut consents = fixture.consents().await;
    let panicked = consents.check_consent(question("panic")).await.expect_err("it panics");
    assert_eq!(panicked.code(), Code::Internal);
    assert_eq!(panicked.get_error_details().error_info().expect("info").domain, "customer.rapport");
    consents.check_consent(question("")).await.expect("the connection and the service go on");
}

#[tokio::test]
async fn a_peer_is_found_on_the_free_port_that_it_got() {
    let fixture = Fixture::start(&[]).await;
    let host: &Host = &fixture.host;
    let mut consents =
        rapport_proto::customer::v1::consent_service_client::ConsentServiceClient::new(host.peer("customer").expect("a peer"));
    consents.check_consent(question("")).await.expect("it answers");
}
