//! The rules that single types cannot keep; each broken one is told.

use std::net::SocketAddr;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{SERVICES, Settings, Tls};

/// Adds every broken rule to `problems`.
pub fn check(settings: &Settings, problems: &mut Vec<String>) {
    check_server(settings, problems);
    check_auth(settings, problems);
    for name in SERVICES {
        check_listen(settings, name, problems);
        check_pages(settings, name, problems);
        check_url(settings, &format!("{name}.database_url"), problems);
    }
    check_url(settings, "database.url", problems);
    for (name, url) in settings.client.peers() {
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            problems.push(format!("client.{name}: must begin with http:// or https://"));
        }
    }
    let telemetry = &settings.telemetry;
    if !(0.0..=1.0).contains(&telemetry.trace_ratio) {
        problems.push("telemetry.trace_ratio: must be from 0 to 1".to_owned());
    }
    if !["text", "json"].contains(&telemetry.log_format.as_str()) {
        problems.push("telemetry.log_format: must be \"text\" or \"json\"".to_owned());
    }
}

fn check_server(settings: &Settings, problems: &mut Vec<String>) {
    let server = &settings.server;
    for (key, value) in [
        ("server.max_concurrent_calls", server.max_concurrent_calls as u64),
        ("server.max_connections", server.max_connections as u64),
        ("server.deadline_seconds", server.deadline_seconds),
        ("server.heartbeat_milliseconds", server.heartbeat_milliseconds),
        ("server.feed_retention_days", server.feed_retention_days),
        ("database.statement_timeout_seconds", settings.database.statement_timeout_seconds),
        ("client.timeout_milliseconds", settings.client.timeout_milliseconds),
    ] {
        if value == 0 {
            problems.push(format!("{key}: must be at least 1"));
        }
    }
    for origin in &server.web_origins {
        let fits = origin.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some() && !origin.ends_with('/'));
        if !fits {
            problems.push(format!("server.web_origins: {origin:?} must be like https://desk.example.com"));
        }
    }
    if server.tls == Tls::Own && (server.certificate_file.is_empty() || server.key_file.is_empty()) {
        problems.push("server.tls: \"own\" needs server.certificate_file and server.key_file".to_owned());
    }
    if server.tls != Tls::Own && !server.client_ca_file.is_empty() {
        problems.push("server.client_ca_file: needs server.tls = \"own\"".to_owned());
    }
    if settings.client.certificate_file.is_empty() != settings.client.key_file.is_empty() {
        problems.push("client.certificate_file and client.key_file: set both or none".to_owned());
    }
}

fn check_auth(settings: &Settings, problems: &mut Vec<String>) {
    let mut names = std::collections::BTreeSet::new();
    for key in &settings.auth.keys {
        let name = &key.name;
        if name.is_empty() || name.len() > 64 || name.chars().any(|c| c.is_control()) {
            problems.push(format!("auth.keys: the name {name:?} must have 1 to 64 characters"));
        }
        if !names.insert(name) {
            problems.push(format!("auth.keys: {name:?} is there twice"));
        }
        if key.roles.is_empty() {
            problems.push(format!("auth.keys: {name:?} has no roles"));
        }
        if !(1..=2).contains(&key.sha256.len()) {
            problems.push(format!("auth.keys: {name:?} must have one or two sha256"));
        }
        if key.sha256.iter().any(|hash| hash.len() != 64 || HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).is_err()) {
            problems.push(format!("auth.keys: a sha256 of {name:?} is not 64 hex digits; make one with: printf %s KEY | sha256sum"));
        }
    }
    if !settings.auth.keys.is_empty() && settings.client.api_key.is_empty() {
        problems.push("client.api_key: is needed when auth.keys is set, or the services cannot call each other".to_owned());
    }
}

fn check_listen(settings: &Settings, name: &str, problems: &mut Vec<String>) {
    let key = format!("{name}.listen");
    let Some(address) = address(settings, &key, problems) else { return };
    if address.ip().is_loopback() {
        return;
    }
    if settings.auth.keys.is_empty() {
        problems.push(format!("{key}: {address} is not loopback and needs callers in auth.keys"));
    }
    if settings.server.tls == Tls::Off {
        problems.push(format!(
            "{key}: {address} is not loopback and needs server.tls = \"own\", or \"by-network\" if something else protects it"
        ));
    }
}

fn check_pages(settings: &Settings, name: &str, problems: &mut Vec<String>) {
    let Some(url) = settings.text(&format!("{name}.pages.public_url")) else { return };
    let listen = address(settings, &format!("{name}.pages.listen"), problems);
    let key = format!("{name}.pages.public_url");
    if url.is_empty() {
        if listen.is_some_and(|address| !address.ip().is_loopback()) {
            problems.push(format!("{key}: is needed when the pages do not listen on loopback"));
        }
        return;
    }
    match url.parse::<http::Uri>() {
        Ok(parsed) if parsed.host().is_none() || parsed.query().is_some() => {
            problems.push(format!("{key}: must be like https://news.example.com"));
        }
        Ok(parsed) if parsed.scheme_str() == Some("https") => {}
        Ok(parsed) if parsed.scheme_str() == Some("http") && parsed.host().is_some_and(loopback) => {}
        _ => problems.push(format!("{key}: must be an https address unless it is loopback")),
    }
    if url.ends_with('/') {
        problems.push(format!("{key}: must not end with /"));
    }
}

fn loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn address(settings: &Settings, key: &str, problems: &mut Vec<String>) -> Option<SocketAddr> {
    let parsed = settings.text(key)?.parse().ok();
    if parsed.is_none() {
        problems.push(format!("{key}: must be an address and a port, for example 127.0.0.1:50051"));
    }
    parsed
}

fn check_url(settings: &Settings, key: &str, problems: &mut Vec<String>) {
    let Some(url) = settings.text(key) else { return };
    if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        problems.push(format!("{key}: must begin with postgres://, or be empty for SQLite"));
    }
}
