//! The mail of an invitation: templates that never change, and what is filled in. The newsletter service fills them in,
//! so that nothing a person wrote is ever read as a template.

use std::collections::BTreeMap;

use rapport_core::Time;

use super::{language, questionnaire::Questionnaire, wording};

/// The subject.
pub const SUBJECT: &str = "{{ title }}";
/// The text part.
pub const TEXT: &str =
    "{{ greeting }} {{ name }},\n\n{{ request }}\n\n{{ title }}\n{{ link }}\n\n{{ until }} {{ date }}.\n\n--\n{{ reason }}\n";
/// The HTML part.
pub const HTML: &str = concat!(
    "<!doctype html><html lang=\"{{ language }}\" dir=\"{{ direction }}\"><head><meta charset=\"utf-8\"><title>{{ title }}</title></head>",
    "<body style=\"font-family:sans-serif;line-height:1.5;max-width:36em;margin:1em auto;padding:0 1em\">",
    "<p>{{ greeting }} {{ name }},</p><p>{{ request }}</p><p><strong>{{ title }}</strong></p>",
    "<p><a href=\"{{ link }}\">{{ answer }}</a></p><p>{{ until }} {{ date }}.</p><p><small>{{ reason }}</small></p></body></html>",
);

/// What is filled in.
pub fn variables(questionnaire: &Questionnaire, tag: &str, name: &str, link: &str, expire_time: Time) -> BTreeMap<String, String> {
    let words = wording::of(tag);
    let title = language::text(&questionnaire.content.title, tag, &questionnaire.content);
    let date = expire_time.to_string();
    let direction = if wording::right_to_left(tag) { "rtl" } else { "ltr" };
    [
        // A subject is one line.
        ("title", title.split_whitespace().collect::<Vec<_>>().join(" ").as_str()),
        ("greeting", words.greeting),
        ("name", name),
        ("request", words.request),
        ("answer", words.answer),
        ("link", link),
        ("until", words.until),
        ("date", date.split('T').next().unwrap_or_default()),
        ("reason", words.reason),
        ("language", tag),
        ("direction", direction),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, UndefinedBehavior};
    use rapport_core::Id;
    use uuid::Uuid;

    use super::{super::questionnaire::examples::survey, *};

    #[test]
    fn every_template_finds_its_variables_and_escapes_them() {
        let mut draft = survey();
        draft.content.title.insert("de".to_owned(), "Wie\nwar <es>? {{ oops }}".to_owned());
        let questionnaire = draft.into_questionnaire(Id::from_uuid(Uuid::from_u128(1)), 1, Time::EPOCH);
        let variables = variables(&questionnaire, "de", "Ada & Co", "https://example.com/s/x", Time::EPOCH);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, template) in [("subject.txt", SUBJECT), ("mail.txt", TEXT), ("mail.html", HTML)] {
            environment.add_template(name, template).expect("a template");
        }
        let render = |name: &str| environment.get_template(name).expect("there").render(&variables).expect("rendered");
        assert_eq!(render("subject.txt"), "Wie war <es>? {{ oops }}");
        assert!(render("mail.txt").contains("Guten Tag Ada & Co,"));
        let html = render("mail.html");
        assert!(html.contains("Ada &amp; Co") && html.contains("&lt;es&gt;") && html.contains("1970-01-01"));
    }
}
