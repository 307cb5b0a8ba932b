//! What the proof needs to know of a unit: its pods, policies, roles and shares.

use crate::model::demand::{pod_spec, pod_template};
use crate::model::locator::{Locator, Places as Place};
use crate::model::network::{Labels, NAME_LABEL, NetworkPolicy, PodGroup, PortProtocol, Selector};
use crate::model::references;
use crate::model::rights::Right;
use tenantry_engine::manifest::TemplateScope;
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::object_id::ObjectId;
use tenantry_syntax::yaml::Node;

/// What one unit leaves behind.
#[derive(Clone, Debug, Default)]
pub struct IsolationFacts {
    /// Namespaces that it makes, with their labels.
    pub namespaces: Vec<(Box<str>, Labels)>,
    /// What makes pods.
    pub workloads: Vec<WorkloadFacts>,
    /// Network policies.
    pub policies: Vec<PolicyFacts>,
    /// Roles and cluster roles.
    pub roles: Vec<RoleFacts>,
    /// Role bindings and cluster role bindings.
    pub bindings: Vec<BindingFacts>,
    /// What the tenant shares with others here.
    pub shares: Vec<ShareFacts>,
    /// Network policies of other kinds than Kubernetes' own, whose effect is not known here.
    pub foreign_policies: Vec<(Box<str>, Place)>,
    /// What pods of other tenants in the same namespace could use; of tenants that share one.
    pub held: Vec<NamedObject>,
    /// What the unit's own pods use; of tenants that share a namespace.
    pub used: Vec<(NamedObject, Place)>,
}

/// Something that pods use by its name: a `Secret`, a `ServiceAccount`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedObject {
    pub namespace: Box<str>,
    pub kind: &'static str,
    pub name: Box<str>,
}

/// Pods that something makes.
#[derive(Clone, Debug)]
pub struct WorkloadFacts {
    pub title: Box<str>,
    pub component: Box<str>,
    pub pods: PodGroup,
    /// Whether they use their node's own network, where no policy holds.
    pub in_node_network: bool,
    pub place: Place,
}

/// A network policy, with the place of each of its rules.
#[derive(Clone, Debug)]
pub struct PolicyFacts {
    pub policy: NetworkPolicy,
    pub ingress: Vec<Place>,
    pub egress: Vec<Place>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct RoleFacts {
    /// Its namespace; empty for a cluster role.
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub rights: Vec<(Right, Place)>,
    pub labels: Labels,
    /// The cluster roles whose rights it has besides, if it is made of others.
    pub aggregates: Vec<Selector>,
}

/// A binding.
#[derive(Clone, Debug)]
pub struct BindingFacts {
    /// Its namespace; empty for the whole cluster.
    pub namespace: Box<str>,
    pub title: Box<str>,
    pub role_kind: Box<str>,
    pub role: Box<str>,
    /// Kind, namespace and name.
    pub subjects: Vec<[Box<str>; 3]>,
    pub place: Place,
}

/// A component that is shared.
#[derive(Clone, Debug)]
pub struct ShareFacts {
    pub component: Box<str>,
    pub with: Box<str>,
    /// Names of ports; all if there are none.
    pub ports: Vec<Box<str>>,
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Finds the lines of a value.
type Placer<'p> = &'p dyn Fn(View<'_>) -> Place;

/// Gathers the facts of a unit.
pub fn gather(locator: &Locator<'_>) -> IsolationFacts {
    let mut facts = IsolationFacts::default();
    for one in locator.rendered {
        // Objects of the delivery engine live elsewhere.
        if !matches!(
            one.scope,
            TemplateScope::Delivery | TemplateScope::ClusterDelivery
        ) {
            let instance = one.instance.and_then(|at| locator.unit.instances.get(at));
            let component = instance.map_or("", |instance| &instance.component);
            facts.take(one.manifest.root(), component, &|view| {
                locator.places(decisive(locator, view).unwrap_or(view))
            });
        }
    }
    facts.shares = shares(locator);
    facts
}

/// What a unit holds and uses by name, for tenants that share a namespace.
pub fn gather_names(locator: &Locator<'_>, facts: &mut IsolationFacts) {
    for one in locator.rendered {
        let (root, kind) = (one.manifest.root(), one.manifest.kind());
        let namespace = one.manifest.namespace();
        let held = |kind: &'static str, name: &str| NamedObject {
            namespace: namespace.as_ref().into(),
            kind,
            name: name.into(),
        };
        let used = pod_spec(root, &kind)
            .map(references::of_pod)
            .unwrap_or_default();
        for reference in used {
            if let Some(name) = reference.name.text() {
                let place = locator.places(reference.name);
                facts.used.push((held(reference.kind, &name), place));
            }
        }
        // A token for an account is made by whoever writes such a Secret.
        let account = [
            "metadata",
            "annotations",
            "kubernetes.io/service-account.name",
        ];
        if let ("Secret", Some(view)) = (&*kind, root.at(&account)) {
            let name = view.text().unwrap_or_default();
            facts
                .used
                .push((held("ServiceAccount", &name), locator.places(view)));
        }
        facts.held.extend(
            references::made(root)
                .into_iter()
                .map(|(kind, name)| held(kind, &name)),
        );
    }
}

impl IsolationFacts {
    /// The facts of objects whose places are not known.
    pub fn of<'a>(objects: impl IntoIterator<Item = View<'a>>) -> IsolationFacts {
        let mut facts = IsolationFacts::default();
        for object in objects {
            facts.take(object, "", &|_| Place::default());
        }
        facts
    }

    fn take(&mut self, root: View<'_>, component: &str, place: Placer<'_>) {
        let id = ObjectId::of(root);
        let title = id.to_string();
        let (kind, name) = (&*id.kind, &*id.name);
        let namespace: Box<str> = id.namespace.as_str().into();
        match (&*id.group, kind) {
            ("", "Namespace") => {
                let mut all = labels(root.labels());
                all.push((NAME_LABEL.into(), Box::from(name)));
                self.namespaces.push((Box::from(name), all));
            }
            ("networking.k8s.io", "NetworkPolicy") => self.policies.push(policy(root, place)),
            (_, kind) if kind.contains("NetworkPolicy") => {
                let at = root.at(&["metadata", "name"]).unwrap_or(root);
                self.foreign_policies.push((title.into(), place(at)));
            }
            (RBAC, "Role" | "ClusterRole") => {
                let rules = root.get("rules").map(View::items).unwrap_or_default();
                self.roles.push(RoleFacts {
                    namespace,
                    name: name.into(),
                    rights: rules
                        .into_iter()
                        .map(|rule| (Right::of(rule), place(rule)))
                        .collect(),
                    labels: labels(root.labels()),
                    aggregates: root
                        .at(&["aggregationRule", "clusterRoleSelectors"])
                        .map(View::items)
                        .unwrap_or_default()
                        .into_iter()
                        .map(Selector::of)
                        .collect(),
                });
            }
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
                let subjects = root.get("subjects").map(View::items).unwrap_or_default();
                let subject = |view: View<'_>| {
                    ["kind", "namespace", "name"].map(|key| Box::from(&*view.text_at(&[key])))
                };
                self.bindings.push(BindingFacts {
                    namespace: if kind == "RoleBinding" {
                        namespace
                    } else {
                        "".into()
                    },
                    title: title.into(),
                    role_kind: root.text_at(&["roleRef", "kind"]).into(),
                    role: root.text_at(&["roleRef", "name"]).into(),
                    subjects: subjects.into_iter().map(subject).collect(),
                    place: place(root.get("subjects").unwrap_or(root)),
                });
            }
            _ => {
                let Some(spec) = pod_spec(root, kind) else {
                    return;
                };
                self.workloads.push(WorkloadFacts {
                    title: title.into(),
                    component: component.into(),
                    pods: PodGroup {
                        namespace,
                        labels: labels(
                            pod_template(root, kind)
                                .and_then(|view| view.at(&["metadata", "labels"])),
                        ),
                        ports: ports(spec),
                        addresses: None,
                    },
                    in_node_network: matches!(
                        spec.get("hostNetwork").map(View::shape),
                        Some(Shape::Bool(true))
                    ),
                    place: place(root.at(&["metadata", "name"]).unwrap_or(root)),
                });
            }
        }
    }
}

fn labels(view: Option<View<'_>>) -> Labels {
    let fields = view.map(View::fields).unwrap_or_default();
    let pair = |field: tenantry_engine::view::FieldView<'_>| -> (Box<str>, Box<str>) {
        (
            field.key.as_ref().into(),
            field.value.text().unwrap_or_default().into(),
        )
    };
    fields.into_iter().map(pair).collect()
}

fn ports(spec: View<'_>) -> Vec<(Box<str>, PortProtocol, u16)> {
    let mut ports = Vec::new();
    // A sidecar is an init container that stays.
    for list in ["containers", "initContainers"] {
        for container in spec.get(list).map(View::items).unwrap_or_default() {
            for port in container.get("ports").map(View::items).unwrap_or_default() {
                if let (Some(name), Some(Shape::Int(number))) = (
                    port.get("name").and_then(View::text),
                    port.get("containerPort").map(View::shape),
                ) && let Ok(number) = u16::try_from(number)
                {
                    ports.push((
                        name.into(),
                        PortProtocol::of(&port.text_at(&["protocol"])),
                        number,
                    ));
                }
            }
        }
    }
    ports
}

fn policy(root: View<'_>, place: Placer<'_>) -> PolicyFacts {
    let places = |key: &str| -> Vec<Place> {
        let rules = root.at(&["spec", key]).map(View::items).unwrap_or_default();
        rules.into_iter().map(place).collect()
    };
    PolicyFacts {
        policy: NetworkPolicy::of(root),
        ingress: places("ingress"),
        egress: places("egress"),
    }
}

/// The first value of a rule that somebody wrote; without one, it is the template's own.
fn decisive<'a>(locator: &Locator<'_>, view: View<'a>) -> Option<View<'a>> {
    let own = |view: &View<'_>| {
        let input = locator.input(*view);
        input.is_some_and(|span| !locator.sources.is_built_in(span.file))
    };
    match view.shape() {
        Shape::Map => view
            .fields()
            .into_iter()
            .find_map(|field| decisive(locator, field.value)),
        Shape::List => view
            .items()
            .into_iter()
            .find_map(|item| decisive(locator, item)),
        _ => Some(view).filter(own),
    }
}

/// What the tenant shares here: those of its shares that hold.
fn shares(locator: &Locator<'_>) -> Vec<ShareFacts> {
    let tenant = locator
        .unit
        .variables
        .iter()
        .find(|(name, _)| *name == "tenant");
    let list = tenant
        .and_then(|(_, tenant)| tenant.get("shares"))
        .and_then(Node::as_list);
    let mut shares = Vec::new();
    for share in list.unwrap_or_default() {
        let texts = |key: &str| -> Vec<Box<str>> {
            let items = share.get(key).and_then(Node::as_list).unwrap_or_default();
            items
                .iter()
                .filter_map(Node::as_str)
                .map(Box::from)
                .collect()
        };
        let component = share
            .get("component")
            .and_then(Node::as_str)
            .unwrap_or_default();
        for with in texts("with") {
            shares.push(ShareFacts {
                component: component.into(),
                with,
                ports: texts("ports"),
            });
        }
    }
    shares
}
