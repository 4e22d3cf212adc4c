//! The filters of List requests: a subset of AIP-160, `field = value AND other_field > value`.

use crate::{Time, violations::Violations};

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// One comparison of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field's name.
    pub field: String,
    /// The operator.
    pub operator: Operator,
    /// The value, without quotes.
    pub value: String,
}

impl Comparison {
    /// The value as a time in RFC 3339.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn time(&self) -> Result<Time, String> {
        self.value.parse().map_err(|_| format!("{:?} is not a time: write it as in 2026-01-31T12:00:00Z", self.value))
    }
}

/// Reads a filter; each field must be one of `fields`. An empty filter has no comparisons and takes every row.
pub fn parse(filter: &str, fields: &[&str], violations: &mut Violations) -> Option<Vec<Comparison>> {
    match tokens(filter).and_then(|tokens| comparisons(&tokens)) {
        Err(problem) => {
            violations.add("filter", problem);
            None
        }
        Ok(all) => {
            let mut known = true;
            for comparison in &all {
                if !fields.contains(&comparison.field.as_str()) {
                    violations.add("filter", format!("has the unknown field {:?}: use one of {}", comparison.field, fields.join(", ")));
                    known = false;
                }
            }
            known.then_some(all)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Quoted(String),
    Operator(Operator),
}

fn tokens(filter: &str) -> Result<Vec<Token>, String> {
    if filter.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err("must not contain control characters".to_owned());
    }
    let mut found = Vec::new();
    let mut rest = filter.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            c if c.is_whitespace() => {
                rest.next();
            }
            '"' => {
                rest.next();
                found.push(Token::Quoted(quoted(&mut rest)?));
            }
            '=' | '!' | '<' | '>' => {
                rest.next();
                let equal = rest.next_if_eq(&'=').is_some();
                found.push(Token::Operator(match (next, equal) {
                    ('=', false) => Operator::Equal,
                    ('!', true) => Operator::NotEqual,
                    ('<', false) => Operator::Less,
                    ('<', true) => Operator::LessOrEqual,
                    ('>', false) => Operator::Greater,
                    ('>', true) => Operator::GreaterOrEqual,
                    _ => return Err("has an unknown operator: use =, !=, <, <=, > or >=".to_owned()),
                }));
            }
            _ => {
                let mut text = String::new();
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && !"\"=!<>".contains(*c)) {
                    text.push(c);
                }
                found.push(Token::Text(text));
            }
        }
    }
    Ok(found)
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    Err("has a quote that is not closed".to_owned())
}

fn comparisons(tokens: &[Token]) -> Result<Vec<Comparison>, String> {
    const FORM: &str = "must have the form: field = value AND other_field >= value";
    let mut found = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let [Token::Text(field), Token::Operator(operator), Token::Text(value) | Token::Quoted(value), after @ ..] = rest else {
            return Err(FORM.to_owned());
        };
        found.push(Comparison { field: field.clone(), operator: *operator, value: value.clone() });
        rest = match after {
            [] => after,
            [Token::Text(and), after @ ..] if and == "AND" && !after.is_empty() => after,
            [Token::Text(or), ..] if or == "OR" => return Err("does not know OR: make one request for each side".to_owned()),
            _ => return Err(FORM.to_owned()),
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(filter: &str) -> Result<Vec<Comparison>, Violations> {
        let mut violations = Violations::new();
        let found = parse(filter, &["state", "due_time"], &mut violations);
        violations.finish(found)
    }

    #[test]
    fn comparisons_are_read_in_order() {
        let found = read("state = OPEN AND due_time<=\"2026-01-31T12:00:00Z\"").expect("a filter");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Comparison { field: "state".into(), operator: Operator::Equal, value: "OPEN".into() });
        assert_eq!(found[1].operator, Operator::LessOrEqual);
        assert!(found[1].time().is_ok());
        assert_eq!(read("").expect("an empty filter"), []);
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        assert!(read("colour = red").expect_err("unknown").to_string().contains("colour"));
    }

    #[test]
    fn whatever_divides_words_is_passed_over() {
        assert_eq!(read("state\r\n=\u{a0}OPEN\u{2003}").expect("a filter").len(), 1);
        assert!(read("\r\nBcc: all").is_err());
    }

    #[test]
    fn half_a_filter_is_refused() {
        for wrong in ["state", "state =", "state = OPEN AND", "state = \"OPEN", "state ! OPEN", "state = OPEN OR state = KEPT", "= OPEN"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
