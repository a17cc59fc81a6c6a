//! The rows of the compatibility table: their check lists, and the cells that cannot have a tick.

use super::compat::Pair;

/// A predefined row.
pub(super) struct Row {
    /// Its name, which tests pass to [`proven`](super::compat::proven).
    pub(super) feature: &'static str,
    /// Labels of [`LISTS`].
    pub(super) lists: &'static str,
    /// The cells that cannot have a tick, and the reasons.
    pub(super) absent: &'static [(Pair, &'static str)],
}

const fn row(
    feature: &'static str,
    lists: &'static str,
    absent: &'static [(Pair, &'static str)],
) -> Row {
    Row {
        feature,
        lists,
        absent,
    }
}

/// The labels of the last column: the check lists from which the sandbox was built.
pub(super) const LISTS: &[(&str, &str)] = &[
    ("l", "logins, logouts, kicks"),
    (
        "t1",
        "one-to-one messages: elements, options, refusals, odd pushes",
    ),
    (
        "t2",
        "what is done to messages and conversations later, several terminals",
    ),
    ("t3", "catching up with one-to-one messages"),
    ("t4", "groups: members, messages, tips and notices"),
    ("t5", "catching up in groups, live rooms"),
    ("t6, t6b", "files; videos"),
    (
        "t7",
        "people, invitations, the REST API, odd pushes about groups",
    ),
    (
        "t8",
        "reactions, extensions, topics, follows, searches, attributes, counters, pins, marks and others",
    ),
    ("t9", "polls of live rooms"),
    ("t10", "lost and odd answers"),
    ("t11", "answers with nothing in them"),
];

const LOGIN: &str = "a login has no other side";
const BUILD: &str = "it is about builds of the SDK";
const SERVER: &str = "it comes from the server, whoever else is there";
const REST: &str = "it is the app that calls the REST API";
const ASKED: &str = "how the SDK asks for it does not depend on who said it";
const THROWS: &str = "the SDK throws an error, and its link is dead";
const ORDER: &str =
    "the SDK does not keep the order over lost links, nor come back from young ones";
const TOPICS: &str = "the SDK asks about topics only when it is told to";
const NAMELESS: &str = "a bot has a login";
const REFUSED: &str = "what is refused reaches nobody";

/// All rows. Additional features that a test proves appear without a label.
pub(super) const ROWS: &[Row] = &[
    row("C2C: 200 texts in order", "t1", &[]),
    row(
        "C2C: IDs, nick names, who recalled and what was read",
        "t1, t2",
        &[],
    ),
    row(
        "C2C: a lost push, found by Flag 1",
        "t3",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row("C2C: conflict of edits", "t2", &[]),
    row("C2C: custom element", "t1", &[]),
    row("C2C: delete for oneself, clear", "t2", &[]),
    row("C2C: edit, also by the receiver", "t2", &[]),
    row("C2C: face element", "t1", &[]),
    row("C2C: forwarding", "t1", &[]),
    row("C2C: history in pages", "t2", &[]),
    row(
        "C2C: in order over 20 lost links",
        "t3",
        &[(Pair::SdkToSdk, ORDER)],
    ),
    row("C2C: location element", "t1", &[]),
    row("C2C: long merged messages, stored and got", "t1", &[]),
    row("C2C: merged messages", "t1", &[]),
    row(
        "C2C: messages and recall over REST",
        "t7",
        &[(Pair::BotToSdk, REST)],
    ),
    row("C2C: messages and recalls during an outage", "t3", &[]),
    row(
        "C2C: messages that leave unread count and last message alone",
        "t1",
        &[],
    ),
    row(
        "C2C: missed messages in pages",
        "t3",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row(
        "C2C: missed messages, odd answers",
        "t3",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row("C2C: missed over a lost link", "t3", &[]),
    row("C2C: own other terminal", "t2", &[]),
    row("C2C: read reports and receipts", "t2", &[]),
    row("C2C: recall", "t2", &[]),
    row("C2C: recall, its window, in history", "t2", &[]),
    row("C2C: resend delivers once", "t1, t10", &[]),
    row("C2C: said while away", "t3", &[]),
    row(
        "C2C: sent again on the next link, delivered once",
        "t10",
        &[],
    ),
    row("C2C: text element", "t1", &[]),
    row("C2C: typing and other online-only messages", "t1", &[]),
    row("C2C: unread count at login, nothing told anew", "t3", &[]),
    row("conversations: clearing and deleting", "t2", &[]),
    row("conversations: everything read at once", "t2", &[]),
    row("community: messages in topics", "t8", &[]),
    row("community: topics", "t8", &[]),
    row(
        "community: what was said in topics during an outage",
        "t8",
        &[(Pair::SdkToSdk, TOPICS), (Pair::BotToSdk, TOPICS)],
    ),
    row("conversations: groups of conversations", "t2, t8", &[]),
    row("conversations: marks and custom data", "t2, t8", &[]),
    row("conversations: mute", "t2", &[]),
    row("conversations: pinning", "t2", &[]),
    row("group: Work, Public, Meeting, Community", "t4, t8", &[]),
    row("group: all read, conversation deleted", "t2", &[]),
    row(
        "group: an outage in a group not looked at before",
        "t5",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row("group: applications, approved and refused", "t4", &[]),
    row("group: attributes, counters, pins", "t8", &[]),
    row("group: copies and read state on another page", "t5", &[]),
    row("group: create, invite, join", "t4", &[]),
    row("group: delete for oneself", "t8", &[]),
    row("group: edit and conflict of edits", "t4", &[]),
    row("group: greeting, reports, marks and echoes", "t4", &[]),
    row("group: history in pages and by hopping", "t5, t8", &[]),
    row("group: invitations that have to be approved", "t4", &[]),
    row("group: kick, owner change, quit, dismiss", "t4", &[]),
    row("group: mentions of one and of all", "t4", &[]),
    row("group: message to some members", "t4", &[]),
    row(
        "group: messages and tips of a gap after a reconnect",
        "t5",
        &[],
    ),
    row(
        "group: messages, recall and notices over REST",
        "t7, t4",
        &[(Pair::BotToSdk, REST)],
    ),
    row(
        "group: name card, member fields, remind type",
        "t4, t8",
        &[],
    ),
    row("group: online-only message", "t4", &[]),
    row("group: profile, search, online count", "t4", &[]),
    row("group: read report", "t4", &[]),
    row("group: recall by sender and owner", "t4", &[]),
    row("group: recalled messages and tips in history", "t5", &[]),
    row("group: receipts, their list and detail", "t4", &[]),
    row("group: resend delivers once", "t4", &[]),
    row("group: roles, mutes, mute of all", "t4", &[]),
    row(
        "group: run by the app over REST",
        "t7",
        &[(Pair::BotToSdk, REST)],
    ),
    row("group: taken into a group while away", "t5", &[]),
    row(
        "group: text, custom, face, location, merged, forwarded",
        "t4",
        &[],
    ),
    row(
        "group: unknown group and oversize refused",
        "t4",
        &[(Pair::SdkToBot, REFUSED)],
    ),
    row("group: unread count at login", "t5", &[]),
    row("kick: REST_API_Kick", "l", &[(Pair::BotToSdk, SERVER)]),
    row("kick: multipleAccount", "l", &[]),
    row("kick: multipleDevice", "l", &[(Pair::BotToSdk, SERVER)]),
    row("kick: userSigExpired", "l", &[(Pair::BotToSdk, SERVER)]),
    row(
        "live room: a poll is given up after 15 s",
        "t9",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row(
        "live room: goes on after errors",
        "t9",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row(
        "live room: heard without a login",
        "t5",
        &[(Pair::SdkToBot, NAMELESS)],
    ),
    row(
        "live room: items of equal number, short names, recall",
        "t9",
        &[(Pair::BotToSdk, ASKED)],
    ),
    row(
        "live room: join, send, poll, recall, online count, quit, dismiss",
        "t5",
        &[],
    ),
    row(
        "live room: nothing lost or doubled over a lost link",
        "t5",
        &[],
    ),
    row("live room: bans", "t5", &[]),
    row("live room: what was said before", "t5", &[]),
    row("live room: who is there, and marks", "t5", &[]),
    row(
        "login: ES build",
        "l",
        &[(Pair::SdkToBot, BUILD), (Pair::BotToSdk, LOGIN)],
    ),
    row(
        "login: ES build with every module",
        "l",
        &[(Pair::SdkToBot, BUILD), (Pair::BotToSdk, LOGIN)],
    ),
    row("login: a bare OK to what is asked after it", "t11", &[]),
    row(
        "login: compression none, gzip, zlib",
        "l",
        &[(Pair::BotToSdk, LOGIN)],
    ),
    row("login: destroy", "l", &[(Pair::BotToSdk, LOGIN)]),
    row(
        "login: full build",
        "l",
        &[(Pair::SdkToBot, BUILD), (Pair::BotToSdk, LOGIN)],
    ),
    row("login: instance limit 1", "l", &[(Pair::BotToSdk, LOGIN)]),
    row("login: instance limit 2", "l", &[(Pair::BotToSdk, LOGIN)]),
    row(
        "login: logout and login again",
        "l",
        &[(Pair::BotToSdk, LOGIN)],
    ),
    row(
        "login: refused with the code",
        "l",
        &[(Pair::BotToSdk, LOGIN)],
    ),
    row("login: repeated", "l", &[(Pair::BotToSdk, LOGIN)]),
    row("media: a refused address", "t6", &[]),
    row("media: audio, up and down", "t6", &[]),
    row("media: file, up and down", "t6", &[]),
    row("media: image, up and down", "t6", &[]),
    row(
        "media: the way of the service (proxies for files)",
        "t6",
        &[],
    ),
    row("media: video, up and down", "t6b", &[]),
    row("messages: refused, with the code", "t1", &[]),
    row("messages: extensions", "t8", &[]),
    row("messages: reactions", "t8", &[]),
    row("other: searches", "t8", &[]),
    row("other: do not disturb", "t8", &[]),
    row("other: translation, words of sounds", "t8", &[]),
    row("people: applications of friends and refusals", "t7", &[]),
    row("people: blacklist", "t7", &[]),
    row("people: followers", "t8", &[]),
    row("people: friends added and checked", "t7", &[]),
    row("people: friends' remarks, fields and lists", "t7", &[]),
    row("people: online status", "t7", &[]),
    row("people: profiles, with custom fields", "t7", &[]),
    row(
        "pushes: acknowledged if wanted",
        "t1",
        &[(Pair::BotToSdk, SERVER)],
    ),
    row(
        "pushes: group message that names no group",
        "t5, t7",
        &[(Pair::SdkToSdk, THROWS), (Pair::BotToSdk, SERVER)],
    ),
    row(
        "pushes: message of a group not known before",
        "t5",
        &[(Pair::BotToSdk, SERVER)],
    ),
    row(
        "pushes: odd group messages, tips and notices",
        "t7",
        &[(Pair::BotToSdk, SERVER)],
    ),
    row(
        "pushes: odd one-to-one messages",
        "t1",
        &[(Pair::BotToSdk, SERVER)],
    ),
    row(
        "pushes: repetitions and own numbers",
        "t1",
        &[(Pair::BotToSdk, SERVER)],
    ),
    row("requests: no answer for 15 s", "t10", &[]),
    row("requests: only ErrorCode counts", "t10", &[]),
    row("signaling: invitations", "t7", &[]),
];
