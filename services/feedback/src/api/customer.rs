//! Whether there is a customer: asked of the projection, and of the customer service if it knows nothing yet.

use std::time::Duration;

use rapport_core::{Context, CustomerId, Failure};
use rapport_proto::customer::v1::GetCustomerRequest;
use rapport_server::{query, status};
use tonic::{Code, Request, Status};

use super::Api;
use crate::{app::customer::knows_customer, domain::refused::Refused};

/// How long the customer service may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the customer is known to exist; false when the customer service cannot be asked. One that does not exist is a
/// violation of `field`.
pub async fn exists(api: &Api, cx: &Context, id: CustomerId, field: &str) -> Result<bool, Status> {
    if query(&api.database, "KnowsCustomer", cx, async |conn| knows_customer(conn, id).await).await? {
        return Ok(true);
    }
    let mut request = Request::new(GetCustomerRequest { customer_id: id.to_string() });
    request.set_timeout(PATIENCE);
    match api.customers.clone().get_customer(request).await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Code::NotFound => {
            Err(status(Failure::<Refused>::invalid(field, "there is no customer with this id")))
        }
        Err(error) => {
            tracing::warn!(code = ?error.code(), "the customer service cannot be asked: {}", error.message());
            Ok(false)
        }
    }
}
