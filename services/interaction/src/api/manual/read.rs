//! A manual as a caller or a file gives it: what is wrong with its form is a violation, and all are gathered.

use std::time::Duration;

use rapport_core::Violations;
use rapport_proto::interaction::v1 as pb;

use crate::{
    api::{etiquette::read_rule, read, scope},
    domain::{Course, ManualEdit, ManualSection, Material},
};

const MAX_SECTIONS: usize = 200;
const MAX_RULES: usize = 500;
const MAX_COURSES: usize = 100;
const MAX_MATERIALS: usize = 20;
const MAX_TITLE: usize = 200;
const MAX_BODY: usize = 20_000;
/// How long a course may count.
const MAX_VALIDITY: Duration = Duration::from_secs(3653 * 24 * 3600);
/// What can be changed.
const PATHS: [&str; 5] = ["title", "locale", "sections", "rules", "courses"];

/// The name of a section, a rule or a course.
pub fn slug(violations: &mut Violations, field: &str, text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !fits {
        violations.add(field, "is required: from 1 to 64 lower-case letters, digits and hyphens");
    }
    fits.then(|| text.to_owned())
}

/// What the manual says, of these parts; all that are not empty without a mask.
pub fn edit(violations: &mut Violations, manual: &pb::ManualVersion, mask: Option<&[String]>) -> ManualEdit {
    let pb::ManualVersion { title, locale, sections, rules, courses, .. } = manual;
    let filled = [!title.is_empty(), !locale.is_empty(), !sections.is_empty(), !rules.is_empty(), !courses.is_empty()];
    let named = |path: &str| match mask {
        None => PATHS.iter().zip(filled).any(|(known, filled)| *known == path && filled),
        Some(paths) => paths.iter().any(|named| named == path),
    };
    for path in mask.unwrap_or_default().iter().filter(|path| !PATHS.contains(&path.as_str())) {
        violations.add("update_mask", format!("has the path {path:?}, which cannot be changed: use {}", PATHS.join(", ")));
    }
    let mut edit = ManualEdit::default();
    if named("title") {
        edit.title = violations.text("manual_version.title", title, MAX_TITLE);
    }
    if named("locale") {
        edit.locale = violations.parse("manual_version.locale", locale);
    }
    if named("sections") {
        edit.sections = Some(each(violations, "manual_version.sections", sections, MAX_SECTIONS, section));
    }
    if named("rules") {
        edit.rules = Some(each(violations, "manual_version.rules", rules, MAX_RULES, read_rule));
    }
    if named("courses") {
        edit.courses = Some(each(violations, "manual_version.courses", courses, MAX_COURSES, course));
    }
    edit
}

fn each<T, U>(
    violations: &mut Violations,
    field: &str,
    items: &[T],
    max: usize,
    read: impl Fn(&mut Violations, &str, &T) -> Option<U>,
) -> Vec<U> {
    read::at_most(violations, field, items.len(), max);
    items.iter().take(max).enumerate().filter_map(|(index, item)| read(violations, &format!("{field}[{index}]"), item)).collect()
}

fn section(violations: &mut Violations, at: &str, section: &pb::ManualSection) -> Option<ManualSection> {
    let pb::ManualSection { section_id, element, policy_kind, title, body, scope: applies, confidential, materials } = section;
    let id = slug(violations, &format!("{at}.section_id"), section_id);
    let element = violations.word(&format!("{at}.element"), *element);
    let policy_kind = violations.word_optional(&format!("{at}.policy_kind"), *policy_kind);
    let title = violations.text(&format!("{at}.title"), title, MAX_TITLE);
    let body = violations.text_optional(&format!("{at}.body"), body, MAX_BODY);
    let scope = scope::read(violations, &format!("{at}.scope"), applies.as_ref());
    let materials = each(violations, &format!("{at}.materials"), materials, MAX_MATERIALS, material);
    Some(ManualSection {
        id: id?,
        element: element?,
        policy_kind,
        title: title?,
        body: body?,
        scope,
        confidential: *confidential,
        materials,
    })
}

fn material(violations: &mut Violations, at: &str, material: &pb::Material) -> Option<Material> {
    let pb::Material { title, uri, approved_by } = material;
    let title = violations.text(&format!("{at}.title"), title, MAX_TITLE);
    let uri = violations.text(&format!("{at}.uri"), uri, 500);
    let approved_by = violations.text_optional(&format!("{at}.approved_by"), approved_by, 200);
    Some(Material { title: title?, uri: uri?, approved_by: approved_by? })
}

fn course(violations: &mut Violations, at: &str, course: &pb::Course) -> Option<Course> {
    let pb::Course { course_id, title, section_ids, pass_score, valid_for, required, edition } = course;
    let id = slug(violations, &format!("{at}.course_id"), course_id);
    let title = violations.text(&format!("{at}.title"), title, MAX_TITLE);
    let sections = each(violations, &format!("{at}.section_ids"), section_ids, MAX_SECTIONS, |violations, at, id| slug(violations, at, id));
    if !(0..=100).contains(pass_score) {
        violations.add(format!("{at}.pass_score"), "must be from 0 to 100");
    }
    if !(0..=1_000_000).contains(edition) {
        violations.add(format!("{at}.edition"), "must be from 0 to 1000000");
    }
    let valid_for = valid_for.as_ref().and_then(|given| {
        let span = rapport_proto::span(given).filter(|span| !span.is_zero() && *span <= MAX_VALIDITY);
        if span.is_none() {
            violations.add(format!("{at}.valid_for"), "must be more than 0 and at most 10 years");
        }
        // Times are kept in microseconds, and so are spans.
        span.map(|span| Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    });
    Some(Course { id: id?, title: title?, sections, pass_score: *pass_score, valid_for, required: *required, edition: *edition })
}
