//! Which language a customer is shown.

use rapport_core::Language;

use super::questionnaire::{Content, Texts};

/// The text in the language of `content` that fits best.
pub fn text<'a>(texts: &'a Texts, language: &str, content: &Content) -> &'a str {
    texts.get(language).or_else(|| texts.get(content.default_language.as_str())).map_or("", String::as_str)
}

/// The language of a questionnaire that fits these wishes best, the strongest wish first; its default language if none does.
pub fn choose<'a>(content: &Content, wishes: impl IntoIterator<Item = &'a str>) -> Language {
    wishes.into_iter().find_map(|wish| of_content(content, wish)).unwrap_or_else(|| content.default_language.clone())
}

/// `pt-BR` is `pt-BR`, else `pt`, else another `pt-…`.
fn of_content(content: &Content, wish: &str) -> Option<Language> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or("").to_lowercase();
    let languages = || content.title.keys();
    languages()
        .find(|tag| tag.eq_ignore_ascii_case(wish))
        .or_else(|| languages().find(|tag| **tag == primary(wish)))
        .or_else(|| languages().find(|tag| primary(tag) == primary(wish)))
        .and_then(|tag| tag.parse().ok())
}

/// The languages of an Accept-Language header (RFC 9110 §12.5.4), the most wished for first; at most ten.
pub fn accepted(header: &str) -> Vec<&str> {
    let mut wishes: Vec<(u32, &str)> = header
        .split(',')
        .take(10)
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty() && *tag != "*")?;
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
            // From thousandths, because floats have no total order.
            let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u32;
            (thousandths > 0).then_some((thousandths, tag))
        })
        .collect();
    wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wishes.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::questionnaire::examples::survey, *};

    #[test]
    fn the_wishes_of_a_browser_are_read_in_order() {
        assert_eq!(accepted("fr;q=0.2, de-AT, en;q=0.7, *;q=0.1, es;q=0"), ["de-AT", "en", "fr"]);
        assert_eq!(accepted(""), Vec::<&str>::new());
        assert_eq!(accepted(";;,q=,;q=x"), ["q="]);
    }

    #[test]
    fn the_nearest_language_is_chosen() {
        let content = survey().content;
        assert_eq!(choose(&content, ["fr", "de-AT"]).as_str(), "de");
        assert_eq!(choose(&content, ["fr"]).as_str(), "en");
        assert_eq!(choose(&content, []).as_str(), "en");
    }
}
