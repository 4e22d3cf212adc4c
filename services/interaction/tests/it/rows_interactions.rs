//! The rows of the domain that interactions satisfy, each by its number and what it says.

use std::time::Duration;

use rapport_proto::{
    common::v1::{BusinessFunction, Channel, Direction, InteractionKind, Phase, Responder, Setting, Stage},
    interaction::v1::{self as pb, next_step::Step},
    newsletter::v1 as newsletter,
};
use rapport_testkit::{both_databases, eventually};

use crate::house::{House, answer, callback, conclusion, customer, enquiry, fresh, ours, said, step, theirs};

const HOUR: Duration = Duration::from_secs(3600);

fn kinds(problem: &rapport_client::Problem) -> Vec<&str> {
    problem.conditions.iter().map(|condition| condition.kind.as_str()).collect()
}

async fn advance(house: &House, id: &str, to: Stage) {
    let request = pb::AdvanceStageRequest { interaction_id: id.to_owned(), to: to.into(), ..Default::default() };
    house.interactions().advance_stage(request).await.expect("it advances");
}

async fn log(house: &House, request: pb::LogInteractionRequest) -> pb::LogInteractionResponse {
    house.interactions().log_interaction(request).await.expect("it is recorded").into_inner()
}

fn past(interaction: pb::Interaction) -> pb::LogInteractionRequest {
    pb::LogInteractionRequest { interaction: Some(interaction), conclusion: Some(conclusion()), ..Default::default() }
}

both_databases! {
    async fn row_1_formal_and_informal_are_two_settings_with_their_own_rules(backend: Backend) {
        let house = House::open(backend).await;
        let informal = house.create(enquiry()).await.interaction_id;
        house.conclude(&informal, conclusion()).await.expect("an informal one ends when it ends");
        let formal = house.create(pb::Interaction { setting: Setting::Formal.into(), ..enquiry() }).await.interaction_id;
        assert_eq!(kinds(&house.conclude(&formal, conclusion()).await.expect_err("it has stages")), ["STAGE"]);
        assert_eq!(house.list("setting = FORMAL").await.len(), 1);
    }

    async fn row_5_to_8_the_four_marks_of_street_selling_are_recorded_in_one_call(backend: Backend) {
        let house = House::open(backend).await;
        let offer = pb::InformalOffer {
            point_of_contact: "The pedlar with the red cart".to_owned(),
            service_delivery: "Handed over in the street, for today only".to_owned(),
            demand: pb::Demand::CreatedBySeller.into(),
            product_range: vec!["umbrellas".to_owned(), "scarves".to_owned()],
            location: "Station square, in the rain".to_owned(),
            supplier: "The wholesaler of the morning".to_owned(),
            until: house.time(3 * HOUR),
        };
        let street = pb::Interaction {
            channel: Channel::Street.into(),
            direction: Direction::Outbound.into(),
            function: BusinessFunction::Sales.into(),
            purpose: pb::Purpose::Sale.into(),
            informal_offer: Some(offer.clone()),
            ..enquiry()
        };
        let logged = log(&house, past(street.clone())).await.interaction.expect("answered");
        assert_eq!((logged.informal_offer.clone(), logged.customer_id.as_str()), (Some(offer), ""), "the customer may be unknown");
        assert_eq!((logged.state(), logged.setting()), (pb::InteractionState::Concluded, Setting::Informal));
        let by_phone = past(pb::Interaction { channel: Channel::Phone.into(), ..street });
        let refused = answer(house.interactions().log_interaction(by_phone).await).expect_err("not in the street");
        assert_eq!(refused.violations[0].field, "interaction.informal_offer");
    }

    async fn row_15_and_48_and_56_each_interaction_has_its_phase_and_its_purpose(backend: Backend) {
        let house = House::open(backend).await;
        for (phase, purpose) in [
            (Phase::PreSale, pb::Purpose::Enquiry), (Phase::Purchase, pb::Purpose::Sale), (Phase::AfterSale, pb::Purpose::Support),
        ] {
            house.create(pb::Interaction { phase: phase.into(), purpose: purpose.into(), ..enquiry() }).await;
        }
        let concern = house.list("phase = AFTER_SALE AND direction = INBOUND").await;
        assert_eq!((concern.len(), concern[0].purpose()), (1, pb::Purpose::Support));
        for phase in ["PRE_SALE", "PURCHASE"] {
            assert_eq!(house.list(&format!("phase = {phase}")).await.len(), 1);
        }
        assert_eq!(house.list("purpose = ENQUIRY").await.len(), 1);
    }

    async fn row_34_and_59_and_60_advertising_and_signage_are_interactions_with_a_source(backend: Backend) {
        let house = House::open(backend).await;
        for channel in [Channel::Print, Channel::Radio, Channel::Television, Channel::OnlineAd, Channel::Signage] {
            let source = format!("places/{}", channel.as_str_name());
            let none = pb::NoStep { reason: pb::NoStepReason::SelfService.into() };
            let alone = pb::Conclusion { next_step: Some(step(Step::None(none))), ..conclusion() };
            let met = pb::Interaction {
                channel: channel.into(),
                source: source.clone(),
                function: BusinessFunction::Marketing.into(),
                purpose: pb::Purpose::CampaignResponse.into(),
                phase: Phase::PreSale.into(),
                ..enquiry()
            };
            log(&house, pb::LogInteractionRequest { conclusion: Some(alone), ..past(met) }).await;
            assert_eq!(house.list(&format!("source = \"{source}\"")).await[0].channel(), channel);
        }
        assert_eq!(house.list("purpose = CAMPAIGN_RESPONSE").await.len(), 5);
    }

    async fn row_42_and_62_a_callback_is_a_promise_or_a_planned_call(backend: Backend) {
        let house = House::open(backend).await;
        let asked = house.create(pb::Interaction { function: BusinessFunction::Sales.into(), channel: Channel::Chat.into(), ..enquiry() }).await;
        let request = pb::ConcludeInteractionRequest {
            interaction_id: asked.interaction_id.clone(),
            conclusion: Some(pb::Conclusion { next_step: None, ..conclusion() }),
            new_commitment: Some(callback(house.time(HOUR))),
            ..Default::default()
        };
        let made = house.interactions().conclude_interaction(request).await.expect("concluded").into_inner().new_commitment.expect("made");
        assert_eq!((made.kind(), made.state()), (pb::CommitmentKind::CallBack, pb::CommitmentState::Open));
        let call = pb::Interaction {
            purpose: pb::Purpose::Callback.into(),
            channel: Channel::Phone.into(),
            direction: Direction::Outbound.into(),
            phase: Phase::AfterSale.into(),
            journey_id: asked.journey_id.clone(),
            scheduled_time: house.time(HOUR),
            ..enquiry()
        };
        let call = house.create(call).await;
        assert_eq!((call.state(), call.journey_id.clone()), (pb::InteractionState::Scheduled, asked.journey_id));
        let start = pb::StartInteractionRequest { interaction_id: call.interaction_id, ..Default::default() };
        house.interactions().start_interaction(start).await.expect("the call is made");
    }

    async fn row_51_to_53_goals_and_expectations_are_asked_for_and_judged_at_the_end(backend: Backend) {
        let house = House::open(backend).await;
        let wish = pb::Interaction {
            customer_goal: "Have it by Friday".to_owned(),
            customer_expectation: "An answer today".to_owned(),
            objective: pb::Objective::Delight.into(),
            function: BusinessFunction::CustomerService.into(),
            ..enquiry()
        };
        let opened = house.create(wish).await;
        let judged = pb::Conclusion { expectation: pb::Expectation::Exceeded.into(), ..conclusion() };
        let ended = house.conclude(&opened.interaction_id, judged).await.expect("concluded");
        assert_eq!((ended.customer_goal.as_str(), ended.customer_expectation.as_str()), ("Have it by Friday", "An answer today"));
        assert_eq!((ended.objective(), ended.conclusion.expect("kept").expectation()), (pb::Objective::Delight, pb::Expectation::Exceeded));
    }

    async fn row_54_an_automated_answer_never_stops_the_human_response_clock(backend: Backend) {
        let house = House::open(backend).await;
        let opened = house.create(pb::Interaction { channel: Channel::Social.into(), ..enquiry() }).await;
        let id = opened.interaction_id.clone();
        for _ in 0..3 {
            house.clock.advance(HOUR);
            house.add(&id, said(Responder::Automated, Direction::Outbound, "We got your message!")).await.expect("it is added");
            let waiting = house.get(&id).await;
            assert_eq!((waiting.waiting_since, waiting.first_human_response_time, waiting.state()), (opened.waiting_since, None, opened.state()));
        }
        house.clock.advance(HOUR);
        let answered = house.add(&id, ours("This is Ada, a real human.")).await.expect("it is added").interaction.expect("answered");
        assert_eq!((answered.waiting_since, answered.first_human_response_time), (None, house.time(Duration::ZERO)));
    }

    async fn row_55_a_customers_reply_never_erases_a_promise(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let promised = house.promise(pb::Commitment { interaction_id: id.clone(), ..callback(house.time(24 * HOUR)) }).await;
        house.add(&id, ours("We call you tomorrow.")).await.expect("it is added");
        for text in ["Thanks!", "Never mind, I found it."] {
            house.add(&id, theirs(text)).await.expect("it is added");
            assert_eq!(house.commitment(&promised.commitment_id).await, promised);
        }
    }

    async fn row_58_visitors_of_an_event_are_recorded_as_a_batch(backend: Backend) {
        let house = House::open(backend).await;
        let visitor = |index: u32| pb::ImportInteractionsRequest {
            import_id: "open-day".to_owned(),
            row_id: index.to_string(),
            interaction: Some(pb::Interaction {
                channel: Channel::Event.into(),
                purpose: pb::Purpose::EventEncounter.into(),
                source: "events/open-day".to_owned(),
                ..enquiry()
            }),
            conclusion: Some(conclusion()),
            ..Default::default()
        };
        let rows = tokio_stream::iter((0..20).map(visitor).collect::<Vec<_>>());
        let mut results = house.interactions().import_interactions(rows).await.expect("it is taken").into_inner();
        while let Some(result) = results.message().await.expect("no failure") {
            assert_eq!(result.result(), pb::InteractionImportResult::Recorded);
        }
        assert_eq!(house.list("purpose = EVENT_ENCOUNTER AND channel = EVENT").await.len(), 20);
    }

    async fn row_61_a_newsletter_signup_is_an_interaction_of_marketing(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.tell_confirmed(newsletter::Subscription {
            subscription_id: fresh(),
            customer_id: customer(1),
            confirm_time: house.time(Duration::ZERO),
            ..Default::default()
        });
        eventually("the sign-up is recorded", async || house.list("purpose = NEWSLETTER_SIGNUP").await.len() == 1).await;
        let signup = house.list("purpose = NEWSLETTER_SIGNUP").await.remove(0);
        assert_eq!((signup.function(), signup.customer_id), (BusinessFunction::Marketing, customer(1)));
    }

    async fn row_63_what_was_said_is_kept_in_order_and_never_changed(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        for index in 0..5 {
            house.add(&id, if index % 2 == 0 { theirs("theirs") } else { ours("ours") }).await.expect("it is added");
        }
        let before = house.entries(&id).await;
        house.conclude(&id, conclusion()).await.expect("concluded");
        assert_eq!(house.entries(&id).await, before);
        assert_eq!(before.iter().map(|entry| entry.body.as_str()).collect::<Vec<_>>(), ["theirs", "ours", "theirs", "ours", "theirs"]);
    }

    async fn row_64_and_79_a_conclusion_says_whether_the_customer_comes_back_and_what_we_learnt(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let wise = pb::Conclusion {
            re_engagement: pb::ReEngagement::WantsMore.into(),
            lesson: "Say the price first.".to_owned(),
            root_cause: "The price was nowhere.".to_owned(),
            ..conclusion()
        };
        let kept = house.conclude(&id, wise).await.expect("concluded").conclusion.expect("kept");
        assert_eq!((kept.re_engagement(), kept.lesson.as_str()), (pb::ReEngagement::WantsMore, "Say the price first."));
        assert_eq!(kept.root_cause, "The price was nowhere.");
    }

    async fn row_74_no_interaction_ends_without_something_to_act_upon_or_think_over(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let abrupt = pb::Conclusion { next_step: None, ..conclusion() };
        assert_eq!(kinds(&house.conclude(&id, abrupt.clone()).await.expect_err("it ends abruptly")), ["NEXT_STEP"]);
        let logged = pb::LogInteractionRequest { conclusion: Some(abrupt), ..past(enquiry()) };
        let refused = answer(house.interactions().log_interaction(logged).await).expect_err("the same checks");
        assert_eq!(kinds(&refused), ["NEXT_STEP"]);
        let acts = pb::CustomerAction { text: "Sends the form".to_owned(), due_time: house.time(HOUR) };
        let acting = pb::Conclusion { next_step: Some(step(Step::CustomerAction(acts))), ..conclusion() };
        house.conclude(&id, acting).await.expect("the customer acts");
    }

    async fn row_75_and_76_an_unwanted_interaction_needs_a_person_and_a_next_step(backend: Backend) {
        let house = House::open(backend).await;
        for kind in [InteractionKind::Expected, InteractionKind::Predictable, InteractionKind::Unpredictable] {
            let id = house.create(pb::Interaction { kind: kind.into(), ..enquiry() }).await.interaction_id;
            let declined = pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() };
            house.conclude(&id, pb::Conclusion { next_step: Some(step(Step::None(declined))), ..conclusion() }).await.expect("it may end so");
        }
        let id = house.create(pb::Interaction { kind: InteractionKind::Unwanted.into(), ..enquiry() }).await.interaction_id;
        house.add(&id, said(Responder::Automated, Direction::Outbound, "Sorry!")).await.expect("it is added");
        let declined = pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() };
        let ignoring = pb::Conclusion { next_step: Some(step(Step::None(declined))), ..conclusion() };
        assert_eq!(kinds(&house.conclude(&id, ignoring).await.expect_err("ignoring is no option")), ["NEXT_STEP", "HUMAN_REPLY"]);
        house.add(&id, ours("We are sorry, and this is what we do.")).await.expect("it is added");
        house.conclude(&id, conclusion()).await.expect("answered, with a next step");
    }

    async fn row_77_what_cannot_be_planned_is_grouped_by_its_incident(backend: Backend) {
        let house = House::open(backend).await;
        for _ in 0..3 {
            house.create(pb::Interaction { incident: "incidents/storm".to_owned(), ..enquiry() }).await;
        }
        house.create(enquiry()).await;
        assert_eq!(house.list("incident = \"incidents/storm\" AND state = OPEN").await.len(), 3);
    }

    async fn row_78_a_formal_interaction_goes_through_its_five_stages_in_time(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(pb::Interaction { setting: Setting::Formal.into(), ..enquiry() }).await.interaction_id;
        for to in [Stage::Understanding, Stage::Agreeing, Stage::Delivering, Stage::Closing] {
            house.clock.advance(HOUR);
            advance(&house, &id, to).await;
        }
        let ended = house.conclude(&id, conclusion()).await.expect("it is closed");
        let times: Vec<i64> = ended.stages.iter().map(|change| change.time.expect("timed").seconds).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 3600), "{times:?}");
    }

    async fn mail_is_threaded_by_its_token_then_by_its_headers(backend: Backend) {
        let house = House::open(backend).await;
        for number in 1..=2 {
            house.peers.know(&customer(number));
        }
        let id = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let delivery = fresh();
        house.add(&id, pb::Entry { message_id: "ours@shop".to_owned(), delivery_id: delivery.clone(), ..ours("See below.") }).await.expect("it is added");
        let mail = |number: u128, answers: &[&str], token: &str| newsletter::InboundMail {
            inbound_mail_id: fresh(),
            customer_id: customer(number),
            delivery_id: token.to_owned(),
            subject: "Re: parcel".to_owned(),
            text: "Thank you.".to_owned(),
            mail_message_id: format!("{}@home", fresh()),
            answered_mail_message_ids: answers.iter().map(|id| (*id).to_owned()).collect(),
            journey_id: fresh(),
            receive_time: house.time(Duration::ZERO),
            ..Default::default()
        };
        let by_header = mail(1, &["unknown@shop", "ours@shop"], "");
        let by_chain = mail(1, &[&by_header.mail_message_id], "");
        house.peers.tell_reply(by_header.clone());
        eventually("it is threaded by a header", async || house.entries(&id).await.len() == 2).await;
        assert_eq!(house.entries(&id).await[1].in_reply_to, "unknown@shop");
        house.peers.tell_reply(by_chain);
        house.peers.tell_reply(mail(1, &[], &delivery));
        eventually("and by a chain, and by a token", async || house.entries(&id).await.len() == 4).await;
        house.peers.tell_reply(mail(2, &["ours@shop"], ""));
        eventually("a header joins no two customers", async || house.list("channel = EMAIL").await.len() == 2).await;
        assert_eq!(house.entries(&id).await.len(), 4);
    }

    async fn what_comes_after_the_window_begins_a_new_interaction_that_names_the_old_one(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let abandon = pb::AbandonInteractionRequest { interaction_id: id.clone(), reason: "hung up".to_owned(), ..Default::default() };
        house.interactions().abandon_interaction(abandon).await.expect("it is abandoned");
        house.clock.advance(13 * 24 * HOUR);
        assert_eq!(house.add(&id, theirs("Hello?")).await.expect("added").interaction.expect("answered").reopen_count, 1);
        house.conclude(&id, conclusion()).await.expect("it is concluded");
        house.clock.advance(15 * 24 * HOUR);
        let anew = house.add(&id, theirs("Me again.")).await.expect("added").interaction.expect("answered");
        assert_eq!((anew.previous_interaction_id.clone(), anew.state()), (id, pb::InteractionState::Open));
    }
}
