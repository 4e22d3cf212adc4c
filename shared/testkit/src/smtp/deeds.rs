//! What the server can be told to do, and how a local part says it.

use std::{str::FromStr, time::Duration};

/// Where in a session something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The connection was made.
    Greeting,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, or the first BDAT.
    Data,
    /// The first piece of the message has come.
    Body,
    /// The message has come whole.
    Dot,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Another code.
    Code(u16),
    /// No answer for ever.
    Stall,
    /// The connection is closed.
    Drop,
    /// The mail is kept, and the connection closed.
    Kept,
    /// The connection is reset.
    Reset,
    /// No reply at all, though some bytes.
    Garbage,
    /// The proper reply, later.
    Late(Duration),
    /// The proper reply, byte by byte.
    Tarpit(Duration),
    /// The proper reply on several lines.
    Multiline,
}

/// One misdeed.
///
/// A local part is a list of deeds and a name, joined by `+`: `rcpt.451x2+dot.late-300+ada`. A deed is `PHASE.WHAT`; `xN` at its end
/// limits it to the first N times that the phase is reached for this recipient, `fromN` to the Nth time and later.
///
/// | What | It does |
/// |---|---|
/// | `450` | answers with this code instead; after 421 it closes |
/// | `stall` | never answers, and reads no more |
/// | `drop` | closes without an answer; at the dot the mail is **not** kept |
/// | `kept` | only at the dot: the mail is in the journal, then it closes without an answer |
/// | `reset` | closes with a reset |
/// | `garbage` | answers with what is no reply |
/// | `late-300` | answers properly 300 ms later |
/// | `tarpit-20` | answers properly, a byte each 20 ms |
/// | `multiline` | answers properly on three lines |
///
/// Phases: `greeting ehlo starttls auth mail` (only by `Manners::deeds`, since the recipient is not known yet), `rcpt data body dot`.
/// `body` is reached with the first piece of the message: a message larger than the socket's buffers is needed to be still in it.
/// `greylist` is short for `rcpt.451x1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Where.
    pub phase: Phase,
    /// What.
    pub what: What,
    /// From which time on that the phase is reached; the first is 1.
    pub from: usize,
    /// How many times then.
    pub times: usize,
}

impl Deed {
    /// A deed each time.
    pub const fn always(phase: Phase, what: What) -> Self {
        Self { phase, what, from: 1, times: usize::MAX }
    }
    /// Whether it is due at this time that its phase is reached; the first is 1.
    pub(super) const fn due(self, time: usize) -> bool {
        time >= self.from && time - self.from < self.times
    }
}

/// The deeds that an address asks for; what is not understood is part of the name.
pub(super) fn asked_by(address: &str) -> Vec<Deed> {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.split('+').filter_map(|word| word.parse().ok()).collect()
}

impl FromStr for Deed {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        let word = word.to_lowercase();
        if word == "greylist" {
            return Ok(Self { times: 1, ..Self::always(Phase::Rcpt, What::Code(451)) });
        }
        let (phase, rest) = word.split_once('.').ok_or(())?;
        let number = |divider: &str| rest.rsplit_once(divider).and_then(|(what, number)| Some((what, number.parse().ok()?)));
        let (what, from, times) = match (number("from"), number("x")) {
            (Some((what, from)), _) => (what, from, usize::MAX),
            (None, Some((what, times))) => (what, 1, times),
            (None, None) => (rest, 1, usize::MAX),
        };
        let phase = match phase {
            "greeting" => Phase::Greeting,
            "ehlo" => Phase::Ehlo,
            "starttls" => Phase::Starttls,
            "auth" => Phase::Auth,
            "mail" => Phase::Mail,
            "rcpt" => Phase::Rcpt,
            "data" => Phase::Data,
            "body" => Phase::Body,
            "dot" => Phase::Dot,
            _ => return Err(()),
        };
        let millis = |text: &str| text.parse().map(Duration::from_millis).map_err(drop);
        let what = match what.split_once('-') {
            Some(("late", time)) => What::Late(millis(time)?),
            Some(("tarpit", time)) => What::Tarpit(millis(time)?),
            Some(_) => return Err(()),
            None => match what {
                "stall" => What::Stall,
                "drop" => What::Drop,
                "kept" => What::Kept,
                "reset" => What::Reset,
                "garbage" => What::Garbage,
                "multiline" => What::Multiline,
                code => What::Code(code.parse().ok().filter(|code| (200..600).contains(code)).ok_or(())?),
            },
        };
        Ok(Self { phase, what, from, times })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_part_says_what_to_do() {
        let late = Deed::always(Phase::Dot, What::Late(Duration::from_millis(300)));
        assert_eq!(
            asked_by("rcpt.451x2+dot.late-300+ada@example.test"),
            [Deed { times: 2, ..Deed::always(Phase::Rcpt, What::Code(451)) }, late]
        );
        assert_eq!(asked_by("Greylist+ada@example.test")[0].times, 1);
        let from = asked_by("dot.554from2+ada@example.test")[0];
        assert_eq!([1, 2, 3].map(|time| from.due(time)), [false, true, true]);
        assert_eq!(asked_by("ada.lovelace+dot.kept@example.test"), [Deed::always(Phase::Dot, What::Kept)]);
        assert_eq!(asked_by("dot.late-x+ada.850@example.test"), []);
    }
}
