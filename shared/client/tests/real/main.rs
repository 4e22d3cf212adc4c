//! The client against real tonic servers on loopback.

mod calls;
mod deadlines;
mod feeds;
mod scripted;
