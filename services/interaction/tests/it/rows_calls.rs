//! Call flows: kept version by version, followed step by step, and done before the conclusion.

use rapport_client::Problem;
use rapport_proto::{
    common::v1::{Channel, Setting, Stage},
    interaction::v1::{self as pb, call_flow_branch::Condition, call_flow_service_client::CallFlowServiceClient},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, conclusion, enquiry};

type Flows = CallFlowServiceClient<tonic::transport::Channel>;

fn to(step: &str) -> pb::CallFlowBranch {
    pb::CallFlowBranch { condition: None, to: step.to_owned() }
}
fn equals(text: &str, step: &str) -> pb::CallFlowBranch {
    pb::CallFlowBranch { condition: Some(Condition::Equals(text.to_owned())), to: step.to_owned() }
}
fn step(id: &str, required: bool, branches: Vec<pb::CallFlowBranch>) -> pb::CallFlowStep {
    pb::CallFlowStep {
        id: id.to_owned(),
        prompt: format!("Ask for {id}."),
        capture: id.to_owned(),
        required,
        branches,
        ..Default::default()
    }
}

/// Greets, asks whether the caller is a customer, and asks a customer for the contract.
fn sale() -> pb::CallFlow {
    let steps = vec![
        step("name", false, vec![to("customer")]),
        step("customer", true, vec![equals("no", "need"), to("contract")]),
        step("contract", true, vec![to("need")]),
        step("need", true, Vec::new()),
    ];
    pb::CallFlow { title: "A call".to_owned(), steps, ..Default::default() }
}

async fn create(flows: &mut Flows, flow: pb::CallFlow) -> pb::CallFlow {
    let request = pb::CreateCallFlowRequest { call_flow: Some(flow), ..Default::default() };
    flows.create_call_flow(request).await.expect("it is created").into_inner().call_flow.expect("it is answered")
}

async fn start(flows: &mut Flows, on: &str, flow: &str) -> Result<pb::StartCallFlowResponse, Problem> {
    let request = pb::StartCallFlowRequest { interaction_id: on.to_owned(), call_flow_id: flow.to_owned(), ..Default::default() };
    answer(flows.start_call_flow(request).await)
}

/// Answers a step, and says which one comes next.
async fn reply(flows: &mut Flows, on: &str, step: &str, text: &str) -> Result<String, Problem> {
    let request = pb::AnswerCallFlowStepRequest {
        interaction_id: on.to_owned(),
        step_id: step.to_owned(),
        answer: text.to_owned(),
        ..Default::default()
    };
    Ok(answer(flows.answer_call_flow_step(request).await)?.next_step.map(|step| step.id).unwrap_or_default())
}

fn by_phone() -> pb::Interaction {
    pb::Interaction { channel: Channel::Phone.into(), ..enquiry() }
}

both_databases! {
    async fn row_24_a_call_is_handled_by_its_call_flow(backend: Backend) {
        let house = House::open(backend).await;
        let mut flows = house.call_flows();
        let made = create(&mut flows, sale()).await;
        let on = house.create(by_phone()).await.interaction_id;
        let none = reply(&mut flows, &on, "name", "Ada").await.expect_err("it was not started");
        assert_eq!(none.reason, "CALL_FLOW_NOT_STARTED");
        let started = start(&mut flows, &on, &made.call_flow_id).await.expect("it is started");
        assert_eq!(started.next_step.map(|step| step.id).as_deref(), Some("name"));
        let early = reply(&mut flows, &on, "need", "a box").await.expect_err("name comes first");
        assert_eq!((early.reason.as_str(), early.metadata["next"].as_str()), ("CALL_FLOW_STEP_NOT_NEXT", "name"));
        assert_eq!(reply(&mut flows, &on, "name", "").await.expect("it may be passed over"), "customer");
        let empty = reply(&mut flows, &on, "customer", " ").await.expect_err("it is required");
        assert_eq!((empty.code, empty.violations[0].field.as_str()), (Code::InvalidArgument, "answer"));
        assert_eq!(reply(&mut flows, &on, "customer", " NO ").await.expect("it is answered"), "need");
        assert_eq!(reply(&mut flows, &on, "need", "a box").await.expect("it is answered"), "");
        let run = house.get(&on).await.call_flow.expect("it is kept");
        let answers: Vec<_> = run.answers.iter().map(|of| (of.step_id.as_str(), of.capture.as_str(), of.answer.as_str())).collect();
        assert_eq!(answers, [("name", "name", ""), ("customer", "customer", " NO "), ("need", "need", "a box")]);
        assert_eq!((run.current_step_id.as_str(), run.version), ("", 1));
        let again = start(&mut flows, &on, "").await.expect_err("it follows one");
        assert_eq!(again.reason, "CALL_FLOW_RUNNING");
    }

    async fn row_40_a_call_ends_only_when_the_required_steps_of_its_path_are_answered(backend: Backend) {
        let house = House::open(backend).await;
        let mut flows = house.call_flows();
        let made = create(&mut flows, sale()).await;
        let on = house.create(by_phone()).await.interaction_id;
        start(&mut flows, &on, &made.call_flow_id).await.expect("it is started");
        let missing = async |on: &str| {
            let refused = house.conclude(on, conclusion()).await.expect_err("steps are left");
            assert_eq!(refused.reason, "INTERACTION_NOT_CONCLUDABLE");
            assert!(refused.conditions.iter().all(|condition| condition.kind == "CALL_FLOW"), "{:?}", refused.conditions);
            refused.conditions.iter().map(|condition| condition.description.clone()).collect::<Vec<_>>()
        };
        let left = missing(&on).await;
        assert!(left.len() == 1 && left[0].contains("\"customer\""), "{left:?}");
        reply(&mut flows, &on, "name", "Ada").await.expect("it is answered");
        reply(&mut flows, &on, "customer", "yes").await.expect("it is answered");
        let left = missing(&on).await;
        assert!(left.len() == 2 && left[0].contains("\"contract\"") && left[1].contains("\"need\""), "{left:?}");

        // Another version: this call goes on with its own.
        let short = pb::CallFlow { steps: vec![step("only", true, Vec::new())], ..made.clone() };
        let update = pb::UpdateCallFlowRequest { call_flow: Some(short), etag: made.etag.clone(), ..Default::default() };
        let changed = flows.update_call_flow(update.clone()).await.expect("it is changed").into_inner().call_flow.expect("it is answered");
        assert_eq!((changed.version, changed.steps.len()), (2, 1));
        assert_eq!(answer(flows.update_call_flow(update).await).expect_err("it was changed since").code, Code::Aborted);
        assert_eq!(reply(&mut flows, &on, "contract", "17").await.expect("it is answered"), "need");
        reply(&mut flows, &on, "need", "a box").await.expect("it is answered");
        house.conclude(&on, conclusion()).await.expect("all is answered");
        let get = |version| pb::GetCallFlowRequest { call_flow_id: made.call_flow_id.clone(), version };
        let old = flows.get_call_flow(get(1)).await.expect("it is kept").into_inner().call_flow.expect("it is answered");
        assert_eq!((old.version, old.steps), (1, made.steps.clone()));
        assert_eq!(answer(flows.get_call_flow(get(3)).await).expect_err("there is none").code, Code::NotFound);
    }

    async fn the_most_specific_call_flow_is_started(backend: Backend) {
        let house = House::open(backend).await;
        let mut flows = house.call_flows();
        let on = house.create(by_phone()).await.interaction_id;
        assert_eq!(start(&mut flows, &on, "").await.expect_err("there is none").reason, "NO_CALL_FLOW");
        let scope = |channel: Channel| Some(pb::Scope { channels: vec![channel.into()], ..Default::default() });
        create(&mut flows, sale()).await;
        let phone = create(&mut flows, pb::CallFlow { scope: scope(Channel::Phone), ..sale() }).await;
        create(&mut flows, pb::CallFlow { scope: scope(Channel::Chat), ..sale() }).await;
        let started = start(&mut flows, &on, "").await.expect("it is started").interaction.and_then(|of| of.call_flow);
        assert_eq!(started.map(|run| run.call_flow_id), Some(phone.call_flow_id));
        let listed = flows.list_call_flows(pb::ListCallFlowsRequest::default()).await.expect("they are listed").into_inner();
        assert_eq!(listed.call_flows.len(), 3);
    }

    async fn a_step_of_a_formal_call_waits_for_its_stage(backend: Backend) {
        let house = House::open(backend).await;
        let mut flows = house.call_flows();
        let bound = pb::CallFlowStep { stage: Stage::Agreeing.into(), ..step("price", true, Vec::new()) };
        let made = create(&mut flows, pb::CallFlow { steps: vec![bound], ..sale() }).await;
        let on = house.create(pb::Interaction { setting: Setting::Formal.into(), ..by_phone() }).await.interaction_id;
        start(&mut flows, &on, &made.call_flow_id).await.expect("it is started");
        let refused = reply(&mut flows, &on, "price", "3").await.expect_err("it is at the greeting");
        assert_eq!((refused.reason.as_str(), refused.metadata["stage"].as_str()), ("CALL_FLOW_STAGE", "AGREEING"));
    }

    async fn a_call_flow_that_nobody_can_follow_is_refused_with_every_reason(backend: Backend) {
        let house = House::open(backend).await;
        let steps = vec![
            step("a", true, vec![equals("yes", "b")]),
            step("b", true, vec![to("a")]),
            step("b", true, Vec::new()),
            step("lost", true, vec![to("nowhere")]),
        ];
        let scope = pb::Scope { channels: vec![Channel::Phone.into(), Channel::Phone.into()], ..Default::default() };
        let flow = pb::CallFlow { scope: Some(scope), steps, ..sale() };
        let request = pb::CreateCallFlowRequest { call_flow: Some(flow), ..Default::default() };
        let refused = answer(house.call_flows().create_call_flow(request).await).expect_err("nobody can follow it");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        let expected = [
            "call_flow.scope",
            "call_flow.steps[2].id",
            "call_flow.steps[0].branches",
            "call_flow.steps[3].branches[0].to",
            "call_flow.steps[0].branches",
            "call_flow.steps[1].branches",
            "call_flow.steps[3]",
        ];
        assert_eq!(fields, expected);
    }

    async fn an_id_of_a_call_flow_is_given_once(backend: Backend) {
        let house = House::open(backend).await;
        let mut flows = house.call_flows();
        let made = create(&mut flows, sale()).await;
        let request = pb::CreateCallFlowRequest { call_flow: Some(sale()), call_flow_id: made.call_flow_id, ..Default::default() };
        let taken = answer(flows.create_call_flow(request).await).expect_err("the id is taken");
        assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "CALL_FLOW_EXISTS"));
    }
}
