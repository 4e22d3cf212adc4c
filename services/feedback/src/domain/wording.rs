//! The words of mail and page that are ours and not the questionnaire's, in the languages we speak.

use super::{
    answer::Misfit,
    questionnaire::{Question, QuestionKind},
};

/// Our words in one language.
#[derive(Debug, PartialEq, Eq)]
pub struct Wording {
    /// The language.
    pub language: &'static str,
    /// Of the mail: before the name.
    pub greeting: &'static str,
    /// Of the mail: the request.
    pub request: &'static str,
    /// Of the mail: the link.
    pub answer: &'static str,
    /// Of the mail: until when, before the date.
    pub until: &'static str,
    /// Of the mail: why it came, and how to be left alone.
    pub reason: &'static str,
    /// Of the page: the button that sends the answers.
    pub submit: &'static str,
    /// Of the page: the button that declines.
    pub decline: &'static str,
    /// Of the page: beside what must be answered.
    pub required: &'static str,
    /// Of the page: above what is wrong.
    pub problems: &'static str,
    /// Yes.
    pub yes: &'static str,
    /// No.
    pub no: &'static str,
    /// The ends of the NPS scale.
    pub nps: [&'static str; 2],
    /// The ends of the CSAT scale.
    pub csat: [&'static str; 2],
    /// The ends of the CES scale.
    pub ces: [&'static str; 2],
    /// After answering: title and text.
    pub thanks: [&'static str; 2],
    /// After declining: title and text.
    pub declined: [&'static str; 2],
    /// Of a link that is not good: title and text.
    pub closed: [&'static str; 2],
    /// When something is out of reach: title and text.
    pub trouble: [&'static str; 2],
    /// What is wrong: not answered.
    pub missing: &'static str,
    /// What is wrong: not a value that fits.
    pub unfit: &'static str,
    /// What is wrong: too long.
    pub too_long: &'static str,
}

const ENGLISH: Wording = Wording {
    language: "en",
    greeting: "Hello",
    request: "we would like to learn from you. Would you answer a few questions?",
    answer: "Answer the questions",
    until: "You can answer until",
    reason: "You receive this mail because you agreed to be asked for your opinion. You can decline on the page.",
    submit: "Send answers",
    decline: "I do not want to answer",
    required: "required",
    problems: "Please look at these answers again:",
    yes: "Yes",
    no: "No",
    nps: ["not at all likely", "extremely likely"],
    csat: ["very dissatisfied", "very satisfied"],
    ces: ["very difficult", "very easy"],
    thanks: ["Thank you", "Your answers have been received. They help us to do better."],
    declined: ["All right", "You will not be asked again about this. Thank you for telling us."],
    closed: ["This survey is not open", "It may have been answered already, its time may be over, or the address may be incomplete."],
    trouble: ["Something went wrong", "Your answers were not received. Please try again in a moment."],
    missing: "Please answer this question.",
    unfit: "Please choose or enter an answer that fits.",
    too_long: "Please shorten this answer to 4,000 characters.",
};

const GERMAN: Wording = Wording {
    language: "de",
    greeting: "Guten Tag",
    request: "wir möchten von Ihnen lernen. Beantworten Sie uns ein paar Fragen?",
    answer: "Fragen beantworten",
    until: "Sie können antworten bis",
    reason: "Sie erhalten diese Mail, weil Sie zugestimmt haben, nach Ihrer Meinung gefragt zu werden. Auf der Seite können Sie ablehnen.",
    submit: "Antworten senden",
    decline: "Ich möchte nicht antworten",
    required: "erforderlich",
    problems: "Bitte sehen Sie diese Antworten noch einmal an:",
    yes: "Ja",
    no: "Nein",
    nps: ["sehr unwahrscheinlich", "äußerst wahrscheinlich"],
    csat: ["sehr unzufrieden", "sehr zufrieden"],
    ces: ["sehr schwierig", "sehr einfach"],
    thanks: ["Vielen Dank", "Ihre Antworten sind angekommen. Sie helfen uns, besser zu werden."],
    declined: ["In Ordnung", "Wir fragen Sie hierzu nicht noch einmal. Danke für Ihre Rückmeldung."],
    closed: [
        "Diese Umfrage ist nicht offen",
        "Vielleicht wurde sie schon beantwortet, ihre Zeit ist abgelaufen, oder die Adresse ist unvollständig.",
    ],
    trouble: ["Etwas ist schiefgegangen", "Ihre Antworten sind nicht angekommen. Bitte versuchen Sie es gleich noch einmal."],
    missing: "Bitte beantworten Sie diese Frage.",
    unfit: "Bitte wählen oder schreiben Sie eine passende Antwort.",
    too_long: "Bitte kürzen Sie diese Antwort auf 4.000 Zeichen.",
};

const FRENCH: Wording = Wording {
    language: "fr",
    greeting: "Bonjour",
    request: "nous aimerions apprendre de vous. Répondriez-vous à quelques questions ?",
    answer: "Répondre aux questions",
    until: "Vous pouvez répondre jusqu'au",
    reason: "Vous recevez ce message parce que vous avez accepté que l'on vous demande votre avis. Vous pouvez refuser sur la page.",
    submit: "Envoyer les réponses",
    decline: "Je ne souhaite pas répondre",
    required: "obligatoire",
    problems: "Veuillez revoir ces réponses :",
    yes: "Oui",
    no: "Non",
    nps: ["pas du tout probable", "extrêmement probable"],
    csat: ["très insatisfait", "très satisfait"],
    ces: ["très difficile", "très facile"],
    thanks: ["Merci", "Vos réponses sont bien arrivées. Elles nous aident à nous améliorer."],
    declined: ["C'est noté", "Nous ne vous poserons plus ces questions. Merci de nous l'avoir dit."],
    closed: [
        "Ce questionnaire n'est pas ouvert",
        "Peut-être a-t-il déjà reçu une réponse, est-il terminé, ou l'adresse est-elle incomplète.",
    ],
    trouble: ["Un problème est survenu", "Vos réponses ne sont pas arrivées. Veuillez réessayer dans un instant."],
    missing: "Veuillez répondre à cette question.",
    unfit: "Veuillez choisir ou saisir une réponse qui convient.",
    too_long: "Veuillez limiter cette réponse à 4 000 caractères.",
};

const SPANISH: Wording = Wording {
    language: "es",
    greeting: "Hola",
    request: "queremos aprender de usted. ¿Nos responde unas preguntas?",
    answer: "Responder las preguntas",
    until: "Puede responder hasta el",
    reason: "Recibe este correo porque aceptó que le pidamos su opinión. En la página puede rechazarlo.",
    submit: "Enviar respuestas",
    decline: "No quiero responder",
    required: "obligatoria",
    problems: "Por favor, revise estas respuestas:",
    yes: "Sí",
    no: "No",
    nps: ["nada probable", "muy probable"],
    csat: ["muy insatisfecho", "muy satisfecho"],
    ces: ["muy difícil", "muy fácil"],
    thanks: ["Gracias", "Hemos recibido sus respuestas. Nos ayudan a mejorar."],
    declined: ["De acuerdo", "No volveremos a preguntarle por esto. Gracias por decírnoslo."],
    closed: ["Esta encuesta no está abierta", "Puede que ya se haya respondido, que haya terminado o que la dirección esté incompleta."],
    trouble: ["Algo ha fallado", "No hemos recibido sus respuestas. Inténtelo de nuevo en un momento."],
    missing: "Por favor, responda a esta pregunta.",
    unfit: "Por favor, elija o escriba una respuesta adecuada.",
    too_long: "Por favor, acorte esta respuesta a 4000 caracteres.",
};

const ALL: [&Wording; 4] = [&ENGLISH, &GERMAN, &FRENCH, &SPANISH];

/// Our words in the language of this tag; in English if we do not speak it.
pub fn of(language: &str) -> &'static Wording {
    spoken(language).unwrap_or(&ENGLISH)
}

/// Our words in the first of these languages that we speak; in English if we speak none.
pub fn of_first<'a>(languages: impl IntoIterator<Item = &'a str>) -> &'static Wording {
    languages.into_iter().find_map(spoken).unwrap_or(&ENGLISH)
}

fn spoken(language: &str) -> Option<&'static Wording> {
    let primary = language.split('-').next().unwrap_or("");
    ALL.into_iter().find(|wording| wording.language.eq_ignore_ascii_case(primary))
}

/// Whether a language is written from right to left.
pub fn right_to_left(language: &str) -> bool {
    matches!(language.split('-').next().unwrap_or(""), "ar" | "dv" | "fa" | "he" | "ps" | "ur" | "yi")
}

impl Wording {
    /// What the two ends of a question's scale mean.
    pub fn ends(&self, question: &Question) -> Option<[&'static str; 2]> {
        match question.kind {
            QuestionKind::Nps => Some(self.nps),
            QuestionKind::Csat => Some(self.csat),
            QuestionKind::Ces => Some(self.ces),
            _ => None,
        }
    }
    /// What is wrong with an answer.
    pub fn misfit(&self, misfit: &Misfit) -> &'static str {
        match misfit {
            Misfit::Missing => self.missing,
            Misfit::TooLong => self.too_long,
            _ => self.unfit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_speak_the_language_or_english() {
        assert_eq!(of("de-AT").language, "de");
        assert_eq!(of("tlh").language, "en");
        assert_eq!(of_first(["nl", "es", "de"]).language, "es");
        assert!(right_to_left("he-IL") && !right_to_left("en"));
    }
}
