//! Keeps what is deployed: the compose file against the schema of Compose, the image against what it starts.

use std::{path::Path, process::Command};

use crate::source;

#[test]
fn the_compose_file_has_the_schema_of_compose() {
    let Some(python) = std::env::var_os("RAPPORT_TEST_PYTHON") else {
        println!("skipped: the schema comes with the Python that ./test fetches");
        return;
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker-compose.yml");
    let mut check = Command::new(python);
    check.args(["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]).arg(file);
    let output = check.output().expect("the Python of the tests starts");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_image_is_built_with_the_toolchain_of_the_repository_and_does_not_run_as_root() {
    let (image, toolchain) = (source::read("Dockerfile"), source::read("rust-toolchain.toml"));
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix("\"")).expect("a channel");
    let minor = channel.rsplit_once('.').map_or(channel, |(minor, _)| minor);
    assert!(image.contains(&format!("FROM rust:{minor}-slim")), "the Dockerfile and rust-toolchain.toml name different versions of Rust");
    let user = image.lines().rfind(|line| line.starts_with("USER "));
    assert!(user.is_some_and(|user| user != "USER root"), "the last USER of the Dockerfile is not root");
    for word in ["HEALTHCHECK", "STOPSIGNAL SIGTERM", "--locked"] {
        assert!(image.contains(word), "the Dockerfile lost its {word}");
    }
}

#[test]
fn the_rule_finder_names_only_what_is_there() {
    let text = source::read("CONTRIBUTING.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (_, finder) = text.split_once("## The rule finder").expect("the rule finder");
    let mut gone = Vec::new();
    let mut seen = 0;
    for row in finder.lines().filter(|line| line.starts_with("| ")) {
        let (_, kept_by) = row.trim_end_matches([' ', '|']).rsplit_once('|').expect("a row has two columns");
        for name in kept_by.split('`').skip(1).step_by(2).filter(|name| !name.starts_with('[')) {
            seen += 1;
            let (file, test) = name.split_once("::").map_or((name, None), |(file, test)| (file, Some(test)));
            let there = root.join(file).exists() && test.is_none_or(|test| source::read(file).contains(&format!("fn {test}")));
            if !there {
                gone.push(name.to_owned());
            }
        }
    }
    assert!(seen > 10, "the rule finder is a table whose last column names files and tests in backticks");
    assert!(gone.is_empty(), "CONTRIBUTING.md names what is not there: {}", gone.join(", "));
}
