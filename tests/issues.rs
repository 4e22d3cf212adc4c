//! `rapport issue` as batch jobs meet it: a real process, answers and exit codes.

use std::net::SocketAddr;

use rapport_proto::newsletter::v1::{
    self as pb, issue_service_client::IssueServiceClient, publication_service_client::PublicationServiceClient,
};
use rapport_testkit::{
    Backend, Process, TestDatabase,
    process::{Program, binary, free_ports},
};
use tonic::transport::{Channel, Endpoint};

/// A draft of a publication that nobody reads.
async fn draft(channel: Channel) -> String {
    let mut publications = PublicationServiceClient::new(channel.clone());
    let sender = pb::Sender {
        from_name: "The Shop".to_owned(),
        from_address: "news@shop.example".to_owned(),
        transport: "outbox".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
    let sender_id = publications.create_sender(request).await.expect("sound").into_inner().sender.expect("it").sender_id;
    let publication =
        pb::Publication { display_name: "Monthly".to_owned(), sender_id, cadence: pb::Cadence::Monthly.into(), ..Default::default() };
    let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
    let publication = publications.create_publication(request).await.expect("sound").into_inner().publication.expect("it");
    let issue = pb::Issue {
        publication_id: publication.publication_id,
        subject: "News".to_owned(),
        text: "What is new.".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
    IssueServiceClient::new(channel).create_issue(request).await.expect("sound").into_inner().issue.expect("it").issue_id
}

/// The newsletter service, and the customer service that it asks, for a test of the command line.
struct Served {
    address: SocketAddr,
    database: TestDatabase,
    _process: Process,
}

impl Served {
    async fn start() -> Self {
        let database = Backend::Sqlite.database().await;
        let [port, pages, customer] = free_ports::<3>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut program = Program::new(binary("rapport")).args(["serve", "customer", "newsletter", "--data"]).arg(database.directory());
        for (name, port) in [("customer", customer), ("newsletter", port), ("newsletter.pages", pages)] {
            program = program.args(["--set", &format!("{name}.listen=127.0.0.1:{port}")]);
        }
        let mut process = program.start();
        process.until_serving(SocketAddr::from(([127, 0, 0, 1], customer))).await;
        process.until_serving(address).await;
        Self { address, database, _process: process }
    }

    fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).expect("an address").connect_lazy()
    }

    /// What a command says on both streams, and its exit code.
    async fn rapport(&self, arguments: &[&str]) -> (String, Option<i32>) {
        let set = format!("client.newsletter=http://{}", self.address);
        let (output, errors, code) = Program::new(binary("rapport")).args(arguments).args(["--set", &set]).run().await;
        (format!("{output}{errors}"), code)
    }

    async fn steps(&self, steps: &[(&[&str], i32, &str)]) {
        for (arguments, code, told) in steps {
            let (said, ended) = self.rapport(arguments).await;
            assert_eq!(ended, Some(*code), "{arguments:?}: {said}");
            assert!(said.to_lowercase().contains(&told.to_lowercase()), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_job_imports_readers_and_writes_sends_exports_and_reports_an_issue() {
    rapport_testkit::run(async {
        let served = Served::start().await;
        let first = draft(served.channel()).await;
        let request = pb::GetIssueRequest { issue_id: first };
        let issue =
            IssueServiceClient::new(served.channel()).get_issue(request).await.expect("it is there").into_inner().issue.expect("it");
        let (publication, directory) = (issue.publication_id, tempfile::tempdir().expect("a directory"));
        let at = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(
            at("readers.csv"),
            "E-Mail;Name;Opt-in time\nada@example.test;Ada;2024-02-29\nbob@example.test;=1+1;\nno address;;\n",
        )
        .expect("written");
        std::fs::write(at("news.html"), "<p>Dear {{ subscriber.display_name }}, <a href=\"{{ unsubscribe_url }}\">leave</a></p>")
            .expect("written");
        std::fs::write(at("broken.html"), "<p>{{ subscriber.age }}</p>").expect("written");
        let (readers, news, broken, report) = (at("readers.csv"), at("news.html"), at("broken.html"), at("refused.csv"));
        let import = [
            "subscribers",
            "import",
            &readers,
            "--publication",
            &publication,
            "--source",
            "the shop before",
            "--wording-version",
            "1",
            "--confirmed",
        ];
        let with = |more: &[&'static str]| [&import[..], more].concat();
        served
            .steps(&[
                (&with(&["--dry-run"]), 4, "3 rows: 2 added, 1 refused (dry run"),
                (&[&import[..], &["--report", &report]].concat(), 4, "line 4: email"),
                (&import, 4, "3 rows: 2 known, 1 refused"),
                (&["issue", "create", &publication, "--subject", "News"], 2, "--html FILE"),
                (&["issue", "create", &publication, "--subject", "News", "--html", &broken], 2, "issue.html"),
            ])
            .await;
        let refused = std::fs::read_to_string(&report).expect("written");
        let rows: Vec<&str> = refused.lines().collect();
        assert!(rows.len() == 2 && rows[0] == "line,reason" && rows[1].starts_with("4,") && rows[1].contains("email"), "{refused}");
        let create =
            ["issue", "create", &publication, "--subject", "News for {{ subscriber.email }}", "--html", &news, "--request-id", "job-1"];
        let (created, code) = served.rapport(&create).await;
        assert_eq!((code, served.rapport(&create).await.0), (Some(0), created.clone()), "a job that runs twice creates one issue");
        let issue = created.trim();
        let (table, lines, wrong) = (at("all.csv"), at("all.jsonl"), at("all.xls"));
        served
            .steps(&[
                (&["issue", "send", issue, "--watch"], 0, "completed: audience 2 = 2 accepted"),
                (&["issue", "export", issue, &table], 0, "2 recipients"),
                (&["issue", "export", issue, &lines], 0, "2 recipients"),
                (&["issue", "export", issue, &wrong], 2, ".jsonl"),
                (&["issue", "export", "0190163d-8694-739b-aea5-966c26f8ad91", "-"], 1, "no"),
                (&["issue", "analytics", issue, "--per", "day", "--csv"], 0, "total,2,0,0,0,0,0,0"),
                (&["issue", "analytics", "--publication", &publication, "--json"], 0, "\"accepted\":2"),
                (&["issue", "analytics", issue, "--from", "yesterday"], 2, "--from yesterday"),
                (&["issue", "analytics"], 2, "<issue>"),
            ])
            .await;
        let (table, lines) = (std::fs::read_to_string(table).expect("written"), std::fs::read_to_string(lines).expect("written"));
        assert_eq!((table.lines().count(), lines.lines().count()), (3, 2), "{table}{lines}");
        assert!(table.contains("ada@example.test") && lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        assert!(served.database.directory().join("outbox").is_dir());
    });
}

#[test]
fn a_sender_is_checked_and_its_limits_are_said_on_the_command_line() {
    rapport_testkit::run(async {
        let served = Served::start().await;
        draft(served.channel()).await;
        let sender = pb::Sender { from_name: "The Shop".to_owned(), from_address: "news@other.example".to_owned(), ..Default::default() };
        let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
        let created = PublicationServiceClient::new(served.channel()).create_sender(request).await.expect("sound").into_inner();
        let sender = created.sender.expect("it").sender_id;
        served
            .steps(&[
                (&["sender", "check", &sender], 4, "[newsletter.dkim.NAME]"),
                (&["sender", "limits", &sender], 0, "a second: no limit; a day: no limit"),
                (&["sender", "limits", &sender, "--per-second", "20", "--warm-up", "500,30,20"], 0, "warm-up: 500 on the first day"),
                (&["sender", "limits", &sender, "--per-day", "9000"], 0, "a second: 20; a day: 9000"),
                (&["sender", "limits", &sender, "--none", "--json"], 0, "\"per_second\":0"),
                (&["sender", "limits", &sender, "--warm-up", "fast"], 2, "500,30,20"),
            ])
            .await;
    });
}

#[test]
fn mails_that_came_back_are_taken_from_a_pipe_a_file_and_a_maildir() {
    rapport_testkit::run(async {
        let served = Served::start().await;
        let (address, rapport) = (served.address, || Program::new(binary("rapport")));
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name).display().to_string();
        let mail = |to: &str, number: usize| {
            format!("{to}From: ada@example.test\r\nSubject: Re\r\nMessage-ID: <{number}@x>\r\n\r\nThanks {number}\r\n")
        };
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir(directory.path().join(part)).expect("made");
        }
        std::fs::write(at("one"), mail("", 1)).expect("written");
        std::fs::write(at("new/a"), mail("Delivered-To: r@shop.example\r\n", 2)).expect("written");
        std::fs::write(at("new/b"), mail("", 3)).expect("written");
        let (one, maildir, piped) = (at("one"), at(""), mail("", 4));
        let set = format!("client.newsletter=http://{address}");
        let to = ["--recipient", "r@shop.example"];
        let steps: [(&[&str], i32, &str); 6] = [
            (&["mail", "ingest", &one], 4, "give --recipient"),
            (&["mail", "ingest", &one, to[0], to[1]], 0, "1 taken in (1 reply), 0 refused"),
            (&["mail", "ingest", &maildir, "--keep"], 4, "1 taken in (1 reply), 1 refused"),
            (&["mail", "ingest", &maildir], 4, "1 taken in (1 reply), 1 refused"),
            (&["mail", "ingest", &maildir, to[0], to[1]], 0, "1 taken in"),
            (&["mail", "ingest", &maildir], 0, "0 taken in, 0 refused"),
        ];
        for (arguments, code, told) in steps {
            let (output, errors, ended) = rapport().args(arguments).args(["--set", &set]).run().await;
            assert_eq!(ended, Some(code), "{arguments:?}: {output}{errors}");
            assert!(format!("{output}{errors}").contains(told), "{arguments:?}: {output}{errors}");
        }
        let nowhere = ["mail", "ingest", &one, to[0], to[1], "--sysexits", "--set", "client.newsletter=http://127.0.0.1:1"];
        assert_eq!(rapport().args(nowhere).run().await.2, Some(75), "a mail server is to try again");
        assert_eq!(
            rapport().args(["mail", "ingest", &one, "--sysexits", "--set", &set]).run().await.2,
            Some(65),
            "a mail server is not to"
        );
        let mut seen: Vec<_> = std::fs::read_dir(at("cur")).expect("read").flatten().map(|entry| entry.file_name()).collect();
        seen.sort();
        assert_eq!(seen, ["a:2,S", "b:2,S"]);
        let script = format!("printf '%s' \"$0\" | \"$1\" mail ingest - {} {} --set {set}", to[0], to[1]);
        let (output, errors, ended) = Program::new("sh").args(["-c", &script, &piped]).arg(binary("rapport")).run().await;
        assert_eq!((ended, output.trim()), (Some(0), "1 taken in (1 reply), 0 refused"), "{errors}");
    });
}

#[test]
fn the_exit_code_tells_a_job_what_came_of_an_issue() {
    rapport_testkit::run(async {
        let served = Served::start().await;
        let issue = draft(served.channel()).await;
        let steps: [(&[&str], i32, &str); 9] = [
            (&["schedule", &issue, "--at", "tomorrow"], 2, "2026-12-01T09:00:00Z"),
            (&["schedule", &issue, "--at", "1999-12-31T00:00:00Z"], 2, "future"),
            (&["schedule", &issue, "--at", "2999-12-31T00:00:00Z", "--max-lateness-minutes", "5"], 0, "scheduled"),
            (&["schedule", &issue], 0, "draft"),
            (&["send", &issue, "--watch"], 0, "completed: audience 0"),
            (&["send", &issue, "--watch"], 5, "completed: audience 0"),
            (&["send", &issue], 5, "completed"),
            (&["resolve", &issue, "--to", "resend", "--reason", "their log"], 0, "0 settled"),
            (&["pause", &issue], 1, "completed"),
        ];
        let steps = steps.map(|(arguments, code, told)| ([&["issue"], arguments].concat(), code, told));
        let steps: Vec<(&[&str], i32, &str)> = steps.iter().map(|(arguments, code, told)| (&arguments[..], *code, *told)).collect();
        served.steps(&steps).await;
    });
}
