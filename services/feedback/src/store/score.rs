//! What scores are counted from: sums by question, answer and group, never single rows.

use diesel::{ExpressionMethods, QueryDsl, dsl::count_star};
use diesel_async::RunQueryDsl;
use rapport_core::{QuestionnaireId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::{counts, invitations, responses};
use crate::domain::{
    invitation::InvitationState,
    questionnaire::QuestionKind,
    score::{Period, ScoreGroup, Tally},
};

/// Counts in one table: how many rows of each group have their time in the period.
macro_rules! grouped {
    ($conn:expr, $query:expr, $number:expr, $day:expr => $selected:expr, $group:expr, $add:expr) => {{
        let query = $query;
        match $group {
            None => {
                let count: i64 = on!($conn, |c| query.select(count_star()).first(c).await)?;
                $add(0, count);
            }
            Some(ScoreGroup::Version) => {
                let rows: Vec<(i32, i64)> = on!($conn, |c| query.group_by($number).select(($number, count_star())).load(c).await)?;
                rows.into_iter().for_each(|(group, count)| $add(group, count));
            }
            Some(ScoreGroup::Day) => {
                let rows: Vec<(i32, i64)> = on!($conn, |c| query.group_by($day).select(($selected, count_star())).load(c).await)?;
                rows.into_iter().for_each(|(group, count)| $add(group, count));
            }
        }
    }};
}

/// Counts everything that the scores of a questionnaire need.
///
/// # Errors
/// When the database fails.
pub async fn tally(conn: &mut Conn<'_>, questionnaire: QuestionnaireId, period: Period, group: Option<ScoreGroup>) -> Result<Tally, Fault> {
    use diesel::NullableExpressionMethods;
    let Period { from, to } = period;
    let mut tally = Tally::default();
    let sent = invitations::table
        .filter(invitations::questionnaire.eq(questionnaire))
        .filter(invitations::send_time.ge(from))
        .filter(invitations::send_time.lt(to));
    grouped!(conn, sent, invitations::number, invitations::send_day => invitations::send_day.assume_not_null(), group, |group, count| tally.row(group).invited += count);
    let withheld = invitations::table
        .filter(invitations::questionnaire.eq(questionnaire))
        .filter(invitations::state.eq(InvitationState::Withheld))
        .filter(invitations::settle_time.ge(from))
        .filter(invitations::settle_time.lt(to));
    grouped!(conn, withheld, invitations::number, invitations::settle_day => invitations::settle_day.assume_not_null(), group, |group, count| tally.row(group).withheld += count);
    let answered = responses::table
        .filter(responses::questionnaire.eq(questionnaire))
        .filter(responses::collect_time.ge(from))
        .filter(responses::collect_time.lt(to));
    grouped!(conn, answered, responses::number, responses::collect_day => responses::collect_day, group, |group, count| tally.row(group).answered +=
        count);
    for (group, question, kind, value, count) in answers(conn, questionnaire, from, to, group).await? {
        tally.count(group, question, kind, value, count);
    }
    Ok(tally)
}

async fn answers(
    conn: &mut Conn<'_>,
    questionnaire: QuestionnaireId,
    from: Time,
    to: Time,
    group: Option<ScoreGroup>,
) -> Result<Vec<(i32, String, QuestionKind, i32, i64)>, Fault> {
    let counted = counts::table
        .filter(counts::questionnaire.eq(questionnaire))
        .filter(counts::collect_time.ge(from))
        .filter(counts::collect_time.lt(to));
    let of = (counts::question, counts::kind, counts::value);
    Ok(match group {
        None => {
            let rows: Vec<(String, QuestionKind, i32, i64)> =
                on!(conn, |c| counted.group_by(of).select((counts::question, counts::kind, counts::value, count_star())).load(c).await)?;
            rows.into_iter().map(|(question, kind, value, count)| (0, question, kind, value, count)).collect()
        }
        Some(ScoreGroup::Version) => on!(conn, |c| counted
            .group_by((counts::number, counts::question, counts::kind, counts::value))
            .select((counts::number, counts::question, counts::kind, counts::value, count_star()))
            .load(c)
            .await)?,
        Some(ScoreGroup::Day) => on!(conn, |c| counted
            .group_by((counts::collect_day, counts::question, counts::kind, counts::value))
            .select((counts::collect_day, counts::question, counts::kind, counts::value, count_star()))
            .load(c)
            .await)?,
    })
}
