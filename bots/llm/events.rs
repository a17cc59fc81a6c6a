//! What a model sends: server-sent events, each with a piece of the answer. Pure.

use serde::Deserialize;

/// A line is a few words. Whoever sends more sends something else.
const LONGEST_LINE: usize = 64 * 1024;

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// What question and answer cost, in tokens.
    Cost(u64),
    /// The answer is whole.
    Done,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("the model cannot be reached")]
    Unreachable,
    #[error("the model answered with status {0}")]
    Status(u16),
    #[error("the model answered with an error")]
    Refused,
    #[error("the model answered with something else than an answer")]
    Unreadable,
    #[error("the answer broke off")]
    BrokeOff,
    #[error("the model took too long")]
    TooSlow,
    #[error("the model said nothing")]
    Empty,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Chunk {
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    /// Of a stream.
    delta: Option<Said>,
    /// Of an answer as a whole.
    message: Option<Said>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    content: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    total_tokens: u64,
}

/// Reads events from bytes, however they are cut.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
}

impl Events {
    /// Takes bytes, and adds the pieces that they complete.
    ///
    /// # Errors
    /// When they are no events, or tell of an error.
    pub(super) fn feed(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Trouble> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        // What stands behind the last line break is no line yet.
        let rest = lines.next_back().unwrap_or_default();
        for end in lines {
            self.line.extend_from_slice(end);
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            // Other fields, and comments that keep the link alive, say nothing.
            if let Some(data) = line.trim_end().strip_prefix("data:") {
                match data.trim() {
                    "[DONE]" => pieces.push(Piece::Done),
                    data => chunk(data, pieces)?,
                }
            }
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > LONGEST_LINE {
            return Err(Trouble::Unreadable);
        }
        Ok(())
    }
}

/// Reads an answer that came as a whole.
pub(super) fn whole(body: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Trouble> {
    chunk(&String::from_utf8_lossy(body), pieces)?;
    pieces.push(Piece::Done);
    Ok(())
}

fn chunk(json: &str, pieces: &mut Vec<Piece>) -> Result<(), Trouble> {
    let chunk: Chunk = serde_json::from_str(json).map_err(|_| Trouble::Unreadable)?;
    if chunk.error.is_some_and(|error| !error.is_null()) {
        return Err(Trouble::Refused);
    }
    let first = chunk.choices.into_iter().next().unwrap_or_default();
    let said = first.delta.or(first.message);
    if let Some(text) = said
        .and_then(|said| said.content)
        .filter(|it| !it.is_empty())
    {
        pieces.push(Piece::Text(text));
    }
    if let Some(usage) = chunk.usage {
        pieces.push(Piece::Cost(usage.total_tokens));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = ": hello\r\n\r\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n\
        data:{\"choices\":[{\"delta\":{\"content\":\"你好\"},\"finish_reason\":null}],\"usage\":null}\n\n\
        event: x\ndata: {\"choices\":[{\"delta\":{\"content\":\"😀\"}}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\ndata: [DONE]\n\n";

    fn read(parts: &[&[u8]]) -> Result<Vec<Piece>, Trouble> {
        let (mut events, mut pieces) = (Events::default(), Vec::new());
        for part in parts {
            events.feed(part, &mut pieces)?;
        }
        Ok(pieces)
    }

    #[test]
    fn errors_and_other_things_are_told_apart() {
        for (text, trouble) in [
            ("data: {\"error\":{\"message\":\"no\"}}\n", Trouble::Refused),
            ("data: <html>\n", Trouble::Unreadable),
            ("data: {\"choices\":7}\n", Trouble::Unreadable),
        ] {
            assert_eq!(read(&[text.as_bytes()]), Err(trouble), "{text}");
        }
        let endless = [b'x'; 10_000];
        assert_eq!(read(&[&endless[..]; 10]), Err(Trouble::Unreadable));
        let mut pieces = Vec::new();
        let body = br#"{"choices":[{"message":{"content":"hi"}}],"usage":{"total_tokens":3}}"#;
        assert_eq!(whole(body, &mut pieces), Ok(()));
        assert_eq!(
            pieces,
            [Piece::Text("hi".to_owned()), Piece::Cost(3), Piece::Done]
        );
    }

    proptest! {
        #[test]
        fn a_stream_is_read_however_it_is_cut(cuts in proptest::collection::vec(0..STREAM.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let (mut parts, mut from) = (Vec::new(), 0);
            for cut in cuts {
                parts.push(&STREAM.as_bytes()[from..cut]);
                from = cut;
            }
            parts.push(&STREAM.as_bytes()[from..]);
            let text = |text: &str| Piece::Text(text.to_owned());
            prop_assert_eq!(read(&parts), Ok(vec![text("你好"), text("😀"), Piece::Cost(7), Piece::Done]));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "(data:|\\{|\\}|\"|\n|choices|\\[|\\]|:){0,60}") {
            let _ = read(&[&bytes, text.as_bytes()]);
        }
    }
}
