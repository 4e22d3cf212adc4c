//! The pages: looking changes nothing, answers tell nobody whether a link is good, and everybody is spoken to in a language of theirs.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use rapport_proto::newsletter::v1::{self as pb, IssueState, SubscriptionState};
use rapport_testkit::{both_databases, until};
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::newsletter::{Newsletter, token};

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

fn sender() -> pb::Sender {
    pb::Sender {
        from_name: "The Shop".to_owned(),
        from_address: "news@shop.example".to_owned(),
        transport: "relay".to_owned(),
        ..Default::default()
    }
}

/// Sends an issue that links to both pages, and gives the tokens of this person: to leave, and of the preferences.
pub async fn links(house: &Newsletter, publication: &str, email: &str) -> (String, String) {
    let html = "<p><a href=\"{{ unsubscribe_url }}\">Leave</a> <a href=\"{{ preferences_url }}\">Choose</a></p>".to_owned();
    let before = house.smtp.mails_to(email).len();
    let issue = house.send(pb::Issue { html, ..house.draft(publication).await }).await;
    let mail = until("the issue", async || house.smtp.mails_to(email).into_iter().nth(before)).await.text();
    house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
    (token(&mail, "/unsubscribe/"), token(&mail, "/preferences/"))
}

/// An answer without the header that changes with time.
fn timeless(answer: &str) -> String {
    answer.split_inclusive("\r\n").filter(|line| !line.to_lowercase().starts_with("date:")).collect()
}

fn kinds(events: &[pb::Event]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for event in events {
        *kinds.entry(event.meta.as_ref().expect("it").r#type.clone()).or_default() += 1;
    }
    kinds
}

both_databases! {
    async fn links_that_scanners_fetch_a_hundred_times_change_nothing(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.ask(&publication, "ada@example.test").await;
        let confirm = token(&house.smtp.until_mail("ada@example.test").await.text(), "/confirm/");
        house.subscribe(&publication, "bob@example.test").await;
        let (leave, choose) = links(&house, &publication, "bob@example.test").await;
        let everybody = async || [house.subscription(&publication, "ada@example.test").await, house.subscription(&publication, "bob@example.test").await];
        let before = everybody().await;
        for path in [format!("/confirm/{confirm}"), format!("/unsubscribe/{leave}"), format!("/preferences/{choose}")] {
            let shown = timeless(&house.page("GET", &path, "").await);
            assert!(shown.starts_with("HTTP/1.1 200") && shown.contains("<form method=\"post\">"), "{shown}");
            for _ in 0..100 {
                assert_eq!(timeless(&house.page("GET", &path, "").await), shown);
                let head = house.page("HEAD", &path, "").await;
                assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
            }
        }
        assert_eq!(everybody().await, before);
        house.page("POST", &format!("/unsubscribe/{leave}"), ONE_CLICK).await;
        let told = kinds(&house.events_until("subscription.ended").await);
        let of_subscriptions: Vec<(&str, usize)> =
            told.iter().map(|(kind, count)| (kind.as_str(), *count)).filter(|(kind, _)| kind.starts_with("subscription.")).collect();
        assert_eq!(of_subscriptions, [("subscription.confirmed", 1), ("subscription.ended", 1), ("subscription.pending", 2)]);
        house.stop().await;
    }

    async fn no_answer_tells_whether_a_link_is_good(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.ask_in("de", &publication, "ada@example.test").await;
        let confirm = token(&house.smtp.until_mail("ada@example.test").await.text(), "/confirm/");
        let mut answers = Vec::new();
        for token in [confirm.as_str(), &confirm, "abc", &confirm.replace('a', "b"), "%FF"] {
            answers.push(timeless(&house.page("POST", &format!("/confirm/{token}"), "lang=de").await));
        }
        assert!(answers[0].starts_with("HTTP/1.1 200") && answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), SubscriptionState::Active);
        let (leave, choose) = links(&house, &publication, "ada@example.test").await;
        for (languages, body) in [("", ONE_CLICK), ("de", ONE_CLICK), ("", "lang=de"), ("fr", "")] {
            let mut answers = Vec::new();
            // Used, of another purpose, changed, no token at all; the first one is valid in the first round.
            for token in [leave.as_str(), &leave, &choose, &confirm, &leave.replace('a', "b"), "abc", "%FF"] {
                answers.push(timeless(&house.page_in(languages, "POST", &format!("/unsubscribe/{token}"), body).await));
            }
            assert!(answers[0].starts_with("HTTP/1.1 200") && answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
            assert!(!answers[0].to_lowercase().contains("set-cookie"));
        }
        assert_eq!(house.subscription(&publication, "ada@example.test").await.state(), SubscriptionState::Unsubscribed);
        for page in ["confirm", "unsubscribe", "preferences"] {
            let other = if page == "confirm" { &leave } else { &confirm };
            let mut shown = Vec::new();
            for token in [other, &leave.replace('a', "b"), "abc", "%FF"] {
                shown.push(timeless(&house.page("GET", &format!("/{page}/{token}"), "").await));
            }
            assert!(shown[0].starts_with("HTTP/1.1 200") && shown.iter().all(|answer| *answer == shown[0]), "{shown:#?}");
            assert!(!shown[0].contains("The Shop") && !shown[0].contains("Monthly") && !shown[0].contains("ada@"), "{}", shown[0]);
        }
        house.stop().await;
    }

    async fn everybody_is_spoken_to_in_a_language_of_theirs(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        house.ask_in("de-AT", &publication, "ada@example.test").await;
        let mail = house.smtp.until_mail("ada@example.test").await.text();
        assert!(mail.contains("=?utf-8?") || mail.contains("=?UTF-8?"), "the subject is German: {mail}");
        assert!(mail.contains("Mein") || mail.contains("Abonnement"), "{mail}");
        let path = format!("/confirm/{}", token(&mail, "/confirm/"));
        let shown = house.page_in("en", "GET", &path, "").await;
        assert!(shown.contains("<html lang=\"de\" dir=\"ltr\">") && shown.contains("dass Sie Monthly erhalten möchten"), "{shown}");
        assert!(shown.to_lowercase().contains("\r\nvary: accept-language\r\n") && shown.contains("name=\"lang\" value=\"de\""), "{shown}");
        house.ask_in("fr", &publication, "eve@example.test").await;
        let mail = house.smtp.until_mail("eve@example.test").await.text();
        assert!(mail.contains("Please confirm your subscription of Monthly"), "{mail}");
        let eves = format!("/confirm/{}", token(&mail, "/confirm/"));
        let table = [
            (eves.as_str(), "", "en"),
            (&eves, "de-CH, fr;q=0.3", "de"),
            ("/confirm/abc", "", "en"),
            ("/confirm/abc", "fr, de;q=0.8, en;q=0.5", "de"),
            ("/confirm/abc", "de;q=0.5, en-GB", "en"),
            ("/unsubscribe/abc", "de;q=0, fr", "en"),
            ("/preferences/abc", "DE", "de"),
            ("/preferences/abc", "*", "en"),
            ("/preferences/abc", "é;;;q=,", "en"),
        ];
        for (path, languages, language) in table {
            let shown = house.page_in(languages, "GET", path, "").await;
            assert!(shown.contains(&format!("<html lang=\"{language}\"")), "{path} by {languages:?}: {shown}");
        }
        let done = house.page_in("en", "POST", &path, "lang=de").await;
        assert!(done.contains("<html lang=\"de\"") && done.contains("Vielen Dank"), "{done}");
        house.stop().await;
    }

    async fn the_brand_of_the_sender_is_on_its_pages_and_nothing_foreign(backend: Backend) {
        let house = Newsletter::start(backend).await;
        for (name, color, field) in [("", "red", "sender.brand_color"), ("", "#1a2b3c;}", "sender.brand_color"), (&*"x".repeat(101), "", "sender.brand_name")] {
            let wrong = pb::Sender { brand_name: name.to_owned(), brand_color: color.to_owned(), ..sender() };
            let request = pb::CreateSenderRequest { sender: Some(wrong), ..Default::default() };
            let refused = house.publications.clone().create_sender(request).await.expect_err("wrong");
            assert!(refused.code() == Code::InvalidArgument && refused.message().contains(field), "{refused:?}");
        }
        let branded = pb::Sender { brand_name: "<Ada & Söhne>".to_owned(), brand_color: "#FFDD00".to_owned(), ..sender() };
        let request = pb::CreateSenderRequest { sender: Some(branded.clone()), ..Default::default() };
        let made = house.publications.clone().create_sender(request).await.expect("sound").into_inner().sender.expect("it");
        let request = pb::GetSenderRequest { sender_id: made.sender_id.clone() };
        let found = house.publications.clone().get_sender(request).await.expect("it is there").into_inner().sender.expect("it");
        assert_eq!((found.brand_name.as_str(), found.brand_color.as_str()), ("<Ada & Söhne>", "#ffdd00"));
        let publication = house.publication_of(branded, "News <b>", "").await;
        house.subscribe(&publication, "ada@example.test").await;
        let (leave, choose) = links(&house, &publication, "ada@example.test").await;
        for path in [format!("/unsubscribe/{leave}"), format!("/preferences/{choose}"), "/unsubscribe/abc".to_owned()] {
            let shown = house.page("GET", &path, "").await;
            let good = !path.ends_with("abc");
            assert_eq!(shown.contains("<header><p>&lt;Ada &amp; Söhne&gt;</p></header>"), good, "{shown}");
            assert_eq!(shown.contains("--accent: #ffdd00; --on-accent: #000000;"), good, "{shown}");
            assert!(!shown.contains("<b>") && !shown.contains("<script"), "{shown}");
            let (head, body) = shown.split_once("\r\n\r\n").expect("an answer");
            let policy = head.lines().find(|line| line.to_lowercase().starts_with("content-security-policy:")).expect("a policy");
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            let styles: Vec<&str> = body.split("<style>").skip(1).map(|rest| rest.split_once("</style>").expect("it ends").0).collect();
            assert_eq!(styles.len(), 2);
            for style in styles {
                let hash = BASE64.encode(&Sha256::digest(style));
                assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}: {hash} of {style}");
            }
        }
        let shown = house.page("GET", &format!("/unsubscribe/{leave}"), "").await.replace("&#x2f;", "/");
        assert!(shown.contains(&format!("<a href=\"../preferences/{choose}\">")) && shown.contains("News &lt;b&gt;"), "{shown}");
        house.stop().await;
    }
}
