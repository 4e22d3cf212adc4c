//! Training records on the wire.

use rapport_core::{AgentId, PageRequest, Time, TrainingRecordId, Violations, words::Word};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, manual::slug, read, write::timestamp};
use crate::{
    app::training::{list_training_records, record_training},
    domain::{TrainingDraft, TrainingRecord},
};

fn draft(request: &pb::RecordTrainingRequest, now: Time) -> Result<TrainingDraft, Violations> {
    let mut violations = Violations::new();
    let agent = violations.parse("agent_id", &request.agent_id);
    let Some(record) = read::required(&mut violations, "training_record", request.training_record.as_ref()) else {
        return Err(violations);
    };
    let course = slug(&mut violations, "training_record.course_id", &record.course_id);
    let manual = violations.parse_optional("training_record.manual_version_id", &record.manual_version_id);
    if !(0..=100).contains(&record.score) {
        violations.add("training_record.score", "must be from 0 to 100");
    }
    let examiner = read::text_or_none(&mut violations, "training_record.examiner", &record.examiner, 200);
    let take_time = read::past_time(&mut violations, "training_record.take_time", record.take_time.as_ref(), now);
    let score = record.score;
    violations.finish(agent.zip(course).map(|(agent, course)| TrainingDraft { agent, course, manual, score, examiner, take_time }))
}

/// A record for the wire.
fn write_record(record: TrainingRecord) -> pb::TrainingRecord {
    let TrainingRecord { id, agent, course, mark: _, manual, score, result, examiner, take_time, expire_time, create_time } = record;
    pb::TrainingRecord {
        training_record_id: id.to_string(),
        agent_id: agent.to_string(),
        course_id: course,
        manual_version_id: manual.to_string(),
        score,
        result: result.number(),
        examiner,
        take_time: Some(timestamp(take_time)),
        expire_time: expire_time.map(timestamp),
        create_time: Some(timestamp(create_time)),
    }
}

impl Api {
    /// Records training.
    pub(super) async fn train(&self, request: Request<pb::RecordTrainingRequest>) -> Result<Response<pb::RecordTrainingResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let draft = draft(&request, cx.now).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "RecordTraining", request: &request, request_id: &request.request_id, subject: &request.agent_id, cx: &cx };
        let (cx, draft) = (&cx, &draft);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| record_training(conn, cx, draft.clone()).await,
            |record| pb::RecordTrainingResponse { training_record: Some(write_record(record)) },
        )
        .await?;
        // The endorsement that the record renews may lapse before all others.
        self.endorsed.wake_if(true);
        Ok(response)
    }

    /// Lists training records.
    pub(super) async fn trainings(
        &self,
        request: Request<pb::ListTrainingRecordsRequest>,
    ) -> Result<Response<pb::ListTrainingRecordsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let agent: Option<AgentId> = violations.parse("agent_id", &request.agent_id);
        let of = format!("training {}", request.agent_id);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = read::page(&mut violations, request_page, |key: &(Time, TrainingRecordId)| key.0);
        let (agent, page) = violations.finish(agent.zip(page)).map_err(status::invalid)?;
        let page = &page;
        let (records, next_page_token) =
            report(&self.database, "ListTrainingRecords", &cx, async |conn| list_training_records(conn, agent, page).await).await?;
        let training_records = records.into_iter().map(write_record).collect();
        Ok(Response::new(pb::ListTrainingRecordsResponse { training_records, next_page_token }))
    }
}
