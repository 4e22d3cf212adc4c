//! What the DNS says of a sender, and what it should: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), and where mails come back (MX).

use rapport_core::words;

words! {
    /// What was looked at.
    pub enum SenderCheckKind {
        /// Which servers may send for the domain of the envelope.
        Spf = 1 "SPF",
        /// The public key of a signature.
        Dkim = 2 "DKIM",
        /// What receivers do with mails that neither of the two proves.
        Dmarc = 3 "DMARC",
        /// The mail server that takes what comes back.
        Mx = 4 "MX",
    }
}

words! {
    /// What came out.
    pub enum SenderCheckOutcome {
        /// It is as it should be.
        Passed = 1 "PASSED",
        /// It is there, and wrong.
        Failed = 2 "FAILED",
        /// It is not there.
        Missing = 3 "MISSING",
        /// The DNS did not answer.
        Unavailable = 4 "UNAVAILABLE",
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderCheck {
    /// What was looked at.
    pub kind: SenderCheckKind,
    /// The name that was asked for.
    pub name: String,
    /// What came out.
    pub outcome: SenderCheckOutcome,
    /// What was found, and what to do.
    pub detail: String,
}

/// What the DNS answered for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// These records; none when it knows of none.
    Records(Vec<String>),
    /// Nothing: why.
    Unavailable(String),
}

type Verdict = (SenderCheckOutcome, String);

fn check(kind: SenderCheckKind, name: String, found: &Found, judge: impl FnOnce(&[String]) -> Verdict) -> SenderCheck {
    let (outcome, detail) = match found {
        Found::Records(records) => judge(records),
        Found::Unavailable(why) => (SenderCheckOutcome::Unavailable, format!("the DNS did not answer: {why}")),
    };
    SenderCheck { kind, name, outcome, detail }
}

/// Whether the domain of the envelope says which servers may send for it.
pub fn spf(domain: &str, found: &Found) -> SenderCheck {
    check(SenderCheckKind::Spf, domain.to_owned(), found, |records| {
        let ours: Vec<&String> =
            records.iter().filter(|text| text.split(' ').next().is_some_and(|v| v.eq_ignore_ascii_case("v=spf1"))).collect();
        let [record] = ours[..] else {
            return if ours.is_empty() {
                (
                    SenderCheckOutcome::Missing,
                    format!("publish a TXT record at {domain} that names your mail server, for example \"v=spf1 mx -all\""),
                )
            } else {
                (SenderCheckOutcome::Failed, format!("there are {} SPF records: receivers take none of them, leave one", ours.len()))
            };
        };
        let terms: Vec<String> = record.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        let all = terms.iter().find(|term| matches!(term.as_str(), "all" | "+all" | "-all" | "~all" | "?all")).map(String::as_str);
        match all {
            Some("-all" | "~all") => {
                (SenderCheckOutcome::Passed, format!("{record:?}; see that it names the mail server that sends for you"))
            }
            Some("?all") => (SenderCheckOutcome::Failed, format!("{record:?} ends in ?all, which says nothing: end it in -all")),
            Some(_) => (SenderCheckOutcome::Failed, format!("{record:?} lets everybody send for {domain}: end it in -all")),
            None if terms.iter().any(|term| term.starts_with("redirect=")) => {
                (SenderCheckOutcome::Passed, format!("{record:?}; see that it leads to your mail server"))
            }
            None => (SenderCheckOutcome::Failed, format!("{record:?} says nothing of other servers: end it in -all")),
        }
    })
}

/// Where the public key of a signature is.
pub fn dkim_name(domain: &str, selector: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// Whether the public key in the DNS is that of our private one, whose record this is.
pub fn dkim(domain: &str, selector: &str, record: &str, found: &Found) -> SenderCheck {
    let name = dkim_name(domain, selector);
    let publish = format!("publish this TXT record at {name}: {record}");
    check(SenderCheckKind::Dkim, name, found, |records| {
        let keys: Vec<&String> = records.iter().filter(|text| tag(text, "p").is_some()).collect();
        match keys[..] {
            [] => (SenderCheckOutcome::Missing, publish),
            [key] => match unfit(key, record) {
                None => (SenderCheckOutcome::Passed, "the public key belongs to ours".to_owned()),
                Some(why) => (SenderCheckOutcome::Failed, format!("{why}; {publish}")),
            },
            _ => {
                (SenderCheckOutcome::Failed, format!("there are {} keys: receivers may take any of them, leave one; {publish}", keys.len()))
            }
        }
    })
}

/// Why receivers cannot check our signatures by this record (RFC 6376, section 3.6.1); none when they can.
fn unfit(found: &str, ours: &str) -> Option<&'static str> {
    let key = |record: &str| tag(record, "p").unwrap_or_default();
    // A record that does not say what kind of key it holds holds one of RSA.
    let kind = |record: &str| tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
    if key(found).is_empty() {
        Some("the key is revoked")
    } else if key(found) != key(ours) {
        Some("the public key belongs to another private key")
    } else if kind(found) != kind(ours) {
        Some("the record has our key under another kind (k=; without it, rsa)")
    } else if tag(found, "h").is_some_and(|hashes| hashes.split(':').all(|hash| hash != "sha256")) {
        Some("the record does not allow sha256 (h=), which signs our mails")
    } else {
        None
    }
}

/// For a domain that nothing is signed for.
pub fn unsigned(domain: &str) -> SenderCheck {
    let detail = format!("no key signs mails of {domain}: set one as [newsletter.dkim.NAME]");
    SenderCheck { kind: SenderCheckKind::Dkim, name: domain.to_owned(), outcome: SenderCheckOutcome::Missing, detail }
}

/// The names at which a DMARC policy of a domain may be, the nearest first: those above it count too, but no top level domain's.
pub fn dmarc_names(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    (0..labels.len().saturating_sub(1)).map(|from| format!("_dmarc.{}", labels[from..].join("."))).collect()
}

/// Whether a DMARC policy is there and our mails meet it: they do by their signature, or when the envelope's domain belongs to that of From.
pub fn dmarc(from_domain: &str, bounce_domain: &str, signed: bool, name: &str, found: &Found) -> SenderCheck {
    check(SenderCheckKind::Dmarc, name.to_owned(), found, |records| {
        let policies: Vec<&String> =
            records.iter().filter(|text| tag(text, "v").is_some_and(|v| v.eq_ignore_ascii_case("DMARC1"))).collect();
        let [record] = policies[..] else {
            return if policies.is_empty() {
                let example = format!("publish a TXT record at _dmarc.{from_domain}, for example \"v=DMARC1; p=quarantine\"");
                (SenderCheckOutcome::Missing, format!("{example}; large providers ask for one"))
            } else {
                (SenderCheckOutcome::Failed, format!("there are {} policies: receivers take none of them, leave one", policies.len()))
            };
        };
        let home = name.trim_start_matches("_dmarc.");
        let below = |one: &str, other: &str| one == other || one.ends_with(&format!(".{other}"));
        let by_envelope = if tag(record, "aspf").is_some_and(|mode| mode.eq_ignore_ascii_case("s")) {
            from_domain == bounce_domain
        } else {
            below(from_domain, bounce_domain) || below(bounce_domain, home)
        };
        let aligned = signed || by_envelope;
        // For the domains below its own a policy may be another one (RFC 7489, section 6.3).
        let asked = tag(record, "sp").filter(|_| home != from_domain).or_else(|| tag(record, "p"));
        match asked.unwrap_or_default().to_ascii_lowercase().as_str() {
            "none" => (
                SenderCheckOutcome::Passed,
                format!("{record:?}; p=none asks receivers for nothing, go on to p=quarantine when reports are fine"),
            ),
            "quarantine" | "reject" if aligned => (SenderCheckOutcome::Passed, format!("{record:?}")),
            "quarantine" | "reject" => {
                let why = format!("mails are not signed for {from_domain} and their envelope is of {bounce_domain}");
                (
                    SenderCheckOutcome::Failed,
                    format!("{record:?}, but {why}: receivers would turn them away; sign them with [newsletter.dkim.NAME]"),
                )
            }
            _ => (SenderCheckOutcome::Failed, format!("{record:?} has no policy: add p=quarantine or p=reject")),
        }
    })
}

/// Whether mails to a domain reach a mail server. The records are the names of its mail servers.
pub fn mx(domain: &str, found: &Found) -> SenderCheck {
    check(SenderCheckKind::Mx, domain.to_owned(), found, |servers| match servers {
        [] => (
            SenderCheckOutcome::Missing,
            format!("publish an MX record at {domain}: what comes back, replies and failure notices, goes there"),
        ),
        [none] if none == "." => {
            (SenderCheckOutcome::Failed, format!("{domain} says that it takes no mail (RFC 7505): what comes back is lost"))
        }
        servers => (SenderCheckOutcome::Passed, servers.join(", ")),
    })
}

/// The value of a tag in a list of `name=value;` (RFC 6376, section 3.2), without white space.
fn tag(record: &str, name: &str) -> Option<String> {
    record.split(';').find_map(|part| {
        let (found, value) = part.split_once('=')?;
        (found.trim() == name).then(|| value.chars().filter(|letter| !letter.is_whitespace()).collect())
    })
}

#[cfg(test)]
mod tests {
    use SenderCheckOutcome::{Failed, Missing, Passed, Unavailable};

    use super::*;

    fn records(texts: &[&str]) -> Found {
        Found::Records(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn spf_says_who_may_send_and_who_may_not() {
        for (texts, outcome) in [
            (&["v=spf1 mx -all"][..], Passed),
            (&["google-site-verification=x", "V=SPF1 include:x.test ~ALL"], Passed),
            (&["v=spf1 redirect=_spf.x.test"], Passed),
            (&["v=spf1 mx"], Failed),
            (&["v=spf1 mx ?all"], Failed),
            (&["v=spf1 +all"], Failed),
            (&["v=spf1 mx all"], Failed),
            (&["v=spf1 -all", "v=spf1 mx -all"], Failed),
            (&["v=spf10 -all"], Missing),
            (&[], Missing),
        ] {
            assert_eq!(spf("x.test", &records(texts)).outcome, outcome, "{texts:?}");
        }
        assert_eq!(spf("x.test", &Found::Unavailable("no servers".into())).outcome, Unavailable);
    }

    #[test]
    fn the_key_in_the_dns_is_ours_or_what_to_publish_is_told() {
        let ours = "v=DKIM1; k=rsa; p=AbC+/=";
        for (texts, outcome) in [
            (&["v=DKIM1; k=rsa; p=AbC +/ ="][..], Passed),
            (&["p=AbC+/="], Passed),
            (&["v=DKIM1; h=sha1:sha256; p=AbC+/="], Passed),
            (&["v=DKIM1; h=sha1; p=AbC+/="], Failed),
            (&["v=DKIM1; k=ed25519; p=AbC+/="], Failed),
            (&["v=DKIM1; p="], Failed),
            (&["v=DKIM1; p=xyz"], Failed),
            (&["p=AbC+/=", "p=xyz"], Failed),
            (&[], Missing),
        ] {
            let check = dkim("x.test", "news", ours, &records(texts));
            assert_eq!((check.outcome, check.name.as_str()), (outcome, "news._domainkey.x.test"), "{texts:?}");
            assert!(outcome == Passed || check.detail.contains(ours), "{check:?}");
        }
        // Without its kind an Ed25519 key is read as one of RSA.
        assert_eq!(dkim("x.test", "news", "v=DKIM1; k=ed25519; p=AbC", &records(&["v=DKIM1; p=AbC"])).outcome, Failed);
    }

    #[test]
    fn a_policy_is_met_by_a_signature_or_the_envelope() {
        let strict = records(&["v=DMARC1; p=reject; rua=mailto:x@x.test"]);
        for (bounce, signed, outcome) in [
            ("x.test", false, Passed),
            ("bounce.x.test", false, Passed),
            ("other.test", true, Passed),
            ("other.test", false, Failed),
            ("ax.test", false, Failed),
        ] {
            assert_eq!(dmarc("x.test", bounce, signed, "_dmarc.x.test", &strict).outcome, outcome, "{bounce} {signed}");
        }
        for (texts, outcome) in [
            (&["v=DMARC1; p=none"][..], Passed),
            (&["v=DMARC1"], Failed),
            (&["v=DMARC1; p=none", "v=DMARC1; p=reject"], Failed),
            (&["x"], Missing),
        ] {
            assert_eq!(dmarc("x.test", "other.test", false, "_dmarc.x.test", &records(texts)).outcome, outcome, "{texts:?}");
        }
        for (text, from, bounce, outcome) in [
            // The policy of the domain above counts for those below it, where it has none of their own.
            ("v=DMARC1; p=none; sp=reject", "news.x.test", "other.test", Failed),
            ("v=DMARC1; p=reject; sp=none", "news.x.test", "other.test", Passed),
            ("v=DMARC1; p=none; sp=reject", "x.test", "other.test", Passed),
            ("v=DMARC1; p=reject", "news.x.test", "bounce.x.test", Passed),
            ("v=DMARC1; p=reject; aspf=s", "x.test", "bounce.x.test", Failed),
            ("v=DMARC1; p=reject; aspf=s", "x.test", "x.test", Passed),
        ] {
            assert_eq!(dmarc(from, bounce, false, "_dmarc.x.test", &records(&[text])).outcome, outcome, "{text} {from} {bounce}");
        }
        assert_eq!(dmarc_names("news.shop.x.test"), ["_dmarc.news.shop.x.test", "_dmarc.shop.x.test", "_dmarc.x.test"]);
    }

    #[test]
    fn what_comes_back_needs_a_mail_server() {
        for (texts, outcome) in [(&["mx1.x.test", "mx2.x.test"][..], Passed), (&["."], Failed), (&[], Missing)] {
            assert_eq!(mx("x.test", &records(texts)).outcome, outcome, "{texts:?}");
        }
    }
}
