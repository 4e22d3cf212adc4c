//! Keeps every RPC under test: each is called by name in some test, over the wire.

use crate::{descriptor, source};

/// Files that name RPCs without meaning one in particular.
const NOT_CALLS: [&str; 4] = ["tests/coverage.rs", "tests/surface.rs", "tests/descriptor.rs", "tests/source.rs"];

#[test]
fn every_rpc_is_called_by_a_test() {
    let services = source::files("services", "rs").into_iter().filter(|file| file.iter().nth(2).is_some_and(|part| part == "tests"));
    let files = source::files("tests", "rs").into_iter().chain(services).filter(|file| !NOT_CALLS.iter().any(|not| file.ends_with(not)));
    let tests: String = files.map(|file| source::read(file) + "\n").collect();
    let mut missing = Vec::new();
    for rpc in descriptor::rpcs(&descriptor::pool()) {
        let call = format!(".{}(", descriptor::snake_case(rpc.name()));
        let path = format!("{}/{}", rpc.parent_service().name(), rpc.name());
        // `watch_events` is a method of four clients: a call says nothing unless the client is made in a test as well.
        let client = format!("{}Client", rpc.parent_service().name());
        let called = tests.contains(&call) && tests.contains(&client);
        if !called && !tests.contains(&path) {
            missing.push(format!("{}/{}", rpc.parent_service().full_name(), rpc.name()));
        }
    }
    assert!(
        missing.is_empty(),
        "\nNo test calls these {} RPCs:\n{}\n\nCall each over the wire in tests/ or in the tests of its service, with what it should do and what it should refuse.\n",
        missing.len(),
        missing.join("\n")
    );
}
