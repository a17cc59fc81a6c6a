//! Who may use a command.

use crate::proto::op::group_member::Role;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Who may use a command; [`Command::permit`](super::Command::permit) takes it.
///
/// ```
/// use botroupe::prelude::*;
///
/// let staff = Permission::any([Permission::admins(), Permission::role("support")]);
/// # let _ =
/// command("close <ticket:int>").permit(staff)
/// # ;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission(Rule);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Everyone,
    Role(Cow<'static, str>),
    Group(GroupRank),
    Any(Vec<Self>),
}

/// What somebody is in the group of the message. One who is more is also less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bot) enum GroupRank {
    Member,
    Admin,
    Owner,
}

impl GroupRank {
    pub(super) const fn of(role: Role) -> Option<Self> {
        match role {
            Role::Owner => Some(Self::Owner),
            Role::Admin => Some(Self::Admin),
            Role::Member => Some(Self::Member),
            _ => None,
        }
    }
}

/// The users of each role, as the config file has them.
pub(in crate::bot) type Roles = BTreeMap<String, Vec<String>>;

/// The role that `admins` in the bot's section fills.
pub(in crate::bot) const ADMINS: &str = "admins";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(in crate::bot) struct Asker<'a> {
    pub(in crate::bot) user: &'a str,
    pub(in crate::bot) roles: &'a Roles,
    /// The rank in the group of the message: `None` while it is not known.
    pub(in crate::bot) rank: Option<GroupRank>,
    pub(in crate::bot) is_in_group: bool,
}

/// Whether somebody may use a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bot) enum Verdict {
    No,
    /// The rank in the group decides, and is not known yet.
    Ask,
    Yes,
}

impl Permission {
    /// Everybody.
    #[must_use]
    pub const fn everyone() -> Self {
        Self(Rule::Everyone)
    }

    /// The users that `[bots.<name>.roles]` lists under this name.
    #[must_use]
    pub fn role(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Rule::Role(name.into()))
    }

    /// The users of `admins` in `[bots.<name>]`.
    #[must_use]
    pub const fn admins() -> Self {
        Self(Rule::Role(Cow::Borrowed(ADMINS)))
    }

    /// The owner of the group of the message.
    #[must_use]
    pub const fn group_owner() -> Self {
        Self(Rule::Group(GroupRank::Owner))
    }

    /// Owner and administrators of the group of the message.
    #[must_use]
    pub const fn group_admin() -> Self {
        Self(Rule::Group(GroupRank::Admin))
    }

    /// Everybody in a group: the command is for groups.
    #[must_use]
    pub const fn group_member() -> Self {
        Self(Rule::Group(GroupRank::Member))
    }

    /// Whoever has one of them.
    #[must_use]
    pub fn any(permissions: impl IntoIterator<Item = Self>) -> Self {
        Self(Rule::Any(permissions.into_iter().map(|it| it.0).collect()))
    }

    /// Whether the asker has it.
    pub(in crate::bot) fn check(&self, asker: &Asker<'_>) -> Verdict {
        self.0.check(asker)
    }
}

impl Default for Permission {
    fn default() -> Self {
        Self::everyone()
    }
}

impl Rule {
    fn check(&self, asker: &Asker<'_>) -> Verdict {
        let verdict = |yes| if yes { Verdict::Yes } else { Verdict::No };
        match self {
            Self::Everyone => Verdict::Yes,
            Self::Role(name) => {
                let users = asker.roles.get(&**name);
                verdict(users.is_some_and(|users| users.iter().any(|user| user == asker.user)))
            }
            Self::Group(_) if !asker.is_in_group => Verdict::No,
            // Whoever says something in a group is in it.
            Self::Group(GroupRank::Member) => Verdict::Yes,
            Self::Group(rank) => asker.rank.map_or(Verdict::Ask, |has| verdict(has >= *rank)),
            Self::Any(rules) => {
                let verdicts = rules.iter().map(|rule| rule.check(asker));
                verdicts.max().unwrap_or(Verdict::No)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_checked_and_the_group_asked_only_when_it_decides() {
        let mut roles = Roles::new();
        roles.insert(ADMINS.to_owned(), vec!["bob".to_owned()]);
        roles.insert("support".to_owned(), vec!["carol".to_owned()]);
        let support = || Permission::role("support");
        let either = || Permission::any([support(), Permission::group_admin()]);
        let none = || Permission::any([]);
        for (permission, user, in_group, rank, expected) in [
            (Permission::everyone(), "x", false, None, Verdict::Yes),
            (Permission::admins(), "bob", false, None, Verdict::Yes),
            (Permission::admins(), "Bob", false, None, Verdict::No),
            (support(), "carol", false, None, Verdict::Yes),
            (Permission::role("nobody"), "bob", false, None, Verdict::No),
            (Permission::group_member(), "x", true, None, Verdict::Yes),
            (Permission::group_member(), "x", false, None, Verdict::No),
            (Permission::group_owner(), "x", true, None, Verdict::Ask),
            (
                Permission::group_owner(),
                "x",
                true,
                Some(GroupRank::Admin),
                Verdict::No,
            ),
            (
                Permission::group_admin(),
                "x",
                true,
                Some(GroupRank::Owner),
                Verdict::Yes,
            ),
            (Permission::group_admin(), "x", false, None, Verdict::No),
            (either(), "carol", true, None, Verdict::Yes),
            (either(), "x", true, None, Verdict::Ask),
            (either(), "x", false, None, Verdict::No),
            (none(), "bob", true, Some(GroupRank::Owner), Verdict::No),
        ] {
            let asker = Asker {
                user,
                roles: &roles,
                rank,
                is_in_group: in_group,
            };
            assert_eq!(permission.check(&asker), expected, "{permission:?} {user}");
        }
    }
}
