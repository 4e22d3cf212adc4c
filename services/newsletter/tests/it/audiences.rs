//! Audiences: a segment narrows and never widens, everybody who is left out has a reason, and a peer that fails costs nobody.

use std::collections::BTreeMap;

use rapport_proto::newsletter::v1::{self as pb, IssueState};
use rapport_testkit::{both_databases, eventually, until};
use tonic::Code;
use tonic_types::StatusExt;

use crate::newsletter::Newsletter;

const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const BOB: &str = "0190163d-8694-739b-aea5-966c26f8ad92";
const CAT: &str = "0190163d-8694-739b-aea5-966c26f8ad93";
const DAN: &str = "0190163d-8694-739b-aea5-966c26f8ad94";
const FRIENDS: &str = "0190163d-8694-739b-aea5-966c26f8ada1";
const OTHERS: &str = "0190163d-8694-739b-aea5-966c26f8ada2";

fn email(id: &str) -> String {
    let name = match id {
        ADA => "ada",
        BOB => "bob",
        CAT => "cat",
        _ => "dan",
    };
    format!("{name}@example.test")
}

impl Newsletter {
    fn segment(&self, id: &str, members: &[&str]) {
        let members: BTreeMap<String, String> = members.iter().map(|id| ((*id).to_owned(), email(id))).collect();
        self.customers.known().segments.insert(id.to_owned(), members);
    }

    /// Customers who subscribe to the publication.
    async fn subscribers(&self, publication: &str, ids: &[&str]) {
        for id in ids {
            self.subscribe(publication, &email(id)).await;
            self.customers.add(id, &email(id));
        }
        eventually("they are known", async || {
            let mut known = true;
            for id in ids {
                known &= self.subscription(publication, &email(id)).await.customer_id == *id;
            }
            known
        })
        .await;
    }
}

fn reasons(account: &pb::Accounting) -> Vec<(&str, i64)> {
    account.withheld_reasons.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
}

both_databases! {
    async fn a_segment_narrows_an_issue_and_never_widens_it_even_when_its_stream_breaks(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribers(&publication, &[ADA, BOB, CAT]).await;
        // Dan is in the segment and never subscribed; Cat subscribed and is not in it.
        house.segment(FRIENDS, &[ADA, BOB, DAN]);
        house.customers.known().breaks = vec![0, 1, 1];
        let audience = pb::Audience { segment_id: FRIENDS.to_owned(), hold_open_complaints: true, ..Default::default() };
        let draft = pb::Issue { audience: Some(audience), ..house.draft(&publication).await };
        let issue = house.send(draft).await;
        let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        assert_eq!((account.audience, account.accepted, house.customers.known().streams), (2, 2, 4), "{account:?}");
        let mut emails: Vec<String> = house.deliveries(&issue).await.into_iter().map(|delivery| delivery.email).collect();
        emails.sort();
        assert_eq!(emails, [email(ADA), email(BOB)]);
        assert_eq!(house.smtp.mails_to(&email(ADA)).len(), 2, "the confirmation and the issue, however often the stream broke");
        house.stop().await;
    }

    async fn everybody_who_is_left_out_of_an_audience_has_a_reason(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribers(&publication, &[ADA, BOB, CAT, DAN]).await;
        house.segment(FRIENDS, &[ADA, BOB, CAT, DAN]);
        house.segment(OTHERS, &[BOB]);
        house.customers.known().complaining.insert(ADA.to_owned());
        house.customers.known().denied.insert(DAN.to_owned());
        let audience = pb::Audience {
            hold_open_complaints: true,
            exclude_segment_ids: vec![OTHERS.to_owned()],
            exclude_emails: vec!["CAT@Example.test".to_owned()],
            ..Default::default()
        };
        // Narrowed by a segment or not: the reasons are the same.
        for segment_id in ["", FRIENDS] {
            let audience = pb::Audience { segment_id: segment_id.to_owned(), ..audience.clone() };
            let issue = house.send(pb::Issue { audience: Some(audience), ..house.draft(&publication).await }).await;
            let account = house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
            assert_eq!(reasons(&account), [("EXCLUDED", 2), ("NO_CONSENT", 1), ("OPEN_COMPLAINT", 1)], "{segment_id:?}");
            assert_eq!(account.audience, 4);
        }
        house.stop().await;
    }

    async fn an_audience_that_cannot_be_told_sends_the_issue_back_with_the_reason(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.subscribers(&publication, &[ADA]).await;
        let audience = pb::Audience { segment_id: FRIENDS.to_owned(), ..Default::default() };
        let draft = pb::Issue { audience: Some(audience.clone()), ..house.draft(&publication).await };
        let request = pb::CreateIssueRequest { issue: Some(draft.clone()), ..Default::default() };
        let refused = house.issues.clone().create_issue(request).await.expect_err("there is no such segment");
        let field = refused.get_error_details().bad_request().map(|bad| bad.field_violations[0].field.clone());
        assert_eq!((refused.code(), field.as_deref()), (Code::InvalidArgument, Some("issue.audience")));
        let both = pb::Audience { filter: "tag = vip".to_owned(), exclude_customer_ids: vec!["x".to_owned()], ..audience };
        let request = pb::CreateIssueRequest { issue: Some(pb::Issue { audience: Some(both), ..draft.clone() }), ..Default::default() };
        let refused = house.issues.clone().create_issue(request).await.expect_err("two of them");
        let fields: Vec<String> = refused.get_error_details().bad_request().expect("fields").field_violations.iter().map(|it| it.field.clone()).collect();
        assert_eq!(fields, ["issue.audience.filter", "issue.audience.exclude_customer_ids[0]"]);
        // It is gone when the audience is frozen: that stays so, and is told soon.
        house.segment(FRIENDS, &[ADA]);
        let issue = house.create(draft).await;
        house.customers.known().segments.clear();
        house.issues.clone().send_issue(pb::SendIssueRequest { issue_id: issue.clone(), ..Default::default() }).await.expect("a draft");
        let found = until("the issue is a draft again", async || {
            let found = house.issues.clone().get_issue(pb::GetIssueRequest { issue_id: issue.clone() }).await.expect("it is there");
            found.into_inner().issue.filter(|issue| issue.state() == IssueState::Draft)
        })
        .await;
        assert!(found.freeze_failure.contains("no such segment"), "{}", found.freeze_failure);
        house.segment(FRIENDS, &[ADA]);
        house.issues.clone().send_issue(pb::SendIssueRequest { issue_id: issue.clone(), ..Default::default() }).await.expect("a draft");
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed && it.accepted == 1).await;
        house.stop().await;
    }
}
