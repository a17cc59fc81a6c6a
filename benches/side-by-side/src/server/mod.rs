//! The load server: one thread, the real wire format, plain or over TLS, over TCP or over links within the
//! machine that share one Unix socket. It must never be what is measured.

mod link;
mod load;
mod tally;

use crate::error::{Error, Result};
use crate::figures;
use crate::plug::{HEAD, head_of, write_head};
use crate::tls;
use crate::told::{Alive, Login, Told};
use clap::Args;
use link::Link;
use load::Phases;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;
use slab::Slab;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally::Tally;

pub(crate) use load::Plan;

/// How many dials may wait to be accepted.
const BACKLOG: i32 = 4096;
const LISTENER: Token = Token(usize::MAX - 1);
const TRUNK: Token = Token(usize::MAX - 2);
/// How long the loop sleeps at most.
const TICK: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);

/// What the server is to do.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// How many accounts will come online.
    #[arg(long)]
    pub(crate) accounts: usize,
    /// The address of this machine to listen at, on a free port.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Serve links over this Unix socket instead.
    #[arg(long)]
    pub(crate) links: Option<PathBuf>,
    /// Speak TLS, and write the certificate to this file.
    #[arg(long)]
    pub(crate) certificate: Option<PathBuf>,
    /// How many groups each account is in.
    #[arg(long, default_value_t = 0)]
    pub(crate) groups: u32,
    /// How many lists of groups an account asks for until it is online.
    #[arg(long, default_value_t = 3)]
    pub(crate) lists: u32,
    /// `idle`, `closed` (each account has the next message when it has answered one) or messages a second.
    #[arg(long, default_value = "idle")]
    pub(crate) load: Plan,
    /// How long the load is measured.
    #[arg(long, default_value_t = 4.0)]
    pub(crate) seconds: f64,
    /// When the server ends by itself, in case whoever started it is gone.
    #[arg(long, default_value_t = 1800)]
    pub(crate) life: u64,
}

/// How the bytes of a link get to its client.
enum Way {
    Tcp(TcpStream),
    /// Over the trunk, under this number.
    Trunk(u32),
}

/// A link and its way.
struct Seat {
    way: Way,
    link: Link,
    /// Bytes that did not fit into the socket.
    unsent: Vec<u8>,
}

/// The Unix socket that carries many links.
struct Trunk {
    socket: UnixStream,
    /// Bytes from `read` on that were not looked at.
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The seats by their numbers.
    seats: HashMap<u32, usize>,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

struct Server {
    options: Options,
    tls: Option<Arc<ServerConfig>>,
    poll: Poll,
    listener: Listener,
    seats: Slab<Seat>,
    trunk: Option<Trunk>,
    tally: Tally,
    scratch: Box<[u8]>,
    decrypted: Box<[u8]>,
    first: Option<Instant>,
}

/// Runs until the load is over, or its life.
pub(crate) fn run(options: Options) -> Result<()> {
    let host = options.listen.to_string();
    let tls = match &options.certificate {
        Some(file) => Some(tls::server(&host, file)?),
        None => None,
    };
    let (mut listener, address) = match &options.links {
        Some(path) => (Listener::Unix(UnixListener::bind(path)?), None),
        None => {
            let (listener, address) = listen(SocketAddr::new(options.listen, 0))?;
            (Listener::Tcp(listener), Some(address))
        }
    };
    let poll = Poll::new()?;
    match &mut listener {
        Listener::Tcp(tcp) => poll
            .registry()
            .register(tcp, LISTENER, Interest::READABLE)?,
        Listener::Unix(unix) => poll
            .registry()
            .register(unix, LISTENER, Interest::READABLE)?,
    }
    tell(&Told::Ready(address))?;
    let mut client = String::new();
    std::io::stdin().read_line(&mut client)?;
    let client = client.trim().parse();
    let client = client.map_err(|_| Error::new("the process of the client is expected"))?;
    let server = Server {
        tally: Tally::new(options.groups, options.lists),
        seats: Slab::with_capacity(options.accounts),
        options,
        tls,
        poll,
        listener,
        trunk: None,
        scratch: vec![0; 256 << 10].into_boxed_slice(),
        decrypted: vec![0; 64 << 10].into_boxed_slice(),
        first: None,
    };
    server.serve(client)
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener), address))
}

fn tell(told: &Told) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, told)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

impl Server {
    fn serve(mut self, client: u32) -> Result<()> {
        let (born, life) = (Instant::now(), Duration::from_secs(self.options.life));
        let mut events = Events::with_capacity(1024);
        let mut phases = Phases::new(self.options.load, self.options.seconds, client);
        let mut is_online = false;
        let mut told_at = born;
        while born.elapsed() < life {
            if !is_online && self.tally.online >= self.options.accounts {
                is_online = true;
                phases.online();
                tell(&Told::Online(Login {
                    seconds: self
                        .first
                        .map_or(0.0, |first| first.elapsed().as_secs_f64()),
                    client_cpu: figures::cpu_seconds(client, ""),
                    server_cpu: figures::cpu_seconds(std::process::id(), ""),
                }))?;
            }
            if told_at.elapsed() >= SECOND {
                told_at = Instant::now();
                tell(&Told::Alive(Alive {
                    online: self.tally.online,
                    heartbeats: self.tally.heartbeats,
                }))?;
            }
            let due = phases.turn(&mut self.tally);
            if let Some(load) = due.finished {
                return tell(&Told::Load(load));
            }
            if due.everyone {
                for key in 0..self.seats.capacity() {
                    self.push(key)?;
                }
            }
            for _ in 0..due.messages {
                self.push_next(&mut phases)?;
            }
            self.flush_trunk()?;
            let sleep = if due.is_soon { SECOND / 1000 } else { TICK };
            match self.poll.poll(&mut events, Some(sleep)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    TRUNK => self.read_trunk()?,
                    Token(key) => self.ready(key, event.is_readable()),
                }
            }
        }
        Err(Error::new(format!(
            "the server's life is over; {} of {} accounts are online",
            self.tally.online, self.options.accounts
        )))
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let accepted = match &self.listener {
                Listener::Tcp(tcp) => tcp.accept().map(|(socket, _)| (Some(socket), None)),
                Listener::Unix(unix) => unix.accept().map(|(socket, _)| (None, Some(socket))),
            };
            let (tcp, unix) = match accepted {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                accepted => accepted?,
            };
            let registry = self.poll.registry();
            let both = Interest::READABLE | Interest::WRITABLE;
            if let Some(mut socket) = tcp {
                self.first.get_or_insert_with(Instant::now);
                socket.set_nodelay(true)?;
                let entry = self.seats.vacant_entry();
                registry.register(&mut socket, Token(entry.key()), both)?;
                entry.insert(Seat {
                    way: Way::Tcp(socket),
                    link: Link::new(self.tls.as_ref())?,
                    unsent: Vec::new(),
                });
            }
            if let Some(mut socket) = unix {
                registry.register(&mut socket, TRUNK, both)?;
                self.trunk = Some(Trunk {
                    socket,
                    inbox: Vec::new(),
                    outbox: Vec::new(),
                    seats: HashMap::new(),
                });
            }
        }
    }

    /// A socket can be read or written. A link that broke is dropped.
    fn ready(&mut self, key: usize, is_readable: bool) {
        if self.read_and_write(key, is_readable).is_err() {
            self.remove(key);
        }
    }

    fn read_and_write(&mut self, key: usize, is_readable: bool) -> Result<()> {
        let Some(seat) = self.seats.get_mut(key) else {
            return Ok(());
        };
        let Way::Tcp(socket) = &mut seat.way else {
            return Ok(());
        };
        // As long as there is something; a write needs no look.
        loop {
            if !is_readable {
                break;
            }
            let read = match socket.read(&mut self.scratch) {
                Ok(0) => return Err(Error::new("gone")),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                read => read?,
            };
            let bytes = &mut self.scratch[..read];
            let out = &mut seat.unsent;
            seat.link
                .receive(bytes, &mut self.decrypted, out, &mut self.tally)?;
            // A read that does not fill the buffer has emptied the socket.
            if read < self.scratch.len() {
                break;
            }
        }
        write_out(socket, &mut seat.unsent)
    }

    fn remove(&mut self, key: usize) {
        let Some(mut seat) = self.seats.try_remove(key) else {
            return;
        };
        seat.link.end(&mut self.tally);
        match &mut seat.way {
            // Closing it is what matters.
            Way::Tcp(socket) => drop(self.poll.registry().deregister(socket)),
            Way::Trunk(number) => {
                if let Some(trunk) = &mut self.trunk {
                    trunk.seats.remove(number);
                    write_head(&mut trunk.outbox, *number, 0);
                }
            }
        }
    }

    fn read_trunk(&mut self) -> Result<()> {
        loop {
            let Some(trunk) = &mut self.trunk else {
                return Ok(());
            };
            match trunk.socket.read(&mut self.scratch) {
                Ok(0) => std::process::exit(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                read => trunk.inbox.extend_from_slice(&self.scratch[..read?]),
            }
            let mut inbox = std::mem::take(&mut trunk.inbox);
            let mut at = 0;
            while let Some((number, len)) = head_of(&inbox[at..]) {
                let end = at + HEAD + len;
                if end > inbox.len() {
                    break;
                }
                self.receive_over_trunk(number, &mut inbox[at + HEAD..end])?;
                at = end;
            }
            inbox.drain(..at);
            if let Some(trunk) = &mut self.trunk {
                trunk.inbox = inbox;
            }
        }
        self.flush_trunk()
    }

    fn receive_over_trunk(&mut self, number: u32, bytes: &mut [u8]) -> Result<()> {
        let Some(trunk) = &mut self.trunk else {
            return Ok(());
        };
        let known = trunk.seats.get(&number).copied();
        let key = match known {
            None if bytes.is_empty() => return Ok(()),
            Some(key) if bytes.is_empty() => {
                self.remove(key);
                return Ok(());
            }
            Some(key) => key,
            None => {
                self.first.get_or_insert_with(Instant::now);
                let key = self.seats.insert(Seat {
                    way: Way::Trunk(number),
                    link: Link::new(self.tls.as_ref())?,
                    unsent: Vec::new(),
                });
                trunk.seats.insert(number, key);
                key
            }
        };
        let Some(seat) = self.seats.get_mut(key) else {
            return Ok(());
        };
        let out = &mut seat.unsent;
        let received = seat
            .link
            .receive(bytes, &mut self.decrypted, out, &mut self.tally);
        let out = std::mem::take(out);
        if !out.is_empty() {
            write_head(&mut trunk.outbox, number, out.len());
            trunk.outbox.extend_from_slice(&out);
        }
        if received.is_err() {
            self.remove(key);
        }
        Ok(())
    }

    fn flush_trunk(&mut self) -> Result<()> {
        match &mut self.trunk {
            Some(trunk) => write_out(&mut trunk.socket, &mut trunk.outbox),
            None => Ok(()),
        }
    }

    /// Pushes a message to an account, if it is there. Returns whether it is.
    fn push(&mut self, key: usize) -> Result<bool> {
        let Some(seat) = self.seats.get_mut(key).filter(|seat| seat.link.is_online()) else {
            return Ok(false);
        };
        seat.link.push(&mut seat.unsent)?;
        match &mut seat.way {
            Way::Tcp(socket) => {
                if write_out(socket, &mut seat.unsent).is_err() {
                    self.remove(key);
                }
            }
            Way::Trunk(number) => {
                let out = std::mem::take(&mut seat.unsent);
                if let Some(trunk) = &mut self.trunk {
                    write_head(&mut trunk.outbox, *number, out.len());
                    trunk.outbox.extend_from_slice(&out);
                }
            }
        }
        Ok(true)
    }

    /// Pushes a message to the account whose turn it is.
    fn push_next(&mut self, phases: &mut Phases) -> Result<()> {
        let places = self.seats.capacity();
        for _ in 0..places {
            if self.push(phases.next_of(places))? {
                break;
            }
        }
        Ok(())
    }
}

/// Writes as much as the socket takes; the rest stays for later.
fn write_out(socket: &mut impl Write, bytes: &mut Vec<u8>) -> Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match socket.write(&bytes[written..]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            more => written += more?,
        }
    }
    if written == bytes.len() {
        // An idle link keeps no buffer.
        *bytes = Vec::new();
    } else {
        bytes.drain(..written);
    }
    Ok(())
}
