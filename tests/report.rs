//! `rapport report`: what became of interactions, for people and for programs.

use std::net::SocketAddr;

use rapport_testkit::{
    Backend, eventually,
    process::{Program, binary, free_ports},
};
use serde_json::Value;

/// Two calls and a meeting in the street, all over.
const MET: &str = r#"{"channel": "phone", "purpose": "enquiry", "source": "1", "expectation": "met", "start_time": "2025-03-03T09:00:00Z"}
{"channel": "phone", "purpose": "enquiry", "source": "2", "expectation": "missed", "start_time": "2025-03-09T09:00:00Z"}
{"channel": "street", "purpose": "sale", "source": "3", "start_time": "2025-03-10T09:00:00Z"}
"#;

#[test]
fn a_report_tells_what_was_imported_by_channel_and_week() {
    rapport_testkit::run(async {
        let place = Backend::Sqlite.database().await;
        let [port] = free_ports::<1>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let rapport = || Program::new(binary("rapport"));
        let listen = format!("interaction.listen={address}");
        let mut process = rapport().args(["serve", "interaction", "--data"]).arg(place.directory()).args(["--set", &listen]).start();
        process.until_serving(address).await;
        let service = format!("client.interaction=http://{address}");
        let file = place.directory().join("met.jsonl");
        std::fs::write(&file, MET).expect("written");
        let file = file.display().to_string();
        let mut import = vec!["interactions", "import", &file, "--set", &service];
        for value in [
            "function=sales",
            "kind=unpredictable",
            "setting=informal",
            "direction=inbound",
            "outcome=resolved",
            "summary=Met.",
            "think_over=it",
        ] {
            import.extend(["--with", value]);
        }
        let (output, errors, code) = rapport().args(import).run().await;
        assert_eq!(code, Some(0), "{output}{errors}");

        let report = async |more: &[&str]| {
            let days = ["report", "--from", "2025-03-01", "--until", "2025-03-31", "--set", &service];
            rapport().args(days).args(more.iter().copied()).run().await
        };
        eventually("all is counted", async || {
            let (output, _, code) = report(&["--json"]).await;
            let total: Value = serde_json::from_str(output.lines().last().expect("a total")).expect("JSON");
            code == Some(0) && total["total"] == true && total["interactions"] == 3
        })
        .await;
        let (output, errors, code) = report(&["--by", "channel", "--per", "week"]).await;
        assert_eq!(code, Some(0), "{output}{errors}");
        let lines: Vec<Vec<&str>> = output.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..3], ["2025-02-24", "to", "2025-04-06"], "weeks are told whole: {output}");
        assert_eq!(lines[2][..3], ["2025-03-03", "PHONE", "2"], "{output}");
        assert_eq!(lines[3][..3], ["2025-03-10", "STREET", "1"], "{output}");
        assert_eq!(lines[4][..2], ["total", "3"], "{output}");
        let (output, _, _) = report(&["--by", "setting", "--filter", "channel = PHONE", "--json"]).await;
        let row: Value = serde_json::from_str(output.lines().next().expect("a row")).expect("JSON");
        assert_eq!((&row["value"], &row["expectation_met"], &row["expectation_missed"]), (&"INFORMAL".into(), &1.into(), &1.into()));
        for wrong in [["--by", "colour"], ["--per", "hour"], ["--filter", "colour = red"]] {
            let (_, errors, code) = report(&wrong).await;
            assert!(code == Some(2) && errors.starts_with("error: "), "{wrong:?}: {errors}");
        }
        process.terminate().await;
    });
}
