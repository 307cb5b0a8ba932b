//! Why an object is not rendered.

use std::io;

use serde::Serialize;

use super::{Explainer, InputLine};
use crate::model::instance::Unit;
use crate::render::{self, Absent, AbsentReason};
use crate::side::{self, Snapshot};
use crate::{CompileOptions, load};
use tenantry_engine::{TemplateErrorKind, origin};
use tenantry_syntax::diagnostics::{Sink, Sources};

/// Why no object of a kind was rendered for something.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceExplanation {
    /// `production/eu-1/globex/ingest`.
    pub place: String,
    /// The template, and the line that decided.
    pub template: InputLine,
    /// What kept it from it.
    pub reason: String,
    /// The values that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<InputLine>,
    /// What decided by not being set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_set: Vec<String>,
}

/// What kept templates from making objects of a kind at the places that match: `wanted` are parts of environment, cluster,
/// tenant and component, in this order. Nothing if nothing runs there.
///
/// # Errors
/// The repository cannot be read.
pub fn absent(
    options: &CompileOptions,
    kind: &str,
    wanted: &[&str],
) -> io::Result<Option<Vec<AbsenceExplanation>>> {
    let mut sink = Sink::default();
    let mut sources = Sources::default();
    let loaded = load::run(
        &options.source,
        &options.extra,
        None,
        &mut sources,
        &mut sink,
    )?;
    let side = Snapshot::new(options, loaded, &sources, &mut sink);
    let Some(plan) = side.plan(&sources, &mut sink) else {
        return Ok(None);
    };
    let mut explanations = None;
    for job in side::work(&plan, options.shard) {
        let unit = job.build(&plan, &mut Sink::default());
        let components = unit
            .instances
            .iter()
            .map(|instance| instance.component.as_str());
        let mut places = std::iter::once(None).chain(components.map(Some));
        if !places.any(|component| covers(wanted, &parts(&unit, component))) {
            continue;
        }
        let found = explanations.get_or_insert_with(Vec::new);
        for one in render::absent(&side.templates, &unit, job.scopes(), kind) {
            let place = parts(&unit, one.component.as_deref().or(one.pipeline.as_deref()));
            if covers(wanted, &place) {
                found.push(explanation(&unit, &one, place.join("/"), &sources));
            }
        }
    }
    Ok(explanations)
}

/// `production/eu-1/globex/ingest`, in parts.
fn parts(unit: &Unit, component: Option<&str>) -> Vec<String> {
    let key = &unit.key;
    let mut parts = vec![key.environment.clone(), key.cluster.clone()];
    parts.extend(key.tenant().map(str::to_owned));
    parts.extend(component.map(str::to_owned));
    parts
}

/// Whether the wanted parts come in this order.
fn covers(wanted: &[&str], parts: &[String]) -> bool {
    let mut parts = parts.iter();
    wanted
        .iter()
        .all(|wanted| parts.any(|part| part.eq_ignore_ascii_case(wanted)))
}

fn explanation(
    unit: &Unit,
    absent: &Absent,
    place: String,
    sources: &Sources,
) -> AbsenceExplanation {
    let instance = absent.component.as_ref();
    let instance =
        instance.and_then(|name| unit.instances.iter().find(|one| one.component == *name));
    let explainer = Explainer {
        unit,
        layers: instance.map_or(&[], |instance| &instance.layers),
        sources,
    };
    let (reason, origins): (String, Vec<&origin::ValueOrigin>) = match &absent.reason {
        AbsentReason::NotNamed => (
            "the component does not name this template in `templates`".to_owned(),
            Vec::new(),
        ),
        AbsentReason::Lacks(api) => (
            format!("the cluster does not have the API {api}"),
            Vec::new(),
        ),
        AbsentReason::Condition(origin) => ("its condition does not hold".to_owned(), vec![origin]),
        AbsentReason::Within(all) => (
            "conditions in it do not hold".to_owned(),
            all.iter().collect(),
        ),
        AbsentReason::Failed(error) => (why_failed(&error.reason), Vec::new()),
    };
    let (mut decided_by, mut not_set) = (Vec::new(), Vec::new());
    for origin in origins {
        let (decided, absent) = explainer.decided(origin, true);
        decided_by.extend(decided);
        not_set.extend(absent);
    }
    decided_by.dedup_by(|a, b| a.place == b.place);
    not_set.dedup();
    AbsenceExplanation {
        place,
        template: explainer.printed(absent.line).unwrap_or_default(),
        reason,
        decided_by,
        not_set,
    }
}

fn why_failed(reason: &TemplateErrorKind) -> String {
    match reason {
        TemplateErrorKind::Undefined(Some((name, _))) => {
            format!("it uses a name that does not exist: `{name}`")
        }
        TemplateErrorKind::Undefined(None) => "it uses a name that does not exist".to_owned(),
        TemplateErrorKind::Failed(detail) | TemplateErrorKind::Syntax(detail) => {
            format!("it cannot be evaluated: {detail}")
        }
        TemplateErrorKind::Steps | TemplateErrorKind::Text | TemplateErrorKind::Holes => {
            "it reaches a bound, which `tenantry check` names".to_owned()
        }
    }
}
