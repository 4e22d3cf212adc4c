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

#[cfg(test)]
mod tests {
    use super::{super::questionnaire::examples::survey, *};

    #[test]
    fn the_nearest_language_is_chosen() {
        let content = survey().content;
        assert_eq!(choose(&content, ["fr", "de-AT"]).as_str(), "de");
        assert_eq!(choose(&content, ["fr"]).as_str(), "en");
        assert_eq!(choose(&content, []).as_str(), "en");
    }
}
