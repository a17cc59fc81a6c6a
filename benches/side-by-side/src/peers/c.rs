//! c: tokio and frames of its own, with buffers that all accounts of the thread share. The floor.

use super::{Bot, PATH};
use crate::account::{Account, Asked};
use crate::error::{Error, Result};
use crate::frames;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 << 10].into_boxed_slice());
    static OUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    number: usize,
    mut stream: S,
    bot: &Bot,
    permit: OwnedSemaphorePermit,
) -> Result<()> {
    upgrade(&mut stream).await?;
    let mut account = Account::new(number);
    let mut permit = Some(permit);
    let mut out = take_out();
    frames::masked(&mut out, |out| account.login(out));
    frames::masked(&mut out, |out| account.heartbeat(out));
    write(&mut stream, out).await?;
    let mut rest = Vec::new();
    loop {
        let mut asked = Asked::default();
        let turn = poll_fn(|cx| read(cx, &mut stream, &mut rest, &mut account, &mut asked));
        turn.await?;
        // Not before: an account that waits would keep it.
        let mut out = take_out();
        for data in &asked.acknowledge {
            frames::masked(&mut out, |out| account.acknowledge(out, data));
        }
        if account.is_logged_in() && permit.take().is_some() {
            frames::masked(&mut out, |out| account.missed(out));
            for list in 0..3 {
                frames::masked(&mut out, |out| account.groups(out, list));
            }
        }
        if matches!(bot, Bot::InPlace) {
            for line in &asked.lines {
                frames::masked(&mut out, |out| account.send(out, line));
            }
            write(&mut stream, out).await?;
            continue;
        }
        write(&mut stream, out).await?;
        for line in asked.lines {
            let line = bot.answer(line).await?;
            let mut out = take_out();
            frames::masked(&mut out, |out| account.send(out, &line));
            write(&mut stream, out).await?;
        }
    }
}

/// Asks for a WebSocket. The server says nothing by itself, so what it answers ends with the head.
async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<()> {
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(256);
    while !answer.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(Error::new("the server closed the link"));
        }
    }
    Ok(())
}

fn take_out() -> Vec<u8> {
    let mut out = OUT.take();
    out.clear();
    out
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, out: Vec<u8>) -> io::Result<()> {
    if !out.is_empty() {
        stream.write_all(&out).await?;
        stream.flush().await?;
    }
    OUT.set(out);
    Ok(())
}

/// Reads once into the shared buffer, behind the beginning of a frame that waits in `rest`, and takes the frames
/// that are complete.
fn read<S: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    stream: &mut S,
    rest: &mut Vec<u8>,
    account: &mut Account,
    asked: &mut Asked,
) -> Poll<Result<()>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let old = rest.len();
        let mut buffer = ReadBuf::new(scratch.get_mut(old..).unwrap_or_default());
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            return Poll::Ready(Err(Error::new("the server closed the link")));
        }
        scratch[..old].copy_from_slice(rest);
        let bytes = &scratch[..old + read];
        let mut at = 0;
        while let Some(frame) = frames::first(&bytes[at..]) {
            let end = at + frame.payload.end;
            account.receive(&bytes[at + frame.payload.start..end], asked);
            at = end;
        }
        *rest = Vec::new();
        rest.extend_from_slice(&bytes[at..]);
        Poll::Ready(Ok(()))
    })
}
