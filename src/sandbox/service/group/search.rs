//! Searches in groups: messages, groups, members.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    proto::id::UserId,
    service::{
        group::{Group, Kind},
        search::{Found, MAX_LOOKED_AT, Wanted, Words},
    },
    state::State,
};

impl Group {
    /// Returns true if a group search by `user` may return the group. Only members find a Work
    /// group; topics are found by their messages only.
    fn is_found_by(&self, user: &UserId) -> bool {
        let open = self.kind != Kind::Work && self.community.is_none();
        open || (self.community.is_none() && self.members.contains_key(user))
    }
}

impl State {
    /// The groups of `user` and their topics, by ID.
    fn groups_of<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a Group> {
        let groups = self.groups.all.values();
        groups.filter(move |group| group.members.contains_key(user))
    }

    /// Messages that `user` may read, in one group or all of them.
    pub(crate) fn group_messages_with(
        &self,
        user: &UserId,
        group: Option<&str>,
        wanted: &Wanted,
        left: &mut usize,
    ) -> Vec<Found> {
        let mut all = Vec::new();
        for group in self
            .groups_of(user)
            .filter(|own| group.is_none_or(|id| own.id == id))
        {
            let (mut messages, mut newest) = (Vec::new(), 0);
            for entry in group.readable(user).take(*left) {
                *left = left.saturating_sub(1);
                let Some(said) = entry.said().filter(|_| entry.revoker.is_none()) else {
                    continue;
                };
                if wanted.takes(&entry.from, entry.time, &said.body) {
                    newest = newest.max(entry.time);
                    messages.push(entry.wire(group));
                }
            }
            if !messages.is_empty() {
                all.push(Found {
                    place: ("GroupID", group.id.clone()),
                    messages,
                    newest,
                });
            }
        }
        all
    }

    /// Groups by ID and name; `types` restricts the result if not empty.
    pub(crate) fn groups_with(&self, user: &UserId, words: &Words, types: &[Value]) -> Vec<Value> {
        let groups = self.groups.all.values().take(MAX_LOOKED_AT);
        groups
            .filter(|group| group.is_found_by(user))
            .filter(|group| types.is_empty() || types.iter().any(|kind| kind == group.kind.name()))
            .filter(|group| words.stand_in([group.id.as_str(), group.name.as_str()]))
            .map(|group| {
                json!({
                    "GroupID": group.id, "GroupName": group.name, "GroupType": group.kind.name(),
                    "GroupFaceUrl": group.face_url, "GroupIntroduction": group.introduction,
                    "GroupOwnerUserID": group.owner, "GroupMemberNum": group.members.len(),
                    "GroupAddOption": group.apply_option, "GroupInviteOption": group.invite_option,
                })
            })
            .collect()
    }

    /// Members of the groups of `user`, by UserID, nick and name card; a list of groups restricts
    /// the search.
    pub(crate) fn members_with(
        &self,
        user: &UserId,
        words: &Words,
        groups: &[Value],
    ) -> Vec<Value> {
        let own = self.groups_of(user).filter(|group| {
            let named = groups.is_empty() || groups.iter().any(|id| *id == *group.id);
            named && group.community.is_none()
        });
        let members = own.flat_map(|group| group.members.iter().map(move |found| (group, found)));
        members
            .take(MAX_LOOKED_AT)
            .filter_map(|(group, (member, own))| {
                let (nick, face_url) = self.world.sender_profile(member);
                let texts = [member.as_str(), nick.as_str(), own.name_card.as_str()];
                words.stand_in(texts).then(|| {
                    json!({
                        "GroupID": group.id, "GroupName": group.name,
                        "GroupType": group.kind.name(), "GroupFaceUrl": group.face_url,
                        "GroupMemberUserID": member, "GroupMemberUserName": nick,
                        "GroupMemberNameCard": own.name_card, "GroupMemberAvatar": face_url,
                    })
                })
            })
            .collect()
    }
}
