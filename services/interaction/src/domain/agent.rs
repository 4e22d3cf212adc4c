//! The people of ours who meet customers, and their endorsement to operations.

use rapport_core::{AgentId, Condition, Context, Email, Language, ManualVersionId, Setting, Time, words};
use serde::{Deserialize, Serialize};

use super::{Refused, training::Standard};

words! {
    /// What an agent does.
    pub enum AgentRole {
        /// Meets customers.
        FirstLine = 1 "FIRST_LINE",
        /// Leads those who do.
        Supervisor = 2 "SUPERVISOR",
        /// Trains them.
        Trainer = 3 "TRAINER",
        /// Any other employee.
        Employee = 4 "EMPLOYEE",
        /// A program.
        Automaton = 5 "AUTOMATON",
    }
}

words! {
    /// Whether an agent may take formal interactions.
    pub enum Endorsement {
        /// Not yet endorsed.
        Trainee = 1 "TRAINEE",
        /// Has passed all that is required.
        Endorsed = 2 "ENDORSED",
        /// Was endorsed; a required course changed or no longer counts.
        Lapsed = 3 "LAPSED",
        /// Taken out of operations.
        Suspended = 4 "SUSPENDED",
    }
}

/// An agent as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentDraft {
    /// The name as an owner and a caller.
    pub handle: String,
    /// The name that people read.
    pub display_name: String,
    /// The mail address.
    pub email: Option<Email>,
    /// What the agent does.
    pub role: AgentRole,
    /// The languages that the agent speaks.
    pub languages: Vec<Language>,
    /// The queues that the agent serves; all when empty.
    pub queues: Vec<String>,
    /// How many open interactions the agent may have; 0 for no limit.
    pub capacity: i32,
    /// Whether the agent no longer works.
    pub inactive: bool,
}

/// What a caller changes of an agent; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentEdit {
    /// The name that people read.
    pub display_name: Option<String>,
    /// The mail address; none inside takes it away.
    pub email: Option<Option<Email>>,
    /// What the agent does.
    pub role: Option<AgentRole>,
    /// The languages.
    pub languages: Option<Vec<Language>>,
    /// The queues.
    pub queues: Option<Vec<String>>,
    /// How many open interactions.
    pub capacity: Option<i32>,
    /// Whether the agent no longer works.
    pub inactive: Option<bool>,
}

/// One of us who meets customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The agent's id.
    pub id: AgentId,
    /// The version of the row.
    pub version: i64,
    /// The name as an owner and a caller.
    pub handle: String,
    /// The name that people read.
    pub display_name: String,
    /// The mail address.
    pub email: Option<Email>,
    /// What the agent does.
    pub role: AgentRole,
    /// Whether the agent may take formal interactions.
    pub endorsement: Endorsement,
    /// The version of the manual of the last endorsement.
    pub endorsed_version: Option<ManualVersionId>,
    /// When the agent was last endorsed.
    pub endorse_time: Option<Time>,
    /// Who endorsed.
    pub endorsed_by: Option<String>,
    /// When the endorsement lapses.
    pub expire_time: Option<Time>,
    /// Why it lapsed or was suspended.
    pub note: String,
    /// The languages that the agent speaks.
    pub languages: Vec<Language>,
    /// The queues that the agent serves; all when empty.
    pub queues: Vec<String>,
    /// How many open interactions the agent may have; 0 for no limit.
    pub capacity: i32,
    /// Whether the agent no longer works.
    pub inactive: bool,
    /// When the agent was created.
    pub create_time: Time,
    /// When the agent was last changed.
    pub update_time: Time,
}

impl Agent {
    /// A trainee.
    pub fn create(id: AgentId, draft: AgentDraft, now: Time) -> Self {
        let AgentDraft { handle, display_name, email, role, languages, queues, capacity, inactive } = draft;
        Self {
            id,
            version: 1,
            handle,
            display_name,
            email,
            role,
            endorsement: Endorsement::Trainee,
            endorsed_version: None,
            endorse_time: None,
            endorsed_by: None,
            expire_time: None,
            note: String::new(),
            languages,
            queues,
            capacity,
            inactive,
            create_time: now,
            update_time: now,
        }
    }

    /// Changes what a caller may change. One who takes a role that cannot be endorsed is no longer endorsed.
    pub fn edit(mut self, edit: AgentEdit, now: Time) -> Self {
        let AgentEdit { display_name, email, role, languages, queues, capacity, inactive } = edit;
        self.display_name = display_name.unwrap_or(self.display_name);
        self.email = email.unwrap_or(self.email);
        self.role = role.unwrap_or(self.role);
        self.languages = languages.unwrap_or(self.languages);
        self.queues = queues.unwrap_or(self.queues);
        self.capacity = capacity.unwrap_or(self.capacity);
        self.inactive = inactive.unwrap_or(self.inactive);
        self.update_time = now;
        if !self.role.may_be_endorsed() && self.endorsement == Endorsement::Endorsed {
            self.give_up(Endorsement::Lapsed, format!("the role {} cannot be endorsed", self.role), now);
        }
        self
    }

    /// Endorses to operations, or renews an endorsement, by what the training says of the manual in force.
    ///
    /// # Errors
    /// Every course that is missing, or that the agent's role or suspension stands against it.
    pub fn endorse(mut self, manual: ManualVersionId, standard: Standard, cx: &Context) -> Result<Self, Refused> {
        let Standard { missing: mut conditions, expire_time } = standard;
        if !self.role.may_be_endorsed() {
            conditions.push(self.condition("ROLE", format!("an agent with the role {} cannot be endorsed", self.role)));
        }
        if self.endorsement == Endorsement::Suspended {
            conditions.push(self.condition("ENDORSEMENT", "the agent is SUSPENDED: reinstate first".to_owned()));
        }
        if !conditions.is_empty() {
            return Err(Refused::AgentNotEndorsable { id: self.id, conditions });
        }
        self.endorsement = Endorsement::Endorsed;
        self.endorsed_version = Some(manual);
        self.endorse_time = Some(cx.now);
        self.endorsed_by = Some(cx.caller.name.to_string());
        self.expire_time = expire_time;
        self.note = String::new();
        self.update_time = cx.now;
        Ok(self)
    }

    /// What an endorsement becomes when training or manual change: it stays, perhaps longer or shorter, or it lapses. None when nothing
    /// changes.
    pub fn review(mut self, standard: &Standard, now: Time) -> Option<Self> {
        if self.endorsement != Endorsement::Endorsed {
            return None;
        }
        if standard.missing.is_empty() {
            if self.expire_time == standard.expire_time {
                return None;
            }
            self.expire_time = standard.expire_time;
            self.update_time = now;
            return Some(self);
        }
        let note = standard.missing.iter().map(|missing| missing.description.as_str()).collect::<Vec<_>>().join("; ");
        self.give_up(Endorsement::Lapsed, note, now);
        Some(self)
    }

    /// Takes the agent out of operations.
    ///
    /// # Errors
    /// When the agent is out already.
    pub fn suspend(mut self, reason: String, now: Time) -> Result<Self, Refused> {
        if self.endorsement == Endorsement::Suspended {
            return Err(Refused::AgentSuspended(self.id));
        }
        self.give_up(Endorsement::Suspended, reason, now);
        Ok(self)
    }

    /// Lets a suspended agent begin again.
    ///
    /// # Errors
    /// When the agent is not suspended.
    pub fn reinstate(mut self, now: Time) -> Result<Self, Refused> {
        if self.endorsement != Endorsement::Suspended {
            return Err(Refused::AgentNotSuspended { id: self.id, endorsement: self.endorsement });
        }
        self.give_up(Endorsement::Trainee, String::new(), now);
        Ok(self)
    }

    fn give_up(&mut self, endorsement: Endorsement, note: String, now: Time) {
        self.endorsement = endorsement;
        self.note = note;
        self.expire_time = None;
        self.update_time = now;
    }

    /// Whether the endorsement holds at this time; the clock decides, not the job that writes the lapse down.
    pub fn is_endorsed(&self, now: Time) -> bool {
        self.endorsement == Endorsement::Endorsed && self.expire_time.is_none_or(|expires| expires > now)
    }

    /// Whether the agent may have an interaction in this setting.
    pub fn may_take(&self, setting: Setting, now: Time) -> bool {
        !self.inactive && self.endorsement != Endorsement::Suspended && (setting == Setting::Informal || self.is_endorsed(now))
    }

    /// Whether the agent serves this queue.
    pub fn serves(&self, queue: &str) -> bool {
        queue.is_empty() || self.queues.is_empty() || self.queues.iter().any(|served| served == queue)
    }

    fn condition(&self, kind: &'static str, description: String) -> Condition {
        Condition { kind, subject: self.id.to_string(), description }
    }
}

impl AgentRole {
    /// Whether somebody in this role can be endorsed.
    pub const fn may_be_endorsed(self) -> bool {
        matches!(self, Self::FirstLine | Self::Supervisor | Self::Trainer)
    }
}
