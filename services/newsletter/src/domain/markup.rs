//! From what an author writes to the HTML template that is rendered: MJML becomes HTML, and rules of CSS become style attributes,
//! once per revision. The tags of the template pass through untouched: they are put aside before and back afterwards.

use css_inline::CSSInliner;

/// How deep elements may be in one another: what reads them goes as deep.
const MAX_DEPTH: usize = 100;
/// How many times a rule may be held against an element.
const MAX_MATCHES: usize = 500_000;
/// Elements whose content is text only: a comment would be shown there.
const TEXT_ONLY: [&str; 5] = ["title", "style", "textarea", "mj-title", "mj-preview"];
/// Elements that are never closed.
const VOID: [&str; 9] = ["area", "br", "col", "hr", "img", "input", "link", "meta", "source"];

/// The HTML template of an MJML template.
///
/// # Errors
/// What is wrong with the MJML.
pub fn from_mjml(source: &str) -> Result<String, String> {
    shallow(source)?;
    let masked = Masked::new(source)?;
    let parsed = mrml::parse(&masked.text).map_err(|error| format!("is no MJML: {error}"))?;
    let html = parsed.element.render(&mrml::prelude::render::RenderOptions::default()).map_err(|error| format!("is no MJML: {error}"))?;
    Ok(masked.restore(&inlined(&html)?))
}

/// The HTML template with its rules of CSS in style attributes; as it is when it has none. Media queries stay where they are.
///
/// # Errors
/// When the HTML is too deep, or the rules cannot be read.
pub fn with_inline_styles(source: &str) -> Result<String, String> {
    if !source.to_ascii_lowercase().contains("<style") {
        return Ok(source.to_owned());
    }
    shallow(source)?;
    let masked = Masked::new(source)?;
    Ok(masked.restore(&inlined(&masked.text)?))
}

fn inlined(html: &str) -> Result<String, String> {
    // Every rule is held against every element.
    if html.matches('{').count().saturating_mul(html.matches('<').count()) > MAX_MATCHES {
        return Err("has too many rules of CSS for its elements: use fewer of them".to_owned());
    }
    let inliner = CSSInliner::options().load_remote_stylesheets(false).keep_at_rules(true).build();
    inliner.inline(html).map_err(|error| format!("has styles that cannot be inlined: {error}"))
}

/// A template without its tags.
struct Masked {
    text: String,
    mark: String,
    tags: Vec<String>,
}

impl Masked {
    fn new(source: &str) -> Result<Self, String> {
        let mut mark = "slot".to_owned();
        while source.contains(&mark) {
            mark.push('q');
        }
        let mut masked = Self { text: String::with_capacity(source.len()), mark, tags: Vec::new() };
        let mut rest = source;
        let mut place = Place::Text;
        while let Some(at) = super::template::next_tag(rest) {
            masked.text.push_str(&rest[..at]);
            place = place.after(&rest[..at]);
            let close = match &rest[at..at + 2] {
                "{{" => "}}",
                "{%" => "%}",
                _ => "#}",
            };
            let end = super::template::closed(&rest[at + 2..], close)? + at + 2;
            let number = masked.tags.len();
            let slot = format!("{}{number}x", masked.mark);
            // Between the rows of a table a text would be moved out of it; a comment stays.
            let comment = close != "}}" && place == Place::Text;
            masked.text.push_str(&if comment { format!("<!--{slot}-->") } else { slot });
            masked.tags.push(rest[at..end].to_owned());
            rest = &rest[end..];
        }
        masked.text.push_str(rest);
        Ok(masked)
    }

    fn restore(&self, text: &str) -> String {
        let mut restored = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&self.mark) {
            let after = &rest[at + self.mark.len()..];
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let tag = after[..digits].parse().ok().and_then(|number: usize| self.tags.get(number));
            let (Some(tag), Some(after)) = (tag, after[digits..].strip_prefix('x')) else {
                restored.push_str(&rest[..at + self.mark.len()]);
                rest = after;
                continue;
            };
            let before = &rest[..at];
            match (before.strip_suffix("<!--"), after.strip_prefix("-->")) {
                (Some(before), Some(after)) => {
                    restored.push_str(before);
                    restored.push_str(tag);
                    rest = after;
                }
                _ => {
                    restored.push_str(before);
                    restored.push_str(tag);
                    rest = after;
                }
            }
        }
        restored.push_str(rest);
        restored
    }
}

/// Where in the markup something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    TextOnly(&'static str),
    Comment,
    Tag,
    Value(char),
}

impl Place {
    /// The place after this piece.
    fn after(self, piece: &str) -> Self {
        let mut place = self;
        let mut rest = piece;
        let mut name = None;
        while let Some(c) = rest.chars().next() {
            let mut step = c.len_utf8();
            place = match (place, c) {
                (Self::Text, '<') if rest.starts_with("<!--") => Self::Comment,
                (Self::Comment, '-') if rest.starts_with("-->") => Self::Text,
                (Self::Text, '<') if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') => {
                    name = TEXT_ONLY.iter().find(|name| begins(&rest[1..], name)).copied();
                    Self::Tag
                }
                (Self::TextOnly(name), '<') if rest[1..].starts_with('/') && begins(&rest[2..], name) => Self::Tag,
                (Self::Tag, '>') => name.take().map_or(Self::Text, Self::TextOnly),
                (Self::Tag, '"' | '\'') => Self::Value(c),
                (Self::Value(quote), c) if quote == c => Self::Tag,
                (place, _) => place,
            };
            if place == Self::Text {
                step = rest.find('<').map_or(rest.len(), |at| at.max(step));
            }
            rest = &rest[step..];
        }
        place
    }
}

fn begins(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && !text[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
}

/// Refuses elements that are too deep in one another.
fn shallow(source: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for (at, _) in source.match_indices('<') {
        let rest = &source[at + 1..];
        if rest.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let void = VOID.iter().any(|name| begins(rest, name));
            if !void && !rest.find('>').is_some_and(|end| rest[..end].ends_with('/')) {
                depth += 1;
            }
        }
        if depth > MAX_DEPTH {
            return Err(format!("has elements more than {MAX_DEPTH} deep in one another, or as many that are not closed"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_style_attributes_and_the_tags_of_the_template_stay() {
        let source = "<html><head><style>p { color: red } @media print { p { color: black } }</style></head><body>\
            <p>Hello {{ subscriber.display_name | default(\"a<b\") }}</p><table>{% for a in b %}<tr><td>{{ a }}</td></tr>{% endfor %}</table>\
            <a href=\"{{ unsubscribe_url }}\">x</a></body></html>";
        let html = with_inline_styles(source).expect("sound");
        assert!(html.contains("<p style=\"color: red;\">Hello {{ subscriber.display_name | default(\"a<b\") }}</p>"), "{html}");
        assert!(html.contains("<tr><td>{{ a }}</td></tr>{% endfor %}") && html.contains("<table>{% for a in b %}"), "{html}");
        assert!(html.contains("<a href=\"{{ unsubscribe_url }}\">") && html.contains("@media print"), "{html}");
        assert_eq!(with_inline_styles("<p>{{ a }}").as_deref(), Ok("<p>{{ a }}"));
    }

    #[test]
    fn mjml_becomes_html_and_the_tags_of_the_template_stay() {
        let source = "<mjml><mj-head><mj-title>{{ issue }}</mj-title></mj-head><mj-body><mj-section><mj-column>\
            {% if a < b %}<mj-text color=\"#f00\">Hello {{ name }}</mj-text>{% endif %}\
            <mj-button href=\"{{ url }}\">Go</mj-button></mj-column></mj-section></mj-body></mjml>";
        let html = from_mjml(source).expect("sound");
        assert!(
            html.contains("<title>{{ issue }}</title>") && html.contains("Hello {{ name }}") && html.contains("href=\"{{ url }}\""),
            "{html}"
        );
        assert_eq!((html.matches("{% if a < b %}").count(), html.matches("{% endif %}").count()), (1, 1), "{html}");
        for wrong in ["", "<p>Hello</p>", "<mjml><mj-body>", "{{ a"] {
            assert!(from_mjml(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_too_deep_is_refused_before_anything_follows_it_down() {
        for element in ["<div>", "<b>", "<mj-section>", "<mj-wrapper x='1'>"] {
            assert!(from_mjml(&format!("<mjml><mj-body>{}", element.repeat(20_000))).is_err_and(|problem| problem.contains("deep")));
            assert!(with_inline_styles(&format!("<style>p{{}}</style>{}", element.repeat(20_000))).is_err());
        }
    }
}
