//! Clients written by hand for the same exchange: what a fleet costs without a framework.

mod b;
mod c;

use crate::account::Line;
use crate::error::{Error, Result};
use crate::plug::Plug;
use crate::tls;
use clap::{Args, ValueEnum};
use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_rustls::TlsConnector;

/// Logins under way at the same time.
const LOGINS: usize = 200;
/// Messages that wait for the bot.
const QUEUE: usize = 1024;
/// What is asked for in the upgrade.
const PATH: &str = "/binfo?sdkappid=1400000001";

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// tokio-tungstenite, tuned.
    B,
    /// tokio, and frames of its own.
    C,
}

/// A client and its accounts.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Which client.
    #[arg(long)]
    pub(crate) kind: Kind,
    /// How many accounts, each one task.
    #[arg(long)]
    pub(crate) accounts: usize,
    /// The server.
    #[arg(long)]
    pub(crate) server: Option<SocketAddr>,
    /// The Unix socket of links within the machine, instead.
    #[arg(long)]
    pub(crate) links: Option<PathBuf>,
    /// The certificate to trust, for TLS.
    #[arg(long)]
    pub(crate) certificate: Option<PathBuf>,
    /// Echo in place, and not in the task of a bot.
    #[arg(long)]
    pub(crate) in_place: bool,
}

/// A message for the bot, and where its answer goes.
type Job = (Line, oneshot::Sender<Line>);

/// What an account does once it is connected.
type Talk<'a> = BoxFuture<'a, Result<()>>;

/// Where messages are handled.
#[derive(Clone)]
enum Bot {
    InPlace,
    Task(mpsc::Sender<Job>),
}

impl Bot {
    fn start(in_place: bool) -> Self {
        if in_place {
            return Self::InPlace;
        }
        let (sender, mut jobs) = mpsc::channel::<Job>(QUEUE);
        tokio::spawn(async move {
            while let Some((line, answer)) = jobs.recv().await {
                // The account may be gone.
                let _ = answer.send(line);
            }
        });
        Self::Task(sender)
    }

    /// The answer to a message.
    async fn answer(&self, line: Line) -> Result<Line> {
        let Self::Task(jobs) = self else {
            return Ok(line);
        };
        let (sender, answer) = oneshot::channel();
        let gone = || Error::new("the bot is gone");
        jobs.send((line, sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

/// What all accounts share.
struct Site {
    kind: Kind,
    server: Option<SocketAddr>,
    plug: Option<Plug>,
    tls: Option<TlsConnector>,
    host: ServerName<'static>,
    bot: Bot,
}

/// Runs until it is killed.
pub(crate) fn run(options: Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> Result<()> {
    let tls = options.certificate.as_deref().map(tls::client);
    let host = match options.server {
        Some(server) => ServerName::from(server.ip()),
        None => {
            let name = ServerName::try_from(tls::NAME);
            name.map_err(|error| Error::new(error.to_string()))?
        }
    };
    let plug = options.links.as_deref().map(Plug::connect);
    let site = Arc::new(Site {
        kind: options.kind,
        server: options.server,
        plug: plug.transpose()?,
        tls: tls.transpose()?.map(TlsConnector::from),
        host,
        bot: Bot::start(options.in_place),
    });
    let logins = Arc::new(Semaphore::new(LOGINS));
    for number in 0..options.accounts {
        let (site, logins) = (site.clone(), logins.clone());
        tokio::spawn(async move {
            // Nobody closes it.
            let Ok(permit) = logins.acquire_owned().await else {
                return;
            };
            // Boxed, as the talk is, so that the task of an account holds what it lives with and not what it began
            // with: the handshake of TLS alone would take 4 KiB.
            let talk = Box::pin(site.connect(number, permit)).await;
            let outcome = match talk {
                Ok(talk) => talk.await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                crate::complain(&format!("account {number}: {error}"));
            }
        });
    }
    std::future::pending().await
}

impl Site {
    /// Dials; the future that comes back is the rest of the account's life.
    async fn connect(&self, number: usize, permit: OwnedSemaphorePermit) -> Result<Talk<'_>> {
        if let Some(plug) = &self.plug {
            return self.secure(number, plug.open(), permit).await;
        }
        let server = self.server;
        let server = server.ok_or_else(|| Error::new("no server is named"))?;
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        self.secure(number, stream, permit).await
    }

    async fn secure<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        number: usize,
        stream: S,
        permit: OwnedSemaphorePermit,
    ) -> Result<Talk<'_>> {
        Ok(match &self.tls {
            None => self.talk(number, stream, permit),
            Some(tls) => {
                let stream = tls.connect(self.host.clone(), stream).await?;
                self.talk(number, stream, permit)
            }
        })
    }

    fn talk<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        number: usize,
        stream: S,
        permit: OwnedSemaphorePermit,
    ) -> Talk<'_> {
        match self.kind {
            Kind::B => Box::pin(b::talk(number, stream, &self.bot, permit)),
            Kind::C => Box::pin(c::talk(number, stream, &self.bot, permit)),
        }
    }
}
