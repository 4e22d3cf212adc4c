//! Settings: layers, problems, secrets.

use std::path::PathBuf;

use rapport_core::Role;
use rapport_server::{
    PagesSection, Settings,
    settings::{Sources, Tls},
};
use serde::Deserialize;

fn variables(of: &[(&str, &str)]) -> Sources {
    Sources { variables: of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), ..Sources::default() }
}

fn with_file(directory: &tempfile::TempDir, text: &str) -> PathBuf {
    let file = directory.path().join("rapport.toml");
    std::fs::write(&file, text).expect("written");
    file
}

#[test]
fn the_file_wins_over_the_defaults_and_the_environment_over_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = with_file(&directory, "[customer]\nlisten = \"127.0.0.1:1\"\n[interaction]\nlisten = \"127.0.0.1:2\"\n");
    let sources =
        Sources { file: Some(file), ..variables(&[("RAPPORT__CUSTOMER__LISTEN", "127.0.0.1:3"), ("RAPPORT__SERVER__DRAIN_SECONDS", "7")]) };
    let settings = Settings::load(sources).expect("settings");
    let listen = |name: &str| settings.text(&format!("{name}.listen")).expect("an address");
    assert_eq!([listen("customer"), listen("interaction"), listen("feedback")], ["127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:50053"]);
    assert_eq!(settings.server.drain_seconds, 7);
}

#[test]
fn every_problem_is_told_at_once() {
    let sources = variables(&[
        ("RAPPORT__SERVER__DRAIN_SECONDS", "soon"),
        ("RAPPORT__CUSTOMER__LISTN", "127.0.0.1:3"),
        ("RAPPORT__INTERACTION__LISTEN", "0.0.0.0:50052"),
        ("RAPPORT__NEWSLETTER__PAGES__PUBLIC_URL", "http://news.example.com"),
        ("RAPPORT__DATABASE__URL", "mysql://x"),
        ("RAPPORT__TELEMETRY__TRACE_RATIO", "2"),
        ("RAPPORT__CLIENT__API_KEY_FILE", "/nowhere"),
    ]);
    let problems = Settings::load(sources).expect_err("wrong").0;
    for (key, says) in [
        ("server.drain_seconds", "whole number"),
        ("customer.listn", "did you mean listen"),
        ("interaction.listen", "auth.keys"),
        ("interaction.listen", "server.tls"),
        ("newsletter.pages.public_url", "https"),
        ("database.url", "postgres://"),
        ("telemetry.trace_ratio", "from 0 to 1"),
        ("client.api_key_file", "/nowhere"),
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(key) && problem.contains(says)), "{key} {says}: {problems:#?}");
    }
    assert_eq!(problems.len(), 8, "{problems:#?}");
}

#[test]
fn a_service_refuses_a_key_that_it_does_not_know() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Section {
        listen: String,
    }
    let settings = Settings::with(&[]).expect("settings");
    let problems = settings.section::<Section>("newsletter").expect_err("it has more keys").0;
    assert!(problems[0].starts_with("[newsletter]"), "{problems:?}");
    let pages: PagesSection = settings.section("newsletter.pages").expect("pages");
    assert_eq!(pages.listen.port(), 8084);
}

#[test]
fn a_secret_comes_from_a_file_and_is_never_printed() {
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("key");
    std::fs::write(&secret, "sesame\n").expect("written");
    let settings = Settings::with(&[("client.api_key_file", &secret.display().to_string()), ("database.url", "postgres://ada:hush@db/x")]);
    let settings = settings.expect("settings");
    assert_eq!(settings.client.api_key, "sesame");
    let (printed, debugged) = (settings.printed(), format!("{settings:?}"));
    for text in [&printed, &debugged] {
        assert!(!text.contains("sesame") && !text.contains("hush"), "{text}");
    }
    assert!(printed.contains("postgres://ada:(hidden)@db/x"), "{printed}");
}

#[test]
fn a_secret_and_its_file_are_one_too_many() {
    let problems = Settings::with(&[("client.api_key", "a"), ("client.api_key_file", "/b")]).expect_err("both").0;
    assert_eq!(problems, ["client.api_key_file: api_key is set too; set one of the two"]);
}

#[test]
fn callers_come_from_the_settings_and_from_a_file_of_their_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let hash = "0".repeat(64);
    let more = directory.path().join("keys.toml");
    std::fs::write(&more, format!("[[keys]]\nname = \"batch\"\nroles = [\"BATCH\"]\nsha256 = [\"{hash}\"]\n")).expect("written");
    let file = with_file(
        &directory,
        &format!(
            "[auth]\nkeys_file = {more:?}\n[[auth.keys]]\nname = \"shop\"\nroles = [\"AGENT\"]\nsha256 = [\"{hash}\"]\n[client]\napi_key = \"x\"\n"
        ),
    );
    let settings = Settings::load(Sources { file: Some(file), ..Sources::default() }).expect("settings");
    let callers: Vec<(&str, Role)> = settings.auth.keys.iter().map(|key| (key.name.as_str(), key.roles[0])).collect();
    assert_eq!(callers, [("shop", Role::Agent), ("batch", Role::Batch)]);
}

#[test]
fn an_address_that_is_not_loopback_is_allowed_with_callers_and_a_private_network() {
    let directory = tempfile::tempdir().expect("a directory");
    let hash = "0".repeat(64);
    let file = with_file(
        &directory,
        &format!(
            "[[auth.keys]]\nname = \"shop\"\nroles = [\"AGENT\"]\nsha256 = [\"{hash}\"]\n[client]\napi_key = \"x\"\n[server]\ntls = \"by-network\"\n[customer]\nlisten = \"0.0.0.0:50051\"\n"
        ),
    );
    let settings = Settings::load(Sources { file: Some(file), ..Sources::default() }).expect("settings");
    assert_eq!(settings.server.tls, Tls::ByNetwork);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let problems = Settings::load(Sources { file: Some("/nowhere/rapport.toml".into()), ..Sources::default() }).expect_err("missing").0;
    assert!(problems[0].contains("/nowhere/rapport.toml"), "{problems:?}");
}
