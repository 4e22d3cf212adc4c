//! The promises of `rapport-db`, on both databases.

mod feed;
mod lane;
mod notes;
mod values;
