//! Many confirmed readers of a publication, made by SQL from the first one: what the tests and benchmarks of sending begin with.

use std::path::Path;

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};

/// Where the newsletter service keeps its data.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A file.
    Sqlite(&'a Path),
    /// The URL of a database.
    Postgres(&'a str),
}

/// Confirms everybody who subscribed, and makes copies of the one who came first until there are `count` readers more. `address` is
/// the SQL expression of the address of reader number `i`, counted from 1, in lower case.
pub async fn grow(place: Place<'_>, count: usize, address: &str) {
    let confirm = "UPDATE subscriptions SET state = 'ACTIVE', confirm_time = create_time";
    let subscribers = format!(
        "INSERT INTO subscribers SELECT n.id, 1, {address}, {address}, NULL, 'Reader ' || n.i, s.language, s.create_time
         FROM numbers n CROSS JOIN (SELECT * FROM subscribers ORDER BY create_time LIMIT 1) s"
    );
    let subscriptions = "INSERT INTO subscriptions
        SELECT n.id, 1, s.publication, n.id, s.state, s.proofs, n.id, s.journey, s.create_time, s.ask_time, s.expire_time, s.confirm_time,
            s.end_time, s.end_reason
        FROM numbers n CROSS JOIN (SELECT * FROM subscriptions ORDER BY create_time LIMIT 1) s";
    match place {
        Place::Sqlite(file) => {
            let mut conn = SqliteConnection::establish(&file.display().to_string()).expect("the file is a database");
            let numbers = format!(
                "CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
                 SELECT i, unhex(printf('%032x', i)) AS id FROM n"
            );
            for statement in ["PRAGMA busy_timeout = 10000", "PRAGMA foreign_keys = ON", &numbers, confirm, &subscribers, subscriptions] {
                sql_query(statement).execute(&mut conn).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
        Place::Postgres(url) => {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the cluster runs");
            tokio::spawn(connection);
            let numbers = format!(
                "CREATE TEMP TABLE numbers AS SELECT i, lpad(to_hex(i), 32, '0')::uuid AS id FROM generate_series(1, {count}) AS g(i)"
            );
            for statement in ["SET search_path TO newsletter", &numbers, confirm, &subscribers, subscriptions, "ANALYZE"] {
                client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
    }
}
