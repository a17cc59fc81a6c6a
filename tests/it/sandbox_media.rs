//! Tests of files over real HTTP: one upload per address, any number of downloads, and nothing
//! else.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    time::Duration,
};

use awc::http::{Method, StatusCode, header};
use botroupe::{
    proto::id::SdkAppId,
    sandbox::{Sandbox, SandboxConfig},
};

fn run<F: Future<Output = ()>>(
    change: impl FnOnce(&mut SandboxConfig),
    test: impl FnOnce(Sandbox) -> F,
) {
    let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "secret");
    change(&mut config);
    actix_rt::System::new().block_on(async {
        let listen = ([127, 0, 0, 1], 0).into();
        let sandbox = Sandbox::start(config, listen).await.unwrap();
        sandbox.import("alice").unwrap();
        tokio::time::timeout(Duration::from_secs(60), test(sandbox))
            .await
            .unwrap();
    });
}

async fn call(method: Method, url: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>, Option<String>) {
    let call = awc::Client::new()
        .request(method, url)
        .insert_header((header::CONTENT_TYPE, "text/x-odd"));
    let mut answer = call.send_body(body).await.unwrap();
    let open = answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    assert_eq!(open.unwrap(), "*", "pages of any origin may read it");
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
    let body = answer.body().limit(64 * 1024 * 1024).await.unwrap();
    (answer.status(), body.to_vec(), kind)
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Tests the rules that hold in memory and in a folder.
async fn an_address_takes_one_file(sandbox: Sandbox) {
    let url = sandbox.media_url("alice", "../odd name.txt").unwrap();
    assert!(url.ends_with("/oddname.txt"), "{url}");
    assert_eq!(call(Method::GET, &url, Vec::new()).await.0, 404);
    let content = vec![7; 3 * 1024 * 1024];
    assert_eq!(call(Method::PUT, &url, content.clone()).await.0, 200);
    let smaller = format!("{url}?imageView2/3/w/198/h/198");
    for url in [&url, &smaller] {
        let (status, body, kind) = call(Method::GET, url, Vec::new()).await;
        assert_eq!(
            (status.as_u16(), body.len(), kind.as_deref()),
            (200, content.len(), Some("text/x-odd"))
        );
        assert!(body == content);
    }
    let (status, body, _) = call(Method::HEAD, &url, Vec::new()).await;
    assert_eq!((status.as_u16(), body.len()), (200, 0));
    assert_eq!(call(Method::PUT, &url, vec![8]).await.0, 409, "it was used");
    assert_eq!(call(Method::DELETE, &url, Vec::new()).await.0, 405);
    assert_eq!(call(Method::OPTIONS, &url, Vec::new()).await.0, 204);
    let origin = sandbox.rest_url();
    for path in [
        "/media/",
        "/media/x/y",
        "/media/..%2f..%2fCargo.toml/x",
        "/media/a/../../Cargo.toml",
    ] {
        for method in [Method::GET, Method::PUT] {
            let status = call(method, &format!("{origin}{path}"), vec![1]).await.0;
            assert_eq!(status, 404, "{path}");
        }
    }
    assert_eq!(sandbox.media_url("nobody", "x"), None);
    sandbox.stop().await;
}

#[test]
fn an_address_takes_one_file_in_memory() {
    run(|_| (), an_address_takes_one_file);
}

#[test]
fn an_address_takes_one_file_in_a_folder_and_leftovers_go_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (left, kept) = (format!("media-{}", "0a".repeat(16)), "notes.txt");
    for name in [&left, kept] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let path = folder.path().to_owned();
    run(
        |config| config.media_dir = Some(path),
        an_address_takes_one_file,
    );
    assert!(
        folder.path().join(kept).exists(),
        "not a file of the sandbox"
    );
    assert!(!folder.path().join(left).exists());
    assert_eq!(files_in(folder.path()), 2);
}

#[test]
fn a_picture_can_be_had_smaller_from_memory_and_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = Vec::new();
    image::RgbImage::from_pixel(800, 600, image::Rgb([9, 99, 199]))
        .write_to(
            &mut std::io::Cursor::new(&mut picture),
            image::ImageFormat::Png,
        )
        .unwrap();
    for path in [None, Some(folder.path().to_owned())] {
        let picture = picture.clone();
        run(
            |config| config.media_dir = path,
            |sandbox| async move {
                let url = sandbox.media_url("alice", "p.png").unwrap();
                call(Method::PUT, &url, picture.clone()).await;
                for (edge, size) in [(198, (264, 198)), (300, (400, 300))] {
                    let smaller = format!("{url}?imageView2/3/w/{edge}/h/{edge}");
                    let (status, body, kind) = call(Method::GET, &smaller, Vec::new()).await;
                    assert_eq!(
                        (status.as_u16(), kind.as_deref()),
                        (200, Some("image/jpeg"))
                    );
                    let got = image::load_from_memory(&body).unwrap();
                    assert_eq!((got.width(), got.height()), size);
                }
                let larger = format!("{url}?imageView2/3/w/720/h/720");
                let (_, body, kind) = call(Method::GET, &larger, Vec::new()).await;
                assert!(body == picture, "it is not larger than that");
                assert_eq!(kind.as_deref(), Some("text/x-odd"), "as it was uploaded");
                sandbox.stop().await;
            },
        );
    }
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    run(
        |config| config.media_dir = Some(path),
        |sandbox| async move {
            let url = sandbox.media_url("alice", "half.bin").unwrap();
            let address = sandbox.addr();
            let target = url.strip_prefix(&sandbox.rest_url()).unwrap().to_owned();
            tokio::task::spawn_blocking(move || {
                let mut link = TcpStream::connect(address).unwrap();
                let head = format!(
                    "PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"
                );
                link.write_all(head.as_bytes()).unwrap();
                link.shutdown(Shutdown::Write).unwrap();
                // The read ends when the server has given up.
                let _ = link.read_to_end(&mut Vec::new());
            })
            .await
            .unwrap();
            while sandbox.status().counters.media_aborted == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(files_in(folder.path()), 0);
            assert_eq!(
                call(Method::PUT, &url, vec![1; 10]).await.0,
                200,
                "it may be repeated"
            );
            sandbox.stop().await;
        },
    );
}

#[test]
fn what_is_too_much_is_refused_and_counted() {
    run(
        |config| {
            config.media_file_bytes = 1000;
            config.media_bytes = 500;
        },
        |sandbox| async move {
            let url = |name| sandbox.media_url("alice", name).unwrap();
            assert_eq!(call(Method::PUT, &url("a"), vec![1; 1001]).await.0, 413);
            assert_eq!(
                call(Method::PUT, &url("b"), vec![1; 600]).await.0,
                507,
                "no room at all"
            );
            let first = url("c");
            assert_eq!(call(Method::PUT, &first, vec![1; 400]).await.0, 200);
            assert_eq!(call(Method::PUT, &url("d"), vec![1; 400]).await.0, 200);
            assert_eq!(
                call(Method::GET, &first, Vec::new()).await.0,
                404,
                "the oldest went"
            );
            let counters = sandbox.status().counters;
            assert_eq!((counters.media_full, counters.media_uploads), (1, 2));
            sandbox.stop().await;
        },
    );
}

/// The file of one address is a link to a device that is always full, so that writes fail as on a
/// full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_507_and_the_address_can_be_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    // There is no room for an aborted upload, if it counted.
    let size = 3 * 1024 * 1024;
    run(
        |config| {
            config.media_dir = Some(path);
            config.media_bytes = size;
        },
        |sandbox| async move {
            let url = sandbox.media_url("alice", "a.bin").unwrap();
            let token = url.split('/').nth(4).unwrap();
            let file = folder.path().join(format!("media-{token}"));
            // The server removes the file before it answers.
            assert_eq!(call(Method::GET, &url, Vec::new()).await.0, 404);
            // The last bytes are written when the upload ends; the first ones of a large file are
            // written earlier.
            for (tries, size) in [(1, 10), (2, size)] {
                std::os::unix::fs::symlink("/dev/full", &file).unwrap();
                let content = vec![1; usize::try_from(size).unwrap()];
                let (status, why, _) = call(Method::PUT, &url, content).await;
                assert_eq!(status, 507, "{why:?}");
                assert_eq!(files_in(folder.path()), 0);
                assert_eq!(call(Method::GET, &url, Vec::new()).await.0, 404);
                let counters = sandbox.status().counters;
                assert_eq!(
                    (counters.media_full, counters.media_aborted),
                    (tries, tries)
                );
                assert_eq!((counters.media_uploads, counters.media_evicted), (0, 0));
            }
            let content = vec![2; usize::try_from(size).unwrap()];
            assert_eq!(call(Method::PUT, &url, content.clone()).await.0, 200);
            let (status, body, _) = call(Method::GET, &url, Vec::new()).await;
            assert!(status == 200 && body == content);
            assert!(file.symlink_metadata().unwrap().is_file());
            sandbox.stop().await;
        },
    );
}
