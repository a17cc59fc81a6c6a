//! Checks a parsed seed and converts it to a consistent form.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json, value::RawValue};
use toml::Spanned;

use super::{
    Mistake, Seed, SeedError, Source,
    conversations::{self, Conversation},
    raw::{self, Join, Kind, Role},
};
use crate::{proto::id::UserId, state::is_message_body};

/// An account. The numbers named `at`, here and below, are byte offsets in the file.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) at: usize,
    pub(super) profile: Vec<(String, Value)>,
    /// Each friend with a remark.
    pub(super) friends: Vec<(UserId, usize, String)>,
    pub(super) blacklist: Vec<(UserId, usize)>,
    pub(super) conversations: Vec<Conversation>,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) at: usize,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) owner: Option<(UserId, usize)>,
    pub(super) join: Option<Join>,
    pub(super) members: Vec<(UserId, usize, Role)>,
    /// Name cards, including that of the owner.
    pub(super) cards: Vec<(UserId, usize, String)>,
    /// Profile fields by their names on the wire.
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) attributes: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) from: UserId,
    pub(super) at: usize,
    pub(super) to: Target,
    pub(super) body: Value,
    /// Unix seconds.
    pub(super) time: Option<u64>,
    pub(super) read: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    User(UserId),
    Group(String),
}

/// The longest profile value, as the state stores it, in bytes.
const MAX_VALUE: usize = 2048;
/// The longest profile tag, as the state stores it, in bytes.
const MAX_TAG: usize = 64;
/// The most custom profile fields, as the service documents it.
const MAX_CUSTOM: usize = 20;
/// Prefix of the tags of custom fields.
const CUSTOM: &str = "Tag_Profile_Custom_";
/// The longest message, in bytes: sends refuse longer ones, imports do not check.
const MAX_MESSAGE: usize = 12 * 1024;

/// The longest name card, as the state stores it, in bytes.
const MAX_CARD: usize = 200;
/// The longest introduction, notification and picture address of a group, in bytes.
const MAX_TEXT: usize = 1000;
/// The most attributes of one group, the longest attribute name, and the longest value.
const MAX_ATTRIBUTES: usize = 16;
const MAX_ATTRIBUTE_NAME: usize = 128;
const MAX_ATTRIBUTE: usize = 4096;

/// Collects the mistakes.
pub(super) struct Report {
    source: Source,
    found: Vec<(usize, Mistake)>,
}

impl Report {
    pub(super) fn add(&mut self, at: usize, what: impl Into<String>) {
        self.found.push((at, self.source.mistake(at, what)));
    }

    /// Checks that the group exists and that `user` is a member.
    pub(super) fn member_of(&mut self, user: &UserId, id: &str, at: usize, groups: &[Group]) {
        let Some(group) = groups.iter().find(|group| group.id == id) else {
            let what = format!("there is no group {id:?}; add [[groups]] with this id");
            self.add(at, what);
            return;
        };
        let owner = group.owner.iter().map(|(id, _)| id);
        let mut members = owner.chain(group.members.iter().map(|(id, ..)| id));
        if !members.any(|member| member == user) {
            let user = user.as_str();
            let what = format!("{user:?} is not a member of {id:?}; add it to the members");
            self.add(at, what);
        }
    }
}

pub(super) fn check(source: Source, contents: raw::Contents) -> Result<Seed, SeedError> {
    let mut report = Report {
        source,
        found: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    let mut users = Vec::new();
    for raw in contents.users {
        if !seen.insert(raw.id.get_ref().0.clone()) {
            let id = raw.id.get_ref().0.as_str();
            report.add(
                raw.id.span().start,
                format!("the account {id:?} is defined twice; keep one [[users]] for it"),
            );
        }
        users.push(user(raw, &mut report));
    }
    let mut groups: Vec<Group> = Vec::new();
    for raw in contents.groups {
        let group = group(raw, &mut report);
        if groups.iter().any(|other| other.id == group.id) {
            let what = format!(
                "the group {:?} is defined twice; change the id of one",
                group.id
            );
            report.add(group.at, what);
        }
        groups.push(group);
    }
    let mut history = Vec::new();
    for raw in contents.history {
        history.extend(message(raw, &groups, &mut report));
    }
    for user in &users {
        let conversations = &user.conversations;
        conversations::check_ends(&user.id, conversations, &groups, &history, &mut report);
    }
    // A group numbers its messages in the order of import.
    history.sort_by_key(|message: &Message| message.time.unwrap_or(u64::MAX));
    let Report { source, mut found } = report;
    if found.is_empty() {
        return Ok(Seed {
            source,
            users,
            groups,
            history,
        });
    }
    found.sort_by_key(|(at, _)| *at);
    let mistakes = found.into_iter().map(|(_, mistake)| mistake).collect();
    Err(source.error(mistakes))
}

fn user(raw: raw::User, report: &mut Report) -> User {
    let at = raw.id.span().start;
    let raw::Name(id) = raw.id.into_inner();
    let mut profile = Vec::new();
    for (tag, text) in [
        ("Tag_Profile_IM_Nick", raw.nick),
        ("Tag_Profile_IM_Image", raw.avatar),
        ("Tag_Profile_IM_SelfSignature", raw.signature),
    ] {
        if let Some(text) = text {
            short(&text, MAX_VALUE, report);
            profile.push((tag.to_owned(), text.into_inner().into()));
        }
    }
    if raw.custom.len() > MAX_CUSTOM {
        report.add(
            at,
            format!("more than {MAX_CUSTOM} custom fields; remove some"),
        );
    }
    for (name, value) in raw.custom {
        let place = value.span().start;
        let tag = format!("{CUSTOM}{name}");
        if name.is_empty() || name.starts_with("Tag_") || tag.len() > MAX_TAG {
            let what = format!(
                "{name:?} is not a custom field; write the part after {CUSTOM}, up to {} bytes",
                MAX_TAG - CUSTOM.len()
            );
            report.add(place, what);
        }
        let value = match value.into_inner() {
            toml::Value::String(text) if text.len() <= MAX_VALUE => text.into(),
            toml::Value::Integer(number) => number.into(),
            _ => {
                let what =
                    format!("a custom field is a number, or text of up to {MAX_VALUE} bytes");
                report.add(place, what);
                continue;
            }
        };
        profile.push((tag, value));
    }
    let friends: Vec<_> = raw
        .friends
        .into_iter()
        .map(|friend| (friend.span().start, friend.into_inner().0))
        .map(|(at, friend)| (friend.id, at, friend.remark))
        .collect();
    let blacklist: Vec<_> = raw
        .blacklist
        .into_iter()
        .map(|blocked| (blocked.span().start, blocked.into_inner().0))
        .map(|(at, blocked)| (blocked, at))
        .collect();
    let listed = friends.iter().map(|(id, at, _)| (id, *at));
    once_each(listed, &id, "of its own friends", report);
    let listed = blacklist.iter().map(|(id, at)| (id, *at));
    once_each(listed, &id, "of its own blacklist", report);
    let conversations = conversations::check(raw.conversations, &id, report);
    User {
        id,
        at,
        profile,
        friends,
        blacklist,
        conversations,
    }
}

/// Checks that no user is listed twice and that `owner` is not listed.
fn once_each<'a>(
    listed: impl Iterator<Item = (&'a UserId, usize)>,
    owner: &UserId,
    list: &str,
    report: &mut Report,
) {
    let mut seen = BTreeSet::new();
    for (id, at) in listed {
        let name = id.as_str();
        if id == owner {
            report.add(at, format!("{name:?} cannot be part {list}; remove it"));
        } else if !seen.insert(id) {
            report.add(at, format!("{name:?} is listed twice; keep one"));
        }
    }
}

fn short(text: &Spanned<String>, limit: usize, report: &mut Report) {
    if text.get_ref().len() > limit {
        let what = format!("longer than {limit} bytes; shorten it");
        report.add(text.span().start, what);
    }
}

fn group(raw: raw::Group, report: &mut Report) -> Group {
    let at = raw.id.span().start;
    for text in [&raw.id, &raw.name] {
        if text.get_ref().is_empty() {
            report.add(text.span().start, "empty; write at least one character");
        }
    }
    if let Some(join) = &raw.join
        && matches!(raw.kind, Kind::Work | Kind::Live)
    {
        let what = "groups of this type have no join option; remove join";
        report.add(join.span().start, what);
    }
    let mut cards = Vec::new();
    let owner = raw.owner.map(|owner| {
        let (at, owner) = (owner.span().start, owner.into_inner().0);
        cards.extend(owner.name_card.map(|card| (owner.id.clone(), at, card)));
        (owner.id, at)
    });
    let mut members = Vec::new();
    for member in raw.members {
        let (at, member) = (member.span().start, member.into_inner().0);
        cards.extend(member.name_card.map(|card| (member.id.clone(), at, card)));
        members.push((member.id, at, member.role));
    }
    for (_, at, card) in &cards {
        if card.len() > MAX_CARD {
            let what = format!("name_card is longer than {MAX_CARD} bytes; shorten it");
            report.add(*at, what);
        }
    }
    let mut texts = Vec::new();
    for (name, text) in [
        ("Introduction", raw.introduction),
        ("Notification", raw.notification),
        ("FaceUrl", raw.avatar),
    ] {
        if let Some(text) = text {
            short(&text, MAX_TEXT, report);
            texts.push((name, text.into_inner()));
        }
    }
    if raw.attributes.len() > MAX_ATTRIBUTES {
        let what = format!("more than {MAX_ATTRIBUTES} attributes; remove some");
        report.add(at, what);
    }
    let mut attributes = Vec::new();
    for (name, value) in raw.attributes {
        short(&name, MAX_ATTRIBUTE_NAME, report);
        short(&value, MAX_ATTRIBUTE, report);
        if name.get_ref().is_empty() {
            let what = "an attribute needs a name; write at least one character";
            report.add(name.span().start, what);
        }
        attributes.push((name.into_inner(), value.into_inner()));
    }
    let mut seen: BTreeSet<&UserId> = owner.iter().map(|(id, _)| id).collect();
    for (id, at, _) in &members {
        if !seen.insert(id) {
            let name = id.as_str();
            report.add(
                *at,
                format!("{name:?} is a member or the owner already; keep one"),
            );
        }
    }
    Group {
        id: raw.id.into_inner(),
        at,
        kind: raw.kind,
        name: raw.name.into_inner(),
        owner,
        join: raw.join.map(Spanned::into_inner),
        members,
        cards,
        texts,
        attributes,
    }
}

fn message(raw: raw::Message, groups: &[Group], report: &mut Report) -> Option<Message> {
    let at = raw.from.span().start;
    let raw::Name(from) = raw.from.into_inner();
    let to = match (raw.to, raw.group) {
        (Some(to), None) => Some(Target::User(to.into_inner().0)),
        (None, Some(id)) => {
            let place = id.span().start;
            let id = id.into_inner();
            report.member_of(&from, &id, place, groups);
            Some(Target::Group(id))
        }
        _ => {
            report.add(at, "a message has one destination; set either to or group");
            None
        }
    };
    let body = match (raw.text, raw.body) {
        (Some(text), None) => {
            let place = text.span().start;
            let content = json!({"Text": text.into_inner()});
            Some((
                json!([{"MsgType": "TIMTextElem", "MsgContent": content}]),
                place,
            ))
        }
        (None, Some(body)) => {
            let place = body.span().start;
            let body = serde_json::to_value(body.into_inner()).unwrap_or_default();
            let raw = RawValue::from_string(body.to_string());
            let is_good = raw.is_ok_and(|raw| is_message_body(&raw));
            if !is_good {
                let what = "a body is a list of tables, each with MsgType and a table MsgContent";
                report.add(place, what);
            }
            Some((body, place))
        }
        _ => {
            report.add(at, "a message has one content; set either text or body");
            None
        }
    };
    if let Some((body, place)) = &body
        && body.to_string().len() > MAX_MESSAGE
    {
        let what = format!("longer than the {MAX_MESSAGE} bytes of a message; shorten it");
        report.add(*place, what);
    }
    let time = raw.at.and_then(|time| {
        let read = unix_seconds(time.get_ref());
        if read.is_none() {
            let what = "not a point in time; write 2026-01-31T12:00:00Z, or the seconds since 1970";
            report.add(time.span().start, what);
        }
        read
    });
    Some(Message {
        from,
        at,
        to: to?,
        body: body?.0,
        time,
        read: raw.read,
    })
}

/// Unix seconds from a time with an offset or a number; `None` before 1970.
fn unix_seconds(value: &toml::Value) -> Option<u64> {
    match value {
        toml::Value::Integer(seconds) => u64::try_from(*seconds).ok(),
        // A date-time without an offset is ambiguous, so it is refused.
        toml::Value::Datetime(time) => {
            let time: Timestamp = time.to_string().parse().ok()?;
            u64::try_from(time.as_second()).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time() {
        let read = |text: &str| {
            let table: toml::Table = format!("at = {text}").parse().unwrap();
            unix_seconds(&table["at"])
        };
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read("2000-02-29T12:00:00Z"), Some(951_825_600));
        assert_eq!(read("2027-01-15T09:00:00+01:00"), Some(1_800_000_000));
        assert_eq!(read("1800000000"), Some(1_800_000_000));
        for bad in ["-1", "1969-12-31T23:59:59Z", "2027-01-15T08:00:00", "true"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
