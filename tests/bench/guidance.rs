//! Guidance and the review of a draft, in process: what a person of ours waits for before speaking and before sending.

use std::time::{Duration, Instant};

use rapport_core::{CallFlowId, CannedMessageId, Channel, CustomerType, Language, ManualVersionId, Setting, Stage, Time};
use rapport_interaction::domain::{
    CannedMessageKind, Contents, Draft, DraftCheck, EtiquetteRule, Initiator, ManualVersion, Note, NoteKind, Purpose, RuleStance,
    RuleTopic, Scope, Severity, Situation,
    connection::{Connection, ConnectionLevel},
    default_setting::DefaultSettings,
    guidance::{House, Known, MAX_CONNECTIONS, guide},
    review,
    shelf::{OfferedFlow, OfferedMessage, Shelf},
};

use crate::Bench;

const RULES: usize = 500;
const NOTES: usize = 1_000;
const MESSAGES: usize = 500;
const FLOWS: usize = 50;
const OCTETS: usize = 10_240;

pub fn run(bench: &Bench) {
    let situation = Situation {
        setting: Some(Setting::Formal),
        channel: Some(Channel::Email),
        stage: Some(Stage::Closing),
        customer_types: vec![CustomerType::Loyal, CustomerType::Discount],
        purpose: Some(Purpose::Sale),
        ..Situation::default()
    };
    let (manual, notes) = (manual(), notes());
    println!("Guidance and reviews, in process");
    let bond = |number| Connection { agent: format!("agent-{number}"), level: ConnectionLevel::Familiar };
    let known = Known { notes: notes.clone(), connections: (0..MAX_CONNECTIONS).map(bond).collect(), ..Known::default() };
    let defaults = DefaultSettings::try_from("sales/street = informal, */chat = formal".to_owned()).expect("they are right");
    let (shelf, defaults) = (&shelf(), &defaults);
    let times = measure(bench.span, || guide(Some(&manual), House { shelf, defaults }, situation.clone(), known.clone()).dos.len());
    tell(&format!("guidance: {RULES} rules, {NOTES} notes, {MESSAGES} messages"), times, Duration::from_millis(2));

    let english: Language = "en".parse().expect("a language");
    let text = text();
    let draft = Draft {
        text: &text,
        language: Some(&english),
        situation: &situation,
        opening: true,
        closing: true,
        notes: &notes[..20],
        promised: false,
    };
    let times = measure(bench.span, || review(&manual.contents.rules, &draft).findings.len());
    tell(&format!("review: {} octets, {RULES} rules", text.len()), times, Duration::from_millis(1));
    println!();
}

/// The time of each run, sorted.
fn measure(span: Duration, mut work: impl FnMut() -> usize) -> Vec<Duration> {
    let (begin, mut times) = (Instant::now(), Vec::new());
    while begin.elapsed() < span {
        let start = Instant::now();
        std::hint::black_box(work());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times
}

fn tell(what: &str, times: Vec<Duration>, goal: Duration) {
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let verdict = if at(99) <= goal { "reached" } else { "missed" };
    println!("  {what:<50} median {:?}, p99 {:?}  goal {goal:?} {verdict}", at(50), at(99));
}

/// Every tenth rule checks, every third matches.
fn manual() -> ManualVersion {
    let channels = [Channel::Email, Channel::Chat, Channel::Phone];
    let checks = [
        DraftCheck::NeedsGreeting,
        DraftCheck::NeedsNextStep,
        DraftCheck::NoUnbackedPromise,
        DraftCheck::NoCriticismOfUsedProducts,
        DraftCheck::NoUninvitedPersonalTopic,
        DraftCheck::NeedsTerms,
        DraftCheck::MaxWords(300),
        DraftCheck::ForbiddenTerms((0..50).map(|number| format!("secret {number}")).collect()),
    ];
    let rules = (0..RULES).map(|number| EtiquetteRule {
        id: format!("rule-{number}"),
        stance: if number % 2 == 0 { RuleStance::Do } else { RuleStance::Dont },
        topic: RuleTopic::Custom,
        text: "Say first what the customer wants to hear, then what else there is to know.".to_owned(),
        scope: Scope {
            channels: vec![channels[number % channels.len()]],
            customer_types: if number % 5 == 0 { vec![CustomerType::Loyal] } else { Vec::new() },
            ..Scope::default()
        },
        check: (number % 10 == 0).then(|| checks[number / 10 % checks.len()].clone()),
        severity: Severity::Warn,
    });
    let english = "en".parse().expect("a language");
    let id = ManualVersionId::from_uuid(uuid::Uuid::from_u128(1));
    let draft = ManualVersion::draft(id, "A manual".to_owned(), english, Time::from_parts(0, 0).expect("a time"));
    ManualVersion { contents: Contents { rules: rules.collect(), ..Contents::default() }, ..draft }
}

/// Every third message and call flow matches.
fn shelf() -> Shelf {
    let channels = [Channel::Email, Channel::Chat, Channel::Phone];
    let scope = |number: usize| Scope {
        channels: vec![channels[number % channels.len()]],
        customer_types: if number.is_multiple_of(5) { vec![CustomerType::Loyal] } else { Vec::new() },
        ..Scope::default()
    };
    let message = |number: usize| OfferedMessage {
        id: CannedMessageId::from_uuid(uuid::Uuid::from_u128(number as u128)),
        short_code: format!("message-{number}"),
        kind: CannedMessageKind::Text,
        subject: "What you asked us for".to_owned(),
        file: String::new(),
        revision: 1,
        scope: scope(number),
    };
    let flow = |number: usize| OfferedFlow {
        id: CallFlowId::from_uuid(uuid::Uuid::from_u128(number as u128)),
        revision: 1,
        title: format!("Call flow {number}"),
        scope: scope(number),
        first: None,
    };
    Shelf { version: 1, messages: (0..MESSAGES).map(message).collect(), flows: (0..FLOWS).map(flow).collect() }
}

fn notes() -> Vec<Note> {
    let kinds = [NoteKind::UsesProduct, NoteKind::PersonalTopic, NoteKind::Interest, NoteKind::SmallTalk];
    let note = |number: usize| Note {
        kind: kinds[number % kinds.len()],
        text: format!("Something worth knowing {number}"),
        initiator: Some(if number.is_multiple_of(2) { Initiator::ByCustomer } else { Initiator::ByStaff }),
    };
    (0..NOTES).map(note).collect()
}

fn text() -> String {
    let sentences = "Hello Ada, thank you for your order of the second of May. The parcel left our house in the morning, and the \
                     carrier has it now. If the weather holds, it is with you on Thursday; I will call you if it is not. ";
    sentences.chars().cycle().take(OCTETS).collect()
}
