//! The page of all that a person receives. A token that is not one of ours gets a page that shows nothing of anybody.

use std::collections::HashSet;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use rapport_core::{Language, PublicationId};

use super::{Pages, frame, token::Token, visitor::Visitor};
use crate::{
    app::{
        Failed,
        preferences::{self, Preferences, Wish},
    },
    domain::Wording,
};

/// What of the form ends everything.
const LEAVE: (&str, &str) = ("do", "leave");

/// Shows everything. It changes nothing.
pub async fn show(State(pages): State<Pages>, Token(token): Token, headers: HeaderMap) -> Response {
    match looked(&pages, &token).await {
        Ok(Some(shown)) => view(&pages, &headers, &shown, false),
        Ok(None) => pages.unknown(StatusCode::OK, &headers),
        Err(failure) => pages.sorry(&headers, &failure),
    }
}

/// Does what the person wishes, and shows what came of it.
pub async fn act(
    State(pages): State<Pages>,
    Token(token): Token,
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let sent = match form {
        Ok(Form(sent)) => sent,
        Err(rejected) => return pages.unknown(rejected.status(), &headers),
    };
    match done(&pages, &token, (&headers, visitor), &sent).await {
        Ok(Some(shown)) => view(&pages, &headers, &shown, true),
        Ok(None) => pages.unknown(StatusCode::OK, &headers),
        Err(failure) => pages.sorry(&headers, &failure),
    }
}

async fn looked(pages: &Pages, token: &str) -> Result<Option<Preferences>, Failed> {
    pages.database.read(async |conn| preferences::show(conn, &pages.keys, token).await).await
}

async fn done(
    pages: &Pages,
    token: &str,
    (headers, Visitor(network)): (&HeaderMap, Visitor),
    sent: &[(String, String)],
) -> Result<Option<Preferences>, Failed> {
    let Some(before) = looked(pages, token).await? else { return Ok(None) };
    let cx = pages.context();
    if sent.iter().any(|(name, value)| (name.as_str(), value.as_str()) == LEAVE) {
        pages.database.write(async |conn| preferences::leave(conn, &cx, &pages.keys, token, &network).await).await?;
    } else {
        // The words that the person saw.
        let seen = pages.wording(before.language.as_ref(), headers);
        let wish = Wish {
            before: publications(sent, "was"),
            now: publications(sent, "on"),
            language: language(pages, sent),
            wording: seen.preferences_legend.clone(),
            wording_version: format!("preferences/{}", seen.language),
            ip_prefix: network,
        };
        pages.database.write(async |conn| preferences::save(conn, &cx, &pages.keys, token, &wish).await).await?;
    }
    looked(pages, token).await
}

fn publications(sent: &[(String, String)], wanted: &str) -> HashSet<PublicationId> {
    sent.iter().filter(|(name, _)| name == wanted).filter_map(|(_, value)| value.parse().ok()).collect()
}

/// The language that was chosen, if it is one of ours.
fn language(pages: &Pages, sent: &[(String, String)]) -> Option<Language> {
    let (_, chosen) = sent.iter().find(|(name, _)| name == "lang")?;
    pages.wordings.all().map(|wording| &wording.language).find(|known| known.as_str() == chosen).cloned()
}

fn view(pages: &Pages, headers: &HeaderMap, shown: &Preferences, saved: bool) -> Response {
    let wording = pages.wording(shown.language.as_ref(), headers);
    let brand = shown.brand();
    let offers = shown.offers.iter().map(|offer| frame::Choice {
        value: offer.publication.to_string(),
        name: &offer.display_name,
        about: &offer.description,
        from: if brand.is_none() { &offer.brand.name } else { "" },
        chosen: offer.active,
    });
    let choices =
        frame::Choices { offers: offers.collect(), languages: languages(pages, wording, shown), saved, suppressed: shown.suppressed };
    frame::preferences(wording, brand, &choices)
}

/// The languages to choose from, each in itself; the person's own, or none, is the first when we do not speak it.
fn languages<'a>(pages: &'a Pages, wording: &'a Wording, shown: &'a Preferences) -> Vec<frame::Choice<'a>> {
    let own = shown.language.as_ref().map(Language::as_str).unwrap_or_default();
    let choice = |value: &str, name: &'a str| frame::Choice { value: value.to_owned(), name, about: "", from: "", chosen: value == own };
    let known = pages.wordings.all().any(|known| known.language.as_str() == own);
    let unknown = if own.is_empty() { wording.preferences_language_none.as_str() } else { own };
    let first = (!known).then(|| choice(own, unknown));
    first.into_iter().chain(pages.wordings.all().map(|known| choice(known.language.as_str(), &known.language_name))).collect()
}
