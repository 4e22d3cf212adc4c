//! What comes back: replies with their journey, machines told apart, the wish to leave by mail.

use rapport_proto::newsletter::v1::{self as pb, InboundKind, IssueState, MatchedBy, SubscriptionState};
use rapport_testkit::both_databases;

use crate::newsletter::{Newsletter, header, token};

both_databases! {
    async fn replies_are_matched_and_machines_are_told_apart(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let mail = house.smtp.mails_to("ada@example.test").pop().expect("the issue").text();
        let (reply_to, message_id) = (header(&mail, "Reply-To"), header(&mail, "Message-ID"));
        let journey = house.deliveries(&issue).await[0].journey_id.clone();

        let raw = "From: Ada <ada@example.test>\r\nSubject: Re: News\r\nMessage-ID: <1@x>\r\n\r\nThank you!\r\n";
        let reply = house.ingest(raw, &reply_to).await;
        assert_eq!((reply.kind(), reply.matched_by(), reply.text.as_str()), (InboundKind::Reply, MatchedBy::Token, "Thank you!"));
        assert_eq!((reply.issue_id.as_str(), reply.journey_id.as_str()), (issue.as_str(), journey.as_str()));
        assert_eq!(house.ingest(raw, &reply_to).await.inbound_mail_id, reply.inbound_mail_id);
        assert_eq!(house.account(&issue).await.replied_after, 1);

        let raw = format!("From: ada@example.test\r\nSubject: Re: News\r\nReferences: <0@x> {message_id}\r\n\r\nOnce more\r\n");
        assert_eq!(house.ingest(&raw, "desk@shop.example").await.matched_by(), MatchedBy::References);
        assert_eq!(house.account(&issue).await.replied_after, 1);
        let raw = format!("From: ada@example.test\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: {message_id}\r\n\r\nI am away\r\n");
        let away = house.ingest(&raw, "desk@shop.example").await;
        assert_eq!((away.kind(), away.matched_by()), (InboundKind::AutoReply, MatchedBy::InReplyTo));
        let raw = "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\r\nfailed\r\n--x--\r\n";
        let sender = house.smtp.mails_to("ada@example.test").pop().expect("the issue").sender;
        let bounce = house.ingest(raw, &sender).await;
        assert_eq!((bounce.kind(), bounce.matched_by()), (InboundKind::Bounce, MatchedBy::Token));
        assert_eq!(house.ingest(raw, "desk@shop.example").await.matched_by(), MatchedBy::Unspecified);

        let told = house.events_until("inbound.auto_reply").await;
        let kinds: Vec<&str> = told.iter().filter_map(|event| event.meta.as_ref()).map(|meta| meta.r#type.as_str()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "inbound.reply").count(), 2, "{kinds:?}");

        let leave = format!("u+{}@shop.example", token(&header(&mail, "List-Unsubscribe"), "mailto:u+"));
        let left = house.ingest("From: ada@example.test\r\nSubject: unsubscribe\r\n\r\n", &leave).await;
        assert_eq!(left.kind(), InboundKind::Unsubscribe);
        let ended = house.subscription(&publication, "ada@example.test").await;
        assert_eq!((ended.state(), ended.proofs.last().map(pb::Proof::kind)), (SubscriptionState::Unsubscribed, Some(pb::ProofKind::Mailto)));
        house.stop().await;
    }
}
