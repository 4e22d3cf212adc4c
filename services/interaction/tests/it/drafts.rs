//! Drafts as people write them, with what the review is to find in each: the marked words, and nothing else above a hint.

use rapport_core::{Channel, CustomerType, Language};
use rapport_interaction::domain::{
    Draft, DraftCheck, DraftCheckKind as Check, EtiquetteRule, Initiator, Note, NoteKind, RuleStance, RuleTopic, Scope, Severity,
    Situation, review,
};

/// A draft with the words that are to be marked, each with its check.
type Case = (&'static str, &'static str, &'static [(Check, &'static str)]);

fn rule(id: &str, topic: RuleTopic, check: DraftCheck, severity: Severity, scope: Scope) -> EtiquetteRule {
    EtiquetteRule { id: id.to_owned(), stance: RuleStance::Dont, topic, text: id.to_owned(), scope, check: Some(check), severity }
}

pub fn rules() -> Vec<EtiquetteRule> {
    use RuleTopic::{BePolite, Custom, NeverCriticise, NoAbruptEnd, NoPersonalUnlessInvited, NotTooMuch};
    use Severity::{Block, Warn};
    let terms = ["Project Falcon", "cost price", "Einkaufspreis", "precio de coste", "極秘", "§"].map(str::to_owned).to_vec();
    let chat = Scope { channels: vec![Channel::Chat], ..Scope::default() };
    let impulsive = Scope { customer_types: vec![CustomerType::Impulsive], ..chat.clone() };
    vec![
        rule("length", NotTooMuch, DraftCheck::MaxWords(60), Warn, Scope::default()),
        rule("length-chat", NotTooMuch, DraftCheck::MaxWords(30), Warn, chat),
        rule("length-impulsive", NotTooMuch, DraftCheck::MaxWords(20), Warn, impulsive),
        rule("confidential", Custom, DraftCheck::ForbiddenTerms(terms), Block, Scope::default()),
        rule("greeting", BePolite, DraftCheck::NeedsGreeting, Warn, Scope::default()),
        rule("next-step", NoAbruptEnd, DraftCheck::NeedsNextStep, Warn, Scope::default()),
        rule("personal", NoPersonalUnlessInvited, DraftCheck::NoUninvitedPersonalTopic, Warn, Scope::default()),
        rule("criticism", NeverCriticise, DraftCheck::NoCriticismOfUsedProducts, Block, Scope::default()),
        rule("promise", Custom, DraftCheck::NoUnbackedPromise, Block, Scope::default()),
        rule("deal", Custom, DraftCheck::NeedsTerms, Warn, Scope::default()),
    ]
}

pub fn notes() -> Vec<Note> {
    let note = |kind, text: &str, initiator| Note { kind, text: text.to_owned(), initiator: Some(initiator) };
    vec![
        note(NoteKind::UsesProduct, "Acme CRM", Initiator::ByStaff),
        note(NoteKind::UsesProduct, "Bücherwurm", Initiator::ByCustomer),
        note(NoteKind::PersonalTopic, "her daughter started school in August", Initiator::ByCustomer),
        note(NoteKind::PersonalTopic, "divorced in spring", Initiator::ThirdParty),
        note(NoteKind::Interest, "sailing", Initiator::ByCustomer),
    ]
}

/// What the review finds in a text: an opening that is to close, in a chat or by mail, with nothing promised.
fn found(language: &str, text: &str, channel: Channel, customer_types: Vec<CustomerType>) -> Vec<(Check, Severity, String)> {
    let language: Language = language.parse().expect("a language tag");
    let situation = Situation { channel: Some(channel), customer_types, ..Situation::default() };
    let notes = notes();
    let draft =
        Draft { text, language: Some(&language), situation: &situation, opening: true, closing: true, notes: &notes, promised: false };
    let review = review(&rules(), &draft);
    review
        .findings
        .into_iter()
        .map(|finding| {
            let (start, end) = (usize::try_from(finding.start).expect("positive"), usize::try_from(finding.end).expect("positive"));
            (finding.check, finding.severity, text.chars().skip(start).take(end - start).collect())
        })
        .collect()
}

const FINDINGS: &[Case] = &[
    // No greeting.
    ("en", "Your parcel is here. Would you like to fetch it?", &[(Check::NeedsGreeting, "Your")]),
    ("en", "The invoice is attached, please confirm it.", &[(Check::NeedsGreeting, "The")]),
    ("en", "Yes. Please call us on Monday.", &[(Check::NeedsGreeting, "Yes")]),
    ("en", "42 pieces are in stock. Shall we reserve them?", &[(Check::NeedsGreeting, "42")]),
    ("de", "Ihr Paket ist da. Möchten Sie es abholen?", &[(Check::NeedsGreeting, "Ihr")]),
    ("de", "Die Rechnung liegt bei, bitte prüfen Sie sie.", &[(Check::NeedsGreeting, "Die")]),
    ("es", "Su paquete ha llegado. ¿Le gustaría recogerlo?", &[(Check::NeedsGreeting, "Su")]),
    ("es", "La factura va adjunta, díganos si es correcta.", &[(Check::NeedsGreeting, "La")]),
    // No next step.
    ("en", "Hello Ada, your parcel was lost.", &[(Check::NeedsNextStep, "Hello Ada, your parcel was lost")]),
    ("en", "Good morning. The part is out of stock. That is all.", &[(Check::NeedsNextStep, "That is all")]),
    ("en", "Dear Mr Doe, we have closed your case!", &[(Check::NeedsNextStep, "Dear Mr Doe, we have closed your case")]),
    ("en", "Hi, no.", &[(Check::NeedsNextStep, "Hi, no")]),
    ("de", "Guten Tag, das Teil ist nicht lieferbar.", &[(Check::NeedsNextStep, "Guten Tag, das Teil ist nicht lieferbar")]),
    ("de", "Hallo. Der Fall ist geschlossen.", &[(Check::NeedsNextStep, "Der Fall ist geschlossen")]),
    ("es", "Hola, el caso está cerrado.", &[(Check::NeedsNextStep, "Hola, el caso está cerrado")]),
    ("es", "Buenos días. No hay existencias.", &[(Check::NeedsNextStep, "No hay existencias")]),
    // A promise with nothing behind it.
    ("en", "Hello, I'll call you back.", &[(Check::NoUnbackedPromise, "I'll call")]),
    ("en", "Hi Ada, we will send you a new one.", &[(Check::NoUnbackedPromise, "we will send")]),
    ("en", "Dear Ada, you will receive the money on Friday.", &[(Check::NoUnbackedPromise, "you will receive")]),
    ("en", "Hello, we’ll refund the fee.", &[(Check::NoUnbackedPromise, "we’ll refund")]),
    ("en", "Good evening, my colleague will get back to you.", &[(Check::NoUnbackedPromise, "my colleague will get back")]),
    ("en", "Hi, your phone will be repaired.", &[(Check::NoUnbackedPromise, "will be repaired")]),
    (
        "en",
        "Hi. I promise. And we are going to fix it.",
        &[(Check::NoUnbackedPromise, "I promise"), (Check::NoUnbackedPromise, "we are going to fix")],
    ),
    ("de", "Hallo, ich werde Sie morgen zurückrufen.", &[(Check::NoUnbackedPromise, "ich werde Sie morgen zurückrufen")]),
    ("de", "Guten Tag, wir melden uns bei Ihnen.", &[(Check::NoUnbackedPromise, "wir melden uns")]),
    ("de", "Guten Tag, Sie erhalten Ihr Geld.", &[(Check::NoUnbackedPromise, "Sie erhalten")]),
    (
        "de",
        "Hallo, unser Team wird das Gerät bis Freitag reparieren.",
        &[(Check::NoUnbackedPromise, "unser Team wird das Gerät bis Freitag reparieren")],
    ),
    ("es", "Hola, le llamaré.", &[(Check::NoUnbackedPromise, "llamaré")]),
    ("es", "Hola, vamos a enviarle otro.", &[(Check::NoUnbackedPromise, "vamos a enviarle")]),
    ("es", "Buenas tardes, nos pondremos en contacto con usted.", &[(Check::NoUnbackedPromise, "nos pondremos en contacto")]),
    // Criticising what they use.
    ("en", "Hi, is Acme CRM still so slow?", &[(Check::NoCriticismOfUsedProducts, "slow")]),
    ("en", "Hello, ours is better than Acme CRM, shall we show you?", &[(Check::NoCriticismOfUsedProducts, "better than")]),
    ("en", "Hi! Honestly, ACME crm is outdated. Would you like a demo?", &[(Check::NoCriticismOfUsedProducts, "outdated")]),
    ("en", "Hello, unlike Acme CRM we have a map. Would you like to see it?", &[(Check::NoCriticismOfUsedProducts, "unlike")]),
    ("de", "Hallo, Bücherwurm ist veraltet. Möchten Sie unseres sehen?", &[(Check::NoCriticismOfUsedProducts, "veraltet")]),
    ("de", "Guten Tag, unser Programm ist besser als Bücherwurm. Bei Fragen gern.", &[(Check::NoCriticismOfUsedProducts, "besser als")]),
    ("es", "Hola, Acme CRM es lento. ¿Le gustaría ver el nuestro?", &[(Check::NoCriticismOfUsedProducts, "lento")]),
    // Personal without invitation.
    ("en", "Hi, how is your wife? Please call us.", &[(Check::NoUninvitedPersonalTopic, "wife")]),
    ("en", "Hello, after the surgery you need rest. Let me know.", &[(Check::NoUninvitedPersonalTopic, "surgery")]),
    ("en", "Hi, what is your salary?", &[(Check::NoUninvitedPersonalTopic, "salary")]),
    ("en", "Hi, is it hard to be divorced?", &[(Check::NoUninvitedPersonalTopic, "divorced")]),
    ("en", "Hi, which church do you go to?", &[(Check::NoUninvitedPersonalTopic, "church")]),
    ("de", "Hallo, wie geht es mit der Scheidung?", &[(Check::NoUninvitedPersonalTopic, "Scheidung")]),
    ("de", "Hallo, wie war die Operation?", &[(Check::NoUninvitedPersonalTopic, "Operation")]),
    ("es", "Hola, ¿cómo va el divorcio?", &[(Check::NoUninvitedPersonalTopic, "divorcio")]),
    ("es", "Hola, ¿cuántos años tiene?", &[(Check::NoUninvitedPersonalTopic, "cuántos años tiene")]),
    // What must not be told, in any language.
    ("en", "Hi, Project Falcon comes in May. Any questions?", &[(Check::ForbiddenTerms, "Project Falcon")]),
    ("en", "Hi, the cost-price is 3. OK?", &[(Check::ForbiddenTerms, "cost-price")]),
    ("de", "Hallo, der EINKAUFSPREIS ist hoch. Möchten Sie mehr wissen?", &[(Check::ForbiddenTerms, "EINKAUFSPREIS")]),
    ("es", "Hola, el precio de coste es alto. ¿Algo más?", &[(Check::ForbiddenTerms, "precio de coste")]),
    ("ja", "こんにちは。これは極秘です。", &[(Check::ForbiddenTerms, "極秘")]),
    ("fr", "Bonjour, voir § 4 et « project falcon ».", &[(Check::ForbiddenTerms, "§"), (Check::ForbiddenTerms, "project falcon")]),
    ("ar", "مرحبا، Project Falcon قريبا.", &[(Check::ForbiddenTerms, "Project Falcon")]),
    ("fr", "Bonjour \u{1f44b}\u{1f3fd}, Pro\u{ad}ject Falcon \u{1f680}", &[(Check::ForbiddenTerms, "Pro\u{ad}ject Falcon")]),
    // A deal that is not told whole.
    ("en", "Hi, there is a discount for you. Interested?", &[(Check::NeedsTerms, "discount")]),
    ("en", "Hi, 20% off until Friday. Interested?", &[(Check::NeedsTerms, "%")]),
    ("en", "Hi, our offer: 10 EUR until 31.12.2026. Interested?", &[(Check::NeedsTerms, "our offer")]),
    ("de", "Hallo, wir haben einen Rabatt für Sie. Möchten Sie ihn?", &[(Check::NeedsTerms, "Rabatt")]),
    ("es", "Hola, hay una oferta. ¿La quiere?", &[(Check::NeedsTerms, "oferta")]),
    // Several at once.
    ("en", "I'll send it.", &[(Check::NeedsGreeting, "I'll"), (Check::NoUnbackedPromise, "I'll send")]),
    (
        "en",
        "Acme CRM is terrible and so is your health.",
        &[
            (Check::NeedsGreeting, "Acme"),
            (Check::NeedsNextStep, "Acme CRM is terrible and so is your health"),
            (Check::NoCriticismOfUsedProducts, "terrible"),
            (Check::NoUninvitedPersonalTopic, "your health"),
        ],
    ),
    (
        "en",
        "Hi! one two three four five six seven eight nine ten one two three four five six seven eight nine ten one two three four five six seven eight nine ten?",
        &[(Check::MaxWords, "ten")],
    ),
    (
        "fr",
        "un deux trois quatre cinq six sept huit neuf dix un deux trois quatre cinq six sept huit neuf dix un deux trois quatre cinq six sept huit neuf dix, onze douze",
        &[(Check::MaxWords, "onze douze")],
    ),
    ("ja", "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十終", &[(Check::MaxWords, "終")]),
];

const HARMLESS: &[(&str, &str)] = &[
    ("en", "Hello Ada, thank you for your order. Would you like to track it?"),
    ("en", "Good morning! How was the sailing at the weekend?"),
    ("en", "Hi Sam, the part is in stock. Shall we reserve it for you?"),
    ("en", "Dear Ms Lovelace, here is the link: https://example.com/guide"),
    ("en", "Hello, I am sorry that the parcel was late. Please let me know what suits you."),
    ("en", "Good afternoon, you can reach us at help@example.com."),
    ("en", "Welcome! The first steps are in the guide, and we are here if you need anything."),
    ("en", "Hi, how did your daughter like school?"),
    ("en", "Hi, I see that you use Acme CRM. Would you like to import from it?"),
    ("en", "Hello, Acme CRM is not bad at all. What do you like best in it?"),
    ("en", "Hey, I'll be happy to answer any question. What would you like to know?"),
    ("en", "Hello, we will not call you again. Please let us know if that changes."),
    ("en", "Hi, our shop is open until six. See you!"),
    ("en", "Dear customer, 20% off for orders over 50 EUR until 31 May. Would you like it?"),
    ("en", "Hello! This offer: 9.99 EUR, only for new customers, valid till 2026-12-31. Think it over."),
    ("en", "Thank you for calling. What can I do for you?"),
    ("en", "Hi, take your time and think it over."),
    ("en", "Good evening, the manual is on page 4. Anything else?"),
    ("en", "Hello, what a good idea! Tell me more about your vision?"),
    ("en", "Hi, the weather was bad. How was the trip?"),
    ("en", "Hello, could you tell me the order number?"),
    ("en", "Hi Jo, that was quick! Talk to you next week."),
    ("en", "Hello, we are glad that it works. Feel free to write."),
    ("en", "Greetings from the workshop \u{1f44b}\u{1f3fd}. Is the chair steady now?"),
    ("en", "Hello, Will from sales said hello. Do you remember him?"),
    ("en", "Hi, should we send it to the old address?"),
    ("en", "Dear Mr Pound, the project Falconer is open to all. Would you like to see it?"),
    ("en", "Hello, what does your company value most?"),
    ("en", "Hi! Yes, Monday works. See you then."),
    ("en", "Nice to meet you! Which colours do you like?"),
    ("de", "Guten Tag Frau Müller, das Paket ist unterwegs. Möchten Sie es verfolgen?"),
    ("de", "Hallo, wie war das Segeln am Wochenende?"),
    ("de", "Sehr geehrter Herr Maier, bitte bestätigen Sie den Termin."),
    ("de", "Grüß Gott, die Anleitung finden Sie unter https://example.com."),
    ("de", "Guten Morgen, überlegen Sie es sich in Ruhe."),
    ("de", "Hallo, das tut mir leid. Was wäre Ihnen lieber?"),
    ("de", "Hallo, Sie nutzen Bücherwurm? Was gefällt Ihnen daran?"),
    ("de", "Hallo, Bücherwurm ist nicht schlecht. Was fehlt Ihnen?"),
    ("de", "Moin, 10 % Nachlass, wenn Sie bis 31.12.2026 bestellen. Möchten Sie?"),
    ("de", "Guten Abend, wann passt es Ihnen?"),
    ("de", "Liebe Frau Weiß, danke für die Straßenkarte! Bis bald."),
    ("de", "Hallo, wir freuen uns auf Ihren Besuch."),
    ("de", "Servus, passt die Größe?"),
    ("de", "Willkommen! Bei Fragen sind wir da."),
    ("de", "Guten Tag, welche Farbe möchten Sie?"),
    ("es", "Hola Ana, gracias por su pedido. ¿Le gustaría seguirlo?"),
    ("es", "Buenos días, ¿en qué puedo ayudarle?"),
    ("es", "Estimada señora, díganos qué le conviene."),
    ("es", "Buenas tardes, aquí tiene el enlace: https://example.com."),
    ("es", "Hola, piénselo con calma."),
    ("es", "Hola, ¿qué le gusta de Acme CRM?"),
    ("es", "Hola, Acme CRM no es malo. ¿Qué echa de menos?"),
    ("es", "Bienvenida. Si necesita algo, aquí estamos."),
    ("es", "Hola, 10 % de descuento si compra hasta el 31/12/2026. ¿Le interesa?"),
    ("es", "Gracias por llamar. ¿Cuál es el número de pedido?"),
    ("ja", "こんにちは。ありがとうございます。"),
    ("fr", "Bonjour, merci pour votre commande."),
    ("fr", "Bonjour, Acme CRM est un bon choix."),
    ("ar", "مرحبا، شكرا لك."),
    ("zh-Hant", "您好,謝謝您的訂單。"),
    ("th", "สวัสดีครับ ขอบคุณครับ"),
    ("he", "שלום, תודה רבה."),
    ("ru", "Здравствуйте, спасибо за заказ."),
];

#[test]
fn the_tables_are_as_large_as_they_say() {
    assert!(FINDINGS.len() >= 60 && HARMLESS.len() >= 60, "{} and {}", FINDINGS.len(), HARMLESS.len());
}

#[test]
fn each_text_has_the_findings_that_it_is_to_have_and_no_other() {
    let mut wrong = Vec::new();
    for (language, text, expected) in FINDINGS {
        let mut found: Vec<(Check, String)> =
            found(language, text, Channel::Chat, Vec::new()).into_iter().map(|(check, _, marked)| (check, marked)).collect();
        let mut expected: Vec<(Check, String)> = expected.iter().map(|(check, marked)| (*check, (*marked).to_owned())).collect();
        found.sort();
        expected.sort();
        if found != expected {
            wrong.push(format!("{language} {text:?}\n   expected {expected:?}\n   found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn harmless_texts_are_left_alone() {
    let mut wrong = Vec::new();
    for (language, text) in HARMLESS {
        let loud: Vec<_> =
            found(language, text, Channel::Chat, Vec::new()).into_iter().filter(|(_, severity, _)| *severity > Severity::Hint).collect();
        if !loud.is_empty() {
            wrong.push(format!("{language} {text:?}: {loud:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn row_71_how_much_is_too_much_depends_on_the_channel_and_the_type() {
    let text = format!("Hi! {}?", "word ".repeat(25).trim());
    let long = |channel, types| found("en", &text, channel, types).iter().any(|(check, ..)| *check == Check::MaxWords);
    assert!(!long(Channel::Email, Vec::new()), "60 words are enough by mail");
    assert!(!long(Channel::Chat, Vec::new()), "30 in a chat");
    assert!(long(Channel::Chat, vec![CustomerType::Impulsive]), "20 for one who decides at once");
}

#[test]
fn row_72_what_they_use_is_never_criticised() {
    let found = found("en", "Hello, Acme CRM is useless, shall we talk?", Channel::Chat, Vec::new());
    assert_eq!(found, [(Check::NoCriticismOfUsedProducts, Severity::Block, "useless".to_owned())]);
}

#[test]
fn row_73_personal_matters_only_if_the_customer_began() {
    let personal = |text| found("en", text, Channel::Chat, Vec::new()).iter().any(|(check, ..)| *check == Check::NoUninvitedPersonalTopic);
    assert!(!personal("Hi, how is your daughter?"), "the customer began");
    assert!(personal("Hi, how is your husband?"), "nobody began");
    assert!(personal("Hi, are you divorced?"), "somebody else told us");
}

#[test]
fn row_33_a_promise_with_a_commitment_behind_it_is_none_to_worry_about() {
    let situation = Situation { channel: Some(Channel::Chat), ..Situation::default() };
    let language: Language = "en".parse().expect("a language tag");
    let draft = Draft {
        text: "Hello, I'll call you back tomorrow.",
        language: Some(&language),
        situation: &situation,
        opening: true,
        closing: true,
        notes: &[],
        promised: false,
    };
    assert!(!review(&rules(), &draft).sendable());
    assert!(review(&rules(), &Draft { promised: true, ..draft }).findings.is_empty());
}

#[test]
fn a_language_without_a_word_list_says_what_was_not_checked() {
    let situation = Situation::default();
    let swahili: Language = "sw".parse().expect("a language tag");
    let notes = notes();
    let draft = Draft {
        text: "Acme CRM ni mbaya.",
        language: Some(&swahili),
        situation: &situation,
        opening: true,
        closing: true,
        notes: &notes,
        promised: false,
    };
    let seen = review(&rules(), &draft);
    assert_eq!(seen.language, None);
    assert_eq!(seen.unchecked.len(), 6, "{:?}", seen.unchecked);
    let findings: Vec<_> = seen.findings.iter().map(|finding| (finding.check, finding.severity)).collect();
    assert_eq!(findings, [(Check::NoCriticismOfUsedProducts, Severity::Hint)]);
    let english: Language = "en-GB".parse().expect("a language tag");
    let seen = review(&rules(), &Draft { language: Some(&english), ..draft });
    assert_eq!((seen.language, seen.unchecked.len()), (Some("en"), 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]
    #[test]
    fn any_text_is_reviewed_and_every_span_lies_in_it(text in "\\PC{0,400}|[a-z%§€.!? \u{301}\u{200d}1-9']{0,200}", note in "\\PC{0,80}", language in 0_usize..4) {
        let language: Language = ["en", "de", "es", "ja"][language].parse().expect("a language tag");
        let situation = Situation { channel: Some(Channel::Chat), ..Situation::default() };
        let mut notes = notes();
        notes.push(Note { kind: NoteKind::UsesProduct, text: note.clone(), initiator: None });
        notes.push(Note { kind: NoteKind::PersonalTopic, text: note, initiator: Some(Initiator::ByStaff) });
        let draft = Draft { text: &text, language: Some(&language), situation: &situation, opening: true, closing: true, notes: &notes, promised: false };
        let length = i32::try_from(text.chars().count()).expect("a short text");
        for finding in review(&rules(), &draft).findings {
            proptest::prop_assert!(0 <= finding.start && finding.start <= finding.end && finding.end <= length, "{finding:?}");
            proptest::prop_assert!(!finding.message.is_empty());
        }
    }
}
