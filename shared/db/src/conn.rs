//! One connection of either database, and the macro that compiles one query for both.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use diesel::SqliteConnection;
use diesel_async::{
    AsyncPgConnection,
    sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper},
};
use futures::{FutureExt, future::BoxFuture};

/// A connection to SQLite that runs its statements as its [`Lane`] says.
pub type Lite = SyncConnectionWrapper<SqliteConnection, Lane>;

/// A connection inside a transaction: what every store function works on.
pub enum Conn<'a> {
    /// To PostgreSQL; shared, so that several statements can be under way on it ([`together!`](crate::together)).
    Postgres(&'a AsyncPgConnection),
    /// To SQLite.
    Sqlite(&'a mut Lite),
}

/// Compiles one Diesel query for both databases: `on!(conn, |c| customers::table.find(id).first::<Row>(c).await)`.
#[macro_export]
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::Conn::Postgres($c) => $body,
            $crate::Conn::Sqlite($c) => $body,
        }
    };
}

/// Runs statements of which none rests on another, and answers all of them or the first failure:
/// `together!(conn, |c| store::a::find(c, a), |c| store::b::find(c, b))`. On PostgreSQL they are sent one behind the other and cost one round
/// trip; on SQLite, where none costs any, they run one after the other. Which of them is carried out first is not said.
#[macro_export]
macro_rules! together {
    ($conn:expr, $(|$c:ident| $body:expr),+ $(,)?) => {
        match $conn {
            $crate::Conn::Postgres(shared) => {
                let shared = *shared;
                $crate::try_join!($(async {
                    let $c = &mut $crate::Conn::Postgres(shared);
                    $body.await
                }),+)
            }
            $crate::Conn::Sqlite(lite) => 'together: {
                Ok(($({
                    let $c = &mut $crate::Conn::Sqlite(&mut **lite);
                    match $body.await {
                        Ok(value) => value,
                        Err(failure) => break 'together Err(failure),
                    }
                }),+))
            }
        }
    };
}

/// Where the statements of a SQLite connection run.
#[derive(Clone, Debug)]
pub enum Lane {
    /// On the calling thread: for statements that are bounded, by key or with a limit. Four times the
    /// throughput of handing each one to another thread.
    InPlace,
    /// On a thread for blocking work: for reports, searches, migrations, backups.
    Blocking,
    /// In place unless the flag is up: for the writer, whose statements are short and whose commits wait for the disk. In
    /// place, a commit would stop one of the few threads of the runtime for as long as the disk takes.
    Switched(Arc<AtomicBool>),
}

impl SpawnBlocking for Lane {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        let aside = match self {
            Self::InPlace => false,
            Self::Blocking => true,
            Self::Switched(aside) => aside.load(Ordering::Relaxed),
        };
        if aside {
            tokio::task::spawn_blocking(task).map(|done| done.map_err(Into::into)).boxed()
        } else {
            std::future::ready(Ok(task())).boxed()
        }
    }

    fn get_runtime() -> Self {
        Self::Blocking
    }
}

/// What a transaction runs: an async closure over a connection whose future is Send, and which may be run again.
///
/// Stable Rust cannot state that the future of an `AsyncFn` is Send. An async closure that borrows nothing from itself
/// is a plain `Fn` too, whose answer has a name and so can have a bound. Bounds come in pairs, the first for the
/// closure's types to be inferred: `body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> A + for<'r> Body<'r, A>`.
pub trait Body<'r, A>: Fn(&'r mut Conn<'r>) -> <Self as Body<'r, A>>::Run + Send + Sync {
    /// The future of one run.
    type Run: Future<Output = A> + Send;
}

impl<'r, A, F, Run> Body<'r, A> for F
where
    F: Fn(&'r mut Conn<'r>) -> Run + Send + Sync,
    Run: Future<Output = A> + Send,
{
    type Run = Run;
}
