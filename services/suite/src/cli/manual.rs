//! `rapport manual`: checks, imports, exports, publishes and shows the customer service manual.

use std::{path::Path, process::ExitCode};

use rapport_core::words::Word;
use rapport_interaction::{
    EXAMPLE_MANUAL, check_manual,
    domain::{ManualElement, ManualState},
};
use rapport_proto::interaction::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

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

fn read(file: &Path) -> Result<pb::ManualVersion, End> {
    let text = std::fs::read_to_string(file).map_err(|error| End::usage(format!("{}: {error}", file.display())))?;
    rapport_proto::json::read(MESSAGE, &text).map_err(|error| End::usage(format!("{}: {error}", file.display())))
}

/// Everything that keeps a file from being published; needs no service.
fn check(file: &Path, out: &Out) -> Result<ExitCode, End> {
    let manual = read(file)?;
    let problems = check_manual(&manual);
    for (place, problem) in &problems {
        if out.json() {
            out.object(&json!({ "place": place, "problem": problem }));
        } else {
            out.line(format_args!("{place}: {problem}"));
        }
    }
    if !problems.is_empty() {
        let count = problems.len();
        return Err(End::failed(format!("{}: {count} problems; it cannot be published so", file.display())));
    }
    if !out.json() {
        let (sections, rules, courses) = (manual.sections.len(), manual.rules.len(), manual.courses.len());
        out.line(format_args!("nothing is missing: {sections} sections, {rules} rules, {courses} courses"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(settings: &Settings, file: &Path, publish: bool, out: &Out) -> Result<ExitCode, End> {
    let manual = read(file)?;
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
    let pb::ManualVersion { title, locale, sections, rules, courses, .. } = get(settings, version).await?;
    let contents = pb::ManualVersion { title, locale, sections, rules, courses, ..Default::default() };
    let text = rapport_proto::json::write(MESSAGE, &contents).map_err(|error| End::failed(error.to_string()))?;
    std::fs::write(file, text + "\n")?;
    out.note(format_args!("written to {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

async fn show(settings: &Settings, version: String, out: &Out) -> Result<ExitCode, End> {
    let manual = get(settings, version).await?;
    tell(&manual, out);
    if out.json() {
        return Ok(ExitCode::SUCCESS);
    }
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

fn tell(manual: &pb::ManualVersion, out: &Out) {
    let state = ManualState::from_number(manual.state).map_or("", Word::as_str);
    let (id, number, title) = (&manual.manual_version_id, manual.number, &manual.title);
    if out.json() {
        out.object(&json!({ "manual_version_id": id, "number": number, "title": title, "state": state }));
    } else {
        out.line(format_args!("{title} ({id}), {state}, number {number}"));
    }
}
