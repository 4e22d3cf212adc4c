//! The client against real tonic servers on loopback.

mod apart;
mod calls;
mod deadlines;
mod feeds;
mod scripted;
mod tls;
