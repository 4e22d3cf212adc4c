//! Keeps the house in order: who may import whom, the rooms of a service, and the size and opening of every file.

use std::{collections::BTreeMap, path::Path};

use crate::source::{self, Placed, Token};

const SERVICES: [&str; 4] = ["customer", "interaction", "feedback", "newsletter"];

/// A room of a service: which of our crates and rooms it may name, and which crates of others it must not.
struct Room {
    name: &'static str,
    ours: &'static [&'static str],
    not: &'static [&'static str],
}

const SQL: [&str; 3] = ["diesel", "diesel_async", "diesel_migrations"];

/// The rooms as architecture and CONTRIBUTING give them. `domain` has a list of what it may use instead.
const ROOMS: [Room; 8] = [
    // `jobs` only to wake one that has something to do now.
    Room {
        name: "api",
        ours: &[
            "app",
            "domain",
            "jobs",
            "peers",
            "settings",
            "rapport_core",
            "rapport_proto",
            "rapport_client",
            "rapport_server",
            "rapport_telemetry",
            "rapport_db",
        ],
        not: &SQL,
    },
    Room {
        name: "app",
        ours: &["domain", "store", "settings", "rapport_core", "rapport_db", "rapport_telemetry"],
        not: &[
            "diesel",
            "diesel_async",
            "diesel_migrations",
            "tonic",
            "tonic_types",
            "prost",
            "prost_types",
            "tokio",
            "tokio_stream",
            "axum",
        ],
    },
    // Calls to peers that api and jobs share; a service needs it only when it has such calls.
    Room { name: "peers", ours: &["domain", "settings", "rapport_core", "rapport_proto", "rapport_client", "rapport_server"], not: &SQL },
    Room { name: "domain", ours: &["rapport_core"], not: &[] },
    Room {
        name: "store",
        ours: &["domain", "rapport_core", "rapport_db"],
        not: &["tonic", "tonic_types", "prost", "prost_types", "tokio", "tokio_stream", "axum"],
    },
    Room {
        name: "jobs",
        ours: &[
            "app",
            "domain",
            "peers",
            "mail",
            "settings",
            "rapport_core",
            "rapport_proto",
            "rapport_client",
            "rapport_server",
            "rapport_telemetry",
            "rapport_db",
        ],
        not: &SQL,
    },
    Room {
        name: "mail",
        ours: &["domain", "settings", "rapport_core", "rapport_telemetry"],
        not: &["diesel", "diesel_async", "diesel_migrations", "tonic", "prost", "prost_types", "axum"],
    },
    Room {
        name: "web",
        ours: &["app", "domain", "settings", "rapport_core", "rapport_server", "rapport_telemetry", "rapport_db"],
        not: &SQL,
    },
];

/// What the pure room may use of others: nothing with I/O, a clock, async or SQL.
const PURE: [&str; 18] = [
    "std",
    "core",
    "alloc",
    "serde",
    "serde_json",
    "thiserror",
    "uuid",
    "jiff",
    "minijinja",
    "unicode_segmentation",
    "hmac",
    "sha2",
    "subtle",
    "data_encoding",
    "mail_parser",
    "mail_builder",
    "mrml",
    "css_inline",
];

/// What the pure room may not use of the standard library.
const IMPURE: [&str; 5] = ["env", "fs", "net", "process", "thread"];

/// What api, jobs and web may name of `rapport_db`: the database is opened and passed on there, never queried.
const OF_DB: [&str; 4] = ["Database", "Conn", "outbox::StoredEvent", "Migrations"];

/// Words that begin a path without being a crate.
const RELATIVE: [&str; 4] = ["crate", "self", "super", "Self"];

/// The crates of the house; a module may be called `rapport_note`.
const CRATES: [&str; 11] = [
    "rapport_core",
    "rapport_proto",
    "rapport_client",
    "rapport_server",
    "rapport_telemetry",
    "rapport_db",
    "rapport_testkit",
    "rapport_customer",
    "rapport_interaction",
    "rapport_feedback",
    "rapport_newsletter",
];

fn is_crate_or_room(name: &str) -> bool {
    CRATES.contains(&name) || ROOMS.iter().any(|room| room.name == name)
}

/// What a path begins with, seen from the crate: `crate::store::x` and `super::super::store::x` begin with `store`.
fn head(path: &[String], depth: usize) -> Option<(&str, &[String])> {
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    let relative = path.first().is_some_and(|first| first == "crate") || (supers > 0 && supers == depth);
    let skip = if relative { supers.max(1) } else { 0 };
    if !relative && path.first().is_some_and(|first| RELATIVE.contains(&first.as_str())) {
        return None;
    }
    path.get(skip).map(|first| (first.as_str(), &path[skip + 1..]))
}

/// What is wrong with one path in a room, if anything.
fn wrong_in_room(room: &Room, path: &[String], depth: usize) -> Option<String> {
    let (first, rest) = head(path, depth)?;
    let inside = path[0] == "crate" || path[0] == "super";
    let lower = first.starts_with(|c: char| c.is_ascii_lowercase());
    let of_ours = if inside { is_crate_or_room(first) } else { CRATES.contains(&first) };
    if of_ours {
        if first != room.name && !room.ours.contains(&first) {
            return Some(format!("`{}` must not use `{first}`; it may use {}", room.name, room.ours.join(", ")));
        }
        let rest = rest.join("::");
        let outside_db = first == "rapport_db" && ["api", "jobs", "web"].contains(&room.name);
        if outside_db && !rest.is_empty() && !OF_DB.iter().any(|allowed| rest.starts_with(allowed)) {
            return Some(format!("`{}` may name only {} of rapport_db: queries belong to `store`", room.name, OF_DB.join(", ")));
        }
    } else if !inside && room.not.contains(&first) {
        return Some(format!("`{}` must not use `{first}`", room.name));
    } else if room.name == "domain" && first == "std" && rest.first().is_some_and(|part| IMPURE.contains(&part.as_str())) {
        return Some("`domain` is pure: it reads no file, no environment and no clock, and starts nothing".to_owned());
    } else if !inside && room.name == "domain" && lower && is_external(first) && !PURE.contains(&first) {
        return Some(format!("`domain` is pure: `{first}` is not in the list of crates that it may use (tests/layout.rs, PURE)"));
    }
    None
}

/// Whether a crate of that name is a dependency of the workspace.
fn is_external(name: &str) -> bool {
    manifest("Cargo.toml")["workspace"]["dependencies"].as_table().is_some_and(|all| all.keys().any(|key| key.replace('-', "_") == name))
}

fn manifest(path: impl AsRef<Path>) -> toml::Table {
    let path = path.as_ref();
    source::read(path).parse().unwrap_or_else(|error| panic!("{} is not TOML: {error}", path.display()))
}

/// The tokens of a file that the rules are about: without its unit tests.
fn ruled(file: &Path) -> Vec<Placed> {
    if source::holds_tests(file) {
        return Vec::new();
    }
    source::without_unit_tests(source::tokens(&source::read(file)))
}

fn none(problems: &[String], advice: &str) {
    assert!(problems.is_empty(), "\n{}\n\n{advice}\n", problems.join("\n"));
}

#[test]
fn every_room_imports_only_what_it_may() {
    let mut problems = Vec::new();
    for service in SERVICES {
        for file in source::files(&format!("services/{service}/src"), "rs") {
            let inner: Vec<String> = file.iter().skip(3).map(|part| part.to_string_lossy().replace(".rs", "")).collect();
            let Some(room) = ROOMS.iter().find(|room| room.name == inner[0]) else { continue };
            for (path, line) in source::paths(&ruled(&file)) {
                if let Some(wrong) = wrong_in_room(room, &path, inner.len()) {
                    problems.push(format!("{}:{line}: {} — {wrong}", file.display(), path.join("::")));
                }
            }
        }
    }
    none(&problems, "Move the code to the room whose duty it is (CONTRIBUTING.md, \"Rooms\"), or pass the value in as an argument.");
}

#[test]
fn the_shared_vocabulary_is_pure_too() {
    let pure = ROOMS.iter().find(|room| room.name == "domain").expect("there is a domain");
    let mut problems = Vec::new();
    // The traits of Diesel for the values, behind a feature.
    let files = source::files("shared/core/src", "rs").into_iter().filter(|file| !file.ends_with("sql.rs"));
    for file in files {
        for (path, line) in source::paths(&ruled(&file)) {
            if let Some(wrong) = wrong_in_room(pure, &path, file.iter().count().saturating_sub(3)) {
                problems.push(format!("{}:{line}: {} — {wrong}", file.display(), path.join("::")));
            }
        }
    }
    none(&problems, "rapport-core holds values and decisions that all services share; what reads or waits belongs elsewhere in shared/.");
}

#[test]
fn diesel_is_named_in_store_and_in_the_shared_database_crate_only() {
    let mut problems = Vec::new();
    for file in source::files("shared", "rs").into_iter().chain(source::files("services", "rs")) {
        let text = file.to_string_lossy();
        // The core gives its values the traits of Diesel, behind a feature of its own: nobody else may.
        let home = text.starts_with("shared/db/") || text == "shared/core/src/sql.rs" || text.contains("/src/store");
        if home {
            continue;
        }
        for (path, line) in source::paths(&ruled(&file)) {
            if SQL.contains(&path[0].as_str()) {
                problems.push(format!("{text}:{line}: {}", path.join("::")));
            }
        }
    }
    none(&problems, "Queries belong to the room `store` of a service, or to rapport_db.");
}

#[test]
fn a_service_has_the_rooms_and_no_others() {
    let mut problems = Vec::new();
    for service in SERVICES {
        let allowed = ["main", "lib", "settings", "api", "app", "domain", "store", "jobs", "peers", "web", "mail"];
        let mut names: Vec<String> = source::files(&format!("services/{service}/src"), "rs")
            .iter()
            .filter_map(|file| file.iter().nth(3).map(|part| part.to_string_lossy().replace(".rs", "")))
            .collect();
        names.dedup();
        let rooms_of_few = |name: &str| match name {
            "mail" => service == "newsletter",
            "web" => ["newsletter", "feedback"].contains(&service),
            _ => true,
        };
        for name in names.iter().filter(|name| !allowed.contains(&name.as_str()) || !rooms_of_few(name)) {
            problems.push(format!("services/{service}/src/{name}: not a room of this service"));
        }
        for room in ["main", "lib", "api", "app", "domain", "store", "jobs"] {
            if !names.iter().any(|name| name == room) {
                problems.push(format!("services/{service}/src/{room}.rs: missing"));
            }
        }
    }
    none(&problems, "All services have the same rooms; a file that fits in none names a concept that belongs inside one.");
}

#[test]
fn what_callers_see_has_the_word_that_the_other_rooms_have_for_it() {
    // Files of `api` that hold no concept of the service but a duty of the room itself.
    let duties = ["feed", "watch", "wire", "convert", "read", "write", "services", "shared"];
    let mut problems = Vec::new();
    for service in SERVICES {
        let stems = |room: &str| -> Vec<String> {
            let files = source::files(&format!("services/{service}/src/{room}"), "rs");
            let files = files.iter().filter(|file| !source::holds_tests(file));
            files.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect()
        };
        let words: Vec<String> = ["app", "domain", "store", "jobs"].into_iter().flat_map(stems).collect();
        for stem in stems("api") {
            let concept = stem.trim_end_matches("_service").trim_end_matches("_filter");
            if !duties.contains(&concept) && !words.iter().any(|word| word == concept) {
                problems.push(format!("services/{service}/src/api/{stem}.rs: no other room has a file of that name"));
            }
        }
    }
    none(&problems, "One concept has one word: use the word that domain, app and store have for it as the file name.");
}

#[test]
fn every_file_opens_with_its_duty_and_stays_short() {
    let mut problems = Vec::new();
    for file in source::rust_files() {
        let text = source::read(&file);
        let opening = text.lines().take_while(|line| line.starts_with("//!")).count();
        let lines = text.lines().count();
        if !(1..=3).contains(&opening) {
            problems.push(format!("{}: opens with {opening} lines of `//!`; say its duty and its border in one to three", file.display()));
        }
        if lines > 500 {
            problems.push(format!("{}: {lines} lines; split it by concept, 500 is the end", file.display()));
        }
        if file.ends_with("mod.rs") {
            problems.push(format!("{}: name it after its folder, beside it", file.display()));
        }
    }
    for file in source::files("proto/rapport", "proto") {
        let lines = source::read(&file).lines().count();
        if lines > 500 {
            problems.push(format!("{}: {lines} lines; split it by concept, 500 is the end", file.display()));
        }
    }
    none(&problems, "See CONTRIBUTING.md, \"Style\".");
}

#[test]
fn no_function_is_longer_than_eighty_lines() {
    let mut problems = Vec::new();
    for file in source::rust_files() {
        let tokens = source::tokens(&source::read(&file));
        for at in 0..tokens.len().saturating_sub(1) {
            let Some(name) = tokens[at].0.is("fn").then(|| tokens[at + 1].0.word()).flatten() else { continue };
            let body = tokens[at..].iter().position(|(token, _)| matches!(token, Token::Mark('{' | ';'))).map(|found| at + found);
            let Some(body) = body.filter(|body| tokens[*body].0 == Token::Mark('{')) else { continue };
            let lines = tokens[source::block_end(&tokens, body)].1 - tokens[at].1 + 1;
            if lines > 80 {
                problems.push(format!("{}:{}: fn {name} has {lines} lines", file.display(), tokens[at].1));
            }
        }
    }
    none(&problems, "Give a part of it a name of its own: aim at 40 lines.");
}

/// Which of our crates a crate may depend on.
fn may_depend_on(name: &str) -> &'static [&'static str] {
    match name {
        "rapport-core" | "rapport-proto" | "rapport-telemetry" => &[],
        "rapport-db" => &["rapport-core", "rapport-telemetry"],
        "rapport-client" => &["rapport-core", "rapport-proto", "rapport-telemetry"],
        // Besides what the design lists, the server may use the client: it gives each service the channels to its peers.
        "rapport-server" => &["rapport-core", "rapport-proto", "rapport-db", "rapport-telemetry", "rapport-client"],
        "rapport-testkit" => &["rapport-core", "rapport-proto", "rapport-db", "rapport-telemetry", "rapport-client", "rapport-server"],
        "rapport" => &[
            "rapport-customer",
            "rapport-interaction",
            "rapport-feedback",
            "rapport-newsletter",
            "rapport-core",
            "rapport-proto",
            "rapport-client",
            "rapport-server",
            "rapport-telemetry",
        ],
        _ => &["rapport-core", "rapport-proto", "rapport-db", "rapport-client", "rapport-server", "rapport-telemetry"],
    }
}

#[test]
fn crates_depend_on_each_other_only_as_the_house_allows() {
    let mut problems = Vec::new();
    for (path, manifest) in manifests() {
        let name = manifest["package"]["name"].as_str().unwrap_or_default().to_owned();
        for dependency in manifest.get("dependencies").and_then(|all| all.as_table()).into_iter().flat_map(|all| all.keys()) {
            if dependency.starts_with("rapport") && !may_depend_on(&name).contains(&dependency.as_str()) {
                problems.push(format!("{path}: {name} must not depend on {dependency}"));
            }
        }
        for kind in ["dev-dependencies", "build-dependencies"] {
            for dependency in manifest.get(kind).and_then(|all| all.as_table()).into_iter().flat_map(|all| all.keys()) {
                let of_service = SERVICES.iter().any(|service| *dependency == format!("rapport-{service}"));
                if of_service && name != "rapport" {
                    problems.push(format!(
                        "{path}: {name} must not depend on {dependency}, not even in tests: tests of two services belong to tests/"
                    ));
                }
            }
        }
    }
    none(&problems, "Services know each other only through rapport-proto; what two of them need belongs to shared/.");
}

#[test]
fn every_version_is_set_in_the_root() {
    let mut problems = Vec::new();
    for (path, manifest) in manifests() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(kind).and_then(|all| all.as_table()).into_iter().flatten() {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    problems.push(format!("{path}: {kind}.{name}"));
                }
            }
        }
        if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true) {
            problems.push(format!("{path}: `[lints] workspace = true` is missing"));
        }
    }
    none(&problems, "Write the version into [workspace.dependencies] of the root, and `name.workspace = true` here.");
}

/// Every manifest of the workspace, by its path.
fn manifests() -> BTreeMap<String, toml::Table> {
    let mut found = BTreeMap::from([("Cargo.toml".to_owned(), manifest("Cargo.toml"))]);
    for folder in ["proto", "shared", "services"] {
        let paths = source::files(folder, "toml").into_iter().filter(|path| path.ends_with("Cargo.toml"));
        found.extend(paths.map(|path| (path.to_string_lossy().into_owned(), manifest(&path))));
    }
    found
}

#[test]
fn the_rules_of_the_rooms_catch_what_they_are_for() {
    let caught = |room: &str, source: &str, depth: usize| {
        let room = ROOMS.iter().find(|known| known.name == room).expect("the test names a room");
        source::paths(&source::tokens(source)).iter().filter_map(|(path, _)| wrong_in_room(room, path, depth)).count()
    };
    assert_eq!(caught("api", "use crate::{app, store::customer};", 2), 1, "api must not reach into store");
    assert_eq!(caught("api", "fn f() { super::super::store::find(); super::convert::ok() }", 2), 1);
    assert_eq!(caught("api", "use rapport_db::{Database, outbox};", 2), 1, "api opens no outbox");
    assert_eq!(caught("app", "use tonic::Status; use rapport_proto::customer::v1 as pb; tokio::spawn(x)", 2), 3);
    assert_eq!(caught("domain", "use std::fmt; use tracing::info; use crate::store; use serde::Serialize; std::fs::read(x)", 2), 3);
    assert_eq!(caught("store", "use diesel::prelude::*; use crate::domain::Customer; use rapport_db::on;", 2), 0);
    assert_eq!(caught("domain", "use rapport_customer::domain::Customer;", 2), 1, "no service knows another");
}
