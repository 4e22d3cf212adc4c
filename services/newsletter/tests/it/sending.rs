//! Issues: everybody in the audience ends in one named state, whatever the mail server does.

use std::{collections::BTreeMap, time::Duration};

use rapport_core::Clock;
use rapport_proto::newsletter::v1::{self as pb, DeliveryState, IssueState};
use rapport_testkit::{both_databases, eventually, smtp::Phase};

use crate::newsletter::{Newsletter, header, token};

const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const BOB: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

both_databases! {
    async fn every_recipient_ends_in_exactly_one_state_whatever_the_mail_server_does(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        // From the second mail on, after the confirmation, each has its own way.
        let people = [
            ("ada@example.test", DeliveryState::Accepted),
            ("dot.multilinefrom2+ida@example.test", DeliveryState::Accepted),
            ("rcpt.550from2+bob@example.test", DeliveryState::Rejected),
            ("dot.554from2+fay@example.test", DeliveryState::Rejected),
            ("rcpt.451from2+cat@example.test", DeliveryState::Deferred),
            ("data.dropfrom2+gil@example.test", DeliveryState::Deferred),
            ("rcpt.stallfrom2+kim@example.test", DeliveryState::Deferred),
            ("dot.keptfrom2+dan@example.test", DeliveryState::Unknown),
            ("dot.dropfrom2+eve@example.test", DeliveryState::Unknown),
            ("dot.garbagefrom2+hal@example.test", DeliveryState::Unknown),
            ("dot.stallfrom2+lea@example.test", DeliveryState::Unknown),
        ];
        for (email, _) in people {
            house.subscribe(&publication, email).await;
        }
        let issue = house.send(house.draft(&publication).await).await;
        let account = house.until_account(&issue, "tried once", |it| it.audience == 11 && it.pending == 0 && it.in_flight == 0).await;
        assert_eq!((account.accepted, account.rejected, account.deferred, account.unknown), (2, 2, 3, 4), "{account:?}");
        assert_eq!(account.issue_state(), IssueState::Sending);
        let errors: BTreeMap<String, i64> = account.errors.clone().into_iter().collect();
        assert_eq!((errors.get("CONNECTION"), errors.get("UNANSWERED")), (Some(&2), Some(&4)), "{errors:?}");
        assert_eq!(errors.values().sum::<i64>(), 9, "each attempt that failed is in one class: {errors:?}");
        let deliveries: BTreeMap<String, pb::Delivery> =
            house.deliveries(&issue).await.into_iter().map(|delivery| (delivery.email.clone(), delivery)).collect();
        for (email, state) in people {
            let delivery = &deliveries[email];
            assert_eq!(delivery.state(), state, "{delivery:?}");
            assert_eq!(delivery.attempts.len(), 1, "{delivery:?}");
            for attempt in delivery.attempts.iter().filter(|attempt| attempt.code > 0) {
                assert!(attempt.reply.contains(email), "somebody else's reply: {attempt:?}");
            }
            let kept = house.smtp.mails_to(email).len() - 1;
            let expected = usize::from(state == DeliveryState::Accepted || email.starts_with("dot.kept"));
            assert_eq!(kept, expected, "{email}");
        }
        // One leaves while it is deferred; for the others the time runs out.
        let leaving = house.subscription(&publication, "rcpt.451from2+cat@example.test").await;
        let request = pb::UnsubscribeRequest { subscription_id: leaving.subscription_id, ..Default::default() };
        house.subscriptions.clone().unsubscribe(request).await.expect("it is there");
        house.clock.advance(Duration::from_secs(73 * 3600));
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.withheld, account.expired, account.unknown, account.deferred), (1, 2, 4, 0), "{account:?}");
        assert_eq!(account.withheld_reasons.get("UNSUBSCRIBED"), Some(&1));
        // Sending it once more changes nothing.
        let again = house.issues.clone().send_issue(pb::SendIssueRequest { issue_id: issue.clone(), ..Default::default() }).await;
        assert_eq!(again.expect("no refusal").into_inner().issue.expect("it").state(), IssueState::Completed);
        let kinds: Vec<String> = house.events_until("issue.completed").await.into_iter().filter_map(|event| event.meta).map(|meta| meta.r#type).collect();
        for kind in ["subscription.pending", "subscription.confirmed", "message.settled", "issue.started", "delivery.rejected", "delivery.unknown", "delivery.expired", "subscription.ended"] {
            assert!(kinds.iter().any(|known| known == kind), "{kind} in {kinds:?}");
        }
        house.stop().await;
    }

    async fn who_is_left_out_is_told_why_and_a_greylist_is_passed(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        house.subscribe(&publication, "bob@example.test").await;
        // The first attempt of the confirmation is refused for a while: minutes pass until the second.
        house.ask(&publication, "greylist+cat@example.test").await;
        eventually("the greylist is passed", async || {
            house.clock.advance(Duration::from_secs(60));
            !house.smtp.mails_to("greylist+cat@example.test").is_empty()
        })
        .await;
        assert_eq!(house.smtp.attempts("greylist+cat@example.test", Phase::Rcpt), 2);
        let mail = house.smtp.until_mail("greylist+cat@example.test").await.text();
        house.confirm(&token(&mail, "/confirm/")).await;
        house.customers.add(ADA, "ada@example.test");
        house.customers.add(BOB, "bob@example.test");
        house.customers.at_risk(ADA);
        house.customers.known().denied.insert(BOB.to_owned());
        eventually("both are known", async || {
            let (ada, bob) = (house.subscription(&publication, "ada@example.test").await, house.subscription(&publication, "bob@example.test").await);
            ada.customer_id == ADA && bob.customer_id == BOB
        })
        .await;
        // The risk comes after the customers in the feed; another event behind it shows that it was taken.
        house.customers.add("0190163d-8694-739b-aea5-966c26f8ad93", "greylist+cat@example.test");
        eventually("the feed is read", async || !house.subscription(&publication, "greylist+cat@example.test").await.customer_id.is_empty()).await;
        let issue = house.send(house.draft(&publication).await).await;
        let mut watched = house.issues.clone().watch_issue(pb::WatchIssueRequest { issue_id: issue.clone() }).await.expect("it is there").into_inner();
        let mut last = None;
        while let Some(response) = watched.message().await.expect("it is watched") {
            last = response.accounting;
        }
        let last = last.expect("there was one");
        let reasons: BTreeMap<String, i64> = [("CUSTOMER_AT_RISK".to_owned(), 1), ("NO_CONSENT".to_owned(), 1)].into();
        assert_eq!((last.issue_state(), last.audience, last.accepted), (IssueState::Completed, 3, 1), "{last:?}");
        assert_eq!(last.withheld_reasons, reasons);
        assert_eq!(house.smtp.mails_to("greylist+cat@example.test").len(), 2);
        house.stop().await;
    }

    async fn a_scheduled_issue_begins_at_its_time_and_too_late_never_by_itself(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        let schedule = async |issue_id: &str, minutes: Option<u64>, lateness: Option<i64>| {
            let time = minutes.map(|minutes| (house.clock.now() + Duration::from_secs(minutes * 60)).parts());
            let request = pb::ScheduleIssueRequest {
                issue_id: issue_id.to_owned(),
                send_time: time.map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos }),
                max_lateness: lateness.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
                ..Default::default()
            };
            house.issues.clone().schedule_issue(request).await.map(|answer| answer.into_inner().issue.expect("it"))
        };
        let in_time = house.create(house.draft(&publication).await).await;
        assert_eq!(schedule(&in_time, Some(60), None).await.expect("a draft").state(), IssueState::Scheduled);
        assert_eq!(schedule(&in_time, None, None).await.expect("scheduled").state(), IssueState::Draft);
        let scheduled = schedule(&in_time, Some(60), None).await.expect("a draft");
        assert_eq!(schedule(&in_time, Some(60), None).await.expect("it stays").etag, scheduled.etag);
        let late = house.create(house.draft(&publication).await).await;
        schedule(&late, Some(30), Some(60)).await.expect("a draft");
        house.clock.advance(Duration::from_secs(3600));
        // The one was to begin now, the other half an hour ago.
        house.until_account(&in_time, "sent", |it| it.issue_state() == IssueState::Completed && it.accepted == 1).await;
        house.until_account(&late, "missed", |it| it.issue_state() == IssueState::Missed).await;
        assert_eq!(house.smtp.mails_to("ada@example.test").len(), 2, "the confirmation and one issue");
        let kinds: Vec<String> = house.events_until("issue.missed").await.into_iter().filter_map(|event| event.meta).map(|meta| meta.r#type).collect();
        assert!(kinds.iter().any(|kind| kind == "issue.scheduled"), "{kinds:?}");
        let refused = schedule(&in_time, Some(60), None).await.expect_err("it was sent");
        assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused:?}");
        let wrong = schedule(&late, Some(0), Some(59)).await.expect_err("neither will do");
        assert!(wrong.message().contains("send_time") && wrong.message().contains("max_lateness"), "{wrong:?}");
        // By hand it still goes.
        let request = pb::SendIssueRequest { issue_id: late.clone(), ..Default::default() };
        house.issues.clone().send_issue(request).await.expect("it was missed");
        house.until_account(&late, "sent", |it| it.issue_state() == IssueState::Completed && it.accepted == 1).await;
        house.stop().await;
    }

    async fn an_unknown_outcome_is_settled_by_hand_and_who_gets_it_again_gets_the_same_mail(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let (dan, eve) = ("dot.keptfrom2+dan@example.test", "dot.dropfrom2+eve@example.test");
        for email in [dan, eve, "ada@example.test"] {
            house.subscribe(&publication, email).await;
        }
        let issue = house.send(house.draft(&publication).await).await;
        let twice_unknown = |it: &pb::Accounting| it.issue_state() == IssueState::Completed && it.unknown == 2;
        house.until_account(&issue, "completed with two unknown outcomes", twice_unknown).await;
        let id_of = async |email: &str| {
            house.deliveries(&issue).await.into_iter().find(|delivery| delivery.email == email).expect("it").delivery_id
        };
        let (to_dan, to_eve, to_ada) = (id_of(dan).await, id_of(eve).await, id_of("ada@example.test").await);
        let resolve = async |ids: &[&String], to: pb::Resolution| {
            let request = pb::ResolveUnknownRequest {
                issue_id: issue.clone(),
                delivery_ids: ids.iter().map(ToString::to_string).collect(),
                to: to.into(),
                reason: "their log".to_owned(),
                request_id: String::new(),
            };
            house.issues.clone().resolve_unknown(request).await.map(tonic::Response::into_inner)
        };
        // Who has it stays as it is.
        let again = resolve(&[&to_dan, &to_ada], pb::Resolution::Resend).await.expect("settled");
        assert_eq!((again.issue.expect("it").state(), again.resolved_delivery_ids), (IssueState::Sending, vec![to_dan.clone()]));
        house.until_account(&issue, "completed with two unknown outcomes again", twice_unknown).await;
        let mails = house.smtp.mails_to(dan);
        assert_eq!(mails.len(), 3, "the confirmation and twice the issue");
        assert_eq!(header(&mails[1].text(), "Message-ID"), header(&mails[2].text(), "Message-ID"));
        assert_eq!(resolve(&[&to_dan], pb::Resolution::Accepted).await.expect("settled").resolved_delivery_ids, [to_dan.as_str()]);
        assert_eq!(resolve(&[&to_eve, &to_dan], pb::Resolution::Failed).await.expect("settled").resolved_delivery_ids, [to_eve.as_str()]);
        let account = house.account(&issue).await;
        assert_eq!((account.accepted, account.failed, account.unknown), (2, 1, 0), "{account:?}");
        assert_eq!(account.issue_state(), IssueState::Completed);
        let found = house.deliveries(&issue).await.into_iter().find(|delivery| delivery.email == eve).expect("it");
        assert!(found.resolution.starts_with("FAILED by ") && found.resolution.ends_with(": their log"), "{}", found.resolution);
        let resolved = house.events_until("delivery.resolved").await.pop().and_then(|event| event.meta).expect("an event");
        assert_eq!(resolved.r#type, "delivery.resolved");
        let stranger = resolve(&[&to_dan, &issue], pb::Resolution::Accepted).await.expect_err("not one of it");
        assert_eq!(stranger.code(), tonic::Code::NotFound, "{stranger:?}");
        let nothing = resolve(&[], pb::Resolution::Unspecified).await.expect_err("nothing is said");
        assert!(nothing.message().contains("delivery_ids") && nothing.message().contains("to"), "{nothing:?}");
        house.stop().await;
    }

    async fn a_paused_issue_goes_on_when_it_is_resumed_and_a_cancelled_one_never(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        for number in 0..12 {
            // The issue, the second mail, takes its time.
            house.subscribe(&publication, &format!("rcpt.late-150x9+reader{number}@example.test")).await;
        }
        let issues = || house.issues.clone();
        let issue = house.send(house.draft(&publication).await).await;
        let pause = pb::PauseIssueRequest { issue_id: issue.clone(), reason: "a wrong link".to_owned(), ..Default::default() };
        let paused = issues().pause_issue(pause.clone()).await.expect("it is on its way").into_inner().issue.expect("it");
        assert_eq!((paused.state(), paused.state_reason.as_str()), (IssueState::Paused, "a wrong link"));
        let held = house.until_account(&issue, "paused with nothing in flight", |it| it.in_flight == 0).await;
        assert!(held.accepted < 12, "{held:?}");
        assert_eq!(issues().pause_issue(pause).await.expect("it stays").into_inner().issue.expect("it").etag, paused.etag);
        let resume = pb::ResumeIssueRequest { issue_id: issue.clone(), ..Default::default() };
        issues().resume_issue(resume.clone()).await.expect("it is paused");
        let done = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((done.audience, done.accepted), (12, 12), "{done:?}");
        let refused = issues().resume_issue(resume).await.expect_err("it is over");
        assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused:?}");

        let second = house.send(house.draft(&publication).await).await;
        let cancel = pb::CancelIssueRequest { issue_id: second.clone(), ..Default::default() };
        issues().cancel_issue(cancel.clone()).await.expect("it is on its way");
        let mut watched = issues().watch_issue(pb::WatchIssueRequest { issue_id: second.clone() }).await.expect("it is there").into_inner();
        let mut last = None;
        while let Some(response) = watched.message().await.expect("it is watched") {
            last = response.accounting;
        }
        let last = last.expect("there was one");
        assert_eq!((last.issue_state(), last.pending + last.deferred + last.in_flight), (IssueState::Cancelled, 0), "{last:?}");
        // A confirmation, the first issue, and who was in flight when the second one was cancelled.
        let mails: usize = house.smtp.mails().len();
        assert_eq!(mails, 24 + usize::try_from(last.accepted).expect("some"), "{last:?}");
        issues().cancel_issue(cancel).await.expect("it stays");
        let kinds: Vec<String> = house.events_until("issue.cancelled").await.into_iter().filter_map(|event| event.meta).map(|meta| meta.r#type).collect();
        assert!(["issue.paused", "issue.resumed"].iter().all(|kind| kinds.iter().any(|known| known == kind)), "{kinds:?}");
        house.stop().await;
    }

    async fn a_letter_has_its_headers_and_its_link_ends_the_subscription(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let mail = house.smtp.mails_to("ada@example.test").pop().expect("the issue").text();
        assert_eq!(header(&mail, "Subject"), "News for ada@example.test");
        assert_eq!(header(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let id = house.deliveries(&issue).await[0].mail_message_id.clone();
        assert_eq!(header(&mail, "Message-ID"), format!("<{id}>"));
        let token = token(&header(&mail, "List-Unsubscribe"), "/unsubscribe/");
        assert!(house.page("GET", &format!("/unsubscribe/{token}"), "").await.starts_with("HTTP/1.1 200"));
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), pb::SubscriptionState::Active);
        let first = house.page("POST", &format!("/unsubscribe/{token}"), "List-Unsubscribe=One-Click").await;
        let ended = house.subscription(&publication, "ada@example.test").await;
        assert_eq!((ended.state(), ended.proofs.last().map(pb::Proof::kind)), (pb::SubscriptionState::Unsubscribed, Some(pb::ProofKind::OneClick)));
        let body = |answer: &str| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a body");
        for path in [format!("/unsubscribe/{token}"), "/unsubscribe/nonsense".to_owned()] {
            let again = house.page("POST", &path, "List-Unsubscribe=One-Click").await;
            assert!(again.starts_with("HTTP/1.1 200"), "{again}");
            assert_eq!(body(&again), body(&first));
        }
        house.stop().await;
    }
}
