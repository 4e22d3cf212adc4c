//! Rendering a template of 9 kB for one recipient, beside jinja2 (PyPI) with the same template and values.

use std::{process::Command, time::Instant};

use rapport_newsletter::domain::{
    Content,
    template::{self, Links},
};

use crate::{Bench, line};

pub fn run(bench: &Bench) {
    println!("Rendering a template of 9 kB with conditions and values, parsed once");
    let article = "<h2>{{ publication.display_name }}</h2>\n<p>Dear {{ subscriber.display_name }}, {% if subscriber.language == 'de' %}guten Tag\
                   {% else %}good day{% endif %}: what we heard from you last month has changed three things in our shop, and this is how. \
                   <a href=\"https://shop.example/news?for={{ subscriber.email }}\">Read on</a> or <a href=\"{{ unsubscribe_url }}\">leave</a>.</p>\n";
    let html = article.repeat(9_000_usize.div_ceil(article.len()));
    let content = Content { subject: "News".into(), text: "News".into(), html: html.clone(), ..Content::default() };
    let compiled = content.compile().expect("a template");
    let links = Links { unsubscribe_url: "https://shop.example/unsubscribe/abc", preferences_url: "https://shop.example/preferences/abc" };
    let render = |number: u64| {
        let (name, email) = (format!("Reader {number} <&>"), format!("reader{number}@example.test"));
        let values = template::issue_values(&name, &email, "en", "News & views", "What is new", Some(links));
        compiled.render(&values).expect("rendered").html.map_or(0, |html| html.len())
    };
    assert!(render(0) > 5_000, "conditions and values are shorter than what they stand for, but not that short");
    let (begin, mut count) = (Instant::now(), 0);
    while begin.elapsed() < bench.span {
        render(count);
        count += 1;
    }
    let ours = count as f64 / begin.elapsed().as_secs_f64();
    match jinja2(&html, bench) {
        Ok(theirs) => line("  a 9 kB template against jinja2", ours, theirs, 10.0),
        Err(why) => println!("  a 9 kB template: {ours:.0}/s; jinja2 was not measured: {why}"),
    }
    println!();
}

fn jinja2(html: &str, bench: &Bench) -> Result<f64, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let packages = directory.path().join("packages");
    let fetched = Command::new("python3").args(["-m", "pip", "install", "--quiet", "--target"]).arg(&packages).arg("jinja2").output();
    if !fetched.as_ref().is_ok_and(|output| output.status.success()) {
        return Err(format!("pip could not fetch it: {fetched:?}"));
    }
    let (template, values) = (directory.path().join("mail.html"), directory.path().join("values.json"));
    let known = r#"{"subscriber": {"display_name": "Reader 1 <&>", "email": "reader1@example.test", "language": "en"},
        "publication": {"display_name": "News & views", "description": "What is new"}, "unsubscribe_url": "https://shop.example/unsubscribe/abc"}"#;
    std::fs::write(&template, html).and_then(|()| std::fs::write(&values, known)).map_err(|error| error.to_string())?;
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/foreign/render.py");
    let span = bench.span.as_secs().max(1).to_string();
    let ran = Command::new("python3")
        .arg(script)
        .arg(&packages)
        .args([&template, &values])
        .arg(span)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&ran.stdout);
    text.trim().parse().map_err(|_| format!("{text}{}", String::from_utf8_lossy(&ran.stderr)))
}
