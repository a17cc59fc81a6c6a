//! File addresses and the metadata of their files.

use crate::{policy::Now, shape};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The path prefix of every address.
pub(crate) const MEDIA_PATH: &str = "/media/";

/// The cover of every video: the sandbox has no video decoder.
pub(crate) const COVER: &str = "cover.png";

/// How long an address accepts an upload, in seconds; the value that clients request.
pub(crate) const UPLOAD_TIME: u64 = 900;

/// The longest file name at the end of an address.
pub(crate) const MAX_NAME: usize = 80;

/// The most addresses in one answer.
pub(crate) const MAX_ADDRESSES: usize = 20;

/// Why an upload or download is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaRefusal {
    /// The address was never issued, or its file was removed.
    Unknown,
    /// The address has a file, or an upload is in progress.
    Used,
    /// The upload time is over.
    Late,
    /// The file exceeds the size limit.
    TooLarge,
    /// There is no space left, even after all evictions.
    Full,
}

/// A file that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaFile {
    pub(crate) size: u64,
    pub(crate) content_type: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    Issued { until: u64 },
    Writing,
    Stored,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) stage: Stage,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) size: u64,
    pub(crate) content_type: String,
    /// Width and height of a picture.
    pub(crate) picture: Option<(u32, u32)>,
}

/// All addresses.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Media {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The tokens, ordered by age.
    #[serde(skip)]
    pub(crate) ages: BTreeMap<u64, String>,
    #[serde(skip)]
    pub(crate) bytes: u64,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) last: u64,
    /// A value of this run that goes into every token.
    #[serde(skip)]
    pub(crate) start: u64,
    /// Tokens whose bytes the shell may delete.
    #[serde(skip)]
    pub(crate) gone: Vec<String>,
}

/// A file name without characters that are special in a path.
pub(crate) fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .collect();
    let from = plain.len().saturating_sub(MAX_NAME);
    let plain = plain[from..].trim_start_matches('.');
    if plain.is_empty() { "file" } else { plain }.to_owned()
}

/// Returns true if `host` is a valid host, with or without a port.
pub(crate) fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 256
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_'))
}

/// The token and file name in the path of an address.
pub(crate) fn parts(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once(MEDIA_PATH)?;
    let rest = rest.split(['?', '#']).next()?;
    rest.split_once('/')
}

/// The size of a picture scaled down to at most `edge` pixels on its shorter edge.
pub(crate) fn scaled((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let short = width.min(height);
    if short <= edge || short == 0 {
        return (width, height);
    }
    let scale = |side: u32| {
        let scaled = u64::from(side) * u64::from(edge) / u64::from(short);
        u32::try_from(scaled).unwrap_or(u32::MAX)
    };
    (scale(width), scale(height))
}

impl Media {
    pub(crate) fn new(start: u64) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    pub(crate) fn remove(&mut self, token: &str) -> Option<Entry> {
        let entry = self.entries.remove(token)?;
        self.ages.remove(&entry.number);
        self.bytes = self.bytes.saturating_sub(entry.size);
        self.gone.push(token.to_owned());
        Some(entry)
    }

    /// Evicts the oldest address that is not being written to; with `must`, the oldest that has a
    /// file.
    pub(crate) fn evict(&mut self, must: bool) -> bool {
        let oldest = self.ages.values().find(|token| {
            self.entries.get(*token).is_some_and(|entry| {
                entry.stage == Stage::Stored || (!must && entry.stage != Stage::Writing)
            })
        });
        let Some(oldest) = oldest.cloned() else {
            return false;
        };
        self.remove(&oldest).is_some()
    }

    /// Rebuilds derived data after the addresses are read from a snapshot. `files` holds the
    /// existing files with their lengths; the result is the number of files that are lost. An
    /// interrupted upload may be repeated.
    pub(crate) fn settle(&mut self, now: Now, start: u64, files: &BTreeMap<String, u64>) -> usize {
        self.start = start;
        let (before, last) = (self.entries.len(), self.last);
        self.entries.retain(|token, entry| {
            entry.number <= last
                && (entry.stage != Stage::Stored || files.get(token) == Some(&entry.size))
        });
        for (token, entry) in &mut self.entries {
            if entry.stage == Stage::Writing {
                entry.size = 0;
                entry.stage = Stage::Issued {
                    until: now.unix_secs().saturating_add(UPLOAD_TIME),
                };
            }
            self.ages.insert(entry.number, token.clone());
            self.bytes = self.bytes.saturating_add(entry.size);
        }
        before - self.entries.len()
    }
}
