//! The feedback service as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport_server::main(rapport_feedback::NAME, rapport_feedback::start)
}
