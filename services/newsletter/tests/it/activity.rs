//! What becomes of issues over time, and the links that count visits.

use std::time::Duration;

use mail_parser::MessageParser;
use rapport_proto::newsletter::v1::{self as pb, AnalyticsPeriod, IssueState};
use rapport_testkit::both_databases;

use crate::newsletter::{Newsletter, header, token};

const FIREFOX: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n";
const BOT: &str = "User-Agent: LinkScanner/1.0\r\n";

/// A publication that counts clicks.
async fn counting(house: &Newsletter) -> String {
    let first = house.publication("relay").await;
    let request = pb::GetPublicationRequest { publication_id: first };
    let publication = house.publications.clone().get_publication(request).await.expect("it is there").into_inner().publication.expect("it");
    let publication = pb::Publication { track_clicks: true, display_name: "Counting".to_owned(), ..publication };
    let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
    let created = house.publications.clone().create_publication(request).await.expect("sound").into_inner().publication.expect("it");
    assert!(created.track_clicks);
    created.publication_id
}

async fn analytics(house: &Newsletter, request: pb::GetAnalyticsRequest) -> (pb::Activity, Vec<pb::ActivityPeriod>) {
    let answer = house.analytics.clone().get_analytics(request).await.expect("sound").into_inner();
    (answer.total.expect("a sum"), answer.periods)
}

/// The addresses of the links in the HTML part of a mail.
fn links(mail: &str) -> Vec<String> {
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    let html = parsed.body_html(0).expect("an HTML part").into_owned();
    html.split("href=\"").skip(1).filter_map(|after| after.split('"').next()).map(|link| link.replace("&amp;", "&")).collect()
}

fn path(link: &str) -> &str {
    &link[link.find("/click/").expect("one that counts")..]
}

both_databases! {
    async fn visits_are_counted_and_those_of_machines_told_apart(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = counting(&house).await;
        house.subscribe(&publication, "ada@example.test").await;
        let html = r#"<a href="https://shop.example/a?x=1&amp;y=ä">a</a> <a href="http://shop.example/b">b</a> <a href="mailto:us@shop.example">c</a> <a href="{{ unsubscribe_url }}">d</a>"#;
        let issue = house.send(pb::Issue { html: html.to_owned(), ..house.draft(&publication).await }).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let found = links(&house.smtp.mails_to("ada@example.test").pop().expect("the issue").text());
        let [a, b, mailto, leave] = &found[..] else { panic!("{found:?}") };
        assert!(mailto == "mailto:us@shop.example" && leave.contains("/unsubscribe/"), "{found:?}");
        let of_issue = || pb::GetAnalyticsRequest { issue_id: issue.clone(), ..Default::default() };
        let clicks = async || {
            let (total, _) = analytics(&house, of_issue()).await;
            (total.clicks, total.human_clicks)
        };
        let visit = async |method: &str, link: &str, agent: &str| house.page_with(method, path(link), agent, "").await;

        // A scanner that comes with the mail, and asks by HEAD first.
        assert!(visit("HEAD", a, BOT).await.starts_with("HTTP/1.1 302 "));
        assert_eq!(clicks().await, (0, 0));
        let answer = visit("GET", a, FIREFOX).await;
        assert!(answer.starts_with("HTTP/1.1 302 ") && answer.contains("location: https://shop.example/a?x=1&y=%C3%A4\r\n"), "{answer}");
        assert_eq!(clicks().await, (1, 0), "nobody reads that fast");
        house.clock.advance(Duration::from_secs(60));
        visit("GET", a, BOT).await;
        assert_eq!(clicks().await, (2, 0));
        house.clock.advance(Duration::from_secs(60));
        visit("GET", a, FIREFOX).await;
        visit("GET", a, FIREFOX).await;
        assert_eq!(clicks().await, (4, 1), "a link that is followed twice is followed");
        house.clock.advance(Duration::from_secs(1));
        visit("GET", b, FIREFOX).await;
        assert_eq!(clicks().await, (5, 0), "two links within two seconds: a machine");
        house.clock.advance(Duration::from_secs(60));
        visit("GET", b, FIREFOX).await;
        assert_eq!(clicks().await, (6, 1));
        let changed = format!("{}x", path(a));
        assert!(house.page("GET", &changed, "").await.starts_with("HTTP/1.1 404 "));
        assert_eq!(clicks().await, (6, 1));
        house.stop().await;
    }

    async fn what_becomes_of_an_issue_is_told_by_hour_and_day(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = counting(&house).await;
        for name in ["ada", "bob", "hard"] {
            house.subscribe(&publication, &format!("{name}@example.test")).await;
        }
        let draft = house.draft(&publication).await;
        let first = house.send(draft.clone()).await;
        house.until_account(&first, "completed", |it| it.issue_state() == IssueState::Completed).await;
        house.clock.advance(Duration::from_secs(26 * 3600));
        let mail = |name: &str| house.smtp.mails_to(&format!("{name}@example.test")).pop().expect("the issue");
        house.ingest("From: ada@example.test\r\nSubject: Re\r\nMessage-ID: <1@x>\r\n\r\nThank you.\r\n", &header(&mail("ada").text(), "Reply-To")).await;
        let dsn = "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
                   --x\r\n\r\nIt failed.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
                   Final-Recipient: rfc822; hard@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--x--\r\n";
        house.ingest(dsn, &mail("hard").sender).await;
        let leave = token(&mail("bob").text(), "/unsubscribe/");
        house.page("POST", &format!("/unsubscribe/{leave}"), "").await;
        house.page("POST", &format!("/unsubscribe/{leave}"), "").await;
        let second = house.send(draft).await;
        house.until_account(&second, "completed", |it| it.issue_state() == IssueState::Completed).await;

        let of_issue = |period: AnalyticsPeriod| pb::GetAnalyticsRequest { issue_id: first.clone(), period: period.into(), ..Default::default() };
        let (total, none) = analytics(&house, of_issue(AnalyticsPeriod::Unspecified)).await;
        assert_eq!(total, pb::Activity { accepted: 3, bounced: 1, unsubscribed: 1, replied: 1, ..Default::default() });
        assert!(none.is_empty());
        for (period, apart) in [(AnalyticsPeriod::Hour, 26 * 3600), (AnalyticsPeriod::Day, 0)] {
            let (sum, periods) = analytics(&house, of_issue(period)).await;
            assert_eq!((sum, periods.len()), (total, 2), "{period:?}");
            let begin = |at: usize| periods[at].start_time.expect("a time").seconds;
            assert_eq!(periods[0].activity.expect("it").accepted, 3);
            assert_eq!(periods[1].activity.expect("it").replied, 1);
            if apart > 0 {
                assert_eq!(begin(1) - begin(0), apart);
            } else {
                assert!(begin(0) % 86_400 == 0 && begin(1) % 86_400 == 0 && begin(1) > begin(0));
            }
        }
        let request = pb::GetAnalyticsRequest { publication_id: publication.clone(), ..Default::default() };
        let (all, _) = analytics(&house, request.clone()).await;
        assert_eq!((all.accepted, all.unsubscribed), (4, 1), "ada got the second one too");
        let today = pb::GetAnalyticsRequest { start_time: Some(analytics(&house, of_issue(AnalyticsPeriod::Hour)).await.1[1].start_time.expect("a time")), ..request };
        assert_eq!(analytics(&house, today).await.0.accepted, 1);
        house.stop().await;
    }

    async fn a_question_that_cannot_be_meant_is_refused(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        let time = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let one = pb::GetAnalyticsRequest { publication_id: publication.clone(), ..Default::default() };
        for (request, told) in [
            (pb::GetAnalyticsRequest::default(), "or publication_id"),
            (pb::GetAnalyticsRequest { issue_id: publication.clone(), ..one.clone() }, "one of the two"),
            (pb::GetAnalyticsRequest { start_time: time(100), end_time: time(100), ..one.clone() }, "after start_time"),
            (pb::GetAnalyticsRequest { start_time: time(0), end_time: time(40 * 86_400), period: AnalyticsPeriod::Hour.into(), ..one }, "31 days"),
        ] {
            let status = house.analytics.clone().get_analytics(request).await.expect_err("refused");
            assert!(status.code() == tonic::Code::InvalidArgument && status.message().contains(told), "{status}");
        }
        let unknown = pb::GetAnalyticsRequest { issue_id: publication, ..Default::default() };
        assert_eq!(house.analytics.clone().get_analytics(unknown).await.expect_err("no issue").code(), tonic::Code::NotFound);
        house.stop().await;
    }
}
