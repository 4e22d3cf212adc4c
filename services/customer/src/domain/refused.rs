//! The reasons that the rules of this service refuse.

use std::fmt;

use rapport_core::{AgreementId, Condition, ConsentId, CustomerId, CustomerType, Refusal, RefusalCode, SegmentId};

use super::{AgreementState, ConnectionLevel, eligibility};

/// Why a rule refused; the same reasons as `ErrorReason` in the protos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The id of a new customer is taken.
    CustomerIdTaken {
        /// The id.
        customer: CustomerId,
    },
    /// Others share a contact point.
    MatchingCustomerExists {
        /// Who.
        customers: Vec<CustomerId>,
    },
    /// Another customer has the external id.
    ExternalIdTaken {
        /// The other system.
        system: String,
        /// Who has it.
        customer: CustomerId,
    },
    /// The type to remove is not there.
    TypeNotAssigned {
        /// The type.
        kind: CustomerType,
    },
    /// Only a confirmed subscription grants consent to one publication.
    TopicNeedsSubscription {
        /// The publication.
        topic: String,
    },
    /// The id of a new consent record is taken.
    ConsentIdTaken {
        /// The id.
        consent: ConsentId,
    },
    /// The agreement is in another state than the step needs.
    AgreementState {
        /// The agreement.
        agreement: AgreementId,
        /// Its state.
        state: AgreementState,
        /// The state that it should have got.
        wanted: AgreementState,
    },
    /// The customer does not meet a perk's rule.
    NotEligible {
        /// The customer.
        customer: CustomerId,
        /// The conditions that are not met.
        missing: Vec<eligibility::Condition>,
    },
    /// A bond grows one level at a time.
    ConnectionSkipsLevel {
        /// The level that can follow.
        next: ConnectionLevel,
        /// The level that was asked for.
        wanted: ConnectionLevel,
    },
    /// No interaction shows that a bond grew.
    ConnectionWithoutEvidence {
        /// The level that was asked for.
        wanted: ConnectionLevel,
    },
    /// The id of a new segment is taken.
    SegmentIdTaken {
        /// The id.
        segment: SegmentId,
    },
    /// The segment was archived.
    SegmentArchived {
        /// The segment.
        segment: SegmentId,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CustomerIdTaken { customer } => write!(f, "there is a customer {customer} already: give another id or none"),
            Self::MatchingCustomerExists { customers } => write!(
                f,
                "{} customer(s) have one of these contact points: use the one meant, or repeat with allow_duplicate",
                customers.len()
            ),
            Self::ExternalIdTaken { system, customer } => {
                write!(f, "this id of {system:?} belongs to the customer {customer}: use that one, or correct the id")
            }
            Self::TypeNotAssigned { kind } => write!(f, "the customer is not of the type {kind}: there is nothing to remove"),
            Self::TopicNeedsSubscription { topic } => {
                write!(
                    f,
                    "only a confirmed subscription grants consent to the publication {topic:?}: use Subscribe of the newsletter service"
                )
            }
            Self::ConsentIdTaken { consent } => write!(f, "the ledger has a record {consent} already: give another id or none"),
            Self::AgreementState { agreement, state, wanted } => {
                write!(f, "the agreement {agreement} is {state} and cannot become {wanted}: get it and see what has happened")
            }
            Self::NotEligible { customer, missing } => {
                write!(f, "the customer {customer} does not meet {} condition(s) of the perk: offer something else", missing.len())
            }
            Self::ConnectionSkipsLevel { next, wanted } => {
                write!(f, "the bond cannot become {wanted} at once: it grows one level at a time, and {next} comes next")
            }
            Self::ConnectionWithoutEvidence { wanted } => {
                write!(f, "nothing shows that the bond became {wanted}: name the interaction that does in interaction_id")
            }
            Self::SegmentIdTaken { segment } => write!(f, "there is a segment {segment} already: give another id or none"),
            Self::SegmentArchived { segment } => {
                write!(f, "the segment {segment} was archived, which is for good: create another one, or use one that was not")
            }
        }
    }
}

impl Refusal for Refused {
    const REASONS: &'static [&'static str] = &[
        "CUSTOMER_ID_TAKEN",
        "MATCHING_CUSTOMER_EXISTS",
        "EXTERNAL_ID_TAKEN",
        "TYPE_NOT_ASSIGNED",
        "TOPIC_NEEDS_SUBSCRIPTION",
        "CONSENT_ID_TAKEN",
        "AGREEMENT_STATE",
        "NOT_ELIGIBLE",
        "CONNECTION_SKIPS_LEVEL",
        "CONNECTION_WITHOUT_EVIDENCE",
        "SEGMENT_ID_TAKEN",
        "SEGMENT_ARCHIVED",
    ];

    fn reason(&self) -> &'static str {
        match self {
            Self::CustomerIdTaken { .. } => "CUSTOMER_ID_TAKEN",
            Self::MatchingCustomerExists { .. } => "MATCHING_CUSTOMER_EXISTS",
            Self::ExternalIdTaken { .. } => "EXTERNAL_ID_TAKEN",
            Self::TypeNotAssigned { .. } => "TYPE_NOT_ASSIGNED",
            Self::TopicNeedsSubscription { .. } => "TOPIC_NEEDS_SUBSCRIPTION",
            Self::ConsentIdTaken { .. } => "CONSENT_ID_TAKEN",
            Self::AgreementState { .. } => "AGREEMENT_STATE",
            Self::NotEligible { .. } => "NOT_ELIGIBLE",
            Self::ConnectionSkipsLevel { .. } => "CONNECTION_SKIPS_LEVEL",
            Self::ConnectionWithoutEvidence { .. } => "CONNECTION_WITHOUT_EVIDENCE",
            Self::SegmentIdTaken { .. } => "SEGMENT_ID_TAKEN",
            Self::SegmentArchived { .. } => "SEGMENT_ARCHIVED",
        }
    }

    fn code(&self) -> RefusalCode {
        match self {
            Self::CustomerIdTaken { .. }
            | Self::MatchingCustomerExists { .. }
            | Self::ExternalIdTaken { .. }
            | Self::ConsentIdTaken { .. }
            | Self::SegmentIdTaken { .. } => RefusalCode::AlreadyExists,
            Self::TypeNotAssigned { .. }
            | Self::TopicNeedsSubscription { .. }
            | Self::AgreementState { .. }
            | Self::NotEligible { .. }
            | Self::ConnectionSkipsLevel { .. }
            | Self::ConnectionWithoutEvidence { .. }
            | Self::SegmentArchived { .. } => RefusalCode::FailedPrecondition,
        }
    }

    fn conditions(&self) -> Vec<Condition> {
        match self {
            Self::TypeNotAssigned { kind } => {
                vec![Condition { kind: "TYPE", subject: kind.to_string(), description: "the customer must be of this type".to_owned() }]
            }
            Self::TopicNeedsSubscription { topic } => vec![Condition {
                kind: "SUBSCRIPTION",
                subject: topic.clone(),
                description: "the person must subscribe to this publication and confirm it".to_owned(),
            }],
            Self::AgreementState { agreement, state, .. } => vec![Condition {
                kind: "STATE",
                subject: agreement.to_string(),
                description: format!("the agreement must not be {state} for this step"),
            }],
            Self::NotEligible { customer, missing } => {
                let condition = |eligibility::Condition { rule, actual, .. }: &eligibility::Condition| Condition {
                    kind: "ELIGIBILITY",
                    subject: customer.to_string(),
                    description: format!("the rule needs {rule}, the customer has {actual}"),
                };
                missing.iter().map(condition).collect()
            }
            Self::ConnectionSkipsLevel { next, .. } => {
                vec![Condition { kind: "LEVEL", subject: next.to_string(), description: "the bond must have this level first".to_owned() }]
            }
            Self::ConnectionWithoutEvidence { wanted } => vec![Condition {
                kind: "EVIDENCE",
                subject: wanted.to_string(),
                description: "an interaction must show that the bond grew".to_owned(),
            }],
            Self::SegmentArchived { segment } => {
                vec![Condition { kind: "STATE", subject: segment.to_string(), description: "the segment must not be archived".to_owned() }]
            }
            _ => Vec::new(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CustomerIdTaken { customer } => vec![("customer_id", customer.to_string())],
            Self::MatchingCustomerExists { customers } => {
                vec![("customer_ids", customers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))]
            }
            Self::ExternalIdTaken { system, customer } => vec![("system", system.clone()), ("customer_id", customer.to_string())],
            Self::ConsentIdTaken { consent } => vec![("consent_id", consent.to_string())],
            Self::ConnectionSkipsLevel { next, .. } => vec![("next", next.to_string())],
            Self::SegmentIdTaken { segment } | Self::SegmentArchived { segment } => vec![("segment_id", segment.to_string())],
            Self::AgreementState { agreement, state, .. } => vec![("agreement_id", agreement.to_string()), ("state", state.to_string())],
            Self::TypeNotAssigned { .. }
            | Self::TopicNeedsSubscription { .. }
            | Self::NotEligible { .. }
            | Self::ConnectionWithoutEvidence { .. } => Vec::new(),
        }
    }
}
