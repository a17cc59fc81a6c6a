//! The server-side REST API: takes the text of a call and returns an answer. The HTTP part is in
//! `shell::server`.

use serde_json::{Value, json};

use crate::{
    policy::Now,
    proto::{code::Code, surrogate},
    request::{Outcome, Refusal, Request, Speaker, refusal},
    service::{app_call::text_account, commands},
    state::{Caller, State},
};

/// The answer to a REST call.
#[derive(Clone, Debug, PartialEq)]
pub struct RestAnswer {
    /// The HTTP status: 200 for every call with a known path.
    pub status: u16,
    /// The body.
    pub json: Value,
}

/// The answer to a call that is not a `POST`, in the shape of the other answers.
pub(super) fn not_posted() -> Value {
    let code = Code::BAD_REQUEST;
    json!({
        "ActionStatus": "FAIL", "ErrorCode": code.0,
        "ErrorInfo": "calls are made by POST, with a JSON object as the body",
    })
}

impl State {
    /// Executes one REST call. `path` is the path of the URL, `query` holds its decoded pairs.
    pub fn rest(
        &mut self,
        now: Now,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> RestAnswer {
        self.world.count_rest_call();
        self.world.note_change();
        let outcome = self.rest_outcome(now, path, query, body);
        let json = match outcome {
            Ok(mut answer) => {
                if let Value::Object(fields) = &mut answer {
                    for (name, value) in [
                        ("ActionStatus", json!("OK")),
                        ("ErrorCode", json!(0)),
                        ("ErrorInfo", json!("")),
                    ] {
                        fields.entry(name).or_insert(value);
                    }
                }
                answer
            }
            Err(Refusal { code, info }) => {
                let info = info.as_deref().unwrap_or_else(|| code.meaning());
                json!({"ActionStatus": "FAIL", "ErrorCode": code.0, "ErrorInfo": info})
            }
        };
        RestAnswer { status: 200, json }
    }

    fn rest_outcome(
        &mut self,
        now: Now,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> Outcome {
        let get = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
        };
        let app = get("sdkappid")
            .filter(|app| !app.is_empty())
            .ok_or(Code::REST_NO_APP)?;
        if app.parse() != Ok(self.config().app.get()) {
            return Err(Code::APP_INVALID.into());
        }
        let sig = get("usersig").unwrap_or_default();
        let administrator =
            self.world
                .check_administrator(now, get("identifier").unwrap_or_default(), sig)?;
        let name = path
            .strip_prefix("/v4/")
            .unwrap_or(path)
            .replacen('/', ".", 1);
        let (service, _) = name.split_once('.').unwrap_or_default();
        let command = commands().of_app(&name).ok_or_else(|| {
            let info = "the sandbox has no such REST command".to_owned();
            refusal(Code::BAD_REQUEST, info)
        })?;
        let unreadable = if service == "im_open_login_svc" {
            Code::BAD_JSON
        } else {
            Code::REST_JSON
        };
        let text = std::str::from_utf8(body).map_err(|_| unreadable)?;
        let text = surrogate::mend(text.into());
        let body: Value = serde_json::from_str(&text)
            .ok()
            .filter(Value::is_object)
            .ok_or(unreadable)?;
        let caller = match command.speaker() {
            Speaker::App => Caller::app(administrator),
            Speaker::Account { missing, admin } => Caller {
                user: text_account(body.get("From_Account"), missing)?,
                instance: 0,
                admin,
            },
        };
        let request = Request {
            now,
            caller: &caller,
            conn: None,
            service,
            body: &body,
            text: &text,
        };
        self.run(command, &request)
    }
}
