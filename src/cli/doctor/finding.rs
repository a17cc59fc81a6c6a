//! What the doctor has found, for people and programs.

use std::fmt::Write as _;

use serde::Serialize;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Nothing is wrong.
    Ok,
    /// It works, and may not for long, or not for all.
    Warning,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// What was found.
    pub(super) text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            text: text.into(),
            remedy: None,
        }
    }

    /// The same, of one of several apps.
    pub(super) fn of_app(self, app: Option<&str>) -> Self {
        match app {
            Some(app) => Self {
                text: format!("app {app}: {}", self.text),
                ..self
            },
            None => self,
        }
    }

    pub(super) fn warning(
        name: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(name, text)
        }
    }

    pub(super) fn bad(
        name: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::warning(name, text, remedy)
        }
    }
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// How many are bad.
    pub(super) bad: usize,
    /// How many may become so.
    pub(super) warnings: usize,
    checks: Vec<Finding>,
}

impl Report {
    pub(super) fn new(checks: Vec<Finding>) -> Self {
        let count = |wanted| checks.iter().filter(|one| one.verdict == wanted).count();
        Self {
            bad: count(Verdict::Bad),
            warnings: count(Verdict::Warning),
            checks,
        }
    }

    /// A line for each thing, and one below it with what to do.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for one in &self.checks {
            let verdict = match one.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Bad => "BAD",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{verdict:<8} {:<9} {}", one.name, one.text);
            if let Some(remedy) = &one.remedy {
                let _ = writeln!(text, "{:<18} → {remedy}", "");
            }
        }
        let _ = writeln!(
            text,
            "{} looked at: {} bad, {} to keep an eye on",
            self.checks.len(),
            self.bad,
            self.warnings
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_and_reads_well() {
        let report = Report::new(vec![
            Finding::ok("files", "66 needed, 1024 allowed"),
            Finding::warning("clock", "3 s behind", "set it"),
            Finding::bad("store", "the disk is full", "free some"),
        ]);
        assert_eq!((report.bad, report.warnings), (1, 1));
        assert_eq!(
            report.text(),
            "ok       files     66 needed, 1024 allowed\n\
             warning  clock     3 s behind\n                   → set it\n\
             BAD      store     the disk is full\n                   → free some\n\
             3 looked at: 1 bad, 1 to keep an eye on\n"
        );
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            "{\"bad\":1,\"warnings\":1,\"checks\":[{\"name\":\"files\",\"verdict\":\"ok\",\"text\":\"66 needed, 1024 allowed\"},\
             {\"name\":\"clock\",\"verdict\":\"warning\",\"text\":\"3 s behind\",\"remedy\":\"set it\"},\
             {\"name\":\"store\",\"verdict\":\"bad\",\"text\":\"the disk is full\",\"remedy\":\"free some\"}]}"
        );
    }
}
