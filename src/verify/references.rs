//! What objects of a unit refer to. Each reference must exist in the output, or be listed in the
//! Cluster's `existing`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::demand::pod_spec;
use crate::model::locator::Locator;
use crate::model::references;
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, nearest};

/// Objects that every namespace or cluster has.
const ALWAYS: [(&str, &str); 7] = [
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
    ("PriorityClass", "system-cluster-critical"),
    ("PriorityClass", "system-node-critical"),
    ("ClusterRole", "view"),
    ("ClusterRole", "edit"),
    ("ClusterRole", "admin"),
];

struct NameIndex<'a> {
    names: BTreeMap<String, BTreeSet<String>>,
    /// The labels of pods that workloads make, by each of them.
    pods: HashMap<(String, String), Vec<View<'a>>>,
}

/// Checks every reference of the unit's objects.
pub fn check(locator: &Locator<'_>, sink: &mut Sink) {
    let index = index(locator);
    for one in locator.rendered {
        let root = one.manifest.root();
        let kind = one.manifest.kind();
        let mut checker = ReferenceChecker {
            locator,
            index: &index,
            one,
            sink,
        };
        if let Some(pod) = pod_spec(root, &kind) {
            checker.pod(pod);
        }
        match &*kind {
            "HorizontalPodAutoscaler" => {
                if let Some(target) = root.at(&["spec", "scaleTargetRef"]) {
                    checker.refers(&target.object_kind(), target.get("name"));
                }
            }
            "Service" => checker.selects(root.at(&["spec", "selector"])),
            "PodDisruptionBudget" => checker.selects(root.at(&["spec", "selector", "matchLabels"])),
            "RoleBinding" | "ClusterRoleBinding" => {
                if let Some(role) = root.get("roleRef") {
                    checker.refers(&role.object_kind(), role.get("name"));
                }
                for subject in root.get("subjects").map(View::items).unwrap_or_default() {
                    if subject.object_kind() == "ServiceAccount"
                        && subject.text_at(&["namespace"]) == one.manifest.namespace()
                    {
                        checker.refers("ServiceAccount", subject.get("name"));
                    }
                }
            }
            "Ingress" => {
                for rule in root
                    .at(&["spec", "rules"])
                    .map(View::items)
                    .unwrap_or_default()
                {
                    for path in rule
                        .at(&["http", "paths"])
                        .map(View::items)
                        .unwrap_or_default()
                    {
                        checker.refers("Service", path.at(&["backend", "service", "name"]));
                    }
                }
            }
            "HTTPRoute" => {
                for rule in root
                    .at(&["spec", "rules"])
                    .map(View::items)
                    .unwrap_or_default()
                {
                    for backend in rule.get("backendRefs").map(View::items).unwrap_or_default() {
                        checker.refers("Service", backend.get("name"));
                    }
                }
            }
            _ => {}
        }
    }
}

fn index<'a>(locator: &Locator<'a>) -> NameIndex<'a> {
    let mut index = NameIndex {
        names: BTreeMap::new(),
        pods: HashMap::new(),
    };
    let mut add = |kind: &str, name: &str| {
        index
            .names
            .entry(kind.to_owned())
            .or_default()
            .insert(name.to_owned());
    };
    for (kind, name) in ALWAYS {
        add(kind, name);
    }
    let cluster = locator
        .unit
        .variables
        .iter()
        .find(|(name, _)| *name == "cluster")
        .map(|(_, node)| node);
    for existing in cluster
        .and_then(|cluster| cluster.get("existing"))
        .and_then(|node| node.as_list())
        .unwrap_or_default()
    {
        if let Some((kind, name)) = existing.as_str().and_then(|text| text.split_once('/')) {
            add(kind, name);
        }
    }
    for one in locator.rendered {
        let root = one.manifest.root();
        let (kind, name) = (one.manifest.kind(), one.manifest.name());
        add(&kind, &name);
        for (kind, name) in references::made(root) {
            add(kind, &name);
        }
    }
    for one in locator.rendered {
        let root = one.manifest.root();
        let labels = match &*one.manifest.kind() {
            "CronJob" => root.at(&[
                "spec",
                "jobTemplate",
                "spec",
                "template",
                "metadata",
                "labels",
            ]),
            "Pod" => root.labels(),
            _ => root.at(&["spec", "template", "metadata", "labels"]),
        };
        for label in labels.into_iter().flat_map(View::fields) {
            let value = label.value.text().unwrap_or_default();
            let pods = index
                .pods
                .entry((label.key.into_owned(), value.into_owned()));
            pods.or_default().extend(labels);
        }
    }
    index
}

struct ReferenceChecker<'c, 'a> {
    locator: &'c Locator<'a>,
    index: &'c NameIndex<'a>,
    one: &'c Rendered,
    sink: &'c mut Sink,
}

impl ReferenceChecker<'_, '_> {
    fn pod(&mut self, pod: View<'_>) {
        self.refers("PriorityClass", pod.get("priorityClassName"));
        for reference in references::of_pod(pod) {
            if !reference.is_optional {
                self.refers(reference.kind, Some(reference.name));
            }
        }
    }

    fn refers(&mut self, kind: &str, name: Option<View<'_>>) {
        let Some((view, name)) = name.and_then(|view| Some((view, view.text()?))) else {
            return;
        };
        let known = self.index.names.get(kind);
        if known.is_some_and(|names| names.contains(&*name)) {
            return;
        }
        let message = format!(
            "the {} refers to the {kind} `{name}`, which is not there",
            self.one.manifest.kind()
        );
        let names = known.into_iter().flatten().map(String::as_str);
        let help = match nearest(&name, names) {
            Some(near) => format!(
                "did you mean `{near}`? If it exists in the cluster already, list `{kind}/{name}` in the Cluster's `existing`"
            ),
            None => format!("render it, or list `{kind}/{name}` in the Cluster's `existing`"),
        };
        let diagnostic = Diagnostic::new(codes::DANGLING, message)
            .note(self.locator.object(self.one))
            .help(help);
        self.sink
            .push(self.locator.at(diagnostic, view, "not there"));
    }

    /// A selector must match the pods of some workload.
    fn selects(&mut self, selector: Option<View<'_>>) {
        let Some(selector) = selector else { return };
        let wanted = selector.fields();
        let matches = |labels: &View<'_>| {
            wanted
                .iter()
                .all(|field| labels.get(&field.key).and_then(View::text) == field.value.text())
        };
        // Pods that have the rarest of the labels are looked at.
        let pods = wanted.iter().map(|field| {
            let value = field.value.text().unwrap_or_default();
            let label = (field.key.clone().into_owned(), value.into_owned());
            self.index.pods.get(&label).map_or(&[][..], Vec::as_slice)
        });
        let fewest = pods.min_by_key(|pods| pods.len());
        if fewest.is_none_or(|pods| pods.iter().any(matches)) {
            return;
        }
        let message = format!("the {} selects no pods", self.one.manifest.kind());
        let diagnostic = Diagnostic::new(codes::DANGLING, message)
            .note(self.locator.object(self.one))
            .help("use the labels of the workload's pods: `{{ instance.selector }}`");
        self.sink.push(
            self.locator
                .at(diagnostic, selector, "matches no pod template"),
        );
    }
}
