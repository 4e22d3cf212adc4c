//! Assessments as messages have them.

use rapport_core::words::Word;
use rapport_proto::customer::v1 as pb;

use super::wire::timestamp;
use crate::domain::{
    Assessment,
    risk::{MODEL_VERSION, Reason},
};

/// An assessment as messages have it.
pub fn message(assessment: Assessment) -> pb::RiskAssessment {
    let Assessment { customer, score, level, reasons, compute_time } = assessment;
    pb::RiskAssessment {
        customer_id: customer.to_string(),
        score,
        level: level.number(),
        reasons: reasons.into_iter().map(reason).collect(),
        model_version: MODEL_VERSION.to_owned(),
        compute_time: Some(timestamp(compute_time)),
    }
}

fn reason(reason: Reason) -> pb::RiskReason {
    let Reason { code, points, evidence, summary, observe_time, decay_time } = reason;
    pb::RiskReason {
        code: code.number(),
        points,
        evidence_id: evidence.to_string(),
        summary,
        observe_time: Some(timestamp(observe_time)),
        decay_time: Some(timestamp(decay_time)),
    }
}
