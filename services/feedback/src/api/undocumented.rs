//! Interactions without what was said in them, on the wire.

use rapport_core::{Failure, InteractionId, Page, PageRequest, Time, Violations, words::Word};
use rapport_proto::feedback::v1 as pb;
use rapport_server::{context, query, status};
use tonic::{Request, Response, Status};

use super::{Api, convert};
use crate::{
    app::undocumented::list_undocumented,
    domain::{filter, refused::Refused, undocumented::Undocumented},
};

pub async fn list(api: &Api, request: Request<pb::ListUndocumentedRequest>) -> Result<Response<pb::ListUndocumentedResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let of = format!("ListUndocumented {}", request.filter);
    let page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
    let page: Option<Page<(Time, InteractionId)>> = Page::parse(page, &mut violations);
    let filter = filter::undocumented(&request.filter, &mut violations);
    let asked = violations.finish(page.zip(filter)).map_err(|violations| status(Failure::<Refused>::Invalid(violations)))?;
    let (page, filter) = &asked;
    let rows = query(&api.database, "ListUndocumented", &cx, async |conn| list_undocumented(conn, filter, page).await).await?;
    let (rows, next_page_token) = page.answer(rows, |gap| (gap.conclude_time, gap.interaction));
    Ok(Response::new(pb::ListUndocumentedResponse { interactions: rows.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Undocumented> for pb::UndocumentedInteraction {
    fn from(gap: Undocumented) -> Self {
        let Undocumented { interaction, customer, agent, assignee, setting, conclude_time, remarks } = gap;
        Self {
            interaction_id: interaction.to_string(),
            customer_id: convert::id(customer),
            agent,
            assignee_id: convert::id(assignee),
            setting: setting.map_or(0, Word::number),
            conclude_time: Some(convert::timestamp(conclude_time)),
            missing_remark_ids: remarks.iter().map(ToString::to_string).collect(),
        }
    }
}
