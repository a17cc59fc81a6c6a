//! Figures of several runs, and tables of them.

use std::fmt::Write as _;

/// The figures of one quantity, a run each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(Vec<f64>);

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().filter(|f| f.is_finite()).collect();
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }
}

impl Spread {
    /// The ratios of the runs of two series, each to the run beside it.
    pub(crate) fn ratio(figures: &[f64], base: &[f64]) -> Self {
        figures
            .iter()
            .zip(base)
            .map(|(one, base)| one / base)
            .collect()
    }

    /// `median [min..max]`, or the only figure, with so many decimals.
    pub(crate) fn text(&self, decimals: usize) -> String {
        let (Some(least), Some(most)) = (self.0.first(), self.0.last()) else {
            return "–".to_owned();
        };
        let middle = self.0.len() / 2;
        let median = match self.0.len() % 2 {
            0 => f64::midpoint(self.0[middle - 1], self.0[middle]),
            _ => self.0[middle],
        };
        match self.0.len() {
            1 => format!("{median:.decimals$}"),
            _ => format!("{median:.decimals$} [{least:.decimals$}..{most:.decimals$}]"),
        }
    }
}

/// A table of a page, which grows by rows.
#[derive(Debug)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let rule: String = columns.iter().map(|_| "---|").collect();
        Self(format!("| {} |\n|{rule}\n", columns.join(" | ")))
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        // Writing to memory does not fail.
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }

    /// The table as Markdown, without the last newline.
    pub(crate) fn finish(&self) -> &str {
        self.0.trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_before_the_extremes() {
        let of = |figures: &[f64]| figures.iter().copied().collect::<Spread>().text(1);
        assert_eq!(of(&[3.0, 1.0, 2.0]), "2.0 [1.0..3.0]");
        assert_eq!(of(&[4.0, 1.0]), "2.5 [1.0..4.0]");
        assert_eq!(of(&[4.0]), "4.0");
        assert_eq!(of(&[f64::NAN]), "–");
        assert_eq!(Spread::ratio(&[2.0, 9.0], &[1.0, 3.0]).text(0), "2 [2..3]");
    }
}
