//! Keeps docs/telemetry.md: its tables are the registry of names, word for word.

use std::{env, fmt::Write as _, fs};

use rapport_telemetry::names::{self, Kind};

use crate::source;

const FILE: &str = "docs/telemetry.md";
/// What follows this line is written from the registry.
const MARK: &str = "<!-- From here on written by `RAPPORT_BLESS=1 cargo test --test tests telemetry` -->";

#[test]
fn the_documentation_lists_every_name_and_no_other() {
    let documented = source::read(FILE);
    let (prose, listed) = documented.split_once(MARK).unwrap_or_else(|| panic!("{FILE} must have the line\n{MARK}\nbefore its tables"));
    let expected = tables();
    if env::var_os("RAPPORT_BLESS").is_some() {
        fs::write(source::root().join(FILE), format!("{prose}{MARK}\n{expected}")).expect("the documentation can be written");
        return;
    }
    let missing: Vec<&str> = expected.lines().filter(|line| !listed.contains(line)).collect();
    let surplus: Vec<&str> = listed.lines().filter(|line| !expected.contains(line)).collect();
    assert!(
        listed.trim() == expected.trim(),
        "\n{FILE} differs from the registry (shared/telemetry/src/names.rs).\nMissing: {missing:#?}\nNot in the registry: {surplus:#?}\n\n\
         Write it anew with `RAPPORT_BLESS=1 cargo test --test tests telemetry`.\n"
    );
}

#[test]
fn a_name_is_there_once_and_explained() {
    for (at, entry) in names::ALL.iter().enumerate() {
        assert!(
            !names::ALL[..at].iter().any(|other| other.name == entry.name && is_metric(other.kind) == is_metric(entry.kind)),
            "{} is there twice",
            entry.name
        );
        assert!(entry.doc.ends_with('.') && entry.doc.len() > 10, "{} is explained in a sentence", entry.name);
    }
}

fn is_metric(kind: Kind) -> bool {
    matches!(kind, Kind::Metric { .. })
}

fn tables() -> String {
    let mut text = String::new();
    let of = |wanted: fn(&Kind) -> bool| names::ALL.iter().filter(move |entry| wanted(&entry.kind));
    write!(text, "\n## Spans\n\n| Span | Meaning |\n|---|---|\n").expect("a string takes every text");
    for entry in of(|kind| matches!(kind, Kind::Span)) {
        writeln!(text, "| `{}` | {} |", entry.name, entry.doc).expect("a string takes every text");
    }
    write!(text, "\n## Attributes\n\n| Attribute | Meaning |\n|---|---|\n").expect("a string takes every text");
    for entry in of(|kind| matches!(kind, Kind::Attribute)) {
        writeln!(text, "| `{}` | {} |", entry.name, entry.doc).expect("a string takes every text");
    }
    write!(text, "\n## Metrics\n\n| Metric | Instrument | Unit | Meaning |\n|---|---|---|---|\n").expect("a string takes every text");
    for entry in of(|kind| is_metric(*kind)) {
        let Kind::Metric { instrument, unit } = entry.kind else { continue };
        writeln!(text, "| `{}` | {} | `{unit}` | {} |", entry.name, instrument.as_str(), entry.doc).expect("a string takes every text");
    }
    text
}
