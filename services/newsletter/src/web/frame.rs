//! The HTML of the pages: values escaped by the template engine, nothing from elsewhere, no script, no style but our own.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use data_encoding::BASE64;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::{Brand, Color, Wording};

const STYLE: &str = include_str!("style.css");

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash(STYLE));

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        ("base", include_str!("base.html")),
        ("form", include_str!("form.html")),
        ("notice", include_str!("notice.html")),
        ("preferences", include_str!("preferences.html")),
    ] {
        pages.add_template(name, source).expect("a test renders every template");
    }
    pages
});

/// A page that asks for one thing.
pub struct Asked<'a> {
    /// The heading.
    pub title: &'a str,
    /// What it says.
    pub text: &'a str,
    /// What the button says.
    pub button: &'a str,
    /// Another way, by its address and what it says.
    pub link: Option<(&'a str, &'a str)>,
}

/// The page of all that a person receives.
#[derive(Serialize)]
pub struct Choices<'a> {
    /// The newsletters.
    pub offers: Vec<Choice<'a>>,
    /// The languages.
    pub languages: Vec<Choice<'a>>,
    /// Whether a wish was just fulfilled.
    pub saved: bool,
    /// Whether the address gets no mail.
    pub suppressed: bool,
}

/// What can be chosen.
#[derive(Serialize)]
pub struct Choice<'a> {
    /// What the form sends.
    pub value: String,
    /// What it is called.
    pub name: &'a str,
    /// What it is about.
    pub about: &'a str,
    /// Whose it is, when there are several brands.
    pub from: &'a str,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A page that asks for one thing.
pub fn form(wording: &Wording, brand: Option<&Brand>, asked: &Asked<'_>) -> Response {
    let Asked { title, text, button, link } = *asked;
    page(StatusCode::OK, "form", wording, brand, title, &context! { text, button, link })
}

/// A page that says one thing, to anybody.
pub fn notice(status: StatusCode, wording: &Wording, [title, text]: [&str; 2]) -> Response {
    page(status, "notice", wording, None, title, &context! { text })
}

/// The page of all that a person receives.
pub fn preferences(wording: &Wording, brand: Option<&Brand>, choices: &Choices<'_>) -> Response {
    let words = context! {
        text => wording.preferences_text,
        legend => wording.preferences_legend,
        from => wording.preferences_from,
        language => wording.preferences_language,
        button => wording.preferences_button,
        saved => wording.preferences_saved,
        suppressed => wording.preferences_suppressed,
        leave_title => wording.leave_title,
        leave_text => wording.leave_text,
        leave_button => wording.leave_button,
    };
    page(StatusCode::OK, "preferences", wording, brand, &wording.preferences_title, &context! { words, choices })
}

/// A page that nobody stores, frames, or learns the address of.
fn page(status: StatusCode, name: &str, wording: &Wording, brand: Option<&Brand>, title: &str, content: &Value) -> Response {
    let color = brand.and_then(|brand| brand.color).unwrap_or(Color::NEUTRAL);
    let colors = format!(":root {{ --accent: {color}; --on-accent: {}; }}", color.text());
    let values = context! {
        lang => wording.language.as_str(),
        direction => wording.direction,
        brand => brand.map(|brand| brand.name.as_str()),
        style => STYLE,
        colors => colors,
        title => title,
        ..content.clone()
    };
    let html = match PAGES.get_template(name).and_then(|template| template.render(values)) {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(page = name, %error, "a page could not be made");
            return (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. Please try again later.").into_response();
        }
    };
    let policy = format!(
        "default-src 'none'; style-src '{}' '{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH,
        hash(&colors)
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    // Hashes and constants: there is nothing in it that a header cannot hold.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "Accept-Language"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// How a policy names this very style.
fn hash(style: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(style)))
}
