//! What the page of a link answers. A link that is wrong, unknown, used or over gets one and the same answer.

use axum::{
    Form,
    extract::{Path, Query, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use rapport_core::{Caller, Context, Failure, InvitationId, accepted_languages};
use rapport_telemetry::propagate;
use serde::Deserialize;

use super::{Web, answers, view};
use crate::{
    NAME,
    app::page::{self, Taken},
    domain::{
        language::choose,
        questionnaire::Questionnaire,
        refused::Refused,
        wording::{self, Wording},
    },
};

/// What a link may say beside its token.
#[derive(Deserialize)]
pub struct Wishes {
    /// The language to show.
    lang: Option<String>,
}

/// The pages that say how it ended.
const THANKS: &str = "thanks";
const DECLINED: &str = "declined";

/// Shows the form of a link. It changes nothing: links are opened by scanners, too.
pub async fn show(State(web): State<Web>, Path(token): Path<String>, Query(wishes): Query<Wishes>, headers: HeaderMap) -> Response {
    let now = web.world.clock.now();
    let Some(id) = web.keys.verify(&token) else { return closed(&headers) };
    match web.database.read(async |conn| page::form(conn, now, id).await).await {
        Ok(Some(form)) => {
            let wishes = wishes.lang.as_deref().into_iter().chain([form.invitation.language.as_str()]);
            let language = choose(&form.questionnaire.content, wishes);
            view::form(&form.questionnaire, language.as_str(), words(language.as_str(), &headers), &[], &[])
        }
        Ok(None) => closed(&headers),
        Err(failure) => trouble(&headers, &failure),
    }
}

/// Takes the answers of a form, or the wish not to answer.
pub async fn take(
    State(web): State<Web>,
    Path(token): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Some(id) = web.keys.verify(&token) else { return closed(&headers) };
    let sent = match form {
        Ok(Form(sent)) => sent,
        Err(rejected) => return (rejected.status(), "This is not the form that was shown.").into_response(),
    };
    answer(&web, id, &headers, &sent).await.unwrap_or_else(|failure| trouble(&headers, &failure))
}

async fn answer(web: &Web, id: InvitationId, headers: &HeaderMap, sent: &answers::Sent) -> Result<Response, Failure<Refused>> {
    let value = |wanted: &str| sent.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let Some((questionnaire, invited)) = web.database.read(async |conn| page::asked(conn, id).await).await? else {
        return Ok(closed(headers));
    };
    let language = choose(&questionnaire.content, value("language").into_iter().chain([invited.as_str()]));
    let cx = context(web);
    if value("action") == Some("decline") {
        let declined = web.database.write(async |conn| page::decline(conn, &cx, id).await).await?;
        return Ok(if declined { ended(DECLINED, language.as_str()) } else { closed(headers) });
    }
    let given = answers::read(&questionnaire.content.questions, sent);
    let taken = web.database.write(async |conn| page::answer(conn, &cx, id, language.clone(), given.clone()).await).await?;
    Ok(match taken {
        Taken::Stored => ended(THANKS, language.as_str()),
        Taken::Closed => closed(headers),
        Taken::Misfits(faults) => misfits(&questionnaire, language.as_str(), headers, sent, &faults),
    })
}

fn misfits(
    questionnaire: &Questionnaire,
    language: &str,
    headers: &HeaderMap,
    sent: &answers::Sent,
    faults: &[crate::domain::answer::Fault],
) -> Response {
    view::form(questionnaire, language, words(language, headers), sent, faults)
}

/// Says how it ended. The page belongs to nobody, so that reloading it sends nothing again.
pub async fn end(Path((end, language)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let words = words(&language, &headers);
    match end.as_str() {
        THANKS => view::notice(StatusCode::OK, words, words.thanks),
        DECLINED => view::notice(StatusCode::OK, words, words.declined),
        _ => closed(&headers),
    }
}

/// There is nothing at other addresses.
pub async fn nothing(headers: HeaderMap) -> Response {
    closed(&headers)
}

fn ended(end: &str, language: &str) -> Response {
    Redirect::to(&format!("/s/{end}/{language}")).into_response()
}

fn closed(headers: &HeaderMap) -> Response {
    let words = wording::of_first(wished(headers));
    view::notice(StatusCode::NOT_FOUND, words, words.closed)
}

fn trouble(headers: &HeaderMap, failure: &Failure<Refused>) -> Response {
    if let Failure::Internal(_) = failure {
        tracing::error!(%failure, "a fault of ours on a page");
    }
    let words = wording::of_first(wished(headers));
    let mut response = view::notice(StatusCode::SERVICE_UNAVAILABLE, words, words.trouble);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Our words in the language of the form, or if we do not speak it in one that the browser wishes.
fn words(language: &str, headers: &HeaderMap) -> &'static Wording {
    wording::of_first([language].into_iter().chain(wished(headers)))
}

fn wished(headers: &HeaderMap) -> Vec<&str> {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(accepted_languages).unwrap_or_default()
}

/// The context of what a customer does on a page.
fn context(web: &Web) -> Context {
    let mut cx = web.world.context(Caller::service(NAME));
    cx.traceparent = propagate::current_traceparent();
    cx
}
