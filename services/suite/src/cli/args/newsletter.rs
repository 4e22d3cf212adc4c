//! What can be said about newsletters: senders, subscribers, issues, and what comes back.

use std::path::PathBuf;

use clap::Subcommand;

use super::setting;

/// What can be done with mails that come back.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Hands mails to the newsletter service, which matches them with what was sent. The same mail is taken in once.
    Ingest(Ingest),
}

/// `rapport mail ingest`.
#[derive(Debug, clap::Args)]
pub struct Ingest {
    /// A file with one mail, a Maildir, whose new mails are taken and then moved to those seen, or - for standard input.
    #[arg(value_name = "FILE|MAILDIR|-")]
    pub source: PathBuf,
    /// To whom it was delivered (the envelope's recipient). Without it: X-Original-To, Delivered-To or Envelope-To of the mail.
    #[arg(long, value_name = "ADDRESS")]
    pub recipient: Option<String>,
    /// Leaves the mails of a Maildir where they are.
    #[arg(long)]
    pub keep: bool,
    /// Ends with the exit codes that mail servers know (sysexits.h): 65 for a mail that is refused, 75 to try again later.
    #[arg(long)]
    pub sysexits: bool,
}

/// What can be done with senders.
#[derive(Debug, Subcommand)]
pub enum SenderCommand {
    /// Asks the DNS whether mails of a sender will be believed (SPF, DKIM, DMARC) and come back (MX), and says what to publish.
    Check {
        /// The sender's id.
        sender: String,
    },
    /// Shows how fast a sender may send; with options, says so anew.
    Limits(SenderLimits),
}

/// `rapport sender limits`.
#[derive(Clone, Debug, clap::Args)]
pub struct SenderLimits {
    /// The sender's id.
    pub sender: String,
    /// Mails a second; 0 for no limit.
    #[arg(long, value_name = "NUMBER")]
    pub per_second: Option<u32>,
    /// Mails of issues a day; 0 for no limit.
    #[arg(long, value_name = "NUMBER")]
    pub per_day: Option<u32>,
    /// Mails on the first day, how many percent more each day, and for how many days, as 500,30,20.
    #[arg(long, value_name = "FIRST,PERCENT,DAYS")]
    pub warm_up: Option<String>,
    /// Lifts what was said before.
    #[arg(long)]
    pub none: bool,
}

/// What can be done with subscribers.
#[derive(Debug, Subcommand)]
pub enum SubscribersCommand {
    /// Takes in people who subscribed elsewhere, from a CSV file with a header row: email, and display_name, language, customer_id,
    /// subscribe_time if they are known. Nobody who unsubscribed or is suppressed comes back, and running it again doubles nothing.
    Import(ImportSubscribers),
}

/// `rapport subscribers import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportSubscribers {
    /// The file: UTF-8, with a header row; columns divided by comma, semicolon or tab.
    pub file: PathBuf,
    /// The publication's id.
    #[arg(long)]
    pub publication: String,
    /// Where they subscribed, for example the address of the form.
    #[arg(long)]
    pub source: String,
    /// The version of the words that they agreed to.
    #[arg(long)]
    pub wording_version: String,
    /// The exact words that they agreed to.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub wording: String,
    /// They confirmed their addresses there, and you can show it; without, each gets a mail that asks to confirm.
    #[arg(long)]
    pub confirmed: bool,
    /// Says what would become of the rows and stores nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Names a column whose header is not known, for example --map email=Contact; may be repeated.
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = setting)]
    pub map: Vec<(String, String)>,
    /// Writes the refused rows with line and reason to this file (CSV).
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// `rapport issue create`.
#[derive(Clone, Debug, clap::Args)]
pub struct CreateIssue {
    /// The publication's id.
    pub publication: String,
    /// The subject; a template.
    #[arg(long)]
    pub subject: String,
    /// The file with the HTML part; a template.
    #[arg(long, value_name = "FILE", conflicts_with = "mjml")]
    pub html: Option<PathBuf>,
    /// The file with the HTML part in MJML; a template.
    #[arg(long, value_name = "FILE")]
    pub mjml: Option<PathBuf>,
    /// The file with the text part; a template. Made from the HTML without.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Only customers of this segment.
    #[arg(long, value_name = "SEGMENT_ID")]
    pub segment: Option<String>,
    /// Only customers whom this filter finds.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Not customers of this segment; may be repeated.
    #[arg(long, value_name = "SEGMENT_ID")]
    pub exclude_segment: Vec<String>,
    /// Not this address; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
    /// Withholds it from customers at risk.
    #[arg(long)]
    pub hold_at_risk: bool,
    /// Withholds it from customers with an open complaint.
    #[arg(long)]
    pub hold_open_complaints: bool,
    /// What is done with mails whose outcome is unknown: they are held for you to look at, or sent again with the same Message-ID.
    #[arg(long, default_value = "hold", value_parser = ["hold", "resend"])]
    pub on_unknown: String,
    /// Names this call: a job that runs twice with the same name creates one issue.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub request_id: String,
}

/// `rapport issue analytics`.
#[derive(Clone, Debug, clap::Args)]
pub struct Analytics {
    /// The issue's id.
    #[arg(required_unless_present = "publication", conflicts_with = "publication")]
    pub issue: Option<String>,
    /// All issues of this publication.
    #[arg(long, value_name = "PUBLICATION_ID")]
    pub publication: Option<String>,
    /// Divides time: hour or day.
    #[arg(long, value_parser = ["hour", "day"])]
    pub per: Option<String>,
    /// From when on, as 2026-12-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Answers in CSV.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

/// What can be done with issues.
#[derive(Debug, Subcommand)]
pub enum IssueCommand {
    /// Writes an issue, as a draft, from files, and prints its id.
    Create(CreateIssue),
    /// Writes every recipient of an issue to a file, with what became of the mail: .csv, or .jsonl with one object per line.
    Export {
        /// The issue's id.
        issue: String,
        /// The file; - for standard output, in CSV, or JSON lines with --json.
        file: PathBuf,
    },
    /// Says what became of an issue, or of all issues of a publication, over time: accepted, bounced, complained, unsubscribed, replied,
    /// and, where links are counted, clicks and how many a person probably made.
    Analytics(Analytics),
    /// Shows an issue as one subscriber would get it, and what could be better; fails when that person would get nothing.
    Preview {
        /// The issue's id.
        issue: String,
        /// The subscription whose subscriber it is shown for; a sample person without.
        #[arg(long)]
        subscription: Option<String>,
        /// Prints the HTML part alone, for a file that a browser opens.
        #[arg(long)]
        html: bool,
    },
    /// Sends an issue, marked [Test], to one address of ours; its accounting does not know of it.
    Test {
        /// The issue's id.
        issue: String,
        /// The address.
        to: String,
        /// The subscription whose subscriber it is written for; a sample person without.
        #[arg(long)]
        subscription: Option<String>,
    },
    /// Lets an issue be sent by itself at a time, or takes it back to the draft.
    Schedule {
        /// The issue's id.
        issue: String,
        /// When, as 2026-12-01T09:00:00Z; the draft again without.
        #[arg(long)]
        at: Option<String>,
        /// How many minutes later it may still begin, when no service ran at its time: 60 without.
        #[arg(long)]
        max_lateness_minutes: Option<u32>,
    },
    /// Sends an issue; safe to run twice.
    Send {
        /// The issue's id.
        issue: String,
        /// Shows the progress until every recipient is accounted for.
        #[arg(long)]
        watch: bool,
    },
    /// Shows the progress of an issue until every recipient is accounted for, or it is paused.
    Watch {
        /// The issue's id.
        issue: String,
    },
    /// Settles unknown outcomes by hand: all of an issue, or those that are named.
    Resolve {
        /// The issue's id.
        issue: String,
        /// Deliveries; all whose outcome is unknown without.
        deliveries: Vec<String>,
        /// What they are settled to: they arrived, are sent again with the same Message-ID, or did not arrive.
        #[arg(long, value_parser = ["accepted", "resend", "failed"])]
        to: String,
        /// How it is known, for those who look at it later.
        #[arg(long)]
        reason: String,
    },
    /// Lets nothing more of an issue be handed over until it is resumed.
    Pause {
        /// The issue's id.
        issue: String,
        /// Why, for those who look at it later.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Goes on with an issue that was paused.
    Resume {
        /// The issue's id.
        issue: String,
    },
    /// Gives an issue up, for good: who has not got it does not get it.
    Cancel {
        /// The issue's id.
        issue: String,
        /// Why, for those who look at it later.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
}
