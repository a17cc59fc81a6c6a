//! Tests of the sandbox with TLS, which browsers require for pictures.

use std::sync::Arc;

use awc::{Client, Connector, ws};
use botroupe::{
    proto::id::SdkAppId,
    sandbox::{Sandbox, SandboxConfig, SandboxTls},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};

use crate::harness::{APP, KEY};

/// Starts a sandbox with a certificate in `folder`, and a client that trusts it.
async fn start(folder: &std::path::Path) -> (Sandbox, Client) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, pem("CERTIFICATE", made.cert.der())).unwrap();
    let secret = made.signing_key.serialize_der();
    std::fs::write(&key, pem("PRIVATE KEY", &secret)).unwrap();
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    config.tls = Some(SandboxTls::Files { certificate, key });
    let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusting = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = Connector::new().rustls_0_23(Arc::new(trusting));
    (sandbox, Client::builder().connector(connector).finish())
}

/// Encodes DER as PEM.
pub(crate) fn pem(what: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n")
}

/// Logs alice in and requests an upload address.
async fn address(client: &Client, origin: &str, sandbox: &Sandbox) -> Value {
    let url = format!("{origin}/info?sdkappid={APP}");
    let (_, mut link) = client
        .ws(url)
        .max_frame_size(1 << 20)
        .connect()
        .await
        .unwrap();
    let sig = sandbox.user_sig("alice").unwrap();
    let mut ask = async |servcmd: &str, who: Value, body: Value| -> Value {
        let mut head = json!({"servcmd": servcmd, "seq": 1, "sdkappid": APP});
        for (name, value) in who.as_object().unwrap() {
            head[name] = value.clone();
        }
        let text = json!({"head": head, "body": body}).to_string();
        link.send(ws::Message::Text(text.into())).await.unwrap();
        loop {
            if let Some(Ok(ws::Frame::Text(text))) = link.next().await {
                let frame: Value = serde_json::from_slice(&text).unwrap();
                if frame["head"]["servcmd"] == servcmd {
                    return frame["body"].clone();
                }
            }
        }
    };
    let who = json!({"identifier": "alice", "usersig": sig.expose()});
    let login = ask("im_open_status.wslogin", who, json!({})).await;
    let a2 = json!({"a2": login["A2Key"]});
    ask(
        "im_cos_msg.pre_sig",
        a2,
        json!({"file_name": "a.png", "file_type": 1}),
    )
    .await
}

#[actix_rt::test]
async fn f6_pages_get_files_over_tls_and_everybody_else_without_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, client) = start(folder.path()).await;
    let secure = sandbox.secure_url().unwrap();
    let port = sandbox.addr().port();
    let bytes = b"\x89PNG and so on".to_vec();
    for (origin, scheme) in [(secure, "https"), (sandbox.url(), "http")] {
        let told = address(&client, &origin, &sandbox).await;
        let url = told["upload_url"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("{scheme}://127.0.0.1:{port}/media/")),
            "{url}"
        );
        let put = client.put(url).send_body(bytes.clone()).await.unwrap();
        assert!(put.status().is_success(), "{put:?}");
        // A page requests `https`, whatever the message contains.
        let https = url.replace("http://", "https://");
        let mut got = client.get(https).send().await.unwrap();
        assert_eq!(got.body().await.unwrap(), bytes);
    }
    assert!(sandbox.stop().await);
}

#[actix_rt::test]
async fn f6_without_tls_there_is_none() {
    let config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    assert_eq!(sandbox.secure_url(), None);
    assert!(sandbox.stop().await);
}
