//! What a row tells, as an interaction that is over.

use prost_types::Timestamp;
use rapport_proto::{
    common::v1 as common,
    interaction::v1::{self as pb, customer_contact::Point, next_step::Step},
};

use super::rows::Cells;

/// The names of all that a row can tell.
pub const FIELDS: &[&str] = &[
    "customer_id",
    "email",
    "phone",
    "name",
    "subject",
    "function",
    "purpose",
    "phase",
    "kind",
    "setting",
    "channel",
    "direction",
    "objective",
    "customer_goal",
    "customer_expectation",
    "source",
    "journey_id",
    "start_time",
    "end_time",
    "queue",
    "priority",
    "tags",
    "incident",
    "customer_said",
    "we_said",
    "machine_said",
    "stages",
    "outcome",
    "summary",
    "customer_action",
    "think_over",
    "no_step",
    "expectation",
    "re_engagement",
    "lesson",
    "root_cause",
    "said_nothing",
    "point_of_contact",
    "service_delivery",
    "demand",
    "product_range",
    "location",
    "supplier",
    "until",
];

/// The interaction that a row tells of; what is missing is told by the service.
pub fn interaction(cells: &Cells) -> Result<pb::ImportInteractionsRequest, String> {
    let mut row = Telling { cells, problems: Vec::new() };
    let told = pb::ImportInteractionsRequest {
        customer_contact: row.contact(),
        entries: row.entries(),
        stages: row
            .list("stages")
            .iter()
            .map(|stage| row.number("stages", "STAGE", stage, |name| common::Stage::from_str_name(name).map(Into::into)))
            .collect(),
        conclusion: Some(row.conclusion()),
        interaction: Some(row.interaction()),
        ..Default::default()
    };
    if row.problems.is_empty() { Ok(told) } else { Err(row.problems.join("; ")) }
}

struct Telling<'a> {
    cells: &'a Cells,
    problems: Vec<String>,
}

/// The number of the word in a cell; none is 0, which the service refuses where a word is required.
macro_rules! word {
    ($row:expr, $field:literal, $kind:ty, $prefix:literal) => {{
        let cell = $row.text($field);
        if cell.is_empty() { 0 } else { $row.number($field, $prefix, &cell, |name| <$kind>::from_str_name(name).map(Into::into)) }
    }};
}

impl Telling<'_> {
    fn text(&self, field: &str) -> String {
        self.cells.get(field).cloned().unwrap_or_default()
    }

    fn list(&self, field: &str) -> Vec<String> {
        self.text(field).split('|').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn number(&mut self, field: &str, prefix: &str, cell: &str, find: impl Fn(&str) -> Option<i32>) -> i32 {
        let name = format!("{prefix}_{}", cell.trim().to_uppercase().replace([' ', '-'], "_"));
        find(&name).unwrap_or_else(|| {
            self.problems.push(format!("{field}: {cell:?} is not known"));
            0
        })
    }

    fn time(&mut self, field: &str) -> Option<Timestamp> {
        let cell = self.text(field);
        if cell.is_empty() {
            return None;
        }
        let time = cell.parse().ok();
        if time.is_none() {
            self.problems.push(format!("{field}: {cell:?} is no time; write it as 2026-11-22T18:30:00Z"));
        }
        time
    }

    fn yes(&mut self, field: &str) -> bool {
        match self.text(field).to_lowercase().as_str() {
            "" | "false" | "no" | "0" => false,
            "true" | "yes" | "1" => true,
            other => {
                self.problems.push(format!("{field}: {other:?} must be yes or no"));
                false
            }
        }
    }

    fn contact(&self) -> Option<pb::CustomerContact> {
        let (email, phone) = (self.text("email"), self.text("phone"));
        let point = if !email.is_empty() {
            Point::Email(email)
        } else if !phone.is_empty() {
            Point::Phone(phone)
        } else {
            return None;
        };
        Some(pb::CustomerContact { point: Some(point), display_name: self.text("name") })
    }

    fn entries(&mut self) -> Vec<pb::Entry> {
        use common::{
            Direction::{Inbound, Outbound},
            Responder::{Automated, Human},
        };
        let said = [("customer_said", Human, Inbound), ("machine_said", Automated, Outbound), ("we_said", Human, Outbound)];
        let occur_time = self.time("start_time");
        let entry = |(field, responder, direction): (&str, common::Responder, common::Direction)| {
            let body = self.text(field);
            let kind = pb::EntryKind::Message;
            let entry =
                pb::Entry { kind: kind.into(), responder: responder.into(), direction: direction.into(), occur_time, ..Default::default() };
            (!body.is_empty()).then_some(pb::Entry { body, ..entry })
        };
        said.into_iter().filter_map(entry).collect()
    }

    fn interaction(&mut self) -> pb::Interaction {
        let priority = self.text("priority");
        let priority = if priority.is_empty() { Ok(0) } else { priority.parse() };
        if priority.is_err() {
            self.problems.push("priority: must be a number from 0 to 100".to_owned());
        }
        pb::Interaction {
            customer_id: self.text("customer_id"),
            subject: self.text("subject"),
            function: word!(self, "function", common::BusinessFunction, "BUSINESS_FUNCTION"),
            purpose: word!(self, "purpose", pb::Purpose, "PURPOSE"),
            phase: word!(self, "phase", common::Phase, "PHASE"),
            kind: word!(self, "kind", common::InteractionKind, "INTERACTION_KIND"),
            setting: word!(self, "setting", common::Setting, "SETTING"),
            channel: word!(self, "channel", common::Channel, "CHANNEL"),
            direction: word!(self, "direction", common::Direction, "DIRECTION"),
            objective: word!(self, "objective", pb::Objective, "OBJECTIVE"),
            customer_goal: self.text("customer_goal"),
            customer_expectation: self.text("customer_expectation"),
            informal_offer: self.offer(),
            source: self.text("source"),
            journey_id: self.text("journey_id"),
            start_time: self.time("start_time"),
            end_time: self.time("end_time"),
            queue: self.text("queue"),
            priority: priority.unwrap_or_default(),
            tags: self.list("tags"),
            incident: self.text("incident"),
            feedback_solicited: self.yes("said_nothing"),
            ..Default::default()
        }
    }

    fn offer(&mut self) -> Option<pb::InformalOffer> {
        const MARKS: [&str; 6] = ["point_of_contact", "service_delivery", "demand", "product_range", "location", "supplier"];
        if MARKS.iter().all(|mark| self.text(mark).is_empty()) {
            return None;
        }
        Some(pb::InformalOffer {
            point_of_contact: self.text("point_of_contact"),
            service_delivery: self.text("service_delivery"),
            demand: word!(self, "demand", pb::Demand, "DEMAND"),
            product_range: self.list("product_range"),
            location: self.text("location"),
            supplier: self.text("supplier"),
            until: self.time("until"),
        })
    }

    fn conclusion(&mut self) -> pb::Conclusion {
        pb::Conclusion {
            outcome: word!(self, "outcome", pb::Outcome, "OUTCOME"),
            summary: self.text("summary"),
            next_step: self.next_step(),
            expectation: word!(self, "expectation", pb::Expectation, "EXPECTATION"),
            re_engagement: word!(self, "re_engagement", pb::ReEngagement, "RE_ENGAGEMENT"),
            lesson: self.text("lesson"),
            root_cause: self.text("root_cause"),
            said_nothing: self.yes("said_nothing"),
            ..Default::default()
        }
    }

    fn next_step(&mut self) -> Option<pb::NextStep> {
        let (action, thought, none) = (self.text("customer_action"), self.text("think_over"), self.text("no_step"));
        if [&action, &thought, &none].into_iter().filter(|cell| !cell.is_empty()).count() > 1 {
            self.problems.push("customer_action, think_over and no_step: only one of them can be the next step".to_owned());
        }
        let step = if !action.is_empty() {
            Step::CustomerAction(pb::CustomerAction { text: action, due_time: None })
        } else if !thought.is_empty() {
            Step::ThinkOver(thought)
        } else if !none.is_empty() {
            Step::None(pb::NoStep { reason: word!(self, "no_step", pb::NoStepReason, "NO_STEP_REASON") })
        } else {
            return None;
        };
        Some(pb::NextStep { step: Some(step) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_street_is_an_interaction_with_the_four_marks() {
        let cells = Cells::from([
            ("channel", "street".to_owned()),
            ("purpose", "sale".to_owned()),
            ("point_of_contact", "the cart".to_owned()),
            ("demand", "created by seller".to_owned()),
            ("product_range", "umbrellas | scarves".to_owned()),
            ("customer_said", "A red one.".to_owned()),
            ("think_over", "the blue one".to_owned()),
            ("start_time", "2026-11-22T10:00:00Z".to_owned()),
        ]);
        let told = interaction(&cells).expect("an interaction");
        let of = told.interaction.expect("told");
        assert_eq!((of.channel(), of.purpose()), (common::Channel::Street, pb::Purpose::Sale));
        let offer = of.informal_offer.expect("told");
        assert_eq!((offer.demand(), offer.product_range.len()), (pb::Demand::CreatedBySeller, 2));
        assert_eq!((told.entries.len(), told.entries[0].direction()), (1, common::Direction::Inbound));
    }

    #[test]
    fn every_problem_of_a_row_is_told_at_once() {
        let wrong = ["purpose", "start_time", "priority"].map(|field| (field, "nonsense".to_owned()));
        let told = interaction(&Cells::from(wrong)).expect_err("wrong");
        assert!(["purpose", "start_time", "priority"].iter().all(|field| told.contains(field)), "{told}");
    }
}
