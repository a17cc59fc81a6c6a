//! The `cs` field of a request head. See "Checksum" in `docs/src/protocol.md`.
//!
//! The checksum covers the exact text of the body, so the body must be serialised before.

/// Returns the checksum of a request: CRC-32 (IEEE) over the UTF-8 bytes of the body text. It is 0
/// for commands without a checksum.
///
/// `servcmd` is the full command (`service.command`), and `body` is the exact JSON text in the
/// frame. Commands whose name contains `alive`, `wslogin`, `wslogout` or `get_msg` (`openim.getmsg`
/// does not), and the acknowledgement of a push, have no checksum.
pub fn checksum(servcmd: &str, body: &str) -> u32 {
    if is_exempt(servcmd) {
        0
    } else {
        crc32fast::hash(body.as_bytes())
    }
}

/// Returns whether a server may accept `cs` as the checksum of a request. Clients before version
/// 3.6 send none, and some clients send one with commands that need none.
pub fn fits(servcmd: &str, body: &str, cs: Option<u64>) -> bool {
    let Some(cs) = cs else { return true };
    let whole = u64::from(crc32fast::hash(body.as_bytes()));
    cs == whole || cs == 0 && is_exempt(servcmd)
}

fn is_exempt(servcmd: &str) -> bool {
    const WITHIN: [&str; 4] = ["alive", "wslogin", "wslogout", "get_msg"];
    servcmd == "openim.ws_msg_push_ack" || WITHIN.iter().any(|part| servcmd.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{checksum, fits};

    #[test]
    fn bodies_seen_on_the_wire() {
        for (servcmd, body, expected) in [
            (
                "im_open_status.wshello",
                r#"{"is_web_uniapp":0}"#,
                2_608_808_264,
            ),
            (
                "im_sdk_config_mgr.fetch_config",
                r#"{"uint32_sdkappid":1400000001,"uint64_version":0}"#,
                265_252_435,
            ),
            (
                "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2",
                r#"{"uint32_sdkappid":1400000001}"#,
                3_476_697_584,
            ),
            (
                "sns.black_list_get",
                r#"{"From_Account":"alice","StartIndex":0,"MaxLimited":1000}"#,
                2_836_615_819,
            ),
        ] {
            assert_eq!(checksum(servcmd, body), expected, "{servcmd}");
        }
    }

    #[test]
    fn f12_no_checksum_is_no_wrong_one_and_where_none_is_needed_one_may_be() {
        let (ack, hello) = ("openim.ws_msg_push_ack", "im_open_status.wshello");
        let body = r#"{"is_web_uniapp":0}"#;
        for (servcmd, cs, right) in [
            (hello, None, true),
            (hello, Some(2_608_808_264), true),
            (hello, Some(2_608_808_265), false),
            (hello, Some(0), false),
            (ack, Some(0), true),
            (ack, Some(2_608_808_264), true),
            (ack, Some(7), false),
        ] {
            assert_eq!(fits(servcmd, body, cs), right, "{servcmd} {cs:?}");
        }
    }

    #[test]
    fn exempt_commands_carry_zero() {
        for servcmd in [
            "heartbeat.alive",
            "im_open_status.wslogin",
            "im_open_status.wslogout",
            "group_open_avchatroom_http_noauth_svc.get_msg_noauth",
            "group_open_avchatroom_http_svc.get_msg",
            "openim.ws_msg_push_ack",
        ] {
            assert_eq!(checksum(servcmd, "{\"a\":1}"), 0, "{servcmd}");
        }
    }

    #[test]
    fn near_misses_are_not_exempt() {
        for servcmd in ["openim.getmsg", "im_open_status.wshello", "openim.sendmsg"] {
            assert_ne!(checksum(servcmd, "{\"a\":1}"), 0, "{servcmd}");
        }
    }

    #[test]
    fn non_ascii_counts_as_its_utf8_bytes() {
        assert_eq!(
            checksum("openim.sendmsg", "{\"Text\":\"你好🙂\"}"),
            crc32fast::hash("{\"Text\":\"你好🙂\"}".as_bytes())
        );
        assert_ne!(
            checksum("openim.sendmsg", "{\"Text\":\"你好\"}"),
            checksum("openim.sendmsg", "{\"Text\":\"\\u4f60\\u597d\"}")
        );
    }
}
