//! A review for people at a terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{values, words};
use crate::model::change::{ChangeEntry, ChangeGroup, ObjectOperation, Review, RiskClass, Variant};
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_syntax::diagnostics::{Sources, printable};

/// Most entries of a group, and most groups, that are shown; other formats have more.
const MOST_ENTRIES: usize = 12;
const MOST_GROUPS: usize = 25;
/// Most risks of a class.
const MOST_RISKS: usize = 8;

const STRONG: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const NAME: Style = AnsiColor::Cyan.on_default();

/// Writes a review; `denied` are the classes of risks that are not allowed.
pub fn write(
    review: &Review,
    sources: &Sources,
    denied: &BTreeSet<RiskClass>,
    has_errors: bool,
    color: bool,
) -> String {
    let paint = painter(color);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Review of {} against {}\n",
        paint(&review.head, STRONG),
        paint(&review.base, STRONG)
    );
    let verdict = words::verdict(review, denied, has_errors);
    let worst = words::summary(review).risks.keys().next().copied();
    let style = match worst {
        _ if has_errors => BAD,
        Some(class) if class <= RiskClass::Replace || denied.contains(&class) => BAD,
        Some(class) if class <= RiskClass::Capacity => WARN,
        _ => GOOD,
    };
    let _ = writeln!(out, "  {}\n", paint(&verdict, style));
    let mut fact = |name: &str, text: &str| {
        let _ = writeln!(
            out,
            "  {}  {}",
            paint(&format!("{name:<8}"), DIM),
            printable(text)
        );
    };
    fact("input", &words::count(review.inputs.len(), "change"));
    fact("output", &words::extent(review));
    let all_risks = words::risks(review);
    if !all_risks.is_empty() {
        fact("risks", &all_risks);
    }
    if let Some(cost) = words::cost(review) {
        fact("cost", &cost);
    }
    fact("findings", &words::findings(review));
    for note in &review.notes {
        fact("note", note);
    }
    risks(review, denied, &paint, &mut out);
    findings(review, sources, &paint, &mut out);
    if !review.groups.is_empty() || !review.inputs.is_empty() {
        let _ = writeln!(out, "\n{}", paint("Changes", STRONG));
    }
    for group in review.groups.iter().take(MOST_GROUPS) {
        self::group(review, group, &paint, &mut out);
    }
    if review.groups.len() > MOST_GROUPS {
        let more = words::count(review.groups.len() - MOST_GROUPS, "more group");
        let _ = writeln!(
            out,
            "\n  … {more} of changes; `-o html=FILE` has more, `-o json=FILE` all"
        );
    }
    let without: Vec<usize> = (0..review.inputs.len())
        .filter(|at| review.inputs[*at].objects == 0)
        .collect();
    if !without.is_empty() {
        let _ = writeln!(
            out,
            "\n  {}",
            paint("no effect on any object was found of", DIM)
        );
        for line in words::because(review, &without, MOST_ENTRIES) {
            let _ = writeln!(out, "    {}", printable(&line));
        }
    }
    out
}

/// Writes each changed object with its fields, and nothing else.
pub fn write_objects(review: &Review, color: bool) -> String {
    let paint = painter(color);
    let mut out = String::new();
    for change in &review.objects {
        let (sign, style) = sign(change.operation());
        let object = change.object();
        let classes: BTreeSet<RiskClass> = change.risks.iter().map(|risk| risk.class).collect();
        let classes: Vec<&str> = classes.into_iter().map(RiskClass::name).collect();
        let line = format!(
            "  {} {} {}",
            paint(sign, style),
            paint(&object.title(), STRONG),
            paint(&classes.join(" "), WARN)
        );
        let _ = writeln!(out, "{}", line.trim_end());
        for field in &change.fields {
            let shown = values::values(field.before.as_ref(), field.after.as_ref(), field.secret);
            let _ = writeln!(
                out,
                "      {}  {}",
                paint(&field.path.to_string(), NAME),
                printable(&shown)
            );
            let variant = Variant {
                before: field.before.clone(),
                after: field.after.clone(),
                count: 1,
            };
            if !field.secret {
                lines(&variant, &paint, &mut out);
            }
        }
    }
    out
}

fn sign(operation: ObjectOperation) -> (&'static str, Style) {
    match operation {
        ObjectOperation::Added => ("+", GOOD),
        ObjectOperation::Removed => ("-", BAD),
        ObjectOperation::Renamed => (">", WARN),
        ObjectOperation::Changed => ("~", WARN),
    }
}

fn painter(color: bool) -> impl Fn(&str, Style) -> String {
    move |text, style| {
        let text = printable(text);
        if color {
            format!("{style}{text}{style:#}")
        } else {
            text
        }
    }
}

type Paint<'a> = &'a dyn Fn(&str, Style) -> String;

fn risks(review: &Review, denied: &BTreeSet<RiskClass>, paint: Paint<'_>, out: &mut String) {
    if review.risks.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint("Risks", STRONG));
    for class in RiskClass::ALL {
        let of_class: Vec<_> = review
            .risks
            .iter()
            .filter(|risk| risk.class == class)
            .collect();
        for (at, risk) in of_class.iter().take(MOST_RISKS).enumerate() {
            let style = if class <= RiskClass::Replace || denied.contains(&class) {
                BAD
            } else if class <= RiskClass::Capacity {
                WARN
            } else {
                STRONG
            };
            let label = format!("{}[{}]", class.name(), class.code().id);
            let _ = writeln!(
                out,
                "\n  {}: {}",
                paint(&label, style),
                printable(&risk.message)
            );
            if !risk.objects.is_empty() {
                let number = words::count(risk.objects.len(), "object");
                let names = words::objects(review, &risk.objects, 2);
                let _ = writeln!(
                    out,
                    "    {} {}",
                    paint(&format!("{number}:"), DIM),
                    printable(&names)
                );
            }
            for reason in words::because(review, &risk.causes, 3) {
                let _ = writeln!(out, "    {} {}", paint("because", DIM), printable(&reason));
            }
            // What to do is the same for all of a class.
            if at == 0 {
                let _ = writeln!(out, "    {} {}", paint("= help:", DIM), class.code().remedy);
            }
        }
        if of_class.len() > MOST_RISKS {
            let more = words::count(of_class.len() - MOST_RISKS, "more risk");
            let _ = writeln!(out, "\n  … {more} of class {}", class.name());
        }
    }
}

fn findings(review: &Review, sources: &Sources, paint: Paint<'_>, out: &mut String) {
    let lists = [
        ("New findings", &review.new_findings, '+'),
        ("Fixed findings", &review.fixed_findings, '-'),
    ];
    for (title, findings, sign) in lists {
        if findings.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}\n", paint(title, STRONG));
        for finding in findings.iter().take(MOST_ENTRIES) {
            let label = format!("{}[{}]", finding.standing(), finding.rule_id());
            let place = words::finding_place(finding, sources);
            let _ = writeln!(
                out,
                "  {sign} {}: {}  {}",
                paint(&label, STRONG),
                printable(&finding.message),
                paint(&place, NAME)
            );
        }
        if findings.len() > MOST_ENTRIES {
            let _ = writeln!(out, "  … and {} more", findings.len() - MOST_ENTRIES);
        }
    }
}

fn group(review: &Review, group: &ChangeGroup, paint: Paint<'_>, out: &mut String) {
    let objects = words::count(group.objects, "object");
    out.push('\n');
    if group.only_follows() && group.causes.len() > 1 {
        let changes = words::count(group.causes.len(), "change");
        let line =
            format!("digests and checksums that follow from {changes} of the input  {objects}");
        let _ = writeln!(out, "  {}", paint(&line, DIM));
        return;
    }
    if group.causes.is_empty() {
        let cause = if review.inputs.is_empty() {
            "against the base's manifests"
        } else {
            "the cause is not known"
        };
        let _ = writeln!(out, "  {}  {}", paint(cause, NAME), paint(&objects, DIM));
    }
    let reasons = words::because(review, &group.causes, 4);
    for (at, reason) in reasons.iter().enumerate() {
        let (place, what) = reason.split_once("  ").unwrap_or((reason, ""));
        let tail = if at + 1 == reasons.len() {
            format!("  {}", paint(&objects, DIM))
        } else {
            String::new()
        };
        let _ = writeln!(out, "  {}  {}{tail}", paint(place, NAME), printable(what));
    }
    let (following, entries): (Vec<&ChangeEntry>, Vec<&ChangeEntry>) = group
        .entries
        .iter()
        .partition(|entry| entry.path.as_ref().is_some_and(FieldPath::only_follows));
    let shown = &entries[..entries.len().min(MOST_ENTRIES)];
    let head = |entry: &ChangeEntry| match &entry.path {
        Some(path) => format!("{}  {path}", words::kinds(entry)),
        None => words::kinds(entry),
    };
    let width = shown
        .iter()
        .map(|entry| head(entry).chars().count())
        .filter(|width| *width <= 72)
        .max();
    for entry in shown {
        let (sign, style) = sign(entry.operation);
        let head = head(entry);
        let gap = " ".repeat(width.unwrap_or(0).saturating_sub(head.chars().count()));
        let times = if entry.objects.len() > 1 {
            format!("  ×{}", words::thousands(entry.objects.len()))
        } else {
            String::new()
        };
        let risks: Vec<&str> = entry.risks.iter().map(|class| class.name()).collect();
        let risks = if risks.is_empty() {
            String::new()
        } else {
            format!("  {}", paint(&risks.join(" "), WARN))
        };
        let _ = writeln!(
            out,
            "    {} {}{gap}  {}{times}  {}{risks}",
            paint(sign, style),
            printable(&head),
            paint(&words::change(entry), STRONG),
            paint(&words::spread(entry), DIM),
        );
        origins(review, entry, paint, out);
        if let Some(variant) = entry.variants.first().filter(|_| !entry.secret) {
            lines(variant, paint, out);
        }
    }
    if entries.len() > shown.len() {
        let more = words::count(entries.len() - shown.len(), "more field");
        let _ = writeln!(out, "    … {more}; `-o html=FILE` has them");
    }
    if !following.is_empty() {
        let fields: BTreeSet<&str> = following
            .iter()
            .filter_map(|entry| Some(entry.path.as_ref()?.last_key()))
            .collect();
        let fields: Vec<&str> = fields.into_iter().collect();
        let objects: BTreeSet<usize> = following
            .iter()
            .flat_map(|entry| entry.objects.iter().copied())
            .collect();
        let line = format!(
            "and what only follows from it, in {}: {}",
            words::count(objects.len(), "object"),
            fields.join(", ")
        );
        let _ = writeln!(out, "    {}", paint(&line, DIM));
    }
}

/// The places that a value came from and comes from, where the cause does not say it already.
fn origins(review: &Review, entry: &ChangeEntry, paint: Paint<'_>, out: &mut String) {
    let is_same_line = |a: usize, b: usize| {
        let (a, b) = (&review.origins[a], &review.origins[b]);
        (&a.path, a.line) == (&b.path, b.line)
    };
    let side = |positions: &[usize], other: &[usize]| {
        let places: Vec<String> = positions
            .iter()
            .filter(|at| !other.iter().any(|other| is_same_line(**at, *other)))
            .map(|at| &review.origins[*at])
            .filter(|origin| origin.layer != "template")
            .map(|origin| {
                let layer = if origin.layer.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", origin.layer)
                };
                format!("{origin}{layer}")
            })
            .collect();
        places.join(", ")
    };
    let (before, after) = (
        side(&entry.before_origins, &entry.after_origins),
        side(&entry.after_origins, &entry.before_origins),
    );
    let line = match (before.is_empty(), after.is_empty()) {
        _ if before == after => return,
        (false, false) => format!("was {before}, is {after}"),
        (true, false) => format!("set by {after}"),
        (false, true) => format!("was set by {before}"),
        (true, true) => return,
    };
    let _ = writeln!(out, "        {}", paint(&line, DIM));
}

/// Texts of several lines, line by line.
fn lines(variant: &Variant, paint: Paint<'_>, out: &mut String) {
    for line in super::text_lines(variant, 8) {
        let style = match line.chars().next() {
            Some('+') => GOOD,
            Some('-') => BAD,
            _ => DIM,
        };
        let _ = writeln!(out, "        {}", paint(&line, style));
    }
}
