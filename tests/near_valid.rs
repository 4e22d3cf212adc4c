//! Makes messages of any type that are nearly right: plausible by the names of the fields, with a slip here and there.

use std::{collections::BTreeMap, sync::Mutex};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, OneofDescriptor, Value};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// What the answers so far have named, by the name of the field, so that later requests are about things that are there.
#[derive(Default)]
pub struct Known(Mutex<BTreeMap<String, Vec<String>>>);

impl Known {
    /// Keeps the ids that an answer names.
    pub fn learn(&self, answer: &DynamicMessage) {
        for (field, value) in answer.fields() {
            match value {
                Value::String(text) if !text.is_empty() && (["_id", "token", "cursor"].iter().any(|end| field.name().ends_with(end))) => {
                    self.keep(field.name(), text);
                }
                Value::Message(inner) => self.learn(inner),
                Value::List(items) => items.iter().filter_map(Value::as_message).for_each(|inner| self.learn(inner)),
                _ => {}
            }
        }
    }

    fn keep(&self, name: &str, text: &str) {
        let mut known = self.0.lock().expect("nobody panics while it is held");
        let texts = known.entry(name.to_owned()).or_default();
        if texts.len() < 500 && !texts.iter().any(|own| own == text) {
            texts.push(text.to_owned());
        }
    }

    fn some(&self, name: &str, rng: &mut StdRng) -> Option<String> {
        self.0.lock().expect("nobody panics while it is held").get(name)?.choose(rng).cloned()
    }
}

/// Makes the messages of one call; the same seed and the same knowledge make the same messages.
pub struct Generator<'a> {
    rng: StdRng,
    known: &'a Known,
    /// The share of fields that are wrong.
    slips: f64,
    /// Seconds since 1970.
    now: i64,
}

impl<'a> Generator<'a> {
    /// A generator for one call.
    pub fn new(seed: u64, known: &'a Known) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let slips = *[0.0, 0.0, 0.03, 0.1, 0.4].choose(&mut rng).expect("the list is not empty");
        let (now, _) = rapport_server::world::world().clock.now().parts();
        Self { rng, known, slips, now }
    }

    /// A number of messages, for a stream.
    pub fn count(&mut self, most: usize) -> usize {
        self.rng.random_range(1..=most)
    }

    /// A message of this type.
    pub fn message(&mut self, of: &MessageDescriptor) -> DynamicMessage {
        self.nested(of, 0)
    }

    fn slip(&mut self) -> bool {
        self.rng.random_bool(self.slips)
    }

    fn nested(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        if let Some(known) = self.well_known(of) {
            return known;
        }
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields().filter(|field| field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic())) {
            self.fill(&mut message, &field, of, depth);
        }
        for oneof in of.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            self.choose(&mut message, &oneof, of, depth);
        }
        message
    }

    fn choose(&mut self, message: &mut DynamicMessage, oneof: &OneofDescriptor, of: &MessageDescriptor, depth: usize) {
        let choices: Vec<FieldDescriptor> = oneof.fields().collect();
        if let Some(field) = choices.choose(&mut self.rng).cloned().filter(|_| self.rng.random_bool(0.9)) {
            self.fill(message, &field, of, depth);
        }
    }

    fn fill(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, of: &MessageDescriptor, depth: usize) {
        let leave_out = if SELDOM.contains(&field.name()) && field.parent_message().name() != "ConcludeInteractionRequest" {
            0.8
        } else if self.slips == 0.0 {
            0.03
        } else {
            0.2
        };
        if depth > 4 || self.rng.random_bool(leave_out) {
            return;
        }
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { return };
            let entries = (0..self.rng.random_range(0..3)).map(|_| {
                let key = if self.slip() { self.odd_text() } else { self.key(field.name()) };
                (MapKey::String(key), self.single(&entry.map_entry_value_field(), of, depth + 1))
            });
            let entries = entries.collect();
            message.set_field(field, Value::Map(entries));
        } else if field.is_list() {
            let (least, most) = if self.slip() { (0, 40) } else { (1, 3) };
            let items = (0..self.rng.random_range(least..=most)).map(|_| self.single(field, of, depth + 1)).collect();
            message.set_field(field, Value::List(items));
        } else {
            let value = self.single(field, of, depth + 1);
            message.set_field(field, value);
        }
    }

    fn single(&mut self, field: &FieldDescriptor, of: &MessageDescriptor, depth: usize) -> Value {
        let slip = self.slip();
        match field.kind() {
            Kind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" && !slip => Value::Message(self.time(field, &inner)),
            Kind::Message(inner) => Value::Message(self.nested(&inner, depth)),
            Kind::Enum(of) if slip => {
                Value::EnumNumber(*[0, -1, 99, i32::MAX, of.values().len() as i32].choose(&mut self.rng).expect("not empty"))
            }
            // The first value is the plainest one, and fits most often.
            Kind::Enum(_) if self.rng.random_bool(0.6) => Value::EnumNumber(1),
            Kind::Enum(of) => Value::EnumNumber(self.rng.random_range(1..of.values().len().max(2) as i32)),
            Kind::String if slip => Value::String(self.odd_text()),
            Kind::String => Value::String(self.text(field.name(), of)),
            Kind::Bytes => Value::Bytes(self.mail(slip).into()),
            Kind::Bool => Value::Bool(self.rng.random_bool(if field.name() == "said_nothing" { 0.9 } else { 0.3 })),
            Kind::Double => Value::F64(self.number(slip)),
            Kind::Float => Value::F32(self.number(slip) as f32),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.integer(slip, i32::MIN.into(), i32::MAX.into()) as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.integer(slip, i64::MIN, i64::MAX)),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.integer(slip, 0, u32::MAX.into()) as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.integer(slip, 0, i64::MAX) as u64),
        }
    }

    fn integer(&mut self, slip: bool, least: i64, most: i64) -> i64 {
        if slip { *[least, most, -1, 0, 1_000_000].choose(&mut self.rng).expect("not empty") } else { self.rng.random_range(0..=10) }
    }

    fn number(&mut self, slip: bool) -> f64 {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN_POSITIVE, -1.0];
        if slip { *odd.choose(&mut self.rng).expect("not empty") } else { self.rng.random_range(0.0..=1.0) }
    }

    fn well_known(&mut self, of: &MessageDescriptor) -> Option<DynamicMessage> {
        let mut message = DynamicMessage::new(of.clone());
        let slip = self.slip();
        match of.full_name() {
            "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
                let (seconds, nanos) = if slip {
                    *[(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, i32::MAX), (253_402_300_800, 0), (-62_135_596_801, 0)]
                        .choose(&mut self.rng)
                        .expect("not empty")
                } else {
                    (self.rng.random_range(1..10) * 86_400, 0)
                };
                message.set_field_by_name("seconds", Value::I64(seconds));
                message.set_field_by_name("nanos", Value::I32(nanos));
            }
            "google.protobuf.FieldMask" => {
                let odd = ["nope", "", "*", "a.b.c", "customer_id", "etag"];
                let right = ["display_name", "given_name", "tags", "owner", "language", "salutation"];
                let paths = (0..self.rng.random_range(0..3)).map(|_| {
                    let from = if slip { &odd } else { &right };
                    Value::String((*from.choose(&mut self.rng).expect("not empty")).to_owned())
                });
                let paths = paths.collect();
                message.set_field_by_name("paths", Value::List(paths));
            }
            _ => return None,
        }
        Some(message)
    }

    /// A time ahead for what is due, and one gone by for what has happened.
    fn time(&mut self, field: &FieldDescriptor, of: &MessageDescriptor) -> DynamicMessage {
        let ahead = ["due_time", "expire_time", "send_time", "schedule_time"].contains(&field.name());
        let days = self.rng.random_range(1..300) * if ahead { 1 } else { -1 };
        let mut message = DynamicMessage::new(of.clone());
        message.set_field_by_name("seconds", Value::I64(self.now + days * 86_400));
        message.set_field_by_name("nanos", Value::I32(self.rng.random_range(0..1_000_000_000)));
        message
    }

    fn key(&mut self, field: &str) -> String {
        let keys: &[&str] = if field == "external_ids" || field == "attributes" { &["crm", "shop"] } else { &["en", "de", "fr"] };
        (*keys.choose(&mut self.rng).expect("not empty")).to_owned()
    }

    fn text(&mut self, name: &str, of: &MessageDescriptor) -> String {
        let n: u32 = self.rng.random_range(0..400);
        match name {
            "request_id" => self.uuid(),
            "journey_id" => {
                if self.rng.random_bool(0.7) {
                    String::new()
                } else {
                    self.uuid()
                }
            }
            "page_token" | "filter" => {
                self.known.some("next_page_token", &mut self.rng).filter(|_| name == "page_token" && n < 40).unwrap_or_default()
            }
            "types" => match of.parent_file().package_name() {
                "rapport.customer.v1" => "customer.created",
                "rapport.interaction.v1" => "interaction.opened",
                "rapport.feedback.v1" => "invitation.sent",
                _ => "issue.started",
            }
            .to_owned(),
            "cursor" | "in_reply_to" => self.known.some(name, &mut self.rng).unwrap_or_default(),
            "question_id" | "option_id" => format!("q{n}"),
            "transport" => "outbox".to_owned(),
            "on_event" => "interaction.concluded".to_owned(),
            "revises" => self.known.some("questionnaire_id", &mut self.rng).unwrap_or_default(),
            "interaction_id" if of.name() == "Commitment" => String::new(),
            "etag" => {
                if n < 200 {
                    String::new()
                } else {
                    (n % 4).to_string()
                }
            }
            "token" => self.known.some(name, &mut self.rng).unwrap_or_else(|| self.uuid()),
            _ if name.ends_with("_id") || name.ends_with("_ids") => self.id(name, of),
            "email" | "to_email" | "from_email" | "from_address" | "envelope_recipient" => format!("n{n}@example.com"),
            "value" if !n.is_multiple_of(4) => format!("n{n}@example.com"),
            "phone" | "value" => format!("+49 30 {}", 1_000_000 + n),
            "language" | "default_language" => (*["en", "de", "pt-BR"].choose(&mut self.rng).expect("not empty")).to_owned(),
            "time_zone" => "Europe/Berlin".to_owned(),
            "bounce_domain" | "reply_domain" => "mail.example.com".to_owned(),
            "traceparent" => format!("00-{:032x}-{:016x}-01", n + 1, n + 1),
            "content_type" => "text/plain".to_owned(),
            "html" => "<p>Hello</p>".to_owned(),
            "location" => format!("https://example.com/{n}"),
            "wording_version" => "v1".to_owned(),
            _ => format!("{} {n}", name.replace('_', " ")),
        }
    }

    /// An id of something that is there; or, for what is about to be made, mostly none.
    fn id(&mut self, name: &str, of: &MessageDescriptor) -> String {
        let singular = name.trim_end_matches('s');
        let own = name.ends_with("_id") && of.get_field_by_name(name.trim_end_matches("_id")).is_some();
        let (fresh, none) = if own { (0.2, 0.7) } else { (0.04, 0.02) };
        if self.rng.random_bool(none) {
            String::new()
        } else if self.rng.random_bool(fresh) {
            self.uuid()
        } else {
            self.known.some(singular, &mut self.rng).unwrap_or_else(|| self.uuid())
        }
    }

    fn uuid(&mut self) -> String {
        let high: u64 = 0x019a_0000_0000_7000 | (self.rng.random::<u64>() & 0x0000_ffff_ffff_0fff);
        let low: u64 = 0x8000_0000_0000_0000 | (self.rng.random::<u64>() >> 2);
        let hex = format!("{high:016x}{low:016x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn odd_text(&mut self) -> String {
        let odd = [
            "",
            " ",
            "\0",
            "a\0b",
            "\u{202e}abc",
            "😀👩‍👩‍👧‍👦",
            "e\u{301}",
            "'; DROP TABLE customer; --",
            "\r\nBcc: all@example.com",
            "{{ 1/0 }}",
            "{% for a in b %}",
            "not-an-id",
            "00000000-0000-0000-0000-000000000000",
            "%",
            "state = \"OPEN\" AND",
            "= = =",
            "\u{feff}x",
            "<script>",
            "-1",
            "18446744073709551616",
        ];
        match self.rng.random_range(0..odd.len() + 3) {
            at if at < odd.len() => odd[at].to_owned(),
            at if at == odd.len() => "x".repeat(self.rng.random_range(100..3_000)),
            at if at == odd.len() + 1 => "ä".repeat(65),
            _ => char::from_u32(self.rng.random_range(1..0x11_0000)).map_or_else(String::new, String::from),
        }
    }

    fn mail(&mut self, slip: bool) -> Vec<u8> {
        let n: u32 = self.rng.random_range(0..400);
        if slip {
            let odd: [&[u8]; 6] =
                [b"", b"\xff\xfe\0", b"\r\n\r\n", b"From: \r\n", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x", b"A: b"];
            return odd.choose(&mut self.rng).expect("not empty").to_vec();
        }
        let answered = self.known.some("mail_message_id", &mut self.rng).unwrap_or_else(|| format!("<{n}@example.com>"));
        format!(
            "From: N <n{n}@example.com>\r\nTo: news@example.com\r\nSubject: Re: Hello\r\nMessage-ID: <in{}@example.com>\r\nIn-Reply-To: {answered}\r\n\
             Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nThank you, {n}.\r\n",
            self.rng.random::<u64>()
        )
        .into_bytes()
    }
}

/// Fields that fit only some requests: a request that always had them would seldom be right.
const SELDOM: [&str; 19] = [
    "token",
    "revises",
    "informal_offer",
    "customer_contact",
    "organization_id",
    "stars",
    "in_reply_to",
    "conclusion",
    "no_step_reason",
    "subscription_id",
    "previous_interaction_id",
    "page_token",
    "new_commitment",
    "scale_min",
    "scale_max",
    "options",
    "guide_id",
    "remark_ids",
    "journey_id",
];
