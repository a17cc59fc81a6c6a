//! WebSocket frames (RFC 6455), client side, on byte buffers.
//!
//! Pure: bytes in, messages out. Joins fragments, checks UTF-8, bounds what it keeps.

/// Largest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// What the peer did that no WebSocket peer may do, or that is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A server must not mask its frames.
    #[error("masked frame from the server")]
    Masked,
    /// Reserved bits are set and no extension was agreed on.
    #[error("reserved bits set in a frame")]
    Reserved,
    /// An operation code that does not exist.
    #[error("unknown frame operation code {0}")]
    Opcode(u8),
    /// A control frame that is fragmented or longer than 125 bytes.
    #[error("control frame is fragmented or too long")]
    Control,
    /// A continuation without a beginning, or a beginning inside a message.
    #[error("fragments out of order")]
    Fragments,
    /// A message longer than the limit in bytes.
    #[error("message is longer than {0} bytes")]
    TooLarge(usize),
    /// A text message that is not UTF-8.
    #[error("text message is not UTF-8")]
    NotUtf8,
}

impl FrameError {
    /// The close code that tells the peer.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooLarge(_) => 1009,
            Self::NotUtf8 => 1007,
            _ => 1002,
        }
    }
}

/// A complete thing from the peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// A text or binary message, joined when it was fragmented.
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    Close(Option<u16>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text,
    Binary,
}

/// Cuts a byte stream into frames. Keeps only the beginning of an unfinished message.
#[derive(Debug)]
pub(super) struct FrameReader {
    limit: usize,
    started: Option<Kind>,
    joined: Vec<u8>,
}

impl FrameReader {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            started: None,
            joined: Vec::new(),
        }
    }

    /// Reads every complete frame at the start of `input` and hands it to `take`; returns how many
    /// bytes were used up. `take` returns `false` to stop early.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        mut take: impl FnMut(Incoming<'_>) -> bool,
    ) -> Result<usize, FrameError> {
        let mut used = 0;
        while let Some(frame) = self.frame(&input[used..])? {
            used += frame.size;
            if !self.accept(frame, &mut take)? {
                break;
            }
        }
        Ok(used)
    }

    fn frame<'a>(&self, input: &'a [u8]) -> Result<Option<Frame<'a>>, FrameError> {
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
        let (length, header) = match second & 0x7f {
            126 => match rest {
                [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 4),
                _ => return Ok(None),
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
        // Refused before it is buffered.
        let length = usize::try_from(length)
            .ok()
            .filter(|length| self.joined.len().saturating_add(*length) <= self.limit)
            .ok_or(FrameError::TooLarge(self.limit))?;
        let size = header + length;
        Ok(input.get(header..size).map(|payload| Frame {
            fin,
            opcode,
            payload,
            size,
        }))
    }

    fn accept(
        &mut self,
        frame: Frame<'_>,
        take: &mut impl FnMut(Incoming<'_>) -> bool,
    ) -> Result<bool, FrameError> {
        let begins = match frame.opcode {
            0 => None,
            1 => Some(Kind::Text),
            2 => Some(Kind::Binary),
            8 => {
                let code = frame
                    .payload
                    .first_chunk::<2>()
                    .map(|bytes| u16::from_be_bytes(*bytes));
                return Ok(take(Incoming::Close(code)));
            }
            9 => return Ok(take(Incoming::Ping(frame.payload))),
            10 => return Ok(take(Incoming::Pong)),
            other => return Err(FrameError::Opcode(other)),
        };
        let ((Some(kind), None) | (None, Some(kind))) = (begins, self.started) else {
            return Err(FrameError::Fragments);
        };
        if !frame.fin {
            self.started = Some(kind);
            self.joined.extend_from_slice(frame.payload);
            return Ok(true);
        }
        self.started = None;
        let joined = std::mem::take(&mut self.joined);
        let message = if joined.is_empty() {
            frame.payload
        } else {
            self.joined = joined;
            self.joined.extend_from_slice(frame.payload);
            &self.joined
        };
        if kind == Kind::Text && std::str::from_utf8(message).is_err() {
            return Err(FrameError::NotUtf8);
        }
        let go_on = take(Incoming::Message(message));
        self.joined = Vec::new();
        Ok(go_on)
    }
}

#[derive(Clone, Copy)]
struct Frame<'a> {
    fin: bool,
    opcode: u8,
    payload: &'a [u8],
    size: usize,
}

/// What a client sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outgoing<'a> {
    Binary(&'a [u8]),
    Text(&'a [u8]),
    Pong(&'a [u8]),
    Close(u16),
}

/// Appends one masked frame to `out`.
pub(super) fn write(out: &mut Vec<u8>, frame: Outgoing<'_>, mask: [u8; 4]) {
    let code;
    let (opcode, payload): (u8, &[u8]) = match frame {
        Outgoing::Text(payload) => (1, payload),
        Outgoing::Binary(payload) => (2, payload),
        Outgoing::Close(number) => {
            code = number.to_be_bytes();
            (8, &code)
        }
        Outgoing::Pong(payload) => (10, payload),
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
    for (byte, key) in out[start..].iter_mut().zip(mask.iter().cycle()) {
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
                Incoming::Message(m) => format!("m{}", String::from_utf8_lossy(m)),
                Incoming::Ping(p) => format!("p{}", String::from_utf8_lossy(p)),
                Incoming::Pong => "pong".into(),
                Incoming::Close(code) => format!("c{code:?}"),
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
            (server_frame(true, 2, &[0; 101]), FrameError::TooLarge(100)),
            (
                [
                    server_frame(false, 2, &[0; 60]),
                    server_frame(true, 0, &[0; 60]),
                ]
                .concat(),
                FrameError::TooLarge(100),
            ),
            (
                vec![0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                FrameError::TooLarge(100),
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
    fn a_client_frame_is_masked_and_carries_its_payload() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7u8; length];
            let mask = [1, 2, 3, 4];
            let mut out = Vec::new();
            write(&mut out, Outgoing::Binary(&payload), mask);
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
                    if let Incoming::Message(m) = incoming { seen.push(m.to_vec()) }
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
                if let Incoming::Message(m) = incoming { assert!(m.len() <= 64) }
                true
            });
            prop_assert!(reader.joined.len() <= 64);
        }
    }
}
