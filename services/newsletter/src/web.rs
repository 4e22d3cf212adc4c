//! The public pages: confirming and ending a subscription, and all that a person receives. GET shows, only POST acts: link scanners
//! follow links. What POST answers to a link of one subscription is the same for a valid, a used and an unknown token.

mod click;
mod confirm;
mod frame;
mod preferences;
mod token;
mod unsubscribe;
mod visitor;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::get,
};
use rapport_core::{Caller, Context, Language, World, accepted_languages};
use rapport_db::Database;

pub use visitor::Visitors;

use crate::{
    app::Failed,
    domain::{Keys, Wording, Wordings},
};

/// The largest form in octets: the page of preferences sends about a hundred for each publication.
const LARGEST_FORM: usize = 128 * 1024;

/// What the pages work with.
#[derive(Clone)]
pub struct Pages {
    /// The database of this service.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The keys of the tokens.
    pub keys: Keys,
    /// The words of the pages.
    pub wordings: Wordings,
    /// What is kept of where people come from.
    pub visitors: Visitors,
}

/// The routes of the pages.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/confirm/{token}", get(confirm::show).post(confirm::act))
        .route("/unsubscribe/{token}", get(unsubscribe::show).post(unsubscribe::act))
        .route("/preferences/{token}", get(preferences::show).post(preferences::act))
        .merge(click::router())
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(pages)
}

impl Pages {
    /// The context of what a person does on a page.
    fn context(&self) -> Context {
        self.world.context(Caller::service("newsletter.pages"))
    }

    /// The words in the language of the person, else in one that the browser wishes.
    fn wording(&self, language: Option<&Language>, headers: &HeaderMap) -> &Wording {
        self.wished(language.map(Language::as_str), headers)
    }

    /// The words in the language that the form was shown in, else in one that the browser wishes.
    fn wished(&self, language: Option<&str>, headers: &HeaderMap) -> &Wording {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(accepted_languages);
        self.wordings.of_first(language.into_iter().chain(accepted.unwrap_or_default()))
    }

    /// For a link that shows nothing of anybody.
    fn unknown(&self, status: StatusCode, headers: &HeaderMap) -> Response {
        let wording = self.wording(None, headers);
        frame::notice(status, wording, [&wording.unknown_title, &wording.unknown_text])
    }

    fn sorry(&self, headers: &HeaderMap, failure: &Failed) -> Response {
        tracing::warn!(%failure, "a page could not do what was asked");
        let wording = self.wording(None, headers);
        frame::notice(StatusCode::SERVICE_UNAVAILABLE, wording, [&wording.trouble_title, &wording.trouble_text])
    }
}

/// The language that a form was shown in, or that was chosen in it.
fn language_of(form: &str) -> Option<&str> {
    form.split('&').find_map(|pair| pair.strip_prefix("lang=")).filter(|language| !language.is_empty())
}
