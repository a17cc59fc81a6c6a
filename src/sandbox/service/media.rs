//! Files of messages: upload addresses, downloads, quota.
//!
//! This module decides what may be written and read; the shell holds the bytes (`shell::files`).
//! An address contains an unguessable token, the only protection of a file, as on the real service.
//! When the quota is used up, the oldest files are removed: a server that runs for weeks must
//! accept new files, and tests do not clean up. Addresses of removed files answer 404.
//!
//! See "Files" in docs/src/protocol.md.

pub(crate) use crate::table::media::{
    COVER, Entry, MAX_ADDRESSES, MEDIA_PATH, MediaFile, MediaRefusal, Stage, UPLOAD_TIME, is_host,
    parts, plain_name, scaled,
};
use crate::{
    answer::ok_with,
    commands::Commands,
    policy::Now,
    proto::id::UserId,
    request::Request,
    state::{ConnId, State},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_cos_msg.pre_sig", |s, r| s.pre_sig(r))
        .any_body();
    commands
        .socket("im_cos_msg.simple_sig", |s, r| s.simple_sig(r))
        .any_body();
    commands
        .socket("im_cos_msg.get_imageinfo", |state, r| {
            let url = r.body.get("str_image_url").and_then(Value::as_str);
            state.picture_info(url.unwrap_or_default())
        })
        .any_body();
    commands
        .socket("im_cos_msg.video_cover", |s, r| s.video_cover(r))
        .any_body();
    commands
        .socket(
            "im_cos_msg.get_final_ip",
            |_, _| json!({"str_final_ip": ""}),
        )
        .any_body();
}

impl State {
    /// Records the scheme, host and port by which a connection reached the server. They go into the
    /// file addresses handed out on that connection.
    pub(crate) fn note_host(&mut self, conn: ConnId, scheme: &'static str, host: &str) {
        if let Some(link) = self.world.links.get_mut(&conn)
            && is_host(host)
        {
            link.host = Some(host.to_owned());
            link.scheme = scheme;
        }
    }

    /// Creates an address for one upload and later downloads.
    fn issue(&mut self, now: Now, name: &str) -> String {
        while self.media.entries.len() >= self.world.config.media_files.max(1)
            && self.media.evict(false)
        {
            self.world.counters.media_evicted += 1;
        }
        self.media.last += 1;
        let number = self.media.last;
        // HMAC accepts keys of every length.
        let key = secrecy::ExposeSecret::expose_secret(&self.world.config.key);
        let token = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_or_else(
            |_| self.world.numbers.ticket(),
            |mut mac| {
                mac.update(b"media");
                mac.update(&self.media.start.to_le_bytes());
                mac.update(&number.to_le_bytes());
                let digest = mac.finalize().into_bytes();
                digest[..16]
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect()
            },
        );
        let name = plain_name(name);
        let path = format!("{MEDIA_PATH}{token}/{name}");
        let entry = Entry {
            number,
            name,
            stage: Stage::Issued {
                until: now.unix_secs().saturating_add(UPLOAD_TIME),
            },
            size: 0,
            content_type: String::new(),
            picture: None,
        };
        self.media.entries.insert(token.clone(), entry);
        self.media.ages.insert(number, token);
        path
    }

    /// Scheme and host of the addresses for a request, and the host of its peer.
    fn origin(&self, request: &Request<'_>) -> (&'static str, String) {
        let link = request.conn.and_then(|conn| self.world.links.get(&conn));
        let host = link.and_then(|link| link.host.clone());
        let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
        (link.map_or("http", |link| link.scheme), host)
    }

    fn pre_sig(&mut self, request: &Request<'_>) -> Value {
        let (now, body) = (request.now, request.body);
        let (scheme, host) = self.origin(request);
        let name = body
            .get("file_name")
            .and_then(Value::as_str)
            .unwrap_or("file");
        let path = self.issue(now, name);
        let url = format!("{scheme}://{host}{path}");
        let video = body.get("file_type").and_then(Value::as_u64) == Some(2);
        let cover = if video {
            format!("{scheme}://{host}{MEDIA_PATH}{COVER}")
        } else {
            String::new()
        };
        json!({
            "upload_url": url, "download_url": url, "request_id": "",
            "expired_time": now.unix_secs().saturating_add(UPLOAD_TIME), "ci_url": "",
            "snapshot_url": cover, "thumb_url": cover, "large_url": cover,
        })
    }

    fn simple_sig(&mut self, request: &Request<'_>) -> Value {
        let (_, host) = self.origin(request);
        let objects = request.body.get("rpt_upload_object");
        let objects = objects.and_then(Value::as_array);
        let mut items = Vec::new();
        for object in objects.into_iter().flatten().take(MAX_ADDRESSES) {
            let name = object.get("str_file_name").and_then(Value::as_str);
            let path = self.issue(request.now, name.unwrap_or("file"));
            // The SDK inserts its upload and download proxies only into https addresses.
            let url = format!("https://{host}{path}");
            let video = object.get("uint32_file_type").and_then(Value::as_u64) == Some(2);
            let cover = if video {
                format!("https://{host}{MEDIA_PATH}{COVER}")
            } else {
                String::new()
            };
            items.push(json!({
                "uint32_file_id": object.get("uint32_file_id").cloned().unwrap_or_default(),
                "uint32_exist_flag": 0, "str_upload_url": url, "str_download_url": url,
                "str_snapshot_url": cover, "str_file_key": path,
            }));
        }
        tracing::trace!(user = %request.caller.user, count = items.len(), "handed out file addresses");
        json!({"str_final_ip": "", "rpt_pre_sig": items})
    }

    fn video_cover(&self, request: &Request<'_>) -> Value {
        let (_, host) = self.origin(request);
        // The SDK names the video by an http or https address; the cover gets the same scheme.
        let asked = request.body.get("snapshot_url").and_then(Value::as_str);
        let is_plain = asked.is_some_and(|url| url.starts_with("http://"));
        let scheme = if is_plain { "http" } else { "https" };
        let url = format!("{scheme}://{host}{MEDIA_PATH}{COVER}");
        json!({"error_code": 0, "error_msg": "", "download_url": url})
    }

    /// Size numbers are reversed compared with a picture element: 3 is the original.
    fn picture_info(&self, url: &str) -> Value {
        let entry = parts(url).and_then(|(token, _)| self.media.entries.get(token));
        let size = entry.and_then(|entry| entry.picture).unwrap_or((0, 0));
        let format = entry
            .and_then(|entry| entry.name.rsplit_once('.'))
            .map_or("", |(_, extension)| extension);
        let base = url.split('?').next().unwrap_or_default();
        let items: Vec<Value> = [(3, u32::MAX), (2, 720), (1, 198)]
            .into_iter()
            .map(|(kind, edge)| {
                let (width, height) = scaled(size, edge);
                let url = if (width, height) == size {
                    base.to_owned()
                } else {
                    format!("{base}?imageView2/3/w/{edge}/h/{edge}")
                };
                json!({
                    "uint32_image_type": kind, "str_url": url, "uint32_width": width,
                    "uint32_height": height, "str_image_format": format,
                })
            })
            .collect();
        ok_with(json!({"rpt_msg_image_info": items}))
    }

    /// Begins an upload. `length` is checked if known.
    pub(crate) fn media_begin(
        &mut self,
        now: Now,
        token: &str,
        name: &str,
        length: Option<u64>,
    ) -> Result<(), MediaRefusal> {
        let limit = self.world.config.media_file_bytes;
        let entry = self.media.entries.get_mut(token);
        let refusal = match entry {
            Some(entry) if entry.name == name => match entry.stage {
                Stage::Issued { until } if until < now.unix_secs() => MediaRefusal::Late,
                Stage::Issued { .. } if length.is_some_and(|length| length > limit) => {
                    MediaRefusal::TooLarge
                }
                Stage::Issued { .. } => {
                    entry.stage = Stage::Writing;
                    self.world.note_change();
                    return Ok(());
                }
                Stage::Writing | Stage::Stored => MediaRefusal::Used,
            },
            _ => MediaRefusal::Unknown,
        };
        self.world.counters.media_refused += 1;
        Err(refusal)
    }

    /// Reserves space for `more` bytes of an upload.
    pub(crate) fn media_grow(&mut self, token: &str, more: u64) -> Result<(), MediaRefusal> {
        let (limit, room) = (
            self.world.config.media_file_bytes,
            self.world.config.media_bytes,
        );
        let Some(entry) = self.media.entries.get_mut(token) else {
            return Err(MediaRefusal::Unknown);
        };
        if entry.size.saturating_add(more) > limit {
            self.world.counters.media_refused += 1;
            return Err(MediaRefusal::TooLarge);
        }
        entry.size += more;
        self.media.bytes += more;
        while self.media.bytes > room {
            if !self.media.evict(true) {
                self.world.counters.media_full += 1;
                return Err(MediaRefusal::Full);
            }
            self.world.counters.media_evicted += 1;
        }
        Ok(())
    }

    /// Completes an upload.
    pub(crate) fn media_done(
        &mut self,
        token: &str,
        content_type: &str,
        picture: Option<(u32, u32)>,
    ) {
        if let Some(entry) = self.media.entries.get_mut(token) {
            entry.stage = Stage::Stored;
            content_type.clone_into(&mut entry.content_type);
            entry.picture = picture;
            self.world.counters.media_uploads += 1;
            self.world.note_change();
        }
    }

    /// Aborts an upload: its bytes are discarded and the address may be used again.
    pub(crate) fn media_aborted(&mut self, now: Now, token: &str) {
        if let Some(entry) = self.media.entries.get_mut(token)
            && entry.stage == Stage::Writing
        {
            self.world.counters.media_aborted += 1;
            self.media.bytes = self.media.bytes.saturating_sub(entry.size);
            entry.size = 0;
            entry.stage = Stage::Issued {
                until: now.unix_secs().saturating_add(UPLOAD_TIME),
            };
            self.world.note_change();
        }
    }

    /// Counts an upload that failed because the disk is full.
    pub(crate) fn media_disk_full(&mut self) {
        self.world.counters.media_full += 1;
    }

    /// The file at an address.
    pub(crate) fn media_file(&self, token: &str, name: &str) -> Option<MediaFile> {
        let entry = self.media.entries.get(token)?;
        (entry.stage == Stage::Stored && entry.name == name).then(|| MediaFile {
            size: entry.size,
            content_type: entry.content_type.clone(),
        })
    }

    /// Returns true if a file is stored under this token.
    pub(crate) fn is_stored(&self, token: &str) -> bool {
        let entry = self.media.entries.get(token);
        entry.is_some_and(|entry| entry.stage == Stage::Stored)
    }

    /// The tokens whose bytes became obsolete since the last call.
    pub(crate) fn media_gone(&mut self) -> Vec<String> {
        std::mem::take(&mut self.media.gone)
    }

    /// Creates an address as the client of `user` would get it; for tests and seeds.
    pub fn media_address(&mut self, now: Now, user: &UserId, name: &str) -> Option<String> {
        self.world.has_account(user).then(|| self.issue(now, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::media::MAX_NAME;

    #[test]
    fn names_lose_what_has_a_meaning_in_a_path() {
        assert_eq!(plain_name("../../etc/passwd"), "etcpasswd");
        assert_eq!(plain_name("a b/c\\d?.png#"), "abcd.png");
        assert_eq!(plain_name("...."), "file");
        assert_eq!(plain_name(&"x".repeat(500)).len(), MAX_NAME);
    }

    #[test]
    fn the_shorter_edge_decides_how_much_smaller_a_picture_gets() {
        assert_eq!(scaled((800, 600), 198), (264, 198));
        assert_eq!(scaled((800, 600), 720), (800, 600));
        assert_eq!(scaled((0, 0), 198), (0, 0));
        assert_eq!(scaled((u32::MAX, 1000), 198), (850_403_524, 198));
    }

    #[test]
    fn only_hosts_get_into_addresses() {
        assert!(is_host("127.0.0.1:80") && is_host("[::1]:80") && is_host("my-host"));
        for bad in ["", "a/b", "a@b", "a b", "a\r\nb", "a?b", "a\"b"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
