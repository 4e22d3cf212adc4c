//! A text cut into words that compare equal however they are spelt: case, accents and invisible characters aside. Any Unicode text will do.

use unicode_segmentation::UnicodeSegmentation;

/// A word of a text: where it stands in the text, in octets, and in which sentence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub start: usize,
    pub end: usize,
    pub sentence: usize,
    folded: (usize, usize),
}

/// A text in words.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    folded: String,
}

impl<'a> Words<'a> {
    /// Cuts a text by the word boundaries of Unicode (UAX 29).
    pub fn of(text: &'a str) -> Self {
        let mut words = Self { text, tokens: Vec::with_capacity(text.len() / 5), folded: String::with_capacity(text.len()) };
        let (mut sentence, mut last) = (0, 0);
        for (start, word) in text.unicode_word_indices() {
            if text[last..start].chars().any(ends_a_sentence) {
                sentence += 1;
            }
            last = start + word.len();
            let from = words.folded.len();
            fold(word, &mut words.folded);
            let folded = (from, words.folded.len());
            words.tokens.push(Token { start, end: last, sentence, folded });
        }
        words
    }

    /// The word at this place as it is compared; empty behind the last one.
    pub fn folded(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.folded[token.folded.0..token.folded.1])
    }

    /// Whether these words stand at this place, one after the other, in one sentence.
    pub fn has_at(&self, at: usize, phrase: &[String]) -> bool {
        let Some(last) = (at + phrase.len()).checked_sub(1) else { return false };
        last < self.tokens.len()
            && self.tokens[at].sentence == self.tokens[last].sentence
            && phrase.iter().enumerate().all(|(offset, word)| self.folded(at + offset) == word)
    }

    /// The octets from one word to another, both included.
    pub fn span(&self, first: usize, last: usize) -> (usize, usize) {
        match (self.tokens.get(first), self.tokens.get(last)) {
            (Some(first), Some(last)) => (first.start, last.end),
            _ => (0, self.text.len()),
        }
    }

    /// Whether the sentence of this word is a question.
    pub fn asks(&self, at: usize) -> bool {
        let Some(Token { sentence, .. }) = self.tokens.get(at) else { return false };
        let behind = self.tokens[at..].iter().find(|token| token.sentence > *sentence).map_or(self.text.len(), |token| token.start);
        let end = self.tokens[at..].iter().take_while(|token| token.sentence == *sentence).last().map_or(0, |token| token.end);
        self.text.get(end..behind).is_some_and(|mark| mark.chars().any(asks))
    }
}

/// The words of a phrase as they are compared.
pub(super) fn phrase(text: &str) -> Vec<String> {
    let cut = |word| {
        let mut folded = String::new();
        fold(word, &mut folded);
        folded
    };
    text.unicode_words().map(cut).collect()
}

/// Whether a question ends with it.
pub(super) const fn asks(c: char) -> bool {
    matches!(c, '?' | '？' | '؟' | '\u{37e}' | '՞' | '⁇' | '‽')
}

const fn ends_a_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '。' | '！' | '｡' | '।' | '۔' | '…' | '\n' | '¡' | '¿') || asks(c)
}

fn fold(word: &str, into: &mut String) {
    if word.is_ascii() {
        into.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
        return;
    }
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            // Accents that stand by themselves, and what nobody sees.
            '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' | '\u{feff}' => {}
            '\u{2019}' | '\u{2bc}' | '\u{ff07}' => into.push('\''),
            'ß' => into.push_str("ss"),
            'æ' => into.push_str("ae"),
            'œ' => into.push_str("oe"),
            _ => into.push(unaccented(c)),
        }
    }
}

const fn unaccented(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' => 's',
        'ť' | 'ţ' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_compare_equal_however_they_are_spelt() {
        let spelt = Words::of("We’ll CALL. Für Größe, cafe\u{301} café?");
        let folded: Vec<&str> = (0..spelt.tokens.len()).map(|at| spelt.folded(at)).collect();
        assert_eq!(folded, ["we'll", "call", "fur", "grosse", "cafe", "cafe"]);
        assert_eq!(spelt.tokens.iter().map(|token| token.sentence).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 1]);
        assert!(spelt.asks(4) && !spelt.asks(0));
        assert!(spelt.has_at(2, &phrase("fur GRÖSSE")) && !spelt.has_at(1, &phrase("call für")), "a phrase stays in its sentence");
        assert!(!spelt.has_at(0, &[]) && !spelt.has_at(5, &phrase("café café")));
    }
}
