//! What the tests of this service begin with: drafts that break no rule.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rapport_core::{
    BusinessFunction, Caller, Channel, Clock, Context, CustomerId, Direction, Ids, InteractionKind, Responder, Setting, Time, World,
};
use uuid::Uuid;

use super::{
    CommitmentDraft, CommitmentKind, ConclusionDraft, EntryDraft, EntryKind, Interaction, InteractionDraft, NextStep, Outcome, Purpose,
    Said, entry::PLAIN,
};

/// Noon of a day in 2026.
pub const NOON: Time = Time::from_micros(1_772_452_800_000_000);

struct Still;
impl Clock for Still {
    fn now(&self) -> Time {
        NOON
    }
}
struct Counting(AtomicU64);
impl Ids for Counting {
    fn fresh(&self) -> Uuid {
        Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A context at noon.
pub fn context() -> Context {
    World { clock: Arc::new(Still), ids: Arc::new(Counting(AtomicU64::new(1))) }.context(Caller::local())
}

/// The customer of most tests.
pub fn customer() -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(0xC0FFEE))
}

/// A draft of an enquiry by mail.
pub fn draft(setting: Setting, kind: InteractionKind) -> InteractionDraft {
    InteractionDraft {
        customer: Some(customer()),
        subject: "Where is my parcel?".to_owned(),
        function: BusinessFunction::CustomerService,
        purpose: Purpose::Enquiry,
        phase: None,
        kind,
        setting,
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
        start_time: None,
        end_time: None,
    }
}

/// An interaction that was just opened.
pub fn open(setting: Setting, kind: InteractionKind) -> Interaction {
    let cx = context();
    Interaction::begin(cx.fresh(), draft(setting, kind), cx.fresh(), cx.now)
}

/// A draft of something said.
pub fn said(by: Responder, direction: Direction) -> EntryDraft {
    EntryDraft {
        id: None,
        kind: EntryKind::Message,
        said: Some(Said { by, direction }),
        body: "Hello".to_owned(),
        content_type: PLAIN.to_owned(),
        in_reply_to: None,
        message_id: None,
        delivery: None,
        occur_time: None,
        findings: Vec::new(),
    }
}

/// A conclusion that lacks nothing.
pub fn conclusion() -> ConclusionDraft {
    ConclusionDraft {
        outcome: Some(Outcome::Resolved),
        summary: "Told when the parcel comes.".to_owned(),
        next_step: Some(NextStep::ThinkOver("Whether to take the larger box next time.".to_owned())),
        ..ConclusionDraft::default()
    }
}

/// A promise due this long after noon.
pub fn promise(due: std::time::Duration) -> CommitmentDraft {
    CommitmentDraft {
        id: None,
        customer: Some(customer()),
        interaction: None,
        owner: "ada".to_owned(),
        kind: CommitmentKind::CallBack,
        text: "We call you back.".to_owned(),
        due_time: NOON + due,
        grace: std::time::Duration::ZERO,
        remind_before: Vec::new(),
    }
}
