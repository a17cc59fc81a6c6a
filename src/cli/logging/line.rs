//! One log line with its fields, for sinks that programs read.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::MAX_FIELD;
use super::queue::Queue;
use crate::admin::types::LogLine;
use crate::config::LogLevel;
use crate::gateway::now;
use crate::proto::shown;

/// A line of the log. Fields of spans come first, from the outside in; those of the event win.
#[derive(Debug)]
pub(super) struct Line {
    /// Wall-clock time since the Unix epoch.
    pub(super) time: Duration,
    pub(super) level: Level,
    pub(super) target: &'static str,
    pub(super) message: String,
    pub(super) fields: Fields,
}

/// Fields and their values, each name once, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, serde_json::Value)>);

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &serde_json::Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn set(&mut self, field: &Field, value: serde_json::Value) {
        let name = field.name().trim_start_matches("r#");
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = shown::clipped(&mut text, &format!("{value:?}"), MAX_FIELD);
        self.set(field, text.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = String::new();
        let _ = shown::clipped(&mut text, value, MAX_FIELD);
        self.set(field, text.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }
}

/// Names that a line has by itself; fields of these names get an underscore behind them.
const OWN: [&str; 4] = ["ts", "level", "target", "message"];

impl Line {
    /// The line as a JSON object and a line end: `ts`, `level`, `target`, `message`, then the fields.
    pub(super) fn json(&self) -> Vec<u8> {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut line = format!(
            "{{\"ts\":\"{}\",\"level\":\"{}\",\"target\":{},\"message\":{}",
            stamp(self.time),
            self.level,
            text(self.target),
            text(&self.message)
        );
        for (name, value) in self.fields.iter() {
            let more = if OWN.contains(&name) { "_" } else { "" };
            line.push_str(&format!(",{}:{value}", text(&format!("{name}{more}"))));
        }
        line.push_str("}\n");
        line.into_bytes()
    }
}

impl Line {
    /// As the admin API tells it.
    pub(super) fn for_api(&self) -> (LogLevel, LogLine) {
        let level = match self.level {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        };
        let mut fields: serde_json::Map<_, _> = self
            .fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        let account = fields.remove("account").map(|account| match account {
            serde_json::Value::String(account) => account,
            other => other.to_string(),
        });
        let line = LogLine {
            ts: stamp(self.time),
            level: self.level.to_string(),
            target: self.target.to_owned(),
            message: self.message.clone(),
            account,
            fields,
        };
        (level, line)
    }
}

/// A JSON line of this form about the program itself, for what does not go through `tracing`; with its line end.
pub(in crate::cli) fn json_line(
    level: Level,
    message: &str,
    field: Option<(&'static str, u64)>,
) -> String {
    let field = field.map(|(name, value)| (name, value.into()));
    let line = Line {
        time: now().unix,
        level,
        target: "botroupe::cli",
        message: message.to_owned(),
        fields: Fields(field.into_iter().collect()),
    };
    String::from_utf8(line.json()).unwrap_or_default()
}

/// A time in the form `2026-11-29T12:00:00.123456Z`.
pub(super) fn stamp(time: Duration) -> String {
    let micros = i64::try_from(time.as_micros()).unwrap_or_default();
    Timestamp::from_microsecond(micros)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string()
}

/// Gives each line to a sink, in the form that the sink wants.
pub(super) struct Lines {
    write: Box<dyn Fn(&Line) + Send + Sync>,
}

/// Takes lines, and never makes anybody wait.
pub(super) type Sink = Box<dyn Fn(Vec<u8>) + Send + Sync>;

impl Lines {
    pub(super) fn new(encode: fn(&Line) -> Vec<u8>, sink: Sink) -> Self {
        Self::each(move |line| sink(encode(line)))
    }

    /// Lines as they are. What takes them never makes anybody wait, and logs nothing.
    pub(super) fn each(write: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self {
            write: Box::new(write),
        }
    }

    /// Lines that go to a queue.
    pub(super) fn queued(encode: fn(&Line) -> Vec<u8>, queue: Queue) -> Self {
        Self::new(encode, Box::new(move |line| queue.put(line)))
    }
}

/// The fields of a span. Several sinks share them.
struct SpanFields(Fields);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if span.extensions().get::<SpanFields>().is_none() {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flatten() {
            // From the inside out: what is there already wins.
            if let Some(SpanFields(outer)) = span.extensions().get() {
                for (name, value) in outer.iter() {
                    if fields.iter().all(|(known, _)| known != name) {
                        fields.0.push((name, value.clone()));
                    }
                }
            }
        }
        event.record(&mut fields);
        let at = fields.0.iter().position(|(name, _)| *name == "message");
        let message = at.map(|at| fields.0.remove(at).1);
        let meta = event.metadata();
        let line = Line {
            time: now().unix,
            level: *meta.level(),
            target: meta.target(),
            message: match message {
                Some(serde_json::Value::String(text)) => text,
                Some(other) => other.to_string(),
                None => String::new(),
            },
            fields,
        };
        (self.write)(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    /// Lines that were written.
    fn written(log: impl FnOnce()) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let to = kept.clone();
        let sink = Queue::start("test", move |line: &[u8]| {
            let line = String::from_utf8_lossy(line).into_owned();
            to.lock().unwrap().push(line);
            Ok(())
        });
        let layers = tracing_subscriber::registry().with(Lines::queued(Line::json, sink.clone()));
        tracing::subscriber::with_default(layers, log);
        sink.flush();
        let kept = kept.lock().unwrap();
        kept.clone()
    }

    #[test]
    fn the_names_of_the_fields_are_stable() {
        let lines = written(|| {
            let span = tracing::info_span!("handler", account = %"shop-01", bot = "echo", conversation = %"C2Calice");
            span.in_scope(|| {
                tracing::warn!(target: "botroupe::bot", count = 3u64, share = 0.5, fine = true, "a \"flood\"");
            });
            tracing::info!(target: "botroupe::account", account = %"shop-02", level = "x", "online\nnow");
        });
        assert_eq!(lines.len(), 2);
        let rest = |line: &str| {
            let (ts, rest) = line.split_at("{\"ts\":\"2026-11-29T12:00:00.123456Z\"".len());
            assert!(
                ts.starts_with("{\"ts\":\"20") && ts.ends_with("Z\""),
                "{ts}"
            );
            rest.to_owned()
        };
        assert_eq!(
            rest(&lines[0]),
            ",\"level\":\"WARN\",\"target\":\"botroupe::bot\",\"message\":\"a \\\"flood\\\"\",\"account\":\"shop-01\",\
             \"bot\":\"echo\",\"conversation\":\"C2Calice\",\"count\":3,\"share\":0.5,\"fine\":true}\n"
        );
        assert_eq!(
            rest(&lines[1]),
            ",\"level\":\"INFO\",\"target\":\"botroupe::account\",\"message\":\"online\\\\nnow\",\"account\":\"shop-02\",\
             \"level_\":\"x\"}\n"
        );
        for line in lines {
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
    }

    #[test]
    fn the_inner_span_and_the_event_win() {
        let lines = written(|| {
            tracing::info_span!("outer", account = "a", bot = "x").in_scope(|| {
                tracing::info_span!("inner", bot = "y").in_scope(|| {
                    tracing::info!(account = "b", "words");
                });
            });
        });
        let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["account"], "b");
        assert_eq!(line["bot"], "y");
        assert_eq!(line["message"], "words");
    }

    #[test]
    fn a_text_without_end_is_clipped() {
        let lines = written(|| tracing::info!(text = "x".repeat(1 << 20), "words"));
        assert!(lines[0].len() < MAX_FIELD + 300, "{}", lines[0].len());
    }

    #[test]
    fn times_are_of_one_form() {
        assert_eq!(stamp(Duration::ZERO), "1970-01-01T00:00:00.000000Z");
        let time = Duration::from_micros(1_795_397_877_000_042);
        assert_eq!(stamp(time), "2026-11-23T01:37:57.000042Z");
    }
}
