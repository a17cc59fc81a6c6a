//! WebSocket frames, as much of them as messages in one piece need.

use std::ops::Range;

/// The frame that carries binary data.
pub(crate) const BINARY: u8 = 2;
/// The frame that ends a connection.
pub(crate) const CLOSE: u8 = 8;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;

/// A frame at the beginning of some bytes.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    /// Where its payload lies. The next frame follows behind it.
    pub(crate) payload: Range<usize>,
}

/// Reads the frame at the beginning of `bytes`; `None` while it is not complete.
pub(crate) fn first(bytes: &[u8]) -> Option<Frame> {
    let [head, second] = *bytes.first_chunk()?;
    let (len, mut at) = match second & !MASKED {
        TWO_BYTES => (
            usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
            4,
        ),
        EIGHT_BYTES => {
            let len = u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
            (usize::try_from(len).ok()?, 10)
        }
        len => (usize::from(len), 2),
    };
    let mut mask = None;
    if second & MASKED != 0 {
        mask = Some(*bytes.get(at..)?.first_chunk()?);
        at += 4;
    }
    let end = at.checked_add(len)?;
    (end <= bytes.len()).then_some(Frame {
        opcode: head & 0x0f,
        mask,
        payload: at..end,
    })
}

/// Masks or unmasks, eight bytes at a time.
pub(crate) fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = bytes.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a frame of a server.
pub(crate) fn plain(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(FINAL | BINARY);
    push_len(out, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends a frame of a client whose payload `write` appends.
pub(crate) fn masked(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    /// What most requests need: their payload is at least 126 bytes long and shorter than 64 KiB.
    const USUAL: usize = 8;
    let start = out.len();
    out.resize(start + USUAL, 0);
    write(out);
    let len = out.len() - start - USUAL;
    let key = fastrand::u32(..).to_ne_bytes();
    mask(&mut out[start + USUAL..], key);
    let mut head = Vec::with_capacity(USUAL);
    head.push(FINAL | BINARY);
    push_len(&mut head, len, MASKED);
    head.extend_from_slice(&key);
    match out.get_mut(start..start + USUAL) {
        Some(place) if head.len() == USUAL => place.copy_from_slice(&head),
        _ => drop(out.splice(start..start + USUAL, head)),
    }
}

fn push_len(out: &mut Vec<u8>, len: usize, masked: u8) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < TWO_BYTES => out.push(masked | len),
        (_, Ok(len)) => {
            out.push(masked | TWO_BYTES);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            out.push(masked | EIGHT_BYTES);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_writes_a_server_reads_and_back() {
        for len in [0, 5, 125, 126, 300, 65_535, 65_536, 70_001] {
            let payload: Vec<u8> = (0..len).map(|n: u32| n.to_le_bytes()[0]).collect();
            let mut bytes = b"before".to_vec();
            masked(&mut bytes, |out| out.extend_from_slice(&payload));
            bytes.drain(..6);
            assert!(bytes.len() < 2 || first(&bytes[..bytes.len() - 1]).is_none());
            let frame = first(&bytes).unwrap();
            assert_eq!((frame.opcode, frame.payload.end), (BINARY, bytes.len()));
            let inner = &mut bytes[frame.payload];
            mask(inner, frame.mask.unwrap());
            assert_eq!(inner, payload);
            let mut bytes = Vec::new();
            plain(&mut bytes, &payload);
            let frame = first(&bytes).unwrap();
            assert!(frame.mask.is_none() && bytes[frame.payload] == payload[..]);
        }
    }
}
