//! Shows the embedded server: accounts, messages and faults without internet access.
//!
//! Run with: `cargo run --example sandbox`
//!
//! The example prints a login, a message and a kick, packet by packet, and then ends. With `--
//! --serve [PORT]` it serves until Ctrl-C; set the official SDK's `proxyServer` to the printed
//! address. The SDKAppID is 1400000001, and the SecretKey is `secret`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::error::Error;

use actix_http::ws::Frame;
use botroupe::{
    proto::{endpoint::connect_url, id::SdkAppId, usersig::UserSig},
    sandbox::{KickType, Sandbox, SandboxConfig},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    actix_rt::System::new().block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let serve = args.next().as_deref() == Some("--serve");
    let port: u16 = args.next().map_or(Ok(0), |port| port.parse())?;
    let config = SandboxConfig::new(SdkAppId::new(1_400_000_001)?, "secret");
    let sandbox = Sandbox::start(config, ([127, 0, 0, 1], port).into()).await?;
    println!("sandbox ready {}", sandbox.url());
    if serve {
        actix_rt::signal::ctrl_c().await?;
    } else {
        show(&sandbox).await?;
    }
    sandbox.stop().await;
    Ok(())
}

async fn show(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let instance = "0123456789abcdef0123456789abcdef";
    let url = connect_url(&sandbox.url(), sandbox.app(), instance, 0.5, false);
    let (_, mut link) = awc::Client::new()
        .ws(url)
        .connect()
        .await
        .map_err(|e| e.to_string())?;
    let sig = sandbox.user_sig("alice")?;
    link.send(awc::ws::Message::Binary(login(sandbox.app(), &sig).into()))
        .await?;
    let answer = next(&mut link).await?;
    println!("alice is in, InstId {}", answer["body"]["InstId"]);

    sandbox.say("bob", "alice", "hello alice")?;
    let push = next(&mut link).await?;
    let message = &push["body"]["EventArray"][0]["C2cMsgArray"][0];
    println!(
        "{} says {}",
        message["From_Account"], message["MsgBody"][0]["MsgContent"]["Text"]
    );

    sandbox.kick("alice", KickType::Rest)?;
    let push = next(&mut link).await?;
    println!("and out again: {}", push["head"]["servcmd"]);
    println!("{} messages in all", sandbox.status().counters.messages);
    Ok(())
}

fn login(app: SdkAppId, sig: &UserSig) -> String {
    json!({
        "head": {
            "servcmd": "im_open_status.wslogin", "seq": 1, "sdkappid": app, "platform": 7,
            "identifier": "alice", "usersig": sig.expose(), "status_instid": 0, "cs": 0,
        },
        "body": {"State": "Online", "is_web_uniapp": 0, "InstType": 0, "CustomInfo": ""},
    })
    .to_string()
}

async fn next(
    link: &mut (impl StreamExt<Item = Result<Frame, actix_http::ws::ProtocolError>> + Unpin),
) -> Result<Value, Box<dyn Error>> {
    loop {
        if let Frame::Binary(bytes) = link.next().await.ok_or("the link is gone")?? {
            return Ok(serde_json::from_slice(&bytes)?);
        }
    }
}
