//! A review as a comment of a pull request: the verdict and a table first, risks next, details
//! folded. Hosts cut comments at 65,536 characters, so details are left out before that, the worst
//! kept: <https://docs.github.com/rest/issues/comments>

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::words;
use crate::model::change::{ChangeEntry, ChangeGroup, ObjectOperation, Review, RiskClass};
use tenantry_syntax::diagnostics::{Sources, printable};

/// Most bytes of a comment.
const MOST: usize = 65_000;
/// Bytes that are kept for saying what was left out.
const RESERVED: usize = 600;
/// Most risks of a class, and most entries of a group.
const MOST_RISKS: usize = 10;
const MOST_ENTRIES: usize = 40;

/// What a comment begins with, so that the next one can take its place.
pub const MARK: &str = "<!-- tenantry review -->";

/// Writes a review; `denied` are the classes of risks that are not allowed.
pub fn write(
    review: &Review,
    sources: &Sources,
    denied: &BTreeSet<RiskClass>,
    has_errors: bool,
) -> String {
    let mut page = CommentPage {
        text: String::new(),
        left_out: Vec::new(),
    };
    let summary = words::summary(review);
    let sign = match summary.risks.keys().next() {
        _ if has_errors || words::is_denied(review, denied) => "❌",
        Some(class) if *class <= RiskClass::Capacity => "⚠️",
        _ => "✅",
    };
    let mut head = format!(
        "{MARK}\n### {sign} {}\n\n{} against {}\n\n",
        plain(&words::verdict(review, denied, has_errors)),
        plain(&review.head),
        plain(&review.base)
    );
    head.push_str("| | |\n|---|---|\n");
    let mut row = |name: &str, text: &str| {
        let _ = writeln!(head, "| **{name}** | {} |", cell(text));
    };
    row("Input", &words::count(review.inputs.len(), "change"));
    row("Output", &words::extent(review));
    if !summary.risks.is_empty() {
        let risks: Vec<String> = summary
            .risks
            .iter()
            .map(|(class, number)| {
                let denied = if denied.contains(class) {
                    " (denied)"
                } else {
                    ""
                };
                format!("{} {}{denied}", words::thousands(*number), class.name())
            })
            .collect();
        row("Risks", &risks.join(", "));
    }
    if let Some(cost) = words::cost(review) {
        row("Cost", &cost);
    }
    row("Findings", &words::findings(review));
    head.push('\n');
    for note in &review.notes {
        let _ = writeln!(head, "> {}\n", plain(note));
    }
    page.add(&head, "the summary");
    risks(review, denied, &mut page);
    findings(review, sources, &mut page);
    groups(review, &mut page);
    page.finish()
}

struct CommentPage {
    text: String,
    left_out: Vec<String>,
}

impl CommentPage {
    /// Adds a part if there is room for it.
    fn add(&mut self, part: &str, what: &str) -> bool {
        let fits = self.text.len() + part.len() + RESERVED <= MOST;
        if fits {
            self.text.push_str(part);
        } else if self.left_out.len() < 5 && !what.is_empty() {
            self.left_out.push(what.to_owned());
        }
        fits
    }

    fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            let list: String = self.left_out.join("; ").chars().take(400).collect();
            let _ = writeln!(
                self.text,
                "\n*Left out, for a comment has no more room: {list}. `tenantry diff -o html=FILE` shows more.*"
            );
        }
        self.text
    }
}

fn risks(review: &Review, denied: &BTreeSet<RiskClass>, page: &mut CommentPage) {
    if review.risks.is_empty() {
        return;
    }
    page.add("#### Risks\n\n", "");
    for class in RiskClass::ALL {
        let of_class: Vec<_> = review
            .risks
            .iter()
            .filter(|risk| risk.class == class)
            .collect();
        let mut left = of_class.len().saturating_sub(MOST_RISKS);
        for risk in of_class.iter().take(MOST_RISKS) {
            let mark = if denied.contains(&class) { "❌ " } else { "" };
            let mut part = format!("- {mark}**{}** {}", class.name(), plain(&risk.message));
            if !risk.objects.is_empty() {
                let number = words::count(risk.objects.len(), "object");
                let names = words::objects(review, &risk.objects, 1);
                let _ = write!(part, "  \n  {number}: {}", code(&names));
            }
            for reason in words::because(review, &risk.causes, 2) {
                let (place, what) = reason.split_once("  ").unwrap_or((&reason, ""));
                let _ = write!(part, "  \n  because {} {}", code(place), plain(what));
            }
            part.push('\n');
            left += usize::from(!page.add(&part, ""));
        }
        if left > 0 {
            let more = format!(
                "- … {} of class {}\n",
                words::count(left, "more risk"),
                class.name()
            );
            page.add(
                &more,
                &format!("{} of class {}", words::count(left, "risk"), class.name()),
            );
        }
    }
    page.add("\n", "");
}

fn findings(review: &Review, sources: &Sources, page: &mut CommentPage) {
    let lists = [
        ("New findings", &review.new_findings),
        ("Fixed findings", &review.fixed_findings),
    ];
    for (title, findings) in lists {
        if findings.is_empty() {
            continue;
        }
        let mut part = format!("#### {title}\n\n");
        for finding in findings.iter().take(MOST_ENTRIES) {
            let _ = writeln!(
                part,
                "- {} {} {}: {}",
                finding.standing(),
                code(finding.rule_id()),
                code(&words::finding_place(finding, sources)),
                plain(&finding.message)
            );
        }
        if findings.len() > MOST_ENTRIES {
            let _ = writeln!(part, "- … {} more", findings.len() - MOST_ENTRIES);
        }
        part.push('\n');
        page.add(&part, &title.to_lowercase());
    }
}

fn groups(review: &Review, page: &mut CommentPage) {
    if review.groups.is_empty() && review.inputs.is_empty() {
        return;
    }
    page.add("#### Changes\n\n", "");
    let mut left = 0;
    for group in review.groups.iter().filter(|group| !group.only_follows()) {
        left += usize::from(!page.add(&self::group(review, group), ""));
    }
    if left > 0 {
        page.left_out
            .push(words::count(left, "group") + " of changes");
    }
    let without: Vec<usize> = (0..review.inputs.len())
        .filter(|at| review.inputs[*at].objects == 0)
        .collect();
    if !without.is_empty() {
        let mut part = String::from("No effect on any object was found of:\n\n");
        for reason in words::because(review, &without, MOST_ENTRIES) {
            let (place, what) = reason.split_once("  ").unwrap_or((&reason, ""));
            let _ = writeln!(part, "- {} {}", code(place), plain(what));
        }
        page.add(&part, "changes of the input without effect");
    }
}

fn group(review: &Review, group: &ChangeGroup) -> String {
    let objects = words::count(group.objects, "object");
    let mut reasons = words::because(review, &group.causes, 3);
    if reasons.is_empty() {
        reasons.push("Against the base  ".to_owned());
    }
    let summary: Vec<String> = reasons
        .iter()
        .map(|reason| {
            let (place, what) = reason.split_once("  ").unwrap_or((reason, ""));
            format!("<code>{}</code> {}", html(place), html(what))
        })
        .collect();
    let worst = group
        .worst
        .map_or_else(String::new, |class| format!(" · {}", class.name()));
    let mut part = format!(
        "<details><summary>{} · <b>{objects}</b>{worst}</summary>\n\n",
        summary.join("<br>")
    );
    part.push_str("| | field | change | where |\n|---|---|---|---|\n");
    let shows = |entry: &&ChangeEntry| entry.path.as_ref().is_none_or(|path| !path.only_follows());
    let entries: Vec<&ChangeEntry> = group.entries.iter().filter(shows).collect();
    for entry in entries.iter().take(MOST_ENTRIES) {
        let sign = match entry.operation {
            ObjectOperation::Added => "+",
            ObjectOperation::Removed => "−",
            ObjectOperation::Renamed => ">",
            ObjectOperation::Changed => "~",
        };
        let field = match &entry.path {
            Some(path) => format!(
                "{} {}",
                plain(&words::kinds(entry)),
                code(&path.to_string())
            ),
            None => plain(&words::kinds(entry)),
        };
        let times = if entry.objects.len() > 1 {
            format!(" ×{}", words::thousands(entry.objects.len()))
        } else {
            String::new()
        };
        let _ = writeln!(
            part,
            "| {sign} | {} | {}{times} | {} |",
            escape_cell(&field),
            escape_cell(&code(&words::change(entry))),
            cell(&words::spread(entry)),
        );
    }
    if entries.len() > MOST_ENTRIES {
        let _ = writeln!(
            part,
            "| | … {} | | |",
            words::count(entries.len() - MOST_ENTRIES, "more field")
        );
    }
    let following = group.entries.len() - entries.len();
    if following > 0 {
        let objects: BTreeSet<usize> = group
            .entries
            .iter()
            .filter(|entry| !shows(entry))
            .flat_map(|entry| entry.objects.iter().copied())
            .collect();
        let _ = writeln!(
            part,
            "| | digests and checksums | changed with it | {} |",
            words::count(objects.len(), "object")
        );
    }
    let texts: Vec<(&ChangeEntry, Vec<String>)> = entries
        .iter()
        .filter(|entry| !entry.secret)
        .filter_map(|entry| {
            let lines = super::text_lines(entry.variants.first()?, 30);
            (!lines.is_empty()).then_some((*entry, lines))
        })
        .collect();
    for (entry, lines) in texts.iter().take(3) {
        let path = entry
            .path
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let body = printable(&lines.join("\n"));
        let fence = fence(&body);
        let _ = write!(part, "\n{}\n\n{fence}diff\n{body}\n{fence}\n", code(&path));
    }
    part.push_str("\n</details>\n\n");
    part
}

/// A fence that the text does not hold.
fn fence(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}

/// Text without what Markdown or HTML would obey, and without mentions.
fn plain(text: &str) -> String {
    let text = printable(text);
    // Names are in backticks already. A value may hold others: then none of them means code.
    let names = !text.contains("``") && text.matches('`').count().is_multiple_of(2);
    let mut escaped = String::new();
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' if names => {
                in_code = !in_code;
                escaped.push('`');
            }
            '`' => escaped.push_str("&#96;"),
            '&' if !in_code => escaped.push_str("&amp;"),
            '\n' => escaped.push(' '),
            '<' => escaped.push_str(if in_code { "<" } else { "&lt;" }),
            '>' => escaped.push_str(if in_code { ">" } else { "&gt;" }),
            '@' if !in_code => escaped.push_str("&#64;"),
            '\\' | '*' | '_' | '[' | ']' | '#' | '~' if !in_code => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text as code, whatever it holds.
fn code(text: &str) -> String {
    let text = printable(text).replace('\n', "⏎");
    if text.is_empty() {
        return String::new();
    }
    let mut fence = "`".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn html(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "&#64;")
        .replace('\n', " ")
}

fn cell(text: &str) -> String {
    escape_cell(&plain(text))
}

fn escape_cell(text: &str) -> String {
    text.replace('|', "\\|")
}
