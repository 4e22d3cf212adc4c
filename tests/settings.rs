//! Keeps the settings: `rapport.toml` is complete and explained, and Compose sets only what there is.

use std::{collections::BTreeMap, path::Path};

use rapport_server::settings::{Settings, Sources};
use serde::Deserialize;
use serde_json::Value;
use toml::Table;

use crate::source;

fn defaults() -> Table {
    source::read("rapport.toml").parse().expect("rapport.toml must be TOML by itself: it is compiled in as the defaults")
}

#[test]
fn the_defaults_alone_are_settings_in_which_nothing_is_missing() {
    defaults();
    let settings = Settings::load(Sources::default()).unwrap_or_else(|problems| panic!("rapport.toml alone must do: {problems}"));
    for section in ["customer", "interaction", "feedback", "newsletter"] {
        assert!(settings.text(&format!("{section}.listen")).is_some(), "[{section}] says where it listens");
    }
    let lenient: Vec<String> = source::files("shared", "rs")
        .into_iter()
        .chain(source::files("services", "rs"))
        .filter(|file| file.to_string_lossy().contains("settings"))
        .filter(|file| source::read(file).contains("#[serde(default"))
        .map(|file| file.display().to_string())
        .collect();
    assert!(
        lenient.is_empty(),
        "{lenient:?} give a setting a default of their own: write it into rapport.toml with its meaning, so that the file is complete"
    );
}

#[test]
fn every_setting_is_explained_right_above() {
    let text = source::read("rapport.toml");
    let lines: Vec<&str> = text.lines().collect();
    let mut bare = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let setting = line
            .split_once('=')
            .is_some_and(|(key, _)| key.trim().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        if setting && !lines[..at].last().is_some_and(|above| above.starts_with('#') && above.len() > 10) {
            bare.push(format!("rapport.toml:{}: {line}", at + 1));
        }
    }
    assert!(
        bare.is_empty(),
        "\n{}\n\nSay in the line above what it means, with its unit and what 0 or empty stands for.\n",
        bare.join("\n")
    );
}

/// As much of a Compose file as this one uses: a key that is not here is a slip of the pen, or belongs here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compose {
    name: Option<String>,
    services: BTreeMap<String, Container>,
    #[serde(default)]
    volumes: BTreeMap<String, Value>,
    #[serde(default)]
    networks: BTreeMap<String, Value>,
    #[serde(default)]
    configs: BTreeMap<String, Value>,
    #[serde(default)]
    secrets: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the keys are listed so that no other is accepted; only some are looked into")]
struct Container {
    image: Option<String>,
    build: Option<Value>,
    command: Option<Value>,
    entrypoint: Option<Value>,
    #[serde(default)]
    environment: BTreeMap<String, Value>,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    expose: Vec<Value>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    depends_on: BTreeMap<String, Dependency>,
    healthcheck: Option<Healthcheck>,
    #[serde(default)]
    profiles: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    configs: Vec<Value>,
    #[serde(default)]
    secrets: Vec<Value>,
    restart: Option<String>,
    user: Option<String>,
    init: Option<bool>,
    read_only: Option<bool>,
    #[serde(default)]
    tmpfs: Vec<String>,
    #[serde(default)]
    cap_drop: Vec<String>,
    #[serde(default)]
    security_opt: Vec<String>,
    stop_grace_period: Option<String>,
    mem_limit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dependency {
    condition: String,
    required: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the keys are listed so that no other is accepted; only some are looked into")]
struct Healthcheck {
    test: Vec<String>,
    interval: Option<String>,
    timeout: Option<String>,
    retries: Option<u32>,
    start_period: Option<String>,
    start_interval: Option<String>,
}

fn compose() -> Compose {
    let text = source::read("docker-compose.yml");
    let mut file: serde_json::Map<String, Value> =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("docker-compose.yml is not YAML: {error}"));
    // Parts that others refer to are kept under keys of their own.
    file.retain(|key, _| !key.starts_with("x-"));
    serde_json::from_value(Value::Object(file)).unwrap_or_else(|error| panic!("docker-compose.yml is no Compose file of ours: {error}"))
}

#[test]
fn compose_is_whole_in_itself() {
    let compose = compose();
    let mut problems = Vec::new();
    let named =
        [("volumes", &compose.volumes), ("networks", &compose.networks), ("configs", &compose.configs), ("secrets", &compose.secrets)];
    let defined = |kind: &str, name: &str| named.iter().any(|(own, all)| *own == kind && all.contains_key(name));
    for (name, container) in &compose.services {
        if container.image.is_none() && container.build.is_none() {
            problems.push(format!("{name}: has neither image nor build"));
        }
        if container.image.as_ref().is_some_and(|image| container.build.is_none() && (image.ends_with(":latest") || !image.contains(':'))) {
            problems.push(format!("{name}: its image names no version"));
        }
        for (other, dependency) in &container.depends_on {
            match compose.services.get(other) {
                None => problems.push(format!("{name}: depends on {other}, which is not there")),
                Some(other_container) if dependency.condition == "service_healthy" && other_container.healthcheck.is_none() => {
                    problems.push(format!("{name}: waits for {other} to be healthy, which has no healthcheck"));
                }
                Some(other_container)
                    if container.profiles.is_empty() && !other_container.profiles.is_empty() && dependency.required != Some(false) =>
                {
                    problems.push(format!("{name}: always runs and depends on {other}, which runs by profile only"));
                }
                Some(_) => {}
            }
        }
        for volume in container.volumes.iter().filter_map(|volume| volume.split(':').next()) {
            if !volume.starts_with(['.', '/', '~']) && !defined("volumes", volume) {
                problems.push(format!("{name}: the volume {volume} is not defined"));
            }
        }
        for network in container.networks.iter().filter(|network| !defined("networks", network)) {
            problems.push(format!("{name}: the network {network} is not defined"));
        }
        let sources = |all: &[Value]| -> Vec<String> {
            all.iter().filter_map(|one| one.as_str().or_else(|| one.get("source")?.as_str()).map(str::to_owned)).collect()
        };
        for (kind, used) in [("configs", sources(&container.configs)), ("secrets", sources(&container.secrets))] {
            for name_used in used.iter().filter(|used| !defined(kind, used)) {
                problems.push(format!("{name}: {name_used} is not defined in {kind}"));
            }
        }
        if container
            .healthcheck
            .as_ref()
            .is_some_and(|check| !["CMD", "CMD-SHELL", "NONE"].contains(&check.test.first().map_or("", String::as_str)))
        {
            problems.push(format!("{name}: its healthcheck must begin with CMD or CMD-SHELL"));
        }
    }
    let name = compose.name.unwrap_or_default();
    assert_eq!(name, "rapport", "a name of its own keeps the volumes when the folder is renamed");
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn compose_sets_only_settings_that_there_are() {
    let defaults = serde_json::to_value(defaults()).expect("TOML without dates is JSON");
    let mut problems = Vec::new();
    let mut seen = 0;
    let (compose, directory) = (compose(), tempfile::tempdir().expect("a temporary directory can be made"));
    for (name, container) in &compose.services {
        let own: Vec<(String, String)> = container
            .environment
            .iter()
            .filter(|(key, _)| key.starts_with("RAPPORT__"))
            .map(|(key, value)| (key.clone(), text(value)))
            .collect();
        seen += own.len();
        for (key, _) in &own {
            let path = key.trim_start_matches("RAPPORT__").to_lowercase();
            let known = path.split("__").try_fold(&defaults, |table, part| table.get(part));
            // The twin of a secret that reads it from a file need not be in rapport.toml by itself.
            let twin = path.strip_suffix("_file").and_then(|path| path.split("__").try_fold(&defaults, |table, part| table.get(part)));
            if known.or(twin).is_none() {
                problems.push(format!("{name}: {key}: there is no setting {}", path.replace("__", ".")));
            }
        }
        // Files named there exist in the container only: those that this file holds itself are written down here.
        let readable = own.into_iter().filter_map(|(key, value)| {
            let value = if key.ends_with("_FILE") { written(&compose, container, &value, directory.path())? } else { value };
            Some((key, value))
        });
        let readable = readable.collect();
        if let Err(wrong) = Settings::load(Sources { variables: readable, ..Sources::default() }) {
            problems.push(format!("{name}: {wrong}"));
        }
    }
    assert!(seen > 0, "docker-compose.yml sets nothing: do its services still read their settings from the environment?");
    assert!(problems.is_empty(), "\n{}\n\nCorrect docker-compose.yml, or write the setting into rapport.toml.\n", problems.join("\n"));
}

/// The path of a copy of the config that the container finds at `target`.
fn written(compose: &Compose, container: &Container, target: &str, directory: &Path) -> Option<String> {
    let mounted = container.configs.iter().find(|config| config.get("target").and_then(Value::as_str) == Some(target))?;
    let source = mounted.get("source")?.as_str()?;
    let path = directory.join(source);
    std::fs::write(&path, compose.configs.get(source)?.get("content")?.as_str()?).expect("a temporary file can be written");
    Some(path.display().to_string())
}

#[test]
fn compose_publishes_the_ports_that_callers_know() {
    let published: Vec<String> = compose().services.into_values().flat_map(|container| container.ports).collect();
    for port in ["50051", "50052", "50053", "50054", "8083", "8084"] {
        assert!(
            published.iter().any(|mapping| mapping.split(':').rev().nth(1).is_some_and(|host| host.ends_with(port))),
            "{port} is not among {published:?}"
        );
    }
}

/// A value as Compose hands it over when nothing is set around it: `${NAME:-default}` is its default.
fn text(value: &Value) -> String {
    let mut text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    while let Some((before, rest)) = text.split_once("${") {
        let Some((name, after)) = rest.split_once('}') else { break };
        let default = name.split_once(":-").or_else(|| name.split_once('-')).map_or("", |(_, default)| default);
        text = format!("{before}{default}{after}");
    }
    text
}
