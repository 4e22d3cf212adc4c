//! The registry against the sources: a name that nothing emits misleads whoever looks for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rapport_telemetry::names;

/// The resource's names are set by the SDK and in one place of ours.
const OF_THE_SDK: [&str; 1] = [names::SERVICE_NAME];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("telemetry/src/names.rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_name_is_emitted_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let registry = fs::read_to_string(root.join("shared/telemetry/src/names.rs")).expect("the registry");
    let mut paths = Vec::new();
    for folder in ["shared", "services"] {
        sources(&root.join(folder), &mut paths);
    }
    let all: String = paths.iter().map(|path| fs::read_to_string(path).expect("a source")).collect();
    let unused: Vec<&str> = names::ALL
        .iter()
        .filter(|entry| !OF_THE_SDK.contains(&entry.name))
        .filter(|entry| {
            let literal = format!("= \"{}\"", entry.name);
            let at = registry.find(&literal).expect("it is declared there");
            let constant = registry[..at].split_whitespace().next_back().expect("its constant");
            let named = |text: &str| {
                all.match_indices(text).any(|(at, _)| !all[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            !named(&format!("names::{constant}"))
                && !all.contains(&format!("\"{}\"", entry.name))
                && !all.contains(&format!("{} =", entry.name))
        })
        .map(|entry| entry.name)
        .collect();
    assert!(unused.is_empty(), "these names are emitted nowhere; emit them, or take them out of the registry: {unused:?}");
}
