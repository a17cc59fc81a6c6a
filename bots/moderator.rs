//! Keeps order in groups: words, links and floods. It warns, then it recalls the message, then it mutes its author.
//!
//! ```toml
//! [bots.moderator]
//! words = ["casino", "赌博"]
//! hosts = ["example.com"]      # links to all others are refused; without this key none is
//! ```

use botroupe::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Of so many people in groups it is known how fast they write.
const WATCHED: usize = 10_000;
/// Characters of a link that matter.
const LINK: usize = 300;
/// Ends of names that are links without `https://` in front, too. Others are rather files or typing errors.
const ENDINGS: [&str; 18] = [
    "com", "net", "org", "cn", "io", "xyz", "top", "info", "biz", "cc", "ru", "vip", "club",
    "site", "online", "shop", "link", "tk",
];

/// `[bots.moderator]`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Words that nobody may write.
    #[serde(deserialize_with = "words")]
    words: Vec<Word>,
    /// Hosts that links may lead to, with everything below them. Without it links are not looked at.
    hosts: Option<Vec<String>>,
    /// How fast somebody may write.
    flood: Flood,
    /// The warning from which on the message is recalled.
    recall_from: u32,
    /// The warning from which on its author is muted, too.
    mute_from: u32,
    /// For how long.
    mute: Span,
    /// How long a warning counts.
    forget: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            hosts: None,
            flood: Flood::default(),
            recall_from: 2,
            mute_from: 3,
            mute: Span::minutes(10),
            forget: Span::minutes(24 * 60),
        }
    }
}

/// `flood`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flood {
    /// So many messages within the time are too many; 0 is any number.
    messages: usize,
    /// The time.
    within: Span,
}

impl Default for Flood {
    fn default() -> Self {
        Self {
            messages: 10,
            within: Span(Duration::from_secs(10)),
        }
    }
}

/// A time such as `"10m"`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl Span {
    const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(60 * minutes))
    }

    fn seconds(self) -> u64 {
        self.0.as_secs().max(1)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = botroupe::config::parse_duration(&text).map_err(|error| error.to_string())?;
        let fits = (1..=30 * 24 * 3600).contains(&time.as_secs());
        fits.then_some(Self(time))
            .ok_or_else(|| "expected a time from 1s to 30d".to_owned())
    }
}

/// A forbidden word.
struct Word {
    text: String,
    /// It is written with spaces around it. Chinese is not, so there it counts inside of others, too, and whatever
    /// stands between its characters.
    is_spaced: bool,
}

fn words<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Word>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    let words = all.iter().map(|word| {
        let folded = folded(word).trim().to_owned();
        let is_spaced = folded.is_ascii();
        let text = if is_spaced { folded } else { letters(&folded) };
        (!text.is_empty()).then_some(Word { text, is_spaced })
    });
    let words: Option<Vec<Word>> = words.collect();
    words.ok_or_else(|| serde::de::Error::custom("expected words with letters"))
}

/// When people wrote, in Unix seconds, by group and user.
type Times = HashMap<(Conversation, UserId), VecDeque<u64>>;

/// How much people write.
#[derive(Default)]
struct Pace(Mutex<Times>);

/// The warnings of somebody in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Warnings {
    count: u32,
    /// When the oldest of them began to count, in Unix seconds.
    since: u64,
}

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offence {
    Word,
    Link,
    Flood,
}

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("moderator")
        .config::<Settings>()
        .state(Pace::default())
        .texts("en", include_str!("moderator/en.ftl"))
        .texts("zh", include_str!("moderator/zh.ftl"))
        // Around everything: a command may hold a forbidden word, too.
        .middleware(guard)
        .command(
            command("warnings <who:user>")
                .alias("警告")
                .permit(Permission::any([
                    Permission::admins(),
                    Permission::group_admin(),
                ])),
            warnings,
        )
        .on(filter::message() & filter::group(), nothing)
}

/// Lets the bot hear every message of its groups.
async fn nothing(_: Config<Settings>, _: State<Pace>) {}

async fn guard(event: Event, next: Next) -> Reply {
    match judge(&event).await {
        Ok(None) => next.run(event).await,
        Ok(Some(said)) => Reply::message(said),
        Err(error) => Reply::failed(error),
    }
}

/// Looks at a message, and acts on it. What is to be said comes back.
async fn judge(event: &Event) -> BotResult<Option<Draft>> {
    let Some(message) = event.message() else {
        return Ok(None);
    };
    let Conversation::Group(group) = &message.conversation else {
        return Ok(None);
    };
    if message.tip().is_some() || message.notice().is_some() {
        return Ok(None);
    }
    let settings = Config::<Settings>::from_event(event).await?;
    let pace = State::<Pace>::from_event(event).await?;
    let is_flood = pace.is_flood(message, &settings.flood);
    let offence = settings
        .offence_of(message)
        .or(is_flood.then_some(Offence::Flood));
    let Some(offence) = offence else {
        return Ok(None);
    };
    // A topic belongs to a community: that is where people are members.
    let info = message.group.as_deref().map(|info| &info.id);
    let members_of = info.filter(|id| !id.is_empty()).unwrap_or(group);
    let members = event.api().group(members_of);
    let found = members.member_info([&*message.from]).await?;
    if found.first().map(|member| member.role()) != Some(Role::Member) {
        return Ok(None);
    }
    let Ok(store) = Store::<Warnings>::from_event(event).await;
    let forget = settings.forget.seconds();
    let warn = |known: Option<Warnings>| known.unwrap_or_default().one_more(message.time, forget);
    let count = store.user()?.update(members_of, warn).await?.count;
    let Ok(texts) = Texts::from_event(event).await;
    let why = texts.get(match offence {
        Offence::Word => "moderator-word",
        Offence::Link => "moderator-link",
        Offence::Flood => "moderator-flood",
    });
    let api = event.api();
    let mut outcome = "moderator-warned";
    let mut has_power = true;
    if count >= settings.recall_from {
        outcome = "moderator-recalled";
        has_power &= api
            .run("recall", || async { api.message(message).recall().await })
            .await
            .is_ok();
    }
    if count >= settings.mute_from {
        outcome = "moderator-muted";
        let mute = || members.mute(&message.from, settings.mute.0);
        has_power &= api.run("mute", mute).await.is_ok();
    }
    if !has_power {
        outcome = "moderator-powerless";
    }
    let user = format!("@{}", message.from);
    let time = botroupe::config::format_duration(settings.mute.0);
    let values = [
        ("user", user.as_str().into()),
        ("why", why.as_str().into()),
        ("time", time.as_str().into()),
    ];
    let said = Draft::text(texts.with(outcome, &values));
    Ok(Some(said.mention(message.from.to_string())))
}

async fn warnings(
    Args(who): Args<String>,
    message: Message,
    texts: Texts,
    settings: Config<Settings>,
    store: Store<Warnings>,
) -> Result<String, ValueError> {
    let Conversation::Group(group) = &message.conversation else {
        return Ok(texts.get("moderator-group"));
    };
    let info = message.group.as_deref().map(|info| &info.id);
    let members_of = info.filter(|id| !id.is_empty()).unwrap_or(group);
    let known = store.of_user(&who).get(members_of).await?;
    let known = known.unwrap_or_default();
    let left = known.at(message.time, settings.forget.seconds());
    let values = [("user", who.as_str().into()), ("count", left.count.into())];
    Ok(texts.with("moderator-count", &values))
}

impl Warnings {
    /// What is left of them: after each `forget` there is one less.
    fn at(self, now: u64, forget: u64) -> Self {
        let over = now.saturating_sub(self.since) / forget.max(1);
        let count = self
            .count
            .saturating_sub(u32::try_from(over).unwrap_or(u32::MAX));
        match count {
            0 => Self { count, since: now },
            _ => Self {
                count,
                since: self.since + over * forget,
            },
        }
    }

    fn one_more(self, now: u64, forget: u64) -> Self {
        let left = self.at(now, forget);
        Self {
            count: left.count.saturating_add(1),
            ..left
        }
    }
}

impl Pace {
    /// Counts a message. Whether there are too many; then counting begins again.
    fn is_flood(&self, message: &Message, limit: &Flood) -> bool {
        if limit.messages == 0 {
            return false;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = message.time;
        let within = limit.within.seconds();
        let is_recent = |time: &u64| time + within > now;
        if all.len() >= WATCHED {
            all.retain(|_, times| times.back().is_some_and(is_recent));
            if all.len() >= WATCHED {
                all.clear();
            }
        }
        let who = (message.conversation.clone(), message.from.clone());
        let times = all.entry(who).or_default();
        times.retain(is_recent);
        times.push_back(now);
        let is_flood = times.len() > limit.messages;
        if is_flood {
            times.clear();
        }
        is_flood
    }
}

impl Settings {
    fn offence_of(&self, message: &Message) -> Option<Offence> {
        let texts = message.elements.iter().filter_map(|element| match element {
            Element::Text(text) => Some(text.text.as_str()),
            _ => None,
        });
        let text = folded(&texts.collect::<Vec<_>>().join("\n"));
        let letters = letters(&text);
        let is_said = |word: &Word| match word.is_spaced {
            true => has_word(&text, &word.text),
            false => letters.contains(&word.text),
        };
        if self.words.iter().any(is_said) {
            return Some(Offence::Word);
        }
        let hosts = self.hosts.as_ref()?;
        let is_allowed = |host: &str| {
            hosts.iter().any(|allowed| {
                let rest = host.strip_suffix(allowed.to_lowercase().as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        links(&text)
            .iter()
            .any(|host| !is_allowed(host))
            .then_some(Offence::Link)
    }
}

/// Whether the word stands there and is no part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, found)| {
        let (before, after) = (text.get(..at), text.get(at + found.len()..));
        ends(before.and_then(|it| it.chars().next_back()))
            && ends(after.and_then(|it| it.chars().next()))
    })
}

/// The hosts that the links in a folded text lead to.
fn links(text: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, _) in text.match_indices("://") {
        let rest = text.get(at + 3..).unwrap_or_default();
        let rest = rest.split(char::is_whitespace).next().unwrap_or_default();
        let link: String = rest.chars().take(LINK).collect();
        // A sentence may go on right behind a link; a name in which a dot follows later is a name of other letters.
        let authority = link.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let plain = authority.find(|c: char| !c.is_ascii());
        let plain = plain.and_then(|end| Some((authority.get(..end)?, authority.get(end..)?)));
        let link = match plain {
            Some((plain, tail)) if !plain.is_empty() && !tail.contains('.') => plain,
            _ => &link,
        };
        // As browsers read it.
        let url = Url::parse(&format!("http://{link}"));
        let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
        hosts.extend(host.map(|host| host.trim_end_matches('.').to_owned()));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@' | '_');
    for name in text.split(|c| !is_part(c)) {
        let name = name.trim_matches(['.', '-', '_']);
        let is_link = name
            .rsplit_once('.')
            .is_some_and(|(first, end)| !first.is_empty() && ENDINGS.contains(&end));
        // An address for mail is no link.
        if is_link && !name.contains('@') {
            hosts.push(name.to_owned());
        }
    }
    hosts
}

/// The text as it is compared: what is seen of it, in small letters of common width, with single spaces.
fn folded(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c if c.is_whitespace() => ' ',
        c => c,
    });
    let text: String = seen.flat_map(char::to_lowercase).collect();
    text.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Letters and digits alone.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Characters that nobody sees, and that tear a word apart for a program.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use botroupe::bot::testing::{Outcome, TestBot};
    use serde_json::{Value, json};

    const MEMBERS: &str = "group_open_http_svc.get_specified_group_member_info";
    const RECALL: &str = "group_open_http_svc.group_msg_recall";
    const CHANGE: &str = "group_open_http_svc.modify_group_member_info";
    const WARNED: &str = "@alice, that word is not welcome here.";

    fn moderator(text: &str) -> TestBot {
        let mut bot = bot();
        bot.configure(Some(&text.parse().unwrap())).unwrap();
        TestBot::new(bot)
    }

    /// `alice` says something in the group; the service says that she has this role, and does what it is asked for.
    async fn says(bot: &TestBot, role: &str, text: &str) -> Outcome {
        bot.answer(
            MEMBERS,
            &json!({ "MemberList": [{ "Member_Account": "alice", "Role": role }] }),
        );
        bot.answer(
            RECALL,
            &json!({ "RecallRetList": [{ "MsgSeq": 1, "RetCode": 0 }] }),
        );
        bot.answer(CHANGE, &json!({}));
        bot.in_group("g").hears(text).await
    }

    fn calls(bot: &TestBot) -> Vec<(String, Value)> {
        let mut calls = bot.calls();
        calls.retain(|(servcmd, _)| servcmd != MEMBERS);
        calls
    }

    #[actix_rt::test]
    async fn it_warns_then_recalls_then_mutes_and_forgets() {
        let bot = moderator("words = [\"casino\"]\nforget = \"1h\"\nmute = \"90s\"");
        assert_eq!(says(&bot, "Member", "Casino!").await, [WARNED]);
        assert!(calls(&bot).is_empty());
        let recalled = "@alice, that word is not welcome here. I have taken the message back.";
        assert_eq!(says(&bot, "Member", "my casino").await, [recalled]);
        let [(recall, body)] = &calls(&bot)[..] else {
            panic!()
        };
        assert_eq!(
            (recall.as_str(), &body["MsgSeqList"]),
            (RECALL, &json!([{ "MsgSeq": 2 }]))
        );
        let muted = "@alice, that word is not welcome here. You cannot write here for 1m30s.";
        let outcome = says(&bot, "Member", "casino").await;
        assert_eq!(outcome, [muted]);
        assert_eq!(
            outcome.sent()[0].1.mentions[0].user.as_deref(),
            Some("alice")
        );
        let done = calls(&bot);
        assert_eq!(done.len(), 2);
        assert_eq!(
            (&done[1].1["Member_Account"], &done[1].1["ShutUpTime"]),
            (&json!("alice"), &json!(90))
        );
        // One is forgotten after an hour, and a restart changes nothing about the others.
        bot.advance("61m").await;
        bot.crash_and_restart().await;
        assert_eq!(
            says(&bot, "Member", "casino").await,
            [muted],
            "two were left"
        );
        bot.advance("181m").await;
        assert_eq!(says(&bot, "Member", "casino").await, [WARNED]);
    }

    #[actix_rt::test]
    async fn those_who_lead_the_group_may_say_everything() {
        let bot = moderator("words = [\"casino\"]\nhosts = []\nrecall_from = 1\nmute_from = 1");
        for role in ["Owner", "Admin", "", "Ghost"] {
            says(&bot, role, "casino https://evil.example")
                .await
                .expect_no_reply();
            assert!(calls(&bot).is_empty(), "{role}");
        }
        // Who is no member any more, and somebody in a one-to-one chat.
        bot.answer(MEMBERS, &json!({ "MemberList": [] }));
        bot.in_group("h").hears("casino").await.expect_no_reply();
        bot.hears("casino").await.expect_no_reply();
    }

    #[actix_rt::test]
    async fn without_power_it_says_so() {
        let bot = moderator("words = [\"casino\"]\nrecall_from = 1");
        bot.answer(
            MEMBERS,
            &json!({ "MemberList": [{ "Member_Account": "alice", "Role": "Member" }] }),
        );
        let said = bot.in_group("g").hears("casino").await.texts();
        assert!(said[0].contains("make me an administrator"), "{said:?}");
        // Nobody knows what alice is: nothing is done, and that is a failure.
        let unknown = bot.in_group("g").hears("casino").await;
        assert!(
            unknown.texts().is_empty() && unknown.failures().len() == 1,
            "{unknown:?}"
        );
    }

    #[actix_rt::test]
    async fn words_are_found_as_they_are_read() {
        let long = format!("{} casino", "x ".repeat(5_900));
        for (text, is_found) in [
            ("casino", true),
            ("the CASINO, now", true),
            ("ｃａｓｉｎｏ", true),
            ("cas\u{200b}i\u{ad}no", true),
            ("\u{202e}casino\u{202c}", true),
            ("去casino玩", true),
            ("buy \u{3000} NOW", true),
            ("来赌博吧", true),
            ("赌 😀 博", true),
            (&long, true),
            ("casinos", false),
            ("buy it now", false),
            ("", false),
            ("😀👨\u{200d}👩", false),
        ] {
            let bot = moderator("words = [\"casino\", \"赌博\", \"Buy  now\"]");
            let said = says(&bot, "Member", text).await;
            assert_eq!(!said.texts().is_empty(), is_found, "{text:.30}");
        }
    }

    #[actix_rt::test]
    async fn links_lead_to_where_they_may() {
        let shop = "hosts = [\"Example.com\"]";
        for (text, is_refused) in [
            ("see https://example.com/a?b#c", false),
            ("https://shop.example.com:8080/", false),
            ("看看 https://example.com。谢谢", false),
            ("example.com and main.rs, e.g. this", false),
            ("write to bob@evil.com", false),
            ("a://", false),
            ("https://evil.org", true),
            ("HTTPS://EVIL.ORG", true),
            ("https://notexample.com", true),
            ("https://example.com.evil.org", true),
            ("https://example.com@evil.org/", true),
            ("https://evil.org\\@example.com", true),
            ("https://example.com吧.evil.org/", true),
            ("https://e\u{200b}vil.org", true),
            ("ｈｔｔｐｓ：／／ｅｖｉｌ．ｏｒｇ", true),
            ("https://1.2.3.4/x", true),
            ("https://例子.中国/x", true),
            ("weixin://dl/business", true),
            ("buy at evil.com.", true),
            ("/warnings evil.com", true),
            ("/help evil.com", true),
        ] {
            let bot = moderator(shop);
            let said = says(&bot, "Member", text).await.texts();
            let refused = said
                .iter()
                .any(|said| said.contains("link") || said.contains("链接"));
            assert_eq!(refused, is_refused, "{text} {said:?}");
        }
        let bot = moderator("");
        says(&bot, "Member", "https://evil.org")
            .await
            .expect_no_reply();
    }

    #[actix_rt::test]
    async fn who_writes_too_fast_is_slowed_down() {
        // People in this test write every two seconds.
        let bot = moderator("flood = { messages = 3, within = \"9s\" }\nlanguage = \"zh\"");
        for round in [
            "@alice，请放慢发言速度。",
            "@alice，请放慢发言速度。消息已撤回。",
        ] {
            for text in ["a", "", "😀"] {
                says(&bot, "Member", text).await.expect_no_reply();
                bot.in_group("g")
                    .from("bob")
                    .hears("b")
                    .await
                    .expect_no_reply();
                bot.advance("1s").await.expect_no_reply();
                bot.hears("a").await.expect_no_reply();
            }
            bot.advance("9s").await;
            for text in ["a", "b", "c"] {
                says(&bot, "Member", text).await.expect_no_reply();
            }
            assert_eq!(says(&bot, "Member", "d").await, [round]);
        }
    }

    #[actix_rt::test]
    async fn its_admins_see_the_warnings() {
        let bot = moderator("words = [\"casino\"]\nadmins = [\"boss\"]\nforget = \"1h\"");
        let boss = bot.in_group("g").from("boss");
        assert_eq!(
            boss.hears("/warnings @alice").await,
            ["alice was warned 0 times here."]
        );
        says(&bot, "Member", "casino").await;
        assert_eq!(
            boss.hears("/warnings alice").await,
            ["alice was warned once here."]
        );
        assert_eq!(
            bot.in_group("h")
                .from("boss")
                .hears("/warnings alice")
                .await,
            ["alice was warned 0 times here."]
        );
        assert_eq!(
            bot.from("boss").hears("/warnings alice").await,
            ["Please ask me in the group."]
        );
        assert_eq!(
            says(&bot, "Member", "/warnings alice").await,
            ["You may not use /warnings."]
        );
        assert_eq!(
            boss.hears("/warnings").await,
            ["<who> is missing.\nUsage: /warnings <who>"]
        );
        bot.advance("2h").await;
        assert_eq!(
            boss.hears("/警告 alice").await,
            ["alice 在这里被警告过 0 次。"]
        );
    }

    #[actix_rt::test]
    async fn a_crash_counts_and_acts_once() {
        for writes in 0..8 {
            let bot = moderator("words = [\"casino\"]\nrecall_from = 1\nadmins = [\"boss\"]");
            bot.die_after(writes);
            let mut said = says(&bot, "Member", "casino").await.texts();
            let again = json!({ "MemberList": [{ "Member_Account": "alice", "Role": "Member" }] });
            bot.answer(MEMBERS, &again);
            bot.answer(
                RECALL,
                &json!({ "RecallRetList": [{ "MsgSeq": 1, "RetCode": 0 }] }),
            );
            said.extend(bot.crash_and_restart().await.texts());
            assert_eq!(said.len(), 1, "{writes} {said:?}");
            let boss = bot.in_group("g").from("boss");
            assert_eq!(
                boss.hears("/warnings alice").await,
                ["alice was warned once here."]
            );
        }
    }

    #[test]
    fn the_pace_of_a_crowd_takes_bounded_room() {
        let pace = Pace::default();
        let limit = Flood::default();
        for user in 0..3 * WATCHED {
            let item = botroupe::message::C2cItem::new(&user.to_string(), "bot", vec![]);
            assert!(!pace.is_flood(&Message::from_c2c(item, "bot"), &limit));
        }
        assert!(pace.0.lock().unwrap().len() <= WATCHED);
    }

    #[test]
    fn warnings_go_one_by_one() {
        let warned = Warnings {
            count: 3,
            since: 100,
        };
        for (now, count) in [
            (0, 3),
            (100, 3),
            (109, 3),
            (110, 2),
            (125, 1),
            (130, 0),
            (u64::MAX, 0),
        ] {
            assert_eq!(warned.at(now, 10).count, count, "{now}");
        }
        assert_eq!(
            warned.one_more(125, 10),
            Warnings {
                count: 2,
                since: 120
            }
        );
    }

    #[test]
    fn settings_that_cannot_be_used_are_refused() {
        for (text, fragment) in [
            ("words = [\"?!\", \"赌\", \"！\"]", ""),
            ("words = [\" \"]", "words: expected words with letters"),
            ("mute = \"soon\"", "mute: "),
            ("mute = \"0s\"", "from 1s to 30d"),
            (
                "flood = { message = 1 }",
                "flood.message: unknown key; did you mean \"messages\"",
            ),
            ("hosts = \"example.com\"", "hosts: expected a"),
        ] {
            let refusal = bot().configure(Some(&text.parse().unwrap()));
            let refusal = refusal.map_or_else(|error| error.to_string(), |()| String::new());
            assert!(
                refusal.contains(fragment) && refusal.is_empty() == fragment.is_empty(),
                "{text}: {refusal}"
            );
        }
    }
}
