//! The feedback service over the wire, on both databases, with peers that the tests hold in their hands.

mod feedback;
mod feeds;
mod invitations;
mod pages;
mod peers;
mod questionnaires;
mod races;
mod responses;
mod rules;
mod scores;
mod undocumented;
