//! Aligned columns for a terminal, and the same rows as CSV.

use anstyle::Style;

use tenantry_syntax::diagnostics::printable;

const HEADING: Style = Style::new().bold();
const NAME: Style = anstyle::AnsiColor::Cyan.on_default();

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows under headings. A cell may have a style of its own.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<(String, Option<Style>)>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// A table of text.
    pub fn of_text(headings: &[&'static str]) -> Table {
        let columns: Vec<_> = headings.iter().map(|name| (*name, Align::Left)).collect();
        Table::new(&columns)
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let cells = cells.into_iter().map(|cell| (cell.into(), None));
        self.rows.push(cells.collect());
    }

    /// Gives a cell of the last row a style.
    pub fn style(&mut self, column: usize, style: Style) {
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.get_mut(column)) {
            cell.1 = Some(style);
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Aligned columns, each line after a margin.
    pub fn text(&self, margin: &str, color: bool) -> String {
        let width = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                let cells = cells.map(|(cell, _)| width(&printable(cell)));
                cells.chain([width(self.columns[at].0)]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: Vec<(String, Option<Style>)>| -> String {
            let mut line = margin.to_owned();
            let last = cells.len().saturating_sub(1);
            for (at, (cell, style)) in cells.into_iter().enumerate() {
                let cell = printable(&cell).replace('\n', " ");
                let space = " ".repeat(widths[at].saturating_sub(width(&cell)));
                let cell = match style.filter(|_| color) {
                    Some(style) => format!("{style}{cell}{style:#}"),
                    None => cell,
                };
                line.push_str(&match self.columns[at].1 {
                    Align::Right => format!("{space}{cell}"),
                    Align::Left if at == last => cell,
                    Align::Left => format!("{cell}{space}"),
                });
                if at < last {
                    line.push_str("  ");
                }
            }
            line.trim_end().to_owned() + "\n"
        };
        let headings = self.columns.iter();
        let mut text = line(
            headings
                .map(|(name, _)| ((*name).to_owned(), Some(HEADING)))
                .collect(),
        );
        for row in &self.rows {
            let mut row = row.clone();
            if let Some((_, style @ None)) = row.first_mut() {
                *style = Some(NAME);
            }
            text.push_str(&line(row));
        }
        text
    }

    /// Comma-separated values: <https://www.rfc-editor.org/rfc/rfc4180>. A cell that a spreadsheet would take
    /// for a formula begins with a quote.
    pub fn csv(&self) -> String {
        let cell = |text: &str| {
            let text = printable(text);
            let number = text.parse::<f64>().is_ok();
            let text = if text.starts_with(['=', '+', '-', '@', '\t']) && !number {
                format!("'{text}")
            } else {
                text
            };
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        };
        let name = |heading: &str| heading.to_lowercase().replace(' ', "_");
        let headings = self.columns.iter().map(|(heading, _)| name(heading));
        let mut lines = vec![headings.collect::<Vec<_>>().join(",")];
        for row in &self.rows {
            let cells = row.iter().map(|(text, _)| cell(text));
            lines.push(cells.collect::<Vec<_>>().join(","));
        }
        lines.join("\r\n") + "\r\n"
    }
}
