//! `GetServiceReport` against the same `GROUP BY` on the raw table, each asked several times on the same rows.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use rapport_client::Peer;
use rapport_proto::interaction::v1::{
    self as pb, ReportDimension, ReportPeriod, interaction_service_client::InteractionServiceClient,
    report_service_client::ReportServiceClient,
};
use rapport_testkit::PostgresCluster;

use crate::service::{Services, Store};

/// How many times as fast as the `GROUP BY` a report is to be.
const GOAL: f64 = 100.0;
/// How often each side is asked; the median counts.
const TIMES: usize = 5;

/// Waits until the rows that were imported since `begin` are counted, and compares.
pub async fn run(services: &Services, store: Store, begin: Instant) {
    let peer = rapport_client::connect(&services.url(1), &rapport_client::PeerSettings::default()).expect("an address");
    counted(&peer).await;
    println!("    counted for the reports {:.0} s after the import began", begin.elapsed().as_secs_f64());
    for (what, period, sqlite, postgres) in [
        (
            "by channel, per week of a year",
            ReportPeriod::Week,
            "SELECT date(start_time / 1000000, 'unixepoch', 'weekday 0', '-6 days') AS week, channel",
            "SELECT date_trunc('week', start_time AT TIME ZONE 'UTC') AS week, channel",
        ),
        (
            "by channel, per day of a year",
            ReportPeriod::Day,
            "SELECT date(start_time / 1000000, 'unixepoch') AS day, channel",
            "SELECT date_trunc('day', start_time AT TIME ZONE 'UTC') AS day, channel",
        ),
    ] {
        let (ours, rows) = report(&peer, period).await;
        let (theirs, groups) = match store {
            Store::Sqlite => group_by(sqlite, "sum(state = 'CONCLUDED'), avg(first_human_response_time - start_time)", |query| {
                let file = services.directory().join("interaction.db");
                let mut command = Command::new("sqlite3");
                command.arg("-readonly").arg(file).arg(query);
                command
            }),
            Store::Postgres => group_by(
                postgres,
                "count(*) FILTER (WHERE state = 'CONCLUDED'), \
                 percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY first_human_response_time - start_time)",
                |query| {
                    let mut command = Command::new(PostgresCluster::programs().join("psql"));
                    command.args(["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query]).arg(&services.database);
                    command.env("PGOPTIONS", "-c search_path=interaction");
                    command
                },
            ),
        };
        assert_eq!(rows, groups, "both sides tell the same rows");
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        let verdict = if ratio >= GOAL { "reached" } else { "missed" };
        println!("    report {what}: {ours:?}, GROUP BY {theirs:?}, {rows} rows: {ratio:.0} times as fast  goal {GOAL:.0} {verdict}");
    }
}

async fn counted(peer: &Peer) {
    let newest = pb::ListInteractionsRequest { page_size: 1, ..Default::default() };
    let newest = InteractionServiceClient::new(peer.clone()).list_interactions(newest).await.expect("they are listed").into_inner();
    assert_eq!(newest.interactions.len(), 1, "there is something to count");
    loop {
        let request = request(ReportPeriod::Whole);
        let report = ReportServiceClient::new(peer.clone()).get_service_report(request).await.expect("it is answered").into_inner().report;
        if report.is_some_and(|report| report.pending_changes == 0 && !report.recounting) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn request(period: ReportPeriod) -> pb::GetServiceReportRequest {
    pb::GetServiceReportRequest {
        first_day: "2025-01-01".to_owned(),
        last_day: "2025-12-31".to_owned(),
        period: period.into(),
        group_by: ReportDimension::Channel.into(),
        ..Default::default()
    }
}

/// The median time of a report over RPC, and how many rows it has.
async fn report(peer: &Peer, period: ReportPeriod) -> (Duration, usize) {
    let mut client = ReportServiceClient::new(peer.clone());
    let (mut times, mut rows) = (Vec::new(), 0);
    for _ in 0..4 * TIMES {
        let begin = Instant::now();
        let report = client.get_service_report(request(period)).await.expect("it is answered").into_inner().report;
        times.push(begin.elapsed());
        rows = report.map_or(0, |report| report.rows.len());
    }
    (median(times), rows)
}

/// The median time of the `GROUP BY`, and how many groups it has. The time that the program takes to answer nothing is taken off.
fn group_by(select: &str, measures: &str, command: impl Fn(&str) -> Command) -> (Duration, usize) {
    let run = |query: &str| {
        let begin = Instant::now();
        let output = command(query).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (begin.elapsed(), String::from_utf8_lossy(&output.stdout).lines().count())
    };
    let idle = median((0..TIMES).map(|_| run("SELECT 1").0).collect());
    let query = format!("{select}, count(*), {measures} FROM interactions GROUP BY 1, 2");
    let runs: Vec<(Duration, usize)> = (0..TIMES).map(|_| run(&query)).collect();
    let groups = runs.first().map_or(0, |(_, groups)| *groups);
    (median(runs.into_iter().map(|(time, _)| time).collect()).saturating_sub(idle), groups)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
