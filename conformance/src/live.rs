//! All that a cluster holds right after acme's manifests for it were applied: `live-CLUSTER.json`, a List. A diff must
//! find nothing.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;
use tenantry::comparison::{self, Base};
use tenantry::load::Source;
use tenantry::model::change::ObjectOperation;
use tenantry::resolve::Selection;
use tenantry::{CompileOptions, Shard};

use super::{Cases, Silent, Tally};

/// The repository whose manifests were applied.
const REPOSITORY: &str = "../examples/acme";
/// The day as of which they were rendered: it decides which grants and waivers hold.
const AS_OF: jiff::civil::Date = jiff::civil::date(2026, 6, 1);

/// The environments that objects say they are of.
fn environments(items: &[Json]) -> Vec<String> {
    let of_namespaces = items.iter().filter(|item| item["kind"] == "Namespace");
    let labels = of_namespaces.filter_map(|item| item["metadata"]["labels"].as_object());
    let environments = labels
        .flatten()
        .filter(|(key, _)| key.ends_with("/environment"));
    let environments = environments.filter_map(|(_, value)| value.as_str());
    let environments: BTreeSet<&str> = environments.collect();
    environments.into_iter().map(str::to_owned).collect()
}

/// The rules that were corrected since the cluster's were recorded: those whose text in `policies-0.1` is another.
fn corrected() -> Result<Vec<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(here.join("data/policies-0.1/baseline"))? {
        let recorded = entry?.path();
        let Some(file) = recorded.file_name() else {
            continue;
        };
        let today = here.join("../policies/baseline").join(file);
        if std::fs::read(&recorded)? != std::fs::read(today).unwrap_or_default() {
            let name = Path::new(file).file_stem().unwrap_or(file);
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Judges a diff with what a cluster holds. What changed since in the text of a rule is no difference.
///
/// # Errors
/// The file is not of this format, or the repository cannot be read.
pub fn judge(cases: &mut Cases<'_>) -> Result<Tally> {
    let list: Json = serde_json::from_str(cases.text)?;
    let items = list["items"].as_array().context("it is no List")?;
    let name = cases.path.file_stem().and_then(|name| name.to_str());
    let cluster = name.and_then(|name| name.strip_prefix("live-"));
    let cluster = cluster.context("the file's name is not live-CLUSTER.json")?;
    let head = CompileOptions {
        source: Source::Folder {
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join(REPOSITORY),
        },
        extra: Vec::new(),
        selection: Selection {
            clusters: vec![cluster.to_owned()],
            environments: environments(items),
            ..Selection::default()
        },
        as_of: AS_OF,
        shard: Shard::WHOLE,
        baseline: None,
        gives_evidence: false,
    };
    let compared = comparison::compare(&head, &Base::Text(cases.text.to_owned()), &Silent)?;
    if compared.has_errors {
        bail!("the repository has errors");
    }
    let review = compared.review;
    let corrected = corrected()?;
    let mut disagreements = 0;
    for change in &review.objects {
        let object = change.object();
        let is_corrected = |rule: &String| object.title().ends_with(&format!("-{rule}"));
        if object.title().starts_with("ValidatingAdmissionPolicy/")
            && change.operation() == ObjectOperation::Changed
            && corrected.iter().any(is_corrected)
        {
            continue;
        }
        disagreements += 1;
        let paths = change.fields.iter().map(|field| field.path.to_string());
        let paths: Vec<String> = paths.collect();
        writeln!(
            cases.out,
            "{:?} {} in `{}`: {}",
            change.operation(),
            object.title(),
            object.namespace,
            paths.join(", ")
        )?;
    }
    for risk in &review.risks {
        writeln!(cases.out, "risk: {}", risk.message)?;
    }
    let disagreements = disagreements.max(review.risks.len());
    Ok(Tally {
        agree: items.len().saturating_sub(disagreements),
        of: items.len(),
    })
}
