//! Greets who joins a group, each person once a day.
//!
//! ```toml
//! [bots.welcome]
//! text = "Hello {names}, this is {group}. Please read the rules first."
//! ```

use botroupe::prelude::*;
use serde::Deserialize;
use std::time::Duration;

/// So long nobody is greeted again who leaves and comes back.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// So many people are named in one greeting.
const NAMED: usize = 20;
/// So many characters of a name are shown: people choose their names themselves.
const NAME: usize = 32;

/// `[bots.welcome]`
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The greeting, with `{names}` and `{group}` in it. Without it the bot has one of its own.
    text: Option<Template>,
}

/// A text with places for names.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Names,
    Group,
}

impl TryFrom<String> for Template {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WANTED: &str =
            "expected a text of at most 4 KiB with {names} or {group} in it, and no other braces";
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(WANTED)?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(match name {
                "names" => Piece::Names,
                "group" => Piece::Group,
                _ => return Err(WANTED),
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let fits = !text.trim().is_empty() && text.len() <= 4096 && !rest.contains('}');
        fits.then_some(Self(pieces)).ok_or(WANTED)
    }
}

/// Makes the bot.
pub fn bot() -> Bot {
    Bot::new("welcome")
        .config::<Settings>()
        .texts("en", include_str!("welcome/en.ftl"))
        .texts("zh", include_str!("welcome/zh.ftl"))
        .on_group_tip(greet)
}

async fn greet(
    tip: GroupTip,
    group: Group,
    settings: Config<Settings>,
    texts: Texts,
    store: Store<bool>,
    api: Api,
) -> Result<Option<Draft>, ValueError> {
    if tip.kind() != TipKind::Joined {
        return Ok(None);
    }
    let mut new = Vec::new();
    for user in tip.members.iter().filter(|user| *user != api.me()) {
        let greeted = store.of_user(user);
        if greeted.get(&group.id).await?.is_none() {
            greeted.set_for(&group.id, &true, DAY).await?;
            new.push(user.as_str());
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    let named = new.iter().take(NAMED);
    let names = named
        .clone()
        .map(|user| format!("@{}", name_of(&tip, user)));
    let mut names = names.collect::<Vec<_>>().join(" ");
    if new.len() > NAMED {
        names.push_str(" …");
    }
    let place = if group.name.is_empty() {
        group.id.as_str()
    } else {
        group.name.as_str()
    };
    let text = match &settings.text {
        Some(template) => template.fill(&names, place),
        None => {
            let values = [("names", names.as_str().into()), ("group", place.into())];
            texts.with("welcome-text", &values)
        }
    };
    let draft = Draft::text(text);
    Ok(Some(named.fold(draft, |draft, user| draft.mention(*user))))
}

/// What somebody is called: the nick name that came along, or the UserID. It is shown as one short word.
fn name_of(tip: &GroupTip, user: &str) -> String {
    let known = tip.extra.get("MsgMemberExtraInfo");
    let mut known = known.and_then(|list| list.as_array()).into_iter().flatten();
    let known = known.find(|entry| entry["UserId"] == user);
    let nick = known.and_then(|entry| entry["NickName"].as_str());
    let shown = |name: &str| -> String {
        let seen = name.chars().filter(|c| {
            // What has no width or turns the direction changes how the rest of the greeting is read.
            !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        });
        let short: String = seen.take(NAME).collect();
        short.trim().to_owned()
    };
    let nick = nick.map(shown).filter(|nick| !nick.is_empty());
    nick.unwrap_or_else(|| shown(user))
}

impl Template {
    fn fill(&self, names: &str, group: &str) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Names => names,
            Piece::Group => group,
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use botroupe::bot::testing::TestBot;
    use serde_json::json;

    fn welcome(text: &str) -> TestBot {
        let mut bot = bot();
        bot.configure(Some(&text.parse().unwrap())).unwrap();
        TestBot::new(bot)
    }

    fn joined(users: &[&str]) -> GroupTip {
        GroupTip {
            op: 1,
            members: users.iter().map(|user| (*user).into()).collect(),
            ..GroupTip::default()
        }
    }

    #[actix_rt::test]
    async fn who_joins_is_greeted_once_a_day() {
        let bot = welcome("");
        let said = bot.tip("g", &joined(&["bob", "bot"])).await;
        assert_eq!(said, ["Welcome to g, @bob!"]);
        let mentions = &said.sent()[0].1.mentions;
        assert_eq!(
            (mentions.len(), mentions[0].user.as_deref()),
            (1, Some("bob"))
        );
        bot.tip("g", &joined(&["bob"])).await.expect_no_reply();
        bot.crash_and_restart().await.expect_no_reply();
        assert_eq!(
            bot.tip("g", &joined(&["bob", "carol"])).await,
            ["Welcome to g, @carol!"]
        );
        assert_eq!(
            bot.tip("h", &joined(&["bob"])).await,
            ["Welcome to h, @bob!"]
        );
        bot.advance("23h").await.expect_no_reply();
        bot.tip("g", &joined(&["bob"])).await.expect_no_reply();
        bot.advance("2h").await.expect_no_reply();
        assert_eq!(
            bot.tip("g", &joined(&["bob"])).await,
            ["Welcome to g, @bob!"]
        );
        // Others leave, and the bot itself joins.
        for (op, user) in [(2, "dave"), (3, "dave"), (99, "dave"), (1, "bot")] {
            let tip = GroupTip {
                op,
                ..joined(&[user])
            };
            bot.tip("g", &tip).await.expect_no_reply();
        }
        bot.in_group("g").hears("hello").await.expect_no_reply();
    }

    #[actix_rt::test]
    async fn a_template_takes_the_names_as_they_are() {
        let bot = welcome("text = \"Hi {names}! {group} is for {names}.\"");
        let nick = |name: &str| {
            let mut tip = joined(&["bob"]);
            tip.extra.insert(
                "MsgMemberExtraInfo".to_owned(),
                json!([{ "UserId": "bob", "NickName": name }]),
            );
            tip
        };
        let long = "长".repeat(6_000);
        for (group, name, shown) in [
            ("a", "Bobby", "Bobby"),
            ("b", "{group}", "{group}"),
            ("c", "  \u{202e}\u{200b}", "bob"),
            ("d", "😀 בוב", "😀 בוב"),
            ("e", "two\nlines", "twolines"),
            ("f", &long, &"长".repeat(32)),
            ("g", "", "bob"),
        ] {
            let said = bot.tip(group, &nick(name)).await;
            let expected = format!("Hi @{shown}! {group} is for @{shown}.");
            assert_eq!(said, [expected.as_str()], "{name:.20}");
        }
        let mut odd = joined(&["bob"]);
        odd.extra
            .insert("MsgMemberExtraInfo".to_owned(), json!("none"));
        assert_eq!(bot.tip("z", &odd).await.texts().len(), 1);
    }

    #[actix_rt::test]
    async fn a_crowd_gets_one_greeting() {
        let bot = welcome("language = \"zh\"");
        let crowd: Vec<String> = (0..300).map(|number| format!("user-{number}")).collect();
        let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
        let said = bot.tip("g", &joined(&crowd)).await;
        let text = said.texts().concat();
        assert!(
            text.starts_with("欢迎 @user-0 @user-1 ") && text.ends_with("@user-19 … 加入 g！"),
            "{text}"
        );
        assert_eq!(
            (said.sent().len(), said.sent()[0].1.mentions.len()),
            (1, 20)
        );
        bot.tip("g", &joined(&crowd)).await.expect_no_reply();
        bot.tip("g", &joined(&[])).await.expect_no_reply();
    }

    #[actix_rt::test]
    async fn a_crash_greets_once() {
        for writes in 0..6 {
            let bot = welcome("");
            bot.die_after(writes);
            let mut said = bot.tip("g", &joined(&["bob"])).await.texts();
            said.extend(bot.crash_and_restart().await.texts());
            assert_eq!(said, ["Welcome to g, @bob!"], "{writes}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_filled_is_refused() {
        let long = "a".repeat(5_000);
        for text in [
            "",
            " ",
            "{name}",
            "{names",
            "names}",
            "{}",
            "{{names}}",
            &long,
        ] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text:.20}");
        }
        assert_eq!(
            Template::try_from("{names}".to_owned()),
            Ok(Template(vec![
                Piece::Text(String::new()),
                Piece::Names,
                Piece::Text(String::new())
            ]))
        );
    }
}
