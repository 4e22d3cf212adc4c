//! Backup, restore and resume as docs/operations.md tells it, as one story: the customer service loses its database.

use std::path::Path;

use rapport_proto::{
    common::v1::{WatchStart, watch_start::At},
    customer::v1::{self as pb, customer_feed_service_client::CustomerFeedServiceClient, customer_service_client::CustomerServiceClient},
    feedback::v1::{self as feedback, collection_service_client::CollectionServiceClient},
};
use rapport_testkit::{PostgresCluster, Program};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::torture::{check, feeds, suite::Suite, writers::Writers};

rapport_testkit::both_databases! {
    async fn a_service_restored_from_a_backup_goes_on_and_so_do_its_consumers(backend: Backend) {
        let mut suite = Suite::new(backend, &[]).await;
        suite.start().await;
        let before = write_for_a_while(&suite, "before").await;
        check::timelines(&suite, &before).await;
        let copies = suite.data().directory().join("copies");
        back_up(&suite, &copies).await;

        let after = write_for_a_while(&suite, "after").await;
        let old_friend = before.customers.values().next().expect("there were writes before the backup");
        let remark = remark(&suite, old_friend).await;
        check::timelines(&suite, &after).await;
        let cursor = feeds::whole(&suite, "customer").await.pop().expect("the feed has events").cursor;
        suite.stop().await;
        restore(&suite, &copies).await;
        suite.start().await;

        // What was there at the backup is there; what came later is lost with it, in this service and in no other.
        for (name, id) in &before.customers {
            assert_eq!(customer(&suite, id).await.expect("it was in the backup").display_name, *name);
        }
        let lost = after.customers.values().next().expect("there were writes after the backup");
        assert_eq!(customer(&suite, lost).await.expect_err("it was not").code(), Code::NotFound);
        assert_eq!(refusal(&suite, cursor).await, "CURSOR_FOREIGN");

        // The restored service takes what the others told since, and they take what it tells from now on.
        check::timelines(&suite, &before).await;
        rapport_testkit::eventually("the remark made after the backup is on the timeline again", async || {
            timeline(&suite, old_friend).await.contains(&remark)
        })
        .await;
        let anew = write_for_a_while(&suite, "anew").await;
        check::timelines(&suite, &anew).await;
        let said = suite.stop().await;
        assert!(!said.iter().any(|line| line.contains("parked")), "{said:#?}");
    }
}

async fn write_for_a_while(suite: &Suite, name: &'static str) -> crate::torture::writers::Acknowledged {
    let writers = Writers::named(suite, name, 2);
    rapport_testkit::eventually("some writes are acknowledged", async || writers.progress() >= 6).await;
    writers.finish().await
}

async fn customer(suite: &Suite, customer_id: &str) -> Result<pb::Customer, tonic::Status> {
    let request = pb::GetCustomerRequest { customer_id: customer_id.to_owned() };
    let answer = CustomerServiceClient::new(suite.channel("customer")).get_customer(request).await?;
    Ok(answer.into_inner().customer.expect("an answer has its customer"))
}

/// Records a remark of this customer, and gives its id.
async fn remark(suite: &Suite, customer_id: &str) -> String {
    let occasion = feedback::RemarkOccasion::Call.into();
    let remark =
        feedback::Remark { customer_id: customer_id.to_owned(), verbatim: "Still there?".to_owned(), occasion, ..Default::default() };
    let request = feedback::RecordRemarkRequest { remark: Some(remark), ..Default::default() };
    let answer = CollectionServiceClient::new(suite.channel("feedback")).record_remark(request).await.expect("a remark is taken");
    answer.into_inner().remark.expect("an answer has its remark").remark_id
}

/// What the customer's timeline tells of, by id.
async fn timeline(suite: &Suite, customer_id: &str) -> Vec<String> {
    let request = pb::ListTimelineRequest { customer_id: customer_id.to_owned(), page_size: 1000, ..Default::default() };
    let page = CustomerServiceClient::new(suite.channel("customer")).list_timeline(request).await.expect("the customer is there");
    page.into_inner().entries.into_iter().map(|entry| entry.subject_id).collect()
}

/// Why the feed does not go on from this cursor.
async fn refusal(suite: &Suite, cursor: String) -> String {
    let start = Some(WatchStart { at: Some(At::Cursor(cursor)) });
    let request = pb::WatchEventsRequest { start, consumer: "backup".to_owned(), ..Default::default() };
    let mut client = CustomerFeedServiceClient::new(suite.channel("customer"));
    let status = match client.watch_events(request).await {
        Err(status) => status,
        Ok(stream) => stream.into_inner().message().await.expect_err("the cursor is of another life of the database"),
    };
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    status.get_error_details().error_info().expect("an error has its reason").reason.clone()
}

async fn back_up(suite: &Suite, copies: &Path) {
    let Some(database) = suite.data().postgres() else {
        succeeds(suite.program(&["backup", &copies.to_string_lossy()])).await;
        return;
    };
    let dump = Program::new(PostgresCluster::programs().join("pg_dump")).args(["--format=custom", "--schema=customer", "--file"]);
    succeeds(dump.arg(copies).arg(database.url())).await;
}

async fn restore(suite: &Suite, copies: &Path) {
    match suite.data().postgres() {
        None => {
            let live = suite.data().file("customer");
            for ending in ["-wal", "-shm"] {
                drop(std::fs::remove_file(format!("{}{ending}", live.display())));
            }
            std::fs::copy(copies.join("customer.db"), live).expect("the copy can be put back");
        }
        Some(database) => {
            database.connect().await.batch_execute("DROP SCHEMA customer CASCADE").await.expect("the schema can be dropped");
            let program = Program::new(PostgresCluster::programs().join("pg_restore")).arg("--exit-on-error");
            succeeds(program.arg(format!("--dbname={}", database.url())).arg(copies)).await;
        }
    }
    succeeds(suite.program(&["epoch", "renew", "customer"])).await;
}

async fn succeeds(program: Program) {
    let (said, complained, code) = program.run().await;
    assert_eq!(code, Some(0), "{said}{complained}");
}
