//! The whole pipeline of an issue (claim, render, compose, SMTP, ledger) to Postfix's `smtp-sink`, beside nodemailer's pooled transport
//! and Postfix's `smtp-source` to the same sink in the same run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rapport_proto::newsletter::v1::{
    self as pb, issue_service_client::IssueServiceClient, publication_service_client::PublicationServiceClient,
    subscription_service_client::SubscriptionServiceClient,
};
use rapport_testkit::{Process, Program, eventually, process::free_ports};

use crate::{
    Bench,
    import::memory,
    line,
    readers::{self, Place},
    service::{Services, Store},
};

/// How many sessions each side has.
const SESSIONS: usize = 10;
/// How many are measured besides.
const MANY_SESSIONS: usize = 64;
/// How many of the mails of one measurement; nodemailer and smtp-source send as many.
const MAILS: usize = 20_000;

/// The programs of others, and where the sink listens.
struct Others {
    sink: Process,
    port: u16,
    postfix: PathBuf,
    libraries: PathBuf,
    npm: tempfile::TempDir,
    html: PathBuf,
    text: PathBuf,
}

pub async fn run(bench: &Bench) {
    println!("An issue of {MAILS} mails of 10 kB to smtp-sink, {SESSIONS} sessions, unsigned");
    let Some(others) = Others::start().await else { return };
    for store in [Store::Sqlite, Store::Postgres] {
        let (nodemailer, their_cpu) = others.nodemailer();
        let source = others.source();
        let ours = ours(bench, store, &others, MAILS, SESSIONS, None).await;
        let (node_goal, source_goal) = if store == Store::Sqlite { (5.0, 0.4) } else { (4.0, 0.3) };
        line(&format!("  {store:?} against nodemailer's pool"), ours.rate, nodemailer, node_goal);
        line(&format!("  {store:?} against smtp-source -d"), ours.rate, source, source_goal);
        let verdict = if ours.cpu <= 0.25 * their_cpu { "reached" } else { "missed" };
        println!(
            "    processor time of a mail: ours {:.0} us, nodemailer's {their_cpu:.0} us, ratio {:.2}, goal 0.25 {verdict}; memory {} MB; frozen at {:.0}/s",
            ours.cpu,
            ours.cpu / their_cpu,
            ours.memory,
            ours.frozen
        );
    }
    // A session waits for the database before each dot: more sessions wait together.
    for store in [Store::Sqlite, Store::Postgres] {
        let many = ours(bench, store, &others, MAILS, MANY_SESSIONS, None).await;
        println!("  {store:?}, {MANY_SESSIONS} sessions: {:.0}/s, {:.0} us of processor time a mail", many.rate, many.cpu);
    }
    for store in [Store::Sqlite, Store::Postgres] {
        let signed = ours(bench, store, &others, MAILS / 2, SESSIONS, Some(&rsa_key(others.npm.path()))).await;
        let verdict = if signed.rate >= 800.0 { "reached" } else { "missed" };
        println!(
            "  {store:?}, signed with RSA-2048: {:.0}/s, goal 800/s {verdict}; {:.0} us of processor time a mail",
            signed.rate, signed.cpu
        );
    }
    drop(others.sink);
    println!();
}

/// What came out of one issue.
pub struct Sent {
    /// Mails a second, from the first lease to the last outcome.
    pub rate: f64,
    /// Microseconds of processor time for each mail.
    pub cpu: f64,
    /// The memory of the service at its highest, in megabytes.
    pub memory: u64,
    /// Recipients frozen a second.
    pub frozen: f64,
}

async fn ours(bench: &Bench, store: Store, others: &Others, mails: usize, sessions: usize, key: Option<&Path>) -> Sent {
    let mut settings = vec![
        ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__HOST".to_owned(), "127.0.0.1".to_owned()),
        ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__PORT".to_owned(), others.port.to_string()),
        ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__TLS".to_owned(), "off".to_owned()),
        ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__LETTERS_PER_SESSION".to_owned(), "1000000".to_owned()),
        ("RAPPORT__NEWSLETTER__LETTERS_AT_A_TIME".to_owned(), sessions.to_string()),
    ];
    if let Some(key) = key {
        let key = key.display().to_string();
        let section = [("DOMAIN", "rapport.test"), ("SELECTOR", "bench"), ("PRIVATE_KEY_FILE", key.as_str())];
        settings.extend(section.map(|(name, value)| (format!("RAPPORT__NEWSLETTER__DKIM__BENCH__{name}"), value.to_owned())));
    }
    let services = Services::with(bench, store, &["customer", "newsletter"], None, &settings).await;
    let channel = rapport_client::connect(&services.url(3), &rapport_client::PeerSettings::default()).expect("an address");
    let publication_id = publication(&channel).await;
    let file = services.directory().join("newsletter.db");
    let place = if store == Store::Sqlite { Place::Sqlite(&file) } else { Place::Postgres(&services.database) };
    readers::grow(place, mails - 1, "'reader' || n.i || '@site' || (n.i % 200) || '.example.test'").await;

    let mut issues = IssueServiceClient::new(channel);
    let fill = |file: &Path| std::fs::read_to_string(file).expect("written before").replace("NAME", "{{ subscriber.display_name }}");
    let issue = pb::Issue {
        publication_id,
        subject: "News for {{ subscriber.display_name }}".to_owned(),
        html: fill(&others.html),
        text: fill(&others.text),
        ..Default::default()
    };
    let created = issues.create_issue(pb::CreateIssueRequest { issue: Some(issue), ..Default::default() }).await;
    let issue_id = created.expect("created").into_inner().issue.expect("the issue").issue_id;
    let pid = services.process.id();
    let asked = Instant::now();
    issues.send_issue(pb::SendIssueRequest { issue_id: issue_id.clone(), ..Default::default() }).await.expect("sent");
    let frozen = until(&mut issues, &issue_id, pb::IssueState::Sending).await - asked;
    let (begin, before) = (Instant::now(), cpu(pid));
    let end = until(&mut issues, &issue_id, pb::IssueState::Completed).await;
    let took = (end - begin).as_secs_f64();
    let used = cpu(pid) - before;
    let accounting = issues.get_accounting(pb::GetAccountingRequest { issue_id }).await.expect("answered").into_inner().accounting;
    let accepted = accounting.expect("an accounting").accepted;
    assert_eq!(accepted, mails as i64, "not all were accepted");
    Sent {
        rate: mails as f64 / took,
        cpu: used.as_secs_f64() * 1e6 / mails as f64,
        memory: memory(pid, "VmHWM"),
        frozen: mails as f64 / frozen.as_secs_f64(),
    }
}

async fn until(issues: &mut IssueServiceClient<rapport_client::Peer>, issue_id: &str, wanted: pb::IssueState) -> Instant {
    let request = pb::GetAccountingRequest { issue_id: issue_id.to_owned() };
    loop {
        let state = issues.get_accounting(request.clone()).await.expect("answered").into_inner().accounting.expect("there").issue_state();
        if state == wanted || state == pb::IssueState::Completed {
            return Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn publication(channel: &rapport_client::Peer) -> String {
    let mut publications = PublicationServiceClient::new(channel.clone());
    let sender = pb::Sender {
        from_name: "Rapport".to_owned(),
        from_address: "news@rapport.test".to_owned(),
        transport: "sink".to_owned(),
        ..Default::default()
    };
    let made = publications.create_sender(pb::CreateSenderRequest { sender: Some(sender), ..Default::default() }).await.expect("created");
    let publication = pb::Publication {
        display_name: "News".to_owned(),
        description: "What is new.".to_owned(),
        sender_id: made.into_inner().sender.expect("the sender").sender_id,
        cadence: pb::Cadence::Irregular.into(),
        ..Default::default()
    };
    let made = publications.create_publication(pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() }).await;
    let publication_id = made.expect("created").into_inner().publication.expect("the publication").publication_id;
    let subscribe = pb::SubscribeRequest {
        publication_id: publication_id.clone(),
        email: "first@example.test".to_owned(),
        source: "the benchmark".to_owned(),
        wording: "Yes.".to_owned(),
        wording_version: "1".to_owned(),
        ..Default::default()
    };
    SubscriptionServiceClient::new(channel.clone()).subscribe(subscribe).await.expect("subscribed");
    publication_id
}

/// The processor time that a process has used.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name in brackets: utime and stime are the 12th and 13th, in hundredths of a second.
    let fields: Vec<u64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    Duration::from_millis(fields.get(10).zip(fields.get(11)).map_or(0, |(user, system)| (user + system) * 10))
}

fn rsa_key(directory: &Path) -> PathBuf {
    let file = directory.join("rsa.pem");
    let made =
        Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]).arg(&file).output();
    assert!(made.is_ok_and(|output| output.status.success()), "openssl makes a key");
    file
}

impl Others {
    /// Starts the sink and fetches nodemailer; says what is missing.
    async fn start() -> Option<Self> {
        let sink = rapport_testkit::sink::program();
        let Some(program) = sink else {
            println!("  not measured: smtp-sink is not here (run ./test once, or install Debian's postfix)\n");
            return None;
        };
        let npm = tempfile::tempdir().expect("a directory");
        let fetched =
            Command::new("npm").args(["install", "--silent", "--no-fund", "--no-audit", "nodemailer"]).current_dir(npm.path()).output();
        if !fetched.as_ref().is_ok_and(|output| output.status.success()) {
            println!("  not measured: npm could not fetch nodemailer: {fetched:?}\n");
            return None;
        }
        let libraries = rapport_testkit::sink::libraries(&program);
        let [port] = free_ports();
        let mut sink = Program::new(&program).env("LD_LIBRARY_PATH", &libraries);
        if rapport_testkit::sink::runs_as_root() {
            sink = sink.args(["-u", "nobody"]);
        }
        let sink = sink.arg(format!("127.0.0.1:{port}")).arg("1000").start();
        eventually("smtp-sink listens", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        let (html, text) = (npm.path().join("mail.html"), npm.path().join("mail.txt"));
        std::fs::write(&html, body("<p style=\"margin: 0 0 1em\">Dear NAME, ", "</p>\n", 7000)).expect("written");
        std::fs::write(&text, body("Dear NAME, ", "\n\n", 2000)).expect("written");
        let postfix = program.parent().expect("a directory").to_owned();
        Some(Self { sink, port, postfix, libraries, npm, html, text })
    }

    /// Mails a second of nodemailer, and microseconds of processor time for each.
    fn nodemailer(&self) -> (f64, f64) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/foreign/nodemailer.js");
        let numbers = [usize::from(self.port), MAILS, SESSIONS].map(|number| number.to_string());
        let output =
            Command::new("node").arg(script).arg(self.npm.path()).args(numbers).args([&self.html, &self.text]).output().expect("node runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
        let measured = numbers.next().zip(numbers.next());
        measured.unwrap_or_else(|| panic!("nodemailer did not measure: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Mails a second of Postfix's own source.
    fn source(&self) -> f64 {
        let begin = Instant::now();
        let ran = Command::new(self.postfix.join("smtp-source"))
            .env("LD_LIBRARY_PATH", &self.libraries)
            .args(["-d", "-l", "10240", "-s", &SESSIONS.to_string(), "-m", &MAILS.to_string()])
            .args(["-f", "news@rapport.test", "-t", "reader@example.test"])
            .arg(format!("127.0.0.1:{}", self.port))
            .output()
            .expect("smtp-source runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        MAILS as f64 / begin.elapsed().as_secs_f64()
    }
}

fn body(begin: &str, end: &str, length: usize) -> String {
    const SENTENCE: &str = "what we heard from you last month has changed three things in our shop, and this is how. ";
    let paragraph = format!("{begin}{}{end}", SENTENCE.repeat(4));
    paragraph.repeat(length.div_ceil(paragraph.len()))
}
