//! Spans as OTLP has them in JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

use super::span::{Span, Value};
use serde_json::{Value as Json, json};

/// Who sends spans.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The name of the service.
    pub(super) service: String,
    /// Tells this process from others of the service.
    pub(super) instance: String,
}

/// The body of a request that brings spans.
pub(super) fn body(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let about = [
        ("service.name", resource.service.clone().into()),
        ("service.version", version.into()),
        ("service.instance.id", resource.instance.clone().into()),
        ("telemetry.sdk.name", "botroupe".into()),
        ("telemetry.sdk.language", "rust".into()),
        ("telemetry.sdk.version", version.into()),
    ];
    let spans: Vec<Json> = spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&about)},
        "scopeSpans": [{"scope": {"name": "botroupe", "version": version}, "spans": spans}],
    }]})
    .to_string()
    .into_bytes()
}

fn span(span: &Span) -> Json {
    let mut shown = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": span.kind as u8,
        // 64 bits have no place in a number of JSON.
        "startTimeUnixNano": span.start.as_nanos().to_string(),
        "endTimeUnixNano": span.end.max(span.start).as_nanos().to_string(),
        "attributes": attributes(&span.attributes),
    });
    let Some(fields) = shown.as_object_mut() else {
        return shown;
    };
    if let Some(parent) = span.parent {
        fields.insert("parentSpanId".to_owned(), format!("{parent:016x}").into());
    }
    if let Some(error) = &span.error {
        let kind = [("error.type", Value::Text(error.clone()))];
        if let Some(Json::Array(all)) = fields.get_mut("attributes") {
            all.extend(attributes(&kind));
        }
        fields.insert("status".to_owned(), json!({"code": 2}));
    }
    if !span.links.is_empty() {
        let links = span.links.iter().map(|(trace, id)| {
            json!({"traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}")})
        });
        fields.insert("links".to_owned(), links.collect());
    }
    shown
}

fn attributes(all: &[(&'static str, Value)]) -> Vec<Json> {
    let all = all.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => json!({"stringValue": text}),
            Value::Number(number) => json!({"intValue": number.to_string()}),
        };
        json!({"key": key, "value": value})
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::super::span::Kind;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_span_is_written_as_otlp_has_it_in_json() {
        let resource = Resource {
            service: "shop".into(),
            instance: "i".into(),
        };
        let span = Span {
            trace: 0x1f,
            id: 0x2f,
            parent: Some(3),
            name: "process echo".into(),
            kind: Kind::Consumer,
            start: Duration::new(1_795_000_000, 7),
            end: Duration::new(1_795_000_001, 0),
            attributes: vec![
                ("messaging.system", "tencent_im".into()),
                ("messaging.batch.message_count", Value::Number(2)),
            ],
            error: Some("timeout".into()),
            links: vec![(1, 2)],
        };
        let body: Json = serde_json::from_slice(&body(&resource, &[span])).unwrap();
        let about = &body["resourceSpans"][0];
        assert_eq!(
            about["resource"]["attributes"][0],
            json!({"key": "service.name", "value": {"stringValue": "shop"}})
        );
        assert_eq!(
            about["scopeSpans"][0]["spans"],
            json!([{
                "traceId": "0000000000000000000000000000001f",
                "spanId": "000000000000002f",
                "parentSpanId": "0000000000000003",
                "name": "process echo",
                "kind": 5,
                "startTimeUnixNano": "1795000000000000007",
                "endTimeUnixNano": "1795000001000000000",
                "attributes": [
                    {"key": "messaging.system", "value": {"stringValue": "tencent_im"}},
                    {"key": "messaging.batch.message_count", "value": {"intValue": "2"}},
                    {"key": "error.type", "value": {"stringValue": "timeout"}},
                ],
                "status": {"code": 2},
                "links": [{"traceId": "00000000000000000000000000000001", "spanId": "0000000000000002"}],
            }])
        );
    }

    #[test]
    fn a_clock_that_was_put_back_makes_no_span_that_ends_before_it_starts() {
        let span = Span {
            trace: 1,
            id: 1,
            parent: None,
            name: "receive".into(),
            kind: Kind::Client,
            start: Duration::from_secs(9),
            end: Duration::from_secs(8),
            attributes: Vec::new(),
            error: None,
            links: Vec::new(),
        };
        let shown = super::span(&span);
        assert_eq!(shown["endTimeUnixNano"], shown["startTimeUnixNano"]);
        assert_eq!(shown.get("parentSpanId"), None);
    }
}
