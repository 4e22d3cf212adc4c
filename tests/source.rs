//! Reads the sources of the repository as tests see them: files, tokens, and the paths that they name.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file of the repository.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Every file with this extension below a folder of the repository, by its path from the root, sorted.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden && !path.ends_with("target") {
            walk(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path.strip_prefix(root()).unwrap_or(&path).to_owned());
        }
    }
}

/// Every Rust file that people write here.
pub fn rust_files() -> Vec<PathBuf> {
    ["proto", "shared", "services", "tests", "benches"].into_iter().flat_map(|folder| files(folder, "rs")).collect()
}

/// Whether a file holds nothing but unit tests: those may import what they like.
pub fn holds_tests(file: &Path) -> bool {
    file.with_extension("").iter().any(|part| part == "tests" || part.to_string_lossy().ends_with("_tests"))
}

/// A piece of Rust: what is needed to find paths and declarations, no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier, a keyword or a number.
    Word(String),
    /// The contents of a string literal, as written.
    Text(String),
    /// `::`.
    Colons,
    /// Any other character.
    Mark(char),
}

impl Token {
    /// Whether this is that word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// A token and the line it stands on, from 1.
pub type Placed = (Token, usize);

/// The tokens of a Rust source without comments; character literals and lifetimes are left out.
pub fn tokens(source: &str) -> Vec<Placed> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (token, next) = next_token(&chars, at);
        tokens.extend(token.map(|token| (token, line)));
        line += chars[at..next].iter().filter(|c| **c == '\n').count();
        at = next;
    }
    tokens
}

fn next_token(chars: &[char], at: usize) -> (Option<Token>, usize) {
    let peek = |ahead: usize| chars.get(at + ahead).copied().unwrap_or(' ');
    let end_of = |from: usize, stop: &dyn Fn(usize) -> bool| (from..chars.len()).find(|i| stop(*i)).unwrap_or(chars.len());
    match chars[at] {
        '/' if peek(1) == '/' => (None, end_of(at, &|i| chars[i] == '\n')),
        '/' if peek(1) == '*' => (None, end_of(at + 2, &|i| chars[i] == '*' && chars.get(i + 1) == Some(&'/')) + 2),
        '"' => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            (Some(Token::Text(chars[at + 1..end.min(chars.len())].iter().collect())), end + 1)
        }
        '\'' if peek(1) == '\\' => (None, end_of(at + 3, &|i| chars[i] == '\'') + 1),
        '\'' if peek(2) == '\'' => (None, at + 3),
        '\'' => (None, at + 1),
        ':' if peek(1) == ':' => (Some(Token::Colons), at + 2),
        c if c == '_' || c.is_alphanumeric() => word_or_raw(chars, at),
        c if c.is_whitespace() => (None, at + 1),
        c => (Some(Token::Mark(c)), at + 1),
    }
}

fn word_or_raw(chars: &[char], at: usize) -> (Option<Token>, usize) {
    let end = (at..chars.len()).find(|i| chars[*i] != '_' && !chars[*i].is_alphanumeric()).unwrap_or(chars.len());
    let word: String = chars[at..end].iter().collect();
    let hashes = chars[end..].iter().take_while(|c| **c == '#').count();
    let raw = matches!(word.as_str(), "r" | "br" | "cr") && chars.get(end + hashes) == Some(&'"');
    if raw {
        let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        let start = end + hashes + 1;
        let close = (start..chars.len()).find(|i| chars[*i..].starts_with(&closing)).unwrap_or(chars.len());
        return (Some(Token::Text(chars[start..close].iter().collect())), close + closing.len());
    }
    if word == "r" && hashes == 1 {
        return word_or_raw(chars, end + 1);
    }
    (Some(Token::Word(word)), end)
}

/// The tokens up to the unit tests, which stand at the end of a file and may use what they like.
pub fn without_unit_tests(mut tokens: Vec<Placed>) -> Vec<Placed> {
    let marks = |window: &[Placed]| window[0].0.is("cfg") && window[1].0 == Token::Mark('(') && window[2].0.is("test");
    if let Some(at) = tokens.windows(3).position(marks) {
        tokens.truncate(at);
    }
    tokens
}

/// A path that a source names, for example `["crate", "store", "customer"]`, and its line.
pub type Named = (Vec<String>, usize);

/// Every path of two segments or more, and every path that is imported; groups in `use` are taken apart.
pub fn paths(tokens: &[Placed]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].0.is("use") {
            at = use_tree(tokens, at + 1, &mut Vec::new(), &mut found);
        } else if tokens[at].0.word().is_some() {
            let line = tokens[at].1;
            let (path, next) = plain_path(tokens, at);
            if path.len() > 1 {
                found.push((path, line));
            }
            at = next;
        } else {
            at += 1;
        }
    }
    found
}

fn plain_path(tokens: &[Placed], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(word) = tokens.get(at).and_then(|(token, _)| token.word()) {
        path.push(word.to_owned());
        if tokens.get(at + 1).is_none_or(|(token, _)| *token != Token::Colons) {
            return (path, at + 1);
        }
        at += 2;
    }
    (path, at.max(1))
}

/// Reads one tree of a `use` from `at`, below `prefix`; answers where it ends.
fn use_tree(tokens: &[Placed], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Named>) -> usize {
    let depth = prefix.len();
    while let Some((token, line)) = tokens.get(at) {
        match token {
            Token::Word(word) if word == "as" => at += 2,
            Token::Word(word) => {
                prefix.push(word.clone());
                at += 1;
                if tokens.get(at).is_none_or(|(next, _)| *next != Token::Colons) {
                    found.push((prefix.clone(), *line));
                }
            }
            Token::Colons => at += 1,
            Token::Mark('*') => {
                found.push((prefix.clone(), *line));
                at += 1;
            }
            Token::Mark('{') => {
                at += 1;
                while tokens.get(at).is_some_and(|(token, _)| *token != Token::Mark('}')) {
                    let end = use_tree(tokens, at, prefix, found);
                    let comma = tokens.get(end).is_some_and(|(token, _)| *token == Token::Mark(','));
                    at = if comma || end == at { end + 1 } else { end };
                }
                at += 1;
            }
            _ => break,
        }
    }
    prefix.truncate(depth);
    at
}

/// Where the block that opens at or after `at` ends: the index of its closing brace.
pub fn block_end(tokens: &[Placed], at: usize) -> usize {
    let mut depth = 0usize;
    for (index, (token, _)) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') if depth <= 1 => return index,
            Token::Mark('}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len().saturating_sub(1)
}

#[test]
fn paths_are_found_in_uses_in_groups_and_in_plain_sight() {
    let source = "use a::{b, c::{self, d as e}, f::*}; // x::y\nfn g<'a>() { let s = \"h::i\"; j::k(r#\"l::m\"#, '\"'); }";
    let mut named: Vec<String> = paths(&tokens(source)).into_iter().map(|(path, _)| path.join("::")).collect();
    named.sort();
    assert_eq!(named, ["a::b", "a::c::d", "a::c::self", "a::f", "j::k"]);
}
