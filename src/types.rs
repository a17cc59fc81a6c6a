//! What the methods of [`Api`](crate::bot::Api) take and answer, by feature.

pub use crate::proto::answer::Sent;
pub use crate::proto::update::Update;

/// Conversations in the account's list.
pub mod conversation {
    pub use crate::proto::op::conversation::Listed;
}

/// Key-value pairs under a message.
pub mod extension {
    pub use crate::proto::op::extension::Extension;
}

/// Who follows whom.
pub mod follow {
    pub use crate::proto::op::follow::{CheckedUser, Count, Followed, Tie};
}

/// Friends and the blacklist.
pub mod friend {
    pub use crate::proto::op::friend::{Application, Decision, Friend, Relation, Sides};
}

/// Groups and their profiles.
pub mod group {
    pub use crate::proto::op::group::{Created, JoinOption, Modify, NewGroup};
    pub use crate::proto::op::group_profile::GroupProfile;
}

/// Joining groups, and who may.
pub mod group_application {
    pub use crate::proto::op::group_application::{Application, InvitedUser, Joined};
}

/// Key-value pairs of a group.
pub mod group_attribute {
    pub use crate::proto::op::group_attribute::Attributes;
}

/// Counters of a group.
pub mod group_counter {
    pub use crate::proto::op::group_counter::{CounterMode, Counters};
}

/// Members of groups.
pub mod group_member {
    pub use crate::proto::op::group_member::{Member, Role};
}

/// Members of live rooms.
pub mod live_room {
    pub use crate::proto::op::live_room::LiveMember;
}

/// Edited messages.
pub mod message {
    pub use crate::proto::op::c2c_message::Edited;
}

/// Profiles of users.
pub mod profile {
    pub use crate::proto::op::profile::{Profile, SetProfile};
}

/// Reactions under messages.
pub mod reaction {
    pub use crate::proto::op::reaction::{Reaction, Reactions};
}

/// Which messages a conversation announces ("message receive option").
pub mod receive_option {
    pub use crate::proto::op::receive_option::{DoNotDisturb, MuteOption};
}

/// Read receipts.
pub mod receipt {
    pub use crate::proto::update::GroupReceipt;
}

/// Searches.
pub mod search {
    pub use crate::proto::op::search::{
        FoundGroups, FoundMembers, FoundMessages, FoundUsers, SearchGroups, SearchMembers,
        SearchMessages, SearchUsers,
    };
}

/// Invitations to calls, games and the like.
pub mod signaling {
    pub use crate::proto::signaling::{Action, Signal};
}

/// Speech as text.
pub mod speech {
    pub use crate::proto::op::speech::Spoken;
}

/// Topics of communities.
pub mod topic {
    pub use crate::proto::op::topic::{Topic, TopicTexts};
}

/// Whether users are online.
pub mod user_status {
    pub use crate::proto::update::UserStatus;
}
