//! What a manual lacks before it can be published: every problem, each with its place.

use std::collections::BTreeSet;

use rapport_core::Condition;

use super::{Contents, Course, ManualElement, ManualSection, PolicyKind};
use crate::domain::{DraftCheck, EtiquetteRule};

/// Everything that keeps these contents from being published; empty when nothing does.
pub fn problems(contents: &Contents) -> Vec<Condition> {
    let mut found = Vec::new();
    missing_elements(contents, &mut found);
    twice("SECTION", contents.sections.iter().map(|section| &section.id), &mut found);
    twice("RULE", contents.rules.iter().map(|rule| &rule.id), &mut found);
    twice("COURSE", contents.courses.iter().map(|course| &course.id), &mut found);
    for section in &contents.sections {
        of_section(section, &mut found);
    }
    for rule in &contents.rules {
        of_rule(rule, &mut found);
    }
    for course in &contents.courses {
        of_course(course, contents, &mut found);
    }
    if contents.required_courses().next().is_none() {
        found.push(condition("COURSE", "courses", "no course is required: require at least one, or nobody is trained before operations"));
    }
    found
}

fn condition(kind: &'static str, subject: &str, description: impl Into<String>) -> Condition {
    Condition { kind, subject: subject.to_owned(), description: description.into() }
}

fn missing_elements(contents: &Contents, found: &mut Vec<Condition>) {
    for element in ManualElement::REQUIRED {
        let written = contents.sections.iter().any(|section| section.element == element && !section.body.trim().is_empty());
        if !written {
            found.push(condition("ELEMENT", &element.to_string(), format!("the element {element} is missing: write a section of it")));
        }
    }
}

fn twice<'a>(kind: &'static str, ids: impl Iterator<Item = &'a String>, found: &mut Vec<Condition>) {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            found.push(condition(kind, id, format!("the id {id} is there twice: give each its own")));
        }
    }
}

fn of_section(section: &ManualSection, found: &mut Vec<Condition>) {
    let ManualSection { id, element, policy_kind, title: _, body, scope, confidential: _, materials } = section;
    if body.trim().is_empty() {
        found.push(condition("SECTION", id, format!("the section {id} has no text")));
    }
    match (element, policy_kind) {
        (ManualElement::Policy, None) => {
            found.push(condition("SECTION", id, format!("the section {id} is a policy: say of which kind in policy_kind")));
        }
        (ManualElement::Policy, Some(_)) | (_, None) => {}
        (_, Some(kind)) => wrong_policy(id, *element, *kind, found),
    }
    if *element == ManualElement::Playbook && scope.customer_types.is_empty() && scope.kinds.is_empty() {
        let advice = "is a playbook: name the types of customer or the kinds of interaction in its scope";
        found.push(condition("SECTION", id, format!("the section {id} {advice}")));
    }
    for problem in scope.problems() {
        found.push(condition("SECTION", id, format!("the scope of the section {id} can never match: {problem}")));
    }
    for material in materials.iter().filter(|material| material.approved_by.trim().is_empty()) {
        let text = format!("the material {:?} of the section {id} is not approved: say by whom it was", material.title);
        found.push(condition("MATERIAL", id, text));
    }
}

fn wrong_policy(id: &str, element: ManualElement, kind: PolicyKind, found: &mut Vec<Condition>) {
    found.push(condition("SECTION", id, format!("the section {id} is of {element} and has the policy_kind {kind}: only a POLICY has one")));
}

fn of_rule(rule: &EtiquetteRule, found: &mut Vec<Condition>) {
    let EtiquetteRule { id, stance: _, topic: _, text, scope, check, severity: _ } = rule;
    if text.trim().is_empty() {
        found.push(condition("RULE", id, format!("the rule {id} has no text")));
    }
    for problem in scope.problems() {
        found.push(condition("RULE", id, format!("the scope of the rule {id} can never match: {problem}")));
    }
    if let Some(DraftCheck::ForbiddenTerms(terms)) = check
        && terms.iter().any(|term| term.trim().is_empty())
    {
        found.push(condition("RULE", id, format!("the rule {id} forbids an empty term")));
    }
}

fn of_course(course: &Course, contents: &Contents, found: &mut Vec<Condition>) {
    let Course { id, title: _, sections, pass_score: _, valid_for: _, required: _, edition: _ } = course;
    if sections.is_empty() {
        found.push(condition("COURSE", id, format!("the course {id} teaches no section of the manual: name some")));
    }
    for section in sections {
        if !contents.sections.iter().any(|known| known.id == *section) {
            found.push(condition("COURSE", id, format!("the course {id} teaches the section {section}, which is not in the manual")));
        }
    }
}
