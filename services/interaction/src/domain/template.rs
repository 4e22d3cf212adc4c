//! Templates of canned messages: read when they are stored, filled in strictly, with limits on work, size and what they may do.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use minijinja::{Environment, Error, UndefinedBehavior, filters, tests};

/// The longest text that a template makes, in octets.
pub const MAX_OUTPUT: usize = 64 * 1024;
/// How many steps one rendering may take.
const FUEL: u64 = 50_000;
/// The statements that a template may use.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "raw", "endraw"];

/// The variables that a template may name: plain ones, and those of a group as `group.name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Offers a variable; one that is empty is not offered. A later one replaces an earlier one.
    pub fn offer(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(name.into(), value);
        }
    }

    /// Takes what a caller gives, as it is given.
    pub fn give(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    fn has(&self, name: &str) -> bool {
        let group = format!("{name}.");
        self.0.contains_key(name) || self.0.keys().any(|known| known.starts_with(&group))
    }

    /// As a template sees them: groups are maps. A plain variable with the name of a group gives way to the group.
    fn tree(&self) -> BTreeMap<&str, minijinja::Value> {
        let mut plain = BTreeMap::new();
        let mut groups: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        for (name, value) in &self.0 {
            match name.split_once('.') {
                Some((group, name)) => _ = groups.entry(group).or_default().insert(name, value),
                None => _ = plain.insert(name.as_str(), minijinja::Value::from(value.as_str())),
            }
        }
        plain.extend(groups.into_iter().map(|(group, members)| (group, minijinja::Value::from_serialize(members))));
        plain
    }
}

/// Why a template makes no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// These variables are missing: each that the template names and nobody offers.
    Missing(BTreeSet<String>),
    /// Something else, with its line.
    Wrong(String),
}

/// What is wrong with a template, whatever the variables; none when it can be read.
pub fn fault(source: &str) -> Option<String> {
    let parsed = environment().template_from_str(source).map(drop).map_err(|error| told(&error));
    parsed.and_then(|()| allowed(source)).err()
}

/// The text that a template makes of these variables.
///
/// # Errors
/// Every variable that is missing, or what else is wrong.
pub fn render(source: &str, variables: &Variables) -> Result<String, Problem> {
    let environment = environment();
    let template = environment.template_from_str(source).map_err(|error| Problem::Wrong(told(&error)))?;
    let mut output = Capped(Vec::new());
    match template.render_captured_to(variables.tree(), &mut output) {
        Ok(_) => String::from_utf8(output.0).map_err(|error| Problem::Wrong(error.to_string())),
        Err(error) if error.kind() == minijinja::ErrorKind::UndefinedError => {
            let named = template.undeclared_variables(true);
            let missing: BTreeSet<String> = named.into_iter().filter(|name| !variables.has(name)).collect();
            if missing.is_empty() { Err(Problem::Wrong(told(&error))) } else { Err(Problem::Missing(missing)) }
        }
        Err(error) => Err(Problem::Wrong(told(&error))),
    }
}

/// No loader, and only filters and tests that cost no more than their input, so that fuel bounds the memory too.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment
}

fn told(error: &Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{line}{}{detail}", error.kind())
}

/// Output that stops at a limit.
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.0.len() + octets.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("the result is longer than {MAX_OUTPUT} octets")));
        }
        self.0.extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses what a message does not need and what could fill the memory in few steps: statements that repeat or keep
/// values, filters that are not there, and `*`, which repeats texts.
fn allowed(source: &str) -> Result<(), String> {
    let mut from = 0;
    while let Some(at) = source[from..].find("{%").into_iter().chain(source[from..].find("{{")).min() {
        let open = from + at;
        let line = source[..open].matches('\n').count() + 1;
        let statement = source[open..].starts_with("{%");
        let inside = inside(&source[open + 2..], if statement { "%}" } else { "}}" });
        from = open + 2 + inside.len();
        if unquoted(inside).contains('*') {
            return Err(format!("line {line}: `*` is not available"));
        }
        for filter in unquoted(inside).split('|').skip(1) {
            let name: String = filter.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !FILTERS.contains(&name.as_str()) {
                return Err(format!("line {line}: there is no filter {name:?}; there are {}", FILTERS.join(", ")));
            }
        }
        if statement {
            let word: String =
                inside.trim_start_matches(['-', '+', ' ', '\t', '\r', '\n']).chars().take_while(|c| c.is_alphabetic()).collect();
            if !STATEMENTS.contains(&word.as_str()) {
                return Err(format!("line {line}: the statement {word:?} is not available; there are if, elif, else and raw"));
            }
            if word == "raw" {
                from += source[from..].find("endraw").unwrap_or_default();
            }
        }
    }
    Ok(())
}

const FILTERS: [&str; 7] = ["capitalize", "default", "length", "lower", "title", "trim", "upper"];

/// The inside of a tag. A quote may hold the closing sign.
fn inside<'a>(text: &'a str, close: &str) -> &'a str {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if text[at..].starts_with(close) => return &text[..at],
            (None, _) => {}
        }
    }
    text
}

/// A text without what stands in quotes.
fn unquoted(text: &str) -> String {
    let mut quote = None;
    let keep = |c: &char| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None if matches!(c, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        None => true,
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod checks {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in pairs {
            variables.offer(*name, *value);
        }
        variables
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let source = "Dear {{ customer.display_name }}, {{ product }} costs {{ price }}. {{ interaction.subject }}";
        let known = variables(&[("interaction.subject", "Prices"), ("product", "a box"), ("customer.customer_id", "7")]);
        let missing = ["customer.display_name", "price"].map(str::to_owned).into();
        assert_eq!(render(source, &known), Err(Problem::Missing(missing)));
        let mut all = known;
        all.give("price".to_owned(), "3 €".to_owned());
        all.give("customer.display_name".to_owned(), "Ada".to_owned());
        assert_eq!(render(source, &all).as_deref(), Ok("Dear Ada, a box costs 3 €. Prices"));
    }

    #[test]
    fn what_may_be_missing_is_not_asked_for() {
        let source = "{% if customer.display_name is defined %}Dear {{ customer.display_name|title }}{% else %}Hello{% endif %}, {{ x|default('you') }}";
        assert_eq!(render(source, &variables(&[("customer.customer_id", "7")])).as_deref(), Ok("Hello, you"));
        assert_eq!(render(source, &variables(&[("customer.display_name", "ada l")])).as_deref(), Ok("Dear Ada L, you"));
    }

    #[test]
    fn a_template_that_cannot_be_read_says_its_line() {
        assert_eq!(fault("Hello {{ name }}"), None);
        assert_eq!(fault("100 * 2 {{ '*' }} {% raw %}{{ 2 * 2 }} {% for %}{% endraw %}"), None);
        for (source, line) in [
            ("Hello\n{{ name", "line 2"),
            ("{% if a %}", "line 1"),
            ("a\nb\n{{ a|nothing }}", "line 3"),
            ("{{ 'a' * 999999999 }}", "line 1"),
            ("\n{% set a = 'aaaa' %}", "line 2"),
            ("{% include 'secrets' %}", "line 1"),
            ("{% for a in 'abc' %}x{% endfor %}", "line 1"),
            ("{% macro x() %}{{ x() }}{% endmacro %}", "line 1"),
        ] {
            let fault = fault(source).expect("it is refused");
            assert!(fault.starts_with(line), "{source:?}: {fault}");
        }
    }

    #[test]
    fn the_result_has_a_limit() {
        let long = "{{ a }}".repeat(100);
        let variables = variables(&[("a", &"x".repeat(1000))]);
        let Err(Problem::Wrong(wrong)) = render(&long, &variables) else { panic!("it is too long") };
        assert!(!wrong.is_empty(), "it says why");
    }
}
