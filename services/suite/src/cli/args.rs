//! What can be said on the command line.

mod newsletter;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use newsletter::*;

/// Customer interaction management: customers, interactions, feedback, newsletters.
#[derive(Debug, Parser)]
#[command(name = "rapport", version, after_help = EXIT_CODES)]
pub struct Args {
    /// Settings file; without it RAPPORT_CONFIG, or ./rapport.toml if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the SQLite files and the mail folder [default: ./rapport-data].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// One setting, for example --set customer.listen=127.0.0.1:6000; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Answers in JSON, one object per line, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: the reason is on standard error
  2  the command or the settings are wrong
  3  a service is out of reach: start it, or try again
  4  done in part: some rows were refused, or some recipients got no mail: failed, expired or cancelled
  5  the issue was sent already, before this command
  6  the issue is paused, by its stop rule or by hand, or missed its time
  7  the outcome of some mails is unknown: look, then `rapport issue resolve`";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the services, all four when none is named, and runs until it is told to stop.
    Serve {
        /// Which services: customer, interaction, feedback, newsletter.
        #[arg(value_parser = crate::SERVICES)]
        services: Vec<String>,
    },
    /// Starts the suite on a temporary directory, or on an empty one given with --data, and plays one customer's journey
    /// through all four services.
    Demo(Demo),
    /// Works with customers.
    #[command(subcommand)]
    Customers(CustomersCommand),
    /// Works with interactions.
    #[command(subcommand)]
    Interactions(InteractionsCommand),
    /// Works with the senders of newsletters.
    #[command(subcommand)]
    Sender(SenderCommand),
    /// Works with those who subscribe to newsletters.
    #[command(subcommand)]
    Subscribers(SubscribersCommand),
    /// Works with newsletter issues.
    #[command(subcommand)]
    Issue(IssueCommand),
    /// Works with mails that come back: replies, failure notices, complaints.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Says what to do and what not to with a customer, by the manual and by what is known of the customer.
    Guidance(Guidance),
    /// Shows everything that happened with a customer, newest first.
    Timeline {
        /// The customer's id or mail address.
        customer: String,
        /// How many lines at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Shows the promises to customers that are broken or still to be kept, by due time.
    Promises(Promises),
    /// Reports what became of interactions and promises, by one dimension, per day or week.
    Report(Report),
    /// Works with the customer service manual.
    #[command(subcommand)]
    Manual(ManualCommand),
    /// Prints the settings in force, secrets hidden.
    Settings,
    /// Asks services whether they serve; fails when one does not.
    Healthcheck {
        /// Which services; all four when none is named.
        #[arg(value_parser = crate::SERVICES)]
        services: Vec<String>,
    },
    /// Copies the SQLite databases, also while the services run.
    Backup {
        /// A directory for the copies; it must not hold any yet.
        directory: PathBuf,
    },
    /// Works with the epochs of the change feeds.
    #[command(subcommand)]
    Epoch(EpochCommand),
}

/// For whom guidance is wanted, and in which situation.
#[derive(Debug, clap::Args)]
pub struct Guidance {
    /// The customer's id or mail address.
    pub customer: String,
    /// The channel, for example PHONE.
    #[arg(long)]
    pub channel: Option<String>,
    /// The purpose, for example COMPLAINT.
    #[arg(long)]
    pub purpose: Option<String>,
    /// The kind of interaction: EXPECTED, PREDICTABLE, UNPREDICTABLE or UNWANTED.
    #[arg(long)]
    pub kind: Option<String>,
    /// The stage, for example CLOSING.
    #[arg(long)]
    pub stage: Option<String>,
}

/// What can be done with customers.
#[derive(Debug, Subcommand)]
pub enum CustomersCommand {
    /// Imports customers from a CSV file; a refused row stops no other, and running it again doubles nothing.
    Import(Import),
}

/// How to import.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file: UTF-8, with a header row; columns divided by comma, semicolon or tab.
    pub file: PathBuf,
    /// Checks every row and stores nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Names a column whose header is not known, for example --map email=Contact; may be repeated.
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = setting)]
    pub map: Vec<(String, String)>,
    /// Writes the refused rows with line and reason to this file (CSV).
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Which promises to show.
#[derive(Debug, clap::Args)]
pub struct Promises {
    /// Only those whose due time has passed.
    #[arg(long)]
    pub overdue: bool,
    /// Only those that this one of us is to keep, and how many of them were kept.
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only those to this customer (id or mail address), and how many of them were kept.
    #[arg(long, value_name = "CUSTOMER", conflicts_with = "owner")]
    pub customer: Option<String>,
    /// How many lines at most.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// What to report.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Report {
    /// By what: setting, phase, function, kind, channel, agent or customer-type [default: one sum].
    #[arg(long, value_name = "DIMENSION")]
    pub by: Option<String>,
    /// How time is divided: day or week [default: not at all].
    #[arg(long, value_name = "PERIOD")]
    pub per: Option<String>,
    /// The first day, as 2026-01-31 [default: 30 days up to the last one].
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The last day, which belongs to it [default: today, by UTC].
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// Only a part, for example 'setting = FORMAL AND channel = PHONE': the setting and one more of phase, function, kind,
    /// channel, agent_id and customer_type.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
}

/// What can be done with interactions.
#[derive(Debug, Subcommand)]
pub enum InteractionsCommand {
    /// Imports interactions that are over from a CSV or JSON Lines file; a refused row stops no other, and running it again
    /// doubles nothing.
    Import(ImportInteractions),
}

/// How to import interactions.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportInteractions {
    /// The file, in UTF-8: .csv with a header row, or .jsonl with one object per line; both use the same names.
    pub file: PathBuf,
    /// Checks every row and stores nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Says something for every row that says nothing else, for example --with channel=STREET; may be repeated.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting)]
    pub with: Vec<(String, String)>,
    /// Writes the refused rows with line and reason to this file (CSV).
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// What can be done with the manual.
#[derive(Debug, Subcommand)]
pub enum ManualCommand {
    /// Says everything that keeps a file (protobuf JSON) from being published; needs no service.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Prints the example manual, to begin with.
    Example,
    /// Makes a draft of a file.
    Import {
        /// The file.
        file: PathBuf,
        /// Puts it in force at once.
        #[arg(long)]
        publish: bool,
    },
    /// Writes what a version says to a file.
    Export {
        /// The file; `-` for standard output.
        file: PathBuf,
        /// The id of the version [default: the one in force].
        #[arg(long)]
        version: Option<String>,
    },
    /// Puts a draft in force.
    Publish {
        /// The id of the version.
        version: String,
    },
    /// Shows a version.
    Show {
        /// The id of the version [default: the one in force].
        version: Option<String>,
    },
}

/// What can be done with epochs.
#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// Begins a new epoch after a restore, so that every consumer starts from a snapshot. The service must be stopped.
    Renew {
        /// The service whose database was restored.
        #[arg(value_parser = crate::SERVICES)]
        service: String,
    },
}

/// How to play the journey.
#[derive(Clone, Debug, clap::Args)]
pub struct Demo {
    /// Ends after the journey instead of staying up.
    #[arg(long)]
    pub exit: bool,
    /// The same people, words and order each time for the same seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many customers are imported.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(5..=100_000))]
    pub customers: u32,
    /// Sends to this mail server instead of a folder.
    #[arg(long, value_name = "HOST:PORT")]
    pub smtp: Option<String>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "write it as NAME=VALUE".to_owned())?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
