//! What a review says, in words that all its formats share.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::values::{array, is_reorder, list, values};
use crate::model::change::{
    ChangeEntry, ChangeReach, CostChange, FieldChange, InputChange, InputKind, ObjectOperation,
    Origin, Review, RiskClass, Variant,
};
use crate::model::money::money;
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_syntax::diagnostics::{Diagnostic, Sources};

/// Most ways in which a value changed that are shown.
const MOST_VARIANTS: usize = 3;

/// How much changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ChangeSummary {
    /// Objects by what happened to them.
    pub operations: BTreeMap<ObjectOperation, usize>,
    /// Objects of which only digests and checksums changed.
    pub following: usize,
    /// Tenants that have changed objects.
    pub tenants: usize,
    /// Environments that have changed objects.
    pub environments: usize,
    /// Risks by class: in how many objects, at least one each.
    pub risks: BTreeMap<RiskClass, usize>,
}

/// Counts what changed.
pub fn summary(review: &Review) -> ChangeSummary {
    let mut summary = ChangeSummary::default();
    let (mut tenants, mut environments) = (BTreeSet::new(), BTreeSet::new());
    for object in &review.objects {
        *summary.operations.entry(object.operation()).or_default() += 1;
        let follows = |field: &FieldChange| field.path.only_follows();
        let only = !object.fields.is_empty() && object.fields.iter().all(follows);
        summary.following += usize::from(only);
        let place = &object.object().place;
        tenants.extend(Some(&place.tenant).filter(|tenant| !tenant.is_empty()));
        environments.extend(Some(&place.environment).filter(|name| !name.is_empty()));
    }
    summary.tenants = tenants.len();
    summary.environments = environments.len();
    let mut objects: BTreeMap<RiskClass, BTreeSet<usize>> = BTreeMap::new();
    let mut others: BTreeMap<RiskClass, usize> = BTreeMap::new();
    for risk in &review.risks {
        objects.entry(risk.class).or_default().extend(&risk.objects);
        *others.entry(risk.class).or_default() += usize::from(risk.objects.is_empty());
    }
    for (class, objects) in objects {
        let others = others.get(&class).copied().unwrap_or_default();
        summary.risks.insert(class, objects.len() + others);
    }
    summary
}

/// `1 object`, `2 objects`.
pub fn count(number: usize, word: &str) -> String {
    let plural = match word.strip_suffix('y') {
        Some(stem) if number != 1 => format!("{stem}ies"),
        _ if number != 1 => format!("{word}s"),
        _ => word.to_owned(),
    };
    format!("{} {plural}", thousands(number))
}

/// `32,000`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `24 objects in 12 tenants: 18 changed, 4 added, 2 removed`.
pub fn extent(review: &Review) -> String {
    let summary = summary(review);
    if review.objects.is_empty() {
        return match review.inputs.len() {
            0 => "nothing changed".to_owned(),
            _ => "no object changed".to_owned(),
        };
    }
    let operations: Vec<String> = summary
        .operations
        .iter()
        .rev()
        .map(|(operation, number)| match (operation, summary.following) {
            (ObjectOperation::Changed, following) if following > 0 => format!(
                "{} changed ({} of them only in digests)",
                thousands(*number),
                thousands(following)
            ),
            _ => format!("{} {}", thousands(*number), operation.word()),
        })
        .collect();
    let tenants = match summary.tenants {
        0 => String::new(),
        number => format!(" of {}", count(number, "tenant")),
    };
    let environments = match summary.environments {
        0 => String::new(),
        number => format!(" in {}", count(number, "environment")),
    };
    format!(
        "{}{tenants}{environments}: {}",
        count(review.objects.len(), "object"),
        operations.join(", ")
    )
}

/// `2 destroy, 11 restart`; nothing without risks.
pub fn risks(review: &Review) -> String {
    let risks: Vec<String> = summary(review)
        .risks
        .iter()
        .map(|(class, number)| format!("{} {}", thousands(*number), class.name()))
        .collect();
    risks.join(", ")
}

/// `1 new, 0 fixed, 3 still there`.
pub fn findings(review: &Review) -> String {
    if !review.findings_compared {
        return format!(
            "{}, not compared",
            count(review.old_findings.len(), "finding")
        );
    }
    let waived = match review.newly_waived.len() {
        0 => String::new(),
        waived => format!(" ({waived} newly waived)"),
    };
    format!(
        "{} new{waived}, {} fixed, {} still there",
        review.new_findings.len(),
        review.fixed_findings.len(),
        review.old_findings.len()
    )
}

/// `tenants/acme.yaml:12`, where a finding has a place.
pub fn finding_place(finding: &Diagnostic, sources: &Sources) -> String {
    finding.primary.as_ref().map_or_else(String::new, |label| {
        let line = sources.position(label.span.file, label.span.start).line;
        format!("{}:{line}", sources.path(label.span.file))
    })
}

/// What all changed tenants cost, before and now, at the least and at the most replicas; nothing
/// if that did not change.
pub fn cost(review: &Review) -> Option<String> {
    if review.costs.is_empty() {
        return None;
    }
    let total = |side: fn(&CostChange) -> &[f64; 2], at: usize| -> f64 {
        review.costs.iter().map(|change| side(change)[at]).sum()
    };
    let range = |at: usize| {
        let (old, new) = (
            total(|change| &change.before, at),
            total(|change| &change.after, at),
        );
        let sign = if new < old { "" } else { "+" };
        format!(
            "{} → {} ({sign}{})",
            money(old),
            money(new),
            money(new - old)
        )
    };
    Some(format!(
        "{} {} a month at the least replicas, {} at the most",
        range(0),
        review.currency,
        range(1)
    ))
}

/// `tiers/gold.yaml:14`, or the file alone for what is gone with it.
pub fn place(input: &InputChange) -> String {
    match (&input.after_place, &input.before_place) {
        (Some(place), _) => place.to_string(),
        (None, Some(place)) => format!("{place} in the base"),
        (None, None) => String::new(),
    }
}

/// What changed in the input: `Tier gold: spec.limits.cpu 10 → 12`.
pub fn input(input: &InputChange) -> String {
    let there = (input.before_place.is_some(), input.after_place.is_some());
    let verb = match there {
        (false, true) => "added",
        (true, false) => "removed",
        _ => "changed",
    };
    match (input.kind, input.field.as_str()) {
        (InputKind::Template, _) if replaces_built_in(input) => {
            format!("{} added, in place of the built-in one", input.subject)
        }
        (InputKind::Document, "") | (InputKind::Template | InputKind::File, _) => {
            format!("{} {verb}", input.subject)
        }
        (InputKind::Document, field) => format!(
            "{}: {field} {}",
            input.subject,
            values(input.before.as_ref(), input.after.as_ref(), input.secret)
        ),
    }
}

fn replaces_built_in(input: &InputChange) -> bool {
    let built_in = |place: &Option<Origin>| {
        place
            .as_ref()
            .is_some_and(|place| place.path.starts_with("<builtin>/"))
    };
    built_in(&input.before_place) && !built_in(&input.after_place)
}

/// How a variant of an entry changed.
pub fn variant(entry: &ChangeEntry, variant: &Variant) -> String {
    let reordered = matches!(
        (&variant.before, &variant.after),
        (Some(Json::Array(before)), Some(Json::Array(after)))
            if before != after && is_reorder(before, after)
    );
    match (entry.operation, &entry.path) {
        (ObjectOperation::Changed, Some(_)) if reordered => format!(
            "order {} → {}",
            list(array(variant.before.as_ref())),
            list(array(variant.after.as_ref()))
        ),
        (ObjectOperation::Changed, Some(_)) => values(
            variant.before.as_ref(),
            variant.after.as_ref(),
            entry.secret,
        ),
        (ObjectOperation::Renamed, _) => {
            values(variant.before.as_ref(), variant.after.as_ref(), false)
        }
        (operation, _) => operation.word().to_owned(),
    }
}

/// What changed of an entry: one variant, or the first and how many more there are.
pub fn change(entry: &ChangeEntry) -> String {
    match entry.variants.as_slice() {
        [] => String::new(),
        [only] => variant(entry, only),
        _ if entry.path.as_ref().is_some_and(FieldPath::only_follows) => {
            "changed with it".to_owned()
        }
        several => {
            let mut texts: Vec<(String, usize)> = Vec::new();
            for one in several {
                let text = variant(entry, one);
                match texts.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, number)) => *number += one.count,
                    None => texts.push((text, one.count)),
                }
            }
            if let [(only, _)] = texts.as_slice() {
                return only.clone();
            }
            let more = texts.len().saturating_sub(MOST_VARIANTS);
            let shown = texts.into_iter().take(MOST_VARIANTS);
            let mut shown: Vec<String> = shown
                .map(|(text, number)| format!("{text} ({})", thousands(number)))
                .collect();
            if more > 0 {
                shown.push(count(more, "other value"));
            }
            shown.join("; ")
        }
    }
}

/// The kinds of an entry: `Deployment`, `Deployment, Rollout`, `13 kinds`.
pub fn kinds(entry: &ChangeEntry) -> String {
    let kinds: Vec<&str> = entry.kinds.iter().map(String::as_str).collect();
    match kinds.len() {
        0..=3 => kinds.join(", "),
        4..=8 if entry.path.is_none() => kinds.join(", "),
        number => count(number, "kind"),
    }
}

/// Where an entry is: `production (12 tenants; not in: globex), development, staging (globex)`.
pub fn spread(entry: &ChangeEntry) -> String {
    let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
    for (environment, spread) in &entry.spread {
        let tenants = tenants(spread);
        match parts.iter_mut().find(|(known, _)| *known == tenants) {
            Some((_, environments)) => environments.push(environment),
            None => parts.push((tenants, vec![environment])),
        }
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(tenants, environments)| match tenants.as_str() {
            "" => environments.join(", "),
            tenants => format!("{} ({tenants})", environments.join(", ")),
        })
        .collect();
    parts.join(", ")
}

fn tenants(spread: &ChangeReach) -> String {
    let names = |tenants: &BTreeSet<std::sync::Arc<str>>| {
        let names: Vec<&str> = tenants.iter().map(|tenant| &**tenant).collect();
        names.join(", ")
    };
    let number = spread.tenants.len();
    let inside = match number {
        0 => return String::new(),
        1..=3 => names(&spread.tenants),
        _ if number == spread.of => format!("all {} tenants", thousands(number)),
        _ if spread.except.is_empty() && spread.of > number => {
            format!("{} of {} tenants", thousands(number), thousands(spread.of))
        }
        _ => count(number, "tenant"),
    };
    if spread.except.is_empty() || number <= 3 {
        inside
    } else {
        format!("{inside}; not in: {}", names(&spread.except))
    }
}

/// The objects of a risk: `production/eu-1/globex Namespace/x, and 3 more`.
pub fn objects(review: &Review, positions: &[usize], most: usize) -> String {
    let mut names: Vec<String> = positions
        .iter()
        .take(most)
        .map(|at| {
            let object = review.objects[*at].object();
            format!("{} {}", object.place, object.title())
                .trim()
                .to_owned()
        })
        .collect();
    if positions.len() > names.len() {
        names.push(format!(
            "and {} more",
            thousands(positions.len() - names.len())
        ));
    }
    names.join(", ")
}

/// Why: the changes of the input, in words.
pub fn because(review: &Review, causes: &[usize], most: usize) -> Vec<String> {
    let mut reasons: Vec<String> = causes
        .iter()
        .take(most)
        .map(|at| {
            let change = &review.inputs[*at];
            format!("{}  {}", place(change), input(change))
        })
        .collect();
    if causes.len() > most {
        reasons.push(format!("and {} more", count(causes.len() - most, "change")));
    }
    reasons
}

/// The policies that deny the head.
fn denying(review: &Review) -> BTreeSet<&str> {
    let findings = review.new_findings.iter().chain(&review.old_findings);
    findings
        .filter(|finding| finding.is_denial())
        .map(Diagnostic::rule_id)
        .collect()
}

/// Whether a review is denied: by a policy, by a risk of a class that is, or because the base has
/// errors, so that such a risk may be hidden.
pub fn is_denied(review: &Review, denied: &BTreeSet<RiskClass>) -> bool {
    let hit = review.risks.iter().any(|risk| denied.contains(&risk.class));
    hit || !denying(review).is_empty() || (review.is_incomplete && !denied.is_empty())
}

/// The sentence that a review begins with.
pub fn verdict(review: &Review, denied: &BTreeSet<RiskClass>, has_errors: bool) -> String {
    let summary = summary(review);
    let hit: Vec<&str> = denied
        .iter()
        .filter(|class| summary.risks.contains_key(class))
        .map(|class| class.name())
        .collect();
    if has_errors {
        "The head has errors: fix them first.".to_owned()
    } else if !hit.is_empty() {
        format!(
            "Denied: this change has risks that are not allowed here: {}.",
            hit.join(", ")
        )
    } else if !denying(review).is_empty() {
        /// Most that are named.
        const MOST: usize = 4;
        let names: Vec<&str> = denying(review).into_iter().collect();
        let more = match names.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = names[..names.len().min(MOST)].join(", ");
        format!("Denied by {shown}{more}.")
    } else if is_denied(review, denied) {
        "Denied: the base has errors, so risks that are not allowed here may be hidden.".to_owned()
    } else if review.objects.is_empty() && review.inputs.is_empty() {
        "Nothing changed.".to_owned()
    } else if let Some((class, _)) = summary.risks.first_key_value() {
        match class {
            RiskClass::Restart => "Pods are restarted, and no other risk was found.".to_owned(),
            RiskClass::Cost => "It costs more, and no worse risk was found.".to_owned(),
            class => format!("Look closely: the worst risk is {}.", class.name()),
        }
    } else if review.objects.is_empty() {
        "The input changed, and no object did.".to_owned()
    } else {
        "No risk was found.".to_owned()
    }
}
