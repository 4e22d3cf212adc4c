//! The verbs that move an interaction from state to state without an entry: start, hold, abandon, cancel, reopen.

use rapport_core::{Direction, Time};

use super::{Interaction, InteractionState, Refused};

impl Interaction {
    /// Begins a planned interaction.
    ///
    /// # Errors
    /// When it is not planned.
    pub fn start(mut self, now: Time) -> Result<Self, Refused> {
        self.must_be_scheduled()?;
        self.become_open();
        self.start_time = now;
        if self.direction == Direction::Inbound {
            self.waiting_since.get_or_insert(now);
        }
        self.update_time = now;
        Ok(self)
    }

    /// Says that we are waiting for something ourselves. The customer's clock runs on.
    ///
    /// # Errors
    /// When it is not our turn.
    pub fn hold(mut self, reason: String, now: Time) -> Result<Self, Refused> {
        if self.state != InteractionState::Open {
            return Err(self.not_open());
        }
        self.state = InteractionState::WaitingOnUs;
        self.state_reason = reason;
        self.update_time = now;
        Ok(self)
    }

    /// Says that the customer left.
    ///
    /// # Errors
    /// When it has not begun, or has ended.
    pub fn abandon(mut self, reason: String, now: Time) -> Result<Self, Refused> {
        if !self.state.live() {
            return Err(self.not_open());
        }
        self.state = InteractionState::Abandoned;
        self.state_reason = reason;
        self.waiting_since = None;
        self.end_time = Some(now);
        self.update_time = now;
        Ok(self)
    }

    /// Gives up a planned interaction.
    ///
    /// # Errors
    /// When it is not planned.
    pub fn cancel(mut self, reason: String, now: Time) -> Result<Self, Refused> {
        self.must_be_scheduled()?;
        self.state = InteractionState::Cancelled;
        self.state_reason = reason;
        self.end_time = Some(now);
        self.update_time = now;
        Ok(self)
    }

    /// Opens an interaction that was concluded or abandoned again.
    ///
    /// # Errors
    /// When it is neither, or when it goes on in the one that it was merged into.
    pub fn reopen(mut self, now: Time) -> Result<Self, Refused> {
        if let Some(survivor) = self.merged_into {
            return Err(Refused::InteractionMerged { id: self.id, survivor });
        }
        if !matches!(self.state, InteractionState::Concluded | InteractionState::Abandoned) {
            return Err(Refused::InteractionNotConcluded { id: self.id, state: self.state });
        }
        self.open_again();
        self.update_time = now;
        Ok(self)
    }

    pub(super) fn open_again(&mut self) {
        self.become_open();
        self.reopen_count += 1;
        self.end_time = None;
    }

    pub(super) const fn not_open(&self) -> Refused {
        Refused::InteractionNotOpen { id: self.id, state: self.state }
    }

    pub(super) fn must_be_scheduled(&self) -> Result<(), Refused> {
        match self.state {
            InteractionState::Scheduled => Ok(()),
            state => Err(Refused::InteractionNotScheduled { id: self.id, state }),
        }
    }
}
