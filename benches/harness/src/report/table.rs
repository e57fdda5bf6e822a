//! A table of text: the first column is to the left, the others to the right.

use crate::turns::Times;

pub struct Table {
    rows: Vec<(Vec<String>, String)>,
    columns: usize,
}

impl Table {
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let head: Vec<String> = head.into_iter().map(Into::into).collect();
        let columns = head.len();
        Self { rows: vec![(head, String::new())], columns }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.noted_row(cells, "");
    }

    /// A row with a note behind it.
    pub fn noted_row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>, note: impl Into<String>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.columns, "{cells:?} has as many cells as the head");
        self.rows.push((cells, note.into()));
    }

    /// A row of one measurement, which says so if its control pair differs too much.
    pub fn guarded_row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>, times: &Times) {
        self.noted_row(
            cells,
            times.objection().map(|objection| format!("({objection})")).unwrap_or_default(),
        );
    }

    pub fn lines(&self) -> Vec<String> {
        let width = |column: usize| {
            self.rows.iter().map(|(cells, _)| cells[column].chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns).map(width).collect();
        let line = |(cells, note): &(Vec<String>, String)| {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                line += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            }
            format!("{line}  {note}").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["", "a request [µs]", "÷"]);
        table.row(["plain", "0.48", "1.00"]);
        table.noted_row(["by hand", "0.67", "1.40"], "slow");
        assert_eq!(
            table.lines(),
            [
                "         a request [µs]     ÷",
                "plain              0.48  1.00",
                "by hand            0.67  1.40  slow"
            ]
        );
    }

    #[test]
    #[should_panic(expected = "as many cells as the head")]
    fn a_row_has_as_many_cells_as_the_head() {
        Table::new(["", "a"]).row(["plain"]);
    }
}
