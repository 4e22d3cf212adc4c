//! Interactions that begin elsewhere: a reply to a newsletter, a sign-up, a bad rating. What each of them is made of.

use std::time::Duration;

use rapport_core::{
    BusinessFunction, Channel, CustomerId, DeliveryId, Direction, InboundMailId, InteractionId, InteractionKind, IssueId, JourneyId, Phase,
    Responder, ResponseId, Setting, SubscriptionId, Time,
};
use uuid::Uuid;

use super::{
    ConclusionDraft, EntryDraft, EntryKind, InteractionDraft, NextStep, NoStepReason, Objective, Outcome, Purpose, Said, entry::PLAIN,
};

/// The longest subject, in characters.
pub const MAX_SUBJECT: usize = 200;
/// The longest body of an entry, in characters.
pub const MAX_BODY: usize = 32_768;

/// A person answered a newsletter or a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The mail that came in.
    pub mail: InboundMailId,
    /// The delivery that it answers.
    pub delivery: Option<DeliveryId>,
    /// The issue that it answers; none for a single message.
    pub issue: Option<IssueId>,
    /// The customer that the delivery went to.
    pub customer: Option<CustomerId>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// The Message-IDs that it answers, the nearest first.
    pub answers: Vec<String>,
    /// The journey of the delivery.
    pub journey: Option<JourneyId>,
    /// When it came in.
    pub time: Time,
}

impl Reply {
    /// What the interaction is known by: replies to one delivery are one conversation.
    pub fn source(&self) -> String {
        self.delivery.map_or_else(|| format!("inboundMails/{}", self.mail), |delivery| format!("deliveries/{delivery}"))
    }

    /// Whether it can go on with an interaction with this customer: a header that anybody can write joins no two customers.
    pub fn fits(&self, customer: Option<CustomerId>) -> bool {
        self.customer.is_none() || customer.is_none() || self.customer == customer
    }

    /// The interaction that it opens, if none goes on from the same delivery.
    pub fn interaction(&self) -> InteractionDraft {
        let (function, purpose) = match self.issue {
            Some(_) => (BusinessFunction::Marketing, Purpose::CampaignResponse),
            None => (BusinessFunction::CustomerService, Purpose::Enquiry),
        };
        InteractionDraft {
            customer: self.customer,
            subject: cut(&self.subject, MAX_SUBJECT),
            purpose,
            kind: InteractionKind::Predictable,
            channel: Channel::Email,
            direction: Direction::Inbound,
            source: self.source(),
            journey: self.journey,
            ..blank(function, self.time)
        }
    }

    /// The entry that it is, with the id of the mail, so that one mail makes one entry.
    pub fn entry(&self) -> EntryDraft {
        EntryDraft {
            id: Some(self.mail.cast()),
            kind: EntryKind::Message,
            said: Some(Said { by: Responder::Human, direction: Direction::Inbound }),
            body: cut(&self.text, MAX_BODY),
            content_type: PLAIN.to_owned(),
            in_reply_to: self.answers.first().cloned(),
            message_id: self.message_id.clone(),
            delivery: self.delivery,
            occur_time: Some(self.time),
            findings: Vec::new(),
        }
    }
}

/// A person confirmed the subscription of a newsletter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signup {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The customer that the person is, once known.
    pub customer: Option<CustomerId>,
    /// The journey of the subscription.
    pub journey: Option<JourneyId>,
    /// When it was confirmed.
    pub time: Time,
}

impl Signup {
    /// The id of its interaction: the same for the same confirmation, however often it is told.
    pub fn id(&self) -> InteractionId {
        InteractionId::from_uuid(Uuid::new_v5(&self.subscription.uuid(), &self.time.micros().to_be_bytes()))
    }

    /// The interaction that it is.
    pub fn interaction(&self) -> InteractionDraft {
        InteractionDraft {
            customer: self.customer,
            subject: "Signed up for a newsletter".to_owned(),
            purpose: Purpose::NewsletterSignup,
            kind: InteractionKind::Expected,
            channel: Channel::Newsletter,
            direction: Direction::Inbound,
            source: format!("subscriptions/{}", self.subscription),
            journey: self.journey,
            end_time: Some(self.time),
            ..blank(BusinessFunction::Marketing, self.time)
        }
    }

    /// How it ended: no person of ours took part.
    pub fn conclusion(&self) -> ConclusionDraft {
        ConclusionDraft {
            outcome: Some(Outcome::Resolved),
            summary: "The customer confirmed the subscription of a newsletter.".to_owned(),
            next_step: Some(NextStep::None(NoStepReason::SelfService)),
            ..ConclusionDraft::default()
        }
    }
}

/// The highest rating (NPS) of a customer who would rather advise against us.
const DETRACTOR: i32 = 6;

/// A customer rated us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// The response.
    pub response: ResponseId,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The journey of the response.
    pub journey: Option<JourneyId>,
    /// How likely the customer is to recommend us, 0 to 10.
    pub nps: i32,
}

impl Rating {
    /// Whether the customer is to be called back.
    pub const fn needs_callback(&self) -> bool {
        self.nps <= DETRACTOR
    }

    /// The id of the call: the same for the same response.
    pub const fn id(&self) -> InteractionId {
        self.response.cast()
    }

    /// The call that is planned so long after now.
    pub fn callback(&self, after: Duration, now: Time) -> InteractionDraft {
        InteractionDraft {
            customer: self.customer,
            subject: format!("Call back after a rating of {}", self.nps),
            purpose: Purpose::Callback,
            phase: Some(Phase::AfterSale),
            kind: InteractionKind::Predictable,
            setting: Setting::Formal,
            channel: Channel::Phone,
            direction: Direction::Outbound,
            objective: Some(Objective::Delight),
            source: format!("responses/{}", self.response),
            journey: self.journey,
            scheduled_time: Some(now + after),
            ..blank(BusinessFunction::CustomerService, now)
        }
    }
}

/// It is time to turn to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTouch {
    /// The due date; the interaction has the same id, so that it is planned once.
    pub id: InteractionId,
    /// The customer.
    pub customer: CustomerId,
    /// Who looks after the customer; empty for nobody.
    pub owner: String,
}

impl DueTouch {
    /// The contact that is planned for now.
    pub fn interaction(&self, now: Time) -> InteractionDraft {
        let subject = if self.owner.is_empty() { "Stay in touch".to_owned() } else { format!("Stay in touch, for {}", self.owner) };
        InteractionDraft {
            customer: Some(self.customer),
            subject: cut(&subject, MAX_SUBJECT),
            purpose: Purpose::Relationship,
            kind: InteractionKind::Predictable,
            setting: Setting::Informal,
            channel: Channel::Phone,
            direction: Direction::Outbound,
            objective: Some(Objective::Delight),
            source: format!("touches/{}", self.id),
            scheduled_time: Some(now + TOUCH_WITHIN),
            ..blank(BusinessFunction::CustomerService, now)
        }
    }
}

/// How soon after it became due somebody is to turn to the customer.
const TOUCH_WITHIN: Duration = Duration::from_secs(24 * 3600);

fn blank(function: BusinessFunction, start: Time) -> InteractionDraft {
    InteractionDraft {
        customer: None,
        subject: String::new(),
        function,
        purpose: Purpose::Other,
        phase: None,
        kind: InteractionKind::Predictable,
        setting: Setting::Informal,
        channel: Channel::Email,
        direction: Direction::Inbound,
        objective: None,
        customer_goal: String::new(),
        customer_expectation: String::new(),
        informal_offer: None,
        feedback_solicited: false,
        queue: String::new(),
        priority: 0,
        tags: Vec::new(),
        incident: String::new(),
        source: String::new(),
        journey: None,
        scheduled_time: None,
        start_time: Some(start),
        end_time: None,
    }
}

/// The first `max` characters, without control characters other than line breaks and tabs.
fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).take(max).collect()
}
