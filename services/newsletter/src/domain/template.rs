//! Templates: checked when they are stored, rendered strictly, with limits on work, size and what they may do.

use std::io;

use minijinja::{AutoEscape, Environment, Template, UndefinedBehavior, context, value::Value};
use rapport_core::Violations;
use serde::{Deserialize, Serialize};

use super::{html_text, markup};

/// The longest subject template, in characters.
pub const MAX_SUBJECT: usize = 500;
/// The longest template of a part, in characters.
pub const MAX_PART: usize = 256 * 1024;
/// The longest template of the HTML part that is made from one, in characters.
const MAX_READY: usize = 4 * MAX_PART;
/// The longest rendered subject, in characters.
const MAX_SUBJECT_OUTPUT: usize = 1000;
/// The longest rendered part, in octets.
const MAX_OUTPUT: usize = 1024 * 1024;
/// How many steps one rendering may take.
const FUEL: u64 = 50_000;
/// The longest tag, in octets: a text in it may be looked at in each step.
const MAX_TAG: usize = 2000;
/// How often a template may join texts.
const MAX_JOINS: usize = 50;

/// The templates of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Of the subject.
    pub subject: String,
    /// Of the HTML part; empty for none.
    pub html: String,
    /// Of the text part; empty to make it from the HTML.
    pub text: String,
    /// Of the HTML part in MJML, instead of `html`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mjml: String,
    /// Of the HTML part as it is rendered, made from `mjml` or `html` once; empty when it is `html` itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ready: String,
}

/// A mail's words for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: String,
}

impl Content {
    /// The same with its HTML part made ready: MJML turned into HTML, rules of CSS into style attributes.
    #[must_use]
    pub fn prepared(mut self, prefix: &str, violations: &mut Violations) -> Self {
        let (field, source) = if self.mjml.is_empty() { ("html", &self.html) } else { ("mjml", &self.mjml) };
        if !self.mjml.is_empty() && !self.html.is_empty() {
            violations.add(format!("{prefix}.mjml"), "must be empty when there is html: give one of them");
        }
        let length = source.chars().count();
        if length > MAX_PART {
            // The check of the parts tells it for html.
            if field == "mjml" {
                violations.add(format!("{prefix}.mjml"), format!("has {length} characters; at most {MAX_PART} are allowed"));
            }
            return self;
        }
        let made = if field == "mjml" { markup::from_mjml(source) } else { markup::with_inline_styles(source) };
        match made {
            Ok(ready) if ready == *source => self.ready = String::new(),
            Ok(ready) => self.ready = ready,
            Err(problem) => violations.add(format!("{prefix}.{field}"), problem),
        }
        self
    }

    /// The template of the HTML part as it is rendered; empty for none.
    pub fn html_source(&self) -> &str {
        if self.ready.is_empty() { &self.html } else { &self.ready }
    }

    /// Adds all that is wrong with these templates to the violations: `prefix` is the path of the message that holds them,
    /// `sample` has every variable that there will be.
    pub fn check(&self, prefix: &str, sample: &Value, violations: &mut Violations) {
        let Self { subject, html: _, text, mjml, ready: _ } = self;
        let html = self.html_source();
        if subject.trim().is_empty() {
            violations.add(format!("{prefix}.subject"), "is required");
        }
        if html.trim().is_empty() && text.trim().is_empty() && mjml.is_empty() {
            violations.add(format!("{prefix}.html"), "is required when there is no text");
        }
        for (field, source, max) in [
            ("subject", subject.as_str(), MAX_SUBJECT),
            (if mjml.is_empty() { "html" } else { "mjml" }, html, if self.ready.is_empty() { MAX_PART } else { MAX_READY }),
            ("text", text.as_str(), MAX_PART),
        ] {
            let field = format!("{prefix}.{field}");
            let length = source.chars().count();
            if length > max {
                violations.add(field, format!("has {length} characters; at most {max} are allowed"));
            } else if let Err(problem) = allowed(source).and_then(|()| render(&escaped_name(&field), source, sample)) {
                violations.add(field, problem);
            }
        }
    }

    /// The templates made ready to be rendered for many recipients.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn compile(&self) -> Result<Compiled, String> {
        let mut environment = environment();
        let html = self.html_source();
        let (has_html, has_text) = (!html.trim().is_empty(), !self.text.trim().is_empty());
        let wanted = [(SUBJECT, self.subject.as_str(), true), (HTML, html, has_html), (TEXT, self.text.as_str(), has_text || !has_html)];
        for (name, source, _) in wanted.into_iter().filter(|(_, _, wanted)| *wanted) {
            environment.add_template_owned(name, source.to_owned()).map_err(|error| told(&error))?;
        }
        Ok(Compiled { environment, has_html, has_text })
    }

    /// The words for one recipient.
    ///
    /// # Errors
    /// What is wrong with the templates or the values.
    pub fn render(&self, values: &Value) -> Result<Rendered, String> {
        self.compile()?.render(values)
    }
}

const SUBJECT: &str = "subject";
const HTML: &str = "content.html";
const TEXT: &str = "text";

/// Templates that were parsed once.
#[derive(Debug)]
pub struct Compiled {
    environment: Environment<'static>,
    has_html: bool,
    has_text: bool,
}

impl Compiled {
    /// The words for one recipient.
    ///
    /// # Errors
    /// What is wrong with the values.
    pub fn render(&self, values: &Value) -> Result<Rendered, String> {
        let part = |name| self.environment.get_template(name).map_err(|error| told(&error)).and_then(|template| output(&template, values));
        let subject = part(SUBJECT)?;
        let html = if self.has_html { Some(part(HTML)?) } else { None };
        let text = match &html {
            Some(html) if !self.has_text => html_text::from_html(html),
            _ => part(TEXT)?,
        };
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        if subject.is_empty() {
            return Err("the subject is empty for this recipient".to_owned());
        }
        if subject.chars().count() > MAX_SUBJECT_OUTPUT {
            return Err(format!("the subject is longer than {MAX_SUBJECT_OUTPUT} characters for this recipient"));
        }
        Ok(Rendered { subject, html, text })
    }
}

impl Rendered {
    /// The same with a visible way to leave at the end of each part that has none.
    #[must_use]
    pub fn with_unsubscribe(mut self, url: &str) -> Self {
        if !self.text.contains(url) {
            self.text = format!("{}\n\n-- \nUnsubscribe: {url}\n", self.text.trim_end());
        }
        if let Some(html) = self.html.take_if(|html| !html.contains(url)) {
            let footer = format!("<hr>\n<p><a href=\"{url}\">Unsubscribe</a></p>\n");
            let at = html.to_ascii_lowercase().rfind("</body>").unwrap_or(html.len());
            self.html = Some(format!("{}\n{footer}{}", &html[..at], &html[at..]));
        }
        self
    }
}

/// The values that every template of an issue may name, with samples: the issue is checked against them.
pub fn issue_sample() -> Value {
    let links =
        Links { unsubscribe_url: "https://example.com/unsubscribe/token", preferences_url: "https://example.com/preferences/token" };
    issue_values("Ada", "ada@example.com", "en", "Our newsletter", "What is new", Some(links))
}

/// The same for notices, which nobody can leave.
pub fn notice_sample() -> Value {
    issue_values("Ada", "ada@example.com", "en", "Our notices", "What changes", None)
}

/// The pages that an issue may lead one recipient to.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    /// The page that ends the subscription.
    pub unsubscribe_url: &'a str,
    /// The page of all that the person receives.
    pub preferences_url: &'a str,
}

/// The values of an issue for one recipient.
pub fn issue_values(name: &str, email: &str, language: &str, publication: &str, description: &str, links: Option<Links<'_>>) -> Value {
    let values = context! {
        subscriber => context! { display_name => name, email, language },
        publication => context! { display_name => publication, description },
    };
    // Ours, and without a letter that HTML knows otherwise: escaped, their slashes would be entities.
    let link = |url: &str| Value::from_safe_string(url.to_owned());
    match links {
        Some(Links { unsubscribe_url, preferences_url }) => {
            context! { unsubscribe_url => link(unsubscribe_url), preferences_url => link(preferences_url), ..values }
        }
        None => values,
    }
}

/// The name under which the template of a field is rendered: MJML is HTML by then.
fn escaped_name(field: &str) -> String {
    field.strip_suffix("mjml").map_or_else(|| field.to_owned(), |prefix| format!("{prefix}html"))
}

/// Renders one template; a name that ends in `.html` is escaped.
fn render(name: &str, source: &str, values: &Value) -> Result<String, String> {
    let environment = environment();
    let template = environment.template_from_named_str(name, source).map_err(|error| told(&error))?;
    output(&template, values)
}

/// What every template is rendered in.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    minijinja_filters(&mut environment);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    environment
}

fn told(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("cannot be rendered{line}: {}{detail}", error.kind())
}

fn output(template: &Template<'_, '_>, values: &Value) -> Result<String, String> {
    let mut output = Capped(Vec::new());
    template.render_captured_to(values, &mut output).map_err(|error| told(&error))?;
    String::from_utf8(output.0).map_err(|error| error.to_string())
}

/// The filters and tests that cost no more than their input, so that fuel bounds the memory too.
fn minijinja_filters(environment: &mut Environment<'_>) {
    use minijinja::{filters, tests};
    environment.add_filter("safe", filters::safe);
    environment.add_filter("escape", filters::escape);
    environment.add_filter("e", filters::escape);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
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

/// Refuses what a mail does not need and what could fill the memory in few steps: statements that keep values, and `*`,
/// which repeats texts.
fn allowed(source: &str) -> Result<(), String> {
    const STATEMENTS: [&str; 5] = ["if", "elif", "else", "endif", "raw"];
    const LOOPS: [&str; 2] = ["for", "endfor"];
    let mut rest = source;
    let (mut loops, mut joined) = (0_usize, 0_usize);
    while let Some(at) = next_tag(rest) {
        if rest[at..].starts_with("{#") {
            rest = &rest[at + 2 + closed(&rest[at + 2..], "#}")?..];
            continue;
        }
        let statement = rest[at..].starts_with("{%");
        let (inside, after) = tag(&rest[at + 2..], if statement { "%}" } else { "}}" })?;
        rest = after;
        if outside_quotes(inside).any(|c| c == '*') {
            return Err("must not multiply: `*` is not available".to_owned());
        }
        if inside.len() > MAX_TAG {
            return Err(format!("has a tag of {} octets; at most {MAX_TAG} are allowed", inside.len()));
        }
        let joins = outside_quotes(inside).filter(|c| matches!(c, '~' | '+')).count();
        joined += joins;
        if joined > MAX_JOINS || (loops > 0 && joins > 0) {
            return Err(format!("joins texts by ~ or + in a loop, or more than {MAX_JOINS} times: write them beside each other"));
        }
        if statement {
            let word = inside.trim_start_matches(['-', '+']).split_whitespace().next().unwrap_or_default().trim_end_matches(['-', '+']);
            if word == "endraw" {
                continue;
            }
            if word == "raw" {
                rest = rest.find("endraw").map_or("", |end| &rest[end..]);
                rest = rest.find("%}").map_or("", |end| &rest[end + 2..]);
            }
            match word {
                "for" => loops += 1,
                "endfor" => loops = loops.saturating_sub(1),
                _ => {}
            }
            if !STATEMENTS.contains(&word) && !LOOPS.contains(&word) {
                return Err(format!("uses the statement {word:?}: only if, elif, else, for and raw are available"));
            }
        }
    }
    Ok(())
}

/// Where the next tag of a template begins.
pub(super) fn next_tag(text: &str) -> Option<usize> {
    text.match_indices('{').map(|(at, _)| at).find(|at| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')))
}

/// How long a tag is to the end of its closing sign. A quote may hold the closing sign, except in a comment.
pub(super) fn closed(text: &str, close: &str) -> Result<usize, String> {
    if close == "#}" {
        return text.find(close).map(|at| at + 2).ok_or_else(|| "has a comment that is not closed by #}".to_owned());
    }
    tag(text, close).map(|(_, after)| text.len() - after.len())
}

/// The inside of a tag and what comes after it. A quote may hold the closing sign.
fn tag<'a>(text: &'a str, close: &str) -> Result<(&'a str, &'a str), String> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if text[at..].starts_with(close) => return Ok((&text[..at], &text[at + close.len()..])),
            (None, _) => {}
        }
    }
    Err(format!("has a tag that is not closed by {close}"))
}

fn outside_quotes(text: &str) -> impl Iterator<Item = char> {
    let mut quote = None;
    text.chars().filter(move |c| match quote {
        Some(open) if *c == open => {
            quote = None;
            false
        }
        Some(_) => false,
        None if matches!(c, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subject: &str, html: &str, text: &str) -> Vec<String> {
        let mut violations = Violations::new();
        Content { subject: subject.into(), html: html.into(), text: text.into(), ..Content::default() }.check(
            "issue",
            &issue_sample(),
            &mut violations,
        );
        violations.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn every_fault_of_every_template_is_told_at_once() {
        assert_eq!(check("Hello {{ subscriber.display_name }}", "<p>{{ subscriber.display_name }}</p>", ""), [""; 0]);
        assert_eq!(check("{{ nobody }}", "{% if %}", "{{ subscriber.age }}"), ["issue.subject", "issue.html", "issue.text"]);
        assert_eq!(check("", "", ""), ["issue.subject", "issue.html"]);
        assert_eq!(check("a", "{% include 'x' %}", ""), ["issue.html"]);
        assert_eq!(check("a", "{% for a in range(99999) %}x{% endfor %}", ""), ["issue.html"]);
    }

    #[test]
    fn a_template_cannot_fill_the_memory() {
        for bomb in ["{{ 'a' * 999999999 }}", "{% set a = 'aaaa' %}{% set a = a ~ a %}", "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}"]
        {
            assert_eq!(check("a", "", bomb), ["issue.text"], "{bomb}");
        }
        assert_eq!(check("a", "", "2 * 2 = {{ '*' }}{% raw %}{{ 2 * 2 }}{% endraw %}"), [""; 0]);
    }

    #[test]
    fn html_is_escaped_and_the_text_is_made_from_it() {
        let content = Content {
            subject: "Hi\n{{ subscriber.display_name }}".into(),
            html: "<p>Dear {{ subscriber.display_name }}</p>".into(),
            text: String::new(),
            ..Content::default()
        };
        let links = Links { unsubscribe_url: "https://example.com/u", preferences_url: "https://example.com/p" };
        let values = issue_values("<Ada>", "a@example.com", "en", "News", "", Some(links));
        let rendered = content.render(&values).expect("rendered").with_unsubscribe("https://example.com/u");
        assert_eq!(rendered.subject, "Hi <Ada>");
        assert!(rendered.html.as_deref().is_some_and(|html| html.contains("Dear &lt;Ada&gt;") && html.contains("https://example.com/u")));
        assert!(rendered.text.starts_with("Dear <Ada>") && rendered.text.contains("https://example.com/u"), "{}", rendered.text);
    }

    #[test]
    fn the_way_to_leave_is_added_once() {
        let rendered = Rendered { subject: "s".into(), html: Some("<body>leave: https://e.example/u</body>".into()), text: "leave".into() };
        let with = rendered.with_unsubscribe("https://e.example/u");
        assert_eq!(with.html.as_deref(), Some("<body>leave: https://e.example/u</body>"));
        assert!(with.text.ends_with("https://e.example/u\n"));
        let body = Rendered { subject: "s".into(), html: Some("<BODY>x</BODY>".into()), text: String::new() };
        assert!(
            body.with_unsubscribe("https://e.example/u").html.is_some_and(|html| html.ends_with("</BODY>") && html.contains("e.example"))
        );
    }
}
