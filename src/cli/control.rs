//! Asks a running process over its control socket, for status and orders. [`Seat`] knows the socket's path.

use super::exit::Failure;
use super::seat::Seat;
use crate::admin::client::{Client, ClientError, LIMIT};
use crate::admin::types::{
    Account, AccountPage, AlertList, ConsoleLink, DialogueAt, DialoguePage, Done, Fleet,
    LevelsOfLog, LogLine, LogPage, Missed, NewHandover, NewLevel, NewOrder, NewSilence, OrderKind,
    OrderOutlook, ProblemCode, ReloadPlan, SilenceOf,
};
use awc::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a reload may take: bots are made, the store is read, and accounts that leave finish and log out.
const RELOAD_LIMIT: Duration = Duration::from_secs(900);
/// Accounts in one answer.
const PAGE: usize = 1000;

/// What is asked of the process that runs `config`.
///
/// # Errors
/// When no process answers, or it refuses the request.
fn ask<T>(
    config: &Path,
    question: impl AsyncFnOnce(&Client) -> Result<T, ClientError>,
) -> Result<T, Failure> {
    ask_for(config, Some(LIMIT), question)
}

/// Like [`ask`], for what may take so long, or has no end.
fn ask_for<T>(
    config: &Path,
    limit: Option<Duration>,
    question: impl AsyncFnOnce(&Client) -> Result<T, ClientError>,
) -> Result<T, Failure> {
    if !config.exists() {
        return Err(Failure::Usage(format!(
            "{}: there is no such config; name that of the running process with --config FILE",
            config.display()
        )));
    }
    let nobody = |error: &io::Error, path: &Path| {
        Failure::Runtime(
            format!(
                "{}: {error}; is `botroupe run --config {}` running?",
                path.display(),
                config.display()
            )
            .into(),
        )
    };
    let mut refused = None;
    let mut found = None;
    for seat in &Seat::candidates(config) {
        let path = seat.socket();
        match UnixStream::connect(&path) {
            Ok(_) => {
                found = Some(path);
                break;
            }
            Err(error) => refused = refused.or(Some((error, path))),
        }
    }
    let Some(path) = found else {
        let none = || {
            (
                io::ErrorKind::NotFound.into(),
                Seat::beside(config).socket(),
            )
        };
        let (error, path) = refused.unwrap_or_else(none);
        return Err(nobody(&error, &path));
    };
    let asked = actix_rt::System::new().block_on(async {
        let client = match limit {
            Some(limit) => Client::patient(path.clone(), limit),
            None => Client::endless(path.clone()),
        };
        question(&client).await
    });
    asked.map_err(|error| match error {
        ClientError::Nobody(error) => nobody(&error, &path),
        ClientError::Refused(problem) if problem.code == ProblemCode::Invalid => {
            Failure::Usage(problem.error)
        }
        ClientError::Refused(problem) => Failure::Runtime(problem.error.into()),
        error => Failure::Runtime(format!("{}: {error}", path.display()).into()),
    })
}

/// A UserID as a part of a path.
fn part(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// How all accounts stand, or one, as JSON.
///
/// # Errors
/// As [`ask`].
pub(super) fn status(config: &Path, account: Option<&str>) -> Result<Value, Failure> {
    let answer = match account {
        Some(account) => {
            let path = format!("/api/v1/accounts/{}", part(account));
            let told = ask(config, async |client| client.get::<Account>(&path).await)?;
            serde_json::to_value(told)
        }
        None => {
            let (fleet, accounts) = ask(config, whole)?;
            Ok(json!({
                "accounts": accounts,
                "blocked_threads": fleet.blocked_threads,
                "store": fleet.store,
                "socket": fleet.socket,
            }))
        }
    };
    answer.map_err(|error| Failure::Internal(error.to_string()))
}

async fn whole(client: &Client) -> Result<(Fleet, Vec<Account>), ClientError> {
    let fleet = client.get("/api/v1/status").await?;
    let mut accounts = Vec::new();
    let mut from = Some(0);
    while let Some(next) = from {
        let path = format!("/api/v1/accounts?records=true&limit={PAGE}&from={next}");
        let page: AccountPage = client.get(&path).await?;
        accounts.extend(page.accounts);
        from = page.next;
    }
    Ok((fleet, accounts))
}

/// Gives an order to an account.
///
/// # Errors
/// As [`ask`].
pub(super) fn order(config: &Path, account: &str, order: OrderKind) -> Result<(), Failure> {
    let path = format!("/api/v1/accounts/{}/orders", part(account));
    let order = NewOrder { order };
    ask(config, async |client| {
        client.send::<Done>(Method::POST, &path, Some(&order)).await
    })
    .map(drop)
}

/// What an order would do to an account.
///
/// # Errors
/// As [`ask`].
pub(super) fn outlook(
    config: &Path,
    account: &str,
    order: OrderKind,
) -> Result<OrderOutlook, Failure> {
    let path = format!("/api/v1/accounts/{}/orders/{}", part(account), order.word());
    ask(config, async |client| client.get(&path).await)
}

/// Sends a letter after all, or drops it.
///
/// # Errors
/// As [`ask`].
pub(super) fn letter(config: &Path, number: u64, is_retry: bool) -> Result<(), Failure> {
    let (method, path) = if is_retry {
        (Method::POST, format!("/api/v1/outbox/{number}/retry"))
    } else {
        (Method::DELETE, format!("/api/v1/outbox/{number}"))
    };
    ask(config, async |client| {
        client.send::<Done>(method, &path, None::<&()>).await
    })
    .map(drop)
}

/// What a reload of the config would do, or with `is_done` has done.
///
/// # Errors
/// As [`ask`].
pub(super) fn reload(config: &Path, is_done: bool) -> Result<ReloadPlan, Failure> {
    let path = if is_done {
        "/api/v1/reload"
    } else {
        "/api/v1/plan"
    };
    ask_for(config, Some(RELOAD_LIMIT), async |client| {
        client.send(Method::POST, path, None::<&()>).await
    })
}

/// Whether a process runs `config` and can be asked.
pub(super) fn is_running(config: &Path) -> bool {
    let seats = Seat::candidates(config);
    seats
        .iter()
        .any(|seat| UnixStream::connect(seat.socket()).is_ok())
}

/// Has the process that runs `config` hand over to the one that listens at `socket`.
///
/// # Errors
/// As [`ask`].
pub(super) fn hand_over(config: &Path, socket: &Path) -> Result<(), Failure> {
    let new = NewHandover {
        socket: socket.display().to_string(),
        pid: Some(std::process::id()),
    };
    ask(config, async |client| {
        client
            .send::<Done>(Method::POST, "/api/v1/handover", Some(&new))
            .await
    })
    .map(drop)
}

/// A link that leads into the console once.
///
/// # Errors
/// As [`ask`].
pub(super) fn console_link(config: &Path) -> Result<ConsoleLink, Failure> {
    ask(config, async |client| {
        client
            .send(Method::POST, "/api/v1/console-link", None::<&()>)
            .await
    })
}

/// What a running process logs.
///
/// # Errors
/// As [`ask`].
pub(super) fn levels(config: &Path) -> Result<LevelsOfLog, Failure> {
    ask(config, async |client| {
        client.get("/api/v1/logs/levels").await
    })
}

/// Gives a part of the log another level for a while.
///
/// # Errors
/// As [`ask`].
pub(super) fn set_level(config: &Path, new: &NewLevel) -> Result<(), Failure> {
    ask(config, async |client| {
        client
            .send::<LevelsOfLog>(Method::PUT, "/api/v1/logs/levels", Some(new))
            .await
    })
    .map(drop)
}

/// The last lines of the log, and with `follows` those that come, until the process ends.
///
/// # Errors
/// As [`ask`], and when a line cannot be written.
pub(super) fn log_lines(
    config: &Path,
    account: Option<&str>,
    last: u32,
    follows: bool,
    mut write: impl FnMut(&LogLine) -> io::Result<()>,
) -> Result<(), Failure> {
    let of = account.map(|account| format!("&account={}", part(account)));
    let query = format!("last={last}{}", of.unwrap_or_default());
    if !follows {
        let page: LogPage = ask(config, async |client| {
            client.get(&format!("/api/v1/logs?{query}")).await
        })?;
        let written = page.lines.iter().try_for_each(write);
        return written.map_err(Failure::Output);
    }
    let mut failed = None;
    let followed = ask_for(config, None, async |client| {
        let path = format!("/api/v1/logs/stream?{query}");
        let on = |name: &str, data: &[u8]| {
            let written = match name {
                "line" => serde_json::from_slice(data).map_or(Ok(()), |line| write(&line)),
                "missed" => {
                    let missed = serde_json::from_slice(data).map_or(0, |it: Missed| it.missed);
                    tell_missed(missed);
                    Ok(())
                }
                _ => Ok(()),
            };
            failed = written.err();
            failed.is_none()
        };
        client.follow(&path, on).await
    });
    match failed {
        Some(error) => Err(Failure::Output(error)),
        None => followed,
    }
}

fn tell_missed(count: u64) {
    super::output::err(&format!("… {count} lines were lost: they came too quickly"));
}

/// What fires in a running process.
///
/// # Errors
/// As [`ask`].
pub(super) fn alerts(config: &Path) -> Result<AlertList, Failure> {
    ask(config, async |client| client.get("/api/v1/alerts").await)
}

/// Keeps alerts quiet for a while.
///
/// # Errors
/// As [`ask`].
pub(super) fn silence(config: &Path, new: &NewSilence) -> Result<SilenceOf, Failure> {
    let path = "/api/v1/alerts/silences";
    ask(config, async |client| {
        client.send(Method::POST, path, Some(new)).await
    })
}

/// Ends a silence.
///
/// # Errors
/// As [`ask`].
pub(super) fn unsilence(config: &Path, number: u64) -> Result<(), Failure> {
    let path = format!("/api/v1/alerts/silences/{number}");
    ask(config, async |client| {
        client
            .send::<Done>(Method::DELETE, &path, None::<&()>)
            .await
    })
    .map(drop)
}

/// The dialogues of a running process that wait for an answer.
///
/// # Errors
/// As [`ask`].
pub(super) fn dialogues(
    config: &Path,
    account: Option<&str>,
    bot: Option<&str>,
) -> Result<Vec<DialogueAt>, Failure> {
    let filter = [("account", account), ("bot", bot)];
    let filter = filter.map(|(name, value)| {
        let value = value.map(|value| format!("&{name}={}", part(value)));
        value.unwrap_or_default()
    });
    let filter = filter.concat();
    ask(config, async |client| {
        let mut all = Vec::new();
        let mut from = Some(0);
        while let Some(next) = from {
            let path = format!("/api/v1/dialogues?limit=500&from={next}{filter}");
            let page: DialoguePage = client.get(&path).await?;
            all.extend(page.dialogues);
            from = page.next;
        }
        Ok(all)
    })
}

/// Ends a dialogue.
///
/// # Errors
/// As [`ask`].
pub(super) fn drop_dialogue(config: &Path, id: &str) -> Result<(), Failure> {
    let path = format!("/api/v1/dialogues/{}", part(id));
    ask(config, async |client| {
        client
            .send::<Done>(Method::DELETE, &path, None::<&()>)
            .await
    })
    .map(drop)
}
