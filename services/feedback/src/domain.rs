//! What feedback is and how it is decided upon: values in, decisions out; no I/O, no clock, no SQL.

pub mod answer;
pub mod customer;
pub mod event;
pub mod filter;
pub mod invitation;
pub mod language;
pub mod letter;
pub mod publish;
pub mod questionnaire;
pub mod refused;
pub mod remark;
pub mod response;
pub mod rule;
pub mod score;
pub mod token;
pub mod undocumented;
pub mod wording;
