//! The public page: GET shows and changes nothing, POST answers, and a link that is not good says nothing about why.

use rapport_proto::feedback::v1::{self as pb, InvitationState};
use rapport_testkit::both_databases;

use crate::feedback::Feedback;

async fn responses(feedback: &Feedback) -> Vec<pb::Response> {
    feedback.collection.clone().list_responses(pb::ListResponsesRequest::default()).await.expect("a page").into_inner().responses
}

both_databases! {
    async fn looking_changes_nothing_and_answering_is_done_once(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        let path = format!("/s/{token}");
        let page = feedback.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("<html lang=\"de\"") && page.body.contains("Wie waren wir, &lt;Ada&gt;?"), "{}", page.body);
        assert!(!page.body.contains("<script") && !page.body.contains("<Ada>"));
        let other = feedback.get(&format!("{path}?lang=en")).await;
        assert!(other.body.contains("<html lang=\"en\"") && other.body.contains("About recommend?"));
        assert_eq!(feedback.invitation(&invitation.invitation_id).await.state(), InvitationState::Pending, "scanners look, too");

        let form = "language=de&q.recommend=9&q.satisfied=4&q.why=Sch%C3%B6n%0D%0Awar+es&action=answer";
        let answered = feedback.post(&path, form).await;
        assert_eq!((answered.status, answered.headers["location"].as_str()), (303, "/s/thanks/de"));
        assert!(feedback.get("/s/thanks/de").await.body.contains("Vielen Dank"));
        assert_eq!(feedback.post(&path, form).await.status, 303, "a double click is one answer");
        let stored = responses(&feedback).await;
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].nps, stored[0].csat, stored[0].ces), (Some(9), Some(4), None));
        assert_eq!(stored[0].answers[2].value, Some(pb::answer::Value::Text("Schön\nwar es".into())));
        assert_eq!((stored[0].mode(), stored[0].invitation_id.as_str()), (pb::ResponseMode::SelfService, invitation.invitation_id.as_str()));
        // The news that the mail arrived never came: the answer proves it.
        let completed = feedback.invitation(&invitation.invitation_id).await;
        assert!(completed.state() == InvitationState::Completed && completed.send_time.is_some());
        feedback.stop().await;
    }

    async fn a_link_that_is_not_good_gets_one_and_the_same_answer(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (_, token) = feedback.invited(&survey.questionnaire_id).await;
        let path = format!("/s/{token}");
        assert_eq!(feedback.post(&path, "q.recommend=3").await.status, 303);
        let last = token.chars().last().expect("a token");
        let forged = format!("/s/{}{}", &token[..token.len() - 1], if last == 'A' { 'B' } else { 'A' });
        let used = feedback.get(&path).await;
        assert_eq!(used.status, 404);
        for wrong in [forged.as_str(), "/s/nonsense", "/s/", "/elsewhere", "/s/%00"] {
            assert_eq!(feedback.get(wrong).await, used, "{wrong}");
        }
        for (wrong, form) in [(path.as_str(), "q.recommend=4"), (forged.as_str(), "q.recommend=3"), (path.as_str(), "action=decline"), ("/s/x", "")] {
            assert_eq!(feedback.post(wrong, form).await, used, "{wrong} {form}");
        }
        assert!(feedback.http("GET", &path, "", "fr-CA,en;q=0.5").await.body.contains("pas ouvert"));
        assert_eq!(responses(&feedback).await.len(), 1);
        feedback.stop().await;
    }

    async fn answers_that_do_not_fit_come_back_with_what_is_wrong(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        let page = feedback.post(&format!("/s/{token}"), "language=en&q.satisfied=7&q.why=%3Cb%3Ebecause%3C%2Fb%3E").await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains("Please answer this question.") && page.body.contains("Please choose or enter"), "{}", page.body);
        assert!(page.body.contains("&lt;b&gt;because&lt;&#x2f;b&gt;"), "what was written is kept, and escaped: {}", page.body);
        assert!(page.body.contains("role=\"alert\"") && page.body.contains("aria-describedby=\"q-recommend-problem\""));
        assert_eq!(feedback.invitation(&invitation.invitation_id).await.state(), InvitationState::Opened);
        assert!(responses(&feedback).await.is_empty());
        feedback.stop().await;
    }

    async fn declining_is_heard(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        let path = format!("/s/{token}");
        for _ in 0..2 {
            let declined = feedback.post(&path, "language=en&action=decline").await;
            assert_eq!((declined.status, declined.headers["location"].as_str()), (303, "/s/declined/en"));
        }
        assert_eq!(feedback.invitation(&invitation.invitation_id).await.state(), InvitationState::Declined);
        assert_eq!(feedback.get(&path).await.status, 404);
        feedback.stop().await;
    }

    async fn every_answer_keeps_the_token_secret_and_foreign_things_out(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        for path in ["/s/nonsense", "/style.css", "/s/thanks/en", "/"] {
            let page = feedback.get(path).await;
            let policy = &page.headers["content-security-policy"];
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert_eq!(page.headers["cache-control"], "no-store");
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert_eq!(page.headers["x-content-type-options"], "nosniff");
            assert!(!page.headers.contains_key("set-cookie"));
        }
        feedback.stop().await;
    }
}
