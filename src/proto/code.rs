//! Error codes of the service, with name, meaning, remedy and automatic reaction.
//!
//! All codes are in one table. [`Code::disposition`] determines the automatic reaction of a client;
//! no other code in the crate interprets bare numbers. See "Codes" in `docs/src/protocol.md`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// An error code of the service. Codes below 10,000 come from the official client.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Code(pub i64);

/// The reaction to a rejected or lost login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The login has ended. The client logs in at once with a new UserSig.
    NewUserSig,
    /// A temporary error. The client retries with the usual back-off.
    Retry,
    /// The client retries, but not before this duration has passed.
    RetryAfter(Duration),
    /// Another login has replaced this one. The client must not log in automatically.
    Kicked,
    /// A retry cannot succeed; a person has to change the configuration.
    GiveUp,
}

/// One row of the table.
struct Row {
    code: i64,
    name: &'static str,
    meaning: &'static str,
    remedy: &'static str,
    disposition: Disposition,
}

const UNKNOWN: Row = Row {
    code: -1,
    name: "unknown code",
    meaning: "a code that is not in this version's table",
    remedy: "look it up in the error code list of Tencent Cloud Chat",
    disposition: Retry,
};

/// Codes that the app's webhook can use to reject group and one-to-one messages.
const CALLBACK: Row = Row {
    code: -1,
    name: "refused by callback",
    meaning: "the app's own webhook refused it with its own code",
    remedy: "ask whoever runs the webhook",
    disposition: GiveUp,
};

const fn after(secs: u64) -> Disposition {
    Disposition::RetryAfter(Duration::from_secs(secs))
}

macro_rules! codes {
    ($($constant:ident = $code:literal, $name:literal, $meaning:literal,
        $remedy:expr, $disposition:expr;)*) => {
        impl Code {
            $(
                #[doc = $name]
                #[doc = "."]
                pub const $constant: Self = Self($code);
            )*
        }

        /// Sorted by code.
        const TABLE: &[Row] = &[
            $(Row {
                code: $code,
                name: $name,
                meaning: $meaning,
                remedy: $remedy,
                disposition: $disposition,
            }),*
        ];
    };
}

const WAIT: &str = "nothing to do; the client retries";
const REPORT: &str = "report it; the client sent something that the service does not accept";
const MESSAGE: &str = "change the message or its recipient";

use Disposition::{GiveUp, Kicked, NewUserSig, Retry};

codes! {
    OK = 0, "ok", "success", "nothing to do", Retry;
    KICKED = 1002, "kicked", "another login or an administrator ended this login",
        "see which program uses the same account", Kicked;
    CLIENT_NO_TINY_ID = 2022, "answer without TinyId", "the login answer lacks the account number",
        REPORT, Retry;
    CLIENT_NO_A2 = 2023, "answer without A2Key", "the login answer lacks the session ticket",
        REPORT, Retry;
    CLIENT_NOT_LOGGED_IN = 2024, "not logged in", "the request needs a login first", "log in first",
        Retry;
    CLIENT_LOGIN_RUNNING = 2025, "login already running", "a login is in progress", WAIT, Retry;
    NETWORK_ERROR = 2800, "network error", "the connection failed", WAIT, Retry;
    NETWORK_TIMEOUT = 2801, "network timeout", "no answer in time", WAIT, Retry;
    NO_NETWORK = 2805, "no network", "there is no connection", WAIT, Retry;
    NATIVE_PARAMETER = 6017, "invalid parameter (native)", "a parameter is wrong", REPORT, GiveUp;
    NATIVE_SIG_EXPIRED = 6206, "UserSig expired (native)", "the UserSig has expired", WAIT,
        NewUserSig;
    NATIVE_KICKED = 6208, "kicked (native)", "another login replaced this one",
        "see which program uses the same account", Kicked;
    GROUP_INTERNAL = 10002, "internal error", "the service had an internal error", WAIT, Retry;
    GROUP_PARAMETER = 10004, "invalid parameter", "a field of the request is missing or wrong",
        REPORT, GiveUp;
    GROUP_PERMISSION = 10007, "not permitted", "the role, or the type of the group, forbids it",
        "ask the owner or an administrator of the group", GiveUp;
    GROUP_OWNER_STAYS = 10009, "the owner cannot quit", "only a Work group can lose its owner",
        "make someone else the owner first, or dismiss the group", GiveUp;
    GROUP_UNKNOWN = 10010, "unknown group", "no group has this ID", "check the group ID", GiveUp;
    GROUP_MEMBER_ALREADY = 10013, "already a member", "the account is in the group",
        "nothing to do", GiveUp;
    GROUP_FULL = 10014, "group full", "the group has reached its member limit",
        "raise the limit in the console", GiveUp;
    GROUP_BAD_ID = 10015, "bad group ID", "the group ID is invalid",
        "use at most 48 printable characters, not starting with @TGS#", GiveUp;
    GROUP_CALLBACK = 10016, "refused by callback", "the app's own webhook refused it",
        "ask whoever runs the webhook", GiveUp;
    GROUP_MUTED = 10017, "muted", "the sender, or everyone, is muted in the group",
        "lift the mute, or wait until it ends", GiveUp;
    ANSWER_TOO_LARGE = 10018, "answer too large", "the answer would exceed 1 MB",
        "ask for a smaller page", GiveUp;
    GROUP_ID_TAKEN = 10021, "group ID taken", "another group has this ID", "use another ID", GiveUp;
    GROUP_RATE = 10023, "too many messages",
        "the group has reached its message limit for this second", "send less often", after(1);
    GROUP_HANDLED = 10024, "already handled", "someone else answered the application first",
        "nothing to do", GiveUp;
    GROUP_NOT_LIVE = 10026, "not a live room", "only live rooms support this request",
        "check the group ID", GiveUp;
    GROUP_UNKNOWN_MESSAGE = 10030, "unknown message", "no message has this number", MESSAGE, GiveUp;
    GROUP_RECALL_WINDOW = 10031, "recall window over", "the message is too old to be recalled",
        "raise the recall time in the console", GiveUp;
    GROUP_NO_RECALL = 10032, "cannot be recalled", "tips and notices cannot be recalled", MESSAGE,
        GiveUp;
    GROUP_JOINED_LIMIT = 10037, "in too many groups", "the account has reached its group limit",
        "quit a group first", GiveUp;
    GROUP_ATTRIBUTE_CONFLICT = 10056, "attributes changed", "someone else changed them first",
        "read them again and repeat the change", GiveUp;
    NO_COMMUNITIES = 11000, "no communities", "this app's edition has no communities",
        "buy an edition that has them", GiveUp;
    C2C_BAD_PACKET = 20001, "bad packet", "the request is malformed", REPORT, GiveUp;
    C2C_NOT_AUTHENTICATED = 20002, "not authenticated", "the login is no longer valid", WAIT,
        NewUserSig;
    C2C_UNKNOWN_USER = 20003, "unknown user", "no account has this UserID",
        "check the UserID, or import the account", GiveUp;
    C2C_NETWORK = 20004, "network error in the service", "the service had an internal error", WAIT,
        Retry;
    C2C_INTERNAL = 20005, "internal error", "the service had an internal error", WAIT, Retry;
    C2C_CALLBACK = 20006, "refused by callback", "the app's own webhook refused it",
        "ask whoever runs the webhook", GiveUp;
    C2C_BLACKLISTED = 20007, "blacklisted", "the recipient has blocked the sender", MESSAGE, GiveUp;
    C2C_NOT_FRIENDS = 20009, "not friends", "the app only lets friends talk to each other",
        "add as friends, or switch the check off in the console", GiveUp;
    C2C_NOT_SENDERS_FRIEND = 20010, "not the sender's friend",
        "the recipient is not the sender's friend",
        "add as friend, or switch the check off in the console", GiveUp;
    C2C_NOT_RECIPIENTS_FRIEND = 20011, "not the recipient's friend",
        "the sender is not the recipient's friend",
        "add as friend, or switch the check off in the console", GiveUp;
    C2C_MUTED = 20012, "muted", "the sender may not speak",
        "lift the mute in the console or over REST", GiveUp;
    C2C_RECALL_WINDOW = 20016, "recall window over", "the message is too old to be recalled",
        "raise the recall time in the console", GiveUp;
    C2C_UNKNOWN_MESSAGE = 20018, "unknown message", "no message has this key", MESSAGE, GiveUp;
    C2C_EDIT_CONFLICT = 20027, "edit conflict", "someone else changed the message first",
        "read it again and repeat the change", GiveUp;
    EXTENSION_CONFLICT = 23001, "extension changed", "someone else changed the extension first",
        "read the extensions again and repeat the change", GiveUp;
    EXTENSION_UNSUPPORTED = 23002, "no extensions", "the message was sent without support for them",
        "send it with support for extensions", GiveUp;
    EXTENSIONS_FULL = 23003, "too many extensions", "the message may have no more extensions",
        "delete extensions first", GiveUp;
    SEARCH_PARAMETER = 27003, "bad search", "the search has no words, or too many",
        "use one to five words", GiveUp;
    FRIEND_PARAMETER = 30001, "bad relation request", "an account is wrong or the caller's own",
        "check the UserIDs", GiveUp;
    FRIEND_UNKNOWN_USER = 30003, "unknown user", "no account has this UserID",
        "check the UserID, or import the account", GiveUp;
    BLACKLIST_FULL = 30008, "blacklist full", "the blacklist holds no more accounts",
        "take accounts off the blacklist", GiveUp;
    FRIENDS_FULL = 30010, "too many friends", "the account may have no more friends",
        "remove friends", GiveUp;
    FRIEND_LISTS_FULL = 30011, "too many friend lists", "the account may have no more lists",
        "remove lists of friends", GiveUp;
    PEER_FRIENDS_FULL = 30014, "the other side has too many friends",
        "the other account may have no more friends", "ask the other side to remove friends",
        GiveUp;
    FRIEND_YOU_BLOCKED = 30515, "blocked by the caller", "the other account is on the blacklist",
        "take the account off the blacklist first", GiveUp;
    FRIEND_DENIED = 30516, "friends not wanted", "the other account takes no friends", MESSAGE,
        GiveUp;
    FRIEND_BLOCKED_YOU = 30525, "blocked by the other side",
        "the other side has blocked the caller", MESSAGE, GiveUp;
    FRIEND_NEEDS_CONFIRMATION = 30539, "waits for confirmation", "the other side has to agree",
        "wait for the answer", GiveUp;
    FRIEND_NO_APPLICATION = 30614, "no such application", "no user with this UserID has applied",
        "read the applications again", GiveUp;
    FRIEND_NONE = 31704, "not friends", "the account is not a friend of the caller",
        "read the friends again", GiveUp;
    PROFILE_PARAMETER = 40001, "bad profile request", "a field of the profile has no tag or value",
        REPORT, GiveUp;
    CONTACT_REFUSED = 51006, "conversation not changed",
        "there is no such conversation or group of conversations, or no room for it",
        "read the list of conversations again", GiveUp;
    BAD_REQUEST = 60002, "bad request", "the request could not be parsed", REPORT, GiveUp;
    BAD_JSON = 60003, "bad JSON", "the request is not valid JSON", REPORT, GiveUp;
    REST_BAD_SIG = 60004, "bad administrator or UserSig", "the REST call was not authenticated",
        "sign with the SecretKey for an administrator account", GiveUp;
    APP_INVALID = 60006, "SDKAppID invalid", "no such app, or not at this site",
        "check the SDKAppID and the site", GiveUp;
    REST_RATE = 60007, "called too often", "the call limit is reached", "call less often",
        after(10);
    SERVER_TIMEOUT = 60008, "server timeout", "the service did not answer in time", WAIT, Retry;
    REST_NOT_ADMIN = 60010, "administrator needed", "the caller is not an administrator of the app",
        "use the UserID of an administrator", GiveUp;
    REST_NO_APP = 60012, "SDKAppID missing", "the call has no sdkappid", "add it to the query",
        GiveUp;
    CONNECT_TIMEOUT = 60014, "timeout inside the service", "the service did not answer in time",
        WAIT, Retry;
    APP_DISABLED = 60016, "SDKAppID disabled", "the app is switched off",
        "see the console for the reason", GiveUp;
    TOO_FREQUENT = 60018, "too frequent", "too many requests at once", WAIT, after(10);
    TOO_FREQUENT_LOGIN = 60019, "too frequent", "too many requests at once", WAIT, after(10);
    NO_PACKAGE = 60020, "no package", "the app has no package, or it ran out",
        "buy or renew the package in the console", after(300);
    OVERLOADED = 60022, "held back by overload", "the service asked not to send this for a while",
        WAIT, Retry;
    USERSIG_EXPIRED = 70001, "UserSig expired",
        "the UserSig, or the login made with it, has expired", "make a new UserSig", NewUserSig;
    USERSIG_EMPTY = 70002, "UserSig empty", "the login carried no UserSig",
        "configure a UserSig or the SecretKey", GiveUp;
    USERSIG_UNREADABLE = 70003, "UserSig unreadable", "the text is truncated or not a UserSig",
        "copy it completely, or make a new one", GiveUp;
    USERSIG_UNREADABLE_2 = 70005, "UserSig unreadable", "the text is truncated or not a UserSig",
        "copy it completely, or make a new one", GiveUp;
    USERSIG_SIGNATURE = 70009, "signature check failed", "it was signed with another SecretKey",
        "take the SecretKey of this very app from the console", GiveUp;
    USERSIG_WRONG_USER = 70013, "UserSig of another user",
        "the UserSig was made for another UserID", "make one for this UserID", GiveUp;
    USERSIG_WRONG_APP = 70014, "UserSig of another app",
        "the UserSig was made for another SDKAppID", "make one for this SDKAppID", GiveUp;
    APP_WITHOUT_KEY = 70016, "no key for this app", "the site has no key for this app",
        "check the SDKAppID and the site", GiveUp;
    APP_UNKNOWN = 70020, "SDKAppID unknown", "the site does not know this app",
        "check the SDKAppID and the site", GiveUp;
    LOCKED = 70050, "locked for a while", "too many failed logins", WAIT, after(60);
    BLACKLISTED = 70051, "account blacklisted", "the account is blocked",
        "lift the block in the console", GiveUp;
    USERSIG_INVALIDATED = 70052, "UserSig no longer valid", "the UserSig was revoked",
        "make a new UserSig", NewUserSig;
    ACCOUNT_UNKNOWN = 70107, "account not imported", "no account has this UserID",
        "import the account", GiveUp;
    ACCOUNT_SECURITY = 70114, "blocked for security reasons", "the service blocks the account",
        "see the console for the reason", GiveUp;
    ACCOUNT_TIMEOUT = 70169, "server timeout", "the service did not answer in time", WAIT, Retry;
    ACCOUNT_TIMEOUT_2 = 70202, "server timeout", "the service did not answer in time", WAIT, Retry;
    ACCOUNT_QUOTA = 70398, "account quota used up", "the edition allows no more accounts",
        "delete accounts or upgrade the edition", GiveUp;
    ACCOUNT_PARAMETER = 70402, "invalid parameter",
        "a parameter is wrong, or logins were too close",
        "check the UserID; leave 15 seconds between two logins", after(15);
    ACCOUNT_NOT_ADMIN = 70403, "administrator needed", "the call needs an administrator",
        "use the UserID of an administrator", GiveUp;
    ACCOUNT_INTERNAL = 70500, "internal error", "the service had an internal error", WAIT, Retry;
    CONTENT_REFUSED = 80001, "content refused", "a content filter refused the text", MESSAGE,
        GiveUp;
    MESSAGE_TOO_LONG = 80002, "message too long", "a message has at most 12 KB",
        "split the message", GiveUp;
    CONTENT_AUDIT = 80004, "media audit failed", "a content filter refused the media", MESSAGE,
        GiveUp;
    REST_JSON = 90001, "bad JSON", "the call's body is not valid JSON", "correct the body", GiveUp;
    REST_BODY = 90002, "bad MsgBody", "MsgBody has the wrong shape", "correct MsgBody", GiveUp;
    REST_RECIPIENT = 90003, "bad To_Account", "To_Account is missing or not a string",
        "correct To_Account", GiveUp;
    REST_RANDOM = 90005, "bad MsgRandom", "MsgRandom is missing or not a number",
        "correct MsgRandom", GiveUp;
    REST_BODY_ARRAY = 90007, "MsgBody is no array", "MsgBody has to be an array", "correct MsgBody",
        GiveUp;
    REST_SENDER = 90008, "bad From_Account",
        "From_Account is not a string, or the account does not exist", "correct From_Account",
        GiveUp;
    REST_MESSAGE_ADMIN = 90009, "administrator needed", "the caller is not an administrator",
        "use the UserID of an administrator", GiveUp;
    REST_ELEMENT = 90010, "bad element", "an element of MsgBody has the wrong shape",
        "correct MsgBody", GiveUp;
    REST_BATCH = 90011, "too many recipients", "more than 500 accounts in one call",
        "call several times", GiveUp;
    REST_RECIPIENT_UNKNOWN = 90012, "unknown To_Account", "no account has this UserID",
        "import the account", GiveUp;
    REST_LIFETIME = 90026, "bad MsgLifeTime", "the lifetime is above seven days",
        "correct MsgLifeTime", GiveUp;
    REST_ACCOUNT_UNKNOWN = 90048, "unknown account", "no account has this UserID",
        "import the account", GiveUp;
    REST_MESSAGE_KEY = 90054, "bad MsgKey", "no message has this key", "correct MsgKey", GiveUp;
    REST_INTERNAL = 90992, "internal error", "the service had an internal error", WAIT, Retry;
    REST_INTERNAL_2 = 90994, "internal error", "the service had an internal error", WAIT, Retry;
    REST_INTERNAL_3 = 91000, "internal error", "the service had an internal error", WAIT, Retry;
    REST_TOO_LONG = 93000, "message too long", "a message has at most 12 KB", "split the message",
        GiveUp;
}

impl Code {
    fn row(self) -> &'static Row {
        if matches!(self.0, 10_100..=10_200 | 120_001..=130_000) {
            return &CALLBACK;
        }
        TABLE
            .binary_search_by_key(&self.0, |row| row.code)
            .ok()
            .and_then(|at| TABLE.get(at))
            .unwrap_or(&UNKNOWN)
    }

    /// Returns whether the code means success.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Returns a short name, e.g. `signature check failed`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the meaning in one clause.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Returns the remedy: what a person can do about the error.
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// Returns the reaction of a client that receives this code in a login answer. Unknown codes
    /// are retried.
    pub fn disposition(self) -> Disposition {
        self.row().disposition
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

impl std::error::Error for Code {}

impl From<i64> for Code {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn dispositions() {
        let rows: &[(Disposition, &[i64])] = &[
            (NewUserSig, &[70001, 70052, 6206, 20002]),
            (after(60), &[70050]),
            (after(15), &[70402]),
            (after(10), &[60018, 60019]),
            (after(300), &[60020]),
            (
                Retry,
                &[
                    70169, 70202, 70500, 60008, 60014, 2800, 2801, 2805, 424_242, -5,
                ],
            ),
            (Kicked, &[1002]),
            (
                GiveUp,
                &[
                    70002, 70003, 70005, 70009, 70013, 70014, 70016, 70020, 70051, 70107, 70114,
                    70398, 70403, 60002, 60003, 60006, 60016, 20003, 6017, 10016, 10100, 10200,
                    120_001, 130_000,
                ],
            ),
        ];
        for (disposition, codes) in rows {
            for code in *codes {
                assert_eq!(Code(*code).disposition(), *disposition, "{code}");
            }
        }
    }

    #[test]
    fn display_has_number_and_name() {
        assert_eq!(Code(70009).to_string(), "70009 (signature check failed)");
        assert_eq!(Code(424_242).to_string(), "424242 (unknown code)");
        for refused in [10_016, 10_100, 10_200, 120_001, 130_000] {
            assert_eq!(Code(refused).name(), "refused by callback");
        }
        for unknown in [10_099, 10_201, 120_000, 130_001] {
            assert_eq!(Code(unknown).name(), "unknown code");
        }
    }

    #[test]
    fn every_row_says_something() {
        for row in TABLE {
            assert!(!row.name.is_empty() && !row.meaning.is_empty() && !row.remedy.is_empty());
        }
    }
}
