//! A group that an account is in, as small as it can be: of most groups one number is all there is to know.

use super::group::Group;

/// See the module.
#[derive(Debug)]
pub(super) struct Member(Slot);

#[derive(Debug)]
enum Slot {
    /// Everything up to this number was handed out, and nothing beyond it is known.
    Quiet(u32),
    /// Something is going on.
    Open(Box<Group>),
}

impl Default for Member {
    fn default() -> Self {
        Self(Slot::Open(Box::default()))
    }
}

impl Member {
    /// The group, to do something with it. [`rest`](Self::rest) afterwards.
    pub(super) fn open(&mut self) -> &mut Group {
        loop {
            // In two steps: the borrow checker does not see that an early return ends the borrow.
            match self.0 {
                Slot::Open(ref mut group) => return group,
                Slot::Quiet(last) => self.0 = Slot::Open(Box::new(Group::from(last, last))),
            }
        }
    }

    /// The group, if something is going on in it.
    pub(super) fn opened(&mut self) -> Option<&mut Group> {
        match &mut self.0 {
            Slot::Open(group) => Some(group),
            Slot::Quiet(_) => None,
        }
    }

    /// The group, if something is going on in it.
    pub(super) fn peek(&self) -> Option<&Group> {
        match &self.0 {
            Slot::Open(group) => Some(group),
            Slot::Quiet(_) => None,
        }
    }

    /// Looks at the group.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Group) -> T) -> T {
        match &self.0 {
            Slot::Open(group) => look(group),
            Slot::Quiet(last) => look(&Group::from(*last, *last)),
        }
    }

    /// Keeps only what has to be kept.
    pub(super) fn rest(&mut self) {
        if let Slot::Open(group) = &self.0
            && let Some(last) = group.quiet()
        {
            self.0 = Slot::Quiet(last);
        }
    }

    pub(super) fn into_group(self) -> Group {
        match self.0 {
            Slot::Open(group) => *group,
            Slot::Quiet(last) => Group::from(last, last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_in_which_nothing_happens_is_one_number_and_comes_back_as_it_was() {
        assert!(size_of::<Member>() <= 16);
        let mut member = Member(Slot::Open(Box::new(Group::from(7, 7))));
        member.rest();
        assert!(member.opened().is_none());
        assert_eq!(member.look(Group::last), Some(7));
        // A number of our own: the next one.
        assert!(member.open().sent(8));
        member.rest();
        assert!(member.opened().is_none());
        // A gap: that has to be fetched.
        assert!(!member.open().sent(10));
        member.rest();
        assert!(member.opened().is_some_and(|group| group.wants()));
        // Nothing is known of a new one.
        let mut new = Member::default();
        new.rest();
        assert!(new.opened().is_some());
    }
}
