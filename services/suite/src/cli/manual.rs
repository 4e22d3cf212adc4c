//! `rapport manual`: checks, imports, exports, publishes and shows the customer service manual.

use std::{path::Path, process::ExitCode};

use rapport_core::words::Word;
use rapport_interaction::{
    EXAMPLE_MANUAL, check_manual,
    domain::{ManualElement, ManualState},
};
use rapport_proto::{interaction::v1 as pb, json::Wrong};
use rapport_server::Settings;
use serde_json::{Value, json};

use super::{
    args::ManualCommand,
    calls::Calls,
    output::{End, Out},
};

const MESSAGE: &str = "rapport.interaction.v1.ManualVersion";

pub async fn run(settings: &Settings, command: ManualCommand, out: &Out) -> Result<ExitCode, End> {
    match command {
        ManualCommand::Check { file } => check(&file, out),
        ManualCommand::Example => {
            out.line(EXAMPLE_MANUAL.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        ManualCommand::Import { file, publish } => import(settings, &file, publish, out).await,
        ManualCommand::Export { file, version } => export(settings, &file, version.unwrap_or_default(), out).await,
        ManualCommand::Publish { version } => {
            let mut calls = Calls::by_settings(settings)?;
            put_in_force(&mut calls, version, out).await
        }
        ManualCommand::Show { version } => show(settings, version.unwrap_or_default(), out).await,
    }
}

/// As much of a file as is a manual, and everything in it that is not, each with its place.
fn read(file: &Path) -> Result<(pb::ManualVersion, Vec<Wrong>), End> {
    let text = std::fs::read_to_string(file).map_err(|error| End::usage(format!("{}: {error}", file.display())))?;
    rapport_proto::json::read_all(MESSAGE, &text).map_err(|error| End::usage(format!("{}: {error}", file.display())))
}

fn complain(problems: &[Wrong], out: &Out) {
    for (place, problem) in problems {
        if out.json() {
            out.object(&json!({ "place": place, "problem": problem }));
        } else {
            out.line(format_args!("{place}: {problem}"));
        }
    }
}

fn counted(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

/// Everything that keeps a file from being published; needs no service.
fn check(file: &Path, out: &Out) -> Result<ExitCode, End> {
    let (manual, mut problems) = read(file)?;
    // What could not be read is not said again as missing.
    let further: Vec<Wrong> =
        check_manual(&manual).into_iter().filter(|(place, _)| problems.iter().all(|(said, _)| said != place)).collect();
    problems.extend(further);
    complain(&problems, out);
    if !problems.is_empty() {
        return Err(End::failed(format!("{}: {}; it cannot be published so", file.display(), counted(problems.len()))));
    }
    let (sections, rules, courses) = (manual.sections.len(), manual.rules.len(), manual.courses.len());
    if out.json() {
        out.object(&json!({ "problems": 0, "sections": sections, "rules": rules, "courses": courses }));
    } else {
        out.line(format_args!("nothing is missing: {sections} sections, {rules} rules, {courses} courses"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(settings: &Settings, file: &Path, publish: bool, out: &Out) -> Result<ExitCode, End> {
    let (manual, wrong) = read(file)?;
    complain(&wrong, out);
    if !wrong.is_empty() {
        return Err(End::usage(format!("{}: {}; nothing was imported", file.display(), counted(wrong.len()))));
    }
    let mut calls = Calls::by_settings(settings)?;
    let request = pb::CreateManualVersionRequest { manual_version: Some(manual), ..Default::default() };
    let created = calls.manuals.create_manual_version(request).await?.into_inner().manual_version.unwrap_or_default();
    tell(&created, out);
    if publish { put_in_force(&mut calls, created.manual_version_id, out).await } else { Ok(ExitCode::SUCCESS) }
}

async fn put_in_force(calls: &mut Calls, version: String, out: &Out) -> Result<ExitCode, End> {
    let request = pb::PublishManualVersionRequest { manual_version_id: version, ..Default::default() };
    let published = calls.manuals.publish_manual_version(request).await?.into_inner();
    tell(&published.manual_version.unwrap_or_default(), out);
    if !out.json() && published.lapsed_agents > 0 {
        out.line(format_args!("  {} endorsements lapsed", published.lapsed_agents));
    }
    Ok(ExitCode::SUCCESS)
}

async fn get(settings: &Settings, version: String) -> Result<pb::ManualVersion, End> {
    let mut calls = Calls::by_settings(settings)?;
    let request = pb::GetManualVersionRequest { manual_version_id: version };
    Ok(calls.manuals.get_manual_version(request).await?.into_inner().manual_version.unwrap_or_default())
}

/// Writes what the manual says to a file that can be changed and imported again.
async fn export(settings: &Settings, file: &Path, version: String, out: &Out) -> Result<ExitCode, End> {
    let pb::ManualVersion { title, locale, mut sections, mut rules, courses, .. } = get(settings, version).await?;
    // Everywhere is where no scope is given.
    let everywhere = Some(pb::Scope::default());
    let scopes = sections.iter_mut().map(|section| &mut section.scope).chain(rules.iter_mut().map(|rule| &mut rule.scope));
    scopes.filter(|scope| **scope == everywhere).for_each(|scope| *scope = None);
    let contents = pb::ManualVersion { title, locale, sections, rules, courses, ..Default::default() };
    let text = rapport_proto::json::write(MESSAGE, &contents).map_err(|error| End::failed(error.to_string()))?;
    if file == Path::new("-") {
        out.line(text);
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::write(file, text + "\n").map_err(|error| End::failed(format!("{}: {error}", file.display())))?;
    out.note(format_args!("written to {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

async fn show(settings: &Settings, version: String, out: &Out) -> Result<ExitCode, End> {
    let manual = get(settings, version).await?;
    if out.json() {
        out.object(&object(&manual));
        return Ok(ExitCode::SUCCESS);
    }
    tell(&manual, out);
    for section in &manual.sections {
        let element = ManualElement::from_number(section.element).map_or("", Word::as_str);
        let inside = if section.confidential { " (confidential)" } else { "" };
        out.line(format_args!("  {element:<22} {}{inside}", section.title));
    }
    for rule in &manual.rules {
        let stance = if rule.stance() == pb::RuleStance::Do { "do" } else { "don't" };
        out.line(format_args!("  {stance:<22} {}", rule.text));
    }
    for course in &manual.courses {
        let need = if course.required { "required course" } else { "course" };
        out.line(format_args!("  {need:<22} {}", course.title));
    }
    Ok(ExitCode::SUCCESS)
}

/// A manual for programs: what it has, without its texts; `export` has them.
fn object(manual: &pb::ManualVersion) -> Value {
    let section = |section: &pb::ManualSection| {
        let element = ManualElement::from_number(section.element).map_or("", Word::as_str);
        json!({ "section_id": section.section_id, "element": element, "title": section.title, "confidential": section.confidential })
    };
    let rule = |rule: &pb::EtiquetteRule| {
        let stance = if rule.stance() == pb::RuleStance::Do { "DO" } else { "DONT" };
        json!({ "rule_id": rule.rule_id, "stance": stance, "text": rule.text })
    };
    let course = |course: &pb::Course| json!({ "course_id": course.course_id, "title": course.title, "required": course.required });
    let state = ManualState::from_number(manual.state).map_or("", Word::as_str);
    json!({
        "manual_version_id": manual.manual_version_id,
        "number": manual.number,
        "title": manual.title,
        "locale": manual.locale,
        "state": state,
        "sections": manual.sections.iter().map(section).collect::<Vec<_>>(),
        "rules": manual.rules.iter().map(rule).collect::<Vec<_>>(),
        "courses": manual.courses.iter().map(course).collect::<Vec<_>>(),
    })
}

fn tell(manual: &pb::ManualVersion, out: &Out) {
    let state = ManualState::from_number(manual.state).map_or("", Word::as_str);
    let (id, number, title) = (&manual.manual_version_id, manual.number, &manual.title);
    if out.json() {
        out.object(&json!({ "manual_version_id": id, "number": number, "title": title, "state": state }));
    } else {
        out.line(format_args!("{title} ({id}), {state}, number {number}"));
    }
}
