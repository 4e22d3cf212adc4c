//! Who calls, and what they may: API keys of the settings, and the one table of roles.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER_PERMISSIVE;
use http::{Request, Response};
use rapport_core::{Caller, Role, words::Word};
use rapport_telemetry::names;
use sha2::{Digest, Sha256};
use tonic::{Status, body::Body};

use crate::{
    layers::step::{Rest, Step, call},
    settings::AuthSection,
    status,
};

/// Who may call, exchangeable while calls are answered; cheap to clone.
#[derive(Clone)]
pub struct Callers {
    by_hash: Arc<ArcSwap<HashMap<[u8; 32], Caller>>>,
    local: Caller,
    warned: Arc<AtomicBool>,
}

impl Callers {
    /// The callers of the settings.
    pub fn of(section: &AuthSection) -> Self {
        Self { by_hash: Arc::new(ArcSwap::from_pointee(table(section))), local: Caller::local(), warned: Arc::default() }
    }

    /// Puts these callers in the place of the old ones; calls that are being answered go on.
    pub fn replace(&self, section: &AuthSection) {
        self.by_hash.store(Arc::new(table(section)));
    }

    /// Whether keys are needed. Without any there is one caller, `local`, which may do everything.
    pub fn required(&self) -> bool {
        !self.by_hash.load().is_empty()
    }

    /// Warns, once in a process, that nobody is asked for a key.
    pub(crate) fn warn_if_open(&self) {
        if !self.required() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("auth.keys is empty: every caller on loopback is `local` and may do everything");
        }
    }

    /// The caller that an `authorization` header names; none when it names nobody.
    pub(crate) fn caller(&self, authorization: Option<&str>) -> Option<Caller> {
        let by_hash = self.by_hash.load();
        if by_hash.is_empty() {
            return Some(self.local.clone());
        }
        let (scheme, key) = authorization?.split_once(' ')?;
        // Looked up by the hash of a secret: how long the look-up takes tells nothing about the secret.
        let hash: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
        scheme.eq_ignore_ascii_case("bearer").then(|| by_hash.get(&hash).cloned()).flatten()
    }
}

fn table(section: &AuthSection) -> HashMap<[u8; 32], Caller> {
    let mut table = HashMap::new();
    for key in &section.keys {
        let caller = Caller::new(key.name.as_str(), with_implied(&key.roles));
        for hash in &key.sha256 {
            let decoded = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            if let Some(hash) = decoded {
                table.insert(hash, caller.clone());
            }
        }
    }
    table
}

/// The roles of a key with those that they include.
fn with_implied(roles: &[Role]) -> Vec<Role> {
    let mut all = Vec::new();
    for role in roles {
        let implied: &[Role] = match role {
            Role::Reader => &[],
            Role::Agent | Role::Batch => &[Role::Reader],
            Role::Supervisor => &[Role::Agent, Role::Reader],
            Role::Service => &[Role::Agent, Role::Batch, Role::Reader],
            Role::Admin => &[],
        };
        for role in std::iter::once(role).chain(implied) {
            if !all.contains(role) {
                all.push(*role);
            }
        }
    }
    all
}

/// The role of each RPC, by path.
#[derive(Debug)]
pub(crate) struct RoleTable(HashMap<String, Role>);

impl RoleTable {
    /// The table of one service, with the RPCs that every service has.
    pub fn new(roles: &[(&str, Role)]) -> Self {
        Self(roles.iter().map(|(rpc, role)| (format!("/{rpc}"), *role)).collect())
    }
    /// The role that this path needs; none for an RPC that does not exist.
    pub fn role(&self, path: &str) -> Option<Role> {
        if path.starts_with("/grpc.reflection.") {
            return Some(Role::Reader);
        }
        self.0.get(path).copied()
    }
}

/// The layer that asks who calls and whether he may.
pub(crate) struct Authorise {
    callers: Callers,
    roles: RoleTable,
}

impl Authorise {
    /// With these callers and roles.
    pub fn new(callers: Callers, roles: RoleTable) -> Self {
        Self { callers, roles }
    }
}

impl Step for Authorise {
    async fn take(&self, mut request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        // An RPC that does not exist needs no role to be told so; health is for everybody.
        let Some(role) = self.roles.role(request.uri().path()) else { return Ok(call(rest, request).await) };
        let authorization = request.headers().get(http::header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let Some(caller) = self.callers.caller(authorization) else {
            let problem = if authorization.is_some() { "the key is not known" } else { "the call has no key" };
            return Err(status::unauthenticated(problem, role.as_str()));
        };
        tracing::Span::current().record(names::RAPPORT_CALLER, &*caller.name);
        if !caller.may(role) {
            return Err(status::denied(role.as_str()));
        }
        request.extensions_mut().insert(caller);
        Ok(call(rest, request).await)
    }
}

/// The gaps between a table of roles and the RPCs that the descriptor declares for this service.
pub(crate) fn gaps(descriptor: &prost_types::FileDescriptorSet, service: &str, roles: &[(&str, Role)]) -> Vec<String> {
    let rpcs = crate::descriptor::rpcs(descriptor, service);
    let missing = rpcs.iter().filter(|rpc| !roles.iter().any(|(name, _)| *name == rpc.name));
    let unknown = roles.iter().filter(|(name, _)| !rpcs.iter().any(|rpc| rpc.name == *name));
    let missing = missing.map(|rpc| format!("{} has no role", rpc.name));
    missing.chain(unknown.map(|(name, _)| format!("{name} is no RPC of this service"))).collect()
}
