//! A range of numbers of a group that is fetched from its history, upwards, page by page.

use crate::proto::message::Message;

/// Messages asked for in one go.
pub(super) const FETCH: u32 = 20;

/// Everything up to `done` has come; everything up to `target` is wanted.
///
/// A history is asked for from an upper end downwards. So a page of twenty numbers is asked for at its
/// upper end; when nothing at all is found there, the history does not reach back so far, and the next page
/// is twice as long, until something is found.
#[derive(Debug, Default)]
pub(super) struct Span {
    done: u32,
    target: u32,
    /// How many numbers the next page covers.
    stride: u32,
    /// The upper end of the next page, if the last one was cut.
    below: Option<u32>,
    /// Messages of a page that was cut; older ones of the same page are still missing.
    newer: Vec<Message>,
    /// Numbers in a row that the history does not have.
    gone: u32,
}

/// A page to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The number of its newest message.
    pub(super) top: u32,
    /// Messages at most.
    pub(super) count: u32,
}

/// A page as it came.
#[derive(Debug)]
pub(super) struct Found {
    /// Its messages, whatever their order.
    pub(super) messages: Vec<Message>,
    /// The lowest number in it, of any item.
    pub(super) lowest: Option<u32>,
    /// How many items it had.
    pub(super) items: usize,
    /// The server cut the page because it would have been too long.
    pub(super) is_cut: bool,
}

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The next messages, in order.
    pub(super) messages: Vec<Message>,
    /// How many numbers before these messages are gone from the history.
    pub(super) gone: u32,
}

impl Span {
    pub(super) fn new(done: u32, target: u32) -> Self {
        Self {
            done,
            target: target.max(done),
            stride: FETCH,
            ..Self::default()
        }
    }

    /// Everything up to this number has come.
    pub(super) const fn done(&self) -> u32 {
        self.done
    }

    pub(super) const fn target(&self) -> u32 {
        self.target
    }

    /// Whether nothing is wanted, and nothing is kept but the number up to which everything has come.
    pub(super) fn is_quiet(&self) -> bool {
        let Self {
            done,
            target,
            stride,
            below,
            newer,
            gone,
        } = self;
        done == target && *stride == FETCH && below.is_none() && newer.is_empty() && *gone == 0
    }

    /// Whether there is something to ask for.
    pub(super) const fn is_behind(&self) -> bool {
        self.done < self.target
    }

    /// Whether the last page was cut, so that its rest comes first.
    pub(super) const fn is_cut(&self) -> bool {
        self.below.is_some()
    }

    /// Notes that this number exists.
    pub(super) fn reaches(&mut self, number: u32) {
        self.target = self.target.max(number);
    }

    /// The next number was pushed.
    pub(super) fn advance(&mut self, number: u32) {
        self.done = self.done.max(number);
        self.target = self.target.max(self.done);
    }

    /// The page to ask for next.
    pub(super) fn page(&self) -> Page {
        let top = match self.below {
            Some(below) => below,
            None => self
                .done
                .saturating_add(self.stride.max(FETCH))
                .min(self.target),
        };
        let count = top.saturating_sub(self.done).clamp(1, FETCH);
        Page { top, count }
    }

    /// The link is gone: a page that was begun is begun anew.
    pub(super) fn restart(&mut self) {
        self.below = None;
        self.newer = Vec::new();
    }

    /// `page` was answered with `found`.
    pub(super) fn answered(&mut self, page: Page, found: Found) -> Fetched {
        let (done, top) = (self.done, page.top);
        self.below = None;
        let lowest = found
            .lowest
            .filter(|lowest| *lowest > done && *lowest <= top);
        let mut messages: Vec<Message> = found
            .messages
            .into_iter()
            .filter(|message| message.seq > done && message.seq <= top)
            .collect();
        messages.append(&mut self.newer);
        let is_long = top - done.min(top) > FETCH;
        let is_full = found.items >= page.count as usize;
        if let Some(lowest) = lowest.filter(|lowest| *lowest > done + 1) {
            if is_long && is_full {
                // More messages may lie below than fit into a page: ask for a shorter one, from further down.
                self.stride = (self.stride / 2).max(FETCH);
                return Fetched::default();
            }
            if found.is_cut {
                self.newer = messages;
                self.below = Some(lowest - 1);
                return Fetched::default();
            }
        }
        messages.sort_by_key(|message| message.seq);
        messages.dedup_by_key(|message| message.seq);
        // Numbers that the history does not have any more will never come.
        let reached = messages.last().map_or(top, |newest| newest.seq.max(top));
        self.done = reached;
        self.target = self.target.max(reached);
        let mut gone = 0;
        if lowest.is_none() && messages.is_empty() {
            self.gone = self.gone.saturating_add(top - done.min(top));
            self.stride = self.stride.saturating_mul(2);
        } else {
            self.stride = FETCH;
        }
        if self.stride == FETCH || !self.is_behind() {
            gone = std::mem::take(&mut self.gone);
        }
        Fetched { messages, gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::GroupItem;
    use proptest::prelude::*;

    fn message(seq: u32) -> Message {
        let text = format!(
            r#"{{"From_Account":"alice","ToGroupId":"g","MsgSeq":{seq},"MsgTimeStamp":1000,
                "MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"x"}}}}]}}"#
        );
        let item: GroupItem = serde_json::from_str(&text).unwrap();
        Message::from_history(item, 3, "g", "bot").unwrap()
    }

    /// What a server answers that has the numbers `from..=to`, `size` at a time.
    fn serve(page: Page, from: u32, to: u32, size: usize) -> Found {
        let seqs: Vec<u32> = (from..=to.min(page.top))
            .rev()
            .take(page.count as usize)
            .take(size)
            .collect();
        Found {
            lowest: seqs.last().copied(),
            items: seqs.len(),
            is_cut: size < page.count as usize && seqs.len() == size,
            messages: seqs.into_iter().map(message).collect(),
        }
    }

    /// Fetches to the end: the numbers that came, what was gone, and how many pages it took.
    fn fetch(mut span: Span, from: u32, to: u32, size: usize) -> (Vec<u32>, u64, u32) {
        let (mut seqs, mut gone, mut pages) = (Vec::new(), 0, 0);
        while span.is_behind() {
            pages += 1;
            assert!(pages < 20_000, "no end");
            let page = span.page();
            let fetched = span.answered(page, serve(page, from, to, size));
            gone += u64::from(fetched.gone);
            seqs.extend(fetched.messages.iter().map(|message| message.seq));
        }
        (seqs, gone, pages)
    }

    #[test]
    fn a_gap_up_to_the_greatest_number_ends_after_a_few_pages() {
        let (seqs, gone, pages) = fetch(Span::new(7, u32::MAX), 1, 7, 20);
        assert!(seqs.is_empty() && pages < 40, "{pages} pages");
        assert_eq!(gone, u64::from(u32::MAX - 7));
    }

    #[test]
    fn what_the_service_does_not_keep_any_more_is_passed_over_quickly_and_the_rest_comes_whole() {
        let (seqs, _, pages) = fetch(Span::new(0, 1_000_000), 999_500, 1_000_000, 20);
        assert_eq!(seqs, (999_500..=1_000_000).collect::<Vec<_>>());
        assert!(pages < 120, "{pages} pages");
    }

    proptest! {
        #[test]
        fn whatever_there_is_comes_once_and_in_order(
            done in 0u32..50, behind in 0u32..400, from in 0u32..400, size in 1usize..25,
        ) {
            let target = done + behind;
            let (seqs, ..) = fetch(Span::new(done, target), from.max(1), target, size);
            prop_assert_eq!(seqs, (from.max(done + 1)..=target).collect::<Vec<_>>());
        }
    }
}
