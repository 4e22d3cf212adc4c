//! The standard `OTEL_*` variables that the SDK does not read itself, and what they and the settings decide together.

use opentelemetry_sdk::trace::Sampler;

use crate::Settings;

/// Where variables come from: the process's environment, or a test's.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is to be done, decided once at the start.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// OTEL_SDK_DISABLED: neither traces nor metrics nor logs, and no trace ids.
    pub(crate) disabled: bool,
    /// Where each signal goes: nowhere, or to the endpoint (none: what the exporter reads from the environment itself).
    pub(crate) traces: Export,
    pub(crate) metrics: Export,
    pub(crate) logs: Export,
    /// Which traces are recorded: OTEL_TRACES_SAMPLER, else the ratio of the settings.
    pub(crate) sampler: Sampler,
    pub(crate) propagate_trace: bool,
    pub(crate) propagate_baggage: bool,
    /// The name of the service for everything, when the environment says one.
    pub(crate) service_name: Option<String>,
    /// What to log: RUST_LOG, else the settings.
    pub(crate) log: String,
    /// What was asked for and cannot be done, to be logged.
    pub(crate) warnings: Vec<String>,
}

/// Whether and where a signal is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    Off,
    /// To the endpoint that the environment names, or the standard one.
    AsEnvironment,
    /// To the endpoint of the settings.
    To(String),
}

impl Choices {
    pub(crate) fn new(settings: &Settings, variables: Variables<'_>) -> Self {
        let variable = |name: &str| variables(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let mut warnings = Vec::new();
        let mut export = |signal: &str| export(signal, settings, &variable, &mut warnings);
        let (traces, metrics, logs) = (export("TRACES"), export("METRICS"), export("LOGS"));
        if let Some(protocol) = variable("OTEL_EXPORTER_OTLP_PROTOCOL").filter(|protocol| protocol != "grpc") {
            warnings.push(format!("OTEL_EXPORTER_OTLP_PROTOCOL={protocol} is not supported: OTLP goes over gRPC"));
        }
        let (propagate_trace, propagate_baggage) = propagators(variable("OTEL_PROPAGATORS"), &mut warnings);
        let sampler = sampler(settings.trace_ratio, &variable, &mut warnings);
        Self {
            disabled: variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            traces,
            metrics,
            logs,
            sampler,
            propagate_trace,
            propagate_baggage,
            service_name: variable("OTEL_SERVICE_NAME").or_else(|| {
                let attributes = variable("OTEL_RESOURCE_ATTRIBUTES")?;
                let named = attributes.split(',').filter_map(|entry| entry.split_once('=')).find(|(key, _)| key.trim() == "service.name");
                named.map(|(_, value)| value.trim().to_owned())
            }),
            log: variable("RUST_LOG").unwrap_or_else(|| settings.log.clone()),
            warnings,
        }
    }
}

fn export(signal: &str, settings: &Settings, variable: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<String>) -> Export {
    let named = variable("OTEL_EXPORTER_OTLP_ENDPOINT").or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")));
    let to = match (named, settings.endpoint.trim()) {
        (Some(_), _) => Some(Export::AsEnvironment),
        (None, "") => None,
        (None, endpoint) => Some(Export::To(endpoint.to_owned())),
    };
    let which = format!("OTEL_{signal}_EXPORTER");
    match variable(&which).as_deref() {
        Some("none") => Export::Off,
        Some("otlp") => to.unwrap_or(Export::AsEnvironment),
        other => {
            if let Some(other) = other {
                warnings.push(format!("{which}={other} is not supported: use otlp or none"));
            }
            to.unwrap_or(Export::Off)
        }
    }
}

fn sampler(ratio: f64, variable: &dyn Fn(&str) -> Option<String>, warnings: &mut Vec<String>) -> Sampler {
    let by_parent = |root| Sampler::ParentBased(Box::new(root));
    let ours = || by_parent(Sampler::TraceIdRatioBased(ratio.clamp(0.0, 1.0)));
    let Some(wanted) = variable("OTEL_TRACES_SAMPLER") else { return ours() };
    let mut argument = || {
        let text = variable("OTEL_TRACES_SAMPLER_ARG").unwrap_or_default();
        let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
        if ratio.is_none() {
            warnings.push(format!("OTEL_TRACES_SAMPLER_ARG={text} is no share between 0 and 1: every trace is recorded"));
        }
        Sampler::TraceIdRatioBased(ratio.unwrap_or(1.0))
    };
    match wanted.as_str() {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => argument(),
        "parentbased_always_on" => by_parent(Sampler::AlwaysOn),
        "parentbased_always_off" => by_parent(Sampler::AlwaysOff),
        "parentbased_traceidratio" => by_parent(argument()),
        other => {
            warnings.push(format!("OTEL_TRACES_SAMPLER={other} is not supported: telemetry.trace_ratio decides"));
            ours()
        }
    }
}

/// Whether the trace context and the baggage are passed on. The baggage only by request: it may hold personal data.
fn propagators(wanted: Option<String>, warnings: &mut Vec<String>) -> (bool, bool) {
    let Some(wanted) = wanted else { return (true, false) };
    let (mut trace, mut baggage) = (false, false);
    for name in wanted.split(',').map(str::trim) {
        match name {
            "tracecontext" => trace = true,
            "baggage" => baggage = true,
            "none" | "" => {}
            other => warnings.push(format!("OTEL_PROPAGATORS: {other} is not supported: use tracecontext, baggage or none")),
        }
    }
    (trace, baggage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(endpoint: &str, variables: &[(&str, &str)]) -> Choices {
        let settings = Settings { endpoint: endpoint.to_owned(), trace_ratio: 0.25, ..Settings::default() };
        Choices::new(&settings, &|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported_and_traces_are_made_nevertheless() {
        let chosen = choices("", &[]);
        assert_eq!((chosen.traces, chosen.metrics, chosen.logs), (Export::Off, Export::Off, Export::Off));
        assert!(!chosen.disabled && chosen.propagate_trace && !chosen.propagate_baggage && chosen.warnings.is_empty());
        assert_eq!(format!("{:?}", chosen.sampler), "ParentBased(TraceIdRatioBased(0.25))");
    }

    #[test]
    fn the_environment_is_stronger_than_the_settings() {
        let chosen = choices(
            "http://settings:4317",
            &[
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://env:4317"),
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_TRACES_SAMPLER", "always_off"),
                ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test, service.name = shop"),
                ("RUST_LOG", "warn"),
            ],
        );
        assert_eq!(chosen.traces, Export::AsEnvironment);
        assert_eq!(chosen.metrics, Export::Off);
        assert_eq!(chosen.logs, Export::To("http://settings:4317".into()));
        assert_eq!(format!("{:?}", chosen.sampler), "AlwaysOff");
        assert_eq!(chosen.service_name.as_deref(), Some("shop"));
        assert_eq!(chosen.log, "warn");
    }

    #[test]
    fn what_is_not_supported_is_told() {
        let chosen = choices(
            "",
            &[("OTEL_PROPAGATORS", "b3,baggage"), ("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
        );
        assert!(!chosen.propagate_trace && chosen.propagate_baggage);
        assert_eq!(chosen.warnings.len(), 3, "{:?}", chosen.warnings);
    }

    #[test]
    fn the_standard_samplers_are_known() {
        let sampler = |name, argument| {
            let chosen = choices("", &[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
            (format!("{:?}", chosen.sampler), chosen.warnings.len())
        };
        assert_eq!(sampler("parentbased_traceidratio", "0.1"), ("ParentBased(TraceIdRatioBased(0.1))".to_owned(), 0));
        assert_eq!(sampler("traceidratio", "ten"), ("TraceIdRatioBased(1.0)".to_owned(), 1));
        assert_eq!(sampler("parentbased_always_off", ""), ("ParentBased(AlwaysOff)".to_owned(), 0));
        assert_eq!(sampler("xray", ""), ("ParentBased(TraceIdRatioBased(0.25))".to_owned(), 1));
    }

    #[test]
    fn the_sdk_can_be_disabled_by_the_standard_variable() {
        assert!(choices("http://x", &[("OTEL_SDK_DISABLED", "TRUE")]).disabled);
        assert!(!choices("http://x", &[("OTEL_SDK_DISABLED", "1")]).disabled);
    }
}
