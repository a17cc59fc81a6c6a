//! Answers that do not depend on the account: client configuration and telemetry.
//!
//! See "Heartbeat and hello" in docs/src/protocol.md.

use serde_json::json;

use crate::{commands::Commands, world::PURCHASE_BITS};

pub(crate) fn register(commands: &mut Commands) {
    // The sandbox keeps neither statistics nor archives.
    commands.rest("openconfigsvr.getappinfo", |_, _| json!({"Result": []}));
    commands.rest("open_msg_svc.get_history", |_, _| json!({"File": []}));
    commands
        .socket("im_sdk_config_mgr.fetch_config", |state, _| {
            json!({
                "int32_error_code": 0, "str_error_message": "", "str_json_config": "{}",
                "uint32_expired_time": 7200, "uint32_sdkappid": state.world.config.app.get(),
                "uint64_version": 1,
            })
        })
        .any_body()
        .reads();
    // The SDK of generation 2.x repeats this request every second until it gets an answer, and
    // reports an expired login on every refusal. So this command works without a valid login.
    commands
        .socket("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", |_, _| {
            json!({
                "int32_error_code": 0, "str_error_message": "",
                "str_purchase_bits": PURCHASE_BITS, "uint32_expired_time": 7200,
            })
        })
        .any_body()
        .reads()
        .without_login();
    commands
        .socket("im_open_status.wshello", |_, _| json!({}))
        .any_body()
        .reads();
    // This deletes handled notices, not chat messages.
    commands
        .socket("openim.deletemsg", |_, _| json!({}))
        .any_body();
    // The key is for the version 2 file servers, which the sandbox does not have; without a key the
    // SDK uses other servers.
    commands
        .socket(
            "openim.authkey",
            |_, _| json!({"AuthKey": "", "ExpireTime": "0"}),
        )
        .any_body();
}
