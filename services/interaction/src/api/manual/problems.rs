//! Everything that is wrong with a manual in a file, at once, each with its place in it.

use rapport_core::{Condition, words::Word};
use rapport_proto::interaction::v1 as pb;

use super::of_file;
use crate::domain::{Contents, ManualEdit, ManualElement, manual::problems};

/// What is wrong with its form, and what keeps it from being published.
pub fn check(manual: &pb::ManualVersion) -> Vec<(String, String)> {
    let (edit, violations) = of_file(manual);
    let ManualEdit { title: _, locale: _, sections, rules, courses } = edit;
    let contents =
        Contents { sections: sections.unwrap_or_default(), rules: rules.unwrap_or_default(), courses: courses.unwrap_or_default() };
    let form = violations.into_iter().map(|wrong| (in_file(&wrong.field), wrong.description));
    // What was not read for its form is not missing.
    let missing = problems(&contents).into_iter().filter(|problem| !written(manual, problem));
    form.chain(missing.map(|problem| (place(manual, &problem), problem.description))).collect()
}

fn in_file(field: &str) -> String {
    field.strip_prefix("manual_version.").unwrap_or(field).to_owned()
}

/// Whether the file has what a problem misses, or its form has told the problem.
fn written(manual: &pb::ManualVersion, problem: &Condition) -> bool {
    let Condition { kind, subject, description } = problem;
    match *kind {
        "ELEMENT" => {
            let element = ManualElement::from_text(subject).map(Word::number);
            manual.sections.iter().any(|section| Some(section.element) == element && !section.body.trim().is_empty())
        }
        // The form of the scope has said so.
        "SECTION" | "RULE" if description.starts_with("the scope of the ") => true,
        "COURSE" if subject == "courses" => manual.courses.iter().any(|course| course.required),
        "COURSE" => {
            manual.sections.iter().any(|section| description.contains(&format!("teaches the section {}, which", section.section_id)))
        }
        _ => false,
    }
}

/// Where the file has what a problem is about.
fn place(manual: &pb::ManualVersion, problem: &Condition) -> String {
    let Condition { kind, subject, description } = problem;
    let twice = description.contains(" twice");
    let nth = |list: &str, ids: Vec<&str>| {
        let found = if twice { ids.iter().rposition(|id| id == subject) } else { ids.iter().position(|id| id == subject) };
        found.map_or_else(|| list.to_owned(), |index| format!("{list}[{index}]"))
    };
    match *kind {
        "RULE" => nth("rules", manual.rules.iter().map(|rule| rule.rule_id.as_str()).collect()),
        "COURSE" => nth("courses", manual.courses.iter().map(|course| course.course_id.as_str()).collect()),
        "SECTION" | "MATERIAL" => nth("sections", manual.sections.iter().map(|section| section.section_id.as_str()).collect()),
        _ => "sections".to_owned(),
    }
}
