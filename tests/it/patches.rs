//! Patches give the objects that `kubectl kustomize` gives: random ones, over recorded objects of all kinds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use tenantry::engine::hole::{Hole, Holes};
use tenantry::engine::manifest::{Manifest, PartKind, SkeletonNode, TemplateLine};
use tenantry::engine::value::Term;
use tenantry::kubernetes::patch::Patching;
use tenantry::yaml::{Node, NodeId};

use crate::support::{Random, cases, documents, files_below, has_program, repository_path};

/// An object as a manifest that one hole fills.
fn manifest(object: &Json) -> Manifest {
    let node = Node::from_json(object);
    let hole = Hole::new(node.value, NodeId::NONE, Term::CONSTANT);
    let root = SkeletonNode {
        kind: PartKind::Hole(0),
        line: TemplateLine::NONE,
        regions: Box::default(),
        keys: Box::default(),
    };
    Manifest {
        skeleton: Arc::new(vec![root]),
        document: 0,
        holes: Arc::new(Holes::new(vec![hole], None)),
    }
}

/// Fields that tell items of lists apart.
const KEYS: [&str; 11] = [
    "name",
    "mountPath",
    "devicePath",
    "containerPort",
    "port",
    "protocol",
    "ip",
    "uid",
    "type",
    "topologyKey",
    "whenUnsatisfiable",
];

fn is_true(random: &mut Random, of: usize) -> bool {
    random.below(of) == 0
}

/// A strategic merge patch for a value.
fn merge_for(value: &Json, random: &mut Random, depth: usize) -> Json {
    match value {
        Json::Object(map) if map.is_empty() => json!({}),
        Json::Object(map) => {
            let mut patch = Map::new();
            let keys: Vec<&String> = map.keys().collect();
            for _ in 0..=random.below(2) {
                let key = keys[random.below(keys.len())];
                if depth == 0 && ["apiVersion", "kind", "status"].contains(&key.as_str())
                    || depth == 1 && ["name", "namespace"].contains(&key.as_str())
                {
                    continue;
                }
                let child = match random.below(8) {
                    // Kustomize writes a label of the text `null`.
                    0 if depth > 1 && !map[key].is_string() => Json::Null,
                    _ => merge_for(&map[key], random, depth + 1),
                };
                patch.insert(key.clone(), child);
            }
            if depth > 1 && map.values().all(Json::is_string) && is_true(random, 3) {
                patch.insert("added".to_owned(), json!("by a patch"));
            }
            if depth > 1 && is_true(random, 12) {
                let directive = ["replace", "delete", "merge"][random.below(3)];
                patch.insert("$patch".to_owned(), json!(directive));
            }
            Json::Object(patch)
        }
        Json::Array(items) if items.iter().any(Json::is_object) => {
            let mut patch = Vec::new();
            if is_true(random, 8) {
                let directive = ["replace", "delete"][random.below(2)];
                patch.push(json!({"$patch": directive}));
            }
            for _ in 0..=random.below(2) {
                let item = &items[random.below(items.len())];
                let mut one = Map::new();
                for (key, value) in item.as_object().into_iter().flatten() {
                    if KEYS.contains(&key.as_str()) && !value.is_object() {
                        one.insert(key.clone(), value.clone());
                    }
                }
                match random.below(4) {
                    0 if !one.is_empty() => drop(one.insert("$patch".to_owned(), json!("delete"))),
                    1 => {
                        one = item.as_object().cloned().unwrap_or_default();
                        for key in KEYS {
                            if let Some(Json::String(text)) = one.get_mut(key) {
                                text.push('2');
                                break;
                            }
                        }
                    }
                    _ => {
                        let more = merge_for(item, random, depth + 1);
                        for (key, value) in more.as_object().cloned().unwrap_or_default() {
                            // Where two keys tell items apart, kustomize forgets to replace.
                            let is_port = item.get("port").or(item.get("containerPort")).is_some();
                            if key != "$patch" || patch.is_empty() && !is_port {
                                one.entry(key).or_insert(value);
                            }
                        }
                    }
                }
                // An item twice is a mistake that nobody defines.
                let is_same = |other: &Json| KEYS.iter().all(|key| other.get(key) == one.get(*key));
                if !patch.iter().any(is_same) {
                    patch.push(Json::Object(one));
                }
            }
            Json::Array(patch)
        }
        Json::Array(items) => match items.first() {
            Some(Json::String(_)) => json!(["added", items[items.len() - 1]]),
            Some(Json::Number(_)) => json!([1]),
            _ => json!([]),
        },
        Json::String(text) => json!(format!("{text}x")),
        Json::Number(number) => json!(number.as_i64().unwrap_or(1) + 1),
        Json::Bool(value) => json!(!value),
        Json::Null => Json::Null,
    }
}

/// A JSON patch for an object: operations at places that are there, and some that are not.
fn json_for(object: &Json, random: &mut Random) -> Json {
    let mut places = Vec::new();
    fn walk(value: &Json, path: &str, places: &mut Vec<String>) {
        places.push(path.to_owned());
        match value {
            Json::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{path}/{key}"), places);
                }
            }
            Json::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    walk(value, &format!("{path}/{at}"), places);
                }
            }
            _ => {}
        }
    }
    walk(object, "", &mut places);
    let fixed = [
        "",
        "/apiVersion",
        "/kind",
        "/metadata",
        "/metadata/name",
        "/metadata/namespace",
    ];
    places.retain(|place| !fixed.contains(&place.as_str()));
    if places.is_empty() {
        return json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]);
    }
    let operations = (0..=random.below(2)).map(|at| {
        let path = places[random.below(places.len())].clone();
        let value = object.pointer(&path).unwrap();
        let is_of_texts = value
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(Json::is_string));
        match random.below(7) {
            0 => json!({"op": "remove", "path": path}),
            1 if is_of_texts => json!({"op": "add", "path": format!("{path}/-"), "value": "new"}),
            2 if value.is_object() => {
                json!({"op": "add", "path": format!("{path}/a~1b"), "value": "new"})
            }
            3 if value.as_str().is_some_and(|text| !text.contains('\n')) => {
                json!({"op": "test", "path": path, "value": value})
            }
            4 if path.starts_with("/spec") && at == 0 => {
                json!({"op": "copy", "from": path, "path": "/metadata/copied"})
            }
            5 if is_true(random, 6) => {
                json!({"op": "replace", "path": format!("{path}/missing"), "value": 1})
            }
            _ => {
                // Another type is a mistake that kustomize finds where it reads names.
                let new = match value {
                    Json::Object(_) => value.clone(),
                    Json::Array(items) => items.iter().rev().cloned().collect(),
                    scalar => merge_for(scalar, random, 2),
                };
                json!({"op": "replace", "path": path, "value": new})
            }
        }
    });
    Json::Array(operations.collect())
}

/// Without what holds nothing, which the writer leaves out.
fn pruned(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Json::Object(
                kept.map(|(key, value)| (key.clone(), pruned(value)))
                    .collect(),
            )
        }
        Json::Array(items) => Json::Array(
            items
                .iter()
                .filter(|item| !item.is_null())
                .map(pruned)
                .collect(),
        ),
        other => other.clone(),
    }
}

#[derive(Debug)]
struct PatchCase {
    object: Json,
    merge: Option<Json>,
    json: Option<Json>,
}

impl PatchCase {
    fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap()
    }

    fn told(&self) -> String {
        let patch = self.merge.as_ref().or(self.json.as_ref()).unwrap();
        format!("object: {}\npatch: {patch}", self.object)
    }

    /// What comes out; nothing if the patch cannot be applied, or if it deletes the object.
    fn ours(&self) -> Result<Option<Json>, String> {
        let manifest = manifest(&self.object);
        let mut patching = Patching::of(&manifest);
        if let Some(patch) = &self.merge {
            let patch = Node::from_json(patch);
            patching.merge(&patch).map_err(|problem| problem.message)?;
        }
        if let Some(patch) = &self.json {
            let patch = Node::from_json(patch);
            let operations = patch.as_list().unwrap();
            patching
                .json(operations)
                .map_err(|problem| problem.message)?;
        }
        let patched = patching.finish(|root| Arc::new(vec![root]));
        Ok(patched.map(|manifest| pruned(&manifest.root().to_json())))
    }
}

fn told(made: &Result<Option<Json>, String>) -> String {
    made.as_ref()
        .map_or_else(Clone::clone, |made| json!(made).to_string())
}

/// What kustomize makes of the objects of some cases, by name; nothing if it fails.
fn theirs(cases: &[&PatchCase]) -> Option<BTreeMap<String, Json>> {
    let folder = tempfile::tempdir().unwrap();
    let mut objects = String::new();
    let mut patches = Vec::new();
    for case in cases {
        let _ = write!(objects, "---\n{}\n", case.object);
        if let Some(merge) = &case.merge {
            let mut merge = merge.clone();
            merge["apiVersion"] = case.object["apiVersion"].clone();
            merge["kind"] = case.object["kind"].clone();
            if !merge["metadata"].is_object() {
                merge["metadata"] = json!({});
            }
            merge["metadata"]["name"] = case.object["metadata"]["name"].clone();
            patches.push(json!({"patch": merge.to_string(), "target": {"name": format!("^{}$", case.name())}}));
        }
        if let Some(json) = &case.json {
            patches.push(json!({"patch": json.to_string(), "target": {"name": format!("^{}$", case.name())}}));
        }
    }
    fs::write(folder.path().join("objects.yaml"), objects).unwrap();
    let kustomization = json!({"resources": ["objects.yaml"], "patches": patches});
    fs::write(
        folder.path().join("kustomization.yaml"),
        kustomization.to_string(),
    )
    .unwrap();
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder.path())
        .output()
        .unwrap();
    if !output.status.success() {
        return None;
    }
    let documents = documents(&output.stdout).into_iter();
    let named = documents.map(|object| {
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (name, pruned(&object))
    });
    Some(named.collect())
}

/// Compares in halves where kustomize fails for one of many.
fn compare(cases: &[&PatchCase], wrong: &mut Vec<String>, failed: &mut usize) {
    match theirs(cases) {
        Some(objects) => {
            for case in cases {
                let ours = case.ours();
                let theirs = objects.get(case.name()).cloned();
                // In lists that do not merge, kustomize leaves directives where they are. Here they are refused or done.
                if json!(theirs).to_string().contains("$patch") {
                    continue;
                }
                if ours.as_ref().ok() != Some(&theirs) {
                    wrong.push(format!(
                        "{}\nours: {}\ntheirs: {}",
                        case.told(),
                        told(&ours),
                        json!(theirs)
                    ));
                }
            }
        }
        None if cases.len() == 1 => {
            *failed += 1;
            if let Ok(ours) = cases[0].ours() {
                wrong.push(format!(
                    "{}\nkustomize fails, ours: {}",
                    cases[0].told(),
                    json!(ours)
                ));
            }
        }
        None => {
            let (a, b) = cases.split_at(cases.len() / 2);
            compare(a, wrong, failed);
            compare(b, wrong, failed);
        }
    }
}

/// Kustomize merges by the types of Kubernetes 1.21, which has no policies of admission, and reads kustomizations itself.
fn is_judged(object: &Json) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    let is_newer = kind.starts_with("ValidatingAdmission") || kind == "Kustomization";
    object["metadata"]["name"].is_string() && !is_newer
}

#[test]
fn patched_objects_are_those_of_kustomize() {
    if !has_program("kubectl") {
        return;
    }
    let text = fs::read_to_string(repository_path("conformance/data/defaults.jsonl")).unwrap();
    let recorded = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let recorded = recorded.flat_map(|pair| [pair["sent"].clone(), pair["stored"].clone()]);
    let rendered = files_below(&repository_path("examples/acme/rendered/production"));
    let rendered = rendered
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml"));
    let mut rendered: Vec<Json> = rendered.flat_map(|(_, text)| documents(&text)).collect();
    rendered.sort_by_key(|object| object["kind"].to_string());
    let rendered = rendered.into_iter().step_by(5);
    let objects: Vec<Json> = recorded.chain(rendered).filter(is_judged).collect();
    assert!(objects.len() > 200, "{}", objects.len());
    let mut random = Random(std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap()));
    let mut all = Vec::new();
    for at in 0..usize::try_from(cases(200)).unwrap() {
        let mut object = objects[random.below(objects.len())].clone();
        object["metadata"]["name"] = json!(format!("o{at}"));
        let is_json = is_true(&mut random, 3);
        all.push(PatchCase {
            merge: (!is_json).then(|| merge_for(&object, &mut random, 0)),
            json: is_json.then(|| json_for(&object, &mut random)),
            object,
        });
    }
    let (mut wrong, mut failed) = (Vec::new(), 0);
    let all: Vec<&PatchCase> = all.iter().collect();
    for chunk in all.chunks(50) {
        compare(chunk, &mut wrong, &mut failed);
    }
    println!("{} patches, {failed} that cannot be applied", all.len());
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n\n")
    );
}

/// Whether all of a fragment is in what was rendered; items of lists are found by their name, or by being the same.
fn lacking(fragment: &Json, found: &Json, path: &str, missing: &mut Vec<String>) {
    match (fragment, found) {
        (Json::Object(wanted), Json::Object(there)) => {
            for (key, wanted) in wanted.iter().filter(|(key, _)| *key != "$patch") {
                let found = there.get(key).unwrap_or(&Json::Null);
                lacking(wanted, found, &format!("{path}.{key}"), missing);
            }
        }
        (Json::Array(wanted), Json::Array(there)) => {
            for wanted in wanted {
                let is_it = |item: &&Json| {
                    let name = wanted.get("mountPath").or(wanted.get("name"));
                    name.is_some() && item.get("mountPath").or(item.get("name")) == name
                };
                match there.iter().find(is_it) {
                    Some(found) => lacking(wanted, found, path, missing),
                    None if there.contains(wanted) => {}
                    None => missing.push(format!("{path}: {wanted}")),
                }
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => missing.push(format!("{path}: {wanted}, found {found}")),
    }
}

/// Fields that no fragment is tried for: the workload's own, those of running pods, those that no stable version has, and
/// what the proof of isolation refuses.
const NOT_TRIED: [&str; 15] = [
    "workloadRef",
    "hostNetwork",
    "containers",
    "ephemeralContainers",
    "evictionResponders",
    "hostnameOverride",
    "priority",
    "resources",
    "restartPolicy",
    "schedulingGroup",
    "serviceAccount",
    "activeDeadlineSeconds",
    "name",
    "restartPolicyRules",
    "volumeDevices",
];

#[test]
fn fragments_of_pods_and_containers_come_out() {
    let text = fs::read(repository_path("tests/fragments.yaml")).unwrap();
    let mut tried: BTreeMap<&str, std::collections::BTreeSet<String>> = BTreeMap::new();
    for fragments in documents(&text) {
        let folder = tempfile::tempdir().unwrap();
        crate::support::copy_folder(
            &repository_path("examples/quickstart"),
            folder.path(),
            false,
        );
        let path = folder.path().join("components/web.yaml");
        let mut component = fs::read_to_string(&path).unwrap();
        for (what, definition) in [("pod", "PodSpec"), ("container", "Container")] {
            let _ = write!(component, "\n    {what}: {}\n", pruned(&fragments[what]));
            let keys = fragments[what].as_object().into_iter().flatten();
            tried
                .entry(definition)
                .or_default()
                .extend(keys.map(|(key, _)| key.clone()));
        }
        fs::write(&path, component).unwrap();
        let path = folder.path().join("tenantry.yaml");
        let platform = fs::read_to_string(&path).unwrap();
        let existing = "[Secret/registry, PersistentVolumeClaim/existing, ConfigMap/shared, ServiceAccount/other]";
        let platform = platform.replace(
            "kubernetesVersion:",
            &format!("existing: {existing}\n  kubernetesVersion:"),
        );
        assert!(platform.contains(existing));
        fs::write(&path, platform).unwrap();
        let rendered = crate::support::render(folder.path(), &[]);
        let all = rendered.values().flat_map(|text| documents(text));
        let deployment = all
            .into_iter()
            .find(|object| object["kind"] == "Deployment")
            .unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let mut missing = Vec::new();
        lacking(&pruned(&fragments["pod"]), pod, "pod", &mut missing);
        let containers = pod["containers"].as_array().unwrap();
        let own = containers.iter().find(|one| one["name"] == "web").unwrap();
        if fragments["container"].is_object() {
            lacking(&fragments["container"], own, "container", &mut missing);
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }
    let schemas = tenantry::kubernetes::schemas::built_in();
    let mut count = 0;
    for (definition, tried) in tried {
        let name = format!("io.k8s.api.core.v1.{definition}");
        let rule = schemas.set().rule(&name).unwrap();
        for (field, _) in &rule.properties {
            count += usize::from(tried.contains(&**field));
            assert!(
                tried.contains(&**field) || NOT_TRIED.contains(&&**field),
                "{definition}.{field} is not tried"
            );
        }
    }
    assert!(count >= 53, "{count}");
}
