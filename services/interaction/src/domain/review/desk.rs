//! The desk that a draft lies on: its words, the signs in them, and each check as a look at those.

use std::{cell::OnceCell, collections::HashMap};

use super::{
    super::{DraftCheck, Note, NoteKind},
    Draft, Seen, Spot,
    lexicon::{self, Lexicon, Sign},
    text::{self, Words, phrase},
};

/// How far behind `we will` a deed still makes it a promise, in words.
const REACH: usize = 12;
/// Within how many words a text greets.
const GREETS_WITHIN: usize = 15;
/// The name of a product has at most so many words; a longer note tells more than the name.
const NAME_WORDS: usize = 4;
/// The shortest word by which a personal matter is known, in letters.
const TELLING: usize = 7;

/// A sign, from one word to another.
#[derive(Clone, Copy, Debug)]
struct Hit {
    sign: Sign,
    first: usize,
    last: usize,
}

/// A draft with what was seen in it.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    draft: &'a Draft<'a>,
    words: Words<'a>,
    lexicon: Option<&'static Lexicon>,
    hits: OnceCell<Vec<Hit>>,
}

impl<'a> Desk<'a> {
    pub fn of(draft: &'a Draft<'a>) -> Self {
        Self { draft, words: Words::of(draft.text), lexicon: draft.language.and_then(lexicon::of), hits: OnceCell::new() }
    }

    /// The language whose word list is used.
    pub fn language(&self) -> Option<&'static str> {
        self.lexicon.map(|lexicon| lexicon.language)
    }

    /// What this check sees.
    pub fn look(&self, check: &DraftCheck) -> Seen {
        match check {
            DraftCheck::MaxWords(most) => seen(self.too_long(*most)),
            DraftCheck::ForbiddenTerms(terms) => seen(self.forbidden(terms)),
            DraftCheck::NoUninvitedPersonalTopic => Seen { spots: self.personal(), blind: self.lexicon.is_none() },
            DraftCheck::NoCriticismOfUsedProducts => Seen { spots: self.criticism(), blind: self.lexicon.is_none() },
            DraftCheck::NeedsGreeting if !self.draft.opening => Seen::default(),
            DraftCheck::NeedsNextStep if !self.draft.closing => Seen::default(),
            DraftCheck::NoUnbackedPromise if self.draft.promised => Seen::default(),
            _ if self.lexicon.is_none() => Seen { blind: true, ..Seen::default() },
            DraftCheck::NeedsGreeting => seen(self.no_greeting()),
            DraftCheck::NeedsNextStep => seen(self.no_next_step()),
            DraftCheck::NoUnbackedPromise => seen(self.promises().into_iter().map(|(first, last)| self.spot(first, last, UNBACKED))),
            DraftCheck::NeedsTerms => seen(self.terms()),
        }
    }

    fn spot(&self, first: usize, last: usize, message: impl Into<String>) -> Spot {
        Spot { span: self.words.span(first, last), message: message.into(), doubtful: false }
    }

    /// The signs of the language's word list, in the order of the text.
    fn hits(&self) -> &[Hit] {
        self.hits.get_or_init(|| self.lexicon.map(|lexicon| scan(lexicon, &self.words)).unwrap_or_default())
    }

    fn signs(&self, sign: Sign) -> impl Iterator<Item = Hit> + '_ {
        self.hits().iter().copied().filter(move |hit| hit.sign == sign)
    }

    fn sentence(&self, at: usize) -> usize {
        self.words.tokens[at].sentence
    }

    /// Whether a word that turns it round stands between these two words, in the sentence of the second.
    fn negated(&self, from: usize, to: usize) -> bool {
        self.signs(Sign::Negation).any(|hit| hit.first >= from && hit.last < to && self.sentence(hit.first) == self.sentence(to))
    }

    fn too_long(&self, most: u32) -> Option<Spot> {
        let (count, most) = (self.words.tokens.len(), usize::try_from(most).unwrap_or(usize::MAX));
        let message = format!("has {count} words, and {most} are enough here: say the most important, and offer the rest");
        (count > most).then(|| self.spot(most, count - 1, message))
    }

    fn forbidden(&self, terms: &[String]) -> Vec<Spot> {
        let mut index: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        let mut spots = Vec::new();
        for term in terms {
            let mut words = phrase(term);
            if words.is_empty() {
                // A sign such as § has no words: it is looked for as it stands.
                let found = (!term.is_empty()).then(|| self.words.text.find(term.as_str())).flatten();
                let message = format!("{term} must not be in what we send: leave it out");
                spots.extend(found.map(|start| Spot { span: (start, start + term.len()), message, doubtful: false }));
                continue;
            }
            let first = words.remove(0);
            index.entry(first).or_default().push(words);
        }
        for at in 0..self.words.tokens.len() {
            for rest in index.get(self.words.folded(at)).into_iter().flatten().filter(|rest| follows(&self.words, at, rest)) {
                let (start, end) = self.words.span(at, at + rest.len());
                let term = &self.words.text[start..end];
                spots.push(self.spot(at, at + rest.len(), format!("\u{201c}{term}\u{201d} must not be in what we send: leave it out")));
            }
        }
        spots
    }

    fn no_greeting(&self) -> Option<Spot> {
        let greets = self.signs(Sign::Greeting).any(|hit| hit.first < GREETS_WITHIN);
        (!greets && !self.words.tokens.is_empty()).then(|| self.spot(0, 0, "does not greet: begin with a greeting, by name if you know it"))
    }

    fn no_next_step(&self) -> Option<Spot> {
        let named = self.hits().iter().any(|hit| matches!(hit.sign, Sign::NextStep | Sign::Promise));
        let points = self.draft.text.chars().any(text::asks) || self.draft.text.contains("://") || self.draft.text.contains('@');
        let last = self.words.tokens.len().checked_sub(1)?;
        if named || points || !self.promises().is_empty() {
            return None;
        }
        let first = self.words.tokens.iter().position(|token| token.sentence == self.sentence(last)).unwrap_or(last);
        Some(self.spot(first, last, "ends without a next step: close with something to act upon or to think over"))
    }

    /// Every promise, from its first word to its last.
    fn promises(&self) -> Vec<(usize, usize)> {
        let told = self.signs(Sign::Promise).filter(|hit| !self.negated(hit.first.saturating_sub(2), hit.first));
        let mut promises: Vec<(usize, usize)> = told.map(|hit| (hit.first, hit.last)).collect();
        for intent in self.signs(Sign::Intent) {
            let deed = self.signs(Sign::Deed).find(|deed| {
                deed.first > intent.last && deed.first - intent.last <= REACH && self.sentence(deed.first) == self.sentence(intent.first)
            });
            promises.extend(deed.filter(|deed| !self.negated(intent.last + 1, deed.first)).map(|deed| (intent.first, deed.last)));
        }
        promises.retain(|(first, _)| !self.words.asks(*first));
        promises.sort_unstable();
        // One promise in other words is no second one.
        promises.dedup_by(|next, kept| next.0 <= kept.1);
        promises
    }

    fn criticism(&self) -> Vec<Spot> {
        let names = self.draft.notes.iter().filter(|note| note.kind == NoteKind::UsesProduct);
        let used = Index::of(names.map(|note| (note.text.as_str(), named_in(note))));
        let mut spots = Vec::new();
        for (name, first, last) in used.find(&self.words) {
            if self.lexicon.is_none() {
                let message = format!("names {name}, which the customer uses: say what ours does, not what theirs lacks");
                spots.push(Spot { doubtful: true, ..self.spot(first, last, message) });
                continue;
            }
            let here = self.signs(Sign::Criticism).filter(|hit| self.sentence(hit.first) == self.sentence(first));
            for hit in here.filter(|hit| !self.negated(hit.first.saturating_sub(3), hit.first)) {
                let message = format!("criticises {name}, which the customer uses: say what ours does, not what theirs lacks");
                spots.push(self.spot(hit.first, hit.last, message));
            }
        }
        spots
    }

    fn personal(&self) -> Vec<Spot> {
        let (invited, uninvited): (Vec<&Note>, Vec<&Note>) = self.draft.notes.iter().partition(|note| note.invited());
        let by_customer = invited.iter().filter(|note| note.initiator == Some(super::super::Initiator::ByCustomer));
        let open: Vec<Words<'_>> = by_customer.map(|note| Words::of(&note.text)).collect();
        let spoken_of = |word: &str| open.iter().any(|note| (0..note.tokens.len()).any(|at| note.folded(at) == word));
        let groups: Vec<Sign> =
            self.lexicon.map(|lexicon| open.iter().flat_map(|note| scan(lexicon, note)).map(|hit| hit.sign).collect()).unwrap_or_default();
        let mut spots = Vec::new();
        for hit in self.hits() {
            let (Sign::Personal(group), Some(lexicon)) = (hit.sign, self.lexicon) else { continue };
            if groups.contains(&hit.sign) || spoken_of(self.words.folded(hit.last)) {
                continue;
            }
            let what = lexicon.groups.get(group).copied().unwrap_or("this");
            let message = format!("is personal ({what}), and the customer has not brought it up: leave it out");
            spots.push(self.spot(hit.first, hit.last, message));
        }
        let topics = Index::of(uninvited.iter().map(|note| ((), touched_by(note))));
        for ((), first, last) in topics.find(&self.words) {
            if (first..=last).all(|at| spoken_of(self.words.folded(at))) {
                continue;
            }
            spots.push(self.spot(first, last, "is personal, and the customer has not brought it up: leave it out"));
        }
        spots
    }

    fn terms(&self) -> Option<Spot> {
        let percent = self.draft.text.find(['%', '٪', '％']);
        let named = self.signs(Sign::Deal).next().map(|hit| self.words.span(hit.first, hit.last));
        let span = named.or_else(|| percent.map(|at| (at, at + self.draft.text[at..].chars().next().map_or(0, char::len_utf8))))?;
        let missing: Vec<&str> = [
            (percent.is_some() || has_price(&self.words), "the price"),
            (self.signs(Sign::Condition).next().is_some(), "the conditions"),
            (self.signs(Sign::Until).next().is_some() || has_date(self.draft.text), "when it ends"),
        ]
        .into_iter()
        .filter(|(told, _)| !told)
        .map(|(_, what)| what)
        .collect();
        let message = format!("tells a deal without {}: a deal is told whole", missing.join(", without "));
        (!missing.is_empty()).then_some(Spot { span, message, doubtful: false })
    }
}

const UNBACKED: &str = "promises something, and no open commitment stands behind it: make the commitment first, or do not promise";

fn seen(spots: impl IntoIterator<Item = Spot>) -> Seen {
    Seen { spots: spots.into_iter().collect(), blind: false }
}

/// Whether these words stand behind the word at this place.
fn follows(words: &Words<'_>, at: usize, rest: &[String]) -> bool {
    rest.is_empty() || words.has_at(at + 1, rest)
}

/// Every sign in a text; of several phrases that begin at a word, all that match.
fn scan(lexicon: &Lexicon, words: &Words<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for first in 0..words.tokens.len() {
        let candidates = lexicon.beginning_with(words.folded(first)).iter();
        hits.extend(candidates.filter(|(_, rest)| follows(words, first, rest)).map(|(sign, rest)| Hit {
            sign: *sign,
            first,
            last: first + rest.len(),
        }));
    }
    hits
}

/// The name of a product that a note tells of: the note as a whole, or its capitalised words if it is longer than a name.
fn named_in(note: &Note) -> Vec<Vec<String>> {
    let words = Words::of(&note.text);
    if words.tokens.len() <= NAME_WORDS {
        return vec![phrase(&note.text)];
    }
    let capital = |at: &usize| note.text[words.tokens[*at].start..].chars().next().is_some_and(char::is_uppercase);
    (1..words.tokens.len()).filter(capital).map(|at| vec![words.folded(at).to_owned()]).collect()
}

/// The words by which a personal matter is touched: the note as a whole, and each of its long words.
fn touched_by(note: &Note) -> Vec<Vec<String>> {
    let whole = phrase(&note.text);
    let telling = whole.iter().filter(|word| word.chars().count() >= TELLING).map(|word| vec![word.clone()]);
    telling.chain([whole.clone()]).collect()
}

/// Phrases by their first words, so that a text is read once however many there are.
struct Index<T> {
    phrases: HashMap<String, Vec<(T, Vec<String>)>>,
}

impl<T: Copy> Index<T> {
    fn of(known: impl Iterator<Item = (T, Vec<Vec<String>>)>) -> Self {
        let mut phrases: HashMap<String, Vec<(T, Vec<String>)>> = HashMap::new();
        for (value, each) in known {
            for mut words in each.into_iter().filter(|words| !words.is_empty()) {
                let first = words.remove(0);
                phrases.entry(first).or_default().push((value, words));
            }
        }
        Self { phrases }
    }

    fn find(&self, words: &Words<'_>) -> Vec<(T, usize, usize)> {
        let mut found = Vec::new();
        for at in 0..words.tokens.len() {
            let candidates = self.phrases.get(words.folded(at)).into_iter().flatten();
            found.extend(candidates.filter(|(_, rest)| follows(words, at, rest)).map(|(value, rest)| (*value, at, at + rest.len())));
        }
        found
    }
}

/// Whether a text names a price: a currency beside a number.
fn has_price(words: &Words<'_>) -> bool {
    const CODES: [&str; 12] = ["eur", "euro", "euros", "usd", "dollar", "dollars", "chf", "franken", "gbp", "pounds", "pesos", "cent"];
    let numbers = |at: usize| words.folded(at).bytes().any(|byte| byte.is_ascii_digit());
    let signs = words.text.chars().any(|c| matches!(c, '€' | '$' | '£' | '¥' | '₹' | '₽' | '₩' | '￥'));
    let numbered = (0..words.tokens.len()).any(numbers);
    (signs && numbered)
        || (0..words.tokens.len())
            .any(|at| CODES.contains(&words.folded(at)) && (numbers(at + 1) || at.checked_sub(1).is_some_and(numbers)))
}

/// Whether a text names a day in figures: 31.12.2026, 12/31/26, 2026-12-31.
fn has_date(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')')).any(|word| {
        let word = word.trim_matches(['.', ':', '!', '?']);
        let separators = word.chars().filter(|c| matches!(c, '.' | '/' | '-')).count();
        (1..=2).contains(&separators) && word.chars().filter(char::is_ascii_digit).count() + separators == word.len() && word.len() >= 4
    })
}
