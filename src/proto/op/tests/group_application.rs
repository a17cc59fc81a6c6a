//! Tests of group membership requests against recorded requests of the official client.

use super::looks;
use crate::message::SystemNotice;
use crate::op::group_application::{Application, Decide, GetApplications, Join};
use serde_json::json;

#[test]
fn joining_and_deciding_by_a_notice() {
    looks(
        &Join::new("np1", "please"),
        "group_open_http_svc.apply_join_group",
        json!({"GroupId": "np1", "ApplyMsg": "please", "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1}),
    );
    let notice = SystemNotice {
        operator: "carol".into(),
        authentication: "auth-carol".into(),
        key: Some(1_795_398_501_807_000),
        ..SystemNotice::default()
    };
    looks(
        &Decide::notice("np1", &notice, true, "ok"),
        "group_open_http_svc.handle_apply_join_group",
        json!({"GroupId": "np1", "Applicant_Account": "carol", "HandleMsg": "Agree", "ApprovalMsg": "ok", "Authentication": "auth-carol", "MsgKey": 1_795_398_501_807_000_u64}),
    );
}

#[test]
fn applications_and_invitations_that_wait() {
    for (communities, servcmd) in [
        (false, "group_open_http_svc.get_pendency"),
        (true, "million_group_open_http_svc.get_pendency"),
    ] {
        looks(
            &GetApplications {
                communities,
                start: 0,
                limit: 20,
                me: "alice".into(),
            },
            servcmd,
            json!({"StartTime": 0, "Limit": 20, "Handle_Account": "alice"}),
        );
    }
    let waiting = |kind: u32, group: &str| -> Application {
        serde_json::from_value(json!({
            "From_Account": "bob", "To_Account": "carol", "GroupId": group, "AddTime": 5,
            "Authentication": "a", "ApplicationType": kind,
        }))
        .unwrap()
    };
    assert_eq!(waiting(0, "g").invited(), None);
    assert_eq!(waiting(2, "g").invited(), Some("carol"));
    for (kind, group, servcmd) in [
        (0, "g", "group_open_http_svc.handle_apply_join_group"),
        (
            0,
            "@TGS#_c",
            "million_group_open_http_svc.handle_apply_join_group",
        ),
        (
            2,
            "g",
            "group_open_http_svc.handle_invite_join_permission_group",
        ),
        (
            2,
            "@TGS#_c",
            "million_group_open_http_svc.handle_invite_join_permission_group",
        ),
    ] {
        let mut body = json!({
            "GroupId": group, "Applicant_Account": "bob", "HandleMsg": "Reject",
            "ApprovalMsg": "no", "Authentication": "a", "MsgKey": 5,
        });
        if kind == 2 {
            body["Invited_Account"] = "carol".into();
        }
        looks(
            &Decide::application(&waiting(kind, group), false, "no"),
            servcmd,
            body,
        );
    }
}
