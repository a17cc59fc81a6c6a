//! Reads a push once that comes to many accounts: a message to a group reaches each member in the same bytes.

use crate::proto::event::{Notice, Push};

/// The last push of group messages that a thread has read. The shell owns one for each thread and lends it to the
/// sessions there with [`Session::received`](super::Session::received).
#[derive(Debug, Default)]
pub struct RepeatedPush {
    bytes: Vec<u8>,
    /// Kept when the bytes came a second time: most pushes come once.
    push: Option<Push>,
    is_second: bool,
}

/// Longer pushes are read each time.
const LONGEST: usize = 16 << 10;

impl RepeatedPush {
    /// The push of these bytes, if it was read before.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<Push> {
        self.is_second = !bytes.is_empty() && *self.bytes == *bytes;
        self.is_second.then(|| self.push.clone()).flatten()
    }

    /// These bytes were read, after [`find`](Self::find) did not know them.
    pub(super) fn note(&mut self, bytes: &[u8], push: &Push) {
        let Push::Events { notices, .. } = push else {
            return;
        };
        let is_shared = |notice: &Notice| matches!(notice, Notice::Group { .. });
        if bytes.len() > LONGEST || !notices.iter().any(is_shared) {
            return;
        }
        if self.is_second {
            self.push = Some(push.clone());
        } else {
            self.push = None;
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::incoming::Incoming;

    fn read(text: &str) -> Push {
        match Incoming::parse(text).unwrap() {
            Incoming::Messages(push) => push,
            Incoming::Packet(packet) => panic!("{packet:?}"),
        }
    }

    fn push(array: &str, seq: u32) -> String {
        format!(
            r#"{{"head":{{"servcmd":"im_open_push.msg_push"}},"body":{{"EventArray":[{{"{array}":[{{"From_Account":"a","ToGroupId":"g","GroupId":"g","MsgSeq":{seq},"MsgRandom":1,"MsgTimeStamp":3,"MsgBody":[]}}]}}]}}}}"#
        )
    }

    #[test]
    fn a_group_message_is_read_twice_at_most_and_no_other_push_is_taken_for_it() {
        let mut repeated = RepeatedPush::default();
        let (first, second) = (push("GroupMsgArray", 1), push("GroupMsgArray", 2));
        for text in [&first, &second] {
            let whole = read(text);
            for _ in 0..2 {
                assert!(repeated.find(text.as_bytes()).is_none());
                repeated.note(text.as_bytes(), &whole);
            }
            let found = repeated.find(text.as_bytes()).unwrap();
            assert_eq!(format!("{found:?}"), format!("{whole:?}"));
        }
        assert!(repeated.find(first.as_bytes()).is_none());
        let alone = push("C2cMsgArray", 1);
        for _ in 0..3 {
            assert!(repeated.find(alone.as_bytes()).is_none());
            repeated.note(alone.as_bytes(), &read(&alone));
        }
    }
}
