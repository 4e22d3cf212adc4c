//! What the other services tell: replies, sign-ups, remarks and ratings, each with its effect once.

use std::time::Duration;

use rapport_proto::{
    common::v1::{BusinessFunction, Channel, Direction, InteractionKind, Setting},
    customer::v1 as tell,
    feedback::v1 as feedback,
    interaction::v1 as pb,
    newsletter::v1 as newsletter,
};
use rapport_testkit::{both_databases, eventually};

use crate::house::{House, conclusion, customer, enquiry, fresh, ours};

async fn expect(house: &House, filter: &str, count: usize) -> Vec<pb::Interaction> {
    eventually(format!("{count} interactions with {filter}"), async || house.list(filter).await.len() == count).await;
    house.list(filter).await
}

both_databases! {
    async fn replies_to_one_delivery_are_one_conversation_on_its_journey(backend: Backend) {
        let mut house = House::open(backend).await;
        let (delivery, journey) = (fresh(), fresh());
        let reply = |text: &str| newsletter::InboundMail {
            inbound_mail_id: fresh(),
            delivery_id: delivery.clone(),
            issue_id: fresh(),
            customer_id: customer(1),
            subject: "Re: News".to_owned(),
            text: text.to_owned(),
            mail_message_id: format!("{}@example.com", fresh()),
            journey_id: journey.clone(),
            receive_time: house.time(Duration::ZERO),
            ..Default::default()
        };
        let first = reply("Tell me more.");
        let second = reply("Are you there?");
        let stranger = newsletter::InboundMail { delivery_id: String::new(), customer_id: String::new(), ..reply("Who are you?") };
        house.peers.tell_reply(first.clone());
        let source = format!("source = \"deliveries/{delivery}\"");
        let opened = expect(&house, &source, 1).await.remove(0);
        assert_eq!((&opened.journey_id, &opened.customer_id), (&journey, &customer(1)));
        assert_eq!((opened.function(), opened.channel(), opened.direction()), (BusinessFunction::Marketing, Channel::Email, Direction::Inbound));
        assert_eq!(opened.subject, "Re: News");
        house.add(&opened.interaction_id, ours("Gladly.")).await.expect("it is added");
        house.conclude(&opened.interaction_id, conclusion()).await.expect("it is concluded");

        house.peers.tell_reply(second);
        eventually("the second reply opens it again", async || house.get(&opened.interaction_id).await.reopen_count == 1).await;
        // The same mail told once more, as a new event, has no effect; nor has a restart.
        house.peers.tell_reply(first);
        house.restart().await;
        let unmatched = format!("source = \"inboundMails/{}\"", stranger.inbound_mail_id);
        house.peers.tell_reply(stranger);
        expect(&house, &unmatched, 1).await;
        assert_eq!(house.entries(&opened.interaction_id).await.len(), 3);
        assert_eq!(house.list(&source).await.len(), 1);
    }

    async fn a_confirmed_subscription_is_an_interaction_without_a_person(backend: Backend) {
        let house = House::open(backend).await;
        let subscription = newsletter::Subscription {
            subscription_id: fresh(),
            customer_id: customer(1),
            journey_id: fresh(),
            confirm_time: house.time(Duration::ZERO),
            ..Default::default()
        };
        house.peers.tell_confirmed(subscription.clone());
        house.peers.tell_confirmed(subscription.clone());
        let later = newsletter::Subscription { confirm_time: house.time(Duration::from_secs(60)), ..subscription.clone() };
        house.peers.tell_confirmed(later);
        let found = expect(&house, "purpose = NEWSLETTER_SIGNUP", 2).await;
        let signup = found.last().expect("there are two");
        assert_eq!((signup.state(), signup.setting(), signup.kind()), (pb::InteractionState::Concluded, Setting::Informal, InteractionKind::Expected));
        assert_eq!((&signup.journey_id, &signup.customer_id), (&subscription.journey_id, &subscription.customer_id));
        let none = pb::NoStep { reason: pb::NoStepReason::SelfService.into() };
        let next = signup.conclusion.as_ref().and_then(|ended| ended.next_step.clone()).and_then(|next| next.step);
        assert_eq!(next, Some(pb::next_step::Step::None(none)));
    }

    async fn a_remark_opens_the_gate_of_a_conclusion(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(pb::Interaction { feedback_solicited: true, ..enquiry() }).await.interaction_id;
        let refused = house.conclude(&id, conclusion()).await.expect_err("nothing is documented");
        assert_eq!(refused.conditions[0].kind, "FEEDBACK");
        house.peers.tell_remark(feedback::Remark { remark_id: fresh(), ..Default::default() });
        house.peers.tell_remark(feedback::Remark { remark_id: fresh(), interaction_id: id.clone(), ..Default::default() });
        eventually("the remark is known", async || house.conclude(&id, conclusion()).await.is_ok()).await;
    }

    async fn a_bad_rating_plans_a_call(backend: Backend) {
        let house = House::open(backend).await;
        let response = |nps| feedback::Response { response_id: fresh(), customer_id: customer(1), journey_id: fresh(), nps, ..Default::default() };
        for nps in [Some(7), None, Some(10)] {
            house.peers.tell_response(response(nps));
        }
        let bad = response(Some(6));
        house.peers.tell_response(bad.clone());
        house.peers.tell_response(bad.clone());
        house.peers.tell_response(response(Some(0)));
        let calls = expect(&house, "purpose = CALLBACK", 2).await;
        let call = calls.iter().find(|call| call.source == format!("responses/{}", bad.response_id)).expect("the first bad one");
        assert_eq!((call.state(), call.direction(), call.setting()), (pb::InteractionState::Scheduled, Direction::Outbound, Setting::Formal));
        assert_eq!((&call.journey_id, call.scheduled_time), (&bad.journey_id, house.time(Duration::from_secs(24 * 3600))));
    }

    async fn row_16_a_customer_who_is_due_is_turned_to_once(backend: Backend) {
        let house = House::open(backend).await;
        let due = |owner: &str| tell::TouchDue {
            touch_due_id: fresh(),
            customer_id: customer(1),
            owner: owner.to_owned(),
            due_time: house.time(Duration::ZERO),
        };
        let first = due("grace");
        house.peers.tell_touch(first.clone());
        house.peers.tell_touch(first.clone());
        house.peers.tell_touch(due(""));
        let planned = expect(&house, "purpose = RELATIONSHIP", 2).await;
        let touch = planned.iter().find(|touch| touch.interaction_id == first.touch_due_id).expect("the first one");
        assert_eq!((touch.state(), touch.direction(), touch.setting()), (pb::InteractionState::Scheduled, Direction::Outbound, Setting::Informal));
        assert_eq!((touch.subject.as_str(), &touch.customer_id), ("Stay in touch, for grace", &customer(1)));
    }
}
