//! What the manual and the shelf say reaches the one who needs it: the rows of the domain that guidance satisfies.

use rapport_proto::{
    common::v1::{BusinessFunction, Channel, CustomerType, InteractionKind, Phase, Setting},
    interaction::v1::{self as pb, CannedMessageKind, ManualElement, PolicyKind, Purpose},
};
use rapport_testkit::both_databases;

use crate::{
    house::{House, answer, conclusion, enquiry, ours, theirs},
    manual::{copy, in_force, publish},
};

/// The guidance for a situation.
pub async fn at(house: &House, situation: pb::Situation) -> pb::Guidance {
    let request = pb::GetGuidanceRequest { situation: Some(situation), ..Default::default() };
    house.guidance().get_guidance(request).await.expect("it is given").into_inner().guidance.expect("it is answered")
}

/// The guidance for an interaction.
pub async fn of(house: &House, id: &str) -> pb::Guidance {
    let request = pb::GetGuidanceRequest { interaction_id: id.to_owned(), ..Default::default() };
    house.guidance().get_guidance(request).await.expect("it is given").into_inner().guidance.expect("it is answered")
}

/// The sections that may be shared.
pub fn sections(guidance: &pb::Guidance) -> Vec<&pb::ManualSection> {
    guidance.sections.iter().filter_map(|applying| applying.section.as_ref()).collect()
}

fn of_element(guidance: &pb::Guidance, element: ManualElement) -> Vec<&str> {
    sections(guidance).into_iter().filter(|section| section.element() == element).map(|section| section.section_id.as_str()).collect()
}

fn policies(guidance: &pb::Guidance) -> Vec<(PolicyKind, &str)> {
    let policies = sections(guidance).into_iter().filter(|section| section.element() == ManualElement::Policy);
    policies.map(|section| (section.policy_kind(), section.section_id.as_str())).collect()
}

fn codes(guidance: &pb::Guidance) -> Vec<&str> {
    guidance.canned_messages.iter().map(|message| message.short_code.as_str()).collect()
}

fn by(channel: Channel) -> pb::Situation {
    pb::Situation { channel: channel.into(), ..Default::default() }
}

fn on(purpose: Purpose) -> pb::Situation {
    pb::Situation { purpose: purpose.into(), ..Default::default() }
}

fn scope(channel: Channel) -> Option<pb::Scope> {
    Some(pb::Scope { channels: vec![channel.into()], ..Default::default() })
}

fn text(short_code: &str) -> pb::CannedMessage {
    pb::CannedMessage {
        short_code: short_code.to_owned(),
        kind: CannedMessageKind::Text.into(),
        subject: "About your question".to_owned(),
        body: "Thank you for asking.".to_owned(),
        ..Default::default()
    }
}

async fn write(house: &House, message: pb::CannedMessage) -> pb::CannedMessage {
    let request = pb::CreateCannedMessageRequest { canned_message: Some(message), ..Default::default() };
    answer(house.canned_messages().create_canned_message(request).await).expect("it is created").canned_message.expect("it is answered")
}

async fn approve(house: &House, message: &pb::CannedMessage) -> pb::CannedMessage {
    let request = pb::ApproveCannedMessageRequest {
        canned_message_id: message.canned_message_id.clone(),
        version: message.version,
        ..Default::default()
    };
    answer(house.canned_messages().approve_canned_message(request).await).expect("it is approved").canned_message.expect("it is answered")
}

async fn flow(house: &House, title: &str, scope: Option<pb::Scope>) -> pb::CallFlow {
    let step = |id: &str, to: &[&str]| pb::CallFlowStep {
        id: id.to_owned(),
        prompt: format!("Ask for {id}."),
        branches: to.iter().map(|to| pb::CallFlowBranch { condition: None, to: (*to).to_owned() }).collect(),
        ..Default::default()
    };
    let steps = vec![step("name", &["need"]), step("need", &[])];
    let call_flow = pb::CallFlow { title: title.to_owned(), scope, steps, ..Default::default() };
    let request = pb::CreateCallFlowRequest { call_flow: Some(call_flow), ..Default::default() };
    answer(house.call_flows().create_call_flow(request).await).expect("it is created").call_flow.expect("it is answered")
}

both_databases! {
    async fn row_4_each_channel_has_its_own_protocol(backend: Backend) {
        let house = House::open(backend).await;
        for (code, channel) in [("by-mail", Channel::Email), ("at-the-counter", Channel::FaceToFace)] {
            let made = write(&house, pb::CannedMessage { scope: scope(channel), ..text(code) }).await;
            approve(&house, &made).await;
        }
        flow(&house, "A call", scope(Channel::Phone)).await;
        let (mail, phone, counter) = (at(&house, by(Channel::Email)).await, at(&house, by(Channel::Phone)).await, at(&house, by(Channel::FaceToFace)).await);
        assert_eq!((codes(&mail), codes(&phone), codes(&counter)), (vec!["by-mail"], vec![], vec!["at-the-counter"]));
        let flows = [&mail, &phone, &counter].map(|given| given.call_flow.as_ref().map(|flow| flow.title.as_str()));
        assert_eq!(flows, [None, Some("A call"), None]);
        let calls = [&mail, &phone, &counter].map(|given| of_element(given, ManualElement::CallHandling).len());
        assert_eq!(calls, [0, 1, 0], "how calls are handled is told for calls");
        assert_eq!(mail.canned_messages[0].because, "channel EMAIL");
        assert_eq!(phone.call_flow.map(|flow| flow.because), Some("channel PHONE".to_owned()));
    }

    async fn row_17_the_nature_of_the_business_chooses_the_setting(backend: Backend) {
        let defaults = "sales/street = informal, */chat = informal, customer_service/chat = formal";
        let house = House::set(backend, &[("interaction.default_settings", defaults)]).await;
        let advised = async |function: BusinessFunction, situation: pb::Situation| {
            let given = at(&house, pb::Situation { function: function.into(), ..situation }).await;
            (given.advised_setting(), given.advised_because)
        };
        let (chat, complaint) = (by(Channel::Chat), on(Purpose::Complaint));
        assert_eq!(advised(BusinessFunction::Marketing, chat.clone()).await, (Setting::Informal, "it is the default by CHAT".to_owned()));
        let closest = advised(BusinessFunction::CustomerService, chat).await;
        assert_eq!(closest, (Setting::Formal, "it is the default of CUSTOMER_SERVICE by CHAT".to_owned()));
        let by_the_book = advised(BusinessFunction::Marketing, pb::Situation { channel: Channel::Chat.into(), ..complaint }).await;
        assert_eq!(by_the_book.0, Setting::Formal, "what the moment demands goes before");
        assert_eq!(advised(BusinessFunction::Sales, by(Channel::Phone)).await.1, "nothing speaks for the personal way");

        let unsaid = |channel: Channel| pb::Interaction { setting: 0, channel: channel.into(), ..enquiry() };
        assert_eq!(house.create(unsaid(Channel::Chat)).await.setting(), Setting::Formal);
        let said = pb::Interaction { setting: Setting::Informal.into(), ..unsaid(Channel::Chat) };
        assert_eq!(house.create(said).await.setting(), Setting::Informal, "who says it decides");
        let request = pb::CreateInteractionRequest { interaction: Some(unsaid(Channel::Phone)), ..Default::default() };
        let refused = answer(house.interactions().create_interaction(request).await).expect_err("there is no default for it");
        assert_eq!(refused.violations[0].field, "interaction.setting");
        let request = pb::LogInteractionRequest {
            interaction: Some(pb::Interaction { function: BusinessFunction::Sales.into(), ..unsaid(Channel::Street) }),
            conclusion: Some(conclusion()),
            ..Default::default()
        };
        let logged = answer(house.interactions().log_interaction(request).await).expect("it is recorded").interaction.expect("it is answered");
        assert_eq!(logged.setting(), Setting::Informal);
    }

    async fn row_20_the_manner_of_greeting_is_told_and_a_mail_without_a_greeting_is_noticed(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        assert_eq!(of_element(&of(&house, &id).await, ManualElement::GreetingManner), ["greeting"]);
        let greetings = async |text: &str| {
            let added = house.add(&id, ours(text)).await.expect("it is added").entry.expect("it is answered");
            let found = added.findings.iter().filter(|finding| finding.check() == pb::DraftCheckKind::NeedsGreeting);
            found.map(|finding| finding.severity()).collect::<Vec<_>>()
        };
        assert_eq!(greetings("Your parcel comes on Monday. Would you like a larger box?").await, [pb::Severity::Warn]);
        assert_eq!(greetings("Hello Ada, your parcel comes on Monday. Would you like a larger box?").await, []);
    }

    async fn row_21_only_approved_material_is_offered_and_nothing_confidential(backend: Backend) {
        let house = House::open(backend).await;
        let material = |code: &str, confidential| pb::CannedMessage {
            kind: CannedMessageKind::Material.into(),
            file: format!("files/{code}.pdf"),
            confidential,
            ..text(code)
        };
        let made = write(&house, material("price-list", false)).await;
        let inside = write(&house, material("purchase-prices", true)).await;
        approve(&house, &inside).await;
        let offered = async || at(&house, on(Purpose::Sale)).await.canned_messages;
        assert_eq!(offered().await, [], "nobody has approved the price list");
        let approved = approve(&house, &made).await;
        let expected = pb::ApplyingCannedMessage {
            canned_message_id: made.canned_message_id.clone(),
            short_code: "price-list".to_owned(),
            kind: CannedMessageKind::Material.into(),
            subject: "About your question".to_owned(),
            file: "files/price-list.pdf".to_owned(),
            version: 1,
            because: "applies everywhere".to_owned(),
        };
        assert_eq!(offered().await, [expected]);
        let changed = pb::CannedMessage { file: "files/price-list-2.pdf".to_owned(), ..approved };
        let request = pb::UpdateCannedMessageRequest { canned_message: Some(changed), ..Default::default() };
        answer(house.canned_messages().update_canned_message(request).await).expect("it is changed");
        assert_eq!(offered().await, [], "the new one must be approved first");
        let given = at(&house, on(Purpose::Sale)).await;
        let shown = sections(&given).into_iter().find(|section| section.element() == ManualElement::PresentingMaterial).expect("it applies");
        assert!(!shown.materials.is_empty() && shown.materials.iter().all(|material| !material.approved_by.is_empty()));
    }

    async fn the_most_specific_messages_come_first_and_their_number_is_bounded(backend: Backend) {
        let house = House::open(backend).await;
        for number in 0..22 {
            let made = write(&house, text(&format!("any-{number:02}"))).await;
            approve(&house, &made).await;
        }
        let sale = pb::Scope { channels: vec![Channel::Chat.into()], purposes: vec![Purpose::Sale.into()], ..Default::default() };
        for (code, scope) in [("chat", scope(Channel::Chat)), ("chat-sale", Some(sale))] {
            let made = write(&house, pb::CannedMessage { scope, ..text(code) }).await;
            approve(&house, &made).await;
        }
        let given = at(&house, pb::Situation { channel: Channel::Chat.into(), ..on(Purpose::Sale) }).await;
        assert_eq!((codes(&given).len(), &codes(&given)[..3]), (20, &["chat-sale", "chat", "any-00"][..]));
        assert_eq!(given.canned_messages[0].because, "purpose SALE, channel CHAT");
    }

    async fn row_24_and_40_guidance_names_the_call_flow_that_is_started_and_the_step_that_comes_next(backend: Backend) {
        let house = House::open(backend).await;
        flow(&house, "Any talk", None).await;
        let phone = flow(&house, "A call", scope(Channel::Phone)).await;
        let id = house.create(pb::Interaction { channel: Channel::Phone.into(), ..enquiry() }).await.interaction_id;
        let next = |given: pb::Guidance| given.call_flow.map(|flow| (flow.started, flow.next_step.map(|step| step.id), flow.call_flow_id));
        assert_eq!(next(of(&house, &id).await), Some((false, Some("name".to_owned()), phone.call_flow_id.clone())));
        let request = pb::StartCallFlowRequest { interaction_id: id.clone(), ..Default::default() };
        let started = answer(house.call_flows().start_call_flow(request).await).expect("it is started").interaction.expect("it is answered");
        assert_eq!(started.call_flow.map(|run| run.call_flow_id), Some(phone.call_flow_id.clone()));
        for (step, after) in [("name", Some("need".to_owned())), ("need", None)] {
            let request = pb::AnswerCallFlowStepRequest {
                interaction_id: id.clone(),
                step_id: step.to_owned(),
                answer: "so".to_owned(),
                ..Default::default()
            };
            answer(house.call_flows().answer_call_flow_step(request).await).expect("it is answered");
            assert_eq!(next(of(&house, &id).await), Some((true, after, phone.call_flow_id.clone())));
        }
        let elsewhere = pb::Situation { channel: Channel::Chat.into(), ..Default::default() };
        assert_eq!(at(&house, elsewhere).await.call_flow.map(|flow| flow.title), Some("Any talk".to_owned()));
    }

    async fn row_25_selling_and_selling_more_come_with_their_guidance(backend: Backend) {
        let house = House::open(backend).await;
        let upsell = pb::Situation {
            function: BusinessFunction::Sales.into(),
            customer_types: vec![CustomerType::Discount.into()],
            ..on(Purpose::Upsell)
        };
        let given = at(&house, upsell).await;
        assert_eq!(of_element(&given, ManualElement::SellingAndUpselling), ["selling"]);
        assert_eq!(of_element(&given, ManualElement::PresentingMaterial), ["material"]);
        assert!(given.dos.iter().any(|rule| rule.rule.as_ref().is_some_and(|rule| rule.rule_id == "deal-whole")));
        let without = at(&house, on(Purpose::Complaint)).await;
        assert_eq!(of_element(&without, ManualElement::SellingAndUpselling), Vec::<&str>::new(), "nothing is sold to one who complains");
    }

    async fn row_26_who_tells_of_a_change_is_told_how_and_the_customer_hears_it_in_an_interaction(backend: Backend) {
        let house = House::open(backend).await;
        let given = at(&house, on(Purpose::ChangeNotice)).await;
        assert_eq!(of_element(&given, ManualElement::ChangeUpdates), ["changes"]);
        assert_eq!(of_element(&at(&house, on(Purpose::Sale)).await, ManualElement::ChangeUpdates), Vec::<&str>::new());
        let notice = pb::Interaction {
            purpose: Purpose::ChangeNotice.into(),
            direction: rapport_proto::common::v1::Direction::Outbound.into(),
            incident: "prices 2027".to_owned(),
            ..enquiry()
        };
        house.create(notice.clone()).await;
        house.create(notice).await;
        let told = house.list("purpose = CHANGE_NOTICE AND incident = \"prices 2027\"").await;
        assert_eq!(told.len(), 2, "who was told of one change is known");
    }

    async fn row_27_who_hears_a_complaint_is_told_how_complaints_are_handled(backend: Backend) {
        let house = House::open(backend).await;
        let complaint = pb::Interaction { purpose: Purpose::Complaint.into(), kind: InteractionKind::Unwanted.into(), ..enquiry() };
        let id = house.create(complaint).await.interaction_id;
        let given = of(&house, &id).await;
        assert_eq!(of_element(&given, ManualElement::ComplaintHandling), ["complaints"]);
        assert_eq!((given.sections[0].because.as_str(), given.advised_setting()), ("purpose COMPLAINT", Setting::Formal));
        assert_eq!(given.confidential_sections.len(), 1, "what we may decide stays inside");
    }

    async fn row_28_and_29_who_asks_for_feedback_is_told_how_it_is_gathered_and_evaluated(backend: Backend) {
        let house = House::open(backend).await;
        let asked = at(&house, pb::Situation { phase: Phase::AfterSale.into(), ..on(Purpose::Feedback) }).await;
        assert_eq!(of_element(&asked, ManualElement::GatheringFeedback), ["gathering-feedback"]);
        assert_eq!(of_element(&asked, ManualElement::EvaluatingFeedback), ["evaluating-feedback"]);
        let called = at(&house, on(Purpose::Callback)).await;
        assert_eq!(of_element(&called, ManualElement::GatheringFeedback), ["gathering-feedback"], "a follow-up call asks too");
        assert_eq!(of_element(&called, ManualElement::EvaluatingFeedback), Vec::<&str>::new());
    }

    async fn row_31_the_same_situation_gets_the_same_service_whoever_serves(backend: Backend) {
        let house = House::open(backend).await;
        let made = write(&house, text("thanks")).await;
        approve(&house, &made).await;
        let one = house.create(enquiry()).await.interaction_id;
        let other = house.create(enquiry()).await.interaction_id;
        assert_eq!(of(&house, &one).await, of(&house, &other).await);
        let words = async |id: &str| {
            let request = pb::RenderCannedMessageRequest { short_code: "thanks".to_owned(), interaction_id: id.to_owned(), ..Default::default() };
            answer(house.canned_messages().render_canned_message(request).await).expect("it is filled in").body
        };
        assert_eq!(words(&one).await, words(&other).await);
        let found = async |id: &str| {
            house.add(id, ours("Your parcel is lost.")).await.expect("it is added");
            house.entries(id).await.last().expect("it is there").findings.clone()
        };
        let findings = found(&one).await;
        assert!(!findings.is_empty(), "what falls short of the manual stays on the entry");
        assert_eq!(findings, found(&other).await);
    }

    async fn row_37_a_sale_is_told_the_policies_by_their_ids_in_the_version_under_which_it_began(backend: Backend) {
        let house = House::open(backend).await;
        let sale = pb::Interaction { purpose: Purpose::Sale.into(), function: BusinessFunction::Sales.into(), ..enquiry() };
        let id = house.create(sale.clone()).await.interaction_id;
        let expected = [
            (PolicyKind::Payment, "policy-payment"),
            (PolicyKind::ShippingAndDelivery, "policy-shipping"),
            (PolicyKind::Terms, "policy-terms"),
        ];
        let given = of(&house, &id).await;
        let mut found = policies(&given);
        found.sort_unstable();
        assert_eq!(found, expected);

        let first = in_force(&house).await;
        let mut sections = first.sections.clone();
        let payment = sections.iter_mut().find(|section| section.section_id == "policy-payment").expect("there is one");
        payment.body = "Cash only.".to_owned();
        let draft = copy(&house, &first.manual_version_id, Some(pb::ManualVersion { sections, ..Default::default() })).await;
        publish(&house, &draft.manual_version_id).await.expect("nothing is missing");
        let payment = |given: &pb::Guidance| {
            let body = given.sections.iter().filter_map(|applying| applying.section.as_ref()).find(|section| section.section_id == "policy-payment");
            (given.manual_version_id.clone(), body.expect("it applies").body.clone())
        };
        assert_eq!(payment(&of(&house, &id).await), payment(&given), "it goes on under the version that it began with");
        let later = house.create(sale).await.interaction_id;
        assert_eq!(payment(&of(&house, &later).await), (draft.manual_version_id, "Cash only.".to_owned()));
    }

    async fn row_47_after_the_sale_refund_return_exchange_and_cancellation_are_at_hand(backend: Backend) {
        let house = House::open(backend).await;
        let phase = |phase: Phase| pb::Situation { phase: phase.into(), ..on(Purpose::Support) };
        let given = at(&house, phase(Phase::AfterSale)).await;
        let found = policies(&given);
        for expected in [
            (PolicyKind::Refund, "policy-refund"),
            (PolicyKind::Return, "policy-return"),
            (PolicyKind::Exchange, "policy-exchange"),
            (PolicyKind::Cancellation, "policy-cancellation"),
        ] {
            assert!(found.contains(&expected), "{expected:?} of {found:?}");
        }
        let before = at(&house, phase(Phase::PreSale)).await;
        assert!(policies(&before).iter().all(|(kind, _)| *kind != PolicyKind::Refund), "nothing is given back that was not sold");
    }

    async fn what_was_written_in_a_log_an_import_or_a_first_entry_keeps_what_was_found_in_it(backend: Backend) {
        let house = House::open(backend).await;
        let checks = |entry: &pb::Entry| entry.findings.iter().map(pb::Finding::check).collect::<Vec<_>>();
        let request = pb::CreateInteractionRequest {
            interaction: Some(pb::Interaction { setting: Setting::Informal.into(), ..enquiry() }),
            first_entry: Some(ours("Your parcel comes on Monday. Would you like a larger box?")),
            ..Default::default()
        };
        let created = answer(house.interactions().create_interaction(request).await).expect("it is created");
        assert_eq!(checks(&created.first_entry.expect("it is answered")), [pb::DraftCheckKind::NeedsGreeting]);

        let log = |text: &str, commitments: Vec<pb::Commitment>| pb::LogInteractionRequest {
            interaction: Some(enquiry()),
            entries: vec![theirs("Where is it?"), ours("It comes."), ours(text)],
            conclusion: Some(conclusion()),
            commitments,
            ..Default::default()
        };
        let logged = answer(house.interactions().log_interaction(log("Hello, it is there. Would you like a larger box?", Vec::new())).await);
        let logged = logged.expect("it is recorded");
        let found: Vec<_> = logged.entries.iter().map(checks).collect();
        assert_eq!(found, [vec![], vec![pb::DraftCheckKind::NeedsGreeting], vec![]]);
        let id = logged.interaction.expect("it is answered").interaction_id;
        assert_eq!(house.entries(&id).await, logged.entries, "they are kept");
        let broken = log("Hello, I'll call you back.", Vec::new());
        let refused = answer(house.interactions().log_interaction(broken.clone()).await).expect_err("a promise hangs in the air");
        assert_eq!(refused.conditions.iter().map(|condition| condition.kind.as_str()).collect::<Vec<_>>(), ["DRAFT"]);
        let promise = crate::house::callback(house.time(std::time::Duration::from_secs(3600)));
        answer(house.interactions().log_interaction(log("Hello, I'll call you back.", vec![promise])).await).expect("it is a commitment");

        let row = |name: &str, log: pb::LogInteractionRequest| pb::ImportInteractionsRequest {
            import_id: "past".to_owned(),
            row_id: name.to_owned(),
            interaction: log.interaction,
            entries: log.entries,
            conclusion: log.conclusion,
            ..Default::default()
        };
        let rows = vec![row("1", log("It is there. Would you like a larger box?", Vec::new())), row("2", broken)];
        let mut results = house.interactions().import_interactions(futures::stream::iter(rows)).await.expect("it begins").into_inner();
        let first = results.message().await.expect("it goes on").expect("it is answered");
        let found: Vec<_> = house.entries(&first.interaction_id).await.iter().map(checks).collect();
        assert_eq!(found, [vec![], vec![pb::DraftCheckKind::NeedsGreeting], vec![pb::DraftCheckKind::NeedsGreeting]]);
        let second = results.message().await.expect("it goes on").expect("it is answered");
        assert!(second.interaction_id.is_empty() && second.violations[0].description.contains("promise-recorded"), "{:?}", second.violations);
    }
}
