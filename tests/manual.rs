//! `rapport manual` and `rapport guidance` as people meet them: real processes, files with everything wrong in them, answers and exit codes.

use std::net::SocketAddr;

use rapport_testkit::{
    Backend, TestDatabase,
    process::{Process, Program, binary, free_ports},
};
use serde_json::{Value, json};

fn rapport() -> Program {
    Program::new(binary("rapport"))
}

/// The customer and the interaction service as processes of their own.
struct Served {
    database: TestDatabase,
    services: [SocketAddr; 2],
    processes: Vec<Process>,
}

impl Served {
    async fn start() -> Self {
        let database = Backend::Sqlite.database().await;
        let services = free_ports::<2>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut processes = Vec::new();
        for (name, address) in ["customer", "interaction"].into_iter().zip(services) {
            let program = rapport().args(["serve", name, "--data"]).arg(database.directory());
            let client = |name: &str, address: SocketAddr| format!("client.{name}=http://{address}");
            let program = program.args(["--set", &format!("{name}.listen={address}")]).args(["--set", &client("customer", services[0])]);
            let mut process = program.args(["--set", &client("interaction", services[1])]).start();
            process.until_serving(address).await;
            processes.push(process);
        }
        Self { database, services, processes }
    }

    async fn run(&self, arguments: &[&str]) -> (String, String, Option<i32>) {
        let [customer, interaction] = self.services.map(|address| format!("http://{address}"));
        let program = rapport().args(arguments).args(["--set", &format!("client.customer={customer}")]);
        program.args(["--set", &format!("client.interaction={interaction}")]).run().await
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.database.directory().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    }
}

fn last(output: &str) -> Value {
    serde_json::from_str(output.lines().last().expect("an answer")).expect("JSON")
}

async fn example() -> Value {
    let (example, errors, code) = rapport().args(["manual", "example"]).run().await;
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&example).expect("the example is JSON")
}

/// The place in a list of the item with this id.
fn at(manual: &Value, list: &str, key: &str, id: &str) -> usize {
    manual[list].as_array().and_then(|items| items.iter().position(|item| item[key] == id)).expect("it is there")
}

#[test]
fn everything_that_is_wrong_in_a_file_is_named_at_once_with_its_place() {
    rapport_testkit::run(async {
        let place = Backend::Sqlite.database().await;
        let mut wrong = example().await;
        let section = |id: &str| at(&wrong, "sections", "section_id", id);
        let (goals, greeting, refund, new) = (section("goals"), section("greeting"), section("policy-refund"), section("playbook-new"));
        let courses = at(&wrong, "courses", "course_id", "policies");
        wrong["titel"] = json!("a slip of the pen");
        wrong["sections"][goals]["body"] = json!("");
        wrong["sections"][greeting]["element"] = json!("MANUAL_ELEMENT_SINGING");
        wrong["sections"][refund]["scope"] = json!({ "phases": ["PHASE_AFTER_SALE"], "customer_types": ["CUSTOMER_TYPE_POTENTIAL"] });
        wrong["sections"][new]["scope"]["customer_types"] = json!(["CUSTOMER_TYPE_NEW", "CUSTOMER_TYPE_RICH"]);
        wrong["rules"][0]["severity"] = json!("SEVERITY_DEADLY");
        wrong["rules"][1]["check"] = json!({ "kind": "DRAFT_CHECK_KIND_MAX_WORDS" });
        wrong["rules"][2]["rule_id"] = json!("Not A Name");
        wrong["courses"][courses]["section_ids"] = json!(["nowhere"]);
        wrong["courses"][courses]["valid_for"] = json!("a while");
        let file = place.directory().join("wrong.json");
        std::fs::write(&file, wrong.to_string()).expect("written");
        let file = file.display().to_string();
        let expected = [
            ("titel".to_owned(), "is no field of ManualVersion"),
            (format!("sections[{greeting}].element"), "MANUAL_ELEMENT_SINGING"),
            (format!("sections[{new}].scope.customer_types[1]"), "CUSTOMER_TYPE_LOYAL"),
            ("rules[0].severity".to_owned(), "SEVERITY_BLOCK"),
            ("rules[1].check.max_words".to_owned(), "1 to 100000"),
            ("rules[2].rule_id".to_owned(), "lower-case"),
            (format!("courses[{courses}].valid_for"), "a while"),
            ("sections".to_owned(), "the element GOALS_AND_STANDARDS is missing"),
            ("sections".to_owned(), "the element GREETING_MANNER is missing"),
            (format!("sections[{goals}]"), "has no text"),
            (format!("sections[{refund}].scope"), "can never match"),
            (format!("courses[{courses}]"), "nowhere, which is not in the manual"),
        ];
        let (output, errors, code) = rapport().args(["manual", "check", &file]).run().await;
        assert_eq!(code, Some(1), "{output}{errors}");
        for (place, problem) in &expected {
            assert!(
                output.lines().any(|line| line.starts_with(&format!("{place}: ")) && line.contains(problem)),
                "{place}: {problem}:\n{output}"
            );
        }
        assert_eq!(output.lines().count(), expected.len(), "{output}");
        assert!(errors.contains(&format!("{} problems", expected.len())), "{errors}");
        let (output, _, _) = rapport().args(["manual", "check", &file, "--json"]).run().await;
        assert_eq!((output.lines().count(), last(&output)["problem"].is_string()), (expected.len(), true), "{output}");

        std::fs::write(&file, "{ \"title\": ").expect("written");
        let (_, errors, code) = rapport().args(["manual", "check", &file]).run().await;
        assert!(code == Some(2) && errors.contains("line 1"), "{errors}");
        let (_, errors, code) = rapport().args(["manual", "check", "no-such-file.json"]).run().await;
        assert!(code == Some(2) && errors.contains("no-such-file.json"), "{errors}");
    });
}

#[test]
fn a_manual_goes_from_a_file_into_force_and_back_to_a_file() {
    rapport_testkit::run(async {
        let mut served = Served::start().await;
        let mut mine = example().await;
        mine["title"] = json!("Our own manual");
        let file = served.file("mine.json", &mine.to_string());
        let (output, errors, code) = served.run(&["manual", "check", &file]).await;
        assert!(code == Some(0) && output.contains("nothing is missing"), "{output}{errors}");
        let (output, errors, code) = served.run(&["manual", "import", &file, "--json"]).await;
        assert_eq!((code, last(&output)["state"].as_str()), (Some(0), Some("DRAFT")), "{output}{errors}");
        let id = last(&output)["manual_version_id"].as_str().expect("it has an id").to_owned();
        let (output, _, _) = served.run(&["manual", "show"]).await;
        assert!(!output.starts_with("Our own manual"), "a draft is not in force: {output}");
        let (output, errors, code) = served.run(&["manual", "publish", &id]).await;
        assert!(code == Some(0) && output.contains("PUBLISHED, number 2"), "{output}{errors}");
        let (output, _, _) = served.run(&["manual", "show"]).await;
        assert!(
            output.starts_with("Our own manual") && output.contains("(confidential)") && output.contains("required course"),
            "{output}"
        );
        let (output, _, _) = served.run(&["manual", "show", "--json"]).await;
        assert_eq!(
            (output.lines().count(), last(&output)["sections"][0]["element"].as_str()),
            (1, Some("GOALS_AND_STANDARDS")),
            "{output}"
        );

        let back = served.file("back.json", "");
        let (output, errors, code) = served.run(&["manual", "export", &back]).await;
        assert!(code == Some(0) && output.is_empty() && errors.contains("written to"), "{output}{errors}");
        let (output, _, _) = served.run(&["manual", "export", "-"]).await;
        assert_eq!(output, std::fs::read_to_string(&back).expect("it is written"));
        let exported: Value = serde_json::from_str(&output).expect("it is JSON");
        assert_eq!(exported, mine, "what came in goes out");

        let mut bare = mine.clone();
        let sections = bare["sections"].as_array_mut().expect("a list");
        sections.retain(|section| {
            section["element"] != "MANUAL_ELEMENT_CALL_HANDLING" && section["element"] != "MANUAL_ELEMENT_CHANGE_UPDATES"
        });
        let file = served.file("bare.json", &bare.to_string());
        let (output, errors, code) = served.run(&["manual", "import", &file, "--publish"]).await;
        assert_eq!(code, Some(1), "{output}{errors}");
        for missing in ["CALL_HANDLING is missing", "CHANGE_UPDATES is missing", "which is not in the manual"] {
            assert!(errors.contains(missing), "{missing}: {errors}");
        }
        let (_, errors, code) = served.run(&["manual", "publish", "nonsense"]).await;
        assert!(code == Some(2) && errors.contains("manual_version_id"), "{errors}");
        let (_, errors, code) = served.run(&["manual", "publish", &id]).await;
        assert!(code == Some(1) && errors.contains("PUBLISHED"), "{errors}");
        let file = served.file("slip.json", "{\"title\": \"T\", \"rulez\": []}");
        let (output, errors, code) = served.run(&["manual", "import", &file]).await;
        assert!(code == Some(2) && output.contains("rulez: is no field") && errors.contains("nothing was imported"), "{output}{errors}");
        for process in &mut served.processes {
            process.terminate().await;
        }
    });
}

#[test]
fn guidance_for_a_customer_is_told_for_people_and_for_programs() {
    rapport_testkit::run(async {
        let served = Served::start().await;
        let file = served.file("customers.csv", "name,email,type\nAda Costa,ada@example.com,impulsive\n");
        let (output, errors, code) = served.run(&["customers", "import", &file]).await;
        assert_eq!(code, Some(0), "{output}{errors}");
        let wanted = ["guidance", "ada@example.com", "--channel", "phone", "--purpose", "sale"];
        let (output, errors, code) = served.run(&wanted).await;
        assert_eq!(code, Some(0), "{output}{errors}");
        for part in [
            "Ada Costa",
            "Advised: formal, because",
            "Do\n",
            "Do not\n",
            "How to meet this customer",
            "customer type IMPULSIVE",
            "channel PHONE",
        ] {
            assert!(output.contains(part), "{part}: {output}");
        }
        let (output, _, _) = served.run(&[&wanted[..], &["--json"]].concat()).await;
        let told = last(&output);
        assert_eq!((output.lines().count(), told["advised_setting"].as_str()), (1, Some("FORMAL")), "{output}");
        assert_eq!(told["playbook"][0]["id"], "playbook-impulsive");
        assert_eq!(
            (told["canned_messages"].clone(), told["call_flow"].clone(), told["connections"].clone()),
            (json!([]), Value::Null, json!([]))
        );
        let (_, errors, code) = served.run(&["guidance", "ada@example.com", "--purpose", "nonsense"]).await;
        assert!(code == Some(2) && errors.contains("nonsense") && errors.contains("COMPLAINT"), "{errors}");
        let (help, _, code) = rapport().args(["guidance", "--help"]).run().await;
        assert!(code == Some(0) && help.contains("--purpose"), "{help}");
        drop(served.processes);
    });
}
