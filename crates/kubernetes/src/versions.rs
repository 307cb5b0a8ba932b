//! Which version of Kubernetes serves which kinds of its own APIs, and has which of their fields:
//! `tables/versions.yaml` and `tables/fields.yaml`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use tenantry_engine::schema::{FieldHistory, Minor};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

/// The versions whose fields are known.
pub const FIELD_VERSIONS: std::ops::RangeInclusive<Minor> = 16..=37;

/// When a kind of an API version came and went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// The first version that serves it; 0 for all that are known.
    pub introduced: Minor,
    /// The first version that warns of it.
    pub deprecated: Option<Minor>,
    /// The first version that no longer serves it.
    pub removed: Option<Minor>,
    /// API version and kind to write instead.
    pub replacement: Option<(String, String)>,
    /// What to do where nothing replaces it.
    pub advice: Option<String>,
    /// Whether an API server serves it only where that is enabled.
    pub opt_in: bool,
}

impl Lifecycle {
    /// Whether a version serves it.
    pub fn is_served(&self, minor: Minor) -> bool {
        self.introduced <= minor && self.removed.is_none_or(|removed| minor < removed)
    }

    /// Whether a version warns of it.
    pub fn is_deprecated(&self, minor: Minor) -> bool {
        self.deprecated
            .is_some_and(|deprecated| deprecated <= minor)
    }
}

type Kinds = BTreeMap<String, BTreeMap<String, Lifecycle>>;
type FieldVersions = HashMap<String, Vec<(String, FieldHistory)>>;

/// The number after the dot of `1.36` or `1.36.2`.
pub fn minor(version: &str) -> Option<Minor> {
    version.split('.').nth(1)?.parse().ok()
}

/// The group of an API version; nothing for the core group.
pub fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Whether a group is one of Kubernetes' own, which only its own kinds belong to.
pub fn is_built_in(wanted: &str) -> bool {
    static GROUPS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        kinds()
            .keys()
            .map(|api_version| group(api_version))
            .collect()
    });
    GROUPS.contains(wanted)
}

/// When a kind of an API version came and went; nothing if Kubernetes never had it.
pub fn lifecycle(api_version: &str, kind: &str) -> Option<&'static Lifecycle> {
    kinds().get(api_version)?.get(kind)
}

/// Whether a version serves `group/version` or `group/version/Kind` of Kubernetes' own by default.
pub fn is_served(wanted: &str, minor: Minor) -> bool {
    let served = |lifecycle: &Lifecycle| lifecycle.is_served(minor) && !lifecycle.opt_in;
    if let Some(all) = kinds().get(wanted) {
        return all.values().any(served);
    }
    let found = wanted
        .rsplit_once('/')
        .and_then(|(api_version, kind)| lifecycle(api_version, kind));
    found.is_some_and(served)
}

/// The API versions of a group in which a version serves a kind, the stable ones first.
pub fn serving(wanted: &str, kind: &str, minor: Minor) -> Vec<&'static str> {
    let mut found: Vec<(bool, &str)> = kinds()
        .iter()
        .filter(|(api_version, _)| group(api_version) == wanted)
        .filter_map(|(api_version, kinds)| Some((api_version, kinds.get(kind)?)))
        .filter(|(_, lifecycle)| lifecycle.is_served(minor))
        .map(|(api_version, lifecycle)| {
            (
                lifecycle.opt_in || lifecycle.is_deprecated(minor),
                api_version.as_str(),
            )
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, api_version)| api_version)
        .collect()
}

/// The kinds of a group that a version serves, with their API versions.
pub fn served_kinds(wanted: &str, minor: Minor) -> Vec<(&'static str, &'static str)> {
    let versions = kinds()
        .iter()
        .filter(|(api_version, _)| group(api_version) == wanted);
    let all = versions.flat_map(|(api_version, kinds)| {
        let served = kinds
            .iter()
            .filter(|(_, lifecycle)| lifecycle.is_served(minor));
        served.map(|(kind, _)| (api_version.as_str(), kind.as_str()))
    });
    all.collect()
}

/// The API versions that have a kind, in any group, and that a version serves.
pub fn groups_of(kind: &str, minor: Minor) -> Vec<&'static str> {
    let all = kinds().iter();
    let served = all.filter(|(_, kinds)| {
        kinds.get(kind).is_some_and(|lifecycle| {
            lifecycle.is_served(minor) && !lifecycle.opt_in && !lifecycle.is_deprecated(minor)
        })
    });
    served
        .map(|(api_version, _)| api_version.as_str())
        .collect()
}

/// The fields of a definition that came or went, by name.
pub fn fields(definition: &str) -> &'static [(String, FieldHistory)] {
    static FIELDS: OnceLock<FieldVersions> = OnceLock::new();
    let fields = FIELDS.get_or_init(|| {
        let table = table(include_str!("../tables/fields.yaml"));
        let definitions = table.entries().iter();
        definitions
            .map(|definition| {
                let fields = definition.value.entries().iter();
                let fields = fields.map(|field| {
                    let history = FieldHistory {
                        since: version(&field.value, "since").unwrap_or(0),
                        removed: version(&field.value, "removed"),
                    };
                    (field.key.to_string(), history)
                });
                (definition.key.to_string(), fields.collect())
            })
            .collect()
    });
    fields.get(definition).map_or(&[], Vec::as_slice)
}

fn kinds() -> &'static Kinds {
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    KINDS.get_or_init(|| {
        let table = table(include_str!("../tables/versions.yaml"));
        let versions = table.entries().iter();
        versions
            .map(|version| {
                let kinds = version.value.entries().iter();
                let kinds = kinds.map(|kind| (kind.key.to_string(), read(&kind.key, &kind.value)));
                (version.key.to_string(), kinds.collect())
            })
            .collect()
    })
}

fn read(kind: &str, facts: &Node) -> Lifecycle {
    let text = |name: &str| facts.get(name).and_then(Node::as_str).map(str::to_owned);
    let replacement = text("replacement").map(|written| match written.split_once(' ') {
        Some((api_version, kind)) => (api_version.to_owned(), kind.to_owned()),
        None => (written, kind.to_owned()),
    });
    Lifecycle {
        introduced: version(facts, "introduced").unwrap_or(0),
        deprecated: version(facts, "deprecated"),
        removed: version(facts, "removed"),
        replacement,
        advice: text("advice"),
        opt_in: facts.get("optIn").is_some(),
    }
}

fn version(facts: &Node, name: &str) -> Option<Minor> {
    minor(facts.get(name)?.as_str()?)
}

/// The one document of an embedded file.
fn table(text: &str) -> Node {
    parse(text, 0)
        .documents
        .into_iter()
        .next()
        .unwrap_or_else(Node::empty_map)
}
