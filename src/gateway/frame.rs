//! WebSocket frames (RFC 6455), client side, on byte buffers.
//!
//! Pure: bytes in, messages out. It joins fragments, checks UTF-8 and bounds what it keeps. A message beyond
//! the bound is skipped and reported with its size. The link survives it, because the same answer would come
//! again on the next link.

use super::held::Held;
use botroupe_core::account::FrameError;

/// Largest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// A complete message or control frame from the peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IncomingFrame<'a> {
    /// A text or binary message, joined when it was fragmented.
    Message(&'a [u8]),
    /// A message that was skipped because it has this many bytes.
    TooLarge(u64),
    Ping(&'a [u8]),
    Pong,
    Close(Option<u16>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text,
    Binary,
}

/// Bytes of a message that are skipped at most.
const MAX_SKIPPED: u64 = 1 << 30;

/// Cuts a byte stream into messages. Keeps only the beginning of an unfinished message.
#[derive(Debug)]
pub(super) struct FrameReader {
    limit: usize,
    /// The present message.
    started: Option<Kind>,
    joined: Vec<u8>,
    held: Held,
    /// The present message is skipped; this many bytes of it have come.
    skipped: Option<u64>,
    /// The present frame.
    frame: Option<Partial>,
}

/// A frame whose payload is incomplete.
#[derive(Clone, Copy, Debug)]
struct Partial {
    fin: bool,
    rest: u64,
}

/// The head of a frame.
struct Head {
    fin: bool,
    opcode: u8,
    length: u64,
    /// Length of the head itself, in bytes.
    size: usize,
}

impl FrameReader {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            started: None,
            joined: Vec::new(),
            held: Held::new(),
            skipped: None,
            frame: None,
        }
    }

    /// Reads `input` and hands every complete thing to `take`; returns how many bytes were used up. Only the
    /// head of a frame, or a short control frame, is left over. `take` returns `false` to stop early.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        mut take: impl FnMut(IncomingFrame<'_>) -> bool,
    ) -> Result<usize, FrameError> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            if let Some(frame) = self.frame {
                let now = usize::try_from(frame.rest)
                    .unwrap_or(usize::MAX)
                    .min(rest.len());
                self.keep(&rest[..now])?;
                used += now;
                let left = frame.rest - now as u64;
                if left > 0 {
                    self.frame = Some(Partial {
                        rest: left,
                        ..frame
                    });
                    return Ok(used);
                }
                self.frame = None;
                if frame.fin && !self.finish(&mut take)? {
                    return Ok(used);
                }
                continue;
            }
            let Some(head) = head(rest)? else {
                return Ok(used);
            };
            if head.opcode >= 8 {
                let size = head.size + usize::try_from(head.length).unwrap_or(usize::MAX);
                let Some(payload) = rest.get(head.size..size) else {
                    return Ok(used);
                };
                used += size;
                if !take(control(head.opcode, payload)?) {
                    return Ok(used);
                }
                continue;
            }
            self.begin(&head)?;
            used += head.size;
            // A message in one frame that is here whole needs not be copied.
            let whole = usize::try_from(head.length)
                .ok()
                .filter(|length| head.fin && head.opcode != 0 && *length <= self.limit)
                .and_then(|length| input.get(used..used + length));
            match whole {
                Some(payload) => {
                    used += payload.len();
                    let kind = self.started.take();
                    check(kind, payload)?;
                    if !take(IncomingFrame::Message(payload)) {
                        return Ok(used);
                    }
                }
                None => {
                    self.frame = Some(Partial {
                        fin: head.fin,
                        rest: head.length,
                    });
                }
            }
        }
    }

    /// A data frame begins.
    fn begin(&mut self, head: &Head) -> Result<(), FrameError> {
        let begins = match head.opcode {
            0 => None,
            1 => Some(Kind::Text),
            2 => Some(Kind::Binary),
            other => return Err(FrameError::Opcode(other)),
        };
        let ((Some(kind), None) | (None, Some(kind))) = (begins, self.started) else {
            return Err(FrameError::Fragments);
        };
        self.started = Some(kind);
        let so_far = self.skipped.unwrap_or(self.joined.len() as u64);
        let whole = so_far.saturating_add(head.length);
        if whole > MAX_SKIPPED {
            return Err(FrameError::TooLarge(MAX_SKIPPED));
        }
        if self.skipped.is_none() && whole > self.limit as u64 {
            self.skip(); // Before any of it is kept.
        }
        Ok(())
    }

    fn skip(&mut self) {
        self.skipped = Some(self.joined.len() as u64);
        self.joined = Vec::new();
        self.held.set(0);
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.skipped.is_none() && !self.held.set(self.joined.len() + bytes.len()) {
            // All links together hold too much.
            self.skip();
        }
        match &mut self.skipped {
            Some(skipped) => *skipped += bytes.len() as u64,
            None => self.joined.extend_from_slice(bytes),
        }
        Ok(())
    }

    /// The message under way is complete.
    fn finish(
        &mut self,
        take: &mut impl FnMut(IncomingFrame<'_>) -> bool,
    ) -> Result<bool, FrameError> {
        let kind = self.started.take();
        if let Some(skipped) = self.skipped.take() {
            return Ok(take(IncomingFrame::TooLarge(skipped)));
        }
        let joined = std::mem::take(&mut self.joined);
        self.held.set(0);
        check(kind, &joined)?;
        Ok(take(IncomingFrame::Message(&joined)))
    }
}

/// A text has to be UTF-8.
fn check(kind: Option<Kind>, payload: &[u8]) -> Result<(), FrameError> {
    if kind == Some(Kind::Text) && std::str::from_utf8(payload).is_err() {
        return Err(FrameError::NotUtf8);
    }
    Ok(())
}

fn control(opcode: u8, payload: &[u8]) -> Result<IncomingFrame<'_>, FrameError> {
    match opcode {
        8 => {
            let code = payload.first_chunk::<2>();
            Ok(IncomingFrame::Close(
                code.map(|bytes| u16::from_be_bytes(*bytes)),
            ))
        }
        9 => Ok(IncomingFrame::Ping(payload)),
        10 => Ok(IncomingFrame::Pong),
        other => Err(FrameError::Opcode(other)),
    }
}

/// Reads the head of a frame; `None` when it has not come whole.
fn head(input: &[u8]) -> Result<Option<Head>, FrameError> {
    let [first, second, rest @ ..] = input else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
    let (length, size) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(bytes) => (u64::from(u16::from_be_bytes(*bytes)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(bytes) => (u64::from_be_bytes(*bytes), 10),
            None => return Ok(None),
        },
        short => (u64::from(short), 2),
    };
    if opcode >= 8 && (!fin || length > MAX_CONTROL as u64) {
        return Err(FrameError::Control);
    }
    Ok(Some(Head {
        fin,
        opcode,
        length,
        size,
    }))
}

/// What a client sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum OutgoingFrame<'a> {
    Binary(&'a [u8]),
    Text(&'a [u8]),
    Pong(&'a [u8]),
    Close(u16),
}

/// Appends one masked frame to `out`.
pub(super) fn write(out: &mut Vec<u8>, frame: OutgoingFrame<'_>, mask: [u8; 4]) {
    let code;
    let (opcode, payload): (u8, &[u8]) = match frame {
        OutgoingFrame::Text(payload) => (1, payload),
        OutgoingFrame::Binary(payload) => (2, payload),
        OutgoingFrame::Close(number) => {
            code = number.to_be_bytes();
            (8, &code)
        }
        OutgoingFrame::Pong(payload) => (10, payload),
    };
    out.reserve(payload.len() + 14);
    out.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => out.push(0x80 | short),
        (_, Ok(length)) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    apply(&mut out[start..], mask);
}

/// Masks a payload, eight bytes at a time.
fn apply(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn server_frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![u8::from(fin) << 7 | opcode];
        match payload.len() {
            n @ 0..=125 => out.push(n as u8),
            n @ 126..=65_535 => {
                out.push(126);
                out.extend((n as u16).to_be_bytes());
            }
            n => {
                out.push(127);
                out.extend((n as u64).to_be_bytes());
            }
        }
        out.extend(payload);
        out
    }

    fn read_all(
        reader: &mut FrameReader,
        input: &[u8],
    ) -> Result<(usize, Vec<String>), FrameError> {
        let mut seen = Vec::new();
        let used = reader.read(input, |incoming| {
            seen.push(match incoming {
                IncomingFrame::Message(m) => format!("m{}", String::from_utf8_lossy(m)),
                IncomingFrame::TooLarge(bytes) => format!("t{bytes}"),
                IncomingFrame::Ping(p) => format!("p{}", String::from_utf8_lossy(p)),
                IncomingFrame::Pong => "pong".into(),
                IncomingFrame::Close(code) => format!("c{code:?}"),
            });
            true
        })?;
        Ok((used, seen))
    }

    #[test]
    fn fragments_are_joined_and_control_frames_come_through_between_them() {
        let input = [
            server_frame(false, 1, b"he"),
            server_frame(true, 9, b"x"),
            server_frame(false, 0, b"l"),
            server_frame(true, 0, b"lo"),
            server_frame(true, 2, b"next"),
            server_frame(true, 8, &1001u16.to_be_bytes()),
        ]
        .concat();
        let (used, seen) = read_all(&mut FrameReader::new(100), &input).unwrap();
        assert_eq!(used, input.len());
        assert_eq!(seen, ["px", "mhello", "mnext", "cSome(1001)"]);
    }

    #[test]
    fn what_no_peer_may_send_is_refused() {
        let cases = [
            (vec![0xC1, 0], FrameError::Reserved),
            (vec![0x81, 0x80, 0, 0, 0, 0], FrameError::Masked),
            (vec![0x83, 0], FrameError::Opcode(3)),
            (vec![0x09, 0], FrameError::Control),
            (vec![0x89, 126, 0, 126], FrameError::Control),
            (server_frame(true, 0, b"x"), FrameError::Fragments),
            (
                [server_frame(false, 1, b"x"), server_frame(true, 1, b"x")].concat(),
                FrameError::Fragments,
            ),
            (server_frame(true, 1, &[0xff]), FrameError::NotUtf8),
            (
                vec![0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                FrameError::TooLarge(MAX_SKIPPED),
            ),
        ];
        for (input, error) in cases {
            assert_eq!(
                read_all(&mut FrameReader::new(100), &input),
                Err(error),
                "{input:?}"
            );
        }
    }

    #[test]
    fn a3_a_message_that_is_too_long_is_passed_over_and_the_next_one_is_read() {
        for long in [
            server_frame(true, 2, &[0; 120]),
            [
                server_frame(false, 2, &[0; 60]),
                server_frame(true, 9, b"x"),
                server_frame(true, 0, &[0; 60]),
            ]
            .concat(),
        ] {
            let input = [long, server_frame(true, 1, b"next")].concat();
            for cut in [1, 7, 64, 1000] {
                let mut reader = FrameReader::new(100);
                let (mut kept, mut seen) = (Vec::new(), Vec::new());
                for chunk in input.chunks(cut) {
                    kept.extend_from_slice(chunk);
                    let used = reader
                        .read(&kept, |incoming| {
                            match incoming {
                                IncomingFrame::Message(message) => seen.push(message.len()),
                                IncomingFrame::TooLarge(bytes) => seen.push(bytes as usize),
                                _ => {}
                            }
                            true
                        })
                        .unwrap();
                    kept.drain(..used);
                    assert!(kept.len() < 140 && reader.joined.len() <= 100);
                }
                assert_eq!(seen, [120, 4], "cut into {cut}");
            }
        }
    }

    #[test]
    fn d_what_comes_byte_by_byte_is_not_copied_again_with_every_byte() {
        let input = server_frame(true, 2, &[7; 70_000]);
        let mut reader = FrameReader::new(1 << 20);
        let (mut kept, mut messages) = (Vec::new(), 0);
        for byte in &input {
            kept.push(*byte);
            let used = reader.read(&kept, |_| {
                messages += 1;
                true
            });
            kept.drain(..used.unwrap());
            assert!(kept.len() < 14, "only a head may wait to be read again");
        }
        assert_eq!(messages, 1);
    }

    #[test]
    fn a_client_frame_is_masked_and_carries_its_payload() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7u8; length];
            let mask = [1, 2, 3, 4];
            let mut out = Vec::new();
            write(&mut out, OutgoingFrame::Binary(&payload), mask);
            assert_eq!(out[0], 0x82);
            assert_eq!(out[1] & 0x80, 0x80);
            let body = out.len() - length;
            assert_eq!(out[body - 4..body], mask);
            assert!(
                out[body..]
                    .iter()
                    .enumerate()
                    .all(|(i, byte)| byte ^ mask[i % 4] == 7)
            );
        }
    }

    proptest! {
        #[test]
        fn cut_anywhere_the_stream_reads_the_same(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..8),
            cut in 1usize..50,
        ) {
            let stream: Vec<u8> = payloads.iter().flat_map(|p| server_frame(true, 2, p)).collect();
            let mut reader = FrameReader::new(1000);
            let (mut kept, mut seen) = (Vec::new(), Vec::new());
            for chunk in stream.chunks(cut) {
                kept.extend_from_slice(chunk);
                let used = reader.read(&kept, |incoming| {
                    if let IncomingFrame::Message(m) = incoming { seen.push(m.to_vec()) }
                    true
                }).unwrap();
                kept.drain(..used);
            }
            prop_assert_eq!(seen, payloads);
            prop_assert!(kept.is_empty());
        }

        #[test]
        fn no_bytes_panic_or_grow_past_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let mut reader = FrameReader::new(64);
            let _ = reader.read(&bytes, |incoming| {
                if let IncomingFrame::Message(m) = incoming { assert!(m.len() <= 64) }
                true
            });
            prop_assert!(reader.joined.len() <= 64);
        }
    }
}
