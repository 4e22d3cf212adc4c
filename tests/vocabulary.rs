//! Keeps one vocabulary: every `words!` enum is the enum of that name on the wire, and the other way round.

use std::collections::BTreeMap;

use prost_reflect::EnumDescriptor;

use crate::{
    descriptor,
    source::{self, Placed, Token},
};

/// Words that callers never see as an enum, each with its package: they are written into databases and settings only.
const NOT_ON_THE_WIRE: [(&str, &str); 10] = [
    ("common", "Role"),
    ("customer", "TypeFactKind"),
    ("feedback", "RuleField"),
    ("interaction", "ConnectionLevel"),
    ("interaction", "Initiator"),
    ("interaction", "NoteKind"),
    ("interaction", "Standing"),
    ("newsletter", "Finding"),
    ("newsletter", "StopRule"),
    ("newsletter", "Verdict"),
];

/// An enum declared with `words!`: where, and each text with its number.
struct Declared {
    file: String,
    package: String,
    name: String,
    values: Vec<(i32, String)>,
}

#[test]
fn every_word_has_the_name_and_the_number_that_the_wire_gives_it() {
    let pool = descriptor::pool();
    let mut problems = Vec::new();
    for words in declared() {
        let Declared { file, package, name, values } = &words;
        let Some(on_wire) = descriptor::enums(&pool, package).into_iter().find(|own| wire_name(own) == *name) else {
            if !NOT_ON_THE_WIRE.iter().any(|(of, own)| own == name && *package == format!("rapport.{of}.v1")) {
                problems.push(format!("{file}: {name} is no enum of {package}; is it named otherwise there, or of no concern to callers?"));
            }
            continue;
        };
        let prefix = format!("{}_", descriptor::shouting(on_wire.name()));
        let wire: BTreeMap<i32, String> = on_wire
            .values()
            .filter(|value| value.number() != 0)
            .map(|value| (value.number(), value.name().strip_prefix(&prefix).unwrap_or(value.name()).to_owned()))
            .collect();
        let here: BTreeMap<i32, String> = values.iter().cloned().collect();
        for (number, text) in here.iter().filter(|(number, text)| wire.get(number) != Some(text)) {
            problems.push(format!("{file}: {name}: {number} is {text:?} here and {:?} in {package}", wire.get(number)));
        }
        for (number, text) in wire.iter().filter(|(number, _)| !here.contains_key(number)) {
            problems.push(format!("{file}: {name}: {number} {text} of {package} is missing here"));
        }
    }
    assert!(
        problems.is_empty(),
        "\n{}\n\nThe text is stored and the number is sent: add new values at the end, with the same text and number on both sides;\n\
         an enum that callers never see belongs into NOT_ON_THE_WIRE of tests/vocabulary.rs.\n",
        problems.join("\n")
    );
}

#[test]
fn every_enum_on_the_wire_is_one_of_the_words() {
    let pool = descriptor::pool();
    let declared: Vec<(String, String)> = declared().into_iter().map(|words| (words.package, words.name)).collect();
    let mut problems = Vec::new();
    for package in descriptor::packages(&pool) {
        for own in descriptor::enums(&pool, &package).iter().filter(|own| own.name() != "ErrorReason") {
            if !declared.contains(&(package.clone(), wire_name(own))) {
                problems.push(own.full_name().to_owned());
            }
        }
    }
    assert!(
        problems.is_empty(),
        "\n{}\n\nDeclare each with `words!` in the domain, so that it has one text and one number.\n",
        problems.join("\n")
    );
}

/// `State` inside `Customer` is the word `CustomerState`.
fn wire_name(own: &EnumDescriptor) -> String {
    own.full_name().strip_prefix(own.package_name()).unwrap_or_default().replace('.', "")
}

fn declared() -> Vec<Declared> {
    let mut found = Vec::new();
    for file in source::files("shared/core/src", "rs").into_iter().chain(source::files("services", "rs")) {
        let parts: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let package = if parts[0] == "shared" { "common" } else { parts[1].as_str() };
        let tokens = source::without_unit_tests(source::tokens(&source::read(&file)));
        for at in 0..tokens.len().saturating_sub(2) {
            let opens = tokens[at].0.is("words") && tokens[at + 1].0 == Token::Mark('!') && tokens[at + 2].0 == Token::Mark('{');
            let block = &tokens[at..=if opens { source::block_end(&tokens, at) } else { at }];
            if let Some((name, values)) = words(block) {
                found.push(Declared { file: file.display().to_string(), package: format!("rapport.{package}.v1"), name, values });
            }
        }
    }
    assert!(found.len() >= 11, "the words of shared/core/src/vocabulary.rs were not found: was `words!` renamed?");
    found
}

/// The name and the values of one `words! { pub enum Name { Value = 1 "TEXT", … } }`.
fn words(block: &[Placed]) -> Option<(String, Vec<(i32, String)>)> {
    let at = block.iter().position(|(token, _)| token.is("enum"))?;
    let name = block.get(at + 1)?.0.word()?.to_owned();
    let values = block.windows(3).filter_map(|window| match window {
        [(Token::Mark('='), _), (Token::Word(number), _), (Token::Text(text), _)] => Some((number.parse().ok()?, text.clone())),
        _ => None,
    });
    Some((name, values.collect()))
}
