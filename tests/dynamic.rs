//! Calls any RPC with messages that are known by their descriptor only.

use std::time::Duration;

use prost_reflect::prost::bytes::{Buf as _, BufMut as _, Bytes};
use prost_reflect::{DynamicMessage, MethodDescriptor, prost::Message as _};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

/// How long an answer that streams on may be silent until it is left.
const SILENCE: Duration = Duration::from_millis(150);

/// Calls a method with these messages and takes at most `most` answers.
///
/// # Errors
/// What the service answered instead, and what had come before is given up.
pub async fn call(
    channel: Channel,
    method: &MethodDescriptor,
    requests: Vec<DynamicMessage>,
    most: usize,
) -> Result<Vec<DynamicMessage>, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).expect("names of methods are paths");
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let bodies: Vec<Bytes> = requests.iter().map(|request| request.encode_to_vec().into()).collect();
    let request = Request::new(tokio_stream::iter(bodies));
    let mut answers = client.streaming(request, path, Raw).await?.into_inner();
    let mut taken = Vec::new();
    while taken.len() < most {
        let next = if method.is_server_streaming() {
            match tokio::time::timeout(SILENCE, answers.message()).await {
                Ok(next) => next?,
                Err(_) => break,
            }
        } else {
            answers.message().await?
        };
        let Some(body) = next else { break };
        taken.push(DynamicMessage::decode(method.output(), body).expect("the answer is of the type that the descriptor says"));
    }
    Ok(taken)
}

/// Leaves the bytes of a message as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
