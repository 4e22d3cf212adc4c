//! The crate from outside: a small service that really listens, and everything that callers can do to it.

mod auth;
mod calls;
mod consume;
mod feed;
mod fixture;
mod limits;
mod pages;
mod protocol;
mod settings;
mod stop;
mod tls;
