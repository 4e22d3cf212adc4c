//! The tests of the suite as a whole, and the tests that keep the house in order.

mod coverage;
mod descriptor;
mod layout;
mod settings;
mod source;
mod surface;
mod telemetry;
mod vocabulary;
