//! Runs a bot in a group. It greets new members and reports recalled messages.
//!
//! Run with: `cargo run --example group`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{error::Error, time::Duration};

use botroupe::{prelude::*, sandbox::Sandbox};
use serde_json::json;

fn bot() -> Bot {
    Bot::new("greeter")
        .on_group_tip(greet)
        .on_update(notice)
        .on_text(answer)
}

/// Mentions new members. The returned draft goes to the group of the tip.
async fn greet(tip: GroupTip) -> Option<Draft> {
    if tip.kind() != TipKind::Joined {
        return None;
    }
    let names = tip.members.join(", ");
    let draft = Draft::text(format!("Welcome, {names}!"));
    Some(tip.members.iter().fold(draft, Draft::mention))
}

/// Updates do not belong to a conversation, so the bot names the receiver itself.
async fn notice(update: Update, api: Api) -> Result<(), ApiError> {
    if let Update::Recalled {
        conversation, by, ..
    } = update
    {
        let text = format!("{by} took something back.");
        api.send(conversation, text).await?;
    }
    Ok(())
}

/// The `Group` parameter restricts this handler to groups.
async fn answer(text: Text, sender: Sender, group: Group) -> Option<String> {
    (&*text == "where am I?").then(|| format!("{}: in {}", sender.user_id, group.name))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::builder()
        .sandbox()
        .bot(bot)
        .account("greeter-bot")
        .start()
        .await?;
    let sandbox = fleet.sandbox().ok_or("the fleet has a sandbox")?;

    // Acts as the app's server over the REST API: creates the group and adds members.
    let administer = |command: &str, body: serde_json::Value| {
        let answer = sandbox.administer(&format!("group_open_http_svc/{command}"), &body);
        if answer["ErrorCode"] == 0 {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    };
    administer(
        "create_group",
        json!({"Owner_Account": "alice", "Type": "Public", "Name": "Parcel club", "GroupId": "club",
               "MemberList": [{"Member_Account": "greeter-bot"}]}),
    )?;
    administer(
        "add_group_member",
        json!({"GroupId": "club", "MemberList": [{"Member_Account": "bob"}]}),
    )?;
    said(sandbox, "Welcome, bob!").await?;
    sandbox.say_to_group("bob", "club", "where am I?")?;
    said(sandbox, "bob: in Parcel club").await?;
    let number = sandbox.say_to_group("bob", "club", "oops")?;
    administer(
        "group_msg_recall",
        json!({"GroupId": "club", "MsgSeqList": [{"MsgSeq": number}]}),
    )?;
    said(sandbox, "took something back").await?;

    let stopped = fleet.stop().await?;
    if !stopped.drained || !stopped.logged_out {
        return Err(format!("expected a clean end, got {stopped:?}").into());
    }
    Ok(())
}

/// Waits until the bot has sent a message to the group that contains `text`.
async fn said(sandbox: &Sandbox, text: &str) -> Result<(), Box<dyn Error>> {
    let look = async {
        loop {
            let history = sandbox.group_history("club");
            let by_bot = history
                .iter()
                .filter(|item| item.from.as_str() == "greeter-bot");
            if let Some(item) = by_bot.into_iter().find(|item| item.body.contains(text)) {
                return item.body.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let body = tokio::time::timeout(Duration::from_secs(10), look)
        .await
        .map_err(|_| format!("the bot did not say {text:?}"))?;
    let elements: serde_json::Value = serde_json::from_str(&body)?;
    let text = elements[0]["MsgContent"]["Text"].as_str();
    println!("greeter-bot: {}", text.unwrap_or_default());
    Ok(())
}
