//! What admission refuses of pods: the Pod Security level of their namespace, priorities and runtime classes.
//!
//! A file of `tables/admission/` is a check, with its rules by the version of Kubernetes that they hold since. In a
//! rule, `self` is a pod, or the template of one.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::overlay::{self, Overlay};
use super::replay::ReplayWork;
use super::walk::{KnownKind, ObjectWalk};
use super::{Refusal, RefusalReason};
use tenantry_engine::manifest::Manifest;
use tenantry_engine::records::{Records, WalkTurn};
use tenantry_engine::schema::Minor;
use tenantry_engine::view::View;
use tenantry_kubernetes::defaults::StoredPart;
use tenantry_syntax::yaml::{Path, PathStep};

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything is allowed.
    #[default]
    Privileged,
    /// Known privilege escalations are not.
    Baseline,
    /// Pods are hardened.
    Restricted,
}

impl Level {
    fn parse(text: &str) -> Level {
        match text {
            "baseline" => Level::Baseline,
            "restricted" => Level::Restricted,
            _ => Level::Privileged,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        }
    }
}

/// What a namespace has that decides about its pods.
#[derive(Clone, Debug, Default)]
pub struct Namespace<'a> {
    /// The level that is enforced.
    pub level: Level,
    /// The minor version of Kubernetes that the level is meant in.
    pub minor: u32,
    /// The names of the cluster's `RuntimeClasses`, if they are known.
    pub runtime_classes: Option<Vec<String>>,
    /// The rules of its `LimitRanges`.
    pub(super) ranges: Vec<Json>,
    pub(super) quotas: Vec<View<'a>>,
}

impl<'a> Namespace<'a> {
    /// A namespace among objects; `minor` is the version of the cluster.
    pub fn among(
        objects: impl IntoIterator<Item = View<'a>>,
        name: &str,
        minor: u32,
    ) -> Namespace<'a> {
        let mut namespace = Namespace {
            minor,
            ..Namespace::default()
        };
        for object in objects {
            if object.api_version() != "v1" {
                continue;
            }
            let is_inside = object.namespace() == name;
            match &*object.object_kind() {
                "Namespace" if object.object_name() == name => {
                    let label = |key: &str| object.label(key).into_owned();
                    namespace.level = Level::parse(&label("pod-security.kubernetes.io/enforce"));
                    let version = label("pod-security.kubernetes.io/enforce-version");
                    let minor = version
                        .strip_prefix("v1.")
                        .and_then(|minor| minor.parse().ok());
                    namespace.minor = minor.unwrap_or(namespace.minor);
                }
                "LimitRange" if is_inside => {
                    namespace.ranges.extend(items(object, &["spec", "limits"]));
                }
                "ResourceQuota" if is_inside => namespace.quotas.push(object),
                _ => {}
            }
        }
        namespace
    }
}

/// A check and its rules.
struct AdmissionCheck {
    name: String,
    level: Level,
    /// The version that rules hold since, in ascending order.
    versions: Vec<(u32, Overlay)>,
}

impl AdmissionCheck {
    /// The rules that hold in a namespace.
    fn rules(&self, namespace: &Namespace<'_>) -> Option<&Overlay> {
        let versions = &mut self.versions.iter().rev();
        let held = versions.find(|(since, _)| *since <= namespace.minor);
        held.map(|(_, rules)| rules)
    }
}

/// The files of `tables/admission/`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tables_admission.rs"));

static CHECKS: LazyLock<Vec<AdmissionCheck>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(_, text)| read(text, &mut Vec::new()))
        .collect()
});

fn read(text: &str, problems: &mut Vec<String>) -> AdmissionCheck {
    let json = overlay::document(text, problems);
    let versions = json["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let versions = versions.iter().map(|version| {
        let since = version["since"]
            .as_u64()
            .and_then(|since| u32::try_from(since).ok());
        let mut rules = version.clone();
        if let Some(map) = rules.as_object_mut() {
            map.remove("since");
        }
        (since.unwrap_or(0), overlay::of_data(&rules, problems))
    });
    AdmissionCheck {
        versions: versions.collect(),
        name: json["check"].as_str().unwrap_or_default().to_owned(),
        level: Level::parse(json["level"].as_str().unwrap_or_default()),
    }
}

/// What is wrong with the data itself: for the test of it.
pub(super) fn problems() -> Vec<String> {
    let mut all = Vec::new();
    for (path, text) in FILES {
        let mut found = Vec::new();
        for (_, overlay) in read(text, &mut found).versions {
            overlay.compile_rules(&mut found);
        }
        all.extend(
            found
                .into_iter()
                .map(|problem| format!("{path}: {problem}")),
        );
    }
    all
}

/// The pod that an object is, or the template of the pods that it makes, and the way there.
pub fn pod(object: View<'_>) -> Option<(View<'_>, &'static [&'static str])> {
    if object.object_kind() == "Pod" && object.api_version() == "v1" {
        return Some((object, &[]));
    }
    let spec = object.spec();
    let in_spec = |key: &str| spec.and_then(|spec| spec.get(key));
    let places: [(Option<View<'_>>, &'static [&'static str]); 4] = [
        (in_spec("template"), &["spec", "template"]),
        (
            in_spec("jobTemplate").and_then(|job| job.at(&["spec", "template"])),
            &["spec", "jobTemplate", "spec", "template"],
        ),
        (object.get("template"), &["template"]),
        (
            in_spec("workloadSpec").and_then(|workload| workload.get("template")),
            &["spec", "workloadSpec", "template"],
        ),
    ];
    places.into_iter().find_map(|(template, way)| {
        let containers = template?.at(&["spec", "containers"])?;
        containers.is_list().then_some((template?, way))
    })
}

/// What admission refuses of the pods of an object.
pub fn refusals<'a>(object: View<'a>, namespace: &Namespace<'_>) -> Vec<Refusal<'a>> {
    let Some((pod, way)) = pod(object) else {
        return Vec::new();
    };
    let mut judge = ObjectWalk::new(object, KnownKind::Nothing, Minor::MAX);
    if let Some(pod) = judge.object.sent_at(way) {
        checks(&mut judge, pod, namespace);
    }
    beyond_checks(pod, way, namespace, judge.found)
}

/// What admission refuses of the pods of a manifest.
pub fn refusals_of_manifest<'a>(
    manifest: &'a Manifest,
    namespace: &Namespace<'_>,
    records: &Records<ReplayWork>,
) -> Vec<Refusal<'a>> {
    let object = manifest.root();
    let Some((pod, way)) = pod(object) else {
        return Vec::new();
    };
    let judge = || ObjectWalk::new(object, KnownKind::Nothing, Minor::MAX);
    // Ways to pods differ in length.
    let key = namespace.level as usize + 4 * way.len();
    let found = records.check(
        manifest,
        (key, namespace.minor),
        |visit, pending| {
            let mut judge = judge();
            let Some(pod) = judge.object.sent_at(way) else {
                return false;
            };
            for below in visit.below(pending) {
                let WalkTurn::Rule(at) = below.turn else {
                    continue;
                };
                if let Some(rules) = CHECKS.get(at).and_then(|check| check.rules(namespace)) {
                    judge.replay(pod, rules, below, pending);
                }
            }
            judge.found.is_empty()
        },
        |recorder| {
            let mut judge = judge();
            judge.recorder = recorder;
            if let Some(pod) = judge.object.sent_at(way) {
                checks(&mut judge, pod, namespace);
            }
            (judge.found, judge.recorder)
        },
    );
    beyond_checks(pod, way, namespace, found)
}

/// Adds what rules do not say.
fn beyond_checks<'a>(
    pod: View<'a>,
    way: &[&str],
    namespace: &Namespace<'_>,
    mut found: Vec<Refusal<'a>>,
) -> Vec<Refusal<'a>> {
    if let (Some(known), Some(view)) = (
        &namespace.runtime_classes,
        pod.at(&["spec", "runtimeClassName"]),
    ) && let Some(name) = view.text()
        && !known.iter().any(|known| **known == name)
    {
        let path = Path(vec!["spec".into(), "runtimeClassName".into()]);
        found.push(Refusal {
            place: path.clone(),
            path,
            view,
            key: None,
            reason: RefusalReason::NotFound,
            says: format!("names the RuntimeClass `{name}`, which the cluster does not have"),
            help: "write the name of a RuntimeClass of the cluster".to_owned(),
            rule: None,
        });
    }
    super::limits::check(pod, namespace, &mut found);
    for violation in &mut found {
        let way = way.iter().map(|key| PathStep::from(*key));
        violation.path = Path(way.chain(violation.path.0.drain(..)).collect());
    }
    found
}

/// Judges by all checks of the namespace's level.
fn checks<'a>(judge: &mut ObjectWalk<'a>, pod: StoredPart<'a>, namespace: &Namespace<'_>) {
    for (at, check) in CHECKS.iter().enumerate() {
        // A stricter check of the same name says it all.
        let is_overridden = |other: &AdmissionCheck| {
            other.name == check.name && other.level > check.level && other.level <= namespace.level
        };
        if check.level > namespace.level || CHECKS.iter().any(is_overridden) {
            continue;
        }
        let Some(rules) = check.rules(namespace) else {
            continue;
        };
        let before = judge.found.len();
        judge.enter(|| WalkTurn::Rule(at));
        judge.rules_of(pod, rules);
        judge.leave();
        if check.level > Level::Privileged {
            for violation in &mut judge.found[before..] {
                let level = check.level.name();
                violation.says += &format!(" (level `{level}`, {})", check.name);
                if violation.help == RefusalReason::Invalid.help() {
                    "remove it, or lower the level that the namespace enforces"
                        .clone_into(&mut violation.help);
                }
            }
        }
    }
}

/// The text of a field of a `LimitRange` or quota, as JSON.
pub(super) fn items(view: View<'_>, keys: &[&str]) -> Vec<Json> {
    view.at(keys)
        .map(View::items)
        .unwrap_or_default()
        .into_iter()
        .map(View::to_json)
        .collect()
}
