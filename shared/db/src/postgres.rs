//! PostgreSQL: the pool, its connections, and transactions that are repeated when they meet another.

use std::{str::FromStr, sync::Arc, time::Duration};

use diesel::ConnectionError;
use diesel_async::{
    AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures::FutureExt;
use rapport_core::Failure;
use rapport_telemetry::{meter, names};
use tokio_postgres::{Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Body, Conn, Fault, database::OpenError, fault, migrate::Migrations, settings::DatabaseSettings};

/// How often a transaction that met another one is tried in all.
const ATTEMPTS: u32 = 5;
/// How long a free connection is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// An open schema of a PostgreSQL database.
pub(crate) struct PostgresSchema {
    pool: Pool<AsyncPgConnection>,
}

impl PostgresSchema {
    pub(crate) async fn open(url: &str, schema: &str, settings: &DatabaseSettings, migrations: Migrations) -> Result<Self, OpenError> {
        let connect = Arc::new(Connect::to(url, schema, settings)?);
        let mut first = connect.establish().await.map_err(OpenError::Connect)?;
        first.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.map_err(Fault::from)?;
        migrations.run_postgres(first).await?;
        let mut manager = ManagerConfig::<AsyncPgConnection>::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let connect = Arc::clone(&connect);
            async move { connect.establish().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, manager);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size.max(1))
            .wait_timeout(Some(WAIT))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| OpenError::Settings(error.to_string()))?;
        Ok(Self { pool })
    }

    async fn checkout(&self) -> Result<Object<AsyncPgConnection>, Fault> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Fault::Unavailable("all connections to the database are in use: try again".to_owned()),
            error => Fault::Unavailable(format!("the database is out of reach: {error}")),
        })
    }

    /// Runs a body in a transaction; repeats it when it met another one.
    pub(crate) async fn transaction<T, R>(
        &self,
        begin: &'static str,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let mut attempt = 1;
        loop {
            let answer = self.attempt(begin, &body).await;
            match &answer {
                Err(failure) if attempt < ATTEMPTS && fault::of(failure).is_some_and(Fault::repeats) => {
                    meter::counter(names::DB_TRANSACTION_RETRIES).add(1, &[]);
                    attempt += 1;
                }
                _ => return answer,
            }
        }
    }

    /// Runs a body of one statement, which sees one state by itself.
    pub(crate) async fn lookup<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let conn = self.checkout().await?;
        body(&mut Conn::Postgres(&conn)).await
    }

    async fn attempt<T, R>(
        &self,
        begin: &'static str,
        body: &(impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>),
    ) -> Result<T, Failure<R>> {
        let conn = Borrowed(Some(self.checkout().await?));
        // By hand and not by `AsyncConnection::transaction`, which demands bounds that a generic async closure cannot state. The first
        // statement of the body is sent right behind BEGIN, which saves a round trip. When BEGIN fails, which is hardly ever but where the
        // connection is broken, the body is not run on.
        let (mut first, mut then) = (conn.get(), Conn::Postgres(conn.get()));
        let begun = async { first.batch_execute(begin).await.map_err(Fault::from) };
        // Bodies are large, and what joins them moves them about: on the heap they leave the stack to what they call.
        let run = Box::pin(body(&mut then));
        let ((), answer) = futures::try_join!(begun, run.map(Ok))?;
        match answer {
            Ok(value) => {
                conn.get().batch_execute("COMMIT").await.map_err(Fault::from)?;
                conn.give_back();
                Ok(value)
            }
            Err(failure) => {
                // The body's own failure says more than one to roll back, after which the connection is not used again.
                if conn.get().batch_execute("ROLLBACK").await.is_ok() {
                    conn.give_back();
                }
                Err(failure)
            }
        }
    }
}

/// A connection of the pool with a transaction on it. Dropped midway, it is closed: nobody else may find himself in that transaction.
struct Borrowed(Option<Object<AsyncPgConnection>>);

impl Borrowed {
    fn get(&self) -> &AsyncPgConnection {
        self.0.as_ref().expect("it is there until it is given back or dropped")
    }

    fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            drop(Object::take(conn));
        }
    }
}

/// How connections are made.
pub(crate) struct Connect {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connect {
    pub(crate) fn to(url: &str, schema: &str, settings: &DatabaseSettings) -> Result<Self, OpenError> {
        if schema.is_empty() || !schema.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return Err(OpenError::Settings(format!("the schema {schema:?} must have only lower-case letters, digits and underscores")));
        }
        // The error may quote the URL with its password: it is not passed on.
        let mut config = Config::from_str(url).map_err(|_| {
            OpenError::Settings("database.url is not a PostgreSQL URL: write postgres://user:password@host:port/database".to_owned())
        })?;
        let timeout = settings.statement_timeout.as_millis();
        let given = config.get_options().unwrap_or_default().to_owned();
        config.options(format!(
            "{given} -c search_path={schema} -c statement_timeout={timeout} -c idle_in_transaction_session_timeout={timeout}"
        ));
        config.application_name(format!("rapport-{schema}"));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(WAIT);
        }
        let tls = if matches!(config.get_ssl_mode(), SslMode::Require) { Some(tls(settings)?) } else { None };
        Ok(Self { config, tls })
    }

    pub(crate) async fn establish(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let failed = |error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            ConnectionError::BadConnection(format!("{error}{cause}"))
        };
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await.map_err(failed)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

fn tls(settings: &DatabaseSettings) -> Result<MakeRustlsConnect, OpenError> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    match &settings.root_certificates {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable =
                |error: &dyn std::fmt::Display| OpenError::Settings(format!("database.root_certificates_file {}: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                roots.add(certificate.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Settings(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
