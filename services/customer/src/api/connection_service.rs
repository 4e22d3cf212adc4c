//! The RPCs of ConnectionService.

use rapport_core::{Page, PageRequest, Violations};
use rapport_proto::customer::v1::{self as pb, connection_service_server::ConnectionService};
use rapport_server::{Mutation, context, mutate, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    connection::{command, message},
};
use crate::app::connection as app;

#[tonic::async_trait]
impl ConnectionService for Api {
    async fn change_connection_level(
        &self,
        request: Request<pb::ChangeConnectionLevelRequest>,
    ) -> Result<Response<pb::ChangeConnectionLevelResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = command(&request).map_err(invalid)?;
        let mutation = Mutation {
            method: "ChangeConnectionLevel",
            request: &request,
            request_id: &request.request_id,
            subject: &command.customer,
            cx: &cx,
        };
        let answer = |changed| pb::ChangeConnectionLevelResponse { connection: Some(message(changed)) };
        mutate(&self.database, mutation, async |conn| app::change_connection_level(conn, &cx, command.clone()).await, answer).await
    }

    async fn list_connections(
        &self,
        request: Request<pb::ListConnectionsRequest>,
    ) -> Result<Response<pb::ListConnectionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListConnectionsRequest { customer_id, page_size, page_token } = request.into_inner();
        let mut violations = Violations::new();
        let customer = violations.parse("customer_id", &customer_id);
        let page = Page::<String>::parse(PageRequest { size: page_size, token: &page_token, of: &customer_id }, &mut violations);
        let (customer, page) = violations.finish(customer.zip(page)).map_err(invalid)?;
        let rows = query(&self.database, "ListConnections", &cx, async |conn| app::list_connections(conn, customer, &page).await).await?;
        let (rows, next_page_token) = page.answer(rows, |connection| connection.agent.clone());
        Ok(Response::new(pb::ListConnectionsResponse { connections: rows.into_iter().map(message).collect(), next_page_token }))
    }
}
