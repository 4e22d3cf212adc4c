//! The word lists by language: data files of `services/interaction/words`, compiled in. A language without a file is not guessed at.

use std::{collections::HashMap, sync::LazyLock};

use rapport_core::Language;

use super::text::phrase;

/// What a phrase is a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sign {
    Greeting,
    NextStep,
    /// A promise by itself.
    Promise,
    /// Becomes a promise with a deed behind it: `we will`.
    Intent,
    /// What an intent promises: `send`.
    Deed,
    Criticism,
    /// Turns what follows into its opposite.
    Negation,
    /// Something personal, of the group with this number.
    Personal(usize),
    Deal,
    Condition,
    Until,
}

/// The word list of one language.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Its language.
    pub language: &'static str,
    /// The names of the groups of personal matters.
    pub groups: Vec<&'static str>,
    phrases: HashMap<String, Vec<(Sign, Vec<String>)>>,
}

/// The files, each with its language.
const FILES: [(&str, &str); 3] = [
    ("de", include_str!("../../../words/de.txt")),
    ("en", include_str!("../../../words/en.txt")),
    ("es", include_str!("../../../words/es.txt")),
];

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| FILES.iter().map(|(language, file)| Lexicon::read(language, file)).collect());

/// The word list for a language, by its primary tag; none when there is no file.
pub(super) fn of(language: &Language) -> Option<&'static Lexicon> {
    LEXICONS.iter().find(|lexicon| lexicon.language == language.primary())
}

/// The languages that have a word list.
pub fn languages() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(language, _)| *language)
}

impl Lexicon {
    /// Reads a file: `[section]` lines, and a phrase on each other line; `#` begins a comment.
    fn read(language: &'static str, file: &'static str) -> Self {
        let mut lexicon = Self { language, groups: Vec::new(), phrases: HashMap::new() };
        let mut sign = None;
        for line in file.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty()) {
            if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                sign = lexicon.section(section);
                continue;
            }
            let mut words = phrase(line);
            if let (Some(sign), false) = (sign, words.is_empty()) {
                let first = words.remove(0);
                lexicon.phrases.entry(first).or_default().push((sign, words));
            }
        }
        lexicon
    }

    fn section(&mut self, name: &'static str) -> Option<Sign> {
        if let Some(group) = name.strip_prefix("personal.") {
            self.groups.push(group);
            return Some(Sign::Personal(self.groups.len() - 1));
        }
        Some(match name {
            "greeting" => Sign::Greeting,
            "next-step" => Sign::NextStep,
            "promise" => Sign::Promise,
            "intent" => Sign::Intent,
            "deed" => Sign::Deed,
            "criticism" => Sign::Criticism,
            "negation" => Sign::Negation,
            "deal" => Sign::Deal,
            "condition" => Sign::Condition,
            "until" => Sign::Until,
            _ => return None,
        })
    }

    /// The phrases that begin with this word: what each is a sign of, and its further words.
    pub fn beginning_with(&self, word: &str) -> &[(Sign, Vec<String>)] {
        self.phrases.get(word).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_every_section_and_no_other() {
        let expected = ["greeting", "next-step", "promise", "intent", "deed", "criticism", "negation", "deal", "condition", "until"];
        for (language, file) in FILES {
            let sections: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
            for name in expected {
                assert!(sections.contains(&name), "{language}: {name}");
            }
            let unknown = sections.iter().find(|name| !expected.contains(name) && !name.starts_with("personal."));
            assert_eq!(unknown, None, "{language}");
            let lexicon = Lexicon::read(language, file);
            assert!(lexicon.groups.len() >= 5, "{language}");
        }
    }

    #[test]
    fn a_region_uses_the_list_of_its_language() {
        assert_eq!(of(&"de-AT".parse().expect("a tag")).map(|lexicon| lexicon.language), Some("de"));
        assert!(of(&"ja".parse().expect("a tag")).is_none());
    }
}
