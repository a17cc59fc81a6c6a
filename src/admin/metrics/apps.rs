//! Figures of several apps.

use super::figures::{Figure, Kind, count};
use crate::account::Status;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// So many apps have figures of their own, those with the most accounts; the others are counted together.
const APPS: usize = 20;

/// The figures of several apps; none in a process with `[app]`.
pub(super) fn apps(all: &[Status]) -> Vec<Figure> {
    let mut apps: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for status in all {
        let Some(app) = status.account.app() else {
            return Vec::new();
        };
        let (accounts, online) = apps.entry(app).or_default();
        *accounts += 1;
        *online += usize::from(status.phase.is_online());
    }
    let mut apps: Vec<(&str, (usize, usize))> = apps.into_iter().collect();
    apps.sort_by_key(|(_, (accounts, _))| std::cmp::Reverse(*accounts));
    let others = apps.split_off(apps.len().min(APPS)).into_iter();
    let others = others.map(|(_, figures)| figures);
    let sum = others.reduce(|a, b| (a.0 + b.0, a.1 + b.1));
    // No app can be called so.
    apps.extend(sum.map(|sum| ("(others)", sum)));
    let families = [
        ("botroupe_app_accounts", "Enabled accounts by app", false),
        (
            "botroupe_app_accounts_online",
            "Accounts that are online, by app",
            true,
        ),
    ];
    let families = families.into_iter().map(|(name, help, is_online)| {
        let values = apps.iter().map(|(app, (accounts, online))| {
            let figure = if is_online { *online } else { *accounts };
            (Cow::Owned((*app).to_owned()), count(figure))
        });
        Figure {
            name,
            help,
            kind: Kind::Gauge,
            label: "app",
            values: values.collect(),
        }
    });
    families.filter(|_| !apps.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::account::{AccountName, Phase};
    use crate::proto::id::UserId;
    use std::time::Duration;

    fn status(app: Option<&str>, user: &str, is_online: bool) -> Status {
        let user = UserId::from(user);
        let name = app.map_or_else(
            || user.clone().into(),
            |app| AccountName::of_app(app, user.clone()),
        );
        Status {
            phase: if is_online {
                Phase::Online
            } else {
                Phase::Held
            },
            ..Status::new(name, Duration::ZERO)
        }
    }

    fn of(all: &[Status]) -> Vec<(String, f64, f64)> {
        let figures = apps(all);
        let values = |name: &str| {
            let figure = figures.iter().find(|figure| figure.name == name);
            figure
                .map(|figure| figure.values.clone())
                .unwrap_or_default()
        };
        let pairs = values("botroupe_app_accounts").into_iter();
        let pairs = pairs.zip(values("botroupe_app_accounts_online"));
        pairs
            .map(|((app, all), (_, online))| (app.into_owned(), all, online))
            .collect()
    }

    #[test]
    fn apps_are_counted_one_by_one_and_small_ones_together() {
        assert_eq!(of(&[status(None, "a", true)]), []);
        let two = [
            status(Some("a"), "u", true),
            status(Some("b"), "u", false),
            status(Some("b"), "v", true),
        ];
        let expected = [("b".to_owned(), 2.0, 1.0), ("a".to_owned(), 1.0, 1.0)];
        assert_eq!(of(&two), expected);
        let mut many: Vec<Status> = (0..100)
            .map(|app| status(Some(&format!("app-{app:02}")), "u", true))
            .collect();
        many.push(status(Some("app-99"), "v", false));
        let of = of(&many);
        assert_eq!((of.len(), &*of[0].0), (APPS + 1, "app-99"));
        assert_eq!(of[APPS], ("(others)".to_owned(), 80.0, 80.0));
    }
}
