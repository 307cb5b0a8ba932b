//! What may go wrong: one file per class. A rule looks at the change of one object, or of one
//! input, and says what may happen in words that name no object, so that the same reads the same
//! everywhere. Exposure has several files: `network`, `rights` and `pods`.
//!
//! To add a rule, add it to the file of its class, and a case to `tests/review/`.

pub mod capacity;
pub mod cost;
mod data;
mod destroy;
mod exposure;
mod governance;
mod immutable;
mod network;
mod pods;
mod restart;
mod rights;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::model::change::{
    FieldChange, InputChange, ObjectChange, ObjectOperation, ObjectRisk, Risk, RiskClass,
};
use tenantry_kubernetes::schemas::ObjectSchemas;

/// Most pairs of what a policy or a role allows before and now that are compared.
const MOST_PAIRS: usize = 4_000_000;

/// A change of an object, and what rules ask about it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "facts about its surroundings, each on its own"
)]
pub struct RiskSubject<'a> {
    /// The change.
    pub change: &'a ObjectChange,
    /// Whether all of the tenant in its environment, or of the cluster, is new or gone.
    pub is_whole_place: bool,
    /// Whether all of the component is new or gone there.
    pub is_whole_component: bool,
    /// Whether a network policy of the head closes all of the namespace.
    pub is_closed: bool,
    /// Whether the namespace is new, so that nothing in it was closed before.
    pub is_new_namespace: bool,
    /// The schemas of custom resources where the object is.
    pub custom: Option<&'a ObjectSchemas>,
}

impl RiskSubject<'_> {
    fn kind(&self) -> &str {
        &self.change.object().kind
    }

    fn is(&self, operation: ObjectOperation) -> bool {
        self.change.operation() == operation
    }

    /// The changed fields with their positions.
    fn fields(&self) -> impl Iterator<Item = (usize, &FieldChange)> {
        self.change.fields.iter().enumerate()
    }
}

/// `a Namespace`, `an Application`.
fn article(kind: &str) -> String {
    let an = kind.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} {kind}", if an { "an" } else { "a" })
}

/// What rules find.
#[derive(Default)]
struct FoundRisks(Vec<ObjectRisk>);

impl FoundRisks {
    /// A risk of the object as a whole.
    fn add(&mut self, class: RiskClass, message: impl Into<String>) {
        self.push(class, None, message.into());
    }

    /// A risk that a field shows.
    fn at(&mut self, class: RiskClass, field: usize, message: impl Into<String>) {
        self.push(class, Some(field), message.into());
    }

    fn push(&mut self, class: RiskClass, field: Option<usize>, message: String) {
        let known = self
            .0
            .iter_mut()
            .find(|known| known.class == class && known.message == message);
        match known {
            Some(known) => {
                let new = field.filter(|field| !known.fields.contains(field));
                known.fields.extend(new);
            }
            None => self.0.push(ObjectRisk {
                class,
                message,
                fields: field.into_iter().collect(),
            }),
        }
    }
}

/// The risks of one object's change, the worst first.
pub fn of_object(subject: &RiskSubject<'_>) -> Vec<ObjectRisk> {
    let mut found = FoundRisks::default();
    destroy::judge(subject, &mut found);
    immutable::judge(subject, &mut found);
    exposure::judge(subject, &mut found);
    data::judge(subject, &mut found);
    restart::judge(subject, &mut found);
    found.0.sort_by_key(|risk| risk.class);
    found.0
}

/// The risks of changes of the input.
pub fn of_inputs(inputs: &[InputChange]) -> Vec<Risk> {
    let mut risks: Vec<Risk> = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let messages = governance::judge(input)
            .into_iter()
            .map(|message| (RiskClass::Governance, message))
            .chain(
                data::judge_input(input)
                    .into_iter()
                    .map(|message| (RiskClass::Data, message)),
            )
            .chain(
                exposure::judge_input(input)
                    .into_iter()
                    .map(|message| (RiskClass::Exposure, message)),
            );
        for (class, message) in messages {
            // A message may quote what is secret.
            let message = if input.secret {
                format!(
                    "{} changes `{}`, which is not shown",
                    input.subject, input.field
                )
            } else {
                message
            };
            risks.push(Risk {
                class,
                message,
                objects: Vec::new(),
                causes: vec![at],
            });
        }
    }
    risks
}

/// Where a word stands in an order.
fn rank(value: Option<&Json>, order: &[&str]) -> Option<usize> {
    let text = value?.as_str()?;
    order.iter().position(|known| *known == text)
}

/// The objects of a risk, and its causes.
type Folded = (Vec<usize>, BTreeSet<usize>);

/// The risks of all objects, each told once, the worst first.
pub fn folded(objects: &[ObjectChange], mut more: Vec<Risk>) -> Vec<Risk> {
    let mut folded: BTreeMap<(RiskClass, &str), Folded> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        for risk in &object.risks {
            let (objects, causes) = folded.entry((risk.class, &risk.message)).or_default();
            if risk.fields.is_empty() {
                causes.extend(object.all_causes());
            }
            for field in &risk.fields {
                causes.extend(&object.fields[*field].causes);
            }
            if objects.last() != Some(&at) {
                objects.push(at);
            }
        }
    }
    let folded = folded
        .into_iter()
        .map(|((class, message), (objects, causes))| Risk {
            class,
            message: message.to_owned(),
            objects,
            causes: causes.into_iter().collect(),
        });
    more.extend(folded);
    more.sort_by(|a, b| {
        let key = |risk: &Risk| (risk.class, std::cmp::Reverse(risk.objects.len()));
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    more
}
