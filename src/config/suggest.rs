//! "Did you mean": the known name nearest to one that is not known.

/// The name in `known` that looks most like `given`, if any looks like it enough.
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Someone who writes very long names does not mistype one of ours; and the comparison is
    // quadratic.
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|name| (score(&given, &name.to_lowercase().replace('-', "_")), name))
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// How alike two names are, 0 to 1. Two letters exchanged count as one slip.
fn score(a: &str, b: &str) -> f64 {
    let slips = strsim::damerau_levenshtein(a, b);
    if slips <= 1 && b.chars().count() > 2 {
        return 1.0 - 0.01 * f64::from(u8::try_from(slips).unwrap_or(u8::MAX));
    }
    strsim::jaro_winkler(a, b).min(0.98)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_leaves_strangers_alone() {
        let known = ["echo", "counter", "user_id", "bots", "secret_key", "ws"];
        for (given, expected) in [
            ("ecko", Some("echo")),
            ("Echo", Some("echo")),
            ("conuter", Some("counter")),
            ("user-id", Some("user_id")),
            ("userid", Some("user_id")),
            ("secretkey", Some("secret_key")),
            ("bot", Some("bots")),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), known), None);
    }
}
