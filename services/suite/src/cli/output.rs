//! What is printed: answers on standard output, reasons on standard error, and how a command ends.

use std::{fmt::Display, io::Write, process::ExitCode};

use rapport_client::Problem;
use rapport_server::StartError;
use serde::Serialize;
use tonic::{Code, Status};

/// Where answers go.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    json: bool,
}

impl Out {
    pub const fn new(json: bool) -> Self {
        Self { json }
    }
    /// Whether a program reads the answers.
    pub const fn json(self) -> bool {
        self.json
    }
    /// A line for people. Nothing can be done about a reader that is gone.
    pub fn line(self, text: impl Display) {
        let _gone = writeln!(std::io::stdout(), "{text}");
    }
    /// An object for programs, on one line.
    pub fn object(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.line(text);
        }
    }
    /// A line about the work, which is no answer: on standard error, so that answers can be piped.
    pub fn note(self, text: impl Display) {
        let _gone = writeln!(std::io::stderr(), "{text}");
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct End {
    code: u8,
    problem: Box<Problem>,
}

/// Done in part.
pub const IN_PART: u8 = 4;
/// The issue was sent before this command.
pub const ALREADY: u8 = 5;
/// The issue is paused.
pub const PAUSED: u8 = 6;
/// The outcome of some mails is unknown.
pub const UNKNOWN_LEFT: u8 = 7;

impl End {
    /// It failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::of(1, Code::Unknown, message)
    }
    /// The command or the settings are wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::of(2, Code::InvalidArgument, message)
    }

    fn of(exit: u8, code: Code, message: impl Into<String>) -> Self {
        Self { code: exit, problem: Box::new(Status::new(code, message).into()) }
    }

    /// Tells it and answers with the exit code.
    pub fn report(self, out: &Out) -> ExitCode {
        if out.json() {
            out.note(serde_json::json!({ "error": self.problem }));
        } else {
            for sentence in self.problem.sentences() {
                out.note(format_args!("error: {sentence}"));
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        let code = match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => 3,
            Code::InvalidArgument => 2,
            _ => 1,
        };
        Self { code, problem: Box::new(status.into()) }
    }
}

impl From<StartError> for End {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Settings(problems) => Self::usage(problems.to_string()),
            error => Self::failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}
