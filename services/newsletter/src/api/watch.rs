//! Watching an issue: its account whenever it changed, until it is over.

use std::time::Duration;

use futures::{StreamExt, stream, stream::BoxStream};
use rapport_core::{IssueId, World};
use rapport_db::Database;
use rapport_proto::newsletter::v1 as pb;
use rapport_server::scope::Scope;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{read, write};
use crate::app::issue::{self, Account};

/// How often the account is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// What WatchIssue answers with.
pub type Accounts = BoxStream<'static, Result<pb::WatchIssueResponse, Status>>;

struct Watcher {
    database: Database,
    world: World,
    issue: IssueId,
    draining: CancellationToken,
    told: Option<Account>,
    over: bool,
}

/// The accounts of an issue.
pub fn accounts(database: Database, world: World, issue: IssueId) -> Accounts {
    let draining = Scope::current().map(|scope| scope.draining).unwrap_or_default();
    let watcher = Watcher { database, world, issue, draining, told: None, over: false };
    stream::unfold(watcher, |mut watcher| async move {
        let next = watcher.next().await?;
        watcher.over = next.is_err() || watcher.told.as_ref().is_some_and(Account::over);
        Some((next, watcher))
    })
    .boxed()
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<pb::WatchIssueResponse, Status>> {
        if self.over {
            return None;
        }
        loop {
            let issue = self.issue;
            match self.database.read(async |conn| issue::get_accounting(conn, issue).await).await {
                Err(failure) => return Some(Err(read::fail(failure))),
                Ok(account) if self.told.as_ref() != Some(&account) => {
                    let accounting = write::accounting(&account, self.world.clock.now());
                    self.told = Some(account);
                    return Some(Ok(pb::WatchIssueResponse { accounting: Some(accounting) }));
                }
                Ok(_) => {}
            }
            tokio::select! {
                () = self.draining.cancelled() => return Some(Err(Status::unavailable("the service stops: watch again"))),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}
