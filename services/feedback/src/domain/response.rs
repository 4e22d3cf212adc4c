//! Responses: questionnaires that were answered.

use rapport_core::{CustomerId, InteractionId, InvitationId, JourneyId, Language, QuestionnaireId, ResponseId, Time, words};
use serde::{Deserialize, Serialize};

use super::{
    answer::{self, Answer},
    questionnaire::{QuestionKind, Questionnaire},
};

words! {
    /// How the answers were taken.
    pub enum ResponseMode {
        /// The customer filled in the form.
        SelfService = 1 "SELF_SERVICE",
        /// Asked word for word.
        Interview = 2 "INTERVIEW",
        /// Learnt in a talk.
        Conversation = 3 "CONVERSATION",
        /// Taken over from paper.
        Paper = 4 "PAPER",
    }
}

/// One questionnaire, answered by one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Its id.
    pub id: ResponseId,
    /// The questionnaire.
    pub questionnaire: QuestionnaireId,
    /// The version that was answered.
    pub number: i32,
    /// The invitation that was followed.
    pub invitation: Option<InvitationId>,
    /// The customer.
    pub customer: CustomerId,
    /// The interaction that it is about.
    pub interaction: Option<InteractionId>,
    /// How the answers were taken.
    pub mode: ResponseMode,
    /// Who wrote it down.
    pub recorded_by: String,
    /// The language.
    pub language: Language,
    /// The answers, in the order of the questions.
    pub answers: Vec<Answer>,
    /// The answer to the first NPS question.
    pub nps: Option<i32>,
    /// The answer to the first CSAT question.
    pub csat: Option<i32>,
    /// The answer to the first CES question.
    pub ces: Option<i32>,
    /// When the customer answered.
    pub collect_time: Time,
    /// When it was written down.
    pub create_time: Time,
    /// The journey.
    pub journey: Option<JourneyId>,
}

/// One answer that counts for a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The name of the question.
    pub question: String,
    /// NPS, CSAT or CES.
    pub kind: QuestionKind,
    /// The answer.
    pub value: i32,
}

impl Response {
    /// Sets what is computed from the answers, and tells which of them count for scores.
    pub fn evaluate(mut self, questionnaire: &Questionnaire) -> (Self, Vec<Count>) {
        let questions = &questionnaire.content.questions;
        self.nps = answer::first_of(QuestionKind::Nps, questions, &self.answers);
        self.csat = answer::first_of(QuestionKind::Csat, questions, &self.answers);
        self.ces = answer::first_of(QuestionKind::Ces, questions, &self.answers);
        let counts = questions
            .iter()
            .filter(|question| matches!(question.kind, QuestionKind::Nps | QuestionKind::Csat | QuestionKind::Ces))
            .filter_map(|question| {
                let value = answer::answer_to(&question.key, &self.answers)?.whole()?;
                Some(Count { question: question.key.to_string(), kind: question.kind, value })
            })
            .collect();
        (self, counts)
    }
}
