//! Answers that are the same for everybody: the configuration of clients, and telemetry.

use serde_json::json;

use crate::{commands::Commands, world::PURCHASE_BITS};

pub(crate) fn register(commands: &mut Commands) {
    // Statistics and archives are not kept here.
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
    // Generation 2.x of the official clients asks for this each second until it gets an answer, and reports
    // an expired login each time it is refused; so it is answered without a valid login.
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
    // Deletes notices that were dealt with, not messages of a chat.
    commands
        .socket("openim.deletemsg", |_, _| json!({}))
        .any_body();
    // A key for the file servers of version 2, which are not there; without one the client uses others.
    commands
        .socket(
            "openim.authkey",
            |_, _| json!({"AuthKey": "", "ExpireTime": "0"}),
        )
        .any_body();
}
