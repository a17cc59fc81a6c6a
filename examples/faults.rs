//! Shows the automatic reactions of an account to server faults: a lost link, a void login, another
//! login that replaces it, and an administrator's kick.
//!
//! Run with: `cargo run --example faults`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{error::Error, time::Duration};

use botroupe::{
    fleet::{Command, Fleet, Phase, Status},
    sandbox::KickType,
};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (sender, changes) = mpsc::unbounded_channel();
    let fleet = Fleet::builder()
        .sandbox()
        .account("guinea-pig")
        // The waits are short, so that the example ends soon. The real service needs 15 s between
        // two logins.
        .set("defaults.login_spacing", "0s")
        .set("defaults.backoff.min", "300ms")
        .set("defaults.backoff.max", "1s")
        .on_change(move |status| {
            // At the very end there is no receiver any more.
            let _ = sender.send(status.clone());
        })
        .start()
        .await?;
    let sandbox = fleet.sandbox().ok_or("the fleet has a sandbox")?;
    let mut watch = Watch { changes };
    watch.until(Phase::Online).await?;

    println!("-- the link is cut: the account resumes its login");
    sandbox.drop_link("guinea-pig")?;
    watch.until_away("link_lost").await?;
    let back = watch.until(Phase::Online).await?;
    expect(back.resumed, "a resume")?;

    println!("-- the UserSig has expired: the account makes a new one and logs in again");
    sandbox.expire("guinea-pig")?;
    // The account learns of it from the next answer, and resuming on a new link sends a request.
    sandbox.drop_link("guinea-pig")?;
    watch.until_away("link_lost").await?;
    let back = watch.until(Phase::Online).await?;
    expect(!back.resumed, "a full login")?;

    println!("-- another web login replaces this one: the account waits for a while");
    sandbox.kick("guinea-pig", KickType::Account)?;
    let away = watch.until(Phase::CoolingDown).await?;
    expect(away.cause.word() == "multipleAccount", "multipleAccount")?;
    expect(away.next.is_some(), "a time to come back")?;
    println!("   (resumed by hand)");
    fleet.order("guinea-pig", Command::Resume).await?;
    watch.until(Phase::Online).await?;

    println!("-- an administrator kicks the account: it stays offline until it is resumed");
    sandbox.kick("guinea-pig", KickType::Rest)?;
    let away = watch.until(Phase::Held).await?;
    expect(away.cause.word() == "REST_API_Kick", "REST_API_Kick")?;
    expect(away.next.is_none(), "no time to come back")?;
    // A UserSig issued in the same second as the kick is void too, so the server may reject one or
    // two logins.
    println!("   (resumed by hand)");
    fleet.order("guinea-pig", Command::Resume).await?;
    let back = watch.until(Phase::Online).await?;

    let count = back.counters;
    println!(
        "{} logins, {} resumes, {} lost links, {} kicks",
        count.logins,
        count.resumes,
        count.lost_links,
        count.kicks()
    );
    let stopped = fleet.stop().await?;
    expect(stopped.logged_out, "a logout at the end")
}

fn expect(holds: bool, what: &str) -> Result<(), Box<dyn Error>> {
    if holds {
        Ok(())
    } else {
        Err(format!("expected {what}").into())
    }
}

/// Prints every status change, and waits for specific ones.
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
