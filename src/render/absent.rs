//! Why an object is not rendered: which templates could make one of its kind, and what kept each from it.

use std::sync::Arc;

use super::registry::{Template, Templates};
use super::{Apis, FUNCTIONS, inputs, with};
use crate::model::instance::{Unit, Variable};
use tenantry_engine::manifest::{TemplateLine, TemplateScope};
use tenantry_engine::markers;
use tenantry_engine::origin::{Past, ValueOrigin};
use tenantry_engine::program::Recording;
use tenantry_engine::run::TemplateRun;
use tenantry_engine::{RunInputs, TemplateError};

/// Why a template made no object of a kind for something.
#[derive(Debug)]
pub struct Absent {
    /// The component that it was for, if it was for one.
    pub component: Option<String>,
    /// The pipeline that it was for, if it was for one.
    pub pipeline: Option<String>,
    /// The line of the template that decided.
    pub line: TemplateLine,
    /// What kept it from it.
    pub reason: AbsenceReason,
}

/// What kept a template from making an object.
#[derive(Debug)]
pub enum AbsenceReason {
    /// Components have to name the template, and this one does not.
    NotNamed,
    /// The cluster does not have this API.
    Lacks(String),
    /// Its condition did not hold; the values that were looked at.
    Condition(ValueOrigin),
    /// It was rendered, and conditions in it did not hold; the values that each looked at.
    Within(Vec<ValueOrigin>),
    /// It could not be evaluated.
    Failed(Box<TemplateError>),
}

/// What kept the templates of some scopes from making objects of a kind for a unit. Templates that made one are left out.
pub fn absent(
    templates: &Templates,
    unit: &Unit,
    scopes: &[TemplateScope],
    kind: &str,
) -> Vec<Absent> {
    let of_unit: Vec<&Variable> = unit.variables.iter().collect();
    let mut found = Vec::new();
    for template in scopes.iter().flat_map(|scope| templates.of(*scope)) {
        if !template
            .kinds
            .iter()
            .any(|known| known.eq_ignore_ascii_case(kind))
        {
            continue;
        }
        let mut look = |component: Option<&str>,
                        pipeline: Option<&str>,
                        variables: &[&Variable],
                        named: &[String]| {
            let inputs = inputs(variables, &unit.derivations);
            found.extend(
                kept_from(templates, template, &inputs, &Apis::of(unit), named, kind).map(
                    |(line, reason)| Absent {
                        component: component.map(str::to_owned),
                        pipeline: pipeline.map(str::to_owned),
                        line: TemplateLine {
                            file: template.file,
                            line: u32::try_from(line).unwrap_or(1),
                        },
                        reason,
                    },
                ),
            );
        };
        match template.scope {
            TemplateScope::Component | TemplateScope::ComponentRunbook => {
                for instance in &unit.instances {
                    let variables = with(&of_unit, &instance.variables);
                    look(
                        Some(&instance.component),
                        None,
                        &variables,
                        &instance.templates,
                    );
                }
            }
            TemplateScope::Pipeline => {
                for pipeline in &unit.pipelines {
                    look(
                        None,
                        Some(&pipeline.name),
                        &with(&of_unit, &pipeline.variables),
                        &[],
                    );
                }
            }
            _ => look(None, None, &of_unit, &[]),
        }
    }
    found
}

/// What kept a template from making an object of a kind, and on which line; nothing if it made one.
fn kept_from(
    templates: &Templates,
    template: &Template,
    inputs: &Arc<RunInputs>,
    apis: &Apis,
    named: &[String],
    kind: &str,
) -> Option<(usize, AbsenceReason)> {
    if !template.is_for(named) {
        return Some((1, AbsenceReason::NotNamed));
    }
    let run = || TemplateRun::new(&templates.library, inputs, &FUNCTIONS);
    let past = |recording| Past {
        recording: Arc::new(recording),
        inputs: inputs.clone(),
    };
    if let Some(when) = &template.when {
        match run().expression(when) {
            Err(error) => {
                return Some((template.when_line, AbsenceReason::Failed(Box::new(error))));
            }
            Ok((value, trace)) if !value.data.is_true() => {
                let past = past(Recording::new(trace, &[]));
                let origin = past.origin([value.term], [], &[]);
                return Some((template.when_line, AbsenceReason::Condition(origin)));
            }
            Ok(_) => {}
        }
    }
    if let Some(lacking) = template.requires.as_ref().filter(|api| !apis.has(api)) {
        return Some((1, AbsenceReason::Lacks(lacking.clone())));
    }
    let ran = match run().template(&template.path, None) {
        Err(error) => {
            return Some((
                error.line.unwrap_or(1),
                AbsenceReason::Failed(Box::new(error)),
            ));
        }
        Ok(ran) => ran,
    };
    let line = format!("kind: {kind}");
    let made = super::markers::strip(&ran.text).text;
    if made
        .lines()
        .any(|made| made.trim_end().eq_ignore_ascii_case(&line))
    {
        return None;
    }
    let empty = markers::empty(&ran.text);
    let past = past(Recording::new(ran.trace, &ran.holes));
    let conditions = empty
        .into_iter()
        .filter_map(|region| u32::try_from(region).ok());
    let conditions = conditions.map(|region| past.origin([], [], &[region]));
    Some((1, AbsenceReason::Within(conditions.collect())))
}
