//! Tests of a program whose output nobody reads or cannot be written: its accounts must continue.

use super::*;
use std::fs::File;

/// Injects a fault into the sandbox at `url`.
fn fault(url: &str, name: &str, body: &str) {
    let url = format!("{}/sandbox/{name}", url.replace("ws://", "http://"));
    let body = body.to_owned();
    actix_rt::System::new().block_on(async move {
        let answer = awc::Client::default()
            .post(url)
            .insert_header(("Content-Type", "application/json"))
            .send_body(body)
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.status());
    });
}

struct Fleet {
    child: Child,
    path: String,
    url: String,
    _sandbox: Running,
    _folder: tempfile::TempDir,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Usually the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Fleet {
    fn start(out: Stdio, err: Stdio, more: &[&str]) -> Self {
        let (sandbox, url) = sandbox();
        let folder = tempfile::tempdir().unwrap();
        let path = fleet(&folder, &url);
        let child = botroupe()
            .args([
                "run",
                "--config",
                &path,
                "--set",
                "defaults.login_spacing=0s",
            ])
            .args(["--set", "defaults.backoff={min=\"10ms\",max=\"50ms\"}"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap();
        Self {
            child,
            path,
            url,
            _sandbox: sandbox,
            _folder: folder,
        }
    }

    /// Waits until all accounts are online and have lost `links` links in total.
    fn until(&mut self, links: u64) {
        let deadline = botroupe::gateway::now().mono + PATIENCE;
        loop {
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended");
            let answer = output(&["status", "--json", "--config", &self.path]);
            let found = serde_json::from_slice::<serde_json::Value>(&answer.stdout);
            if let Ok(status) = &found {
                let accounts = status["accounts"].as_array().unwrap();
                let lost: u64 = accounts
                    .iter()
                    .map(|account| account["counters"]["lost_links"].as_u64().unwrap())
                    .sum();
                let online = accounts.iter().filter(|account| account["online"] == true);
                if online.count() == 4 && lost >= links {
                    return;
                }
            }
            assert!(
                botroupe::gateway::now().mono < deadline,
                "{found:?}, {}",
                String::from_utf8_lossy(&answer.stderr)
            );
        }
    }

    fn lose_links(&mut self, times: u64) {
        for n in 1..=times {
            for user in ["echo-bot", "support-01", "support-02", "support-03"] {
                fault(&self.url, "drop_link", &format!("{{\"user\":\"{user}\"}}"));
            }
            self.until(4 * n);
        }
    }

    fn stop(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.unwrap().success());
        self.child.wait().unwrap()
    }
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

#[test]
fn a_log_on_a_full_disk_costs_no_account() {
    let mut fleet = Fleet::start(Stdio::null(), full(), &[]);
    fleet.until(0);
    fleet.lose_links(3);
    assert_eq!(fleet.stop().code(), Some(0));
}

#[test]
fn a_log_whose_reader_has_gone_costs_no_account() {
    let mut fleet = Fleet::start(Stdio::null(), Stdio::piped(), &[]);
    drop(fleet.child.stderr.take());
    fleet.until(0);
    fleet.lose_links(3);
    assert_eq!(fleet.stop().code(), Some(0));
}

#[test]
fn output_on_a_full_disk_costs_no_account_and_is_told_at_the_end() {
    let mut fleet = Fleet::start(full(), Stdio::piped(), &[]);
    let err = lines(fleet.child.stderr.take().unwrap());
    fleet.until(0);
    fleet.lose_links(2);
    assert_eq!(fleet.stop().code(), Some(1));
    let err: Vec<String> = err.iter().collect();
    assert!(err.join("\n").contains("No space left"), "{err:#?}");
}

#[test]
fn pipes_that_nobody_reads_stop_neither_accounts_nor_status_nor_signals() {
    let trace = ["-vvv", "--log-format", "json"];
    let mut fleet = Fleet::start(Stdio::piped(), Stdio::piped(), &trace);
    fleet.until(0);
    // A pipe buffers 64 KiB, and every round writes a part of it.
    fleet.lose_links(40);
    assert_eq!(fleet.stop().code(), Some(0));
    let mut err = String::new();
    let mut pipe = fleet.child.stderr.take().unwrap();
    pipe.read_to_string(&mut err).unwrap();
    assert!(err.len() > 60_000, "the pipe was never full: {}", err.len());
}

#[test]
fn whoever_stops_reading_for_a_while_gets_json_and_a_count_of_nothing_lost() {
    let trace = ["-vvv", "--log-format", "json"];
    let mut fleet = Fleet::start(Stdio::piped(), Stdio::piped(), &trace);
    fleet.until(0);
    fleet.lose_links(20);
    // Start to read again.
    let err = lines(fleet.child.stderr.take().unwrap());
    let out = lines(fleet.child.stdout.take().unwrap());
    let pid = fleet.child.id().to_string();
    let asked = Command::new("kill").args(["-USR1", &pid]).status();
    assert!(asked.unwrap().success());
    assert_eq!(fleet.stop().code(), Some(0));
    let mut stopping = false;
    for line in err.iter().chain(out.iter()) {
        let object: serde_json::Value = serde_json::from_str(&line).expect(&line);
        stopping |= object["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("stopping"));
    }
    assert!(stopping, "the last lines are there");
}
