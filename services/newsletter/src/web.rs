//! The public pages: confirming and ending a subscription. GET shows, only POST acts: link scanners follow links. The answer is
//! the same for a valid, a used and an unknown token.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rapport_core::{Caller, Failure, World};
use rapport_db::Database;

use crate::{
    app,
    domain::{Keys, Proof, ProofKind},
};

/// What the pages work with.
#[derive(Clone)]
pub struct Pages {
    /// The database of this service.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The keys of the tokens.
    pub keys: Keys,
}

/// The routes of the pages.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/confirm/{token}", get(show_confirm).post(confirm))
        .route("/unsubscribe/{token}", get(show_unsubscribe).post(unsubscribe))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(pages)
}

async fn show_confirm() -> Response {
    form("Confirm your subscription", "Press the button to confirm that you want to receive this newsletter.", "Confirm")
}

async fn show_unsubscribe() -> Response {
    form("Unsubscribe", "Press the button to stop receiving this newsletter.", "Unsubscribe")
}

async fn confirm(State(pages): State<Pages>, Path(token): Path<String>) -> Response {
    let cx = pages.world.context(Caller::service("newsletter.pages"));
    let done =
        pages.database.write(async |conn| app::subscription::confirm_subscription(conn, &cx, &pages.keys, &token, "page").await).await;
    match done {
        Ok(_) | Err(Failure::Refused(_)) => page(
            StatusCode::OK,
            "Thank you",
            "<p>If the link was still good, your subscription is confirmed now. A link is good for 7 days; after that, please subscribe again.</p>",
        ),
        Err(failure) => sorry(&failure),
    }
}

async fn unsubscribe(State(pages): State<Pages>, Path(token): Path<String>, body: Bytes) -> Response {
    let cx = pages.world.context(Caller::service("newsletter.pages"));
    // RFC 8058 sends the pair as a form of either encoding; a person's browser sends an empty form.
    let body = String::from_utf8_lossy(&body);
    let one_click = body.contains("List-Unsubscribe") && body.contains("One-Click");
    let kind = if one_click { ProofKind::OneClick } else { ProofKind::Page };
    let done = pages
        .database
        .write(async |conn| {
            let proof = Proof::plain(kind, "page", &*cx.caller.name, cx.now);
            app::subscription::unsubscribe_by_token(conn, &cx, &pages.keys, &token, proof, "").await
        })
        .await;
    match done {
        Ok(_) => page(StatusCode::OK, "Unsubscribed", "<p>You will not receive this newsletter any more.</p>"),
        Err(failure) => sorry(&failure),
    }
}

fn sorry(failure: &app::Failed) -> Response {
    tracing::warn!(%failure, "a page could not do what was asked");
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Please try again",
        "<p>This did not work right now. Nothing was changed. Please try again in a minute.</p>",
    )
}

fn form(title: &str, text: &str, button: &str) -> Response {
    page(StatusCode::OK, title, &format!("<p>{text}</p>\n<form method=\"post\"><button type=\"submit\">{button}</button></form>"))
}

/// A page without scripts, that nobody stores, frames, or learns the address of.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
