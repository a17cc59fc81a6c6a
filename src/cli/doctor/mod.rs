//! `botroupe doctor`: looks at everything that a config needs of its machine, and says what to do.

mod checks;
mod finding;
mod probes;

use std::io::Write;
use std::path::Path;

use actix::System;
use secrecy::ExposeSecret;
use url::Url;

use super::args::DoctorArgs;
use super::exit::Failure;
use super::limits::Handles;
use super::load::load;
use super::seat::{Lock, Seat};
use crate::alerts::free_space;
use crate::app::{check_network, walk};
use crate::bot::Bots;
use crate::config::{App, Config, Endpoint, Env, ProxyUrl};
use crate::gateway::use_net;
use crate::store::StoreFile;
use checks::{ConfigFacts, StoreFacts};
use finding::{Finding, Report};

/// Writes what it has found to `out`.
///
/// # Errors
/// [`Failure::Unwell`] when something is bad, [`Failure::Output`].
pub(super) fn doctor(
    args: &DoctorArgs,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let path = args.path();
    let findings = match load(path, &args.config.overrides(), env, bots) {
        Ok(config) => look(path, &config, env),
        Err(failure) => {
            let remedy = format!("mend it; `botroupe check {}` says the same", path.display());
            vec![Finding::bad("config", failure.to_string(), remedy)]
        }
    };
    let report = Report::new(findings);
    let text = match args.json {
        true => {
            let json = serde_json::to_string(&report);
            json.map_err(|error| Failure::Internal(error.to_string()))? + "\n"
        }
        false => report.text(),
    };
    out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    match report.bad {
        0 => Ok(()),
        1 => Err(Failure::Unwell("1 thing is bad".to_owned())),
        bad => Err(Failure::Unwell(format!("{bad} things are bad"))),
    }
}

fn look(path: &Path, config: &Config, env: &dyn Env) -> Vec<Finding> {
    let runs = is_running(path);
    let accounts = config.accounts.iter().filter(|account| account.enabled);
    let count = accounts.clone().count();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut findings = checks::config(ConfigFacts {
        is_real: config
            .apps
            .iter()
            .any(|app| matches!(app.endpoint, Endpoint::Auto | Endpoint::Site(_))),
        readable_by_others: probes::readable_by_others(path),
        holds_secret: probes::holds_secret(&text),
        alerts: !config.alerts.is_empty(),
        accounts: count,
        idle: accounts.filter(|account| account.bots.is_empty()).count(),
    });
    let handles = Handles::of(config);
    findings.push(checks::files(
        handles.most,
        handles.needed(),
        handles.fitting(handles.most),
        handles.remedy(),
    ));
    findings.push(checks::memory(probes::available_memory(), count as u64));
    findings.extend(checks::store(&store_facts(config)));
    if let Some(file) = &config.log.file {
        findings.push(checks::log_file(&file.path, probes::unwritable(&file.path)));
    }
    findings.extend(ports(config, count as u64, runs));
    for app in &config.apps {
        let found = endpoint(config, app, env);
        findings.extend(
            found
                .into_iter()
                .map(|finding| finding.of_app(app.name.as_deref())),
        );
    }
    let what = match runs {
        true => "the fleet runs",
        false => "the fleet does not run",
    };
    findings.push(Finding::ok("process", what));
    findings
}

/// Whether a process runs this config: it has the lock.
fn is_running(path: &Path) -> bool {
    Seat::candidates(path).iter().any(Lock::is_taken)
}

fn store_facts(config: &Config) -> StoreFacts {
    let path = config.store.path.as_path();
    if path.as_os_str() == ":memory:" {
        return StoreFacts {
            path: None,
            unwritable: None,
            unreadable: None,
            exists: false,
            free: None,
        };
    }
    let exists = path.exists();
    let unreadable = exists.then(|| StoreFile::open(path).err());
    StoreFacts {
        unwritable: probes::unwritable(path),
        unreadable: unreadable.flatten().map(|error| error.to_string()),
        exists,
        free: free_space(path).ok(),
        path: Some(path.to_owned()),
    }
}

fn ports(config: &Config, accounts: u64, runs: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let served = config
        .apps
        .iter()
        .filter(|app| app.endpoint == Endpoint::Sandbox);
    let sandboxes = 0..served.count();
    let is_sandbox = sandboxes.len() == config.apps.len();
    let sandbox = sandboxes.map(|number| ("sandbox.listen", config.sandbox.listen_of(number)));
    let admin = config.admin.listen.map(|listen| ("admin.listen", listen));
    for (what, address) in sandbox.chain(admin) {
        let bound = probes::bind(address);
        findings.push(checks::listening(what, address, &bound, runs));
    }
    if !is_sandbox {
        let sources = config.network.bind.len() as u64;
        findings.extend(checks::links(accounts, probes::port_range(), sources));
    }
    findings
}

/// Names, TLS, proxies and the clock, by asking the endpoint.
fn endpoint(config: &Config, app: &App, env: &dyn Env) -> Vec<Finding> {
    if app.endpoint == Endpoint::Sandbox {
        return vec![Finding::ok(
            "network",
            "the sandbox is in the same process: no names, no TLS, no other clock",
        )];
    }
    let ready = check_network(config).map_err(|error| error.to_string());
    let ready = ready.and_then(|()| use_net(&config.network).map_err(|error| error.to_string()));
    if let Err(reason) = ready {
        return vec![Finding::bad(
            "network",
            reason,
            "look at [tls] and [proxy] of the config, and at HTTPS_PROXY",
        )];
    }
    // ws:// is http://, wss:// is https://.
    let origin = walk(config, app, None).current().replacen("ws", "http", 1);
    let parsed = Url::parse(&origin).ok();
    let host = parsed.as_ref().and_then(Url::host_str).unwrap_or_default();
    let port = parsed
        .as_ref()
        .and_then(Url::port_or_known_default)
        .unwrap_or(443);
    let proxy = proxy_of(config, env);
    let (found, told) = System::new().block_on(async {
        (
            probes::resolve(host, port).await,
            probes::ask(&origin).await,
        )
    });
    let mut findings = Vec::new();
    // A proxy may be the only one who can resolve it.
    if proxy.is_none() || found.is_ok() {
        findings.push(checks::names(host, &found));
    }
    findings.push(checks::network(&origin, proxy.as_deref(), &told.answer));
    findings.push(checks::clock(told.off));
    findings
}

/// The proxy for requests to the endpoint, without user name and password.
fn proxy_of(config: &Config, env: &dyn Env) -> Option<String> {
    let given = config.network.proxy.as_ref();
    let text = match given {
        Some(proxy) => proxy.expose_secret().to_owned(),
        None => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
            .into_iter()
            .find_map(|name| env.get(name).filter(|value| !value.is_empty()))?,
    };
    match ProxyUrl::parse(&text) {
        Ok(_) => {
            let mut url = Url::parse(&text).ok()?;
            // A URL with a host takes both.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            Some(url.as_str().trim_end_matches('/').to_owned())
        }
        Err(_) => Some("that cannot be read".to_owned()),
    }
}
