//! Everything that is wrong with a request, gathered before it is answered: never only the first.

use std::{fmt, str::FromStr};

use crate::words::Word;

/// One thing that is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the request, for example `customer.contact_points[1].value`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// All that is wrong with a request; empty when nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Nothing wrong so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }
    /// One violation.
    pub fn one(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut all = Self::new();
        all.add(field, description);
        all
    }
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// All of them, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
    /// The value if nothing is wrong, all violations otherwise.
    ///
    /// # Errors
    /// The violations, if there are any.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) => Err(self),
            None if self.0.is_empty() => Err(Self::one("", "is incomplete")),
            None => Err(self),
        }
    }

    /// Parses a required text into a type that cannot be wrong; an empty text is a violation too.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() {
            self.add(field, "is required");
            return None;
        }
        self.parse_given(field, text)
    }
    /// Parses an optional text: none for an empty one, which is no violation.
    pub fn parse_optional<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() { None } else { self.parse_given(field, text) }
    }
    fn parse_given<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.to_string());
                None
            }
        }
    }
    /// Reads a required enum from its number on the wire.
    pub fn word<W: Word>(&mut self, field: &str, number: i32) -> Option<W> {
        if number == 0 {
            self.add(field, format!("is required: one of {}", all_words::<W>()));
            return None;
        }
        self.word_given(field, number)
    }
    /// Reads an optional enum from its number on the wire: none for 0, which is no violation.
    pub fn word_optional<W: Word>(&mut self, field: &str, number: i32) -> Option<W> {
        if number == 0 { None } else { self.word_given(field, number) }
    }
    fn word_given<W: Word>(&mut self, field: &str, number: i32) -> Option<W> {
        let word = W::from_number(number);
        if word.is_none() {
            self.add(field, format!("{number} is not a value of {}: use one of {}", W::NAME, all_words::<W>()));
        }
        word
    }
    /// A required text of at most `max` characters, without control characters other than line breaks and tabs.
    pub fn text(&mut self, field: &str, text: &str, max: usize) -> Option<String> {
        if text.trim().is_empty() {
            self.add(field, "is required");
            return None;
        }
        self.text_optional(field, text, max)
    }
    /// A text of at most `max` characters that may be empty.
    pub fn text_optional(&mut self, field: &str, text: &str, max: usize) -> Option<String> {
        let length = text.chars().count();
        if length > max {
            self.add(field, format!("has {length} characters; at most {max} are allowed"));
            return None;
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.add(field, "must not contain control characters");
            return None;
        }
        Some(text.to_owned())
    }
}

fn all_words<W: Word>() -> String {
    W::ALL.iter().map(|(_, text, _)| *text).collect::<Vec<_>>().join(", ")
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Violation { field, description }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field} {description}")?;
        }
        Ok(())
    }
}
