//! The interaction service as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport_server::main(rapport_interaction::NAME, rapport_interaction::start)
}
