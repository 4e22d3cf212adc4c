//! Who calls, and what he may.

use std::path::Path;

use rapport_core::Role;
use rapport_server::{Host, Settings, StartError, settings::Sources, world::world};
use rapport_testkit::{Backend, eventually};
use sha2::{Digest, Sha256};
use tonic::{Code, Request, metadata::MetadataValue};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, Gate, no_migrations, question, recording, roles, start};

fn key(name: &str, role: &str, keys: &[&str]) -> String {
    let hashes: Vec<String> = keys.iter().map(|key| format!("{:?}", data_encoding::HEXLOWER.encode(&Sha256::digest(key)))).collect();
    format!("[[auth.keys]]\nname = {name:?}\nroles = [{role:?}]\nsha256 = [{}]\n", hashes.join(", "))
}

async fn with_keys(directory: &Path, keys: &str) -> Fixture {
    let file = directory.join("rapport.toml");
    std::fs::write(&file, keys).expect("written");
    let sources = Sources { file: Some(file), ..Sources::default() }.set("client.api_key", "inner");
    Fixture::from(Backend::Sqlite, sources).await
}

fn bearing<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = MetadataValue::try_from(format!("Bearer {key}")).expect("a header");
    request.metadata_mut().insert("authorization", value);
    request
}

#[tokio::test]
async fn without_keys_everybody_on_loopback_is_local() {
    let fixture = Fixture::start(&[]).await;
    let answer = fixture.consents().await.check_consent(question("")).await.expect("allowed").into_inner();
    assert_eq!(answer.answers[0].reason, "local");
}

#[tokio::test]
async fn a_call_without_a_known_key_is_told_which_role_it_needs() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = with_keys(directory.path(), &key("shop", "READER", &["sesame"])).await;
    let mut consents = fixture.consents().await;
    let bare = consents.check_consent(question("")).await.expect_err("no key");
    let wrong = consents.check_consent(bearing(question(""), "guess")).await.expect_err("a wrong key");
    for status in [bare, wrong] {
        assert_eq!(status.code(), Code::Unauthenticated);
        let details = status.get_error_details();
        let info = details.error_info().expect("info");
        assert_eq!((info.reason.as_str(), info.metadata["role"].as_str()), ("UNAUTHENTICATED", "READER"));
    }
}

#[tokio::test]
async fn a_caller_does_what_its_roles_allow_and_is_told_what_they_do_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = key("shop", "READER", &["sesame"]) + &key("desk", "SUPERVISOR", &["open", "wide"]);
    let fixture = with_keys(directory.path(), &keys).await;
    let mut consents = fixture.consents().await;
    let answer = consents.check_consent(bearing(question(""), "sesame")).await.expect("allowed").into_inner();
    assert_eq!(answer.answers[0].reason, "shop");
    let denied = consents.record_consent(bearing(recording("x", ""), "sesame")).await.expect_err("an agent's work");
    assert_eq!(
        (denied.code(), denied.get_error_details().error_info().expect("info").metadata["role"].as_str()),
        (Code::PermissionDenied, "AGENT")
    );
    for key in ["open", "wide"] {
        consents.record_consent(bearing(recording("x", ""), key)).await.expect("both keys of the caller are active");
    }
}

#[tokio::test]
async fn health_is_for_everybody() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = with_keys(directory.path(), &key("shop", "READER", &["sesame"])).await;
    let request = HealthCheckRequest { service: "rapport.customer.v1.ConsentService".to_owned() };
    HealthClient::new(fixture.channel().await).check(request).await.expect("serving");
}

#[tokio::test]
async fn keys_are_changed_without_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = with_keys(directory.path(), &key("shop", "READER", &["sesame"])).await;
    let consents = fixture.consents().await;
    std::fs::write(directory.path().join("rapport.toml"), key("shop", "READER", &["changed", "again"])).expect("written");
    let changed = async || consents.clone().check_consent(bearing(question(""), "changed")).await.is_ok();
    eventually("the new key is known", changed).await;
    consents.clone().check_consent(bearing(question(""), "sesame")).await.expect_err("the old key is not");
}

#[tokio::test]
async fn an_rpc_without_a_role_stops_the_start_and_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display().to_string();
    let host = Host::new(Settings::with(&[("data.directory", &path)]).expect("settings"), world());
    let database = host.database("customer", no_migrations(), "").await.expect("a database");
    let gap: Vec<(&'static str, Role)> = roles()
        .iter()
        .copied()
        .filter(|(name, _)| !name.ends_with("/CheckConsent"))
        .chain([("rapport.customer.v1.ConsentService/Typo", Role::Reader)])
        .collect();
    let started = start(&host, &database, &Gate::default(), Box::leak(gap.into_boxed_slice())).await;
    let Err(StartError::Roles { problems, .. }) = started else { panic!("it must not start: {started:?}") };
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("ConsentService/CheckConsent has no role") && problems[1].contains("Typo"), "{problems:?}");
}
