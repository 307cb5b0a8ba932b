//! The canonical form in which manifests are written: two spaces, keys in Kubernetes' order,
//! quotes only where a reader of YAML 1.1 or 1.2 could take the text for something else.

use std::fmt::Write as _;

use super::scalar::{is_special, needs_quotes};
use crate::model::view::{FieldView, Shape, View};

/// Appends one document, without a leading `---`.
pub fn write_document(view: View<'_>, out: &mut String) {
    match view.shape() {
        Shape::Map => write_map(view.fields(), 0, false, out),
        Shape::List => write_list(&view.items(), 0, out),
        _ => {
            write_scalar(&view.shape(), 0, out);
            out.push('\n');
        }
    }
}

fn indent(columns: usize, out: &mut String) {
    const SPACES: &str = "                                                                ";
    let mut left = columns;
    while left > 0 {
        let now = left.min(SPACES.len());
        out.push_str(&SPACES[..now]);
        left -= now;
    }
}

/// Writes the fields, the first one without its indentation where it follows `- `.
fn write_map(fields: Vec<FieldView<'_>>, column: usize, after_dash: bool, out: &mut String) {
    for (position, field) in fields.into_iter().enumerate() {
        if position > 0 || !after_dash {
            indent(column, out);
        }
        // Readers look for the colon within 1,024 characters, unless the key is marked as one.
        let long = field.key.len() > 250;
        if long {
            out.push_str("? ");
        }
        write_text(&field.key, None, out);
        if long {
            out.push('\n');
            indent(column, out);
        }
        out.push(':');
        write_value(field.value, column, false, out);
    }
}

fn write_list(items: &[View<'_>], column: usize, out: &mut String) {
    for item in items {
        indent(column, out);
        out.push('-');
        write_value(*item, column, true, out);
    }
}

/// Writes what follows `key:` or `-`, with its line break.
fn write_value(view: View<'_>, column: usize, after_dash: bool, out: &mut String) {
    match view.shape() {
        Shape::Map => {
            let fields = view.fields();
            if fields.is_empty() {
                out.push_str(" {}\n");
            } else {
                out.push(if after_dash { ' ' } else { '\n' });
                write_map(fields, column + 2, after_dash, out);
            }
        }
        Shape::List => {
            let items = view.items();
            if items.is_empty() {
                out.push_str(" []\n");
            } else {
                out.push('\n');
                // Kubernetes writes the items of a list in the column of its key.
                write_list(&items, if after_dash { column + 2 } else { column }, out);
            }
        }
        shape => {
            out.push(' ');
            write_scalar(&shape, column + 2, out);
            out.push('\n');
        }
    }
}

fn write_scalar(shape: &Shape<'_>, column: usize, out: &mut String) {
    match shape {
        Shape::Bool(true) => out.push_str("true"),
        Shape::Bool(false) => out.push_str("false"),
        Shape::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Shape::Float(number) => write_float(*number, out),
        Shape::Text(text) => write_text(text, Some(column), out),
        Shape::Null | Shape::List | Shape::Map => out.push_str("null"),
    }
}

/// A form that both readers of YAML take for a floating-point number.
fn write_float(number: f64, out: &mut String) {
    let text = format!("{number:?}");
    match text.split_once('e') {
        // YAML 1.1 wants a point in the mantissa and a sign in the exponent.
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            let _ = write!(out, "{mantissa}{point}e{sign}{exponent}");
        }
        None => out.push_str(&text),
    }
}

/// Writes text; in block style from `block` on, where that is given and reads better.
fn write_text(text: &str, block: Option<usize>, out: &mut String) {
    if let Some(column) = block
        && fits_block(text)
    {
        return write_block(text, column, out);
    }
    if !needs_quotes(text) {
        out.push_str(text);
    } else if text.chars().any(is_special) || (text.contains('\'') && !text.contains(['"', '\\'])) {
        write_double_quoted(text, out);
    } else {
        out.push('\'');
        for c in text.chars() {
            out.push(c);
            if c == '\'' {
                out.push('\'');
            }
        }
        out.push('\'');
    }
}

/// Whether text of several lines can stand as a block that every reader gives back unchanged.
fn fits_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.lines().all(|line| !line.ends_with([' ', '\t']))
        && !text.chars().any(|c| c != '\n' && is_special(c))
}

fn write_block(text: &str, column: usize, out: &mut String) {
    let body = text.trim_end_matches('\n');
    out.push_str(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(column, out);
            out.push_str(line);
        }
    }
    for _ in 1..text.len() - body.len() {
        out.push('\n');
    }
}

fn write_double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_special(c) && u32::from(c) <= 0xff => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_special(c) && u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if is_special(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
