//! The five dos, the skills and the five types of customer: what guidance tells our people of each.

use std::time::Duration;

use rapport_core::words::Word;
use rapport_proto::{
    common::v1::{CustomerType, Setting},
    customer::v1 as customers,
    interaction::v1::{self as pb, RuleTopic},
};
use rapport_testkit::{both_databases, eventually};

use crate::{
    house::{House, answer, customer, enquiry, fresh},
    rows_guidance::{at, of},
};

fn topics(guidance: &pb::Guidance) -> Vec<RuleTopic> {
    guidance.dos.iter().filter_map(|applying| applying.rule.as_ref()).map(pb::EtiquetteRule::topic).collect()
}

async fn known(house: &House, id: &str, of_type: CustomerType) {
    house.peers.tell_known(customers::Customer {
        customer_id: id.to_owned(),
        types: vec![customers::TypeAssignment { r#type: of_type.into(), ..Default::default() }],
        ..Default::default()
    });
    eventually("the type is known", async || !for_customer(house, id).await.situation.unwrap_or_default().customer_types.is_empty()).await;
}

async fn for_customer(house: &House, id: &str) -> pb::Guidance {
    let request = pb::GetGuidanceRequest { customer_id: id.to_owned(), ..Default::default() };
    house.guidance().get_guidance(request).await.ok().and_then(|given| given.into_inner().guidance).unwrap_or_default()
}

/// The playbook of a customer of this type, with its words.
async fn playbook(house: &House, number: u128, of_type: CustomerType) -> (String, String, String) {
    let id = customer(number);
    known(house, &id, of_type).await;
    let given = for_customer(house, &id).await;
    assert_eq!(given.playbook.len(), 1, "{:?}", given.playbook);
    let applying = given.playbook.into_iter().next().expect("there is one");
    let section = applying.section.expect("it is answered");
    (section.section_id, applying.because, section.body)
}

/// What a review says against the length of a text of so many words to a customer of these types.
async fn too_long(house: &House, words: usize, types: &[CustomerType]) -> Vec<String> {
    let situation = pb::Situation { customer_types: types.iter().map(|of| i32::from(*of)).collect(), ..Default::default() };
    let request = pb::ReviewDraftRequest { situation: Some(situation), text: vec!["word"; words].join(" "), ..Default::default() };
    let found = house.guidance().review_draft(request).await.expect("it is reviewed").into_inner().findings;
    found.into_iter().filter(|finding| finding.check() == pb::DraftCheckKind::MaxWords).map(|finding| finding.rule_id).collect()
}

both_databases! {
    async fn row_66_to_70_the_five_dos_are_told_and_fed_by_what_is_known_of_the_customer(backend: Backend) {
        let house = House::open(backend).await;
        let id = customer(1);
        let dos = topics(&at(&house, pb::Situation { channel: rapport_core::Channel::Email.number(), ..Default::default() }).await);
        let five = [RuleTopic::BePolite, RuleTopic::SpeakToTheirInterest, RuleTopic::OpenUp, RuleTopic::AskAboutTheirBusiness, RuleTopic::Hospitality];
        assert!(five.iter().all(|topic| dos.contains(topic)), "{dos:?}");

        known(&house, &id, CustomerType::Loyal).await;
        use customers::RapportNoteKind as Kind;
        let notes = [
            (Kind::Interest, "sailing"),
            (Kind::BusinessVision, "a shop in every town"),
            (Kind::Values, "nothing is thrown away"),
            (Kind::Hospitality, "green tea, no sugar"),
        ];
        for (kind, text) in notes {
            let note = customers::RapportNote {
                rapport_note_id: fresh(),
                customer_id: id.clone(),
                kind: kind.into(),
                text: text.to_owned(),
                initiator: customers::RapportInitiator::ByStaff.into(),
                ..Default::default()
            };
            house.peers.tell_note("rapport_note.recorded", note);
        }
        eventually("the notes are known", async || for_customer(&house, &id).await.interests.len() == notes.len()).await;
        let interests = for_customer(&house, &id).await.interests;
        assert!(notes.iter().all(|(_, text)| interests.iter().any(|told| told == text)), "{interests:?}");
    }

    async fn row_79_the_skills_are_told_in_every_situation_and_a_lesson_is_kept(backend: Backend) {
        let house = House::open(backend).await;
        let id = house.create(enquiry()).await.interaction_id;
        let told = topics(&of(&house, &id).await);
        for skill in [RuleTopic::Empathy, RuleTopic::PositiveFocus, RuleTopic::Patience, RuleTopic::LearnFromCustomer] {
            assert!(told.contains(&skill), "{skill:?} of {told:?}");
        }
        let lesson = pb::Conclusion { lesson: "Ask for the door code.".to_owned(), ..crate::house::conclusion() };
        let concluded = house.conclude(&id, lesson).await.expect("it is concluded");
        assert_eq!(concluded.conclusion.map(|conclusion| conclusion.lesson), Some("Ask for the door code.".to_owned()));
    }

    async fn row_81_a_potential_customer_is_shown_value_a_resource_and_help(backend: Backend) {
        let house = House::open(backend).await;
        let (id, because, body) = playbook(&house, 81, CustomerType::Potential).await;
        assert_eq!((id.as_str(), because.as_str()), ("playbook-potential", "customer type POTENTIAL"));
        assert!(["Show what it would do", "one good source", "offer help"].iter().all(|part| body.contains(part)), "{body}");
    }

    async fn row_82_a_new_customer_is_guided_to_success_with_somebody_to_reach(backend: Backend) {
        let house = House::open(backend).await;
        let (id, because, body) = playbook(&house, 82, CustomerType::New).await;
        assert_eq!((id.as_str(), because.as_str()), ("playbook-new", "customer type NEW"));
        assert!(["first success", "a person they can reach"].iter().all(|part| body.contains(part)), "{body}");
    }

    async fn row_83_an_impulsive_customer_gets_fewer_words_and_a_faster_answer(backend: Backend) {
        let house = House::open(backend).await;
        let (id, _, body) = playbook(&house, 83, CustomerType::Impulsive).await;
        assert!(id == "playbook-impulsive" && body.contains("one offer, one link"), "{body}");
        assert_eq!(too_long(&house, 61, &[CustomerType::Impulsive]).await, ["impulsive-short"]);
        assert_eq!(too_long(&house, 61, &[CustomerType::New]).await, Vec::<String>::new());
        assert_eq!(too_long(&house, 301, &[CustomerType::New]).await, ["not-too-much"]);

        let policy = |name: &str, hours: u64, types: Vec<i32>| pb::SlaPolicy {
            display_name: name.to_owned(),
            scope: Some(pb::Scope { customer_types: types, ..Default::default() }),
            first_human_response: prost_types::Duration::try_from(Duration::from_secs(hours * 3600)).ok(),
            ..Default::default()
        };
        for policy in [policy("Usual", 8, Vec::new()), policy("Quick", 1, vec![CustomerType::Impulsive.into()])] {
            let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
            answer(house.service_levels().create_sla_policy(request).await).expect("it is made");
        }
        known(&house, &customer(84), CustomerType::New).await;
        let mut due = Vec::new();
        for number in [83, 84] {
            let created = house.create(pb::Interaction { customer_id: customer(number), setting: Setting::Informal.into(), ..enquiry() }).await;
            let level = created.service_level.expect("a policy applies");
            due.push((level.display_name, level.clocks[0].due_time.expect("it is due").seconds - level.clocks[0].start_time.expect("it began").seconds));
        }
        assert_eq!(due, [("Quick".to_owned(), 3600), ("Usual".to_owned(), 8 * 3600)]);
    }

    async fn row_84_a_discount_customer_is_told_the_whole_deal_and_more(backend: Backend) {
        let house = House::open(backend).await;
        let (id, _, body) = playbook(&house, 84, CustomerType::Discount).await;
        assert!(id == "playbook-discount" && body.contains("whole deal") && body.contains("go beyond it"), "{body}");
        let review = async |text: &str| {
            let request = pb::ReviewDraftRequest { customer_id: customer(84), text: text.to_owned(), ..Default::default() };
            let found = house.guidance().review_draft(request).await.expect("it is reviewed").into_inner().findings;
            found.into_iter().filter(|finding| finding.check() == pb::DraftCheckKind::NeedsTerms).map(|finding| finding.message).collect::<Vec<_>>()
        };
        let found = review("Hello, a special offer for you!").await;
        assert!(found.len() == 1 && ["the price", "the conditions", "when it ends"].iter().all(|part| found[0].contains(part)), "{found:?}");
        assert_eq!(review("Hello, a special offer: 20 € instead of 30 €, if you order two, until 31.12.2026.").await, Vec::<String>::new());
    }

    async fn row_85_a_loyal_customer_is_recognised_and_learnt_from(backend: Backend) {
        let house = House::open(backend).await;
        let (id, because, body) = playbook(&house, 85, CustomerType::Loyal).await;
        assert_eq!((id.as_str(), because.as_str()), ("playbook-loyal", "customer type LOYAL"));
        assert!(["you know them", "thank them", "Ask what we should do better"].iter().all(|part| body.contains(part)), "{body}");
        let bond = |agent: &str, level: customers::ConnectionLevel| customers::Connection {
            connection_id: fresh(),
            customer_id: customer(85),
            agent: agent.to_owned(),
            level: level.into(),
            ..Default::default()
        };
        let chance = bond("bela", customers::ConnectionLevel::RoleOnly);
        house.peers.tell_connection(chance.clone());
        house.peers.tell_connection(bond("ada", customers::ConnectionLevel::Trusted));
        house.peers.tell_connection(customers::Connection { level: customers::ConnectionLevel::Acquainted.into(), ..chance });
        let told = async || for_customer(&house, &customer(85)).await.connections.into_iter().map(|bond| (bond.agent, bond.level)).collect::<Vec<_>>();
        let expected = [("ada".to_owned(), 4), ("bela".to_owned(), 2)];
        eventually("the bonds are known", async || told().await == expected).await;
    }
}
