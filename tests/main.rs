//! The tests of the suite as a whole, and the tests that keep the house in order.

mod backup;
mod bad_input;
mod cli;
mod coverage;
mod deployment;
mod descriptor;
mod dynamic;
mod foreign;
mod fuzz;
mod layout;
mod manual;
mod moves;
mod near_valid;
mod promises;
mod reasons;
mod report;
mod rows;
mod running;
mod settings;
mod source;
mod story;
mod surface;
mod telemetry;
mod torture;
mod traces;
mod vocabulary;
