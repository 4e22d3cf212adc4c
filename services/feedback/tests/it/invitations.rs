//! Invitations on their way out: sent, withheld with a reason, failed, expired.

use std::time::Duration;

use rapport_proto::{
    feedback::v1::{InvitationState, WithheldReason},
    newsletter::v1::{self as newsletter, DeliveryState},
};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::feedback::{ADA, Feedback};

fn ended(state: DeliveryState) -> newsletter::Delivery {
    newsletter::Delivery { state: state.into(), ..Default::default() }
}

both_databases! {
    async fn an_invitation_goes_out_once_and_is_sent_when_the_mail_was_accepted(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        feedback.peers.known().mail_fails = Some(Code::Unavailable);
        let invitation = feedback.invite(ADA, &survey.questionnaire_id).await.expect("nothing is in the way");
        assert_eq!(invitation.state(), InvitationState::Pending);
        let refused = feedback.invite(ADA, &survey.questionnaire_id).await.expect_err("one is open");
        assert_eq!((refused.reason.as_str(), refused.metadata["invitation_id"].as_str()), ("INVITATION_OPEN", invitation.invitation_id.as_str()));

        // Repeated until it is answered, by the pauses of the clock in our hands.
        feedback.peers.known().mail_fails = None;
        eventually("the mail is taken", async || {
            feedback.clock.advance(Duration::from_secs(5));
            !feedback.peers.known().sent.is_empty()
        })
        .await;
        let message = feedback.peers.known().sent[0].message.clone().expect("a message");
        assert_eq!((message.to_email.as_str(), message.customer_id.as_str()), ("ada@example.com", ADA));
        assert_eq!(message.variables["greeting"], "Guten Tag", "Ada reads German");
        assert!(message.variables["link"].starts_with(&format!("http://{}/s/", feedback.pages)));
        feedback.peers.settle(&invitation.invitation_id, ended(DeliveryState::Accepted));
        let sent = feedback.until_state(&invitation.invitation_id, InvitationState::Sent).await;
        assert_eq!((sent.language.as_str(), sent.send_time.is_some()), ("de", true));
        assert_eq!(feedback.peers.known().sent.len(), 1);
        feedback.stop().await;
    }

    async fn a_withheld_invitation_says_why(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let [silent, shy, gone] = [2u8, 3, 4].map(|last| format!("0190163d-8694-739b-aea5-966c26f8ad9{last}"));
        feedback.peers.add_customer(&silent, "", "en");
        feedback.peers.add_customer(&shy, "shy@example.com", "en");
        feedback.peers.known().consenting.remove(&shy);
        feedback.peers.add_customer(&gone, "gone@example.com", "en");
        let mut reasons = Vec::new();
        for customer in [&silent, &shy, &gone] {
            // Known to the projection, and gone since.
            eventually("the customer is known", async || {
                feedback.peers.known().customers_fail = Some(Code::Unavailable);
                let invited = feedback.invite(customer, &survey.questionnaire_id).await;
                invited.is_ok() || invited.is_err_and(|problem| problem.reason == "INVITATION_OPEN")
            })
            .await;
        }
        feedback.peers.known().customers.remove(&gone);
        feedback.peers.known().customers_fail = None;
        for customer in [&silent, &shy, &gone] {
            let invitation = feedback.list_invitations(&format!("customer_id = {customer}")).await.remove(0);
            eventually("it is decided", async || {
                feedback.clock.advance(Duration::from_secs(5));
                feedback.invitation(&invitation.invitation_id).await.state() == InvitationState::Withheld
            })
            .await;
            reasons.push(feedback.invitation(&invitation.invitation_id).await.withheld_reason());
        }
        assert_eq!(reasons, [WithheldReason::NoAddress, WithheldReason::NoConsent, WithheldReason::CustomerGone]);
        assert_eq!(feedback.list_invitations("withheld_reason = NO_CONSENT").await.len(), 1);
        assert!(feedback.peers.known().sent.is_empty());
        feedback.stop().await;
    }

    async fn an_invitation_to_a_suppressed_address_says_so_whenever_that_is_known(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let suppressed = newsletter::Delivery { withheld_reason: newsletter::WithheldReason::Suppressed.into(), ..ended(DeliveryState::Withheld) };
        let reason = async |id: &str| feedback.until_state(id, InvitationState::Withheld).await.withheld_reason();
        // Suppressed while the mail waited to be handed over.
        let (late, token) = feedback.invited(&survey.questionnaire_id).await;
        feedback.peers.settle(&late.invitation_id, suppressed.clone());
        assert_eq!(reason(&late.invitation_id).await, WithheldReason::Suppressed);
        assert_eq!(feedback.get(&format!("/s/{token}")).await.status, 404, "who was not asked does not answer");
        // Suppressed before: the answer to the call says so.
        feedback.peers.known().ended = Some(suppressed);
        let at_once = feedback.invite(ADA, &survey.questionnaire_id).await.expect("a withheld one is not open");
        assert_eq!(reason(&at_once.invitation_id).await, WithheldReason::Suppressed);
        // The customer service knows that the address fails for good: nothing is handed over.
        feedback.peers.spoil_address(ADA);
        let known = feedback.invite(ADA, &survey.questionnaire_id).await.expect("none is open");
        assert_eq!(reason(&known.invitation_id).await, WithheldReason::Suppressed);
        assert_eq!(feedback.peers.known().sent.len(), 2);
        assert_eq!(feedback.list_invitations("withheld_reason = SUPPRESSED").await.len(), 3);
        feedback.stop().await;
    }

    async fn a_customer_who_is_none_is_told_by_the_field_and_one_who_cannot_be_asked_for_waits(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let nobody = "0190163d-8694-739b-aea5-966c26f8ad99";
        let refused = feedback.invite(nobody, &survey.questionnaire_id).await.expect_err("there is nobody");
        assert_eq!((refused.code, refused.violations[0].field.as_str()), (Code::InvalidArgument, "customer_id"));
        feedback.peers.known().customers_fail = Some(Code::Unavailable);
        assert_eq!(feedback.invite(nobody, &survey.questionnaire_id).await.expect_err("out of reach").code, Code::Unavailable);
        feedback.stop().await;
    }

    async fn a_mail_that_cannot_be_delivered_fails_the_invitation(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, _) = feedback.invited(&survey.questionnaire_id).await;
        let attempt = newsletter::Attempt { code: 550, reply: "no such mailbox".into(), ..Default::default() };
        feedback.peers.settle(&invitation.invitation_id, newsletter::Delivery { attempts: vec![attempt], ..ended(DeliveryState::Rejected) });
        let failed = feedback.until_state(&invitation.invitation_id, InvitationState::Failed).await;
        assert!(failed.failure.contains("550 no such mailbox"), "{}", failed.failure);
        feedback.invite(ADA, &survey.questionnaire_id).await.expect("a failed one is not open");
        feedback.stop().await;
    }

    async fn an_invitation_expires_when_its_time_is_over(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        feedback.peers.settle(&invitation.invitation_id, ended(DeliveryState::Accepted));
        feedback.until_state(&invitation.invitation_id, InvitationState::Sent).await;
        feedback.clock.advance(Duration::from_secs(14 * 86_400));
        assert_eq!(feedback.get(&format!("/s/{token}")).await.status, 404, "late, whether the expirer has seen it or not");
        feedback.until_state(&invitation.invitation_id, InvitationState::Expired).await;
        feedback.stop().await;
    }

    async fn a_mail_of_which_nothing_is_heard_fails_the_invitation_at_its_end(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        feedback.clock.advance(Duration::from_secs(14 * 86_400));
        assert_eq!(feedback.get(&format!("/s/{token}")).await.status, 404);
        let failed = feedback.until_state(&invitation.invitation_id, InvitationState::Failed).await;
        assert!(failed.failure.contains("not known to be delivered"), "{}", failed.failure);
        feedback.stop().await;
    }
}
