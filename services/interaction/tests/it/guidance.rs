//! Guidance and reviews over gRPC: for an interaction, for a customer, and what a review leaves behind.

use rapport_core::{CustomerType, Setting, words::Word};
use rapport_proto::{common::v1 as common, customer::v1 as customers, interaction::v1 as pb};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, customer, enquiry, fresh, ours, theirs};

async fn guidance(house: &House, request: pb::GetGuidanceRequest) -> pb::Guidance {
    house.guidance().get_guidance(request).await.expect("it is given").into_inner().guidance.expect("it is answered")
}

fn to(id: &str) -> pb::GetGuidanceRequest {
    pb::GetGuidanceRequest { customer_id: id.to_owned(), ..pb::GetGuidanceRequest::default() }
}

fn ada(id: &str) -> customers::Customer {
    customers::Customer {
        customer_id: id.to_owned(),
        language: "en-GB".to_owned(),
        preferred_setting: Setting::Informal.number(),
        types: vec![customers::TypeAssignment { r#type: CustomerType::Loyal.number(), ..Default::default() }],
        ..Default::default()
    }
}

both_databases! {
    async fn row_87_guidance_joins_the_manual_with_risk_and_open_promises(backend: Backend) {
        let house = House::open(backend).await;
        let id = customer(1);
        house.peers.tell_known(ada(&id));
        house.peers.tell_risk(&id, common::RiskLevel::AtRisk, 52, &["A promise was broken.", "An expectation was missed."]);
        eventually("the projection knows the risk", async || {
            let given = house.guidance().get_guidance(to(&id)).await.ok().and_then(|given| given.into_inner().guidance);
            given.is_some_and(|given| given.risk_level() == common::RiskLevel::AtRisk)
        })
        .await;
        let promise = pb::Commitment { customer_id: id.clone(), ..callback(house.time(std::time::Duration::from_secs(60))) };
        let promise = house.promise(promise).await;

        let given = guidance(&house, to(&id)).await;
        assert_eq!(given.risk_summary, "At risk of a bad experience (52 of 100): A promise was broken; An expectation was missed.");
        assert_eq!(given.open_commitments.iter().map(|open| &open.commitment_id).collect::<Vec<_>>(), [&promise.commitment_id]);
        assert_eq!((given.advised_setting(), given.advised_because.as_str()), (common::Setting::Informal, "the customer prefers it"));
        let playbook: Vec<_> = given.playbook.iter().filter_map(|one| one.section.as_ref()).map(|section| section.section_id.as_str()).collect();
        assert_eq!(playbook, ["playbook-loyal"]);
        assert_eq!(given.playbook[0].because, "customer type LOYAL");
        assert_eq!(given.situation.map(|situation| situation.locale), Some("en-GB".to_owned()));
        assert!(!given.manual_version_id.is_empty());
    }

    async fn row_18_guidance_of_an_interaction_follows_the_manual_that_is_stamped_on_it(backend: Backend) {
        let house = House::open(backend).await;
        let complaint = pb::Interaction { purpose: pb::Purpose::Complaint.into(), kind: common::InteractionKind::Unwanted.into(), ..enquiry() };
        let created = house.create(complaint).await;
        let request = pb::GetGuidanceRequest { interaction_id: created.interaction_id, ..pb::GetGuidanceRequest::default() };
        let given = guidance(&house, request.clone()).await;
        let situation = given.situation.clone().unwrap_or_default();
        assert_eq!((situation.purpose(), situation.channel()), (pb::Purpose::Complaint, common::Channel::Email));
        assert_eq!(given.manual_version_id, created.manual_version_id);
        let confidential: Vec<_> = given.confidential_sections.iter().filter_map(|one| one.section.as_ref()).map(|section| section.section_id.as_str()).collect();
        assert_eq!(confidential, ["hard-cases"]);
        assert_eq!(given.sections[0].because, "purpose COMPLAINT", "the most specific comes first");

        let other = pb::Situation { channel: common::Channel::Phone.into(), ..pb::Situation::default() };
        let given = guidance(&house, pb::GetGuidanceRequest { situation: Some(other), ..request }).await;
        assert_eq!(given.situation.unwrap_or_default().channel(), common::Channel::Phone, "what the caller says goes before");
    }

    async fn a_wish_for_guidance_says_all_that_is_wrong_with_it(backend: Backend) {
        let house = House::open(backend).await;
        let nothing = answer(house.guidance().get_guidance(pb::GetGuidanceRequest::default()).await).expect_err("nothing is said");
        assert_eq!((nothing.code, nothing.violations[0].field.as_str()), (Code::InvalidArgument, "situation"));
        let situation = pb::Situation { channel: 77, customer_types: vec![0], locale: "English".to_owned(), ..pb::Situation::default() };
        let request = pb::GetGuidanceRequest { interaction_id: fresh(), customer_id: fresh(), situation: Some(situation) };
        let wrong = answer(house.guidance().get_guidance(request).await).expect_err("much is wrong");
        let fields: Vec<_> = wrong.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["situation.channel", "situation.customer_types[0]", "situation.locale", "customer_id"]);
        let unknown = answer(house.guidance().get_guidance(to(&customer(9))).await).expect_err("nobody knows the customer");
        assert_eq!(unknown.violations[0].field, "customer_id");
        let gone = pb::GetGuidanceRequest { interaction_id: fresh(), ..pb::GetGuidanceRequest::default() };
        assert_eq!(answer(house.guidance().get_guidance(gone).await).expect_err("there is none").code, Code::NotFound);
    }

    async fn row_33_what_must_not_be_sent_is_found_before_it_is_sent_and_kept_if_it_was(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        house.add(&id, theirs("Where is it?")).await.expect("it is added");
        let text = "Hello, I'll call you back.";
        let request = pb::ReviewDraftRequest { interaction_id: id.clone(), text: text.to_owned(), ..pb::ReviewDraftRequest::default() };
        let review = house.guidance().review_draft(request.clone()).await.expect("it is reviewed").into_inner();
        assert_eq!((review.sendable, review.language.as_str(), review.unchecked.len()), (false, "en", 0));
        let found = &review.findings[0];
        assert_eq!((found.check(), found.start, found.end), (pb::DraftCheckKind::NoUnbackedPromise, 7, 16));

        let added = house.add(&id, ours(text)).await.expect("it is recorded as it was sent").entry.expect("it is answered");
        assert_eq!(added.findings, review.findings);
        assert_eq!(house.entries(&id).await[1].findings, review.findings);
        let refused = house.conclude(&id, conclusion()).await.expect_err("a promise hangs in the air");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "INTERACTION_NOT_CONCLUDABLE"));
        house.promise(pb::Commitment { interaction_id: id.clone(), ..callback(house.time(std::time::Duration::from_secs(60))) }).await;
        house.conclude(&id, conclusion()).await.expect("the promise is a commitment now");

        let unknown = pb::ReviewDraftRequest { situation: Some(pb::Situation { locale: "sw".to_owned(), ..Default::default() }), ..request };
        let review = house.guidance().review_draft(unknown).await.expect("it is reviewed").into_inner();
        assert!(review.sendable && review.language.is_empty() && !review.unchecked.is_empty());
        let empty = answer(house.guidance().review_draft(pb::ReviewDraftRequest::default()).await).expect_err("there is no text");
        assert_eq!(empty.violations[0].field, "text");
    }

    async fn a_message_that_puts_it_right_opens_the_way_to_a_conclusion(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        house.add(&id, ours("Hello, this is for internal use only. Please confirm.")).await.expect("it is added");
        let refused = house.conclude(&id, conclusion()).await.expect_err("something confidential was sent");
        assert_eq!(refused.reason, "INTERACTION_NOT_CONCLUDABLE");
        house.clock.advance(std::time::Duration::from_secs(1));
        house.add(&id, ours("Hello, please forget the last message. Would you like the leaflet?")).await.expect("it is added");
        house.conclude(&id, conclusion()).await.expect("it was put right");
    }

    async fn row_73_a_personal_topic_is_told_of_only_if_the_customer_opened_it(backend: Backend) {
        let house = House::open(backend).await;
        let id = customer(2);
        house.peers.tell_known(ada(&id));
        let note = |kind: customers::RapportNoteKind, text: &str, initiator: customers::RapportInitiator| customers::RapportNote {
            rapport_note_id: fresh(),
            customer_id: id.clone(),
            kind: kind.into(),
            text: text.to_owned(),
            initiator: initiator.into(),
            ..Default::default()
        };
        let (by_customer, by_staff) = (customers::RapportInitiator::ByCustomer, customers::RapportInitiator::ByStaff);
        let used = note(customers::RapportNoteKind::UsesProduct, "Acme CRM", by_staff);
        house.peers.tell_note("rapport_note.recorded", note(customers::RapportNoteKind::PersonalTopic, "her daughter's school", by_customer));
        house.peers.tell_note("rapport_note.recorded", note(customers::RapportNoteKind::PersonalTopic, "a divorce", by_staff));
        house.peers.tell_note("rapport_note.recorded", note(customers::RapportNoteKind::Interest, "sailing", by_staff));
        house.peers.tell_note("rapport_note.recorded", used.clone());
        eventually("the notes are known", async || {
            let given = house.guidance().get_guidance(to(&id)).await.ok().and_then(|given| given.into_inner().guidance);
            given.is_some_and(|given| !given.never_criticise.is_empty())
        })
        .await;
        let given = guidance(&house, to(&id)).await;
        assert_eq!(given.invited_topics, ["her daughter's school"]);
        assert_eq!((given.interests, given.never_criticise), (vec!["sailing".to_owned()], vec!["Acme CRM".to_owned()]));

        let text = "Hello Ada, Acme CRM is useless. Would you like a demo?".to_owned();
        let request = pb::ReviewDraftRequest { customer_id: id.clone(), text, ..pb::ReviewDraftRequest::default() };
        let review = house.guidance().review_draft(request).await.expect("it is reviewed").into_inner();
        assert!(!review.sendable && review.findings[0].check() == pb::DraftCheckKind::NoCriticismOfUsedProducts);

        house.peers.tell_note("rapport_note.deleted", customers::RapportNote { etag: "2".to_owned(), ..used });
        eventually("the note is forgotten", async || guidance(&house, to(&id)).await.never_criticise.is_empty()).await;
    }
}
