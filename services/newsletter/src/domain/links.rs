//! The links of an HTML part, found and led elsewhere without touching anything else of it.

use std::borrow::Cow;

/// The same HTML with the address of each link (`href` of `a` and `area`) that `lead` gives another one for. What it is asked about has no
/// entities any more; what it gives is escaped.
pub fn lead_elsewhere(html: &str, lead: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 4);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--") {
            let end = after.find("-->").map_or(rest.len(), |end| end + "<!---->".len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        if !rest[1..].starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
            out.push('<');
            rest = &rest[1..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[..end];
        match is_link(tag).then(|| href(tag)).flatten() {
            Some((from, to)) => {
                let address = unescaped(tag[from..to].trim());
                match lead(&address) {
                    Some(other) => {
                        out.push_str(&tag[..from]);
                        out.push_str(&escaped(&other));
                        out.push_str(&tag[to..]);
                    }
                    None => out.push_str(tag),
                }
            }
            None => out.push_str(tag),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Where the tag that the text begins with ends: after its `>`, which may stand in quotes.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, octet) in text.bytes().enumerate() {
        match (quote, octet) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(octet),
            (Some(open), octet) if open == octet => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn is_link(tag: &str) -> bool {
    let name = tag[1..].split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let spaced = tag.as_bytes().get(1 + name.len()).is_some_and(|octet| octet.is_ascii_whitespace() || *octet == b'/');
    spaced && (name.eq_ignore_ascii_case("a") || name.eq_ignore_ascii_case("area"))
}

/// Where the value of the first `href` is in a tag, if it is in quotes or stands alone.
fn href(tag: &str) -> Option<(usize, usize)> {
    let octets = tag.as_bytes();
    let space = |at: usize| octets.get(at).is_some_and(u8::is_ascii_whitespace);
    let mut at = tag.find(|letter: char| letter.is_ascii_whitespace() || letter == '/')?;
    while at < octets.len() {
        while space(at) || octets.get(at) == Some(&b'/') {
            at += 1;
        }
        let name = at;
        while at < octets.len() && !space(at) && !matches!(octets[at], b'=' | b'>' | b'/') {
            at += 1;
        }
        let name = &tag[name..at];
        while space(at) {
            at += 1;
        }
        if octets.get(at) != Some(&b'=') {
            if matches!(octets.get(at), None | Some(b'>')) {
                return None;
            }
            continue;
        }
        at += 1;
        while space(at) {
            at += 1;
        }
        let (from, to) = match octets.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let from = at + 1;
                let to = from + octets[from..].iter().position(|octet| octet == quote)?;
                at = to + 1;
                (from, to)
            }
            _ => {
                let from = at;
                while at < octets.len() && !space(at) && octets[at] != b'>' {
                    at += 1;
                }
                (from, at)
            }
        };
        if name.eq_ignore_ascii_case("href") {
            // A value without quotes cannot hold every address.
            return octets.get(from.wrapping_sub(1)).is_some_and(|octet| matches!(octet, b'"' | b'\'')).then_some((from, to));
        }
    }
    None
}

/// The few entities that addresses hold.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let plain = text.replace("&#x2f;", "/").replace("&#x2F;", "/").replace("&#47;", "/").replace("&quot;", "\"").replace("&#39;", "'");
    Cow::Owned(plain.replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(html: &str) -> (String, Vec<String>) {
        let seen = std::cell::RefCell::new(Vec::new());
        let out = lead_elsewhere(html, |address| {
            seen.borrow_mut().push(address.to_owned());
            address.starts_with("http").then(|| format!("https://t.test/{}?a=1&b=2", seen.borrow().len()))
        });
        (out, seen.into_inner())
    }

    #[test]
    fn only_addresses_of_links_change() {
        let table = [
            (r#"<p><a href="https://x.test/a?b=1&amp;c=2">x</a></p>"#, r#"<p><a href="https://t.test/1?a=1&amp;b=2">x</a></p>"#),
            (r"<A class='b' HREF = 'http://x.test/' >x</A>", r"<A class='b' HREF = 'https://t.test/1?a=1&amp;b=2' >x</A>"),
            (r#"<a title="a > b" href="http://x.test">x</a>"#, r#"<a title="a > b" href="https://t.test/1?a=1&amp;b=2">x</a>"#),
            (r#"<a href="mailto:a@x.test">x</a>"#, r#"<a href="mailto:a@x.test">x</a>"#),
            (r#"<img src="http://x.test/a.png">"#, r#"<img src="http://x.test/a.png">"#),
            (r#"<abbr href="http://x.test">x</abbr>"#, r#"<abbr href="http://x.test">x</abbr>"#),
            (r#"<!-- <a href="http://x.test"> -->"#, r#"<!-- <a href="http://x.test"> -->"#),
            (r"<a name=top data-href='http://x.test'>x</a>", r"<a name=top data-href='http://x.test'>x</a>"),
            (r#"1 < 2 <a href="http://x.test">"#, r#"1 < 2 <a href="https://t.test/1?a=1&amp;b=2">"#),
            (r#"<a title="http://x.test"#, r#"<a title="http://x.test"#),
        ];
        for (html, wanted) in table {
            assert_eq!(counted(html).0, wanted, "{html}");
        }
        assert_eq!(counted(table[0].0).1, ["https://x.test/a?b=1&c=2"]);
    }

    proptest! {
        #[test]
        fn nothing_else_is_touched_and_nothing_is_lost(html in "(<a( href=(\"[a-z:/&;]{0,9}\"|'x'|y))?>|<|>|\"|'|=|/| |ä|[a-z]|<!--|-->){0,40}") {
            prop_assert_eq!(lead_elsewhere(&html, |_| None), html);
        }
    }
}
