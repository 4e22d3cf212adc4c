//! The layers around every service: one list, read from outside in.

mod body;
mod deadline;
mod entry;
mod limit;
mod origin;
mod pages;
mod panic;
mod size;
pub(crate) mod step;

use std::{collections::HashMap, time::Duration};

use rapport_core::Role;
use rapport_telemetry::layer::ServerLayer;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use crate::{
    auth::{Callers, RoleTable},
    descriptor::Rpc,
    listen::Answers,
    scope::Scope,
};

pub use pages::around_pages;

/// What the layers of one service know.
pub struct Surroundings {
    /// The scope of every call.
    pub scope: Scope,
    /// Who may call.
    pub callers: Callers,
    /// The role that each RPC needs.
    pub roles: &'static [(&'static str, Role)],
    /// The RPCs whose requests may be larger than usual.
    pub limits: &'static [(&'static str, usize)],
    /// The RPCs there are.
    pub rpcs: Vec<Rpc>,
    /// The origins whose pages may call.
    pub origins: Vec<String>,
    /// Calls at a time.
    pub max_concurrent_calls: usize,
    /// For calls without a deadline of their own.
    pub deadline: Duration,
}

/// Puts the layers around the routes.
pub fn around(routes: Routes, surroundings: Surroundings) -> Answers {
    let Surroundings { scope, callers, roles, limits, rpcs, origins, max_concurrent_calls, deadline } = surroundings;
    let names = rpcs.iter().map(|rpc| rpc.name.clone());
    let paths = |of: fn(&Rpc) -> bool| rpcs.iter().filter(|rpc| of(rpc)).map(|rpc| format!("/{}", rpc.name)).collect();
    let (streams, watched) = (paths(|rpc| rpc.streaming), paths(|rpc| rpc.watched));
    let limits: HashMap<String, usize> = limits.iter().map(|(rpc, octets)| (format!("/{rpc}"), *octets)).collect();
    let layers = ServiceBuilder::new()
        // Pages of strangers in a browser are turned away before anything else; those of friends are told that they may.
        .layer(origin::Origins::new(&origins))
        // gRPC-Web: outside of the rest, so that all below sees gRPC only.
        .layer(GrpcWebLayer::new())
        // The span, as a child of the caller's, and the metrics: outside of all that can answer, so that they see every answer.
        .layer(ServerLayer::new(scope.service, names))
        // Which service answers; and errors that tonic made get their details. Outside of all that makes errors.
        .layer(step::layer(entry::Entry::new(scope, watched)))
        // A panic becomes INTERNAL: inside of the span, which then has the panic; outside of everything of ours.
        .layer(step::layer(panic::CatchPanic))
        // Too many calls at a time are turned away, before they cost anything.
        .layer(step::layer(limit::Limit::new(max_concurrent_calls)))
        // The deadline, for this call and for the calls that it makes: outside of authentication and of the work.
        .layer(step::layer(deadline::Deadline::new(deadline, streams)))
        // Requests that are too large: a message is refused by its length, before it is read.
        .layer(step::layer(size::SizeLimit::new(limits)))
        // Who calls, and whether he may: innermost, so that no refusal is without its span, metric and limit.
        .layer(step::layer(crate::auth::Authorise::new(callers, RoleTable::new(roles))))
        .service(routes.prepare());
    BoxCloneSyncService::new(layers)
}
