//! The newsletter's pages in a real browser: pictures as a phone and a desk show them, nothing blocked, nothing wider than the screen.

use std::{net::SocketAddr, path::PathBuf};

use rapport_proto::newsletter::v1::{
    self as pb, issue_service_client::IssueServiceClient, publication_service_client::PublicationServiceClient,
    subscription_service_client::SubscriptionServiceClient,
};
use rapport_testkit::{
    Backend, Browser, Process, TestDatabase,
    process::{Program, binary, free_ports},
    until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tonic::transport::{Channel, Endpoint};

use crate::source;

const ADA: &str = "ada@example.test";
/// The widths of a phone and of a desk, with heights that show a page whole.
const SIZES: [(u32, u32); 2] = [(360, 1100), (1280, 1000)];
const BRAND: &str = "#c2185b";

/// A newsletter service with a reader.
struct House {
    pages: SocketAddr,
    channel: Channel,
    database: TestDatabase,
    _process: Process,
}

impl House {
    async fn start() -> Self {
        let database = Backend::Sqlite.database().await;
        let [grpc, pages] = free_ports::<2>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let served = Program::new(binary("rapport")).args(["serve", "newsletter", "--data"]).arg(database.directory());
        let listen = [format!("newsletter.listen={grpc}"), format!("newsletter.pages.listen={pages}")];
        let mut process = served.args(["--set", &listen[0], "--set", &listen[1]]).start();
        process.until_serving(grpc).await;
        let channel = Endpoint::from_shared(format!("http://{grpc}")).expect("an address").connect_lazy();
        Self { pages, channel, database, _process: process }
    }

    async fn publication(&self, display_name: &str, description: &str) -> String {
        let mut publications = PublicationServiceClient::new(self.channel.clone());
        let sender = pb::Sender {
            from_name: "Schönewald & Töchter".to_owned(),
            from_address: "news@shop.example".to_owned(),
            brand_color: BRAND.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
        let sender_id = publications.create_sender(request).await.expect("sound").into_inner().sender.expect("it").sender_id;
        let publication =
            pb::Publication { display_name: display_name.to_owned(), description: description.to_owned(), sender_id, ..Default::default() };
        let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
        publications.create_publication(request).await.expect("sound").into_inner().publication.expect("it").publication_id
    }

    /// Ada asks; the token of the mail that she gets.
    async fn ask(&self, publication_id: &str, language: &str) -> String {
        let request = pb::SubscribeRequest {
            publication_id: publication_id.to_owned(),
            email: ADA.to_owned(),
            language: language.to_owned(),
            source: "test".to_owned(),
            wording_version: "1".to_owned(),
            ..Default::default()
        };
        let seen = self.mails().len();
        SubscriptionServiceClient::new(self.channel.clone()).subscribe(request).await.expect("sound");
        token(&self.mail_after(seen).await, "/confirm/")
    }

    async fn confirm(&self, token: &str) {
        let request = pb::ConfirmSubscriptionRequest { token: token.to_owned(), ..Default::default() };
        SubscriptionServiceClient::new(self.channel.clone()).confirm_subscription(request).await.expect("in time");
    }

    /// An issue with both links; its mail.
    async fn issue(&self, publication_id: &str) -> String {
        let issue = pb::Issue {
            publication_id: publication_id.to_owned(),
            subject: "News".to_owned(),
            text: "Leave: {{ unsubscribe_url }}\nChoose: {{ preferences_url }}\n".to_owned(),
            ..Default::default()
        };
        let mut issues = IssueServiceClient::new(self.channel.clone());
        let seen = self.mails().len();
        let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
        let issue_id = issues.create_issue(request).await.expect("sound").into_inner().issue.expect("it").issue_id;
        issues.send_issue(pb::SendIssueRequest { issue_id, ..Default::default() }).await.expect("a draft");
        self.mail_after(seen).await
    }

    fn mails(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.database.directory().join("outbox")) else { return Vec::new() };
        let all = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut mails: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect();
        let written = |path: &PathBuf| path.metadata().and_then(|file| file.modified()).ok();
        mails.sort_by_key(written);
        mails
    }

    async fn mail_after(&self, seen: usize) -> String {
        let mail = until("a mail", async || self.mails().into_iter().nth(seen)).await;
        std::fs::read_to_string(mail).expect("a mail")
    }

    /// The HTML of an answer.
    async fn html(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.pages).await.expect("the pages listen");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.pages,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
    }
}

fn token(mail: &str, path: &str) -> String {
    let text = mail.replace("=\r\n", "");
    let (_, after) = text.split_once(path).unwrap_or_else(|| panic!("there is no {path} in:\n{mail}"));
    after.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// A page around this one that says in its own attributes how the other one came out at 360 pixels.
fn measured(html: &str) -> String {
    let inner = html.replace('&', "&amp;").replace('"', "&quot;");
    let script = "onload = () => {
        const page = frame.contentDocument, all = selector => [...page.querySelectorAll(selector)], told = document.documentElement.dataset;
        const style = element => frame.contentWindow.getComputedStyle(element);
        told.width = page.documentElement.scrollWidth;
        told.headings = all('h1').length;
        told.labelled = all('input:not([type=hidden]), select').every(field => field.labels.length === 1);
        told.reachable = all('button, select').every(field => field.getBoundingClientRect().height >= 44);
        told.scripts = all('script, [onclick], [style]').length;
        told.accent = style(page.querySelector('header')).backgroundColor;
    }";
    format!(
        "<!doctype html><iframe id=\"frame\" width=\"360\" height=\"900\" style=\"border:0\" srcdoc=\"{inner}\"></iframe><script>{script}</script>"
    )
}

/// A width and a height, as the file itself says.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && &png[12..16] == b"IHDR", "it is no PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four octets"));
    (number(16), number(20))
}

/// The pages as they are shown, each with the colour over it.
async fn pages(house: &House) -> Vec<(&'static str, String, &'static str)> {
    let weekly = house.publication("Weekly news from the workshop", "What we make, how we make it, and who helps us.").await;
    let long = house.publication("Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz", &"Donaudampfschiff".repeat(8)).await;
    let first = house.ask(&weekly, "").await;
    let (of_brand, neutral) = ("rgb(194, 24, 91)", "rgb(47, 75, 102)");
    let mut shown = vec![("confirm", house.html("GET", &format!("/confirm/{first}"), "").await, of_brand)];
    shown.push(("confirmed", house.html("POST", &format!("/confirm/{first}"), "lang=en").await, neutral));
    let second = house.ask(&long, "").await;
    house.confirm(&second).await;
    let mail = house.issue(&weekly).await;
    let (leave, choose) =
        (format!("/unsubscribe/{}", token(&mail, "/unsubscribe/")), format!("/preferences/{}", token(&mail, "/preferences/")));
    shown.push(("unsubscribe", house.html("GET", &leave, "").await, of_brand));
    shown.push(("preferences", house.html("GET", &choose, "").await, of_brand));
    shown.push(("preferences-saved", house.html("POST", &choose, &format!("was={long}&lang=de&do=save")).await, of_brand));
    shown.push(("unsubscribed", house.html("POST", &leave, "").await, neutral));
    shown.push(("unknown", house.html("GET", "/preferences/abc", "").await, neutral));
    shown
}

#[test]
fn the_pages_are_seen_in_a_browser() {
    rapport_testkit::run(async {
        let Some(browser) = Browser::find() else { return };
        let house = House::start().await;
        let folder = source::root().join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        let directory = tempfile::tempdir().expect("a directory");
        let blank = browser.screenshot("about:blank", SIZES[0], false, &directory.path().join("blank.png")).await;
        for (name, html, accent) in pages(&house).await {
            let file = directory.path().join(format!("{name}.html"));
            std::fs::write(&file, &html).expect("written");
            let url = format!("file://{}", file.display());
            for (width, height) in SIZES {
                for dark in [false, true] {
                    let picture = folder.join(format!("{name}-{width}{}.png", if dark { "-dark" } else { "" }));
                    let png = browser.screenshot(&url, (width, height), dark, &picture).await;
                    assert_eq!(size(&png), (width, height), "{}", picture.display());
                    assert!(png.len() > 2 * blank.len(), "{} shows nothing", picture.display());
                }
            }
            let around = directory.path().join(format!("{name}-around.html"));
            std::fs::write(&around, measured(&html)).expect("written");
            let (told, log) = browser.load(&format!("file://{}", around.display())).await;
            let told = told.split_once('>').map_or("", |(_, rest)| rest.split('>').next().unwrap_or_default()).to_owned();
            for fact in [
                "data-width=\"360\"".to_owned(),
                "data-headings=\"1\"".to_owned(),
                "data-labelled=\"true\"".to_owned(),
                "data-reachable=\"true\"".to_owned(),
                "data-scripts=\"0\"".to_owned(),
                format!("data-accent=\"{accent}\""),
            ] {
                assert!(told.contains(&fact), "{name}: {fact} is not in {told}\n{log}");
            }
        }
    });
}

#[test]
fn a_browser_finds_nothing_to_block_on_the_pages() {
    rapport_testkit::run(async {
        const COMPLAINT: &str = "Content Security Policy";
        let Some(browser) = Browser::find() else { return };
        let house = House::start().await;
        let confirm = house.ask(&house.publication("Weekly", "").await, "").await;
        for path in [format!("/confirm/{confirm}"), "/unsubscribe/abc".to_owned(), "/preferences/abc".to_owned()] {
            let (shown, log) = browser.load(&format!("http://{}{path}", house.pages)).await;
            assert!(shown.contains("<h1>") && shown.contains("--accent"), "{shown}");
            assert!(!log.contains(COMPLAINT), "{path}: {log}");
        }
        // A page whose policy does not know its style is blocked: the browser would have told.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let wrong = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let body = "<!doctype html><style>p { color: red }</style><p>x</p>";
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Security-Policy: default-src 'none'";
                drop(stream.read(&mut [0; 4096]).await);
                drop(stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await);
            }
        });
        let (_, log) = browser.load(&format!("http://{address}/")).await;
        assert!(log.contains(COMPLAINT), "{log}");
        wrong.abort();
    });
}
