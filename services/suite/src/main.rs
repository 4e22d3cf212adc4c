//! `rapport`: starts the suite, and is the command line for people and batch jobs.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport::cli::main()
}
