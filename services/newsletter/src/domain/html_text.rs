//! The text part of a mail that has only HTML: words, line breaks, list dashes and the addresses of links.

/// The text of a piece of HTML.
pub fn from_html(html: &str) -> String {
    let mut text = String::new();
    let mut link: Option<String> = None;
    let mut rest = html;
    let mut endless: Vec<String> = Vec::new();
    while let Some(at) = rest.find('<') {
        push(&mut text, &rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.find("-->").map_or("", |end| &after[end + 3..]);
            continue;
        }
        let Some(end) = rest.find('>') else {
            push(&mut text, rest);
            rest = "";
            break;
        };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect::<String>().to_ascii_lowercase();
        match name.trim_end_matches('/') {
            // Nobody looks for an end that is not there again and again.
            hidden @ ("head" | "style" | "script" | "title") if !endless.iter().any(|known| known == hidden) => match skip(rest, hidden) {
                Some(after) => rest = after,
                None => endless.push(hidden.to_owned()),
            },
            "br" => line(&mut text, 1),
            "li" => {
                line(&mut text, 1);
                text.push_str("- ");
            }
            "p" | "/p" | "div" | "/div" | "table" | "/table" | "ul" | "/ul" | "ol" | "/ol" | "blockquote" | "/blockquote" | "h1"
            | "/h1" | "h2" | "/h2" | "h3" | "/h3" | "h4" | "/h4" | "hr" => line(&mut text, 2),
            "tr" | "/tr" => line(&mut text, 1),
            "td" | "th" => push(&mut text, " "),
            "a" => link = attribute(tag, "href"),
            "/a" => {
                if let Some(url) = link.take().filter(|url| url.contains(':') && !text.ends_with(url.as_str())) {
                    text.push_str(&format!(" ({})", entities(&url)));
                }
            }
            "img" => push(&mut text, &attribute(tag, "alt").unwrap_or_default()),
            _ => {}
        }
    }
    push(&mut text, rest);
    let mut text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
    text.push('\n');
    text
}

/// Adds words, with every run of white space as one space, and none at the start of a line.
fn push(text: &mut String, words: &str) {
    for c in entities(words).chars() {
        let space = c.is_whitespace();
        if !space {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// Ends the line, with as many line breaks as asked for, not counting those that are there.
fn line(text: &mut String, breaks: usize) {
    while text.ends_with(' ') {
        text.pop();
    }
    let there = text.chars().rev().take_while(|c| *c == '\n').count();
    if !text.is_empty() {
        text.extend(std::iter::repeat_n('\n', breaks.saturating_sub(there)));
    }
}

/// What comes after the end of an element whose content is not shown; none when it has no end.
fn skip<'a>(rest: &'a str, element: &str) -> Option<&'a str> {
    let at = find_ignoring_case(rest, &format!("</{element}"))?;
    Some(rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]))
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.match_indices('<')
        .map(|(at, _)| at)
        .find(|at| text.get(*at..at + wanted.len()).is_some_and(|here| here.eq_ignore_ascii_case(wanted)))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find(&format!(" {name}="))? + name.len() + 2;
    let value = &tag[at..];
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split_whitespace().next()?,
    };
    Some(value.to_owned())
}

/// Decodes the character references that mails use.
fn entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.bytes().take(11).position(|b| b == b';').and_then(|end| Some((reference(&rest[1..end])?, end + 1)));
        let (c, length) = reference.unwrap_or(('&', 1));
        decoded.push(c);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    decoded
}

fn reference(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "copy" => '©',
        "euro" => '€',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control() || *c == '\n')?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::from_html;

    #[test]
    fn words_breaks_lists_and_links_survive() {
        let html = "<html><head><title>no</title><style>p{}</style></head><body><h1>News</h1><p>Dear &lt;Ada&gt;,\n  hello<br>again</p>\
                    <ul><li>one</li><li>two</li></ul><p><a href=\"https://example.com/?a=1&amp;b=2\">Read</a></p><!-- no --></body></html>";
        assert_eq!(from_html(html), "News\n\nDear <Ada>, hello\nagain\n\n- one\n- two\n\nRead (https://example.com/?a=1&b=2)\n");
    }

    #[test]
    fn broken_markup_loses_no_words_and_stops_nothing() {
        assert_eq!(from_html("a < b &unknown; &#x41; <p"), "a < b &unknown; A <p\n");
        assert_eq!(from_html("<style>never closed"), "never closed\n");
        assert_eq!(from_html(""), "\n");
    }
}
