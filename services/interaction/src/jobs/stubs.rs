//! Asks the customer service about customers whom it could not answer for when something was recorded with them.

use rapport_core::{Caller, CustomerId, Failure};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::Work;
use crate::{
    NAME,
    app::customer::{list_stubs, settle_stub},
    domain::Refused,
};

/// Customers asked for in one round at most.
const BATCH: i64 = 100;

/// Asks again and again until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(failure) = round(&work).await {
            tracing::warn!(%failure, "stubs of customers could not be settled; trying again later");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(work.settings.stub_check()) => {}
        }
    }
}

async fn round(work: &Work) -> Result<(), Failure<Refused>> {
    for id in work.database.read(async |conn| list_stubs(conn, BATCH).await).await? {
        if !settle(work, id).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Settles one stub; false when the customer service is still out of reach.
async fn settle(work: &Work, id: CustomerId) -> Result<bool, Failure<Refused>> {
    let cx = work.world.context(Caller::service(NAME));
    let answer = match work.customers.ask(id, &cx).await {
        Ok(customer) => Some(customer),
        Err(status) if status.code() == Code::NotFound => {
            tracing::warn!(customer = %id, "something was recorded with a customer who does not exist");
            None
        }
        Err(_) => return Ok(false),
    };
    let answer = &answer;
    work.database.write(async |conn| settle_stub(conn, id, answer.clone()).await).await?;
    Ok(true)
}
