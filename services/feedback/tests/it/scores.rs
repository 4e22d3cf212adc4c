//! Scores, as they are counted over the wire.

use std::time::Duration;

use rapport_proto::feedback::v1::{self as pb, ResponseMode, ScoreGroup, ScoreKind};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::feedback::{ADA, Feedback, number, problem};

async fn answer(feedback: &Feedback, questionnaire_id: &str, recommend: f64, effort: f64) {
    let request = pb::SubmitResponseRequest {
        questionnaire_id: questionnaire_id.to_owned(),
        customer_id: ADA.to_owned(),
        mode: ResponseMode::Interview.into(),
        answers: vec![number("recommend", recommend), number("effort", effort)],
        ..Default::default()
    };
    feedback.collection.clone().submit_response(request).await.expect("fitting");
}

both_databases! {
    async fn scores_are_counted_with_their_intervals(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let id = &survey.questionnaire_id;
        feedback.invited(id).await;
        for (recommend, effort) in [(10.0, 7.0), (9.0, 6.0), (8.0, 5.0)] {
            answer(&feedback, id, recommend, effort).await;
        }
        feedback.clock.advance(Duration::from_secs(86_400));
        answer(&feedback, id, 0.0, 4.0).await;
        let scores = async |request: pb::GetScoresRequest| {
            let request = pb::GetScoresRequest { questionnaire_id: id.clone(), ..request };
            feedback.evaluation.clone().get_scores(request).await.map(|scores| scores.into_inner().rows).map_err(problem)
        };
        let all = scores(pb::GetScoresRequest::default()).await.expect("all").remove(0);
        assert_eq!((all.invited, all.withheld, all.answered, all.scores.len()), (0, 0, 4, 2));
        let (effort, recommend) = (&all.scores[0], &all.scores[1]);
        assert_eq!((effort.kind(), effort.value, effort.n), (ScoreKind::Ces, 5.5, 4));
        assert_eq!((recommend.kind(), recommend.value, recommend.n), (ScoreKind::Nps, 25.0, 4));
        let (low, high) = (recommend.low.expect("an interval"), recommend.high.expect("an interval"));
        assert!(low < 25.0 && 25.0 < high && low >= -100.0 && high <= 100.0, "{low} {high}");

        let by_version = scores(pb::GetScoresRequest { group_by: ScoreGroup::Version.into(), ..Default::default() }).await.expect("by version");
        assert_eq!((by_version.len(), by_version[0].group.as_str(), by_version[0].answered), (1, "1", 4));
        let days = pb::GetScoresRequest {
            group_by: ScoreGroup::Day.into(),
            from_time: Some(prost_types::Timestamp { seconds: 1_772_409_600, nanos: 0 }),
            to_time: Some(prost_types::Timestamp { seconds: 1_772_409_600 + 7 * 86_400, nanos: 0 }),
            ..Default::default()
        };
        let by_day = scores(days).await.expect("by day");
        let told: Vec<(&str, i64)> = by_day.iter().map(|row| (row.group.as_str(), row.answered)).collect();
        assert_eq!(told, [("2026-03-02", 3), ("2026-03-03", 1)]);
        let wrong = scores(pb::GetScoresRequest { group_by: ScoreGroup::Day.into(), ..Default::default() }).await.expect_err("no period");
        assert_eq!((wrong.code, wrong.violations[0].field.as_str()), (Code::InvalidArgument, "from_time"));
        feedback.stop().await;
    }
}
