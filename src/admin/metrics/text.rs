//! Writes figures in the text format of Prometheus.

use super::figures::{Figure, Kind};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;

#[derive(Debug)]
struct All(Vec<Figure>);

impl Collector for All {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for figure in &self.0 {
            let kind = match figure.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let mut metric = encoder.encode_descriptor(figure.name, figure.help, None, kind)?;
            for (label, value) in &figure.values {
                if figure.label.is_empty() {
                    write_value(&mut metric, figure.kind, *value)?;
                } else {
                    let labels = [(figure.label, &**label)];
                    write_value(&mut metric.encode_family(&labels)?, figure.kind, *value)?;
                }
            }
        }
        Ok(())
    }
}

fn write_value(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> Result<(), fmt::Error> {
    match kind {
        Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        Kind::Gauge => encoder.encode_gauge(&value),
    }
}

/// The figures as text.
///
/// # Errors
/// Never, because writing to a `String` does not fail.
pub(in crate::admin) fn write(figures: Vec<Figure>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(All(figures)));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}
