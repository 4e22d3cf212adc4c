//! The newsletter service over the wire, on both databases, with a mail server that misbehaves and a customer service in the test's hands.

mod activity;
mod audiences;
mod customer;
mod dns;
mod erasure;
mod errors;
mod inbound;
mod lmtp;
mod mails;
mod messages;
mod networks;
mod newsletter;
mod notices;
mod paces;
mod pages;
mod preferences;
mod previews;
mod roster;
mod segments;
mod sending;
mod subscribing;
mod suppressions;
