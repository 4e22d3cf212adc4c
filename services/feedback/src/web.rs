//! The public page of a survey: GET shows it, POST answers it. It needs no JavaScript and no cookie; the token in the link is
//! the only key to it.

mod answers;
mod page;
mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    middleware::map_response,
    response::Response,
    routing::get,
};
use rapport_core::World;
use rapport_db::Database;

use crate::domain::token::TokenKeys;

/// The largest form in octets: some thousand characters for each of many questions, written as a form writes them.
const LARGEST_FORM: usize = 1024 * 1024;

/// Everything that the pages need; cheap to clone.
#[derive(Clone)]
pub struct Web {
    /// The database.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The keys of the tokens of links.
    pub keys: TokenKeys,
}

/// The routes of the pages.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/s/{token}", get(page::show).post(page::take))
        .route("/s/{end}/{language}", get(page::end))
        .route("/style.css", get(view::style))
        .fallback(page::nothing)
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(map_response(secured))
        .with_state(web)
}

/// Puts on every answer what keeps the token secret and the page free of anything foreign.
async fn secured(mut response: Response) -> Response {
    const HEADERS: [(header::HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
