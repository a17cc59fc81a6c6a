//! Sizes as they stand in a config file: `"512KiB"`, `"64MiB"`, `"2GiB"`, or a number of bytes.

const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads a size in bytes: a whole number, with or without a unit.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (number, factor) = match unit {
        Some((unit, factor)) => (text.strip_suffix(unit)?.trim_end(), *factor),
        None => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Writes a size in the greatest unit of which it is a whole number.
pub(super) fn format_size(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .into_iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [
            ("64MiB", 64 << 20),
            ("1 KiB", 1024),
            ("7", 7),
            ("7B", 7),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5MiB", "64MB", "99999999999GiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        for (bytes, text) in [(64 << 20, "64MiB"), (1025, "1025B"), (0, "0B")] {
            assert_eq!(format_size(bytes), text);
        }
    }
}
