//! The command line as people and batch jobs meet it: answers, reasons, exit codes.

use std::{net::SocketAddr, path::Path};

use rapport_testkit::{
    Backend, TestDatabase,
    process::{Process, Program, binary, free_ports},
};
use serde_json::Value;

/// The customer service as a process of its own, and how the command line reaches it.
struct Served {
    database: TestDatabase,
    address: SocketAddr,
    process: Process,
}

async fn serve() -> Served {
    let database = Backend::Sqlite.database().await;
    let [port] = free_ports::<1>();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut process = serving(database.directory(), address).start();
    process.until_serving(address).await;
    Served { database, address, process }
}

fn serving(data: &Path, address: SocketAddr) -> Program {
    rapport().args(["serve", "customer", "--data"]).arg(data).args(["--set", &format!("customer.listen={address}")])
}

fn rapport() -> Program {
    Program::new(binary("rapport"))
}

impl Served {
    /// Runs a command against the service: output, errors, exit code.
    async fn run(&self, arguments: &[&str]) -> (String, String, Option<i32>) {
        rapport().args(arguments).args(["--set", &format!("client.customer=http://{}", self.address)]).run().await
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.database.directory().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    }
}

const CUSTOMERS: &str = "\u{feff}Customer Number;Full Name;E-Mail;Type\r\n\
    1;Ada Costa;ada@example.com;loyal\r\n\
    2;\"Bela; the second\";bela@example.com;new\r\n\
    3;Chloé;not an address;new\r\n\
    4;too few\r\n\
    5;Dmitri Weiss;dmitri@example.com;rich\r\n";

fn last(output: &str) -> Value {
    serde_json::from_str(output.lines().last().expect("an answer")).expect("JSON")
}

#[test]
fn a_broken_row_is_named_with_its_line_and_stops_no_other() {
    rapport_testkit::run(async {
        let served = serve().await;
        let file = served.file("customers.csv", CUSTOMERS);
        let report = served.database.directory().join("refused.csv").display().to_string();
        let (output, errors, code) = served.run(&["customers", "import", &file, "--report", &report]).await;
        assert_eq!(code, Some(4), "{output}{errors}");
        assert!(output.contains("5 rows: 2 created, 0 updated, 0 unchanged, 3 refused"), "{output}");
        let refused = std::fs::read_to_string(report).expect("the report is written");
        let lines: Vec<&str> = refused.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(lines, ["4", "5", "6"], "{refused}");
        let (output, errors, code) = served.run(&["timeline", "bela@example.com"]).await;
        assert_eq!(code, Some(0), "{output}{errors}");
        assert!(output.starts_with("Bela; the second") && output.contains("customer.created"), "{output}");
    });
}

#[test]
fn an_import_that_is_run_again_doubles_nothing_and_a_dry_run_stores_nothing() {
    rapport_testkit::run(async {
        let served = serve().await;
        let file = served.file("customers.csv", "name,email\nAda Costa,ada@example.com\nBela Ito,bela@example.com\n");
        let (dry, _, _) = served.run(&["customers", "import", &file, "--dry-run", "--json"]).await;
        assert_eq!((last(&dry)["created"].as_u64(), last(&dry)["dry_run"].as_bool()), (Some(2), Some(true)), "{dry}");
        let (first, _, code) = served.run(&["customers", "import", &file, "--json"]).await;
        assert_eq!((last(&first)["created"].as_u64(), code), (Some(2), Some(0)), "{first}");
        let (second, _, code) = served.run(&["customers", "import", &file, "--json"]).await;
        let told = last(&second);
        assert_eq!((told["created"].as_u64(), told["duplicate"].as_u64(), code), (Some(0), Some(2), Some(0)), "{second}");
    });
}

#[test]
fn interactions_are_imported_from_csv_and_from_json_lines_and_never_doubled() {
    rapport_testkit::run(async {
        let database = Backend::Sqlite.database().await;
        let [port] = free_ports::<1>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let program = rapport().args(["serve", "interaction", "--data"]).arg(database.directory());
        let mut process = program.args(["--set", &format!("interaction.listen={address}")]).start();
        process.until_serving(address).await;
        let told = "channel,purpose,point of contact,demand,product range,location,supplier,service delivery,think over\n\
                    street,sale,the red cart,created by seller,umbrellas|scarves,the station,the wholesaler,by hand,the blue one\n\
                    street,sale,,created by seller,,,,,\n\
                    street,nonsense,the red cart,asked for,,,,,the blue one\n";
        let csv = database.directory().join("street.csv");
        std::fs::write(&csv, told).expect("written");
        let lines = database.directory().join("street.jsonl");
        std::fs::write(&lines, "{\"channel\": \"phone\", \"purpose\": \"enquiry\", \"think_over\": \"it\", \"tags\": [\"a\"]}\n")
            .expect("written");
        let service = format!("client.interaction=http://{address}");
        let import = async |file: &Path| {
            let file = file.display().to_string();
            let mut words = vec!["interactions", "import", &file, "--json"];
            for value in
                ["function=sales", "kind=unpredictable", "setting=informal", "direction=outbound", "outcome=resolved", "summary=Met."]
            {
                words.extend(["--with", value]);
            }
            words.extend(["--set", &service]);
            rapport().args(words).run().await
        };
        let (output, errors, code) = import(&csv).await;
        let totals = last(&output);
        assert_eq!((totals["recorded"].as_u64(), totals["refused"].as_u64(), code), (Some(1), Some(2), Some(4)), "{output}{errors}");
        assert!(output.contains("point_of_contact") && output.contains("nonsense"), "{output}");
        let (output, _, _) = import(&csv).await;
        assert_eq!((last(&output)["recorded"].as_u64(), last(&output)["duplicate"].as_u64()), (Some(0), Some(1)), "{output}");
        let (output, errors, code) = import(&lines).await;
        assert_eq!((last(&output)["recorded"].as_u64(), code), (Some(1), Some(0)), "{output}{errors}");
        drop(process);
    });
}

#[test]
fn what_cannot_be_done_says_why_and_ends_with_its_code() {
    rapport_testkit::run(async {
        let served = serve().await;
        let wrong = served.file("wrong.csv", "colour,size\nred,1\n");
        let inhabited = std::path::Path::new(&wrong).parent().expect("a folder").display().to_string();
        let table: [(&[&str], i32, &str); 15] = [
            (&["customers", "import", "no-such-file.csv"], 2, "no-such-file.csv"),
            (&["customers", "import", &wrong], 2, "--map"),
            (&["timeline", "nobody@example.com"], 1, "nobody@example.com"),
            (&["timeline", "what is this"], 2, "neither"),
            (&["guidance", "what is this"], 2, "neither"),
            (&["guidance", "nobody@example.com", "--channel", "telepathy"], 2, "FACE_TO_FACE"),
            (&["issue", "preview", "0190163d-8694-739b-aea5-966c26f8ad91"], 3, "try again"),
            (&["issue", "test", "0190163d-8694-739b-aea5-966c26f8ad91", "ada@example.com"], 3, "try again"),
            (&["issue", "send", "0190163d-8694-739b-aea5-966c26f8ad91"], 3, "try again"),
            (&["issue", "watch", "0190163d-8694-739b-aea5-966c26f8ad91"], 3, "try again"),
            (&["issue", "resolve", "0190163d-8694-739b-aea5-966c26f8ad91", "--to", "failed", "--reason", "a log"], 3, "try again"),
            (&["issue", "resolve", "0190163d-8694-739b-aea5-966c26f8ad91", "--to", "lost", "--reason", "a log"], 2, "accepted"),
            (&["settings", "--set", "customer.listen=nowhere"], 2, "customer.listen"),
            (&["--set", "telemetry.log=warn", "settings"], 2, "same side"),
            (&["demo", "--exit", "--data", &inhabited], 2, "empty directory"),
        ];
        for (arguments, code, reason) in table {
            let nowhere = ["--set", "client.newsletter=http://127.0.0.1:9"];
            let (output, errors, ended) = served.run(&[arguments, &nowhere[..]].concat()).await;
            assert_eq!(ended, Some(code), "{arguments:?}: {output}{errors}");
            assert!(errors.contains(reason) || reason == "try again", "{arguments:?}: {errors}");
            assert!(errors.contains("error"), "{arguments:?}: {errors}");
        }
    });
}

#[test]
fn the_settings_are_printed_without_their_secrets() {
    rapport_testkit::run(async {
        let url = "postgres://rapport:very-secret@localhost/rapport";
        let (output, errors, code) = rapport().args(["settings", "--set", &format!("database.url={url}")]).run().await;
        assert_eq!(code, Some(0), "{errors}");
        assert!(output.contains("[newsletter.pages]") && !output.contains("very-secret"), "{output}");
        let (output, _, _) = rapport().args(["settings", "--json", "--set", &format!("database.url={url}")]).run().await;
        assert!(last(&output)["customer"]["listen"].is_string() && !output.contains("very-secret"), "{output}");
    });
}

#[test]
fn a_database_that_is_missing_or_in_use_is_named_at_the_start() {
    rapport_testkit::run(async {
        let mut served = serve().await;
        let [port] = free_ports::<1>();
        let other = SocketAddr::from(([127, 0, 0, 1], port));
        let (_, errors, code) = serving(served.database.directory(), other).run().await;
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(&format!("in use by process {}", served.process.id())), "{errors}");
        let (_, errors, code) =
            serving(served.database.directory(), other).args(["--set", "database.url=postgres://nobody@127.0.0.1:9/none"]).run().await;
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains("cannot connect to PostgreSQL"), "{errors}");
        assert!(served.process.terminate().await.success(), "it stops in order");
    });
}

#[test]
fn the_health_of_each_service_is_told() {
    rapport_testkit::run(async {
        let served = serve().await;
        let (output, errors, code) = served.run(&["healthcheck", "customer"]).await;
        assert_eq!(code, Some(0), "{output}{errors}");
        assert!(output.contains("customer: SERVING"), "{output}");
        let (output, _, code) = served.run(&["healthcheck", "customer", "feedback", "--set", "client.feedback=http://127.0.0.1:9"]).await;
        assert_eq!(code, Some(3), "{output}");
        assert!(output.contains("feedback: out of reach"), "{output}");
    });
}
