//! The newsletter service as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport_server::main(rapport_newsletter::NAME, rapport_newsletter::start)
}
