//! The registry: every span, attribute and metric that Rapport emits, each with its meaning.
//! Nothing is emitted under a name that is not here; docs/telemetry.md repeats this list, kept equal by a test.

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A span; its name as shown may be more exact, as its sentence says.
    Span,
    /// An attribute of spans, metrics or logs.
    Attribute,
    /// A metric: how it is measured, and its unit (UCUM).
    Metric {
        /// How it is measured.
        instrument: Instrument,
        /// The unit, in the notation of UCUM: `s`, `{call}` …
        unit: &'static str,
    },
}

/// How a metric is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instrument {
    /// A distribution of values.
    Histogram,
    /// A sum that only grows.
    Counter,
    /// A sum that grows and shrinks.
    UpDownCounter,
    /// The last value.
    Gauge,
}

impl Instrument {
    /// The word for it in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Histogram => "histogram",
            Self::Counter => "counter",
            Self::UpDownCounter => "up-down counter",
            Self::Gauge => "gauge",
        }
    }
}

/// One entry of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name itself.
    pub name: &'static str,
    /// What it names.
    pub kind: Kind,
    /// What it means, in a sentence.
    pub doc: &'static str,
}

/// The entry with this name among the metrics.
pub fn metric(name: &str) -> Option<&'static Name> {
    ALL.iter().find(|entry| entry.name == name && matches!(entry.kind, Kind::Metric { .. }))
}

macro_rules! registry {
    (
        spans { $($span:ident = $span_name:literal $span_doc:literal)* }
        attributes { $($attribute:ident = $attribute_name:literal $attribute_doc:literal)* }
        metrics { $($metric:ident = $metric_name:literal $instrument:ident $unit:literal $metric_doc:literal)* }
    ) => {
        $(#[doc = $span_doc] pub const $span: &str = $span_name;)*
        $(#[doc = $attribute_doc] pub const $attribute: &str = $attribute_name;)*
        $(#[doc = $metric_doc] pub const $metric: &str = $metric_name;)*

        /// Every name, in the order of the documentation.
        pub const ALL: &[Name] = &[
            $(Name { name: $span_name, kind: Kind::Span, doc: $span_doc },)*
            $(Name { name: $attribute_name, kind: Kind::Attribute, doc: $attribute_doc },)*
            $(Name { name: $metric_name, kind: Kind::Metric { instrument: Instrument::$instrument, unit: $unit }, doc: $metric_doc },)*
        ];
    };
}

registry! {
    spans {
        RPC_SERVER = "rpc.server"
            "A call that a service answers (kind SERVER); shown under the name of the method, for example `rapport.customer.v1.CustomerService/GetCustomer`."
        RPC_CLIENT = "rpc.client"
            "A call to a service (kind CLIENT), retries included; shown under the name of the method."
        HTTP_SERVER = "http.server"
            "A request to one of the public pages (kind SERVER); shown as method and route, never with the token in the path."
        USE_CASE = "use_case"
            "One use case, with all that it does; shown under its name, for example `CreateCustomer`."
        DB_TRANSACTION = "db.transaction"
            "One database transaction from begin to commit, with the wait for a connection or for the writer (kind CLIENT)."
        CONSUME = "consume"
            "One event of a feed taken in by a consumer (kind CONSUMER); it links to the span that wrote the event."
        JOB = "job"
            "One round of a background job, for example of the sweeper that breaks overdue promises; shown under the job's name."
        COMMAND = "command"
            "One command to a peer that a job repeats until it is answered."
        SEND = "send"
            "One mail given to the transport (kind PRODUCER); it links to the span that asked for it."
        COMMAND_LINE = "command_line"
            "One command of the `rapport` command line, or one step of the demo; shown under its name."
    }
    attributes {
        SERVICE_NAME = "service.name"
            "Resource: the service, for example `rapport-customer`; in the suite the spans of each of the four have a resource of their own, unless OTEL_SERVICE_NAME names one for all."
        SERVICE_NAMESPACE = "service.namespace"
            "Resource: always `rapport`."
        SERVICE_VERSION = "service.version"
            "Resource: the version of the program."
        SERVICE_INSTANCE_ID = "service.instance.id"
            "Resource: one run of the program."
        RPC_SYSTEM_NAME = "rpc.system.name"
            "Always `grpc`."
        RPC_METHOD = "rpc.method"
            "The full name of the method, for example `rapport.customer.v1.CustomerService/GetCustomer`, or `_OTHER` for one that is not served."
        RPC_RESPONSE_STATUS_CODE = "rpc.response.status_code"
            "The name of the gRPC status code, for example `OK` or `NOT_FOUND`."
        ERROR_TYPE = "error.type"
            "What kind of error ended the work: the gRPC status code, or a short word; absent when there was none."
        SERVER_ADDRESS = "server.address"
            "The host that a call goes to."
        SERVER_PORT = "server.port"
            "The port that a call goes to."
        HTTP_REQUEST_METHOD = "http.request.method"
            "The HTTP method of a request to a page."
        HTTP_ROUTE = "http.route"
            "The pattern of the page's path, for example `/s/{token}`; never the path itself, whose token is a secret."
        HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"
            "The HTTP status of a page's answer."
        DB_SYSTEM_NAME = "db.system.name"
            "The database: `postgresql` or `sqlite`."
        DB_NAMESPACE = "db.namespace"
            "The database or schema of the service, for example `customer`."
        DB_OPERATION_NAME = "db.operation.name"
            "How the database is used: `write`, `read` or `bulk_read`."
        MESSAGING_SYSTEM = "messaging.system"
            "Where a message goes through: `rapport` for a change feed, `smtp` or `folder` for mail."
        MESSAGING_OPERATION_NAME = "messaging.operation.name"
            "What is done with a message: `process`, `send` or `receive`."
        MESSAGING_OPERATION_TYPE = "messaging.operation.type"
            "The kind of that operation, in the words of the semantic conventions: `process`, `send` or `receive`."
        MESSAGING_DESTINATION_NAME = "messaging.destination.name"
            "The feed an event came from, for example `interaction`."
        MESSAGING_MESSAGE_ID = "messaging.message.id"
            "The id of the event or of the mail."
        MESSAGING_CONSUMER_GROUP_NAME = "messaging.consumer.group.name"
            "The consumer of a feed, for example `customer`."
        RAPPORT_SERVICE = "rapport.service"
            "The service that does the work: `customer`, `interaction`, `feedback`, `newsletter` or `cli`; on every span and log and on the metrics of calls, so that the suite's four can be told apart."
        RAPPORT_CALLER = "rapport.caller"
            "The name of the caller's key, as the settings give it; `local` on loopback without keys."
        RAPPORT_USE_CASE = "rapport.use_case"
            "The use case, for example `CreateCustomer`."
        RAPPORT_JOURNEY_ID = "rapport.journey_id"
            "The customer journey that the work belongs to; it leads across traces, from hop to hop of the feeds."
        RAPPORT_SUBJECT_ID = "rapport.subject_id"
            "The id of the thing that an event or a use case is about; an id of ours, no personal data."
        RAPPORT_EVENT_TYPE = "rapport.event.type"
            "The type of an event, for example `interaction.concluded`."
        RAPPORT_EVENT_OUTCOME = "rapport.event.outcome"
            "What became of an event at a consumer: `applied`, `duplicate`, `old` or `parked`."
        RAPPORT_REASON = "rapport.reason"
            "The reason of a refusal, for example `EMAIL_TAKEN`, as in the error's ErrorInfo."
        RAPPORT_REPLAYED = "rapport.replayed"
            "True when the answer was the stored one of an earlier request with the same request id."
        RAPPORT_RESEND_COUNT = "rapport.resend_count"
            "How many times a call was sent again; absent when it was sent once."
        RAPPORT_RETRY_OUTCOME = "rapport.retry.outcome"
            "What became of the wish to send again: `sent`, or `no_budget`."
        RAPPORT_JOB = "rapport.job"
            "The name of a background job."
        RAPPORT_DELIVERY_OUTCOME = "rapport.delivery.outcome"
            "What a mail server answered: `accepted`, `deferred`, `refused` or `unknown`."
        RAPPORT_SHED_CAUSE = "rapport.shed.cause"
            "Which limit turned a call away, for example `concurrency`."
    }
    metrics {
        RPC_SERVER_CALL_DURATION = "rpc.server.call.duration" Histogram "s"
            "How long calls took to answer, until the last byte of the answer."
        RPC_CLIENT_CALL_DURATION = "rpc.client.call.duration" Histogram "s"
            "How long calls to a service took, retries included."
        HTTP_SERVER_REQUEST_DURATION = "http.server.request.duration" Histogram "s"
            "How long the public pages took to answer."
        SERVER_ACTIVE_CALLS = "rapport.server.active_calls" UpDownCounter "{call}"
            "How many calls are being answered now."
        SERVER_SHED = "rapport.server.shed" Counter "{call}"
            "How many calls were turned away because a limit was reached."
        SERVER_PANICS = "rapport.server.panics" Counter "{panic}"
            "How many calls ended in a panic; each is a fault to report."
        SERVER_REPLAYED = "rapport.server.replayed" Counter "{call}"
            "How many calls were answered from an earlier one with the same request id."
        CLIENT_RETRIES = "rapport.client.retries" Counter "{call}"
            "How many calls were to be sent again, by what became of it."
        DB_TRANSACTION_DURATION = "rapport.db.transaction.duration" Histogram "s"
            "How long transactions took, with the wait for a connection or for the writer."
        DB_TRANSACTION_RETRIES = "rapport.db.transaction.retries" Counter "{transaction}"
            "How many transactions were begun again after a conflict with another."
        DB_GROUP_SIZE = "rapport.db.group_size" Histogram "{transaction}"
            "How many transactions shared one commit on SQLite."
        FEED_HEAD = "rapport.feed.head" Gauge "{event}"
            "The position of the newest event of a service's own feed."
        FEED_STAMPED = "rapport.feed.stamped" Counter "{event}"
            "How many events the relay gave a position."
        FEED_WATCHERS = "rapport.feed.watchers" UpDownCounter "{stream}"
            "How many streams of a feed are open."
        FEED_LAG = "rapport.feed.lag" Gauge "{event}"
            "How many events a consumer is behind the head of a feed."
        FEED_CONSUMED = "rapport.feed.consumed" Counter "{event}"
            "How many events a consumer took in, by what became of them."
        FEED_RECONNECTS = "rapport.feed.reconnects" Counter "{stream}"
            "How many times a follower had to open its stream again."
        JOB_DURATION = "rapport.job.duration" Histogram "s"
            "How long the rounds of background jobs took."
        JOB_FAILURES = "rapport.job.failures" Counter "{round}"
            "How many rounds of background jobs failed; each is tried again."
        MAIL_DELIVERIES = "rapport.mail.deliveries" Counter "{mail}"
            "How many mails were given to the transport, by its answer."
        MAIL_SEND_DURATION = "rapport.mail.send.duration" Histogram "s"
            "How long giving one mail to the transport took."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in ALL {
            assert!(seen.insert(entry.name), "{} is there twice", entry.name);
            assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_'), "{}", entry.name);
            assert!(entry.doc.ends_with('.') && entry.doc.starts_with(char::is_uppercase), "{}: {}", entry.name, entry.doc);
        }
    }
}
