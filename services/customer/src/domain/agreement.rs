//! What a customer and we agree on, how far it has come, and what shows it.

use rapport_core::{AgreementId, CustomerId, EntryId, InteractionId, ManualVersionId, Time, words};
use serde::{Deserialize, Serialize};

use super::{Refused, TypeFact, TypeFactKind, observation::Shown};

words! {
    /// What is agreed on.
    pub enum AgreementKind {
        /// A contract that seals a deal.
        Contract = 1 "CONTRACT",
        /// Terms and conditions.
        Terms = 2 "TERMS",
        /// A policy of ours.
        Policy = 3 "POLICY",
        /// Something free or better that only some customers get.
        Perk = 4 "PERK",
    }
}
words! {
    /// How far an agreement has come.
    pub enum AgreementState {
        /// It is being prepared.
        Draft = 1 "DRAFT",
        /// The customer knows it and has not answered.
        Offered = 2 "OFFERED",
        /// The customer accepted it.
        Accepted = 3 "ACCEPTED",
        /// The customer declined it.
        Declined = 4 "DECLINED",
        /// It was taken back or ended.
        Cancelled = 5 "CANCELLED",
    }
}
words! {
    /// When a customer pays.
    pub enum PaymentMode {
        /// Before the delivery.
        InAdvance = 1 "IN_ADVANCE",
        /// With the delivery.
        OnDelivery = 2 "ON_DELIVERY",
        /// After the delivery, by an invoice.
        OnAccount = 3 "ON_ACCOUNT",
        /// In parts.
        Instalments = 4 "INSTALMENTS",
    }
}

/// What is agreed on; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// What it is on.
    pub kind: AgreementKind,
    /// What people call it.
    pub title: String,
    /// What it says in short.
    pub text: String,
    /// The version of the manual that has the exact words.
    pub manual_version: Option<ManualVersionId>,
    /// The section of that version, or nothing.
    pub section: String,
    /// When the customer pays.
    pub payment_mode: Option<PaymentMode>,
    /// What the customer pays with.
    pub payment_means: String,
    /// Who may have a perk, or nothing.
    pub eligibility: String,
    /// Until when it holds.
    pub expire_time: Option<Time>,
}

/// What a customer answered, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Accepted or declined.
    pub accepted: bool,
    /// The interaction.
    pub interaction: InteractionId,
    /// The entry of it.
    pub entry: Option<EntryId>,
    /// Why it was declined.
    pub reason: String,
    /// When.
    pub time: Time,
}

/// An agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Identifies the agreement.
    pub id: AgreementId,
    /// Counts the changes.
    pub version: i64,
    /// The customer.
    pub customer: CustomerId,
    /// What is agreed on.
    pub deal: Deal,
    /// How far it has come.
    pub state: AgreementState,
    /// Where the customer answered.
    pub interaction: Option<InteractionId>,
    /// The entry that shows the answer.
    pub entry: Option<EntryId>,
    /// Why it was declined or cancelled.
    pub reason: String,
    /// When the customer accepted it.
    pub accept_time: Option<Time>,
    /// Who drafted it.
    pub author: String,
    /// When it was drafted.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

impl Agreement {
    /// The draft as an offer.
    ///
    /// # Errors
    /// When it is no draft.
    pub fn offered(self, at: Time) -> Result<Self, Refused> {
        self.step(&[AgreementState::Draft], AgreementState::Offered, at)
    }

    /// The offer with the customer's answer.
    ///
    /// # Errors
    /// When it is not offered.
    pub fn answered(self, answer: Answer, at: Time) -> Result<Self, Refused> {
        let Answer { accepted, interaction, entry, reason, time } = answer;
        let to = if accepted { AgreementState::Accepted } else { AgreementState::Declined };
        let stepped = self.step(&[AgreementState::Offered], to, at)?;
        Ok(Self { interaction: Some(interaction), entry, reason, accept_time: accepted.then_some(time), ..stepped })
    }

    /// The agreement as it ended.
    ///
    /// # Errors
    /// When it ended before.
    pub fn cancelled(self, reason: String, at: Time) -> Result<Self, Refused> {
        let from = [AgreementState::Draft, AgreementState::Offered, AgreementState::Accepted];
        Ok(Self { reason, ..self.step(&from, AgreementState::Cancelled, at)? })
    }

    /// What it shows of the customer's types, once the customer has accepted it: a contract is a purchase, a perk a deal, and
    /// both are undone when they end.
    pub fn shown(&self) -> Option<Shown> {
        let kind = match self.deal.kind {
            AgreementKind::Contract => TypeFactKind::Contract,
            AgreementKind::Perk => TypeFactKind::Perk,
            AgreementKind::Terms | AgreementKind::Policy => return None,
        };
        let fact = TypeFact::new(kind, self.customer, self.id.cast(), self.accept_time?);
        let occasion = self.interaction.map_or(fact.occasion, |interaction| interaction.cast());
        let undone = self.state != AgreementState::Accepted;
        Some(Shown { by: fact.evidence, facts: vec![TypeFact { occasion, undone, ..fact }] })
    }

    fn step(self, from: &[AgreementState], to: AgreementState, at: Time) -> Result<Self, Refused> {
        if from.contains(&self.state) {
            Ok(Self { state: to, update_time: at, ..self })
        } else {
            Err(Refused::AgreementState { agreement: self.id, state: self.state, wanted: to })
        }
    }
}
