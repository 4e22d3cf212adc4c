//! The customer service as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport_server::main(rapport_customer::NAME, rapport_customer::start)
}
