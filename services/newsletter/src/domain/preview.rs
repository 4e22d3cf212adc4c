//! What an author should know about an issue before it is sent: it will be sent all the same.

use super::Rendered;

/// Above this a large mail service cuts mails off, in octets.
const CLIPPED: usize = 102 * 1024;
/// What of a subject is seen, in characters.
const SEEN: usize = 78;

/// An issue as one person would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What it says; none when it cannot be rendered.
    pub rendered: Option<Rendered>,
    /// What is wrong, or not as good as it could be.
    pub problems: Vec<String>,
}

/// The preview of what rendering came to.
pub fn preview(rendered: Result<Rendered, String>) -> Preview {
    match rendered {
        Ok(rendered) => Preview { problems: problems(&rendered), rendered: Some(rendered) },
        Err(problem) => Preview { rendered: None, problems: vec![format!("{problem}: this person would get nothing")] },
    }
}

fn problems(rendered: &Rendered) -> Vec<String> {
    let Rendered { subject, html, text } = rendered;
    let mut problems = Vec::new();
    let length = subject.chars().count();
    if length > SEEN {
        problems.push(format!("the subject has {length} characters: many programs show the first {SEEN} at most"));
    }
    if text.trim().is_empty() {
        problems.push("the text part is empty: give one, for those who read no HTML".to_owned());
    }
    let Some(html) = html else { return problems };
    if html.len() > CLIPPED {
        problems.push(format!("the HTML part has {} octets: above {CLIPPED} some mail services cut it off", html.len()));
    }
    let lower = html.to_ascii_lowercase();
    for (what, told) in [
        ("<script", "the HTML part has a script: no mail program runs it"),
        ("<form", "the HTML part has a form: most mail programs do not send it"),
        ("javascript:", "the HTML part has a javascript: link: it does nothing, and makes the mail look like an attack"),
        ("href=\"\"", "the HTML part has a link to nowhere"),
        ("href=\"http://", "the HTML part has a link by http: use https"),
        ("src=\"http://", "the HTML part has an image by http: use https"),
    ] {
        if lower.contains(what) {
            problems.push(told.to_owned());
        }
    }
    let bare = lower.split("<img").skip(1).filter(|image| !image.split('>').next().unwrap_or_default().contains("alt=")).count();
    if bare > 0 {
        problems.push(format!("{bare} images have no alt text: say what they show, for those who do not see them"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_better_is_told() {
        let rendered = |html: &str| Rendered { subject: "Hello".into(), html: Some(html.into()), text: "x".into() };
        assert_eq!(preview(Ok(rendered("<p>Hello <img src=\"https://e.example/a\" alt=\"A\"></p>"))).problems, [""; 0]);
        for wrong in ["<img src=x>", "<a href=\"javascript:x\">", "<SCRIPT>", "<a href=\"http://e.example\">"] {
            assert_eq!(preview(Ok(rendered(wrong))).problems.len(), 1, "{wrong}");
        }
        assert_eq!(preview(Ok(rendered(&"x".repeat(200_000)))).problems.len(), 1);
        let broken = preview(Err("cannot be rendered".into()));
        assert!(broken.rendered.is_none() && broken.problems.len() == 1);
    }
}
