//! The words of the pages: those that are compiled in, and files of the operator's own.

use std::{collections::BTreeMap, fs, path::Path};

use rapport_server::StartError;

use crate::domain::wording::{File, Wordings};

/// What is compiled in, by language; everybody whose language is not there is spoken to in the first one.
const BUILT_IN: [(&str, &str); 2] = [("en", include_str!("../../texts/en.toml")), ("de", include_str!("../../texts/de.toml"))];

/// The words that are compiled in, and over them those of the files `NAME.toml` in the directory; none if it is empty.
///
/// # Errors
/// Everything that is wrong with the files, with its file and key.
pub fn wordings(directory: &str) -> Result<Wordings, StartError> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for (language, text) in BUILT_IN {
        take(&format!("texts/{language}.toml"), language, text, &mut files, &mut problems);
    }
    if !directory.is_empty() {
        let wrong = |error: std::io::Error| StartError::Other(format!("newsletter.pages_texts: {directory}: {error}"));
        let mut paths = fs::read_dir(Path::new(directory))
            .map_err(wrong)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrong)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let name = path.display().to_string();
            let language = path.file_stem().unwrap_or_default().to_string_lossy();
            match fs::read_to_string(&path) {
                Ok(text) => take(&name, &language, &text, &mut files, &mut problems),
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
    }
    let told = |problems: &[String]| StartError::Other(format!("newsletter.pages_texts: {}", problems.join("; ")));
    if !problems.is_empty() {
        return Err(told(&problems));
    }
    Wordings::new(files).map_err(|problems| told(&problems))
}

fn take(name: &str, language: &str, text: &str, files: &mut Vec<File>, problems: &mut Vec<String>) {
    match (language.parse(), toml::from_str::<BTreeMap<String, String>>(text)) {
        (Ok(language), Ok(texts)) => files.push(File { name: name.to_owned(), language, texts }),
        (Err(error), _) => problems.push(format!("{name}: the name of the file {error}")),
        (_, Err(error)) => problems.push(format!("{name}: {}", error.to_string().trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_and_german_are_whole_and_other_words_come_from_a_directory() {
        let built_in = wordings("").expect("sound");
        assert_eq!(built_in.all().map(|wording| wording.language_name.as_str()).collect::<Vec<_>>(), ["English", "Deutsch"]);
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().display().to_string();
        let french = BUILT_IN[0].1.replace("language_name = \"English\"", "language_name = \"Français\"");
        let files = [("de.toml", "leave_button = \"Schluss\""), ("fr.toml", french.as_str()), ("notes.txt", "not ours")];
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        let own = wordings(&at).expect("sound");
        assert_eq!(own.of_first(["fr-CA"]).language_name, "Français");
        assert_eq!(own.of_first(["de"]).leave_button, "Schluss");
        assert_eq!(own.of_first(["de"]).leave_title, built_in.of_first(["de"]).leave_title);
    }

    #[test]
    fn a_wrong_file_keeps_the_service_from_starting_and_says_what_is_wrong() {
        let table = [
            ("de.toml", "leave_buton = \"x\"", "de.toml: leave_buton is no text of ours"),
            ("fr.toml", "leave_button = \"x\"", "fr.toml: leave_text is missing"),
            ("de.toml", "leave_button = 5", "leave_button"),
            ("de.toml", "leave_button", "de.toml"),
            ("german!.toml", "", "must be a language tag"),
        ];
        for (name, text, told) in table {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::write(directory.path().join(name), text).expect("written");
            let error = wordings(&directory.path().display().to_string()).expect_err("wrong").to_string();
            assert!(error.contains(told) && error.contains("newsletter.pages_texts"), "{error}");
        }
        assert!(wordings("/nowhere").expect_err("not there").to_string().contains("/nowhere"));
    }
}
