//! Invented people: the same for the same seed, with addresses of reserved domains.

use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};

const GIVEN: &[&str] = &[
    "Ada", "Amina", "Bela", "Chloé", "Dmitri", "Emeka", "Fatou", "Grace", "Hiro", "Ines", "Jonas", "Keiko", "Lena", "Malik", "Noor",
    "Olga", "Paolo", "Quyen", "Rosa", "Søren", "Tomás", "Uma", "Vera", "Wanja", "Xenia", "Yusuf", "Zoë",
];
const FAMILY: &[&str] = &[
    "Abara",
    "Bianchi",
    "Costa",
    "Duarte",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalska",
    "Lindqvist",
    "Müller",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quispe",
    "Rossi",
    "Silva",
    "Tanaka",
    "Usman",
    "Varga",
    "Weiss",
    "Yilmaz",
    "Zhang",
];
const TYPES: &[&str] = &["potential", "new", "impulsive", "discount", "loyal"];

/// One invented person.
#[derive(Clone, Debug)]
pub struct Person {
    pub given: String,
    pub family: String,
    pub email: String,
    pub phone: String,
    pub language: &'static str,
    pub customer_type: &'static str,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

/// The people of this seed. The first is the one whose journey is played: a loyal customer.
pub fn people(seed: u64, count: u32) -> Vec<Person> {
    let mut random = StdRng::seed_from_u64(seed);
    (1..=count)
        .map(|number| {
            let given = (*GIVEN.choose(&mut random).unwrap_or(&"Ada")).to_owned();
            let family = (*FAMILY.choose(&mut random).unwrap_or(&"Costa")).to_owned();
            let email = format!("{}.{}.{number}@example.com", ascii(&given), ascii(&family));
            // 01632 960000 to 960999 are kept for invented people by Ofcom, the UK's regulator.
            let phone = format!("+44 1632 960{:03}", number % 1000);
            let language = *["en", "de", "pt"].choose(&mut random).unwrap_or(&"en");
            let chosen = *TYPES.choose(&mut random).unwrap_or(&"new");
            let customer_type = if number == 1 { "loyal" } else { chosen };
            Person { given, family, email, phone, language, customer_type }
        })
        .collect()
}

/// The letters of a name that every mail server takes.
fn ascii(name: &str) -> String {
    let plain = |c: char| match c {
        'é' | 'ë' => 'e',
        'ø' => 'o',
        'á' => 'a',
        'í' => 'i',
        'ü' => 'u',
        c => c,
    };
    name.to_lowercase().chars().map(plain).filter(char::is_ascii_alphabetic).collect()
}

/// The people as a CSV file in somebody else's words, with one row that is wrong.
pub fn as_csv(people: &[Person]) -> String {
    let mut text = "\u{feff}Customer Number;First Name;Last Name;E-Mail;Phone;Language;Type\r\n".to_owned();
    for (index, person) in people.iter().enumerate() {
        let Person { given, family, email, phone, language, customer_type } = person;
        text += &format!("C-{:05};{given};{family};{email};{phone};{language};{customer_type}\r\n", index + 1);
    }
    text + "C-99999;Nobody;Reachable;not an address;12;en;new\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_people_each_time() {
        assert_eq!(as_csv(&people(7, 20)), as_csv(&people(7, 20)));
        assert_ne!(as_csv(&people(7, 20)), as_csv(&people(8, 20)));
    }

    #[test]
    fn every_address_is_one_and_nobody_shares_it() {
        let people = people(1, 500);
        let mut addresses: Vec<_> = people.iter().map(|person| person.email.clone()).collect();
        assert!(addresses.iter().all(|address| address.parse::<rapport_core::Email>().is_ok()));
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 500);
    }
}
