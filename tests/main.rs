//! The tests of the suite as a whole, and the tests that keep the house in order.

mod backup;
mod coverage;
mod deployment;
mod descriptor;
mod foreign;
mod layout;
mod settings;
mod source;
mod surface;
mod telemetry;
mod torture;
mod vocabulary;
