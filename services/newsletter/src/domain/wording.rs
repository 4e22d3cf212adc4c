//! The words of the pages and of the confirmation mail, in the languages that there are files of.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::HtmlEscape;
use rapport_core::Language;

/// What stands for the name of the publication.
const PUBLICATION: &str = "{publication}";
/// The texts that may name the publication.
const NAMING: [&str; 4] = ["confirm_text", "unsubscribe_text", "mail_subject", "mail_intro"];
/// The longest text, in characters.
const MAX_TEXT: usize = 1000;

macro_rules! wording {
    ($($(#[$doc:meta])+ $key:ident,)+) => {
        /// The words in one language.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Wording {
            /// The language.
            pub language: Language,
            $($(#[$doc])+ pub $key: String,)+
        }

        const KEYS: &[&str] = &[$(stringify!($key)),+];

        impl Wording {
            /// The words of one language.
            ///
            /// # Errors
            /// The keys that are missing.
            fn new(language: Language, mut texts: BTreeMap<String, String>) -> Result<Self, Vec<&'static str>> {
                let missing: Vec<&'static str> = KEYS.iter().copied().filter(|key| !texts.contains_key(*key)).collect();
                if !missing.is_empty() {
                    return Err(missing);
                }
                Ok(Self { language, $($key: texts.remove(stringify!($key)).unwrap_or_default(),)+ })
            }
        }
    };
}

wording! {
    /// The name of the language in itself.
    language_name,
    /// `ltr` or `rtl`.
    direction,
    /// The page that confirms.
    confirm_title,
    /// What it says.
    confirm_text,
    /// What it says to an unknown link.
    confirm_text_unknown,
    /// Its button.
    confirm_button,
    /// The answer of confirming.
    confirmed_title,
    /// What it says.
    confirmed_text,
    /// The page that ends a subscription.
    unsubscribe_title,
    /// What it says.
    unsubscribe_text,
    /// What it says to an unknown link.
    unsubscribe_text_unknown,
    /// Its button.
    unsubscribe_button,
    /// The answer of ending.
    unsubscribed_title,
    /// What it says.
    unsubscribed_text,
    /// The link to the page of all that the person receives.
    preferences_link,
    /// That page.
    preferences_title,
    /// What it says.
    preferences_text,
    /// What ticking means.
    preferences_legend,
    /// Before the name of a brand, when there are several.
    preferences_from,
    /// Beside the choice of a language.
    preferences_language,
    /// Without a choice.
    preferences_language_none,
    /// Its button.
    preferences_button,
    /// After it.
    preferences_saved,
    /// For an address that gets no mail.
    preferences_suppressed,
    /// Over the way to end everything.
    leave_title,
    /// What it says.
    leave_text,
    /// Its button.
    leave_button,
    /// The page for links that are none.
    unknown_title,
    /// What it says.
    unknown_text,
    /// When something is out of reach.
    trouble_title,
    /// What it says.
    trouble_text,
    /// The subject of the confirmation mail.
    mail_subject,
    /// What it says before the link.
    mail_intro,
    /// Its link.
    mail_link,
    /// What it says after the link.
    mail_note,
}

/// The texts of one file.
#[derive(Clone, Debug)]
pub struct File {
    /// How it is called in errors.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// The texts by their keys.
    pub texts: BTreeMap<String, String>,
}

/// The words in all languages; cheap to clone.
#[derive(Clone, Debug)]
pub struct Wordings(Arc<Vec<Wording>>);

impl Wordings {
    /// The words of these files. The first one is complete and in the language for everybody whose own is not there; a later one of the
    /// same language changes what it holds.
    ///
    /// # Errors
    /// Everything that is wrong, with its file and key.
    pub fn new(files: impl IntoIterator<Item = File>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut merged: Vec<File> = Vec::new();
        for file in files {
            problems
                .extend(file.texts.iter().filter_map(|(key, text)| wrong(key, text).map(|wrong| format!("{}: {key} {wrong}", file.name))));
            match merged.iter_mut().find(|known| known.language == file.language) {
                Some(known) => known.texts.extend(file.texts),
                None => merged.push(file),
            }
        }
        let mut all = Vec::new();
        for File { name, language, texts } in merged {
            match Wording::new(language, texts) {
                Ok(wording) => all.push(wording),
                Err(missing) => problems.extend(missing.into_iter().map(|key| format!("{name}: {key} is missing"))),
            }
        }
        if problems.is_empty() && all.is_empty() {
            problems.push("there are no words in any language".to_owned());
        }
        if problems.is_empty() { Ok(Self(Arc::new(all))) } else { Err(problems) }
    }

    /// The words in the first of these languages that there are: for `pt-BR` its own, else those of `pt`, else of another `pt-…`.
    pub fn of_first<'a>(&self, wishes: impl IntoIterator<Item = &'a str>) -> &Wording {
        let found = wishes.into_iter().find_map(|wish| self.find(wish));
        // There is always a first one.
        found.unwrap_or(&self.0[0])
    }

    fn find(&self, wish: &str) -> Option<&Wording> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let mut shorter = Some(wish);
        while let Some(tag) = shorter {
            if let Some(found) = self.0.iter().find(|wording| wording.language.as_str().eq_ignore_ascii_case(tag)) {
                return Some(found);
            }
            shorter = tag.rsplit_once('-').map(|(before, _)| before);
        }
        self.0.iter().find(|wording| wording.language.primary() == primary(wish))
    }

    /// The languages that there are.
    pub fn all(&self) -> impl Iterator<Item = &Wording> {
        self.0.iter()
    }
}

/// A text with the name of the publication in it.
pub fn naming(text: &str, publication: &str) -> String {
    text.replace(PUBLICATION, publication)
}

/// A text as part of a template, which knows the publication as a variable.
pub fn as_template(text: &str) -> String {
    text.replace(PUBLICATION, "{{ publication }}")
}

/// The same in HTML, with the name of the publication in bold.
pub fn as_html_template(text: &str) -> String {
    HtmlEscape(text).to_string().replace(PUBLICATION, "<strong>{{ publication }}</strong>")
}

/// What is wrong with a text, if anything. It becomes part of templates: a brace would be read as a tag.
fn wrong(key: &str, text: &str) -> Option<String> {
    if !KEYS.contains(&key) {
        return Some("is no text of ours: is it misspelt?".to_owned());
    }
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_TEXT || text.chars().any(char::is_control) {
        return Some(format!("must be one line of 1 to {MAX_TEXT} characters"));
    }
    if key == "direction" && !matches!(text, "ltr" | "rtl") {
        return Some("must be ltr or rtl".to_owned());
    }
    let naming = NAMING.contains(&key);
    let rest = if naming { text.replace(PUBLICATION, "") } else { text.to_owned() };
    match (rest.contains(['{', '}']), naming) {
        (false, _) => None,
        (true, true) => Some(format!("has a brace: only {PUBLICATION} is known there")),
        (true, false) => Some("has a brace: nothing is filled in there".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(language: &str, texts: impl IntoIterator<Item = (String, String)>) -> File {
        File { name: format!("{language}.toml"), language: language.parse().expect("a language"), texts: texts.into_iter().collect() }
    }

    fn whole(language: &str) -> File {
        let text = |key: &str| if key == "direction" { "ltr".to_owned() } else { format!("{key} {language}") };
        file(language, KEYS.iter().map(|key| ((*key).to_owned(), text(key))))
    }

    fn one(language: &str, key: &str, text: &str) -> File {
        file(language, [(key.to_owned(), text.to_owned())])
    }

    #[test]
    fn the_nearest_language_is_spoken() {
        let wordings = Wordings::new(["en", "de", "pt-BR", "zh-Hant"].map(whole)).expect("sound");
        let table: [(&[&str], &str); 10] = [
            (&[], "en"),
            (&["fr"], "en"),
            (&["fr", "de"], "de"),
            (&["de-AT"], "de"),
            (&["DE-at", "en"], "de"),
            (&["pt"], "pt-BR"),
            (&["pt-PT"], "pt-BR"),
            (&["zh-Hant-TW"], "zh-Hant"),
            (&["d", "*", "", "-", "e-n"], "en"),
            (&["en-GB", "de"], "en"),
        ];
        for (wishes, language) in table {
            assert_eq!(wordings.of_first(wishes.iter().copied()).language.as_str(), language, "{wishes:?}");
        }
    }

    #[test]
    fn a_part_of_a_known_language_lies_over_it_and_a_new_language_is_whole() {
        let wordings = Wordings::new([whole("en"), whole("de"), one("de", "leave_button", "Schluss")]).expect("sound");
        let german = wordings.of_first(["de"]);
        assert_eq!((german.leave_button.as_str(), german.leave_text.as_str()), ("Schluss", "leave_text de"));
        let problems = Wordings::new([whole("en"), one("fr", "leave_button", "Fini")]).expect_err("the rest is missing");
        assert_eq!(problems.len(), KEYS.len() - 1);
        assert!(problems.contains(&"fr.toml: leave_text is missing".to_owned()), "{problems:?}");
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_file_and_key() {
        let table = [
            ("leave_buton", "x", "misspelt"),
            ("leave_button", " ", "one line"),
            ("leave_button", "a\nb", "one line"),
            ("leave_button", "Leave {publication}", "nothing is filled in"),
            ("mail_intro", "{publikation}", "only {publication}"),
            ("mail_intro", "{{ publication }}", "only {publication}"),
            ("mail_intro", "{% for a in b %}", "only {publication}"),
            ("direction", "up", "ltr or rtl"),
        ];
        for (key, text, told) in table {
            let problems = Wordings::new([whole("en"), one("en", key, text)]).expect_err("wrong");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(&format!("en.toml: {key} ")) && problems[0].contains(told), "{problems:?}");
        }
    }

    #[test]
    fn texts_become_templates_that_name_the_publication() {
        let text = "<b> {publication} & more";
        assert_eq!(naming(text, "News"), "<b> News & more");
        assert_eq!(as_template(text), "<b> {{ publication }} & more");
        assert_eq!(as_html_template(text), "&lt;b&gt; <strong>{{ publication }}</strong> &amp; more");
    }
}
