//! What is shipped beside the program fits it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every word that begins like the name of a metric.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let words = text.split(|c| !is_name(c));
    let names = words.filter_map(|word| word.strip_prefix("botroupe_"));
    names
        .filter(|name| !name.is_empty())
        .map(|name| format!("botroupe_{}", name.trim_end_matches("_total")))
        .collect()
}

#[test]
fn rules_and_dashboard_name_only_metrics_that_there_are() {
    let mut known = BTreeSet::new();
    for entry in fs::read_dir(root().join("src/admin/metrics")).unwrap() {
        known.extend(metrics(&fs::read_to_string(entry.unwrap().path()).unwrap()));
    }
    for path in [
        "packaging/prometheus/botroupe.rules.yml",
        "packaging/prometheus/botroupe.rules.test.yml",
        "packaging/grafana/botroupe.json",
    ] {
        let used = metrics(&read(path));
        assert!(used.len() > 4, "{path}: {used:?}");
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("packaging/grafana/botroupe.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 8);
}

#[test]
#[ignore = "needs promtool, of Debian's package prometheus"]
fn the_rules_for_prometheus_fire_when_they_should() {
    let promtool = |args: &[&str]| {
        let run = Command::new("promtool")
            .args(args)
            .current_dir(root().join("packaging/prometheus"))
            .output();
        match run {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{text}");
            }
            Err(error) => eprintln!("not checked, there is no promtool: {error}"),
        }
    };
    assert!(Path::new(&root().join("packaging/prometheus")).is_dir());
    promtool(&["check", "rules", "botroupe.rules.yml"]);
    promtool(&["test", "rules", "botroupe.rules.test.yml"]);
}
