//! Saved filters over customers.

use rapport_core::{CustomerId, SegmentId, Time};

use super::Refused;

/// What a caller says of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What people of ours know it as.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// The comparisons, checked.
    pub filter: String,
    /// Only these customers, if there are any.
    pub customers: Vec<CustomerId>,
}

/// A saved, named filter over customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Identifies the segment.
    pub id: SegmentId,
    /// Counts its changes.
    pub version: i64,
    /// What it is.
    pub outline: Outline,
    /// Whether nothing can be sent to it any more.
    pub archived: bool,
    /// Who created it.
    pub author: String,
    /// When it was created.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

impl Segment {
    /// The segment, if something can be sent to it.
    ///
    /// # Errors
    /// When it was archived.
    pub fn usable(self) -> Result<Self, Refused> {
        if self.archived { Err(Refused::SegmentArchived { segment: self.id }) } else { Ok(self) }
    }

    /// Says something else; none when that changes nothing.
    ///
    /// # Errors
    /// When it was archived.
    pub fn outlined(self, outline: Outline, at: Time) -> Result<Option<Self>, Refused> {
        let usable = self.usable()?;
        Ok((usable.outline != outline).then_some(Self { outline, update_time: at, ..usable }))
    }

    /// Nothing can be sent to it any more; none when it was archived already.
    pub fn archive(self, at: Time) -> Option<Self> {
        (!self.archived).then_some(Self { archived: true, update_time: at, ..self })
    }
}
