//! The page that ends a subscription, and what mail programs do in one step (RFC 8058).

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Pages, frame, language_of, token::Token, visitor::Visitor};
use crate::{
    app::{page, subscription},
    domain::{Proof, ProofKind, wording::naming},
};

/// Shows the button. It changes nothing.
pub async fn show(State(pages): State<Pages>, Token(token): Token, headers: HeaderMap) -> Response {
    match pages.database.read(async |conn| page::of_subscription(conn, &pages.keys, &token).await).await {
        Ok(shown) => {
            let wording = pages.wording(shown.as_ref().and_then(|shown| shown.language.as_ref()), &headers);
            let text = shown
                .as_ref()
                .map_or_else(|| wording.unsubscribe_text_unknown.clone(), |shown| naming(&wording.unsubscribe_text, &shown.publication));
            // Relative, because a proxy may serve the pages below a path of its own.
            let preferences = shown.as_ref().map(|shown| format!("../preferences/{}", shown.preferences));
            let asked = frame::Asked {
                title: &wording.unsubscribe_title,
                text: &text,
                button: &wording.unsubscribe_button,
                link: preferences.as_deref().map(|address| (address, wording.preferences_link.as_str())),
            };
            frame::form(wording, shown.as_ref().map(|shown| &shown.brand), &asked)
        }
        Err(failure) => pages.sorry(&headers, &failure),
    }
}

/// Ends it. The answer depends on the form only, never on the token.
pub async fn act(State(pages): State<Pages>, Token(token): Token, Visitor(network): Visitor, headers: HeaderMap, body: Bytes) -> Response {
    let cx = pages.context();
    // RFC 8058 sends the pair as a form of either encoding; a person's browser sends our own form.
    let body = String::from_utf8_lossy(&body);
    let one_click = body.contains("List-Unsubscribe") && body.contains("One-Click");
    // One click comes from the mail program's house as often as from the person's: its network shows nothing of the person.
    let (kind, network) = if one_click { (ProofKind::OneClick, "") } else { (ProofKind::Page, network.as_str()) };
    let done = pages
        .database
        .write(async |conn| {
            let proof = Proof::plain(kind, "page", &*cx.caller.name, cx.now).seen_from(network);
            subscription::unsubscribe_by_token(conn, &cx, &pages.keys, &token, proof, "").await
        })
        .await;
    match done {
        Ok(_) => {
            let wording = pages.wished(language_of(&body), &headers);
            frame::notice(StatusCode::OK, wording, [&wording.unsubscribed_title, &wording.unsubscribed_text])
        }
        Err(failure) => pages.sorry(&headers, &failure),
    }
}
