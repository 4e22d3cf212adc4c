//! One person's subscription of one publication: double opt-in, with evidence, and an end that only the person undoes.

use std::time::Duration;

use rapport_core::{CustomerId, Email, Id, JourneyId, Language, PublicationId, SubscriberId, SubscriptionId, Time, words};
use serde::{Deserialize, Serialize};

use super::refused::Refused;

/// How long a confirmation link works.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// A pending subscription is sent another confirmation mail only after this, so that nobody is flooded by a form.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_secs(600);

words! {
    /// Where a subscription stands.
    pub enum SubscriptionState {
        /// It waits for the confirmation.
        PendingConfirmation = 1 "PENDING_CONFIRMATION",
        /// Issues go to it.
        Active = 2 "ACTIVE",
        /// Ended.
        Unsubscribed = 3 "UNSUBSCRIBED",
        /// Never confirmed.
        Expired = 4 "EXPIRED",
    }
}

words! {
    /// What a proof proves.
    pub enum ProofKind {
        /// The person asked.
        SignedUp = 1 "SIGNED_UP",
        /// The person confirmed.
        Confirmed = 2 "CONFIRMED",
        /// Ended by the one-click header.
        OneClick = 3 "ONE_CLICK",
        /// Ended on the page.
        Page = 4 "PAGE",
        /// Ended by mail.
        Mailto = 5 "MAILTO",
        /// Ended by staff or a program.
        StaffRemoved = 6 "STAFF_REMOVED",
        /// The consent was denied or withdrawn.
        ConsentWithdrawn = 7 "CONSENT_WITHDRAWN",
        /// The recipient's provider reported that it was called spam.
        Complaint = 8 "COMPLAINT",
        /// Ended, or renewed, on the page of all that the person receives.
        PreferencePage = 9 "PREFERENCE_PAGE",
        /// Imported from elsewhere, where the person confirmed.
        Imported = 10 "IMPORTED",
        /// The person was erased.
        Erased = 11 "ERASED",
    }
}

/// One piece of evidence; they are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What it proves.
    pub kind: ProofKind,
    /// When.
    pub time: Time,
    /// Where it came from.
    pub source: String,
    /// The exact words.
    pub wording: String,
    /// Their version.
    pub wording_version: String,
    /// Who recorded it.
    pub actor: String,
    /// The network that the person acted from, when that is kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip_prefix: String,
}

impl Proof {
    /// A proof without words of its own.
    pub fn plain(kind: ProofKind, source: impl Into<String>, actor: impl Into<String>, time: Time) -> Self {
        let nothing = String::new;
        let (source, actor) = (source.into(), actor.into());
        Self { kind, time, source, wording: nothing(), wording_version: nothing(), actor, ip_prefix: nothing() }
    }

    /// The same, done from this network.
    #[must_use]
    pub fn seen_from(self, ip_prefix: &str) -> Self {
        Self { ip_prefix: ip_prefix.to_owned(), ..self }
    }
}

/// A person as a reader, the same in all publications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Its id.
    pub id: SubscriberId,
    /// Counts its changes.
    pub version: i64,
    /// The address.
    pub email: Email,
    /// The customer that the person is, once known.
    pub customer: Option<CustomerId>,
    /// What the person is called.
    pub display_name: String,
    /// The language the person asked in.
    pub language: Option<Language>,
    /// When the person first subscribed to anything.
    pub create_time: Time,
}

/// The domain of the addresses that stand for people who were erased; nobody has it (RFC 2606).
pub const ERASED_DOMAIN: &str = "erased.invalid";

impl Subscriber {
    /// Whether the person was erased: nothing may be shown or renewed any more.
    pub fn erased(&self) -> bool {
        self.email.domain() == ERASED_DOMAIN
    }
}

/// What names one confirmation: each new wish to subscribe has one of its own, and an older link no longer works.
pub enum Confirmation {}
/// Its id, the payload of the link's token.
pub type ConfirmationId = Id<Confirmation>;

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Counts its changes.
    pub version: i64,
    /// The publication.
    pub publication: PublicationId,
    /// The person.
    pub subscriber: Subscriber,
    /// Where it stands.
    pub state: SubscriptionState,
    /// The evidence, oldest first.
    pub proofs: Vec<Proof>,
    /// What the link in its confirmation mail names.
    #[serde(skip, default = "nobody")]
    pub confirmation: ConfirmationId,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// When it was first asked for.
    pub create_time: Time,
    /// When the last confirmation mail was made.
    pub ask_time: Time,
    /// Until when it can be confirmed.
    pub expire_time: Time,
    /// When it was last confirmed.
    pub confirm_time: Option<Time>,
    /// When it ended.
    pub end_time: Option<Time>,
    /// Why it ended.
    pub end_reason: String,
}

fn nobody() -> ConfirmationId {
    Id::from_uuid(uuid::Uuid::nil())
}

/// What follows from a person's wish to subscribe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A confirmation mail is due; the subscription is pending.
    Mail(Box<Subscription>),
    /// Nothing: it is active, or a mail was just sent.
    Nothing,
}

impl Subscription {
    /// The first wish of a person for a publication. The ids are fresh ones.
    pub fn new(
        ids: (SubscriptionId, ConfirmationId, JourneyId),
        publication: PublicationId,
        subscriber: Subscriber,
        proof: Proof,
        at: Time,
    ) -> Self {
        let (id, confirmation, journey) = ids;
        Self {
            id,
            version: 1,
            publication,
            subscriber,
            state: SubscriptionState::PendingConfirmation,
            proofs: vec![proof],
            confirmation,
            journey,
            create_time: at,
            ask_time: at,
            expire_time: at + CONFIRM_WITHIN,
            confirm_time: None,
            end_time: None,
            end_reason: String::new(),
        }
    }

    /// The person asks again.
    pub fn ask_again(self, proof: Proof, confirmation: ConfirmationId, at: Time) -> Ask {
        let mailed_lately = at.since(self.ask_time) < ASK_AGAIN_AFTER;
        match self.state {
            SubscriptionState::Active => return Ask::Nothing,
            SubscriptionState::PendingConfirmation if mailed_lately => return Ask::Nothing,
            SubscriptionState::PendingConfirmation | SubscriptionState::Unsubscribed | SubscriptionState::Expired => {}
        }
        // A second mail while pending repeats the link, so that whichever of the two is clicked works.
        let confirmation = if self.state == SubscriptionState::PendingConfirmation { self.confirmation } else { confirmation };
        let mut proofs = self.proofs;
        proofs.push(proof);
        Ask::Mail(Box::new(Self {
            state: SubscriptionState::PendingConfirmation,
            proofs,
            confirmation,
            ask_time: at,
            expire_time: at + CONFIRM_WITHIN,
            end_time: None,
            end_reason: String::new(),
            ..self
        }))
    }

    /// The person confirms. None when it is confirmed already.
    ///
    /// # Errors
    /// When the link is too old or the subscription has ended.
    pub fn confirm(self, proof: Proof, at: Time) -> Result<Option<Self>, Refused> {
        match self.state {
            SubscriptionState::Active => Ok(None),
            SubscriptionState::PendingConfirmation if at <= self.expire_time => {
                let mut proofs = self.proofs;
                proofs.push(proof);
                Ok(Some(Self { state: SubscriptionState::Active, proofs, confirm_time: Some(at), ..self }))
            }
            SubscriptionState::PendingConfirmation | SubscriptionState::Unsubscribed | SubscriptionState::Expired => {
                Err(Refused::TokenExpired)
            }
        }
    }

    /// It was confirmed elsewhere.
    #[must_use]
    pub fn imported(self, proof: Proof, at: Time) -> Self {
        let mut proofs = self.proofs;
        proofs.push(proof);
        let end = (None, String::new());
        Self { state: SubscriptionState::Active, proofs, confirm_time: Some(at), end_time: end.0, end_reason: end.1, ..self }
    }

    /// It ends; a pending one will never be confirmed. None when it had ended already.
    pub fn end(self, proof: Proof, reason: &str, at: Time) -> Option<Self> {
        let state = match self.state {
            SubscriptionState::Active => SubscriptionState::Unsubscribed,
            SubscriptionState::PendingConfirmation => SubscriptionState::Expired,
            SubscriptionState::Unsubscribed | SubscriptionState::Expired => return None,
        };
        let mut proofs = self.proofs;
        proofs.push(proof);
        Some(Self { state, proofs, end_time: Some(at), end_reason: reason.to_owned(), ..self })
    }

    /// The same without the networks that the person acted from; none when no proof has one.
    pub fn without_networks(self) -> Option<Self> {
        if self.proofs.iter().all(|proof| proof.ip_prefix.is_empty()) {
            return None;
        }
        let proofs = self.proofs.into_iter().map(|proof| proof.seen_from("")).collect();
        Some(Self { proofs, ..self })
    }

    /// The person wants it again, on a page that only the person can reach. None when it is active.
    pub fn renew(self, proof: Proof, at: Time) -> Option<Self> {
        if self.state == SubscriptionState::Active {
            return None;
        }
        let mut proofs = self.proofs;
        proofs.push(proof);
        let state = SubscriptionState::Active;
        Some(Self { state, proofs, confirm_time: Some(at), end_time: None, end_reason: String::new(), ..self })
    }

    /// Its time to be confirmed is over. None when it is not pending or has time left.
    pub fn expire(self, at: Time) -> Option<Self> {
        let over = self.state == SubscriptionState::PendingConfirmation && at > self.expire_time;
        over.then_some(Self { state: SubscriptionState::Expired, end_time: Some(at), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn at(seconds: u64) -> Time {
        Time::EPOCH + Duration::from_secs(seconds)
    }

    fn proof(kind: ProofKind) -> Proof {
        Proof::plain(kind, "form", "test", at(0))
    }

    fn pending() -> Subscription {
        let email = "ada@example.com".parse().expect("an address");
        let subscriber =
            Subscriber { id: id(1), version: 1, email, customer: None, display_name: String::new(), language: None, create_time: at(0) };
        Subscription::new((id(2), id(3), id(4)), id(5), subscriber, proof(ProofKind::SignedUp), at(0))
    }

    #[test]
    fn a_form_cannot_flood_anybody() {
        assert_eq!(pending().ask_again(proof(ProofKind::SignedUp), id(9), at(599)), Ask::Nothing);
        let Ask::Mail(again) = pending().ask_again(proof(ProofKind::SignedUp), id(9), at(600)) else { panic!("a mail is due") };
        assert_eq!(again.confirmation, pending().confirmation);
    }

    #[test]
    fn only_a_link_in_time_confirms_and_twice_is_once() {
        let active = pending().confirm(proof(ProofKind::Confirmed), at(10)).expect("in time").expect("a change");
        assert_eq!(active.state, SubscriptionState::Active);
        assert_eq!(active.proofs.len(), 2);
        assert_eq!(active.confirm(proof(ProofKind::Confirmed), at(11)), Ok(None));
        assert_eq!(pending().confirm(proof(ProofKind::Confirmed), at(8 * 86_400)), Err(Refused::TokenExpired));
    }

    #[test]
    fn an_old_link_does_not_undo_an_unsubscription_but_the_person_can() {
        let active = pending().confirm(proof(ProofKind::Confirmed), at(10)).expect("in time").expect("a change");
        let ended = active.end(proof(ProofKind::OneClick), "", at(20)).expect("a change");
        assert_eq!(ended.state, SubscriptionState::Unsubscribed);
        assert_eq!(ended.clone().confirm(proof(ProofKind::Confirmed), at(21)), Err(Refused::TokenExpired));
        assert_eq!(ended.clone().end(proof(ProofKind::Page), "", at(21)), None);
        let Ask::Mail(again) = ended.clone().ask_again(proof(ProofKind::SignedUp), id(9), at(22)) else { panic!("a mail is due") };
        assert_eq!(again.state, SubscriptionState::PendingConfirmation);
        assert_ne!(again.confirmation, ended.confirmation);
    }

    #[test]
    fn the_person_renews_what_ended_on_the_page_of_preferences() {
        let ended = pending().end(proof(ProofKind::Page), "too much", at(20)).expect("a change");
        let renewed = ended.renew(proof(ProofKind::PreferencePage), at(30)).expect("a change");
        assert_eq!((renewed.state, renewed.confirm_time, renewed.end_time), (SubscriptionState::Active, Some(at(30)), None));
        assert_eq!((renewed.end_reason.as_str(), renewed.proofs.len()), ("", 3));
        assert_eq!(renewed.renew(proof(ProofKind::PreferencePage), at(31)), None);
    }
}
