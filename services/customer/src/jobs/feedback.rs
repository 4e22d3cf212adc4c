//! What the feedback service tells: invitations, answers, remarks.

use rapport_core::{Channel, Context, CustomerId, Direction, SubjectId, Time, words::Word};
use rapport_db::Conn;
use rapport_proto::{
    common::v1::EventMeta,
    feedback::v1::{Event, Invitation, Remark, Response, event::Payload},
};

use super::entry::{With, entry, quoted, time};
use crate::{
    app::{Outcome, observation::observe},
    domain::{
        RiskCode, Signal, Thresholds, TypeFact, TypeFactKind,
        observation::{Change, News, Observation, Shown},
    },
};

const SERVICE: &str = "feedback";
/// Up to this answer to the NPS question a customer is a detractor, from the other on a promoter.
const DETRACTOR: i32 = 6;
const PROMOTER: i32 = 9;

/// The events that say something here.
pub const TYPES: &[&str] = &[
    "invitation.sent",
    "invitation.withheld",
    "invitation.failed",
    "invitation.expired",
    "invitation.declined",
    "response.submitted",
    "remark.recorded",
];

/// Notes an event.
///
/// # Errors
/// When the database fails.
pub async fn follow(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, event: &Event) -> Outcome<()> {
    match observation(event) {
        Some(observation) => observe(conn, cx, thresholds, observation).await,
        None => Ok(()),
    }
}

/// What an event says about its customer, if it names one.
pub fn observation(event: &Event) -> Option<Observation> {
    let meta = event.meta.as_ref()?;
    match event.payload.as_ref()? {
        Payload::Invitation(invitation) => of_invitation(meta, invitation),
        Payload::Response(response) => of_response(meta, response),
        Payload::Remark(remark) => of_remark(meta, remark),
        Payload::Questionnaire(_) => None,
    }
}

fn of_invitation(meta: &EventMeta, invitation: &Invitation) -> Option<Observation> {
    let customer: CustomerId = invitation.customer_id.parse().ok()?;
    let reason = || invitation.withheld_reason().as_str_name().trim_start_matches("WITHHELD_REASON_").to_owned();
    let text = match meta.r#type.as_str() {
        "invitation.sent" => "was asked for feedback".to_owned(),
        "invitation.withheld" => format!("was not asked for feedback: {}", reason()),
        "invitation.failed" => format!("could not be asked for feedback: {}", quoted(&invitation.failure)),
        "invitation.expired" => "did not answer in time".to_owned(),
        "invitation.declined" => "does not want to answer".to_owned(),
        _ => return None,
    };
    let mut noted = Observation::of(customer);
    let direction = if meta.r#type == "invitation.declined" { Direction::Inbound } else { Direction::Outbound };
    noted.entry = entry(SERVICE, meta, customer, &text).by(Channel::Email.number()).towards(direction.number());
    Some(noted)
}

fn of_response(meta: &EventMeta, response: &Response) -> Option<Observation> {
    let customer: CustomerId = response.customer_id.parse().ok()?;
    let id: SubjectId = response.response_id.parse().ok()?;
    let at = time(response.collect_time.as_ref());
    let code = match response.nps {
        Some(nps) if nps <= DETRACTOR => Some(RiskCode::Detractor),
        Some(nps) if nps >= PROMOTER => Some(RiskCode::Promoter),
        _ => None,
    };
    let observe_time = at.or_else(|| time(meta.time.as_ref()))?;
    let mut noted = Observation::of(customer);
    noted.changes = code
        .map(|code| Change::Observe(Signal { customer, code, key: id, evidence: id, observe_time, mended: false }))
        .into_iter()
        .collect();
    noted.news = response.nps.map(|nps| News::Shown(recommendation(customer, id, observe_time, nps))).into_iter().collect();
    let figures = [("NPS", response.nps), ("CSAT", response.csat), ("CES", response.ces)];
    let figures: Vec<String> = figures.iter().filter_map(|(name, value)| value.map(|value| format!("{name} {value}"))).collect();
    let text = if figures.is_empty() { "gave feedback".to_owned() } else { format!("gave feedback: {}", figures.join(", ")) };
    noted.entry = entry(SERVICE, meta, customer, &text).towards(Direction::Inbound.number()).at(at);
    Some(noted)
}

/// Whether the customer would recommend us: the newest answer counts.
fn recommendation(customer: CustomerId, id: SubjectId, at: Time, nps: i32) -> Shown {
    let fact = TypeFact { undone: nps < PROMOTER, ..TypeFact::new(TypeFactKind::Recommendation, customer, id, at) };
    Shown { by: id, facts: vec![fact] }
}

fn of_remark(meta: &EventMeta, remark: &Remark) -> Option<Observation> {
    let customer: CustomerId = remark.customer_id.parse().ok()?;
    let kind = remark.kind().as_str_name().trim_start_matches("REMARK_KIND_").to_lowercase();
    let mut noted = Observation::of(customer);
    noted.entry = entry(SERVICE, meta, customer, &format!("said ({kind}): {}", quoted(&remark.verbatim)))
        .towards(Direction::Inbound.number())
        .in_setting(remark.setting)
        .at(time(remark.say_time.as_ref()));
    Some(noted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

    fn answered(nps: Option<i32>) -> Observation {
        let meta = EventMeta {
            event_id: "0190163d-8694-739b-aea5-966c26f8ad92".to_owned(),
            subject_id: "0190163d-8694-739b-aea5-966c26f8ad93".to_owned(),
            r#type: "response.submitted".to_owned(),
            time: Some(prost_types::Timestamp { seconds: 5, nanos: 0 }),
            ..Default::default()
        };
        let response = Response { customer_id: CUSTOMER.to_owned(), response_id: meta.subject_id.clone(), nps, ..Default::default() };
        observation(&Event { meta: Some(meta), payload: Some(Payload::Response(response)) }).expect("it says something")
    }
    fn code(noted: &Observation) -> Option<RiskCode> {
        noted.changes.first().map(|change| match change {
            Change::Observe(signal) => signal.code,
            Change::Mend { code, .. } | Change::MendAll { code, .. } => *code,
            Change::HandOver { .. } | Change::TakeOver { .. } | Change::Complaint { .. } => panic!("nothing was moved"),
        })
    }

    #[test]
    fn an_answer_makes_a_detractor_a_promoter_or_neither() {
        let codes: Vec<_> = [Some(0), Some(6), Some(7), Some(8), Some(9), Some(10), None].map(|nps| code(&answered(nps))).into();
        let (detractor, promoter) = (Some(RiskCode::Detractor), Some(RiskCode::Promoter));
        assert_eq!(codes, [detractor, detractor, None, None, promoter, promoter, None]);
        assert_eq!(answered(Some(9)).entry.expect("a line").summary, "gave feedback: NPS 9");
    }
}
