//! A review as one self-contained page to explore: a tree by environment, tenant and component,
//! the changes by their causes, each object with its fields and manifest. It needs no network.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use similar::{ChangeTag, TextDiff};

use super::{values, words};
use crate::model::change::{ChangeEntry, FieldChange, Object, ObjectChange, Review, RiskClass};
use tenantry_engine::view::View;
use tenantry_engine::writer;
use tenantry_syntax::yaml::Node;

/// The page; its data takes the place of the mark.
const PAGE: &str = include_str!("page.html");
const MARK: &str = "/*DATA*/";
/// Most objects in a page, and most lines of one manifest.
const MOST_OBJECTS: usize = 2_000;
const MOST_LINES: usize = 600;
/// Most entries of a group, and most groups.
const MOST_ENTRIES: usize = 200;
const MOST_GROUPS: usize = 300;

/// Writes a review; `denied` are the classes of risks that are not allowed.
pub fn write(review: &Review, denied: &BTreeSet<RiskClass>, has_errors: bool) -> String {
    let kept = kept(review);
    let position = |at: &usize| kept.binary_search(at).ok();
    let mut facts = vec![
        [
            "Input".to_owned(),
            words::count(review.inputs.len(), "change"),
        ],
        ["Output".to_owned(), words::extent(review)],
    ];
    let all_risks = words::risks(review);
    if !all_risks.is_empty() {
        facts.push(["Risks".to_owned(), all_risks]);
    }
    if let Some(cost) = words::cost(review) {
        facts.push(["Cost".to_owned(), cost]);
    }
    facts.push(["Findings".to_owned(), words::findings(review)]);
    let inputs: Vec<Json> = review
        .inputs
        .iter()
        .map(|input| {
            json!({"place": words::place(input), "text": words::input(input), "objects": input.objects})
        })
        .collect();
    let risks: Vec<Json> = review
        .risks
        .iter()
        .map(|risk| {
            let objects: Vec<usize> = risk.objects.iter().filter_map(position).collect();
            json!({
                "class": risk.class, "message": risk.message, "count": risk.objects.len(),
                "objects": objects, "causes": risk.causes, "help": risk.class.code().remedy,
            })
        })
        .collect();
    let entry = |entry: &ChangeEntry| {
        let at: Vec<usize> = entry.objects.iter().filter_map(position).collect();
        json!({
            "o": entry.operation, "k": words::kinds(entry),
            "p": entry.path.as_ref().map(ToString::to_string).unwrap_or_default(),
            "c": words::change(entry), "n": entry.objects.len(), "w": words::spread(entry),
            "r": entry.risks, "at": at,
        })
    };
    let groups: Vec<Json> = review
        .groups
        .iter()
        .take(MOST_GROUPS)
        .map(|group| {
            let entries: Vec<Json> = group.entries.iter().take(MOST_ENTRIES).map(entry).collect();
            json!({"causes": group.causes, "objects": group.objects, "entries": entries})
        })
        .collect();
    let objects: Vec<Json> = kept
        .iter()
        .map(|at| object(review, &review.objects[*at]))
        .collect();
    let findings = |list: &[tenantry_syntax::diagnostics::Diagnostic]| -> Vec<String> {
        let list = list.iter().take(MOST_ENTRIES);
        list.map(|finding| {
            format!(
                "{}[{}]: {}",
                finding.standing(),
                finding.rule_id(),
                finding.message
            )
        })
        .collect()
    };
    let data = json!({
        "base": review.base, "head": review.head,
        "verdict": words::verdict(review, denied, has_errors),
        "facts": facts, "notes": review.notes, "inputs": inputs, "risks": risks,
        "groups": groups, "objects": objects, "left": review.objects.len() - kept.len(),
        "new": findings(&review.new_findings), "fixed": findings(&review.fixed_findings),
    });
    // No text of the input can end the script element, or begin a comment in it.
    let data = data.to_string().replace('<', "\\u003c");
    PAGE.replace(MARK, &data)
}

/// The objects that the page has: one of each entry, then the riskiest.
fn kept(review: &Review) -> Vec<usize> {
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    let entries = review.groups.iter().flat_map(|group| &group.entries);
    kept.extend(
        entries
            .filter_map(|entry| entry.objects.first())
            .take(MOST_OBJECTS),
    );
    let mut rest: Vec<usize> = (0..review.objects.len()).collect();
    rest.sort_by_key(|at| {
        let risks = review.objects[*at].risks.first();
        risks.map_or(usize::MAX, |risk| risk.class as usize)
    });
    for at in rest {
        if kept.len() >= MOST_OBJECTS {
            break;
        }
        kept.insert(at);
    }
    kept.into_iter().collect()
}

fn object(review: &Review, change: &ObjectChange) -> Json {
    let object = change.object();
    let origins = |positions: &[usize]| -> Vec<String> {
        positions
            .iter()
            .map(|at| &review.origins[*at])
            .map(|origin| match origin.layer.as_str() {
                "" => origin.to_string(),
                layer => format!("{origin} ({layer})"),
            })
            .collect()
    };
    let mut fields: Vec<&FieldChange> = change.fields.iter().collect();
    fields.sort_by_key(|field| (field.path.only_follows(), field.path.only_describes()));
    let fields: Vec<Json> = fields
        .into_iter()
        .map(|field| {
            json!({
                "p": field.path.to_string(),
                "c": values::values(field.before.as_ref(), field.after.as_ref(), field.secret),
                "w": origins(&field.before_origins), "i": origins(&field.after_origins),
                "y": field.causes,
            })
        })
        .collect();
    let classes: BTreeSet<RiskClass> = change.risks.iter().map(|risk| risk.class).collect();
    let messages: Vec<Json> = change
        .risks
        .iter()
        .map(|risk| json!({"class": risk.class, "message": risk.message}))
        .collect();
    json!({
        "e": object.place.environment, "c": object.place.cluster, "t": object.place.tenant,
        "p": object.place.component, "k": object.kind, "n": object.name,
        "o": change.operation(), "r": classes, "m": messages, "f": fields,
        "y": change.all_causes(), "d": lines(change),
    })
}

/// The lines in which the manifests of both sides differ, with three around them.
fn lines(change: &ObjectChange) -> Vec<String> {
    let text = |object: Option<&Object>| {
        let mut text = String::new();
        if let Some(object) = object {
            let tree = Node::from_json(&super::redacted(object));
            writer::write_document(View::of(&tree), &mut text);
        }
        text
    };
    let (before, after) = (text(change.before.as_ref()), text(change.after.as_ref()));
    let difference = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    for (at, group) in difference.grouped_ops(3).iter().enumerate() {
        if at > 0 {
            lines.push("@ …".to_owned());
        }
        for line in group.iter().flat_map(|op| difference.iter_changes(op)) {
            let sign = match line.tag() {
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{sign}{}", line.value().trim_end_matches('\n')));
        }
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("@ … {} more", words::count(more, "line")));
    }
    lines
}
