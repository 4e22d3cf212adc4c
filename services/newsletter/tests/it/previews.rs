//! Issues before they are sent: how they look for one person, what could be better, and a test to one of us.

use rapport_proto::newsletter::v1::{self as pb, DeliveryState};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::newsletter::{Newsletter, header};

const MJML: &str = "<mjml><mj-head><mj-style>.big { font-size: 30px }</mj-style></mj-head><mj-body><mj-section><mj-column>\
    <mj-text><p class=\"big\">Hello {{ subscriber.email }}</p></mj-text>\
    {% if subscriber.language %}<mj-text>in {{ subscriber.language }}</mj-text>{% endif %}\
    <mj-text><a href=\"{{ preferences_url }}\">Choose</a></mj-text><mj-image src=\"http://shop.example/a.png\" /></mj-column></mj-section></mj-body></mjml>";

async fn create(house: &Newsletter, issue: pb::Issue) -> Result<pb::Issue, tonic::Status> {
    let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
    house.issues.clone().create_issue(request).await.map(|answer| answer.into_inner().issue.expect("it"))
}

both_databases! {
    async fn an_issue_in_mjml_is_previewed_and_tested_before_it_is_sent(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let subscription = house.subscribe(&publication, "bob@example.test").await;
        let draft = pb::Issue { html: String::new(), mjml: MJML.to_owned(), ..house.draft(&publication).await };
        let both = pb::Issue { html: "<p>x</p>".to_owned(), ..draft.clone() };
        assert_eq!(create(&house, both).await.expect_err("one of them").code(), Code::InvalidArgument);
        let broken = pb::Issue { mjml: "<mjml><mj-body>".to_owned(), ..draft.clone() };
        assert!(create(&house, broken).await.expect_err("no MJML").message().contains("mjml"));
        let issue = create(&house, draft).await.expect("sound");
        assert_eq!((issue.mjml.as_str(), issue.html.as_str()), (MJML, ""));
        let request = pb::PreviewIssueRequest { issue_id: issue.issue_id.clone(), subscription_id: String::new() };
        let sample = house.issues.clone().preview_issue(request.clone()).await.expect("it is there").into_inner();
        assert_eq!(sample.subject, "News for ada@example.com");
        assert!(sample.html.contains("Hello ada@example.com") && sample.html.contains("in en"), "{}", sample.html);
        assert!(sample.html.contains("font-size: 30px") && sample.html.contains("/unsubscribe/preview"), "{}", sample.html);
        assert!(sample.html.contains("/preferences/preview"), "{}", sample.html);
        assert!(sample.text.contains("Hello ada@example.com") && !sample.text.contains("mso"), "{}", sample.text);
        assert!(sample.problems.iter().any(|problem| problem.contains("by http")), "{:?}", sample.problems);
        let request = pb::PreviewIssueRequest { subscription_id: subscription.subscription_id.clone(), ..request };
        let bobs = house.issues.clone().preview_issue(request).await.expect("it is there").into_inner();
        assert!(bobs.html.contains("Hello bob@example.test") && bobs.subject == "News for bob@example.test");
        let other = house.publication("relay").await;
        let elsewhere = house.subscribe(&other, "eve@example.test").await;
        let request = pb::PreviewIssueRequest { issue_id: issue.issue_id.clone(), subscription_id: elsewhere.subscription_id };
        assert_eq!(house.issues.clone().preview_issue(request).await.expect_err("of another one").code(), Code::NotFound);
        let request = pb::TestIssueRequest {
            issue_id: issue.issue_id.clone(),
            to_email: "editor@shop.test".to_owned(),
            subscription_id: subscription.subscription_id,
            request_id: "once".to_owned(),
        };
        let first = house.issues.clone().test_issue(request.clone()).await.expect("sound").into_inner();
        let again = house.issues.clone().test_issue(request).await.expect("sound").into_inner();
        assert_eq!(first, again);
        house.until_message(&first.message_id, DeliveryState::Accepted).await;
        let mails = house.smtp.mails_to("editor@shop.test");
        assert_eq!(mails.len(), 1);
        let mail = mails[0].text();
        assert_eq!(header(&mail, "Subject"), "[Test] News for bob@example.test");
        assert!(mail.contains("multipart/alternative") && mail.contains("Hello bob@example.test"), "{mail}");
        let account = house.account(&issue.issue_id).await;
        assert_eq!((account.audience, account.issue_state()), (0, pb::IssueState::Draft));
        house.stop().await;
    }

    async fn an_issue_that_one_person_cannot_get_says_so_in_the_preview_and_is_not_tested(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let subscription = house.subscribe(&publication, "bob@example.test").await;
        // Sound for the sample, whose name is known; not for Bob, who gave none.
        let subject = "{% if subscriber.display_name %}Hello{% endif %}".to_owned();
        let issue = create(&house, pb::Issue { subject, ..house.draft(&publication).await }).await.expect("sound");
        let request = pb::PreviewIssueRequest { issue_id: issue.issue_id.clone(), subscription_id: subscription.subscription_id.clone() };
        let bobs = house.issues.clone().preview_issue(request).await.expect("it is there").into_inner();
        assert!(bobs.subject.is_empty() && bobs.problems[0].contains("subject is empty"), "{bobs:?}");
        let request = pb::TestIssueRequest {
            issue_id: issue.issue_id,
            to_email: "editor@shop.test".to_owned(),
            subscription_id: subscription.subscription_id,
            ..Default::default()
        };
        let refused = house.issues.clone().test_issue(request).await.expect_err("nothing to send");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("subject is empty"), "{refused:?}");
        house.stop().await;
    }
}
