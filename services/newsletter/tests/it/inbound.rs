//! What comes back: replies with their journey, machines told apart, the wish to leave by mail.

use std::{collections::BTreeMap, time::Duration};

use rapport_proto::newsletter::v1::{self as pb, InboundKind, IssueState, MatchedBy, SubscriptionState, SuppressionReason};
use rapport_testkit::both_databases;

use crate::{
    newsletter::{Newsletter, header, token},
    suppressions,
};

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

    async fn what_came_back_is_believed_when_it_brings_our_token(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let people = ["hard", "soft", "refused", "late", "angry", "forged"].map(|name| format!("{name}@example.test"));
        for email in &people {
            house.subscribe(&publication, email).await;
        }
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let mail = |email: &str| house.smtp.mails_to(email).pop().expect("the issue");
        let dsn = |action: &str, status: &str| {
            format!(
                "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
                 --x\r\n\r\nIt failed.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
                 Final-Recipient: rfc822; somebody@example.test\r\nAction: {action}\r\nStatus: {status}\r\n\
                 Diagnostic-Code: smtp; 550 {status} said so\r\n\r\n--x--\r\n"
            )
        };
        // To the address that it was sent from, but twice, and one that only waits.
        for (name, action, status) in [("hard", "failed", "5.1.1"), ("hard", "failed", "5.1.2"), ("soft", "failed", "5.2.2"), ("refused", "failed", "5.7.1"), ("late", "delayed", "4.4.1")] {
            let taken = house.ingest(&dsn(action, status), &mail(&format!("{name}@example.test")).sender).await;
            assert_eq!((taken.kind(), taken.matched_by()), (InboundKind::Bounce, MatchedBy::Token), "{name}");
        }
        // Somebody who knows the Message-ID only.
        let message_id = header(&mail("forged@example.test").text(), "Message-ID");
        let forged = dsn("failed", "5.1.1").replace("Return-Path: <>\r\n", &format!("Return-Path: <>\r\nIn-Reply-To: {message_id}\r\n"));
        assert_eq!(house.ingest(&forged, "bounces@shop.example").await.matched_by(), MatchedBy::InReplyTo);
        let arf = |original: &str| {
            format!(
                "From: feedback@isp.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n\r\nSpam.\r\n\
                 --x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: Loop/1\r\n\r\n\
                 --x\r\nContent-Type: message/rfc822\r\n\r\n{original}\r\n--x--\r\n"
            )
        };
        let complaint = house.ingest(&arf(&mail("angry@example.test").text()), "abuse@shop.example").await;
        assert_eq!((complaint.kind(), complaint.matched_by()), (InboundKind::Complaint, MatchedBy::Token));
        house.ingest(&arf(&format!("Message-ID: {message_id}\r\nSubject: x\r\n\r\n")), "abuse@shop.example").await;

        let account = house.account(&issue).await;
        assert_eq!((account.accepted, account.bounced, account.bounced_after, account.complained), (6, 0, 1, 1), "{account:?}");
        let of: BTreeMap<String, pb::Delivery> = house.deliveries(&issue).await.into_iter().map(|it| (it.email.clone(), it)).collect();
        let bounce = |name: &str| of[&format!("{name}@example.test")].bounce.clone();
        assert_eq!(bounce("hard"), "HARD 5.1.1 smtp; 550 5.1.1 said so");
        assert!(bounce("soft").starts_with("SOFT 5.2.2") && bounce("refused").starts_with("REFUSED 5.7.1"));
        assert_eq!((bounce("late"), bounce("forged")), (String::new(), String::new()));
        assert!(of["angry@example.test"].complained);
        let left = house.subscription(&publication, "angry@example.test").await;
        assert_eq!((left.state(), left.proofs.last().map(pb::Proof::kind)), (SubscriptionState::Unsubscribed, Some(pb::ProofKind::Complaint)));

        // Who bounced hard gets nothing more; one soft bounce and our own fault cost nobody anything.
        let next = house.send(house.draft(&publication).await).await;
        let account = house.until_account(&next, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.audience, account.accepted, account.withheld), (5, 4, 1), "{account:?}");
        let withheld: Vec<String> =
            house.deliveries(&next).await.into_iter().filter(|it| it.state() == pb::DeliveryState::Withheld).map(|it| it.email).collect();
        assert_eq!(withheld, ["hard@example.test"]);
        let told = house.events_until("delivery.complained").await;
        assert_eq!(told.iter().filter(|event| event.meta.as_ref().is_some_and(|meta| meta.r#type == "delivery.bounced")).count(), 3);
        let suppressed = suppressions::told(&house, 2).await;
        let shown = |at: usize| suppressed[at].1.suppression.clone().map(|it| (it.reason(), it.evidence)).expect("it");
        let evidence = |name: &str, what: &str| format!("delivery {}: {what}", of[&format!("{name}@example.test")].delivery_id);
        assert_eq!(shown(0), (SuppressionReason::HardBounce, evidence("hard", "HARD 5.1.1")));
        assert_eq!(shown(1), (SuppressionReason::Complaint, evidence("angry", "abuse")));
        assert_eq!(suppressed[1].0.journey_id, of["angry@example.test"].journey_id);

        // The fifth mail in a month that bounces softly is the last.
        for number in 2..=5 {
            let issue = house.send(house.draft(&publication).await).await;
            house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
            house.ingest(&dsn("failed", "5.2.2"), &mail("soft@example.test").sender).await;
            house.clock.advance(Duration::from_secs(24 * 60 * 60));
            let suppressed = number == 5;
            let next = house.send(house.draft(&publication).await).await;
            let account = house.until_account(&next, "completed", |it| it.issue_state() == IssueState::Completed).await;
            assert_eq!(account.withheld, 1 + i64::from(suppressed), "after {number}");
        }
        let (_, last) = suppressions::told(&house, 3).await.pop().expect("three");
        assert_eq!((last.email.as_str(), last.suppression.expect("it").reason()), ("soft@example.test", SuppressionReason::SoftBounces));
        house.stop().await;
    }
}
