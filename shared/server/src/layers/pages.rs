//! The layers around public pages: a span, a limit of time and size, and no panic that ends more than its request.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, map_response},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use hyper::body::Incoming;
use rapport_telemetry::{
    meter::{self, KeyValue, metrics::Histogram},
    names, service,
};
use tonic::body::Body;
use tower::{ServiceExt, util::BoxCloneSyncService};
use tracing::{Instrument, field::Empty};

use crate::listen::Answers;

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(15);
/// The largest form in octets.
const FORM: usize = 64 * 1024;

/// Puts the layers around the pages of a service.
pub fn around_pages(router: Router, name: &'static str) -> Answers {
    let duration = meter::histogram(names::HTTP_SERVER_REQUEST_DURATION);
    let router = router
        // What a browser must not do with our pages; a page's own header of that name stays.
        .layer(map_response(with_guards))
        // The span and the metric: outside of the guards, inside of the routing, which knows the pattern of the path.
        .layer(from_fn(move |request, next| observe(name, duration.clone(), request, next)))
        .layer(DefaultBodyLimit::max(FORM));
    BoxCloneSyncService::new(
        router.map_request(|request: http::Request<Incoming>| request).map_response(|response| response.map(Body::new)),
    )
}

/// The paths hold tokens, so nothing of them is told on or kept; and nothing runs that is not of the page itself.
const GUARDS: [(HeaderName, &str); 5] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
];

async fn with_guards(mut response: Response) -> Response {
    for (name, value) in GUARDS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn observe(name: &'static str, duration: Histogram<f64>, request: Request, next: Next) -> Response {
    let since = meter::Stopwatch::start();
    let method = request.method().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "_OTHER".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        parent: None,
        names::HTTP_SERVER,
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        { names::HTTP_REQUEST_METHOD } = method,
        { names::HTTP_ROUTE } = route,
        { names::HTTP_RESPONSE_STATUS_CODE } = Empty,
    );
    // A stranger's trace context is not gone on with: the pages are open to the world.
    service::begin(&span, name);
    let answer = AssertUnwindSafe(tokio::time::timeout(LIMIT, next.run(request))).catch_unwind();
    let response = async {
        match answer.await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => (StatusCode::SERVICE_UNAVAILABLE, "This takes too long just now. Please try again.").into_response(),
            Err(_) => {
                // The panic hook has logged it, within the span of this request.
                meter::counter(names::SERVER_PANICS).add(1, &[]);
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. Please try again later.").into_response()
            }
        }
    }
    .instrument(span.clone())
    .await;
    let status = response.status().as_u16();
    span.record(names::HTTP_RESPONSE_STATUS_CODE, status);
    let attributes = [
        KeyValue::new(names::RAPPORT_SERVICE, name),
        KeyValue::new(names::HTTP_REQUEST_METHOD, method),
        KeyValue::new(names::HTTP_ROUTE, route),
        KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(status)),
    ];
    duration.record(since.seconds(), &attributes);
    response
}
