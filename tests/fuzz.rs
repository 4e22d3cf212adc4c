//! Thousands of nearly right requests to a running suite: each is answered or refused with a reason, none breaks it.

use std::{
    collections::BTreeMap,
    env,
    panic::{self, PanicHookInfo},
    sync::{Arc, Mutex},
};

use futures::{StreamExt as _, stream};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use rapport_testkit::Backend;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    descriptor, dynamic,
    near_valid::{Generator, Known},
    running,
};

/// How many calls are in flight.
const AT_ONCE: usize = 16;

rapport_testkit::both_databases! {
    async fn ten_thousand_nearly_valid_requests_break_nothing(backend: Backend) {
        let seed = number("RAPPORT_FUZZ_SEED", 20_261_122);
        let default = if backend == Backend::Sqlite { 10_000 } else { 2_000 };
        let calls = number("RAPPORT_FUZZ_CALLS", default);
        println!("fuzz: {calls} calls, seed {seed} (RAPPORT_FUZZ_CALLS and RAPPORT_FUZZ_SEED change them)");
        let panics = watch_panics();
        let suite = running::start(backend).await;
        let methods = descriptor::rpcs(&descriptor::pool());
        let known = Known::default();
        let seen = Mutex::new(BTreeMap::<(String, String), usize>::new());
        let broken = Mutex::new(Vec::new());
        let one = async |at: u64| {
            // The first calls make things, so that the later ones find some.
            let making = |method: &&MethodDescriptor| ["Create", "Log", "Publish", "Subscribe"].iter().any(|verb| method.name().starts_with(verb));
            let makers: Vec<&MethodDescriptor> = methods.iter().filter(making).collect();
            let method = if at < calls / 10 { makers[at as usize % makers.len()] } else { &methods[at as usize % methods.len()] };
            let mut generator = Generator::new(seed.wrapping_add(at), &known);
            let count = if method.is_client_streaming() { generator.count(5) } else { 1 };
            let requests: Vec<DynamicMessage> = (0..count).map(|_| generator.message(&method.input())).collect();
            let answer = dynamic::call(suite.channel(method), method, requests.clone(), 5).await;
            let code = format!("{:?}", answer.as_ref().err().map_or(Code::Ok, Status::code));
            *seen.lock().expect("no panic holds it").entry((method.full_name().to_owned(), code)).or_default() += 1;
            match answer {
                Ok(answers) => answers.iter().for_each(|answer| known.learn(answer)),
                Err(status) => {
                    if let Some(wrong) = wrong_with(&status, method) {
                        let requests = serde_json::to_string(&requests).unwrap_or_default();
                        broken.lock().expect("no panic holds it").push(format!("call {at}: {}: {wrong}\n    {requests}", method.full_name()));
                    }
                }
            }
        };
        stream::iter(0..calls).map(one).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;

        let seen = seen.into_inner().expect("no panic holds it");
        report(&seen, &methods);
        suite.stop().await;
        let broken = broken.into_inner().expect("no panic holds it");
        let panics = panics.lock().expect("no panic holds it").clone();
        assert!(panics.is_empty(), "\nseed {seed}: the services panicked:\n{}\n", panics.join("\n"));
        assert!(
            broken.is_empty(),
            "\nseed {seed}: {} of {calls} calls were answered as they must not be, for example\n{}\n\n\
             Refuse the input where it is parsed (`Violations`), or handle the state that it led to.\n",
            broken.len(),
            broken.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n")
        );
    }
}

/// What is wrong with a refusal itself, if anything.
fn wrong_with(status: &Status, method: &MethodDescriptor) -> Option<String> {
    let told = || format!("{:?}: {}", status.code(), status.message());
    if matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented) {
        return Some(told());
    }
    let details = status.get_error_details();
    let Some(info) = details.error_info() else { return Some(format!("no ErrorInfo with {}", told())) };
    if !reasons(method).contains(&info.reason) {
        return Some(format!("the reason {} is in no ErrorReason; {}", info.reason, told()));
    }
    let violations = details.bad_request().map_or(0, |bad| bad.field_violations.len());
    (status.code() == Code::InvalidArgument && violations == 0).then(|| format!("no violation is named with {}", told()))
}

/// The reasons that the protos document for this method.
fn reasons(method: &MethodDescriptor) -> Vec<String> {
    let service = method.parent_service();
    let pool = service.parent_pool();
    let of = |package: &str| pool.get_enum_by_name(&format!("{package}.ErrorReason"));
    let enums = [of("rapport.common.v1"), of(service.package_name())];
    enums
        .iter()
        .flatten()
        .flat_map(|own| own.values().map(|value| value.name().trim_start_matches("ERROR_REASON_").to_owned()).collect::<Vec<_>>())
        .collect()
}

#[expect(clippy::print_stdout, reason = "a seeded test tells what it has done")]
fn report(seen: &BTreeMap<(String, String), usize>, methods: &[MethodDescriptor]) {
    for method in methods {
        let counts: Vec<String> =
            seen.iter().filter(|((name, _), _)| name == method.full_name()).map(|((_, code), count)| format!("{code} {count}")).collect();
        println!("  {:<60} {}", method.full_name().trim_start_matches("rapport."), counts.join(", "));
    }
}

/// Collects the panics of the services' own code, wherever they are caught.
fn watch_panics() -> Arc<Mutex<Vec<String>>> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let before = panic::take_hook();
    let keep = Arc::clone(&found);
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let ours = info.location().is_some_and(|location| {
            let file = location.file();
            (file.contains("services/") || file.contains("shared/")) && !file.contains("testkit") && !file.contains("/tests/")
        });
        if ours && let Ok(mut found) = keep.lock() {
            found.push(info.to_string());
        }
        before(info);
    }));
    found
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
