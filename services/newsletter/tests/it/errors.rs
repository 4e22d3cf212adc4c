//! Wrong requests are answered with everything that is wrong with them.

use rapport_proto::newsletter::v1 as pb;
use rapport_testkit::both_databases;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::newsletter::Newsletter;

fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let mut fields: Vec<String> =
        status.get_details_bad_request().expect("all violations").field_violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

both_databases! {
    async fn all_violations_are_told_at_once(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let sender = pb::Sender { from_address: "x".into(), reply_domain: "a b".into(), transport: "pigeon".into(), ..Default::default() };
        let request = pb::CreateSenderRequest { sender: Some(sender), sender_id: "1".into(), ..Default::default() };
        let refused = house.publications.clone().create_sender(request).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["sender.from_address", "sender.from_name", "sender.reply_domain", "sender.transport", "sender_id"]);
        let refused = house.subscriptions.clone().subscribe(pb::SubscribeRequest { email: "x".into(), ..Default::default() }).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["email", "publication_id", "source", "wording_version"]);
        let refused = house.subscriptions.clone().unsubscribe(pb::UnsubscribeRequest::default()).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["token"]);
        let issue = pb::Issue {
            subject: "{{ nobody }}".into(),
            html: "{% for %}".into(),
            text: "{{ subscriber.age }}".into(),
            on_unknown: 77,
            give_up_after: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            ..Default::default()
        };
        let refused = house.issues.clone().create_issue(pb::CreateIssueRequest { issue: Some(issue), ..Default::default() }).await.expect_err("wrong");
        assert_eq!(
            fields(&refused),
            ["issue.give_up_after", "issue.html", "issue.on_unknown", "issue.publication_id", "issue.subject", "issue.text"]
        );
        let message = pb::Message { purpose: 5, subject: "{{ x }}".into(), text: "a".into(), in_reply_to: "a b".into(), ..Default::default() };
        let refused = house.messages.clone().send_message(pb::SendMessageRequest { message: Some(message), ..Default::default() }).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["message.customer_id", "message.in_reply_to", "message.subject", "message.to_email"]);
        let refused = house.messages.clone().ingest_inbound_mail(pb::IngestInboundMailRequest::default()).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["envelope_recipient", "raw"]);
        let request = pb::ListSubscriptionsRequest { page_size: -1, filter: "colour = red".into(), ..Default::default() };
        let refused = house.subscriptions.clone().list_subscriptions(request).await.expect_err("wrong");
        assert_eq!(fields(&refused), ["filter", "page_size"]);
        let request = pb::ConfirmSubscriptionRequest { token: "nonsense".into(), ..Default::default() };
        let refused = house.subscriptions.clone().confirm_subscription(request).await.expect_err("no token of ours");
        assert_eq!((refused.code(), refused.get_details_error_info().map(|info| info.reason)), (Code::FailedPrecondition, Some("TOKEN_INVALID".into())));
        let listed = house.issues.clone().list_issues(pb::ListIssuesRequest { filter: "state = DRAFT".into(), ..Default::default() }).await;
        assert!(listed.expect("sound").into_inner().issues.is_empty());
        let missing = pb::GetIssueRequest { issue_id: "0190163d-8694-739b-aea5-966c26f8ad91".into() };
        assert_eq!(house.issues.clone().get_issue(missing).await.expect_err("none").code(), Code::NotFound);
        house.stop().await;
    }
}
