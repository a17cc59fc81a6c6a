//! What an account does by itself when the server misbehaves: a lost link, a void login, another
//! login in its place, an administrator's kick.
//!
//! Run with: `cargo run --example faults`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{collections::BTreeMap, error::Error, time::Duration};

use actix::prelude::*;
use botroupe::{
    account::{Changed, Command, Phase, Status},
    app::App,
    config::{Config, Sources},
    proto::id::UserId,
    sandbox::KickType,
};
use tokio::sync::mpsc;

/// Short waits, so that this ends soon; the real service wants 15 s between two logins.
const CONFIG: &str = r#"
    endpoint = "sandbox"
    [app]
    sdk_app_id = 1400000001
    secret_key = "good-for-the-sandbox-only"
    [[accounts]]
    user_id = "guinea-pig"
    bots = []
    login_spacing = "0s"
    backoff = { min = "300ms", max = "1s" }
    [sandbox]
    listen = "127.0.0.1:0"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    System::new().block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::parse(Sources {
        file: "faults.toml",
        text: CONFIG,
        env: &BTreeMap::new(),
        overrides: &[],
        known_bots: &[],
    })?;
    let (sender, changes) = mpsc::unbounded_channel();
    let observer = Observer(sender).start().recipient();
    let app = App::start(&config, &Default::default(), Some(observer)).await?;
    let sandbox = app.sandbox().ok_or("the config asks for a sandbox")?;
    let pig = UserId::parse("guinea-pig")?;
    let mut watch = Watch { changes };
    watch.until(Phase::Online).await?;

    println!("-- the link is cut: it resumes its login");
    sandbox.drop_link("guinea-pig")?;
    watch.until_away("link_lost").await?;
    let back = watch.until(Phase::Online).await?;
    expect(back.resumed, "a resume")?;

    println!("-- the UserSig is over: it makes a new one and logs in anew");
    sandbox.expire("guinea-pig")?;
    // The server says so in its next answer. Resuming on a new link asks for one.
    sandbox.drop_link("guinea-pig")?;
    watch.until_away("link_lost").await?;
    let back = watch.until(Phase::Online).await?;
    expect(!back.resumed, "a full login")?;

    println!("-- another web login takes its place: it yields for a while");
    sandbox.kick("guinea-pig", KickType::Account)?;
    let away = watch.until(Phase::CoolingDown).await?;
    expect(away.cause.word() == "multipleAccount", "multipleAccount")?;
    expect(away.next.is_some(), "a time to come back")?;
    println!("   (told to come back now)");
    app.order(&pig, Command::Resume).await?;
    watch.until(Phase::Online).await?;

    println!("-- an administrator throws it out: it stays away until told otherwise");
    sandbox.kick("guinea-pig", KickType::Rest)?;
    let away = watch.until(Phase::Held).await?;
    expect(away.cause.word() == "REST_API_Kick", "REST_API_Kick")?;
    expect(away.next.is_none(), "no time to come back")?;
    // A UserSig made in the very second of the kick is void too, so a try or two may be refused.
    println!("   (told to come back)");
    app.order(&pig, Command::Resume).await?;
    let back = watch.until(Phase::Online).await?;

    let count = back.counters;
    println!(
        "{} logins, {} resumes, {} lost links, {} kicks",
        count.logins,
        count.resumes,
        count.lost_links,
        count.kicks()
    );
    let stopped = app.stop().await;
    expect(stopped.logged_out, "a logout at the end")
}

fn expect(holds: bool, what: &str) -> Result<(), Box<dyn Error>> {
    if holds {
        Ok(())
    } else {
        Err(format!("expected {what}").into())
    }
}

/// Hands on every change of the account.
struct Observer(mpsc::UnboundedSender<Status>);

impl Actor for Observer {
    type Context = Context<Self>;
}

impl Handler<Changed> for Observer {
    type Result = ();

    fn handle(&mut self, Changed { status, .. }: Changed, _: &mut Context<Self>) {
        // Nobody listens any more at the very end.
        let _ = self.0.send(*status);
    }
}

/// Prints every change, and waits for some.
struct Watch {
    changes: mpsc::UnboundedReceiver<Status>,
}

impl Watch {
    async fn until(&mut self, phase: Phase) -> Result<Status, Box<dyn Error>> {
        self.find(phase.word(), |status| status.phase == phase)
            .await
    }

    async fn until_away(&mut self, cause: &str) -> Result<Status, Box<dyn Error>> {
        self.find(cause, |status| {
            status.phase == Phase::Waiting && status.cause.word() == cause
        })
        .await
    }

    async fn find(
        &mut self,
        what: &str,
        is_it: impl Fn(&Status) -> bool,
    ) -> Result<Status, Box<dyn Error>> {
        let limit = Duration::from_secs(10);
        loop {
            let status = tokio::time::timeout(limit, self.changes.recv())
                .await
                .map_err(|_| format!("not {what} within {limit:?}"))?
                .ok_or("the account is gone")?;
            let how = if status.resumed { ", resumed" } else { "" };
            match status.phase {
                Phase::Online => println!("   online{how}"),
                phase => println!("   {} ({})", phase.word(), status.cause.word()),
            }
            if is_it(&status) {
                return Ok(status);
            }
        }
    }
}
