//! What the end of an attempt means: the table of phases and replies.

use rapport_core::words;
use serde::{Deserialize, Serialize};

words! {
    /// How far an attempt came.
    pub enum SmtpPhase {
        /// Connecting, greeting, TLS, login.
        Connect = 1 "CONNECT",
        /// The sender was named.
        Mail = 2 "MAIL",
        /// The recipient was named.
        Rcpt = 3 "RCPT",
        /// The message was being written, its final dot not.
        Data = 4 "DATA",
        /// The final dot was written.
        Dot = 5 "DOT",
    }
}

words! {
    /// What an attempt means for the recipient.
    pub enum Verdict {
        /// The mail server took the message.
        Accepted = 1 "ACCEPTED",
        /// It refused it for good.
        Rejected = 2 "REJECTED",
        /// Certainly not taken; worth another try.
        Deferred = 3 "DEFERRED",
        /// It may have been taken.
        Unknown = 4 "UNKNOWN",
        /// The mail could not be made.
        Failed = 5 "FAILED",
    }
}

words! {
    /// What kind of failure an attempt ended with: where to look.
    pub enum ErrorClass {
        /// The address does not exist.
        NoSuchAddress = 1 "NO_SUCH_ADDRESS",
        /// The mailbox is full, or takes no mail.
        Mailbox = 2 "MAILBOX",
        /// Too fast, or too many at a time.
        Throttled = 3 "THROTTLED",
        /// A policy of the recipient's side, or the content.
        Policy = 4 "POLICY",
        /// There was no connection, or it broke.
        Connection = 5 "CONNECTION",
        /// After the final dot nothing that is an answer came.
        Unanswered = 6 "UNANSWERED",
        /// Refused for now for another reason.
        Temporary = 7 "TEMPORARY",
        /// Refused for good for another reason.
        Permanent = 8 "PERMANENT",
        /// The mail could not be made.
        Content = 9 "CONTENT",
    }
}

/// A reply of a mail server, or what happened instead of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The code; 0 when there was no reply.
    pub code: i32,
    /// The enhanced status code, if it gave one.
    pub enhanced: String,
    /// Its text, or what went wrong.
    pub text: String,
}

impl Reply {
    /// What happened instead of a reply.
    pub fn without(text: impl Into<String>) -> Self {
        Self { text: cut(&text.into()), ..Self::default() }
    }

    /// A reply read from a mail server.
    pub fn new(code: u16, text: &str) -> Self {
        let enhanced = text.split([' ', '\n']).next().filter(|word| is_enhanced(word)).unwrap_or_default().to_owned();
        Self { code: i32::from(code), enhanced, text: cut(text) }
    }

    /// What this reply to the command of this phase means. The reply to the final dot is the only one that accepts.
    pub fn verdict(&self, phase: SmtpPhase) -> Verdict {
        match (self.code, phase) {
            // A wrong password or a closed door is no fault of the recipient's.
            (_, SmtpPhase::Connect) => Verdict::Deferred,
            (400..=499, _) => Verdict::Deferred,
            (500..=599, _) => Verdict::Rejected,
            (200..=299, SmtpPhase::Dot) => Verdict::Accepted,
            (_, SmtpPhase::Dot) => Verdict::Unknown,
            // Nonsense before the dot: certainly not taken.
            _ => Verdict::Deferred,
        }
    }

    /// Whether it says that the address does not exist (RFC 3463: 5.1.x), which is the recipient's state and not our fault.
    pub fn hard_bounce(&self) -> bool {
        (500..=599).contains(&self.code) && ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"].contains(&self.enhanced.as_str())
    }
}

/// What the end of an attempt tells of how many letters its site wants at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Courtesy {
    /// It took the letter: it may get more.
    Welcome,
    /// It asked for less, or did not answer.
    Less,
    /// Nothing.
    Neither,
}

/// What an attempt that ended so tells of its site.
pub fn courtesy(phase: SmtpPhase, verdict: Verdict, reply: &Reply) -> Courtesy {
    match (verdict, reply.code) {
        (Verdict::Accepted, _) => Courtesy::Welcome,
        // Connecting and logging in is between us and the mail server that relays.
        (Verdict::Deferred | Verdict::Unknown, 0) if phase != SmtpPhase::Connect => Courtesy::Less,
        // Too many at a time (RFC 5321, 4.2.3), or a policy of the moment (RFC 3463: 4.7.x).
        (_, 421) => Courtesy::Less,
        (_, 450..=452) if reply.enhanced.starts_with("4.7.") => Courtesy::Less,
        _ => Courtesy::Neither,
    }
}

/// What kind of failure an attempt ended with; none when the letter was taken. Subjects and details of status codes: RFC 3463.
pub fn error_class(phase: SmtpPhase, verdict: Verdict, reply: &Reply) -> Option<ErrorClass> {
    let subject = reply.enhanced.split('.').nth(1).unwrap_or_default();
    Some(match (verdict, reply.code) {
        (Verdict::Accepted, _) => return None,
        (Verdict::Failed, _) => ErrorClass::Content,
        (Verdict::Unknown, _) => ErrorClass::Unanswered,
        (_, 0) => ErrorClass::Connection,
        _ if phase == SmtpPhase::Connect => ErrorClass::Connection,
        _ if reply.hard_bounce() => ErrorClass::NoSuchAddress,
        _ if courtesy(phase, verdict, reply) == Courtesy::Less => ErrorClass::Throttled,
        _ if subject == "2" => ErrorClass::Mailbox,
        _ if subject == "6" || subject == "7" => ErrorClass::Policy,
        (_, 500..=599) => ErrorClass::Permanent,
        _ => ErrorClass::Temporary,
    })
}

/// What it means that the connection broke in this phase.
pub const fn broken(phase: SmtpPhase) -> Verdict {
    match phase {
        SmtpPhase::Connect | SmtpPhase::Mail | SmtpPhase::Rcpt | SmtpPhase::Data => Verdict::Deferred,
        SmtpPhase::Dot => Verdict::Unknown,
    }
}

fn is_enhanced(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|class| ["2", "4", "5"].contains(&class));
    let rest: Vec<&str> = parts.collect();
    class && rest.len() == 2 && rest.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_decides_what_a_broken_connection_means() {
        assert_eq!(broken(SmtpPhase::Data), Verdict::Deferred);
        assert_eq!(broken(SmtpPhase::Dot), Verdict::Unknown);
    }

    #[test]
    fn only_the_reply_to_the_dot_accepts_and_nonsense_after_it_is_unknown() {
        assert_eq!(Reply::new(250, "2.0.0 ok").verdict(SmtpPhase::Dot), Verdict::Accepted);
        assert_eq!(Reply::new(250, "ok").verdict(SmtpPhase::Rcpt), Verdict::Deferred);
        assert_eq!(Reply::new(354, "go on").verdict(SmtpPhase::Dot), Verdict::Unknown);
        assert_eq!(Reply::new(451, "4.7.1 later").verdict(SmtpPhase::Dot), Verdict::Deferred);
        assert_eq!(Reply::new(550, "5.1.1 nobody").verdict(SmtpPhase::Rcpt), Verdict::Rejected);
        assert_eq!(Reply::new(535, "5.7.8 wrong password").verdict(SmtpPhase::Connect), Verdict::Deferred);
    }

    #[test]
    fn a_site_is_asked_less_of_when_it_says_so_or_says_nothing() {
        let of = |phase, code, text| {
            let reply = Reply::new(code, text);
            courtesy(phase, reply.verdict(phase), &reply)
        };
        assert_eq!(of(SmtpPhase::Dot, 250, "2.0.0 ok"), Courtesy::Welcome);
        assert_eq!(of(SmtpPhase::Mail, 421, "4.3.2 too busy"), Courtesy::Less);
        assert_eq!(of(SmtpPhase::Rcpt, 451, "4.7.1 slow down"), Courtesy::Less);
        assert_eq!(of(SmtpPhase::Rcpt, 452, "4.2.2 mailbox full"), Courtesy::Neither);
        assert_eq!(of(SmtpPhase::Rcpt, 550, "5.1.1 nobody"), Courtesy::Neither);
        let silent = |phase| courtesy(phase, broken(phase), &Reply::without("no reply in time"));
        assert_eq!((silent(SmtpPhase::Dot), silent(SmtpPhase::Connect)), (Courtesy::Less, Courtesy::Neither));
    }

    #[test]
    fn each_failure_has_a_class_that_says_where_to_look() {
        use SmtpPhase::{Connect, Data, Dot, Rcpt};
        let of = |phase, code, text| {
            let reply = Reply::new(code, text);
            error_class(phase, reply.verdict(phase), &reply)
        };
        let table = [
            (Dot, 250, "2.0.0 ok", None),
            (Rcpt, 550, "5.1.1 nobody", Some(ErrorClass::NoSuchAddress)),
            (Rcpt, 452, "4.2.2 full", Some(ErrorClass::Mailbox)),
            (Rcpt, 552, "5.2.2 full", Some(ErrorClass::Mailbox)),
            (Rcpt, 421, "too many", Some(ErrorClass::Throttled)),
            (Dot, 451, "4.7.1 later", Some(ErrorClass::Throttled)),
            (Dot, 554, "5.7.1 spam", Some(ErrorClass::Policy)),
            (Dot, 554, "5.6.0 content", Some(ErrorClass::Policy)),
            (Connect, 535, "5.7.8 wrong password", Some(ErrorClass::Connection)),
            (Dot, 354, "nonsense", Some(ErrorClass::Unanswered)),
            (Data, 451, "4.3.0 disk", Some(ErrorClass::Temporary)),
            (Data, 552, "too large", Some(ErrorClass::Permanent)),
        ];
        for (phase, code, text, class) in table {
            assert_eq!(of(phase, code, text), class, "{code} {text}");
        }
        let silent = |phase| error_class(phase, broken(phase), &Reply::without("no reply in time"));
        assert_eq!((silent(Data), silent(Dot)), (Some(ErrorClass::Connection), Some(ErrorClass::Unanswered)));
        assert_eq!(error_class(Connect, Verdict::Failed, &Reply::without("no name")), Some(ErrorClass::Content));
    }

    #[test]
    fn only_an_address_that_does_not_exist_is_a_hard_bounce() {
        assert!(Reply::new(550, "5.1.1 no such user").hard_bounce());
        assert!(!Reply::new(550, "5.7.1 spam").hard_bounce());
        assert!(!Reply::new(550, "no such user").hard_bounce());
        assert_eq!(Reply::new(550, "5.1.1000 x").enhanced, "");
    }
}
