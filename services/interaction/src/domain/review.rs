//! Reads a draft before it is sent: the same words give the same findings, each with its rule and its place in the text.

use rapport_core::Language;
use serde::{Deserialize, Serialize};

use self::desk::Desk;
use super::{DraftCheck, DraftCheckKind, EtiquetteRule, Match, Note, RuleTopic, Severity, Situation};

mod desk;
mod lexicon;
mod text;

pub use lexicon::languages;

/// The most findings that one rule makes in one draft.
pub const MAX_FINDINGS: usize = 20;

/// A draft, and what must be known to judge it.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// What is to be sent.
    pub text: &'a str,
    /// The language that it is written in, if anybody knows.
    pub language: Option<&'a Language>,
    /// For whom and where.
    pub situation: &'a Situation,
    /// Whether it is the first that we say, or a letter or mail, which always greets.
    pub opening: bool,
    /// Whether nothing more is to follow.
    pub closing: bool,
    /// What is known of the customer as a person.
    pub notes: &'a [Note],
    /// Whether a commitment that is open stands behind what it promises.
    pub promised: bool,
}

/// What was found in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule of the manual.
    pub rule: String,
    /// What the rule is about.
    pub topic: RuleTopic,
    /// What was checked.
    pub check: DraftCheckKind,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Where it begins in the text, in Unicode code points.
    pub start: i32,
    /// Where it ends, in Unicode code points: the first one behind it.
    pub end: i32,
}

/// A reviewed draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What was found, in the order of the text.
    pub findings: Vec<Finding>,
    /// The language of the word list that was used; none when there is none for the draft's language.
    pub language: Option<&'static str>,
    /// What the rules ask for and could not be checked, or only in part, for want of a word list.
    pub unchecked: Vec<DraftCheckKind>,
}

impl Review {
    /// Whether it may be sent so: nothing was found that blocks.
    pub fn sendable(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Block)
    }
}

/// Something in a text, by octets.
#[derive(Debug)]
struct Spot {
    span: (usize, usize),
    message: String,
    /// Only worth a thought, whatever the rule says.
    doubtful: bool,
}

/// What a check saw.
#[derive(Debug, Default)]
struct Seen {
    spots: Vec<Spot>,
    /// Whether a word list was missing.
    blind: bool,
}

/// Reviews a draft by the rules whose scope matches; of several limits of length only the most specific one counts.
pub fn review<'r>(rules: impl IntoIterator<Item = &'r EtiquetteRule>, draft: &Draft<'_>) -> Review {
    let mut applying: Vec<(Match, &EtiquetteRule, &DraftCheck)> = rules
        .into_iter()
        .filter_map(|rule| Some((rule.check.as_ref()?, rule)))
        .filter_map(|(check, rule)| Some((rule.scope.matches(draft.situation)?, rule, check)))
        .collect();
    applying.sort_by(|(left, ..), (right, ..)| right.cmp(left));
    let desk = Desk::of(draft);
    let mut found: Vec<(Spot, &EtiquetteRule, DraftCheckKind)> = Vec::new();
    let mut unchecked = Vec::new();
    let mut measured = false;
    for (_, rule, check) in applying {
        if matches!(check, DraftCheck::MaxWords(_)) && std::mem::replace(&mut measured, true) {
            continue;
        }
        let Seen { spots, blind } = desk.look(check);
        if blind && !unchecked.contains(&check.kind()) {
            unchecked.push(check.kind());
        }
        found.extend(spots.into_iter().take(MAX_FINDINGS).map(|spot| (spot, rule, check.kind())));
    }
    Review { findings: place(draft.text, found), language: desk.language(), unchecked }
}

/// Puts what was found in the order of the text, each spot once for each check, counted in code points.
fn place(text: &str, mut found: Vec<(Spot, &EtiquetteRule, DraftCheckKind)>) -> Vec<Finding> {
    let severity = |(spot, rule, _): &(Spot, &EtiquetteRule, DraftCheckKind)| if spot.doubtful { Severity::Hint } else { rule.severity };
    found.sort_by_key(|one| (one.0.span, one.2, std::cmp::Reverse(severity(one))));
    found.dedup_by_key(|one| (one.0.span, one.2));
    let mut ends: Vec<usize> = found.iter().flat_map(|(spot, ..)| [spot.span.0, spot.span.1]).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut counted = Vec::with_capacity(ends.len());
    let (mut octets, mut points) = (0, 0);
    for end in &ends {
        points += text.get(octets..*end).map_or(0, |part| part.chars().count());
        octets = *end;
        counted.push(i32::try_from(points).unwrap_or(i32::MAX));
    }
    let point = |octet: usize| ends.binary_search(&octet).map_or(0, |at| counted[at]);
    found
        .into_iter()
        .map(|one| {
            let severity = severity(&one);
            let (Spot { span, message, .. }, rule, check) = one;
            Finding { rule: rule.id.clone(), topic: rule.topic, check, severity, message, start: point(span.0), end: point(span.1) }
        })
        .collect()
}
