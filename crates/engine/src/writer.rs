//! The canonical form in which manifests are written: two spaces, keys in Kubernetes' order,
//! quotes only where a reader of YAML 1.1 or 1.2 could take the text for something else.

use crate::view::{FieldView, Shape, View};
use tenantry_syntax::yaml::scalar::{is_special, needs_quotes};

/// Where the text goes.
pub trait Out {
    /// Appends text.
    fn text(&mut self, text: &str);

    /// Whether what follows a key or a dash is left for later, with its line break.
    fn leaves(&mut self, _view: View<'_>, _column: usize, _after_dash: bool) -> bool {
        false
    }
}

impl Out for String {
    fn text(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Appends one document, without a leading `---`.
pub fn write_document(view: View<'_>, out: &mut impl Out) {
    match view.shape() {
        Shape::Map => write_map(view.fields(), 0, false, out),
        Shape::List => write_list(&view.items(), 0, out),
        _ => {
            write_scalar(&view.shape(), 0, out);
            out.text("\n");
        }
    }
}

fn indent(columns: usize, out: &mut impl Out) {
    const SPACES: &str = "                                                                ";
    let mut left = columns;
    while left > 0 {
        let now = left.min(SPACES.len());
        out.text(&SPACES[..now]);
        left -= now;
    }
}

/// Writes the fields, the first one without its indentation where it follows `- `.
fn write_map(fields: Vec<FieldView<'_>>, column: usize, after_dash: bool, out: &mut impl Out) {
    for (position, field) in fields.into_iter().enumerate() {
        if position > 0 || !after_dash {
            indent(column, out);
        }
        // Readers look for the colon within 1,024 characters, unless the key is marked as one.
        let long = field.key.len() > 250;
        if long {
            out.text("? ");
        }
        write_text(&field.key, None, out);
        if long {
            out.text("\n");
            indent(column, out);
        }
        out.text(":");
        write_value(field.value, column, false, out);
    }
}

fn write_list(items: &[View<'_>], column: usize, out: &mut impl Out) {
    for item in items {
        indent(column, out);
        out.text("-");
        write_value(*item, column, true, out);
    }
}

/// Writes what follows `key:` or `-`, with its line break; `column` is that of the key or dash.
pub fn write_value(view: View<'_>, column: usize, after_dash: bool, out: &mut impl Out) {
    if out.leaves(view, column, after_dash) {
        return;
    }
    match view.shape() {
        Shape::Map => {
            let fields = view.fields();
            if fields.is_empty() {
                out.text(" {}\n");
            } else {
                out.text(if after_dash { " " } else { "\n" });
                write_map(fields, column + 2, after_dash, out);
            }
        }
        Shape::List => {
            let items = view.items();
            if items.is_empty() {
                out.text(" []\n");
            } else {
                out.text("\n");
                // Kubernetes writes the items of a list in the column of its key.
                write_list(&items, if after_dash { column + 2 } else { column }, out);
            }
        }
        shape => {
            out.text(" ");
            write_scalar(&shape, column + 2, out);
            out.text("\n");
        }
    }
}

fn write_scalar(shape: &Shape<'_>, column: usize, out: &mut impl Out) {
    match shape {
        Shape::Bool(true) => out.text("true"),
        Shape::Bool(false) => out.text("false"),
        Shape::Int(number) => {
            out.text(&number.to_string());
        }
        Shape::Float(number) => write_float(*number, out),
        Shape::Text(text) => write_text(text, Some(column), out),
        Shape::Null | Shape::List | Shape::Map => out.text("null"),
    }
}

/// A form that both readers of YAML take for a floating-point number.
fn write_float(number: f64, out: &mut impl Out) {
    let text = format!("{number:?}");
    match text.split_once('e') {
        // YAML 1.1 wants a point in the mantissa and a sign in the exponent.
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            out.text(&format!("{mantissa}{point}e{sign}{exponent}"));
        }
        None => out.text(&text),
    }
}

/// Writes text; in block style from `block` on, where that is given and reads better.
fn write_text(text: &str, block: Option<usize>, out: &mut impl Out) {
    if let Some(column) = block
        && fits_block(text)
    {
        return write_block(text, column, out);
    }
    if !needs_quotes(text) {
        out.text(text);
    } else if text.chars().any(is_special) || (text.contains('\'') && !text.contains(['"', '\\'])) {
        write_double_quoted(text, out);
    } else {
        out.text("'");
        for (at, part) in text.split('\'').enumerate() {
            out.text(if at > 0 { "''" } else { "" });
            out.text(part);
        }
        out.text("'");
    }
}

/// Whether text of several lines can stand as a block that every reader gives back unchanged.
fn fits_block(text: &str) -> bool {
    text.as_bytes().contains(&b'\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.lines().all(|line| !line.ends_with([' ', '\t']))
        && !text.chars().any(|c| c != '\n' && is_special(c))
}

fn write_block(text: &str, column: usize, out: &mut impl Out) {
    let body = text.trim_end_matches('\n');
    out.text(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.text("\n");
        if !line.is_empty() {
            indent(column, out);
            out.text(line);
        }
    }
    for _ in 1..text.len() - body.len() {
        out.text("\n");
    }
}

fn write_double_quoted(text: &str, out: &mut impl Out) {
    out.text("\"");
    for c in text.chars() {
        match c {
            '"' => out.text("\\\""),
            '\\' => out.text("\\\\"),
            '\n' => out.text("\\n"),
            '\t' => out.text("\\t"),
            '\r' => out.text("\\r"),
            c if is_special(c) && u32::from(c) <= 0xff => {
                out.text(&format!("\\x{:02x}", u32::from(c)));
            }
            c if is_special(c) && u32::from(c) <= 0xffff => {
                out.text(&format!("\\u{:04x}", u32::from(c)));
            }
            c if is_special(c) => {
                out.text(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.text(c.encode_utf8(&mut [0; 4])),
        }
    }
    out.text("\"");
}
