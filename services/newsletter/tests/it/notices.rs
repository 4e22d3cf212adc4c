//! Notices to customers, and the rhythm that a publication promises.

use std::time::Duration;

use rapport_proto::newsletter::v1::{self as pb, IssueState, PublicationKind};
use rapport_testkit::{both_databases, until};
use tonic_types::StatusExt;

use crate::newsletter::Newsletter;

const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const BOB: &str = "0190163d-8694-739b-aea5-966c26f8ad92";
const CAT: &str = "0190163d-8694-739b-aea5-966c26f8ad93";
const BUYERS: &str = "0190163d-8694-739b-aea5-966c26f8ada1";
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Newsletter {
    async fn read(&self, publication_id: &str) -> pb::Publication {
        let request = pb::GetPublicationRequest { publication_id: publication_id.to_owned() };
        self.publications.clone().get_publication(request).await.expect("it is there").into_inner().publication.expect("it")
    }

    async fn notices(&self) -> String {
        let newsletter = self.publication("relay").await;
        let publication = pb::Publication {
            display_name: "Changes".to_owned(),
            sender_id: self.read(&newsletter).await.sender_id,
            kind: PublicationKind::Notice.into(),
            ..Default::default()
        };
        let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
        self.publications.clone().create_publication(request).await.expect("sound").into_inner().publication.expect("it").publication_id
    }
}

fn due(publication: &pb::Publication) -> i64 {
    publication.next_due_time.as_ref().expect("it has a rhythm").seconds
}

fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

both_databases! {
    async fn row_26_a_change_is_told_to_the_customers_whom_it_concerns_without_a_subscription(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.notices().await;
        let members = [(ADA, "ada@example.test"), (BOB, "bob@example.test"), (CAT, "")];
        let members = members.into_iter().map(|(id, email)| (id.to_owned(), email.to_owned())).collect();
        house.customers.known().segments.insert(BUYERS.to_owned(), members);
        house.customers.known().denied.insert(BOB.to_owned());
        let draft = pb::Issue {
            publication_id: publication.clone(),
            subject: "What changes, {{ subscriber.display_name }}".to_owned(),
            text: "The kettle switches itself off now.".to_owned(),
            ..Default::default()
        };
        let create = async |issue: pb::Issue| {
            let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
            house.issues.clone().create_issue(request).await.map(|_| ())
        };
        assert_eq!(reason(&create(draft.clone()).await.expect_err("to whom?")), "AUDIENCE_MISSING");
        let audience = pb::Audience { segment_id: BUYERS.to_owned(), ..Default::default() };
        let draft = pb::Issue { audience: Some(audience), ..draft };
        let leaving = pb::Issue { text: "Leave: {{ unsubscribe_url }}".to_owned(), ..draft.clone() };
        let refused = create(leaving).await.expect_err("nobody can leave");
        assert_eq!(refused.get_error_details().bad_request().expect("a field").field_violations[0].field, "issue.text");
        let issue = house.send(draft).await;
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        // Cat has no address and cannot be written to; Bob said no to us.
        assert_eq!((account.audience, account.accepted, account.withheld_reasons.get("NO_CONSENT")), (2, 1, Some(&1)), "{account:?}");
        let mail = house.smtp.until_mail("ada@example.test").await.text();
        assert!(mail.contains("The kettle switches itself off now.") && mail.contains("Subject: What changes, Ada"), "{mail}");
        for marketing in ["list-unsubscribe", "unsubscribe", "precedence: bulk"] {
            assert!(!mail.to_lowercase().contains(marketing), "{marketing} in {mail}");
        }
        let wish = pb::SubscribeRequest {
            publication_id: publication,
            email: "ada@example.test".to_owned(),
            source: "form".to_owned(),
            wording_version: "1".to_owned(),
            ..Default::default()
        };
        assert_eq!(reason(&house.subscriptions.clone().subscribe(wish).await.expect_err("nobody subscribes to notices")), "PUBLICATION_IS_NOTICE");
        house.stop().await;
    }

    async fn row_46_a_monthly_newsletter_that_does_not_come_is_told_once_for_each_month(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        let promised = house.read(&publication).await;
        assert!(promised.next_due_time.is_some() && promised.overdue_time.is_none());
        let until_missed = async |slots: i64| {
            until(format!("{slots} are missing"), async || Some(house.read(&publication).await).filter(|it| it.missed_slots == slots)).await
        };
        house.clock.advance(DAY * 33);
        let late = until_missed(1).await;
        assert_eq!(late.overdue_time, promised.next_due_time);
        assert!(due(&late) > due(&promised));
        house.clock.advance(DAY * 31);
        until_missed(2).await;
        // An issue keeps the promise again.
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let kept = house.read(&publication).await;
        assert_eq!((kept.missed_slots, kept.overdue_time.is_some()), (0, false));
        assert!(due(&kept) > due(&late));
        let told: Vec<pb::Event> = house.events_until("issue.completed").await;
        let overdue: Vec<i64> = told
            .into_iter()
            .filter(|event| event.meta.as_ref().is_some_and(|meta| meta.r#type == "publication.overdue"))
            .filter_map(|event| event.meta.map(|meta| meta.subject_version))
            .collect();
        assert_eq!(overdue, [1, 2]);
        house.stop().await;
    }
}
