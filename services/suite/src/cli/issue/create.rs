//! `rapport issue create`: a draft from files.

use std::{path::PathBuf, process::ExitCode};

use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

use crate::cli::{
    args::CreateIssue,
    calls::Calls,
    output::{End, Out},
};

pub async fn run(settings: &Settings, wanted: CreateIssue, out: &Out) -> Result<ExitCode, End> {
    let CreateIssue { publication, subject, html, mjml, text, segment, filter, exclude_segment, exclude, .. } = wanted;
    let CreateIssue { hold_at_risk, hold_open_complaints, on_unknown, request_id, .. } = wanted;
    if html.is_none() && mjml.is_none() && text.is_none() {
        return Err(End::usage("an issue needs words: give --html FILE, --mjml FILE or --text FILE"));
    }
    let audience = pb::Audience {
        hold_customers_at_risk: hold_at_risk,
        hold_open_complaints,
        segment_id: segment.unwrap_or_default(),
        filter: filter.unwrap_or_default(),
        exclude_segment_ids: exclude_segment,
        exclude_customer_ids: Vec::new(),
        exclude_emails: exclude,
    };
    let on_unknown = if on_unknown == "resend" { pb::OnUnknown::Resend } else { pb::OnUnknown::Hold };
    let issue = pb::Issue {
        publication_id: publication,
        subject,
        html: content(html)?,
        mjml: content(mjml)?,
        text: content(text)?,
        audience: Some(audience),
        on_unknown: on_unknown.into(),
        ..Default::default()
    };
    let request = pb::CreateIssueRequest { issue: Some(issue), issue_id: String::new(), request_id };
    let created = Calls::by_settings(settings)?.issues.create_issue(request).await?.into_inner().issue.unwrap_or_default();
    if out.json() {
        out.object(&json!({ "issue_id": created.issue_id, "etag": created.etag }));
    } else {
        out.line(created.issue_id);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a file says; nothing without one.
fn content(file: Option<PathBuf>) -> Result<String, End> {
    let Some(file) = file else { return Ok(String::new()) };
    let octets = std::fs::read(&file).map_err(|error| End::usage(format!("cannot read {}: {error}", file.display())))?;
    String::from_utf8(octets).map_err(|_| End::usage(format!("{} is not UTF-8: save it as UTF-8", file.display())))
}
