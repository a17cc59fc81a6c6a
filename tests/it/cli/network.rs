//! Tests of the program's network connections: proxies, private certificates, and all addresses of
//! a name.

use super::*;
use crate::harness;
use botroupe::sandbox::{Sandbox, SandboxConfig, SandboxTls};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A request to a proxy.
#[derive(Clone, Debug)]
struct Asked {
    target: String,
    authorization: Option<String>,
    /// The number of bytes sent to the target, and received from it.
    there: Arc<AtomicUsize>,
    back: Arc<AtomicUsize>,
}

/// An HTTP proxy that opens tunnels with `CONNECT`. Only it resolves the names below `.invalid`.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    /// `authorization` is the expected header value.
    fn start(authorization: Option<&'static str>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = asked.clone();
        let port = serve(move |stream| carry(stream, authorization, list.clone()));
        Self { port, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Runs a server on its own thread. `answer` handles each connection.
fn serve<F: Future<Output = std::io::Result<()>> + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> u16 {
    let (tell, port) = channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                actix_rt::spawn(answer(stream));
            }
        });
    });
    port.recv().unwrap()
}

async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

async fn carry(
    mut stream: TcpStream,
    wanted: Option<&str>,
    list: Arc<Mutex<Vec<Asked>>>,
) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let target = head.strip_prefix("CONNECT ").unwrap();
    let target = target.split(' ').next().unwrap().to_owned();
    let authorization = head.lines().find_map(|line| {
        let value = line.strip_prefix("Proxy-Authorization: ")?;
        Some(value.to_owned())
    });
    let is_welcome = authorization.as_deref() == wanted;
    let (there, back) = (Arc::default(), Arc::default());
    list.lock().unwrap().push(Asked {
        target: target.clone(),
        authorization,
        there: Arc::clone(&there),
        back: Arc::clone(&back),
    });
    if !is_welcome {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).await;
    }
    let (host, port) = target.rsplit_once(':').unwrap();
    assert!(host.ends_with(".invalid"), "only those are ours: {target}");
    let port: u16 = port.parse().unwrap();
    let way = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    let (near, far) = (stream.into_split(), way.into_split());
    let both = tokio::join!(copy(near.0, far.1, there), copy(far.0, near.1, back));
    both.0.and(both.1)
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    count: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 4096];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        count.fetch_add(read, Ordering::SeqCst);
        to.write_all(&bytes[..read]).await?;
    }
}

fn wait_for_answer(sandbox: &Sandbox, expected: &str) {
    actix_rt::System::new().block_on(harness::eventually("an answer", || async {
        harness::said(sandbox, "bot", "alice")
            .iter()
            .any(|text| text == expected)
            .then_some(())
    }));
}

/// Writes a config with one account, whose network settings are `more`.
fn one(folder: &tempfile::TempDir, endpoint: &str, more: &str) -> String {
    config(
        folder,
        &format!(
            "endpoint = \"{endpoint}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
             [[accounts]]\nuser_id = \"bot\"\nbots = [\"echo\"]\n{more}"
        ),
    )
}

/// Runs the config without the environment variables of the test process.
fn run(path: &str, env: &[(&str, &str)]) -> Running {
    let mut command = botroupe();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.args(["-vvv", "run", "--config", path]);
    command.envs(env.iter().copied());
    Running::of(command)
}

/// Runs a SOCKS5 proxy that wants `user` and `p@ss`, and is the only one to resolve names below `.invalid`.
/// Returns its port and the names it was asked for.
fn socks() -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let list = asked.clone();
    let port = serve(move |mut stream| {
        let list = list.clone();
        async move {
            let mut methods = [0; 4];
            stream.read_exact(&mut methods).await?;
            assert_eq!(methods, [5, 2, 0, 2], "offers to tell a password");
            stream.write_all(&[5, 2]).await?;
            let mut login = [0; 11];
            stream.read_exact(&mut login).await?;
            assert_eq!(&login, b"\x01\x04user\x04p@ss");
            stream.write_all(&[1, 0]).await?;
            let mut request = [0; 5];
            stream.read_exact(&mut request).await?;
            assert_eq!(&request[..4], [5, 1, 0, 3], "asks for a name");
            let mut name = vec![0; usize::from(request[4])];
            stream.read_exact(&mut name).await?;
            let port = stream.read_u16().await?;
            list.lock().unwrap().push(String::from_utf8(name).unwrap());
            let way = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            let (near, far) = (stream.into_split(), way.into_split());
            let both = tokio::join!(
                copy(near.0, far.1, Arc::default()),
                copy(far.0, near.1, Arc::default())
            );
            both.0.and(both.1)
        }
    });
    (port, asked)
}

#[test]
fn d_an_account_may_have_a_proxy_of_its_own() {
    let sandbox = harness::sandbox(|config| config.hosts = vec!["sandbox.invalid".to_owned()]);
    let (socks, names) = socks();
    let proxy = Proxy::start(None);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("ws://sandbox.invalid:{}", sandbox.addr().port());
    let more = format!(
        "proxy = \"socks5h://user:p%40ss@127.0.0.1:{socks}\"\n\
         [[accounts]]\nuser_id = \"other\"\nbots = [\"echo\"]\n\
         [[accounts]]\nuser_id = \"third\"\nbots = [\"echo\"]\nproxy = \"direct\"\n\
         [proxy]\nurl = \"http://127.0.0.1:{}\"\n",
        proxy.port
    );
    let path = one(&folder, &url, &more);
    let mut run = run(&path, &[]);
    // Nobody here knows the name.
    complaint(&run, "cannot resolve sandbox.invalid");
    sandbox.import("alice").unwrap();
    actix_rt::System::new().block_on(harness::eventually("both online", || async {
        (sandbox.is_online("bot") && sandbox.is_online("other")).then_some(())
    }));
    sandbox.say("alice", "bot", "through SOCKS").unwrap();
    wait_for_answer(&sandbox, "through SOCKS");
    run.child.kill().unwrap();
    let (_, out, err) = run.end();
    assert_eq!(*names.lock().unwrap(), ["sandbox.invalid"]);
    assert_eq!(proxy.asked().len(), 1, "that of the other account");
    for secret in ["p%40ss", "p@ss"] {
        assert!(!out.contains(secret) && !err.contains(secret), "{secret}");
    }
}

/// Waits for the log line about a failed connection.
fn complaint(run: &Running, words: &str) -> String {
    loop {
        let line = run.err.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("nothing is said about {words:?}"));
        if line.contains(words) {
            return line;
        }
    }
}

/// Basic authorization of `user:p@ss`.
const PASS: &str = "Basic dXNlcjpwQHNz";

#[test]
fn d_links_and_requests_go_through_the_proxy_and_it_resolves_the_names() {
    let sandbox = harness::sandbox(|config| config.hosts = vec!["sandbox.invalid".to_owned()]);
    let sig = sandbox.user_sig("bot").unwrap().expose().to_owned();
    let signer = serve(move |mut stream| {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{sig}",
            sig.len()
        );
        async move {
            let head = head(&mut stream).await?;
            assert!(head.starts_with("GET /bot "), "{head}");
            stream.write_all(answer.as_bytes()).await
        }
    });
    let proxy = Proxy::start(Some(PASS));
    let folder = tempfile::tempdir().unwrap();
    let port = sandbox.addr().port();
    let path = one(
        &folder,
        &format!("ws://sandbox.invalid:{port}"),
        &format!(
            "[defaults]\nuser_sig_http = {{ url = \"http://sigs.invalid:{signer}/{{user_id}}\" }}\n\
             [proxy]\nurl = \"http://user:p%40ss@127.0.0.1:{}\"\n",
            proxy.port
        ),
    );
    let mut run = run(&path, &[]);
    run.line("account bot online");
    sandbox.say("alice", "bot", "through the proxy").unwrap();
    wait_for_answer(&sandbox, "through the proxy");
    run.child.kill().unwrap();
    let (_, out, err) = run.end();
    let asked = proxy.asked();
    for target in [
        format!("sandbox.invalid:{port}"),
        format!("sigs.invalid:{signer}"),
    ] {
        let through: Vec<_> = asked.iter().filter(|way| way.target == target).collect();
        assert_eq!(through.len(), 1, "{target}: {asked:?}");
        assert_eq!(through[0].authorization.as_deref(), Some(PASS));
        let [there, back] =
            [&through[0].there, &through[0].back].map(|count| count.load(Ordering::SeqCst));
        assert!(
            there > 50 && back > 50,
            "{target}: {there} and {back} bytes"
        );
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
    for secret in ["p%40ss", "p@ss", &PASS[6..]] {
        assert!(!out.contains(secret) && !err.contains(secret), "{secret}");
    }
}

#[test]
fn d_the_proxy_of_the_environment_is_taken_and_its_exceptions_are_heeded() {
    let sandbox = harness::sandbox(|config| config.hosts = vec!["sandbox.invalid".to_owned()]);
    let proxy = Proxy::start(None);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("ws://sandbox.invalid:{}", sandbox.addr().port());
    let path = one(&folder, &url, "");
    let at = format!("http://127.0.0.1:{}", proxy.port);
    for name in ["HTTP_PROXY", "all_proxy"] {
        let mut run = run(&path, &[(name, &at)]);
        run.line("account bot online");
    }
    let asked = proxy.asked().len();
    assert!(asked >= 2, "{asked}");
    let run = run(&path, &[("HTTP_PROXY", &at), ("NO_PROXY", "x.y, .invalid")]);
    complaint(&run, "cannot resolve sandbox.invalid");
    assert_eq!(proxy.asked().len(), asked, "it was asked all the same");
}

#[test]
fn d_what_a_proxy_refuses_and_one_that_is_not_there_are_named() {
    let proxy = Proxy::start(Some(PASS));
    let folder = tempfile::tempdir().unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = gone.local_addr().unwrap().port();
    drop(gone);
    for (at, port, words) in [("user:geheim@", proxy.port, "407"), ("", closed, "refused")] {
        let more = format!("[proxy]\nurl = \"http://{at}127.0.0.1:{port}\"\n");
        let path = one(&folder, "ws://sandbox.invalid:7080", &more);
        let run = run(&path, &[]);
        let said = complaint(&run, &format!("the proxy 127.0.0.1:{port}"));
        assert!(said.contains(words), "{said}");
        assert!(said.contains("[proxy]") || words != "407", "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

/// Creates a private certificate authority and a sandbox with a certificate of it, for 127.0.0.1
/// and for a name that only proxies resolve.
fn private(folder: &tempfile::TempDir) -> (String, Sandbox) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let secret = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "An authority of our own");
    let certificate = authority.self_signed(&secret).unwrap();
    let issuer = Issuer::new(authority, secret);
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1", "sandbox.invalid"].map(str::to_owned);
    let server = CertificateParams::new(names).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    let write = |name: &str, what: &str, der: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, crate::sandbox_tls::pem(what, der)).unwrap();
        path
    };
    let trusted = write("ca.pem", "CERTIFICATE", certificate.der());
    let files = SandboxTls::Files {
        certificate: write("cert.pem", "CERTIFICATE", server.der()),
        key: write("key.pem", "PRIVATE KEY", &key.serialize_der()),
    };
    let sandbox = harness::sandbox(|config: &mut SandboxConfig| {
        config.tls = Some(files);
        config.hosts = vec!["sandbox.invalid".to_owned()];
    });
    (trusted.to_str().unwrap().to_owned(), sandbox)
}

#[test]
fn d_a_private_authority_is_trusted_when_config_or_environment_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, sandbox) = private(&folder);
    let url = sandbox.secure_url().unwrap();
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");

    let path = one(&folder, &url, "");
    let stranger = run(&path, &[]);
    let said = complaint(&stranger, "TLS with");
    assert!(said.contains("[tls] ca_file"), "no remedy: {said}");
    drop(stranger);
    assert!(!sandbox.is_online("bot"));

    let mut named = run(&path, &[("SSL_CERT_FILE", &trusted)]);
    named.line("account bot online");
    drop(named);

    // The path is relative to the config.
    let path = one(&folder, &url, "[tls]\nca_file = \"ca.pem\"\n");
    let mut named = run(&path, &[]);
    named.line("account bot online");
    sandbox.say("alice", "bot", "over TLS").unwrap();
    wait_for_answer(&sandbox, "over TLS");
}

#[test]
fn d_tls_is_with_the_server_and_not_with_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, sandbox) = private(&folder);
    let proxy = Proxy::start(None);
    let url = format!("wss://sandbox.invalid:{}", sandbox.addr().port());
    let path = one(&folder, &url, "");
    let at = format!("http://127.0.0.1:{}", proxy.port);
    let mut named = run(&path, &[("HTTPS_PROXY", &at), ("SSL_CERT_FILE", &trusted)]);
    named.line("account bot online");
    sandbox.say("alice", "bot", "through both").unwrap();
    wait_for_answer(&sandbox, "through both");
    assert_eq!(proxy.asked().len(), 1);
    drop(named);
    // A certificate for another name is invalid.
    let url = url.replace("sandbox.invalid", "other.invalid");
    let path = one(&folder, &url, "");
    let other = run(&path, &[("HTTPS_PROXY", &at), ("SSL_CERT_FILE", &trusted)]);
    let said = complaint(&other, "TLS with");
    assert!(said.contains("use a name in endpoint"), "{said}");
}

#[test]
fn d_a_server_that_listens_on_ipv6_only_is_found() {
    use std::net::ToSocketAddrs;
    let config = SandboxConfig::new(botroupe::proto::id::SdkAppId::new(APP).unwrap(), KEY);
    let Ok(sandbox) = Sandbox::spawn_thread(config, ([0, 0, 0, 0, 0, 0, 0, 1], 0).into()) else {
        eprintln!("skipped: this machine has no ::1");
        return;
    };
    let port = sandbox.addr().port();
    let known = ("localhost", port).to_socket_addrs();
    let is_both = known.is_ok_and(|mut known| known.any(|address| address.is_ipv6()));
    let mut hosts = vec!["[::1]"];
    if is_both {
        hosts.push("localhost");
    } else {
        eprintln!("localhost is not tried: on this machine it has no IPv6 address");
    }
    for host in hosts {
        let folder = tempfile::tempdir().unwrap();
        let path = one(&folder, &format!("ws://{host}:{port}"), "");
        let mut run = run(&path, &[]);
        run.line("account bot online");
    }
}
