//! What tenants cost, how full clusters are, when jobs run, what ends, and what comes back: tables, JSON, CSV, and a page with charts.

pub mod capacity;
pub mod cost;
pub mod lifecycle;
pub mod recovery;
pub mod schedule;

use serde_json::Value as Json;

use super::pages::Page;
use super::table::Table;

/// A format of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiguresFormat {
    /// Tables for a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
    /// The whole table, for a spreadsheet.
    Csv,
    /// A page with charts.
    Html,
}

impl FiguresFormat {
    /// All formats by name.
    pub const ALL: [(&'static str, FiguresFormat); 4] = [
        ("text", FiguresFormat::Text),
        ("json", FiguresFormat::Json),
        ("csv", FiguresFormat::Csv),
        ("html", FiguresFormat::Html),
    ];
}

/// Figures, ready to be written in any format.
pub struct Figures {
    title: &'static str,
    sentence: String,
    /// Tables with their headings, for a terminal.
    tables: Vec<(String, Table)>,
    /// What is said below the tables.
    notes: Vec<String>,
    /// Everything in one table.
    sheet: Table,
    data: Json,
    script: &'static str,
}

impl Figures {
    /// The figures in a format.
    pub fn write(&self, format: FiguresFormat, color: bool) -> String {
        match format {
            FiguresFormat::Text => self.text(color),
            FiguresFormat::Csv => self.sheet.csv(),
            FiguresFormat::Json => {
                serde_json::to_string_pretty(&self.data).unwrap_or_default() + "\n"
            }
            FiguresFormat::Html => Page {
                title: self.title,
                sentence: &self.sentence,
                data: &self.data,
                script: self.script,
            }
            .write(),
        }
    }

    fn text(&self, color: bool) -> String {
        let tables = self.tables.iter().filter(|(_, table)| !table.is_empty());
        let mut parts: Vec<String> = tables
            .map(|(heading, table)| {
                let margin = if heading.is_empty() { "" } else { "  " };
                let heading = if heading.is_empty() {
                    String::new()
                } else {
                    format!("{heading}\n\n")
                };
                format!("{heading}{}", table.text(margin, color))
            })
            .collect();
        if !self.notes.is_empty() {
            parts.push(self.notes.join("\n") + "\n");
        }
        parts.join("\n")
    }
}

/// A share for people: `87 %`.
fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 {
        format!("{:.0} %", part / whole * 100.0)
    } else {
        String::new()
    }
}
