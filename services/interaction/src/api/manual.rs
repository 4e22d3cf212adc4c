//! The manual on the wire.

use async_trait::async_trait;
use rapport_core::{Context, ManualVersionId, PageRequest, Time, Violations};
use rapport_proto::interaction::v1::{self as pb, manual_service_server::ManualService};
use rapport_server::{Mutation, context, mutate, query, report, status};
use tonic::{Request, Response, Status};

use super::{Api, filter};
use crate::{
    app::manual::{
        CreateManualVersion, PublishManualVersion, Published, UpdateManualVersion, check_manual_version, create_manual_version,
        get_manual_version, list_manual_versions, publish_manual_version, update_manual_version,
    },
    domain::ManualEdit,
};

mod problems;
mod read;
pub mod write;

pub use problems::check;
pub use read::slug;

/// The example manual that ships with this service, as protobuf JSON.
pub const EXAMPLE: &str = include_str!("../../manual/example.json");
/// The message of a manual in a file.
const MESSAGE: &str = "rapport.interaction.v1.ManualVersion";

/// What the example manual says.
///
/// # Errors
/// What is wrong with it; a test sees to it that nothing is.
pub fn example() -> Result<ManualEdit, String> {
    let manual: pb::ManualVersion = rapport_proto::json::read(MESSAGE, EXAMPLE).map_err(|error| error.to_string())?;
    let (edit, violations) = of_file(&manual);
    if violations.is_empty() { Ok(edit) } else { Err(violations.to_string()) }
}

/// As much of what a manual in a file says as can be read, and everything that is wrong with its form.
pub fn of_file(manual: &pb::ManualVersion) -> (ManualEdit, Violations) {
    let mut violations = Violations::new();
    if manual.title.is_empty() {
        violations.add("manual_version.title", "is required");
    }
    let edit = read::edit(&mut violations, manual, None);
    (edit, violations)
}

fn create_command(request: &pb::CreateManualVersionRequest, cx: &Context) -> Result<CreateManualVersion, Violations> {
    let mut violations = Violations::new();
    let id = super::read::new_id(&mut violations, "manual_version_id", &request.manual_version_id, cx);
    let base: Option<ManualVersionId> = violations.parse_optional("base_version_id", &request.base_version_id);
    let edit = match &request.manual_version {
        Some(manual) => {
            if manual.title.is_empty() && request.base_version_id.is_empty() {
                violations.add("manual_version.title", "is required");
            }
            read::edit(&mut violations, manual, None)
        }
        None => {
            if request.base_version_id.is_empty() {
                violations.add("manual_version", "is required unless base_version_id is given");
            }
            ManualEdit::default()
        }
    };
    violations.finish(id.map(|id| CreateManualVersion { id, edit, base }))
}

fn update_command(request: &pb::UpdateManualVersionRequest) -> Result<UpdateManualVersion, Violations> {
    let mut violations = Violations::new();
    let Some(manual) = super::read::required(&mut violations, "manual_version", request.manual_version.as_ref()) else {
        return Err(violations);
    };
    let id = violations.parse("manual_version.manual_version_id", &manual.manual_version_id);
    let read = super::read::etag(&mut violations, &manual.etag);
    let mask = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).filter(|paths| !paths.is_empty());
    let edit = read::edit(&mut violations, manual, mask);
    violations.finish(id.map(|id| UpdateManualVersion { id, edit, read }))
}

fn publish_command(request: &pb::PublishManualVersionRequest) -> Result<PublishManualVersion, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("manual_version_id", &request.manual_version_id);
    let read = super::read::etag(&mut violations, &request.etag);
    violations.finish(id.map(|id| PublishManualVersion { id, read }))
}

fn published(published: Published) -> pb::PublishManualVersionResponse {
    let Published { manual, lapsed } = published;
    pb::PublishManualVersionResponse {
        manual_version: Some(write::manual(manual)),
        lapsed_agents: i32::try_from(lapsed).unwrap_or(i32::MAX),
    }
}

#[async_trait]
impl ManualService for Api {
    async fn create_manual_version(
        &self,
        request: Request<pb::CreateManualVersionRequest>,
    ) -> Result<Response<pb::CreateManualVersionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = create_command(&request, &cx).map_err(status::invalid)?;
        let subject = command.id.to_string();
        let mutation =
            Mutation { method: "CreateManualVersion", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| create_manual_version(conn, cx, command.clone()).await,
            |manual| pb::CreateManualVersionResponse { manual_version: Some(write::manual(manual)) },
        )
        .await
    }

    async fn get_manual_version(
        &self,
        request: Request<pb::GetManualVersionRequest>,
    ) -> Result<Response<pb::GetManualVersionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse_optional("manual_version_id", &request.manual_version_id);
        violations.finish(Some(())).map_err(status::invalid)?;
        let manual = query(&self.database, "GetManualVersion", &cx, async |conn| get_manual_version(conn, id).await).await?;
        Ok(Response::new(pb::GetManualVersionResponse { manual_version: Some(write::manual(manual)) }))
    }

    async fn list_manual_versions(
        &self,
        request: Request<pb::ListManualVersionsRequest>,
    ) -> Result<Response<pb::ListManualVersionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let criteria = filter::manuals(&mut violations, &request.filter);
        let of = format!("manual versions {}", request.filter);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = super::read::page(&mut violations, request_page, |key: &(Time, ManualVersionId)| key.0);
        let (criteria, page) = violations.finish(criteria.zip(page)).map_err(status::invalid)?;
        let (criteria, page) = (&criteria, &page);
        let (manuals, next_page_token) =
            report(&self.database, "ListManualVersions", &cx, async |conn| list_manual_versions(conn, criteria, page).await).await?;
        let manual_versions = manuals.into_iter().map(write::manual).collect();
        Ok(Response::new(pb::ListManualVersionsResponse { manual_versions, next_page_token }))
    }

    async fn update_manual_version(
        &self,
        request: Request<pb::UpdateManualVersionRequest>,
    ) -> Result<Response<pb::UpdateManualVersionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = update_command(&request).map_err(status::invalid)?;
        let subject = command.id.to_string();
        let mutation =
            Mutation { method: "UpdateManualVersion", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| update_manual_version(conn, cx, command.clone()).await,
            |manual| pb::UpdateManualVersionResponse { manual_version: Some(write::manual(manual)) },
        )
        .await
    }

    async fn publish_manual_version(
        &self,
        request: Request<pb::PublishManualVersionRequest>,
    ) -> Result<Response<pb::PublishManualVersionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = publish_command(&request).map_err(status::invalid)?;
        let (of, wish) = (&cx, &command);
        if request.validate_only {
            let checked =
                query(&self.database, "PublishManualVersion", of, async |conn| check_manual_version(conn, of, wish.clone()).await).await?;
            return Ok(Response::new(published(checked)));
        }
        let subject = command.id.to_string();
        let mutation =
            Mutation { method: "PublishManualVersion", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(&self.database, mutation, async |conn| publish_manual_version(conn, of, wish.clone()).await, published).await
    }
}
