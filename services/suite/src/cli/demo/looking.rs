//! The last act: what the one who meets the customer next is told, and what became of it all in numbers.

use rapport_proto::{common::v1 as common, interaction::v1 as pb};

use super::{
    super::{output::End, report},
    stage::{Stage, until},
};

pub async fn play(stage: &mut Stage) -> Result<(), End> {
    guidance(stage).await?;
    reported(stage).await
}

/// By the example manual, and by what is known of the customer.
async fn guidance(stage: &mut Stage) -> Result<(), End> {
    let (out, customer_id) = (stage.out, stage.heroine.customer_id.clone());
    stage
        .step("Whoever calls the customer next is told what to do and what not, with the reasons", async |calls| {
            let situation =
                pb::Situation { channel: common::Channel::Phone.into(), purpose: pb::Purpose::Sale.into(), ..pb::Situation::default() };
            let request = pb::GetGuidanceRequest { customer_id, situation: Some(situation), ..pb::GetGuidanceRequest::default() };
            let guidance = calls.guidance.get_guidance(request).await?.into_inner().guidance.unwrap_or_default();
            let told = |rules: &[pb::ApplyingRule], word: &str| {
                for rule in rules.iter().filter_map(|one| one.rule.as_ref()).take(3).filter(|_| !out.json()) {
                    out.line(format_args!("    {word} {}", rule.text));
                }
            };
            told(&guidance.dos, "do:    ");
            told(&guidance.donts, "do not:");
            Ok(format!(
                "{} dos, {} don'ts, {} promises to keep in mind",
                guidance.dos.len(),
                guidance.donts.len(),
                guidance.open_commitments.len()
            ))
        })
        .await
}

/// From sums that are kept as things happen.
async fn reported(stage: &mut Stage) -> Result<(), End> {
    let out = stage.out;
    stage
        .step("The report tells what became of the interactions, formal and informal apart", async |calls| {
            let request = report::lately(pb::ReportDimension::Setting);
            let told = until("everything is counted", async || {
                let answer = calls.reports.get_service_report(request.clone()).await?.into_inner();
                Ok(answer.report.filter(|report| report.pending_changes == 0 && !report.recounting))
            })
            .await?;
            report::tell(&told, "setting", None, &out);
            Ok(format!("{} interactions in {} rows", told.total.unwrap_or_default().interactions, told.rows.len()))
        })
        .await
}
