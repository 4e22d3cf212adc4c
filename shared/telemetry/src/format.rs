//! Log lines: for people, `TIME LEVEL [service] message field=value trace=ID`; for machines, the same as one JSON object.

use std::fmt::{self, Write as _};

use opentelemetry::{Context, trace::TraceContextExt as _};
use serde_json::Value;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::service;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What an event says: its message, and its fields in order.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    fn push(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            // The bookkeeping of the `log` crate.
            (name, _) if name.starts_with("log.") => {}
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::String(value.to_owned()));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::Bool(value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value.into());
    }
}

fn trace_and_span() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let at = span.span_context();
        at.is_valid().then(|| (at.trace_id().to_string(), at.span_id().to_string()))
    })
}

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        match self {
            Self::Text => text(&mut writer, event, &said),
            Self::Json => json(&mut writer, event, said),
        }
    }
}

fn text(writer: &mut Writer<'_>, event: &Event<'_>, said: &Said) -> fmt::Result {
    let level = *event.metadata().level();
    SystemTime.format_time(writer)?;
    if writer.has_ansi_escapes() {
        let color = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            _ => 90,
        };
        write!(writer, " \x1b[{color}m{level:>5}\x1b[0m ")?;
    } else {
        write!(writer, " {level:>5} ")?;
    }
    if let Some(service) = service::current() {
        write!(writer, "[{service}] ")?;
    }
    let mut line = said.message.clone();
    for (name, value) in &said.fields {
        match value {
            Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => write!(line, " {name}={text}")?,
            Value::String(text) => write!(line, " {name}={text:?}")?,
            value => write!(line, " {name}={value}")?,
        }
    }
    // One event is one line, whatever somebody put into a value.
    for character in line.chars() {
        if character.is_control() { write!(writer, "{}", character.escape_default())? } else { writer.write_char(character)? }
    }
    match trace_and_span() {
        Some((trace, _)) => writeln!(writer, " trace={trace}"),
        None => writeln!(writer),
    }
}

fn json(writer: &mut Writer<'_>, event: &Event<'_>, said: Said) -> fmt::Result {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    let metadata = event.metadata();
    let mut entries = vec![
        ("time", Value::String(time)),
        ("level", Value::String(metadata.level().to_string())),
        ("message", Value::String(said.message)),
        ("target", Value::String(metadata.target().to_owned())),
    ];
    entries.extend(service::current().map(|service| ("service", Value::String(service.to_owned()))));
    if let Some((trace, span)) = trace_and_span() {
        entries.extend([("trace_id", Value::String(trace)), ("span_id", Value::String(span))]);
    }
    entries.extend(said.fields);
    for (at, (name, value)) in entries.into_iter().enumerate() {
        write!(writer, "{}{}:{value}", if at == 0 { '{' } else { ',' }, Value::String(name.to_owned()))?;
    }
    writeln!(writer, "}}")
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{Registry, layer::SubscriberExt as _};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic while locked").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || to.clone()).event_format(format);
        tracing::subscriber::with_default(Registry::default().with(layer), log);
        let bytes = lines.0.lock().expect("no panic while locked").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    fn log_one() {
        let context = service::belonging_to(&Context::current(), "customer");
        let _attached = context.attach();
        tracing::warn!(count = 3, name = "a b", plain = "x", "first\nsecond");
    }

    #[test]
    fn one_event_is_one_line_with_the_service_and_the_fields() {
        let line = logged(LogFormat::Text, log_one);
        assert!(line.ends_with("  WARN [customer] first\\nsecond count=3 name=\"a b\" plain=x\n"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn for_machines_it_is_one_json_object() {
        let line = logged(LogFormat::Json, log_one);
        let value: Value = serde_json::from_str(&line).expect("one object");
        assert_eq!((&value["message"], &value["service"], &value["count"]), (&"first\nsecond".into(), &"customer".into(), &3.into()));
        assert!(line.starts_with("{\"time\":"), "{line}");
    }
}
