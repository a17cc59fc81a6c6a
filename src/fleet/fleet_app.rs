//! One of several apps of a fleet.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// One of several apps of a [`FleetBuilder`](super::FleetBuilder), with a key, a place to connect to and a pace of
/// logins of its own.
///
/// ```
/// use botroupe::fleet::{Fleet, FleetAccount, FleetApp};
/// use botroupe::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fleet = Fleet::builder()
///     .sandbox()
///     .add_app(FleetApp::new("shop", 1_400_000_001, "key-of-the-shop"))
///     .add_app(FleetApp::new("school", 1_400_000_002, "key-of-the-school"))
///     .account(FleetAccount::new("desk").app("shop"))
///     .account(FleetAccount::new("desk").app("school"))
///     .start()
///     .await?;
/// fleet.ready().await?;
/// assert!(fleet.api("school/desk").is_some());
/// assert!(fleet.api("desk").is_none(), "its app is part of its name");
/// # fleet.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FleetApp {
    name: String,
    sdk_app_id: u32,
    secret_key: SecretString,
    endpoint: Option<String>,
    pace: Option<(u32, u32)>,
}

impl fmt::Debug for FleetApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetApp")
            .field("name", &self.name)
            .field("sdk_app_id", &self.sdk_app_id)
            .finish_non_exhaustive()
    }
}

impl FleetApp {
    /// An app: what stands in front of the names of its accounts, its SDKAppID, and the SecretKey that makes their
    /// UserSigs. The name has 1 to 32 letters, digits, `-`, `_` or `.`.
    #[must_use]
    pub fn new(name: impl Into<String>, sdk_app_id: u32, secret_key: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sdk_app_id,
            secret_key: SecretString::from(secret_key.into()),
            endpoint: None,
            pace: None,
        }
    }

    /// Where its accounts connect, as in [`FleetBuilder::endpoint`](super::FleetBuilder::endpoint), which holds
    /// otherwise.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// How many of its accounts log in per second, after a burst of so many at once; both 1 to 100,000.
    #[must_use]
    pub const fn pace(mut self, logins_per_second: u32, burst: u32) -> Self {
        self.pace = Some((logins_per_second, burst));
        self
    }

    /// The app as a table of a config file.
    pub(super) fn to_toml(&self) -> String {
        let text = |text: &str| toml::Value::from(text);
        // A `$` begins a variable in a config file.
        let key = text(&self.secret_key.expose_secret().replace('$', "$$"));
        let mut table = format!(
            "\n[[apps]]\nname = {}\nsdk_app_id = {}\nsecret_key = {key}\n",
            text(&self.name),
            self.sdk_app_id
        );
        if let Some(endpoint) = &self.endpoint {
            table.push_str(&format!("endpoint = {}\n", text(endpoint)));
        }
        if let Some((rate, burst)) = self.pace {
            table.push_str(&format!(
                "governor = {{ logins_per_second = {rate}, burst = {burst} }}\n"
            ));
        }
        table
    }
}
