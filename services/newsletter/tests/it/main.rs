//! The newsletter service over the wire, on both databases, with a mail server that misbehaves and a customer service in the test's hands.

mod customer;
mod errors;
mod inbound;
mod mails;
mod messages;
mod newsletter;
mod previews;
mod sending;
mod subscribing;
