//! A small client for Tencent's server-side REST API: as much of it as recovery needs.
//!
//! Calls are made as an administrator of the app, whose UserSig is made here from the SecretKey.
//! See "REST" in `docs/src/protocol.md`.

use crate::gateway::{http_client, now, without_url};
use crate::proto::code::Code;
use crate::proto::endpoint::Site;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::shown::Shown;
use crate::proto::usersig;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the UserSig of a call is valid, in seconds.
const SIG_LIFE: u64 = 300;
/// Accounts of one call at most, as documented.
pub const BATCH: usize = 100;
/// The longest answer in bytes.
const MAX_ANSWER: usize = 256 << 10;

/// The address of the API, and the administrator it is called as.
#[derive(Clone, Debug)]
pub struct Rest {
    origin: Arc<str>,
    app: SdkAppId,
    admin: UserId,
    key: Arc<SecretString>,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// The service could not be reached, or not in time.
    #[error("REST API not reached: {0}")]
    Unreachable(String),
    /// The service refused the call.
    #[error("REST API refused: {code} {}", Shown(.info))]
    Refused {
        /// Its code.
        code: Code,
        /// The service's text.
        info: String,
    },
    /// The answer could not be read.
    #[error("REST API gave no usable answer")]
    Shape,
}

/// What every answer has.
#[derive(Deserialize)]
struct Answer<T> {
    #[serde(rename = "ErrorCode", default)]
    code: i64,
    #[serde(rename = "ErrorInfo", default)]
    info: String,
    /// Only of an answer that says yes.
    #[serde(flatten)]
    body: Option<T>,
}

#[derive(Deserialize)]
struct States {
    #[serde(rename = "QueryResult", default)]
    results: Vec<State>,
}

#[derive(Deserialize)]
struct Checks {
    #[serde(rename = "ResultItem")]
    results: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    #[serde(rename = "UserID")]
    account: String,
    #[serde(rename = "AccountStatus", default)]
    status: String,
}

#[derive(Deserialize)]
struct Imports {
    #[serde(rename = "FailAccounts", default)]
    failed: Vec<String>,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "To_Account")]
    account: String,
    #[serde(rename = "Status", default)]
    status: String,
}

/// The origin of a site's REST API, as documented.
#[must_use]
pub const fn origin_of(site: Site) -> &'static str {
    match site {
        Site::Singapore => "https://adminapisgp.im.qcloud.com",
        Site::Korea => "https://adminapikr.im.qcloud.com",
        Site::Germany => "https://adminapiger.im.qcloud.com",
        Site::India => "https://adminapiind.im.qcloud.com",
        Site::Japan => "https://adminapijpn.im.qcloud.com",
        Site::Usa => "https://adminapiusa.im.qcloud.com",
        Site::Indonesia => "https://adminapiidn.im.qcloud.com",
        _ => "https://console.tim.qq.com",
    }
}

impl Rest {
    /// Calls `origin` (`http://…` or `https://…`) as `admin` of `app`.
    #[must_use]
    pub fn new(origin: &str, app: SdkAppId, admin: UserId, key: Arc<SecretString>) -> Self {
        let origin = origin.trim_end_matches('/').into();
        Self {
            origin,
            app,
            admin,
            key,
        }
    }

    /// Whether the account has a login anywhere (`openim/query_online_status`).
    ///
    /// # Errors
    /// If the service gives no answer to that.
    pub async fn is_online(&self, user: &UserId) -> Result<bool, RestError> {
        let body = serde_json::json!({ "To_Account": [user] }).to_string();
        let answer: States = self.call("openim/query_online_status", body).await?;
        let state = answer
            .results
            .into_iter()
            .find(|state| state.account == user.as_str());
        state
            .map(|state| state.status == "Online")
            .ok_or(RestError::Shape)
    }

    /// Which of these accounts the app does not have (`im_open_login_svc/account_check`), at most [`BATCH`] of them.
    ///
    /// # Errors
    /// If the service gives no answer to that.
    pub async fn missing(&self, users: &[UserId]) -> Result<Vec<UserId>, RestError> {
        let items = users
            .iter()
            .map(|user| serde_json::json!({ "UserID": user }));
        let body = serde_json::json!({ "CheckItem": items.collect::<Vec<_>>() }).to_string();
        let answer: Checks = self.call("im_open_login_svc/account_check", body).await?;
        let known = answer.results.into_iter();
        let known: HashMap<String, bool> = known
            .map(|check| (check.account, check.status == "Imported"))
            .collect();
        // One of which the service says nothing is not known.
        let asked = users
            .iter()
            .map(|user| Some((user, known.get(user.as_str())?)));
        let asked: Option<Vec<_>> = asked.collect();
        let missing = asked
            .ok_or(RestError::Shape)?
            .into_iter()
            .filter(|(_, is_there)| !**is_there);
        Ok(missing.map(|(user, _)| user.clone()).collect())
    }

    /// Makes accounts (`im_open_login_svc/multiaccount_import`), at most [`BATCH`] of them. Returns those that the
    /// service did not make.
    ///
    /// # Errors
    /// If the service gives no answer to that.
    pub async fn import(&self, users: &[UserId]) -> Result<Vec<String>, RestError> {
        let items = users
            .iter()
            .map(|user| serde_json::json!({ "UserID": user }));
        let body = serde_json::json!({ "AccountList": items.collect::<Vec<_>>() }).to_string();
        let command = "im_open_login_svc/multiaccount_import";
        let answer: Imports = self.call(command, body).await?;
        Ok(answer.failed)
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: String) -> Result<T, RestError> {
        let sig = usersig::sign(
            self.app,
            &self.key,
            &self.admin,
            now().unix_secs(),
            SIG_LIFE,
        );
        let mut url = url::Url::parse(&format!("{}/v4/{command}", self.origin))
            .map_err(|error| RestError::Unreachable(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("sdkappid", &self.app.to_string())
            .append_pair("identifier", self.admin.as_str())
            .append_pair("usersig", sig.expose())
            .append_pair("random", &fastrand::u32(..).to_string())
            .append_pair("contenttype", "json");
        let call = async {
            // The URL holds the UserSig.
            let unreachable =
                |why: String| RestError::Unreachable(format!("{}: {why}", self.origin));
            let sent = http_client()
                .post(url.as_str())
                .insert_header(("content-type", "application/json"))
                .send_body(body)
                .await;
            let mut answer = sent.map_err(|error| unreachable(without_url(&error)))?;
            let bytes = answer
                .body()
                .limit(MAX_ANSWER)
                .await
                .map_err(|error| unreachable(error.to_string()))?;
            serde_json::from_slice::<Answer<T>>(&bytes).map_err(|_| RestError::Shape)
        };
        let answer = tokio::time::timeout(LIMIT, call)
            .await
            .map_err(|_| RestError::Unreachable(format!("no answer within {LIMIT:?}")))??;
        match answer.code {
            0 => answer.body.ok_or(RestError::Shape),
            code => Err(RestError::Refused {
                code: Code(code),
                info: answer.info,
            }),
        }
    }
}
