//! What a config would start, in words, for `botroupe check`.

use std::{collections::BTreeMap, fmt};

use super::model::{AccountConfig, App, Config, Endpoint};
use crate::proto::endpoint::Site;

/// The summary of a [`Config`]; [`fmt::Display`] writes it as lines of `label  text`.
#[derive(Debug)]
pub struct Summary<'a>(&'a Config);

impl Config {
    /// What this config would start, and which layer set how much of it. Holds no secret.
    pub const fn summary(&self) -> Summary<'_> {
        Summary(self)
    }
}

impl Summary<'_> {
    /// `number` is that of the embedded server, when the app has one.
    fn endpoint(&self, app: &App, number: usize) -> String {
        let config = self.0;
        match &app.endpoint {
            Endpoint::Sandbox => {
                let listen = config.sandbox.listen_of(number);
                format!("sandbox (embedded server at {listen})")
            }
            Endpoint::Auto => format!("auto ({})", Site::of(app.sdk_app_id).name()),
            Endpoint::Site(site) => format!("{} (chosen by name)", site.name()),
            Endpoint::Url(url) => url.clone(),
        }
    }

    fn layers(&self) -> String {
        let layers = &self.0.contributions;
        let mut parts = vec![format!("{} values in {}", layers.file, self.0.file)];
        if !layers.env.is_empty() {
            parts.push(format!("environment {}", layers.env.join(", ")));
        }
        if !layers.command_line.is_empty() {
            parts.push(format!("--set {}", layers.command_line.join(", ")));
        }
        parts.push("defaults for the rest".to_owned());
        parts.join("; ")
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.0;
        let mut servers = 0;
        for app in &config.apps {
            let endpoint = self.endpoint(app, servers);
            servers += usize::from(app.endpoint == Endpoint::Sandbox);
            let key = match (&app.secret_key, &app.secret_key_source) {
                (None, None) => "without a secret key",
                (None, Some(_)) => "with a secret key from outside",
                (Some(_), _) => "with a secret key",
            };
            let id = app.sdk_app_id.get();
            match &app.name {
                None => writeln!(f, "endpoint  {endpoint}\napp       {id} {key}")?,
                Some(name) => {
                    let of_app = |account: &&AccountConfig| {
                        account.enabled && account.name.app() == Some(name)
                    };
                    let accounts = match config.accounts.iter().filter(of_app).count() {
                        1 => "1 account".to_owned(),
                        many => format!("{many} accounts"),
                    };
                    writeln!(
                        f,
                        "app       {name} ({id}) {key}, {accounts}, at {endpoint}"
                    )?;
                }
            }
        }
        let started = config.accounts.iter().filter(|account| account.enabled);
        let mut bots: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut count, mut idle, mut sigs, mut fetched) = (0usize, 0usize, 0usize, 0usize);
        for account in started {
            count += 1;
            idle += usize::from(account.bots.is_empty());
            sigs += usize::from(account.user_sig.is_some());
            fetched += usize::from(account.user_sig_source.is_some());
            for bot in account.bots.iter() {
                *bots.entry(bot).or_default() += 1;
            }
        }
        write!(f, "accounts  {count}")?;
        for (what, number) in [
            ("not enabled", config.accounts.len() - count),
            ("without a bot", idle),
            ("with a UserSig of their own", sigs),
            ("with UserSigs from outside", fetched),
        ] {
            if number > 0 {
                write!(f, ", {number} {what}")?;
            }
        }
        writeln!(f)?;
        for (bot, accounts) in bots {
            let settings = if config.bots.contains_key(bot) {
                ", with settings"
            } else {
                ""
            };
            let noun = if accounts == 1 { "account" } else { "accounts" };
            writeln!(f, "bot       {bot} on {accounts} {noun}{settings}")?;
        }
        if let Some(listen) = config.admin.listen {
            let scheme = match config.admin.tls {
                Some(_) => "https",
                None => "http",
            };
            let tokens = config.admin.tokens.len();
            let noun = if tokens == 1 { "token" } else { "tokens" };
            writeln!(f, "admin     {scheme}://{listen}, {tokens} {noun}")?;
        }
        writeln!(f, "layers    {}", self.layers())
    }
}
