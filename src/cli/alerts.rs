//! `botroupe alerts`: tells the receivers of a config a test alert.

use std::io::Write;
use std::time::Duration;

use actix::System;

use super::args::AlertsTestArgs;
use super::exit::Failure;
use super::load::load;
use super::seat::{Lock, Seat};
use crate::account::{AccountName, Phase};
use crate::alerts::{deliver, test_notice};
use crate::app::App;
use crate::bot::{Api, Bots};
use crate::config::{AlertConfig, AlertTarget, Config, Env};
use crate::gateway::{now, use_net};

/// How long an account that writes may take to come online.
const ONLINE_LIMIT: Duration = Duration::from_secs(30);

/// Tells one receiver, or all of them, and writes what came of it to `out`.
///
/// # Errors
/// When the config is wrong or has no such receiver, and when one of them did not take it.
pub(super) fn test(
    args: &AlertsTestArgs,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let config = load(&args.config.config, &args.config.overrides(), env, bots)?;
    let wanted = |alert: &&AlertConfig| args.name.as_ref().is_none_or(|name| *name == alert.name);
    let receivers: Vec<&AlertConfig> = config.alerts.iter().filter(wanted).collect();
    if receivers.is_empty() {
        let known: Vec<&str> = config.alerts.iter().map(|one| one.name.as_str()).collect();
        return Err(Failure::Usage(match (&args.name, known.is_empty()) {
            (_, true) => {
                "the config has no [[alerts]]; add one with to = \"webhook\" and a url".to_owned()
            }
            (name, false) => format!(
                "there is no receiver {:?} among the [[alerts]] (known: {})",
                name.as_deref().unwrap_or_default(),
                known.join(", ")
            ),
        }));
    }
    let fleet = args.config.config.display().to_string();
    let mut failed = 0;
    for receiver in receivers {
        let told = System::new().block_on(tell(receiver, &config, bots, &fleet, args));
        let line = match &told {
            Ok(()) => format!("{}: told ({})", receiver.name, receiver.to.kind()),
            Err(reason) => format!(
                "{}: not told ({}): {reason}",
                receiver.name,
                receiver.to.kind()
            ),
        };
        failed += usize::from(told.is_err());
        writeln!(out, "{line}").map_err(Failure::Output)?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::Unwell("1 receiver was not told".to_owned())),
        _ => Err(Failure::Unwell(format!("{failed} receivers were not told"))),
    }
}

async fn tell(
    receiver: &AlertConfig,
    config: &Config,
    bots: &Bots,
    fleet: &str,
    args: &AlertsTestArgs,
) -> Result<(), String> {
    let unix = now().unix;
    let notice = test_notice(unix);
    let id = format!("test-{:x}", unix.as_nanos());
    let names = (fleet, id.as_str());
    if let AlertTarget::Account { account, .. } = &receiver.to {
        return by_account(receiver, account, config, bots, names, args).await;
    }
    use_net(&config.network).map_err(|error| error.to_string())?;
    let told = deliver(&receiver.to, None, &notice, names).await;
    told.map_err(|error| error.to_string())
}

/// Brings the account online, writes, and logs it out. Beside a running fleet that would take the account from it.
async fn by_account(
    receiver: &AlertConfig,
    account: &AccountName,
    config: &Config,
    bots: &Bots,
    names: (&str, &str),
    args: &AlertsTestArgs,
) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let path = &args.config.config;
    let seat = Seat::for_run(path).map_err(|error| text(&error))?;
    let _lock = Lock::take(path, &seat, false).map_err(|error| match error {
        Failure::AlreadyRunning { .. } => format!(
            "the fleet runs, and a test from here would take {account} from it; test it while the fleet is stopped"
        ),
        error => error.to_string(),
    })?;
    let mut alone = config.clone();
    alone.accounts.retain(|known| known.name == *account);
    for known in &mut alone.accounts {
        known.bots = std::sync::Arc::new([]);
    }
    let app = App::start(&alone, bots, None).await;
    let app = app.map_err(|error| text(&error))?;
    let told = match online(&app).await {
        Ok(()) => {
            let api: Option<Api> = app.api(account.as_str());
            let notice = test_notice(now().unix);
            let told = deliver(&receiver.to, api.as_ref(), &notice, names).await;
            told.map_err(|error| text(&error))
        }
        Err(why) => Err(why),
    };
    app.stop().await;
    told
}

async fn online(app: &App) -> Result<(), String> {
    let by = now().mono + ONLINE_LIMIT;
    loop {
        let status = app.status().await;
        let Some(status) = status.first() else {
            return Err("the account does not run".to_owned());
        };
        let stays = matches!(status.phase, Phase::Held | Phase::Quarantined);
        if status.phase.is_online() {
            return Ok(());
        }
        if stays || now().mono > by {
            return Err(format!(
                "{} is not online: {}",
                status.account, status.cause
            ));
        }
        actix_rt::time::sleep(Duration::from_millis(50)).await;
    }
}
