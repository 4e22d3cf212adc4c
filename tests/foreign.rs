//! A client in another language, with another gRPC: what it can do, others can.

use std::{env, path::Path};

use rapport_testkit::Program;

use crate::torture::suite::Suite;

rapport_testkit::both_databases! {
    async fn a_foreign_client_learns_the_api_by_reflection_and_uses_it(backend: Backend) {
        let Some(python) = env::var_os("RAPPORT_TEST_PYTHON") else {
            println!("skipped: ./test fetches a Python with grpcio");
            return;
        };
        let mut suite = Suite::new(backend, &[]).await;
        suite.start().await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/client.py");
        let client = Program::new(python).arg(script).args(["customer", "interaction"].map(|name| suite.address(name).to_string()));
        let (said, complained, code) = client.run().await;
        assert_eq!(code, Some(0), "{said}{complained}");
        assert!(said.contains("a foreign client is served"));
        suite.stop().await;
    }
}
