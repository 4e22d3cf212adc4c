//! The manual: written, checked, published, never changed afterwards, and an example of it on a first run.

use std::collections::BTreeSet;

use rapport_client::Problem;
use rapport_interaction::{EXAMPLE_MANUAL, check_manual};
use rapport_proto::{common::v1 as common, interaction::v1 as pb};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, fresh};

/// The manual that is in force.
pub async fn in_force(house: &House) -> pb::ManualVersion {
    let response = house.manual().get_manual_version(pb::GetManualVersionRequest::default()).await.expect("one is in force");
    response.into_inner().manual_version.expect("it is answered")
}

/// A draft that says what this version says, with other values where the edit has some.
pub async fn copy(house: &House, base: &str, edit: Option<pb::ManualVersion>) -> pb::ManualVersion {
    let request = pb::CreateManualVersionRequest { manual_version: edit, base_version_id: base.to_owned(), ..Default::default() };
    answer(house.manual().create_manual_version(request).await).expect("it is copied").manual_version.expect("it is answered")
}

/// Publishes.
pub async fn publish(house: &House, id: &str) -> Result<pb::PublishManualVersionResponse, Problem> {
    let request = pb::PublishManualVersionRequest { manual_version_id: id.to_owned(), ..Default::default() };
    answer(house.manual().publish_manual_version(request).await)
}

fn example() -> pb::ManualVersion {
    rapport_proto::json::read("rapport.interaction.v1.ManualVersion", EXAMPLE_MANUAL).expect("it is a manual")
}

fn conditions(problem: &Problem, kind: &str) -> Vec<String> {
    problem.conditions.iter().filter(|condition| condition.kind == kind).map(|condition| condition.subject.clone()).collect()
}

both_databases! {
    async fn row_18_a_published_manual_cannot_be_changed_and_its_successor_retires_it(backend: Backend) {
        let house = House::open(backend).await;
        let first = in_force(&house).await;
        assert_eq!((first.number, first.state()), (1, pb::ManualState::Published));
        let edit = pb::ManualVersion { manual_version_id: first.manual_version_id.clone(), title: "Other".to_owned(), ..Default::default() };
        let request = pb::UpdateManualVersionRequest { manual_version: Some(edit.clone()), ..Default::default() };
        let refused = answer(house.manual().update_manual_version(request).await).expect_err("it is in force");
        assert_eq!((refused.code, refused.reason.as_str(), refused.metadata["state"].as_str()), (Code::FailedPrecondition, "MANUAL_NOT_DRAFT", "PUBLISHED"));

        let draft = copy(&house, &first.manual_version_id, None).await;
        assert_eq!((draft.sections.clone(), draft.rules.clone(), draft.courses.clone()), (first.sections.clone(), first.rules.clone(), first.courses.clone()));
        assert_eq!((draft.base_version_id.as_str(), draft.state(), draft.number), (first.manual_version_id.as_str(), pb::ManualState::Draft, 0));
        let stale = pb::ManualVersion { manual_version_id: draft.manual_version_id.clone(), etag: "9".to_owned(), ..edit.clone() };
        let request = pb::UpdateManualVersionRequest { manual_version: Some(stale), ..Default::default() };
        assert_eq!(answer(house.manual().update_manual_version(request).await).expect_err("another version").code, Code::Aborted);
        let edit = pb::ManualVersion { manual_version_id: draft.manual_version_id.clone(), etag: draft.etag.clone(), ..edit };
        let request = pb::UpdateManualVersionRequest { manual_version: Some(edit), ..Default::default() };
        let edited = answer(house.manual().update_manual_version(request).await).expect("a draft is changed").manual_version.expect("it is answered");
        assert_eq!((edited.title.as_str(), edited.sections.len()), ("Other", first.sections.len()));

        let published = publish(&house, &draft.manual_version_id).await.expect("nothing is missing").manual_version.expect("it is answered");
        assert_eq!((published.number, published.published_by.as_str(), published.sections.len()), (2, "local", 0));
        assert_eq!(in_force(&house).await.manual_version_id, draft.manual_version_id);
        let request = pb::GetManualVersionRequest { manual_version_id: first.manual_version_id.clone() };
        let old = answer(house.manual().get_manual_version(request).await).expect("it is kept").manual_version.expect("it is answered");
        assert_eq!((old.state(), old.sections), (pb::ManualState::Retired, first.sections));
        let again = publish(&house, &first.manual_version_id).await.expect_err("it is retired");
        assert_eq!((again.reason.as_str(), again.metadata["state"].as_str()), ("MANUAL_NOT_DRAFT", "RETIRED"));

        let request = pb::ListManualVersionsRequest { filter: "state = RETIRED".to_owned(), page_size: 1, ..Default::default() };
        let listed = answer(house.manual().list_manual_versions(request).await).expect("they are listed");
        assert_eq!(listed.manual_versions.iter().map(|manual| manual.manual_version_id.as_str()).collect::<Vec<_>>(), [first.manual_version_id.as_str()]);
        assert!(listed.manual_versions[0].sections.is_empty(), "lists leave the contents out");
    }

    async fn rows_19_to_29_each_of_the_eleven_elements_that_is_missing_is_named_when_a_manual_is_published(backend: Backend) {
        let house = House::open(backend).await;
        let bare = pb::ManualVersion { title: "Bare".to_owned(), ..Default::default() };
        let request = pb::CreateManualVersionRequest { manual_version: Some(bare), ..Default::default() };
        let bare = answer(house.manual().create_manual_version(request).await).expect("a draft may lack everything").manual_version.expect("it is answered");
        let refused = publish(&house, &bare.manual_version_id).await.expect_err("everything is missing");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "MANUAL_INCOMPLETE"));
        let elements = [
            "GOALS_AND_STANDARDS", "GREETING_MANNER", "PRESENTING_MATERIAL", "PRODUCT_ENQUIRY", "COMPANY_ENQUIRY", "CALL_HANDLING",
            "SELLING_AND_UPSELLING", "CHANGE_UPDATES", "COMPLAINT_HANDLING", "GATHERING_FEEDBACK", "EVALUATING_FEEDBACK",
        ];
        assert_eq!(conditions(&refused, "ELEMENT"), elements);
        assert_eq!(conditions(&refused, "COURSE"), ["courses"], "nobody would be trained");

        let first = in_force(&house).await;
        for element in 1..=11 {
            let sections = first.sections.iter().filter(|section| section.element != element).cloned().collect();
            let courses = vec![pb::Course { course_id: "one".to_owned(), title: "One".to_owned(), section_ids: vec!["trust".to_owned()], required: true, ..Default::default() }];
            let draft = copy(&house, &first.manual_version_id, Some(pb::ManualVersion { sections, courses, ..Default::default() })).await;
            let refused = publish(&house, &draft.manual_version_id).await.expect_err("one element is missing");
            assert_eq!(conditions(&refused, "ELEMENT"), [elements[usize::try_from(element).expect("small") - 1]]);
            assert_eq!(refused.conditions.len(), 1, "{:?}", refused.conditions);
        }
        assert_eq!(in_force(&house).await, first, "what is refused changes nothing");
    }

    async fn every_problem_of_a_manual_is_named_at_once_and_validate_only_changes_nothing(backend: Backend) {
        let house = House::open(backend).await;
        let first = in_force(&house).await;
        let mut wrong = first.clone();
        wrong.sections[0].body = String::new();
        wrong.sections[2].materials[0].approved_by = String::new();
        let policy = wrong.sections.iter_mut().find(|section| section.section_id == "policy-refund").expect("there is one");
        policy.policy_kind = 0;
        let playbook = wrong.sections.iter_mut().find(|section| section.section_id == "playbook-new").expect("there is one");
        playbook.scope = None;
        wrong.sections[1].section_id = "goals".to_owned();
        wrong.rules[1].rule_id = wrong.rules[0].rule_id.clone();
        wrong.courses[0].section_ids = vec!["nowhere".to_owned()];
        let edit = pb::ManualVersion { sections: wrong.sections, rules: wrong.rules, courses: wrong.courses, ..Default::default() };
        let draft = copy(&house, &first.manual_version_id, Some(edit)).await;
        let request = |validate_only| pb::PublishManualVersionRequest { manual_version_id: draft.manual_version_id.clone(), validate_only, ..Default::default() };
        let checked = answer(house.manual().publish_manual_version(request(true)).await).expect_err("much is wrong");
        let refused = answer(house.manual().publish_manual_version(request(false)).await).expect_err("much is wrong");
        assert_eq!(checked.conditions, refused.conditions, "validate_only says the same");
        assert_eq!(conditions(&refused, "ELEMENT"), ["GOALS_AND_STANDARDS"]);
        assert_eq!(conditions(&refused, "MATERIAL"), ["material"]);
        assert_eq!(conditions(&refused, "RULE"), [first.rules[0].rule_id.as_str()]);
        assert_eq!(conditions(&refused, "COURSE"), ["first-day"]);
        let sections: BTreeSet<String> = conditions(&refused, "SECTION").into_iter().collect();
        assert_eq!(sections, ["goals", "playbook-new", "policy-refund"].map(str::to_owned).into());

        let good = copy(&house, &first.manual_version_id, None).await;
        let request = pb::PublishManualVersionRequest { manual_version_id: good.manual_version_id.clone(), validate_only: true, ..Default::default() };
        let would = answer(house.manual().publish_manual_version(request).await).expect("nothing is wrong");
        assert_eq!(would.manual_version.expect("it is answered").state(), pb::ManualState::Published);
        assert_eq!(in_force(&house).await, first, "nothing was published");
    }

    async fn what_is_wrong_with_the_form_of_a_manual_is_a_violation_with_its_place(backend: Backend) {
        let house = House::open(backend).await;
        let check = pb::DraftCheck { kind: pb::DraftCheckKind::MaxWords.into(), max_words: 0, forbidden_terms: vec!["x".to_owned()] };
        let rule = pb::EtiquetteRule { rule_id: "Not A Slug".to_owned(), stance: 9, check: Some(check), ..Default::default() };
        let course = pb::Course { course_id: "c".to_owned(), title: "C".to_owned(), pass_score: 101, valid_for: Some(prost_types::Duration { seconds: -1, nanos: 0 }), ..Default::default() };
        let manual = pb::ManualVersion { sections: vec![pb::ManualSection::default()], rules: vec![rule], courses: vec![course], locale: "no language".to_owned(), ..Default::default() };
        let request = pb::CreateManualVersionRequest { manual_version: Some(manual), ..Default::default() };
        let refused = answer(house.manual().create_manual_version(request).await).expect_err("much is wrong");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.trim_start_matches("manual_version.")).collect();
        assert_eq!(fields, [
            "title", "locale", "sections[0].section_id", "sections[0].element", "sections[0].title", "rules[0].rule_id", "rules[0].stance",
            "rules[0].topic", "rules[0].text", "rules[0].check.forbidden_terms", "rules[0].check.max_words", "courses[0].pass_score",
            "courses[0].valid_for",
        ]);
        let id = fresh();
        let bare = pb::ManualVersion { title: "Bare".to_owned(), ..Default::default() };
        let request = pb::CreateManualVersionRequest { manual_version: Some(bare), manual_version_id: id.clone(), ..Default::default() };
        answer(house.manual().create_manual_version(request.clone()).await).expect("it is created");
        let taken = answer(house.manual().create_manual_version(request).await).expect_err("the id is taken");
        assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "MANUAL_VERSION_EXISTS"));
    }

    async fn a_first_run_loads_the_example_once_and_only_if_it_may(backend: Backend) {
        let mut house = House::open(backend).await;
        let first = in_force(&house).await;
        house.restart().await;
        let listed = answer(house.manual().list_manual_versions(pb::ListManualVersionsRequest::default()).await).expect("they are listed");
        assert_eq!(listed.manual_versions.len(), 1);
        assert_eq!(in_force(&house).await, first);

        let without = House::set(backend, &[("interaction.example_manual", "false")]).await;
        let none = answer(without.manual().get_manual_version(pb::GetManualVersionRequest::default()).await).expect_err("none was loaded");
        assert_eq!((none.code, none.reason.as_str()), (Code::FailedPrecondition, "MANUAL_NOT_PUBLISHED"));
    }
}

#[test]
fn the_example_manual_has_all_that_a_manual_can_have_and_survives_the_journey_to_a_file_and_back() {
    let manual = example();
    assert_eq!(check_manual(&manual), []);
    let json = rapport_proto::json::write("rapport.interaction.v1.ManualVersion", &manual).expect("it is written");
    assert_eq!(rapport_proto::json::read::<pb::ManualVersion>("rapport.interaction.v1.ManualVersion", &json).expect("it is read"), manual);
    let topics = |stance: pb::RuleStance| -> BTreeSet<i32> {
        manual.rules.iter().filter(|rule| rule.stance() == stance).map(|rule| rule.topic).collect()
    };
    let dos = topics(pb::RuleStance::Do);
    assert!((1..=5).all(|topic| dos.contains(&topic)), "five dos");
    assert!((10..=12).all(|topic| dos.contains(&topic)) && dos.contains(&pb::RuleTopic::LearnFromCustomer.into()), "the skills");
    assert_eq!(topics(pb::RuleStance::Dont), (6..=9).collect(), "four don'ts");
    let elements: BTreeSet<i32> = manual.sections.iter().map(|section| section.element).collect();
    assert_eq!(elements, (1..=14).collect(), "every element");
    let playbooks = |of: fn(&pb::Scope) -> &Vec<i32>| -> BTreeSet<i32> {
        manual
            .sections
            .iter()
            .filter(|section| section.element() == pb::ManualElement::Playbook)
            .filter_map(|section| section.scope.as_ref())
            .flat_map(of)
            .copied()
            .collect()
    };
    assert_eq!(playbooks(|scope| &scope.customer_types), (1..=5).collect(), "the five types of customer");
    assert_eq!(playbooks(|scope| &scope.kinds), (1..=4).collect(), "the four kinds of interaction");
    assert!(manual.sections.iter().any(|section| section.confidential), "something that stays inside");
    let extra = ["rude-customers", "misunderstandings", "trust", "exceeding-expectations"];
    assert!(extra.iter().all(|id| manual.sections.iter().any(|section| section.section_id == *id)));
}

#[test]
fn rows_37_and_47_the_example_manual_has_every_policy() {
    let policies: BTreeSet<i32> = example()
        .sections
        .iter()
        .filter(|section| section.element() == pb::ManualElement::Policy)
        .map(|section| section.policy_kind)
        .collect();
    assert_eq!(policies, (1..=8).collect());
}

#[test]
fn rows_66_to_70_a_rule_has_a_topic_and_a_scope() {
    let manual = example();
    let short = manual.rules.iter().find(|rule| rule.rule_id == "impulsive-short").expect("there is one");
    let scope = short.scope.as_ref().expect("it has a scope");
    assert_eq!(scope.customer_types, [i32::from(common::CustomerType::Impulsive)]);
    let check = short.check.as_ref().expect("it has a check");
    assert_eq!((check.kind(), check.max_words), (pb::DraftCheckKind::MaxWords, 60));
}

#[test]
fn a_file_with_an_unknown_field_or_value_is_refused_with_its_place() {
    let read = |text: &str| {
        rapport_proto::json::read::<pb::ManualVersion>("rapport.interaction.v1.ManualVersion", text).map_err(|error| error.to_string())
    };
    assert!(read(r#"{"titel": "x"}"#).expect_err("no such field").contains("titel"));
    assert!(read(r#"{"sections": [{"element": "MANUAL_ELEMENT_SINGING"}]}"#).expect_err("no such value").contains("SINGING"));
    assert!(read("{").is_err());
    assert!(read("{} {}").is_err());
}
