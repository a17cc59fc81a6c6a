//! Texts that are longer than a message may be, as several messages.

use super::element::Element;
use super::{Draft, MAX_MESSAGE, Text};
use unicode_segmentation::UnicodeSegmentation;

/// A first message with less room for its text than this is left as it is: its custom data is too long.
const MIN_ROOM: usize = 1024;
/// The length above which the line that opens a block of code is not repeated.
const MAX_FENCE: usize = 64;

impl Draft {
    /// Splits a message whose texts are too long into messages of which each fits, in order. They are parted between
    /// paragraphs, lines, words or characters, whichever leaves a message at least half full; blocks of Markdown code
    /// are closed and opened again. The first one has the custom data and the mentions. A message that fits remains as
    /// it is, and so does one that nothing can be done about: [`check`](Self::check) tells.
    ///
    /// ```
    /// use botroupe_proto::message::Draft;
    ///
    /// let parts = Draft::text("line\n".repeat(5_000)).split();
    /// assert_eq!(parts.len(), 3);
    /// assert!(parts.iter().all(|part| part.check().is_ok()));
    /// ```
    #[must_use]
    pub fn split(mut self) -> Vec<Self> {
        let room = MAX_MESSAGE.saturating_sub(self.cloud_custom_data.len());
        if length(&self.elements) <= room || room < MIN_ROOM {
            return vec![self];
        }
        let options = self.options.clone();
        let mut parts: Vec<Self> = Vec::new();
        let mut open = Self {
            elements: Vec::new(),
            ..self
        };
        for element in self.elements.drain(..) {
            let room = MAX_MESSAGE - open.cloud_custom_data.len().min(MAX_MESSAGE);
            open.elements.push(element);
            if length(&open.elements) <= room {
                continue;
            }
            let Some(element) = open.elements.pop() else {
                continue;
            };
            let next = || Self {
                options: options.clone(),
                ..Self::default()
            };
            if !open.elements.is_empty() {
                parts.push(std::mem::replace(&mut open, next()));
            }
            let room = MAX_MESSAGE - open.cloud_custom_data.len().min(MAX_MESSAGE);
            let Element::Text(text) = element else {
                // It may be too long by itself, which nothing can be done about.
                open.elements.push(element);
                continue;
            };
            let shell = |text| {
                Element::Text(Text {
                    text,
                    extra: serde_json::Map::new(),
                })
            };
            let around = length(&[shell(String::new())]);
            let rooms = [room.saturating_sub(around), MAX_MESSAGE - around];
            for part in split_text(&text.text, rooms) {
                if !open.elements.is_empty() {
                    parts.push(std::mem::replace(&mut open, next()));
                }
                open.elements.push(shell(part));
            }
        }
        if !open.elements.is_empty() {
            parts.push(open);
        }
        parts
    }

    /// The bytes of JSON that a text alone may take in a message with this one's custom data.
    #[must_use]
    pub fn room_for_text(&self) -> usize {
        let around = length(&[Element::text("")]);
        MAX_MESSAGE.saturating_sub(self.cloud_custom_data.len() + around)
    }

    /// Whether it holds nothing but texts without a character. Clients refuse to make such a message.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let is_blank =
            |element: &Element| matches!(element, Element::Text(text) if text.text.is_empty());
        self.elements.iter().all(is_blank)
    }
}

/// The length of elements as they are counted.
fn length(elements: &[Element]) -> usize {
    serde_json::to_string(elements).map_or(usize::MAX, |json| json.len())
}

/// The length of a text inside of JSON.
#[must_use]
pub fn cost(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// A block of code that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence<'a> {
    /// The characters that close it.
    pub(super) marker: &'a str,
    /// The line that opens it again.
    opening: &'a str,
}

impl<'a> Fence<'a> {
    /// The block that is open after this line.
    pub(super) fn after(open: Option<Self>, line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let Some(marker) = marker(text).filter(|_| line.len() - text.len() <= 3) else {
            return open;
        };
        let info = &text[marker.len()..];
        match open {
            Some(fence) => {
                let closes = marker.starts_with(fence.marker) && info.trim().is_empty();
                (!closes).then_some(fence)
            }
            None if info.contains('`') || marker.len() > MAX_FENCE => None,
            None => Some(Self {
                marker,
                opening: if text.len() > MAX_FENCE { marker } else { text },
            }),
        }
    }

    /// What closes it at the end of a part.
    fn closing(open: Option<Self>) -> usize {
        open.map_or(0, |fence| cost("\n") + cost(fence.marker))
    }
}

/// The three or more backticks or tildes that a line begins with.
fn marker(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let end = line.find(|c| c != first).unwrap_or(line.len());
    (end >= 3).then(|| &line[..end])
}

/// Where a text may be parted.
#[derive(Clone, Copy, Debug)]
struct Cut<'a> {
    at: usize,
    /// The length of what comes before.
    cost: usize,
    fence: Option<Fence<'a>>,
}

/// Splits a text so that the first part fits into the first room and each other into the second.
pub(super) fn split_text(text: &str, [first, others]: [usize; 2]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let (mut rest, mut fence, mut room) = (text, None::<Fence<'_>>, first);
    while !rest.is_empty() {
        let part;
        (part, rest, fence) = part_off(rest, fence, room);
        if !part.trim().is_empty() {
            parts.push(part);
            room = others;
        }
    }
    parts
}

/// The beginning of a text that fits into `room` bytes of JSON, and what is left of it, in which a block of Markdown code
/// is opened again; `None` when all of it fits. See [`Draft::split`].
#[must_use]
pub fn split_off(text: &str, room: usize) -> Option<(String, String)> {
    if cost(text) <= room {
        return None;
    }
    let (part, rest, fence) = part_off(text, None, room);
    let opening = fence.map_or_else(String::new, |fence| format!("{}\n", fence.opening));
    Some((part, opening + rest))
}

/// The first part of a text that begins in this block of code, the rest, and the block in which that begins.
fn part_off<'a>(
    text: &'a str,
    fence: Option<Fence<'a>>,
    room: usize,
) -> (String, &'a str, Option<Fence<'a>>) {
    let mut part = fence.map_or_else(String::new, |fence| format!("{}\n", fence.opening));
    let left = room.saturating_sub(cost(&part));
    if cost(text) <= left {
        part.push_str(text);
        return (part, "", None);
    }
    let cut = cut(text, left, fence);
    let (before, rest) = text.split_at(cut.at);
    let Some(open) = cut.fence else {
        part.push_str(before.trim_end());
        return (part, rest.trim_start_matches('\n'), None);
    };
    // Empty lines and spaces belong to the code.
    part.push_str(before.strip_suffix('\n').unwrap_or(before));
    part.push('\n');
    part.push_str(open.marker);
    let line = rest.split('\n').next().unwrap_or(rest);
    if Fence::after(cut.fence, line).is_none() {
        (part, rest[line.len()..].trim_start_matches('\n'), None)
    } else {
        (part, rest, Some(open))
    }
}

/// The best place to part a text, so that what comes before fits. It is after at least one character.
fn cut<'a>(text: &'a str, room: usize, mut fence: Option<Fence<'a>>) -> Cut<'a> {
    let [mut paragraph, mut line, mut word, mut character] = [None::<Cut<'a>>; 4];
    let (mut total, mut line_start) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        let fits = |at, cost, fence| {
            (cost + Fence::closing(fence) <= room && at > 0).then_some(Cut { at, cost, fence })
        };
        character = fits(at, total, fence).or(character);
        let end = at + cluster.len();
        let is_line = cluster.ends_with('\n');
        if is_line {
            let ended = &text[line_start..at];
            let before = fence;
            fence = Fence::after(fence, ended);
            let has_opened = before.is_none() && fence.is_some();
            if !has_opened {
                line = fits(end, total, fence).or(line);
                if ended.trim().is_empty() && fence.is_none() {
                    paragraph = fits(end, total, fence).or(paragraph);
                }
            }
            line_start = end;
        } else if cluster.chars().all(char::is_whitespace) {
            // A space at the end of a part is left out, but for one that belongs to code.
            let space = fence.map_or(0, |_| cost(cluster));
            word = fits(end, total + space, fence).or(word);
        }
        total += cost(cluster);
        if matches!(
            cluster,
            "。" | "！" | "？" | "；" | "，" | "、" | "：" | "…"
        ) {
            word = fits(end, total, fence).or(word);
        }
        if total > room {
            break;
        }
    }
    let is_full = |cut: &Cut<'_>| cut.cost >= room / 2;
    let best = paragraph.filter(is_full).or(line.filter(is_full));
    let best = best.or(word.filter(is_full)).or(character);
    best.unwrap_or_else(|| {
        // One cluster that does not fit: a character with very many marks.
        let mut cut = Cut {
            at: 0,
            cost: 0,
            fence,
        };
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            let with = cut.cost + cost(&text[at..end]);
            if at > 0 && with + Fence::closing(fence) > room {
                break;
            }
            (cut.at, cut.cost) = (end, with);
        }
        cut
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str, room: usize) -> Vec<String> {
        split_text(text, [room, room])
    }

    #[test]
    fn a_text_is_parted_between_paragraphs_then_lines_then_words_then_characters() {
        for (text, room, expected) in [
            ("short", 20, vec!["short"]),
            ("one two\n\nthree four", 14, vec!["one two", "three four"]),
            ("one\ntwo\nthree\nfour", 16, vec!["one\ntwo\nthree", "four"]),
            ("one two three", 9, vec!["one two", "three"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            ("你好，世界。再见了", 15, vec!["你好，", "世界。", "再见了"]),
            ("👨‍👩‍👧👨‍👩‍👧", 20, vec!["👨‍👩‍👧", "👨‍👩‍👧"]),
            ("\"\"\"", 4, vec!["\"\"", "\""]),
        ] {
            assert_eq!(parts(text, room), expected, "{text:?}");
        }
    }

    #[test]
    fn a_block_of_code_is_closed_and_opened_again() {
        let text = "Look:\n```rust\nlet a = 1;\nlet b = 2;\nlet c = 3;\n```\nDone.";
        assert_eq!(
            parts(text, 50),
            [
                "Look:\n```rust\nlet a = 1;\nlet b = 2;\n```",
                "```rust\nlet c = 3;\n```\nDone."
            ]
        );
        // No block without a line, and none that is empty.
        assert_eq!(
            parts("aaaaaaaaaaaaaaaaaaaa\n```\nbbbbbbbb\ncccccccc\n```", 38),
            ["aaaaaaaaaaaaaaaaaaaa", "```\nbbbbbbbb\ncccccccc\n```"]
        );
        assert_eq!(
            parts("~~~\naaaaaaaa\nbbbbbbbb\n~~~\nend", 26),
            ["~~~\naaaaaaaa\n~~~", "~~~\nbbbbbbbb\n~~~\nend"]
        );
    }

    #[test]
    fn a_space_in_code_has_room_of_its_own() {
        let text = "```\naaaaaaaaaaaaaaaa\u{3000}bbbbbbbb";
        for room in 24..34 {
            let parts = parts(text, room);
            assert!(
                parts.iter().all(|part| cost(part) <= room),
                "{room}: {parts:?}"
            );
        }
    }

    #[test]
    fn a_message_is_split_with_its_options_and_keeps_its_mentions_in_the_first() {
        let draft = Draft::text("x".repeat(30_000))
            .mention("bob")
            .cloud_custom_data("{}")
            .receipt();
        let parts = draft.split();
        assert_eq!(parts.len(), 3);
        assert!(
            parts
                .iter()
                .all(|part| part.check().is_ok() && part.options.receipt)
        );
        let mentions: Vec<usize> = parts.iter().map(|part| part.mentions.len()).collect();
        assert_eq!(mentions, [1, 0, 0]);
        assert_eq!(parts[0].cloud_custom_data, "{}");
        // Others remain as they are.
        for draft in [
            Draft::text("hi"),
            Draft::default(),
            Draft::custom("x".repeat(20_000)),
            Draft::text("x".repeat(12_000)).cloud_custom_data("x".repeat(12_000)),
        ] {
            assert_eq!(draft.clone().split(), [draft]);
        }
        let mixed = Draft::text("x".repeat(20_000)).element(Element::face(1, "a"));
        let parts = mixed.split();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1].elements.len(), 2);
    }

    #[test]
    fn a_message_of_empty_texts_is_blank() {
        assert!(Draft::text("").is_blank() && Draft::default().is_blank());
        assert!(!Draft::text(" ").is_blank());
        assert!(!Draft::text("").element(Element::face(1, "")).is_blank());
    }

    /// Everything but spaces and the lines of blocks.
    fn bare(text: &str) -> String {
        let lines = text
            .lines()
            .filter(|line| marker(line.trim_start()).is_none());
        lines
            .flat_map(str::chars)
            .filter(|c| !c.is_whitespace())
            .collect()
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\n```rust\n".to_owned()),
            Just("\n```\n".to_owned()),
            Just("\n~~~\n".to_owned()),
            Just("\n\n".to_owned()),
            Just(" ".to_owned()),
            "[a-z]{1,12}",
            "[\\PC]{0,6}",
            Just("e\u{301}\u{302}".to_owned()),
            Just("👨‍👩‍👧".to_owned()),
            Just("\u{1}\"\\".to_owned()),
        ];
        proptest::collection::vec(piece, 0..80).prop_map(|all| all.concat())
    }

    proptest! {
        #[test]
        fn every_part_fits_and_nothing_is_lost(text in pieces(), room in 60_usize..200) {
            let parts = parts(&text, room);
            for part in &parts {
                let json = serde_json::to_string(part).unwrap();
                prop_assert!(json.len() - 2 <= room, "{} > {room}: {part:?}", json.len() - 2);
                prop_assert_eq!(json.len() - 2, cost(part));
                prop_assert!(!part.trim().is_empty());
            }
            let all: String = parts.iter().map(|part| bare(part)).collect();
            prop_assert_eq!(all, bare(&text));
        }

        #[test]
        fn a_text_that_is_split_off_part_by_part_gives_the_same_parts(text in pieces(), room in 60_usize..200) {
            let (mut rest, mut all) = (text.clone(), Vec::new());
            while let Some((part, left)) = split_off(&rest, room) {
                prop_assert!(cost(&part) <= room);
                all.push(part);
                rest = left;
            }
            all.push(rest);
            all.retain(|part| !part.trim().is_empty());
            let whole: String = all.iter().map(|part| bare(part)).collect();
            prop_assert_eq!(whole, bare(&text));
        }

        #[test]
        fn a_text_without_blocks_is_its_parts(text in "[a-z \n\u{4e00}-\u{4e10}]{0,400}", room in 40_usize..90) {
            let whole: String = text.split_whitespace().collect();
            let parts = parts(&text, room).concat();
            prop_assert_eq!(parts.split_whitespace().collect::<String>(), whole);
        }
    }
}
