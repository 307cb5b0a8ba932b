//! Findings for people at a terminal, as rustc shows them.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use tenantry_syntax::diagnostics::{Diagnostic, Label, Severity, Sources, printable};

/// Most findings that are shown; other formats have all.
const MOST: usize = 500;
/// Lines of context above and below what is marked.
const CONTEXT: usize = 1;

/// All findings, one after the other.
pub fn write(findings: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for finding in findings.iter().take(MOST) {
        text.push_str(&renderer.render(&[group(finding, sources)]));
        text.push_str("\n\n");
    }
    if findings.len() > MOST {
        text.push_str(&format!(
            "… and {} more findings; `-o json=FILE` has all\n\n",
            findings.len() - MOST
        ));
    }
    text
}

fn group<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(
        level
            .primary_title(printable(&finding.message))
            .id(finding.rule_id()),
    );
    let mut labels: Vec<(&Label, AnnotationKind)> = Vec::new();
    labels.extend(
        finding
            .primary
            .iter()
            .map(|label| (label, AnnotationKind::Primary)),
    );
    labels.extend(
        finding
            .secondary
            .iter()
            .map(|label| (label, AnnotationKind::Context)),
    );
    // Labels of one file share a snippet, in the order in which the files come.
    while let Some((first, _)) = labels.first() {
        let file = first.span.file;
        let (here, elsewhere): (Vec<_>, Vec<_>) = labels
            .iter()
            .copied()
            .partition(|(label, _)| label.span.file == file);
        labels = elsewhere;
        group = group.element(snippet(file, &here, sources));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if finding.repeated > 0 {
        let times = if finding.repeated == 1 {
            "once more".to_owned()
        } else {
            format!("{} times more", finding.repeated)
        };
        group = group.element(Level::NOTE.message(format!(
            "the same was found {times}, for other tenants, components or environments"
        )));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    group
}

fn snippet<'a>(
    file: u32,
    labels: &[(&'a Label, AnnotationKind)],
    sources: &'a Sources,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text: &str = sources.file(file).map_or("", |file| &file.text);
    let low = labels
        .iter()
        .map(|(label, _)| label.span.start as usize)
        .min()
        .unwrap_or(0);
    let high = labels
        .iter()
        .map(|(label, _)| label.span.end as usize)
        .max()
        .unwrap_or(0);
    // Only the lines around the labels are given to the renderer: files can be large.
    let start = (0..=CONTEXT).fold(low.min(text.len()), |at, round| {
        let at = if round == 0 { at } else { at.saturating_sub(1) };
        text.get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |newline| newline + 1)
    });
    let end = (0..=CONTEXT).fold(high.min(text.len()), |at, round| {
        let at = if round == 0 {
            at
        } else {
            (at + 1).min(text.len())
        };
        text.get(at..)
            .and_then(|after| after.find('\n'))
            .map_or(text.len(), |newline| at + newline)
    });
    let line = sources
        .position(file, u32::try_from(start).unwrap_or(0))
        .line;
    let window = text.get(start..end).unwrap_or_default();
    let mut snippet = Snippet::source(window)
        .line_start(line)
        .path(printable(sources.path(file)))
        .fold(true);
    for (label, kind) in labels {
        let from = window.floor_char_boundary((label.span.start as usize).saturating_sub(start));
        let to = window.ceil_char_boundary(
            (label.span.end as usize)
                .saturating_sub(start)
                .clamp(from, window.len()),
        );
        let annotation = (*kind).span(from..to);
        snippet = snippet.annotation(if label.message.is_empty() {
            annotation
        } else {
            annotation.label(printable(&label.message))
        });
    }
    snippet
}
