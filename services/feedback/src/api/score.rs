//! Scores on the wire.

use std::time::Duration;

use rapport_core::{Failure, QuestionnaireId, Time, Violations, words::Word};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{context, report, status};
use tonic::{Request, Response, Status};

use super::{Api, convert};
use crate::{
    app::score::get_scores,
    domain::{
        refused::Refused,
        score::{Period, Score, ScoreGroup, ScoreKind, Tally, TallyRow, day_text, score},
    },
};

/// The longest period that is told by days.
const LONGEST_BY_DAY: Duration = Duration::from_secs(366 * 86_400);

pub async fn get(api: &Api, request: Request<pb::GetScoresRequest>) -> Result<Response<pb::GetScoresResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let asked = parse(&request, cx.now, &mut violations);
    let (id, period, group) = violations.finish(asked).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let tally = report(&api.database, "GetScores", &cx, async |conn| get_scores(conn, id, period, group).await).await?;
    Ok(Response::new(pb::GetScoresResponse { rows: rows(tally, group) }))
}

fn parse(request: &pb::GetScoresRequest, now: Time, violations: &mut Violations) -> Option<(QuestionnaireId, Period, Option<ScoreGroup>)> {
    let id: Option<QuestionnaireId> = violations.parse("questionnaire_id", &request.questionnaire_id);
    let group = violations.word_optional::<ScoreGroup>("group_by", request.group_by);
    let from = convert::time("from_time", request.from_time, violations);
    let to = convert::time("to_time", request.to_time, violations);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        violations.add("to_time", "must be after from_time");
    }
    if group == Some(ScoreGroup::Day) {
        match (from, to) {
            (Some(from), Some(to)) if to.since(from) > LONGEST_BY_DAY => {
                violations.add("to_time", "must be at most 366 days after from_time")
            }
            (Some(_), Some(_)) => {}
            (None, _) => violations.add("from_time", "is required with group_by DAY"),
            (_, None) => violations.add("to_time", "is required with group_by DAY"),
        }
    }
    // What happens in this very microsecond counts as well.
    let period = Period { from: from.unwrap_or(Time::EPOCH), to: to.unwrap_or(now + Duration::from_micros(1)) };
    Some((id?, period, group))
}

fn rows(mut tally: Tally, group: Option<ScoreGroup>) -> Vec<pb::ScoreRow> {
    if group.is_none() {
        tally.row(0);
    }
    tally
        .0
        .into_iter()
        .filter(|(_, row)| group.is_none() || *row != TallyRow::default())
        .map(|(key, TallyRow { invited, withheld, answered, answers })| pb::ScoreRow {
            group: match group {
                None => String::new(),
                Some(ScoreGroup::Version) => key.to_string(),
                Some(ScoreGroup::Day) => day_text(key),
            },
            invited,
            withheld,
            answered,
            scores: answers
                .into_iter()
                .filter_map(|((question, kind), histogram)| Some(to_wire(question, kind, score(kind, &histogram)?)))
                .collect(),
        })
        .collect()
}

fn to_wire(question_id: String, kind: ScoreKind, score: Score) -> pb::Score {
    let Score { value, interval, n } = score;
    let (low, high) = interval.unzip();
    pb::Score { question_id, kind: kind.number(), value, low, high, n }
}
