//! Which lists merge, and by what: `tables/merge-keys.yaml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use tenantry_engine::schema::{SchemaRule, SchemaSet};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

use crate::schemas::built_in;

type MergeLists = HashMap<String, Vec<String>>;

static TABLE: LazyLock<HashMap<String, MergeLists>> = LazyLock::new(|| {
    let documents = parse(include_str!("../../tables/merge-keys.yaml"), 0).documents;
    let definitions = documents.iter().flat_map(Node::entries);
    definitions
        .map(|definition| {
            let lists = definition.value.entries().iter().map(|list| {
                let keys = list.value.as_list().unwrap_or_default().iter();
                let keys = keys.filter_map(Node::as_str).map(str::to_owned);
                (list.key.to_string(), keys.collect())
            });
            (definition.key.to_string(), lists.collect())
        })
        .collect()
});

/// A place in an object, for its type.
#[derive(Clone, Copy)]
pub(super) struct MergePlace<'s> {
    known: Option<(&'s SchemaRule, &'s SchemaSet)>,
    definition: Option<&'s str>,
}

impl<'s> MergePlace<'s> {
    pub(super) const UNKNOWN: MergePlace<'static> = MergePlace {
        known: None,
        definition: None,
    };

    pub(super) fn object(api_version: &str, kind: &str) -> MergePlace<'static> {
        MergePlace {
            known: built_in().find(api_version, kind),
            definition: built_in().definition(api_version, kind),
        }
    }

    /// The template of a pod.
    pub(super) fn pod_template() -> MergePlace<'static> {
        let name = "io.k8s.api.core.v1.PodTemplateSpec";
        let set = built_in().set();
        MergePlace {
            known: set.rule(name).map(|rule| (rule, set)),
            definition: Some(name),
        }
    }

    fn of(rule: &'s SchemaRule, set: &'s SchemaSet) -> MergePlace<'s> {
        let mut place = MergePlace {
            known: Some((rule, set)),
            definition: None,
        };
        // As deep as `SchemaSet::follow` goes.
        for _ in 0..16 {
            let Some(index) = place.known.and_then(|(rule, _)| rule.reference) else {
                break;
            };
            place.known = Some((set.rule_at(index), set));
            place.definition = set.name(index);
        }
        place
    }

    /// The place of a field.
    pub(super) fn field(self, key: &str) -> MergePlace<'s> {
        let found = self
            .known
            .and_then(|(rule, set)| Some((rule.property(key)?, set)));
        found.map_or(MergePlace::UNKNOWN, |(rule, set)| MergePlace::of(rule, set))
    }

    /// The place of the items of a list.
    pub(super) fn item(self) -> MergePlace<'s> {
        let found = self
            .known
            .and_then(|(rule, set)| Some((rule.items.as_deref()?, set)));
        found.map_or(MergePlace::UNKNOWN, |(rule, set)| MergePlace::of(rule, set))
    }

    /// What tells the items of a list apart, if they merge; no keys where they are scalars.
    pub(super) fn keys(self, list: &str) -> Option<&'static [String]> {
        let lists = TABLE.get(self.definition?)?;
        lists.get(list).map(Vec::as_slice)
    }

    /// Whether the type is none of Kubernetes' own.
    pub(super) fn is_foreign(self) -> bool {
        !self
            .definition
            .is_some_and(|name| name.starts_with("io.k8s."))
    }
}
