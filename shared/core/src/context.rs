//! What a use case may know of the world around it: the time, who calls, on which journey, and fresh ids.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EventId, Id, JourneyId, Time, words};

/// Tells the time. The one of production reads the system's clock; tests set theirs.
pub trait Clock: Send + Sync + 'static {
    /// The time now, cut to microseconds.
    fn now(&self) -> Time;
}

/// Makes fresh ids, each larger than the one before (UUIDv7).
pub trait Ids: Send + Sync + 'static {
    /// A fresh id.
    fn fresh(&self) -> Uuid;
}

/// Where time and ids come from.
#[derive(Clone)]
pub struct World {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of ids.
    pub ids: Arc<dyn Ids>,
}

impl World {
    /// A context at this moment for this caller.
    pub fn context(&self, caller: Caller) -> Context {
        Context { now: self.clock.now(), caller, traceparent: None, journey: None, cause: None, ids: Arc::clone(&self.ids) }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

words! {
    /// What a caller may do; a call needs one of them.
    pub enum Role {
        /// Reads.
        Reader = 1 "READER",
        /// Meets customers: reads and records.
        Agent = 2 "AGENT",
        /// Leads agents: what an agent may, and what needs a second pair of eyes.
        Supervisor = 3 "SUPERVISOR",
        /// Imports and sends in bulk.
        Batch = 4 "BATCH",
        /// Another service of the suite.
        Service = 5 "SERVICE",
        /// Everything.
        Admin = 6 "ADMIN",
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name that settings give to the caller's key; the actor of every entry and event.
    pub name: Arc<str>,
    /// What the caller may do.
    pub roles: Arc<[Role]>,
}

impl Caller {
    /// A caller with these roles.
    pub fn new(name: impl Into<Arc<str>>, roles: impl Into<Arc<[Role]>>) -> Self {
        Self { name: name.into(), roles: roles.into() }
    }
    /// The one caller on loopback without keys: it may do everything.
    pub fn local() -> Self {
        Self::new("local", [Role::Admin])
    }
    /// A service or job of the suite itself.
    pub fn service(name: &str) -> Self {
        Self::new(name, [Role::Service])
    }
    /// Whether the caller has this role; an administrator has every role.
    pub fn may(&self, role: Role) -> bool {
        self.roles.iter().any(|held| *held == role || *held == Role::Admin)
    }
}

words! {
    /// What kind of being acted.
    pub enum ActorKind {
        /// A person of ours.
        Agent = 1 "AGENT",
        /// The customer.
        Customer = 2 "CUSTOMER",
        /// A rule, a clock, a robot.
        Automation = 3 "AUTOMATION",
        /// A service of the suite.
        Service = 4 "SERVICE",
    }
}

/// Who did something, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of being.
    pub kind: ActorKind,
    /// Its name: the caller's name, an agent's id, a customer's id or a service's name.
    pub name: String,
}

/// What a use case may know: passed to every app function beside its command.
#[derive(Clone)]
pub struct Context {
    /// The time of the request.
    pub now: Time,
    /// Who calls.
    pub caller: Caller,
    /// The W3C trace context of the span that does the work, for the events it writes.
    pub traceparent: Option<String>,
    /// The journey that the request belongs to, if it says one.
    pub journey: Option<JourneyId>,
    /// The event that caused this, when it is an effect of a feed.
    pub cause: Option<EventId>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

impl Context {
    /// A fresh id.
    pub fn fresh<K>(&self) -> Id<K> {
        Id::from_uuid(self.ids.fresh())
    }
    /// The actor to write down for what the caller does itself.
    pub fn actor(&self) -> Actor {
        let kind = if self.caller.roles.contains(&Role::Service) { ActorKind::Service } else { ActorKind::Agent };
        Actor { kind, name: self.caller.name.to_string() }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("caller", &self.caller.name).finish_non_exhaustive()
    }
}
