//! The page that confirms a subscription.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use rapport_core::Failure;

use super::{Pages, frame, language_of, token::Token, visitor::Visitor};
use crate::{
    app::{page, subscription},
    domain::{Proof, ProofKind, wording::naming},
};

/// Shows the button. It changes nothing.
pub async fn show(State(pages): State<Pages>, Token(token): Token, headers: HeaderMap) -> Response {
    match pages.database.read(async |conn| page::of_confirmation(conn, &pages.keys, &token).await).await {
        Ok(shown) => {
            let wording = pages.wording(shown.as_ref().and_then(|shown| shown.language.as_ref()), &headers);
            let text = shown
                .as_ref()
                .map_or_else(|| wording.confirm_text_unknown.clone(), |shown| naming(&wording.confirm_text, &shown.publication));
            let asked = frame::Asked { title: &wording.confirm_title, text: &text, button: &wording.confirm_button, link: None };
            frame::form(wording, shown.as_ref().map(|shown| &shown.brand), &asked)
        }
        Err(failure) => pages.sorry(&headers, &failure),
    }
}

/// Confirms. The answer depends on the form only, never on the token.
pub async fn act(State(pages): State<Pages>, Token(token): Token, Visitor(network): Visitor, headers: HeaderMap, body: Bytes) -> Response {
    let cx = pages.context();
    let done = pages
        .database
        .write(async |conn| {
            let proof = Proof::plain(ProofKind::Confirmed, "page", &*cx.caller.name, cx.now).seen_from(&network);
            subscription::confirm_subscription(conn, &cx, &pages.keys, &token, proof).await
        })
        .await;
    match done {
        Ok(_) | Err(Failure::Refused(_)) => {
            let wording = pages.wished(language_of(&String::from_utf8_lossy(&body)), &headers);
            frame::notice(StatusCode::OK, wording, [&wording.confirmed_title, &wording.confirmed_text])
        }
        Err(failure) => pages.sorry(&headers, &failure),
    }
}
