//! b: tokio-tungstenite, tuned for many idle accounts: 2 KiB to read into, and no buffer for writing.

use super::{Bot, PATH};
use crate::account::{Account, Asked};
use crate::error::{Error, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A request takes about that.
const REQUEST: usize = 768;

pub(super) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    number: usize,
    stream: S,
    bot: &Bot,
    permit: OwnedSemaphorePermit,
) -> Result<()> {
    let config = WebSocketConfig::default()
        .read_buffer_size(2048)
        .write_buffer_size(0);
    let url = format!("ws://localhost{PATH}");
    let upgrade = tokio_tungstenite::client_async_with_config(url, stream, Some(config));
    // Boxed, because it is large and over soon.
    let (mut socket, _) = Box::pin(upgrade).await?;
    let mut account = Account::new(number);
    send(&mut socket, |out| account.login(out)).await?;
    send(&mut socket, |out| account.heartbeat(out)).await?;
    let mut asked = Asked::default();
    while !account.is_logged_in() {
        receive(&mut socket, &mut account, &mut asked).await?;
    }
    drop(permit);
    send(&mut socket, |out| account.missed(out)).await?;
    for list in 0..3 {
        send(&mut socket, |out| account.groups(out, list)).await?;
    }
    loop {
        receive(&mut socket, &mut account, &mut asked).await?;
        for data in std::mem::take(&mut asked.acknowledge) {
            send(&mut socket, |out| account.acknowledge(out, &data)).await?;
        }
        for line in std::mem::take(&mut asked.lines) {
            let line = bot.answer(line).await?;
            send(&mut socket, |out| account.send(out, &line)).await?;
        }
    }
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<()> {
    let mut out = Vec::with_capacity(REQUEST);
    write(&mut out);
    Ok(socket.send(Message::binary(out)).await?)
}

async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    account: &mut Account,
    asked: &mut Asked,
) -> Result<()> {
    let message = socket.next().await;
    let message = message.ok_or_else(|| Error::new("the server closed the link"))??;
    if let Message::Binary(packet) = message {
        account.receive(&packet, asked);
    }
    Ok(())
}
