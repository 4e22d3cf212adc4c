//! The one writer of a SQLite file. Transactions that queue for it join the one that is open, in a savepoint
//! each, and one commit makes them all durable; only then are they answered.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rapport_core::Failure;
use rapport_telemetry::{meter, names};
use tokio::{
    sync::{Mutex, MutexGuard, oneshot},
    time::Instant,
};

use crate::{Body, Conn, Fault, Lane, Lite, fault::RETRY_AFTER, sqlite::batch};

/// How long a foreign lock on the file is waited for.
const BUSY_AFTER: Duration = Duration::from_secs(5);
/// The pauses between attempts: from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// The writer; cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    /// Fair: who asks first is served first, and the commit takes its turn after those who wait already.
    group: Arc<Mutex<Group>>,
    path: Arc<PathBuf>,
}

/// The transaction that is open, and who joined it.
struct Group {
    /// None when the last one was lost: it is opened anew by the next writer.
    conn: Option<Lite>,
    /// Whether the statements of the connection run on a thread for blocking work: only commits do, which wait for the disk.
    aside: Arc<AtomicBool>,
    /// A transaction is open, and a task to commit it is on its way.
    open: bool,
    /// A body runs in its savepoint; found set by the next holder if that body was dropped midway.
    in_savepoint: bool,
    joined: Vec<oneshot::Sender<Outcome>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Durable,
    Lost,
}

impl Writer {
    pub(crate) async fn open(path: &Path) -> Result<Self, Fault> {
        let aside = Arc::<AtomicBool>::default();
        let conn = crate::sqlite::establish(path, Lane::Switched(Arc::clone(&aside))).await?;
        let group = Group { conn: Some(conn), aside, open: false, in_savepoint: false, joined: Vec::new() };
        Ok(Self { group: Arc::new(Mutex::new(group)), path: Arc::new(path.to_owned()) })
    }

    /// Runs a body in a transaction and answers when it is durable.
    ///
    /// A failing body undoes only itself. If the transaction that it shares is lost (disk full, I/O error),
    /// nothing of it is stored and everybody who joined is told so.
    pub(crate) async fn write<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let (answer, outcome) = {
            let mut group = self.group.lock().await;
            self.join(&mut group).await?;
            let conn = group.conn.as_mut().ok_or_else(lost)?;
            let answer = body(&mut Conn::Sqlite(conn)).await;
            let undone = if answer.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
            if batch(conn, undone).await.is_err() {
                // SQLite rolled the whole transaction back behind our backs: nothing of this group is stored.
                group.lose();
                return Err(answer.err().filter(|failure| matches!(failure, Failure::Unavailable { .. })).unwrap_or_else(lost));
            }
            group.in_savepoint = false;
            let (tell, outcome) = oneshot::channel();
            group.joined.push(tell);
            (answer, outcome)
        };
        match outcome.await {
            Ok(Outcome::Durable) => answer,
            Ok(Outcome::Lost) | Err(_) => Err(lost()),
        }
    }

    /// The writer's turn, with nothing open: nobody writes until it is dropped.
    pub(crate) async fn turn(&self) -> impl Sized + use<> {
        let mut group = Arc::clone(&self.group).lock_owned().await;
        // A commit is never left midway: whoever waits for it here may go before it is done.
        tokio::spawn(async move {
            group.commit().await;
            group
        })
        .await
    }

    /// Opens a transaction, or joins the one that is open, and sets the savepoint of this body.
    async fn join(&self, group: &mut MutexGuard<'_, Group>) -> Result<(), Fault> {
        group.tidy().await;
        let deadline = Instant::now() + BUSY_AFTER;
        let mut pause = PAUSES.0;
        while !group.open {
            if group.conn.is_none() {
                group.conn = Some(crate::sqlite::establish(&self.path, Lane::Switched(Arc::clone(&group.aside))).await?);
            }
            let Some(conn) = group.conn.as_mut() else { continue };
            match batch(conn, "BEGIN IMMEDIATE").await {
                Ok(()) => {
                    group.open = true;
                    let group = Arc::clone(&self.group);
                    tokio::spawn(async move { group.lock().await.commit().await });
                }
                Err(fault) if fault.busy() && Instant::now() < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                Err(fault) if fault.busy() => {
                    return Err(Fault::Unavailable("another process holds the lock of the database: try again".to_owned()));
                }
                Err(fault) => {
                    group.conn = None;
                    return Err(fault);
                }
            }
        }
        let conn = group.conn.as_mut().ok_or(Fault::Repeat)?;
        if let Err(fault) = batch(conn, "SAVEPOINT one").await {
            group.lose();
            return Err(fault);
        }
        group.in_savepoint = true;
        Ok(())
    }
}

impl Group {
    /// Undoes what a body left that was dropped midway.
    async fn tidy(&mut self) {
        if !self.in_savepoint {
            return;
        }
        self.in_savepoint = false;
        if let Some(conn) = self.conn.as_mut()
            && batch(conn, "ROLLBACK TO one; RELEASE one").await.is_err()
        {
            self.lose();
        }
    }

    /// Gives the group up: its connection is closed, which rolls back what is left, and everybody is told.
    fn lose(&mut self) {
        self.conn = None;
        self.open = false;
        self.in_savepoint = false;
        for tell in self.joined.drain(..) {
            let _gone = tell.send(Outcome::Lost);
        }
    }

    /// Commits for all who joined; does nothing if the group was lost and no other one is open. Only ever in a task of its own: left
    /// midway, the commit would go on and nobody would know what became of it.
    async fn commit(&mut self) {
        self.tidy().await;
        if !self.open {
            return;
        }
        let Some(conn) = self.conn.as_mut() else { return self.lose() };
        self.aside.store(true, Ordering::Relaxed);
        let committed = batch(conn, "COMMIT").await;
        self.aside.store(false, Ordering::Relaxed);
        if committed.is_err() {
            return self.lose();
        }
        self.open = false;
        meter::histogram(names::DB_GROUP_SIZE).record(f64::from(u32::try_from(self.joined.len()).unwrap_or(u32::MAX)), &[]);
        for tell in self.joined.drain(..) {
            let _gone = tell.send(Outcome::Durable);
        }
    }
}

fn lost<R>() -> Failure<R> {
    Failure::unavailable("the database could not store the change (its disk may be full): nothing of it was stored; try again", RETRY_AFTER)
}
