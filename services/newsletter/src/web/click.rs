//! The links of mails whose publication counts visits: a visit is counted, and led on to where we said, and nowhere else.

use super::Pages;
use crate::app::activity;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// The route of links.
pub fn router() -> Router<Pages> {
    Router::new().route("/click/{token}", get(follow))
}

async fn follow(State(pages): State<Pages>, Path(token): Path<String>, method: Method, headers: HeaderMap) -> Response {
    let cx = pages.context();
    let Some((_, destination)) = pages.keys.open_link(&token) else {
        return pages.unknown(StatusCode::NOT_FOUND, &headers);
    };
    // Programs that only look whether a link is good ask by HEAD.
    if method == Method::GET {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let counted = pages.database.write(async |conn| activity::visit(conn, &cx, &pages.keys, &token, agent).await).await;
        if let Err(failure) = counted {
            // The person wants to go on; what is not counted is not worth stopping anybody.
            tracing::warn!(%failure, "a visit to a link was not counted");
        }
    }
    match HeaderValue::from_str(&escaped(&destination)) {
        Ok(location) => {
            let headers = [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ];
            (StatusCode::FOUND, headers).into_response()
        }
        Err(_) => pages.unknown(StatusCode::NOT_FOUND, &headers),
    }
}

/// What is not ASCII, by its octets (RFC 3987, section 3.1).
fn escaped(destination: &str) -> String {
    let mut out = String::with_capacity(destination.len());
    for octet in destination.bytes() {
        if octet.is_ascii_graphic() {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn an_address_becomes_ascii_and_one_line() {
        assert_eq!(escaped("https://x.test/ä b?c=%20\r\nSet-Cookie: x"), "https://x.test/%C3%A4%20b?c=%20%0D%0ASet-Cookie:%20x");
    }
}
