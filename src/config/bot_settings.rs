//! Reads the settings of bots: `[bots.<name>]` for all accounts, and `settings.<name>` of an account over it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::error::Problem;
use super::model::{AccountConfig, BotSettings};
use super::parse::SettingsCheck;
use super::read::{Node, Section};
use botroupe_core::account::AccountName;

/// The settings that one `[[accounts]]` entry has of its own.
pub(super) struct Own<'c> {
    node: Node<'c>,
    /// Its first account, by number, and how many there are.
    first: usize,
    accounts: usize,
}

impl<'c> Own<'c> {
    /// Those in `node`, of the `accounts` accounts from `first` on.
    pub(super) const fn new(node: Node<'c>, first: usize, accounts: usize) -> Self {
        Self {
            node,
            first,
            accounts,
        }
    }
}

/// What the settings of all bots are read for.
pub(super) struct Known<'a> {
    pub(super) bots: &'a [&'a str],
    pub(super) check: &'a SettingsCheck<'a>,
}

impl Known<'_> {
    /// Reads `[bots]`, and what the entries of accounts have of their own, which goes into `accounts`.
    pub(super) fn read(
        &self,
        root: &mut Section<'_>,
        accounts: &mut [AccountConfig],
        own: &[Own<'_>],
    ) -> BTreeMap<String, BotSettings> {
        let node = root.get("bots");
        let sections: BTreeMap<&str, Node<'_>> = node.iter().flat_map(Node::entries).collect();
        for (name, section) in &sections {
            if !self.bots.contains(name) {
                section.unknown_key("bot", name, self.bots);
            }
        }
        // Wherever an account changes settings, the whole of them is checked there.
        let mut changed: HashMap<&str, Vec<bool>> = HashMap::new();
        for own in own {
            for (name, _) in own.node.entries() {
                let changed = changed
                    .entry(name)
                    .or_insert_with(|| vec![false; accounts.len()]);
                let ours = changed.iter_mut().skip(own.first).take(own.accounts);
                ours.for_each(|changed| *changed = true);
            }
        }
        // Who takes the section as it stands; of a section that nobody takes, whoever comes first.
        let mut takers: BTreeMap<&str, AccountName> = BTreeMap::new();
        for (number, account) in accounts.iter().enumerate() {
            for name in account.bots.iter() {
                let changes = changed.get(&**name).and_then(|of| of.get(number));
                if changes != Some(&true) && !takers.contains_key(&**name) {
                    takers.insert(name, account.name.clone());
                }
            }
        }
        let first = accounts.first().map(|account| account.name.clone());
        let mut out = BTreeMap::new();
        for (name, section) in &sections {
            if !self.bots.contains(name) || section.section().is_none() {
                continue;
            }
            let is_changed = changed.contains_key(name);
            let taker = takers.get(name).or(first.as_ref().filter(|_| !is_changed));
            let settings = match taker {
                Some(account) => self.settings(name, account, section, None),
                // A config without accounts is reported already.
                None => Some(table(section.toml())),
            };
            out.extend(settings.map(|table| ((*name).to_owned(), BotSettings::new(table))));
        }
        for (name, account) in &takers {
            if !sections.contains_key(name)
                && let Some((_, reason)) = (self.check)(name, account, None)
            {
                root.report(&format!("bots.{name}"), Problem::Settings { reason });
            }
        }
        let merged: Vec<_> = own
            .iter()
            .map(|own| self.own(own, accounts, &out))
            .collect();
        for (own, settings) in own.iter().zip(merged) {
            for account in accounts.iter_mut().skip(own.first).take(own.accounts) {
                account.settings = Some(settings.clone());
            }
        }
        out
    }

    /// The settings that an entry has of its own, over those of all accounts.
    fn own(
        &self,
        own: &Own<'_>,
        accounts: &[AccountConfig],
        common: &BTreeMap<String, BotSettings>,
    ) -> Arc<BTreeMap<String, BotSettings>> {
        let mut out = BTreeMap::new();
        let account = accounts.get(own.first);
        for (name, node) in own.node.entries() {
            if !self.bots.contains(&name) {
                node.unknown_key("bot", name, self.bots);
                continue;
            }
            let Some(account) = account.filter(|_| node.section().is_some()) else {
                continue;
            };
            if !account.bots.iter().any(|bot| **bot == *name) {
                node.report(Problem::IdleSettings {
                    bot: name.to_owned(),
                });
                continue;
            }
            let base = common.get(name).map(BotSettings::table);
            let settings = self.settings(name, &account.name, &node, base);
            out.extend(settings.map(|table| (name.to_owned(), BotSettings::new(table))));
        }
        Arc::new(out)
    }

    /// The settings in `node`, over those in `base`. What is wrong with them is reported there.
    fn settings(
        &self,
        name: &str,
        account: &AccountName,
        node: &Node<'_>,
        base: Option<&toml::Table>,
    ) -> Option<toml::Table> {
        let over = |value: toml::Value| merge(base.cloned().unwrap_or_default(), table(value));
        let check = |table: &toml::Table| {
            (self.check)(name, account, Some(&BotSettings::new(table.clone())))
        };
        let found = over(node.toml());
        let Some((path, reason)) = check(&found) else {
            return Some(found);
        };
        // A value from the environment or the command line may be meant as a text.
        let texts = over(node.toml_with_texts());
        if check(&texts).is_none() {
            return Some(texts);
        }
        node.innermost(&path).report(Problem::Settings { reason });
        None
    }
}

fn table(value: toml::Value) -> toml::Table {
    match value {
        toml::Value::Table(table) => table,
        _ => toml::Table::new(),
    }
}

impl BotSettings {
    /// These, with other values for some keys; tables are merged.
    #[must_use]
    pub fn with(self, over: toml::Table) -> Self {
        Self::new(merge(self.into_table(), over))
    }
}

/// The values of `over` in place of those of `base`; tables are merged.
fn merge(mut base: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let merged = match (base.remove(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => {
                toml::Value::Table(merge(inner, value))
            }
            (_, value) => value,
        };
        base.insert(key, merged);
    }
    base
}
