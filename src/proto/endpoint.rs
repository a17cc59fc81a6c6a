//! Endpoints: the sites, their hosts, the order in which hosts are tried, and the URL.
//!
//! This module only computes names and their order; the account's back-off decides when to retry,
//! and the gateway resolves the names. See "Endpoints" in `docs/src/protocol.md`.

use std::{borrow::Cow, fmt, fmt::Write, sync::Arc};

use super::id::SdkAppId;

/// A data centre. The SDKAppID determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// Mainland China, and every SDKAppID outside the other ranges.
    China,
    /// Servers outside China for apps of the China range. It is never derived from the SDKAppID,
    /// only selected by name.
    Oversea,
    /// Singapore.
    Singapore,
    /// Korea (Seoul).
    Korea,
    /// Germany (Frankfurt).
    Germany,
    /// India (Mumbai).
    India,
    /// Japan (Tokyo).
    Japan,
    /// United States (Silicon Valley).
    Usa,
    /// Indonesia (Jakarta).
    Indonesia,
}

/// The hosts of one site.
struct Hosts {
    letter: char,
    default: &'static str,
    ipv6: &'static str,
    backup: &'static str,
    backup_cn: Option<&'static str>,
}

impl Site {
    /// Every site.
    pub const ALL: [Self; 9] = [
        Self::China,
        Self::Oversea,
        Self::Singapore,
        Self::Korea,
        Self::Germany,
        Self::India,
        Self::Japan,
        Self::Usa,
        Self::Indonesia,
    ];

    /// Returns the site of an app, from the range of its SDKAppID.
    pub const fn of(app: SdkAppId) -> Self {
        match app.get() {
            20_000_000..30_000_000 | 1_720_000_000..1_730_000_000 => Self::Singapore,
            30_000_000..40_000_000 | 1_730_000_000..1_740_000_000 => Self::Korea,
            40_000_000..50_000_000 | 1_740_000_000..1_750_000_000 => Self::Germany,
            50_000_000..60_000_000 | 1_750_000_000..1_760_000_000 => Self::India,
            60_000_000..70_000_000 | 1_760_000_000..1_770_000_000 => Self::Japan,
            70_000_000..80_000_000 | 1_770_000_000..1_780_000_000 => Self::Usa,
            80_000_000..90_000_000 | 1_780_000_000..1_790_000_000 => Self::Indonesia,
            _ => Self::China,
        }
    }

    /// Returns the site with this [name](Self::name), or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.name() == name)
    }

    /// Returns the name used in config files and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::China => "china",
            Self::Oversea => "oversea",
            Self::Singapore => "singapore",
            Self::Korea => "korea",
            Self::Germany => "germany",
            Self::India => "india",
            Self::Japan => "japan",
            Self::Usa => "usa",
            Self::Indonesia => "indonesia",
        }
    }

    const fn hosts(self) -> Hosts {
        let (letter, default, ipv6, backup, backup_cn) = match self {
            Self::China => (
                'c',
                "wss.im.qcloud.com",
                "wssv6.im.qcloud.com",
                "wss.tim.qq.com",
                Some("wss.im.tencent.cn"),
            ),
            Self::Oversea => (
                'c',
                "wss.im.qcloud.com",
                "wssv6.im.qcloud.com",
                "wss.my-imcloud.com",
                Some("wss.im.tencent.cn"),
            ),
            Self::Singapore => (
                's',
                "wsssgp.im.qcloud.com",
                "wsssgpv6.im.qcloud.com",
                "wsssgp.my-imcloud.com",
                None,
            ),
            Self::Korea => (
                'k',
                "wsskr.im.qcloud.com",
                "wsskrv6.im.qcloud.com",
                "wsskr.my-imcloud.com",
                None,
            ),
            Self::Germany => (
                'g',
                "wssger.im.qcloud.com",
                "wssgerv6.im.qcloud.com",
                "wssger.my-imcloud.com",
                None,
            ),
            // India's hosts have the opposite order.
            Self::India => (
                'i',
                "wssind.my-imcloud.com",
                "wssindv6.im.qcloud.com",
                "wssind.im.qcloud.com",
                None,
            ),
            Self::Japan => (
                'j',
                "wssjpn.im.qcloud.com",
                "wssjpnv6.im.qcloud.com",
                "wssjpn.my-imcloud.com",
                None,
            ),
            Self::Usa => (
                'u',
                "wssusa.im.qcloud.com",
                "wssusav6.im.qcloud.com",
                "wssusa.my-imcloud.com",
                None,
            ),
            Self::Indonesia => (
                'y',
                "wssidn.im.qcloud.com",
                "wssidnv6.im.qcloud.com",
                "wssidn.my-imcloud.com",
                None,
            ),
        };
        Hosts {
            letter,
            default,
            ipv6,
            backup,
            backup_cn,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The order in which an account tries hosts, and its current position.
///
/// The first round starts with the app's own host and then rotates through the shared hosts without
/// end. Every new connection advances by one host, even if the last connection was healthy for
/// hours.
#[derive(Clone, Debug)]
pub struct HostWalk {
    route: Route,
    step: usize,
}

#[derive(Clone, Debug)]
enum Route {
    Site { site: Site, app: SdkAppId },
    Fixed(Arc<str>),
}

impl HostWalk {
    /// Creates a walk over the hosts of `site` that starts at the app's own host.
    pub const fn new(site: Site, app: SdkAppId) -> Self {
        Self {
            route: Route::Site { site, app },
            step: 0,
        }
    }

    /// Creates a walk that stays on one origin, `ws://host[:port][/prefix]` or `wss://…`, for a
    /// proxy or the sandbox. Trailing slashes are removed.
    pub fn fixed(origin: &str) -> Self {
        Self {
            route: Route::Fixed(Arc::from(origin.trim_end_matches('/'))),
            step: 0,
        }
    }

    /// Returns the current origin, for [`connect_url`].
    pub fn current(&self) -> Cow<'_, str> {
        let (site, app) = match &self.route {
            Route::Fixed(origin) => return Cow::Borrowed(origin),
            Route::Site { site, app } => (*site, *app),
        };
        let hosts = site.hosts();
        if self.step == 0 {
            return Cow::Owned(format!("wss://{app}w4{}.my-imcloud.com", hosts.letter));
        }
        let shared = [
            Some(hosts.default),
            Some(hosts.ipv6),
            Some(hosts.backup),
            hosts.backup_cn,
        ];
        let host = shared
            .into_iter()
            .flatten()
            .nth(self.step - 1)
            .unwrap_or(hosts.default);
        Cow::Owned(format!("wss://{host}"))
    }

    /// Advances to the next host.
    pub fn advance(&mut self) {
        let last = match &self.route {
            Route::Fixed(_) => 0,
            Route::Site { site, .. } => 3 + usize::from(site.hosts().backup_cn.is_some()),
        };
        self.step = if self.step < last {
            self.step + 1
        } else {
            last.min(1)
        };
    }

    /// Restarts at the app's own host.
    pub fn reset(&mut self) {
        self.step = 0;
    }
}

/// Returns the URL of one connection.
///
/// `origin` comes from [`HostWalk::current`]. `instance_id` is 32 lower-case hex digits, constant
/// for the lifetime of a client. `random` is a fresh number in `0.0..1.0` for each connection.
/// `text_frames` selects text frames (`/info`) instead of binary ones (`/binfo`).
pub fn connect_url(
    origin: &str,
    app: SdkAppId,
    instance_id: &str,
    random: f64,
    text_frames: bool,
) -> String {
    let mut url = String::with_capacity(origin.len() + 192);
    url.push_str(origin.trim_end_matches('/'));
    url.push_str(if text_frames { "/info" } else { "/binfo" });
    // Writing to a String cannot fail.
    let _ = write!(
        url,
        "?sdkappid={app}&instanceid={instance_id}&random={random}&platform=7&host=unknown\
         &version=-1&sdkversion=3.6.6&compress=gzip"
    );
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(number: u32) -> SdkAppId {
        SdkAppId::new(number).unwrap()
    }

    #[test]
    fn ranges_include_the_lower_bound_only() {
        for (number, site) in [
            (1, Site::China),
            (19_999_999, Site::China),
            (20_000_000, Site::Singapore),
            (29_999_999, Site::Singapore),
            (30_000_000, Site::Korea),
            (40_000_000, Site::Germany),
            (50_000_000, Site::India),
            (60_000_000, Site::Japan),
            (70_000_000, Site::Usa),
            (80_000_000, Site::Indonesia),
            (89_999_999, Site::Indonesia),
            (90_000_000, Site::China),
            (1_400_000_001, Site::China),
            (1_719_999_999, Site::China),
            (1_720_000_000, Site::Singapore),
            (1_730_000_000, Site::Korea),
            (1_740_000_000, Site::Germany),
            (1_750_000_000, Site::India),
            (1_760_000_000, Site::Japan),
            (1_770_000_000, Site::Usa),
            (1_780_000_000, Site::Indonesia),
            (1_789_999_999, Site::Indonesia),
            (1_790_000_000, Site::China),
        ] {
            assert_eq!(Site::of(app(number)), site, "{number}");
        }
    }

    #[test]
    fn names_go_both_ways() {
        for site in Site::ALL {
            assert_eq!(Site::from_name(site.name()), Some(site));
        }
        assert_eq!(Site::from_name("mars"), None);
    }

    fn walk(site: Site, number: u32, steps: usize) -> Vec<String> {
        let mut walk = HostWalk::new(site, app(number));
        (0..steps)
            .map(|_| {
                let host = walk.current().into_owned();
                walk.advance();
                host.trim_start_matches("wss://").to_owned()
            })
            .collect()
    }

    #[test]
    fn the_own_host_comes_once() {
        assert_eq!(
            walk(Site::China, 1_400_000_001, 7),
            [
                "1400000001w4c.my-imcloud.com",
                "wss.im.qcloud.com",
                "wssv6.im.qcloud.com",
                "wss.tim.qq.com",
                "wss.im.tencent.cn",
                "wss.im.qcloud.com",
                "wssv6.im.qcloud.com",
            ]
        );
        assert_eq!(
            walk(Site::India, 50_000_001, 6),
            [
                "50000001w4i.my-imcloud.com",
                "wssind.my-imcloud.com",
                "wssindv6.im.qcloud.com",
                "wssind.im.qcloud.com",
                "wssind.my-imcloud.com",
                "wssindv6.im.qcloud.com",
            ]
        );
    }

    #[test]
    fn reset_goes_back_to_the_own_host() {
        let mut walk = HostWalk::new(Site::Usa, app(70_000_001));
        walk.advance();
        walk.advance();
        walk.reset();
        assert_eq!(walk.current(), "wss://70000001w4u.my-imcloud.com");
    }

    #[test]
    fn a_fixed_origin_stays() {
        let mut walk = HostWalk::fixed("ws://127.0.0.1:9000/im/");
        assert_eq!(walk.current(), "ws://127.0.0.1:9000/im");
        walk.advance();
        assert_eq!(walk.current(), "ws://127.0.0.1:9000/im");
    }

    #[test]
    fn the_url_is_the_official_one() {
        assert_eq!(
            connect_url(
                "wss://wss.im.qcloud.com",
                app(1_400_000_001),
                "229b4207e1ede25b997b9c0c4c496bfc",
                0.938_629_766_146_882_8,
                false
            ),
            "wss://wss.im.qcloud.com/binfo?sdkappid=1400000001\
             &instanceid=229b4207e1ede25b997b9c0c4c496bfc&random=0.9386297661468828&platform=7\
             &host=unknown&version=-1&sdkversion=3.6.6&compress=gzip"
        );
        assert!(connect_url("ws://h/", app(1), "a", 0.5, true).starts_with("ws://h/info?"));
    }
}
