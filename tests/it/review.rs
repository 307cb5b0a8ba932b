//! Reviews: what is said of a change, and that what is said is all there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use tenantry::comparison::{self, Base, Comparison};
use tenantry::engine::view::View;
use tenantry::kubernetes::defaults::{Stored, StoredPart};
use tenantry::kubernetes::field_path::FieldStep;
use tenantry::kubernetes::schemas::ObjectSchemas;
use tenantry::model::change::{FieldChange, Object, ObjectChange, ObjectOperation, Review};
use tenantry::report::review::words;
use tenantry::review::fields::canonical_object;
use tenantry::yaml::Node;

use crate::support::{Nothing, copy_folder, options, repository_path, updating};

/// Compares two folders as repositories.
fn compare(base: &Path, head: &Path) -> Comparison {
    let base = Base::Repository(Box::new(options(base)));
    comparison::compare(&options(head), &base, &Nothing).unwrap()
}

/// What a review says, in lines.
fn told(review: &Review) -> String {
    let mut text = String::new();
    for group in &review.groups {
        let causes: Vec<String> = group
            .causes
            .iter()
            .map(|at| words::place(&review.inputs[*at]))
            .collect();
        for entry in &group.entries {
            let Some(path) = &entry.path else {
                let sign = match entry.operation {
                    ObjectOperation::Added => '+',
                    ObjectOperation::Removed => '-',
                    _ => '>',
                };
                let number = entry.objects.len();
                let what = words::change(entry);
                writeln!(
                    text,
                    "{sign} {} {what} ×{number} <- {}",
                    words::kinds(entry),
                    causes.join(", ")
                )
                .unwrap();
                continue;
            };
            if path.only_follows() {
                continue;
            }
            let number = entry.objects.len();
            let (kinds, what) = (words::kinds(entry), words::change(entry));
            writeln!(
                text,
                "~ {kinds} {path}: {what} ×{number} <- {}",
                causes.join(", ")
            )
            .unwrap();
        }
    }
    for risk in &review.risks {
        let causes = if risk.objects.is_empty() && !risk.causes.is_empty() {
            format!(" <- {}", words::place(&review.inputs[risk.causes[0]]))
        } else {
            String::new()
        };
        writeln!(text, "! {}: {}{causes}", risk.class.name(), risk.message).unwrap();
    }
    for (sign, findings) in [
        ("new", &review.new_findings),
        ("fixed", &review.fixed_findings),
    ] {
        for finding in findings {
            writeln!(text, "{sign} {}: {}", finding.code.id, finding.message).unwrap();
        }
    }
    for note in &review.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

/// The base of a case, in a folder: `both` are files that are on both sides.
fn base_of(case: &Json, base: &Path) {
    copy_folder(&repository_path("tests/review/base"), base, false);
    for (file, text) in case["both"].as_object().into_iter().flatten() {
        let path = base.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

/// The head of a case, in a folder.
fn edited(case: &Json, head: &Path) {
    base_of(case, head);
    let map = |key: &str| case[key].as_object().cloned().unwrap_or_default();
    for (file, edits) in map("edit") {
        let path = head.join(&file);
        let mut text = fs::read_to_string(&path).unwrap();
        for (from, to) in edits.as_object().unwrap() {
            assert_eq!(
                text.matches(from.as_str()).count(),
                1,
                "{}: {file} has not once: {from}",
                case["name"]
            );
            text = text.replace(from.as_str(), to.as_str().unwrap());
        }
        fs::write(path, text).unwrap();
    }
    for file in case["remove"].as_array().into_iter().flatten() {
        fs::remove_file(head.join(file.as_str().unwrap())).unwrap();
    }
    for (file, text) in map("add") {
        let path = head.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.as_str().unwrap()).unwrap();
    }
    for (from, to) in map("move") {
        let to = head.join(to.as_str().unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(head.join(from), to).unwrap();
    }
}

fn cases() -> Vec<Json> {
    let text = fs::read_to_string(repository_path("tests/review/cases.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

#[test]
fn changes_are_told_with_their_causes_and_risks() {
    let cases = cases();
    assert!(cases.len() >= 60, "only {} pairs", cases.len());
    let mut wrong = String::new();
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for case in &cases {
        let [base, head] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        base_of(case, base.path());
        edited(case, head.path());
        let compared = compare(base.path(), head.path());
        let told = told(&compared.review);
        let name = case["name"].as_str().unwrap();
        if case["expect"].as_str().unwrap_or_default() != told {
            writeln!(wrong, "## {name}\n{told}").unwrap();
        }
        assert_exact(&compared.review, name);
        assert_no_secret(&compared, name);
        expected.insert(name.to_owned(), told);
    }
    if updating() {
        rewrite(&expected);
    } else {
        assert!(wrong.is_empty(), "not as expected:\n{wrong}");
    }
}

/// Writes what is expected below each case.
fn rewrite(expected: &BTreeMap<String, String>) {
    let path = repository_path("tests/review/cases.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let mut parts = text.split("\n- name: ");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let body = part.split("\n  expect: |").next().unwrap().trim_end();
        let name = body.lines().next().unwrap();
        write!(out, "\n- name: {body}\n  expect: |").unwrap();
        for line in expected[name].lines() {
            write!(out, "\n    {line}").unwrap();
        }
    }
    fs::write(path, out + "\n").unwrap();
}

/// Applies what a review says of an object to the object of the base.
fn applied(change: &ObjectChange) -> Json {
    let mut object = change.before.as_ref().unwrap().root().to_json();
    let (order, rest): (Vec<&FieldChange>, Vec<&FieldChange>) =
        change.fields.iter().partition(|field| field.reordered);
    let (gone, rest): (Vec<&FieldChange>, Vec<&FieldChange>) =
        rest.into_iter().partition(|field| field.after.is_none());
    let kind = &change.after.as_ref().unwrap().kind;
    // Removed first, then put in order, then added at their positions.
    for field in gone.into_iter().chain(order).chain(rest) {
        apply(&mut object, &field.path.0, field, &[], kind);
    }
    object
}

fn apply(
    value: &mut Json,
    steps: &[FieldStep],
    change: &FieldChange,
    passed: &[FieldStep],
    kind: &str,
) {
    let path = tenantry::kubernetes::field_path::FieldPath(passed.to_vec());
    let keys = tenantry::review::lists::of_object(kind, true, &path).keys;
    let label = |item: &Json| {
        let mut item = item.clone();
        if keys.contains(&"protocol") && item.get("protocol").is_none() {
            item["protocol"] = "TCP".into();
        }
        let node = Node::from_json(&item);
        let stored = Stored::written(StoredPart::unknown(View::of(&node)));
        tenantry::review::lists::label(&stored, keys)
    };
    let [step, rest @ ..] = steps else {
        if change.reordered {
            // The items that were kept change places; those in between stay.
            let wanted: Vec<&str> = change
                .after
                .as_ref()
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item.as_str().unwrap())
                .collect();
            let items = value.as_array_mut().unwrap();
            items.sort_by_key(|item| {
                let label = label(item).unwrap();
                wanted.iter().position(|wanted| *wanted == label)
            });
        } else {
            *value = change.after.clone().unwrap();
        }
        return;
    };
    let mut passed = passed.to_vec();
    passed.push(step.clone());
    match step {
        FieldStep::Key(key) => {
            let map = value.as_object_mut().unwrap();
            if rest.is_empty() && change.after.is_none() {
                map.shift_remove(&**key).expect("it was there");
            } else if rest.is_empty() && change.before.is_none() {
                assert!(
                    map.insert(key.to_string(), change.after.clone().unwrap())
                        .is_none()
                );
            } else {
                let inner = map.get_mut(&**key).unwrap_or_else(|| panic!("no {key}"));
                apply(inner, rest, change, &passed, kind);
            }
        }
        FieldStep::Item(wanted) => {
            let items = value.as_array_mut().unwrap();
            let at = items
                .iter()
                .position(|item| label(item).as_deref() == Some(&**wanted));
            if rest.is_empty() && change.after.is_none() {
                items.remove(at.unwrap());
            } else if rest.is_empty() && change.before.is_none() {
                let at = change.position.unwrap_or(items.len());
                items.insert(at.min(items.len()), change.after.clone().unwrap());
            } else {
                apply(&mut items[at.unwrap()], rest, change, &passed, kind);
            }
        }
    }
}

/// Applying the listed changes to the base's objects gives exactly the head's.
fn assert_exact(review: &Review, name: &str) {
    for change in &review.objects {
        let (Some(_), Some(after)) = (&change.before, &change.after) else {
            continue;
        };
        // What is secret is not told, so it cannot be applied.
        if change.fields.iter().any(|field| field.secret) || after.kind == "Secret" {
            continue;
        }
        let hidden = serde_json::to_string(
            &change
                .fields
                .iter()
                .map(|field| [&field.before, &field.after])
                .collect::<Vec<_>>(),
        )
        .unwrap();
        if hidden.contains("(secret)") {
            continue;
        }
        let applied = Object {
            body: tenantry::model::change::Body::Tree(Node::from_json(&applied(change))),
            ..after.clone()
        };
        assert_eq!(
            canonical_object(&applied),
            canonical_object(after),
            "{name}: {}",
            after.title()
        );
    }
}

/// Values that must not appear in any format.
const SECRETS: [&str; 4] = [
    "not-for-your-eyes",
    "nor-for-theirs",
    "all-that-glitters",
    "is-not-gold",
];

fn assert_no_secret(compared: &Comparison, name: &str) {
    use tenantry::report::{self, Format};
    for (format_name, format) in Format::ALL {
        let denied = std::collections::BTreeSet::new();
        let text = report::review(
            format,
            &compared.review,
            &compared.sources,
            &denied,
            false,
            false,
        );
        for secret in SECRETS {
            assert!(
                !text.contains(secret),
                "{name}: {format_name} shows {secret}"
            );
        }
    }
}

/// What differs between two texts of manifests, in lines.
fn objects_told(review: &Review) -> Vec<String> {
    let plain = |value: &Json| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = Vec::new();
    for change in &review.objects {
        if change.operation() != ObjectOperation::Changed {
            lines.push(change.operation().word().to_owned());
        }
        for field in &change.fields {
            let what = match (&field.before, &field.after) {
                (Some(before), Some(after)) if field.reordered => {
                    let list = |value: &Json| {
                        let items = value.as_array().unwrap().iter();
                        items.map(plain).collect::<Vec<_>>().join(",")
                    };
                    format!("order {} → {}", list(before), list(after))
                }
                (Some(before), Some(after)) => format!("{} → {}", plain(before), plain(after)),
                (None, Some(after)) => format!("+ {}", plain(after)),
                (Some(before), None) => format!("- {}", plain(before)),
                (None, None) => unreachable!("a change has a side"),
            };
            lines.push(format!("{}: {what}", field.path));
        }
        for risk in &change.risks {
            lines.push(format!("! {}: {}", risk.class.name(), risk.message));
        }
    }
    lines
}

#[test]
fn pairs_of_objects_differ_in_what_kubernetes_sees() {
    let text = fs::read_to_string(repository_path("tests/review/objects.yaml")).unwrap();
    let cases: Vec<Json> = serde_yaml::from_str(&text).unwrap();
    let mut wrong = String::new();
    for case in &cases {
        let side = |key: &str| match &case[key] {
            Json::Null => String::new(),
            object => object.to_string(),
        };
        let name = case["name"].as_str().unwrap();
        let mut custom = ObjectSchemas::default();
        if case["crd"].is_object() {
            custom.add_crds(&side("crd")).unwrap();
        }
        let review = comparison::of_texts_with("a.yaml", side("before"), side("after"), &custom)
            .unwrap_or_else(|| panic!("{name}: not manifests"));
        let expected: Vec<&str> = case["expect"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        let told = objects_told(&review);
        if told != expected {
            writeln!(wrong, "## {name}\n{}", told.join("\n")).unwrap();
        }
        assert_exact(&review, name);
    }
    assert!(wrong.is_empty(), "not as expected:\n{wrong}");
}

/// Objects of any form, of kinds with and without keyed lists.
fn any_object() -> impl Strategy<Value = Json> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d"]);
    let scalar = || {
        prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0..5i64).prop_map(Json::from),
            prop::sample::select(vec!["", "x", "1", "1000m", "TCP", "two\nlines"])
                .prop_map(Json::from),
        ]
    };
    let variables = prop::collection::vec((name(), scalar()), 0..4).prop_map(|list| {
        list.into_iter()
            .map(|(name, value)| serde_json::json!({"name": name, "value": value}))
            .collect::<Vec<_>>()
    });
    let ports = prop::collection::vec(
        (
            1..4u16,
            prop::option::of(prop::sample::select(vec!["TCP", "UDP"])),
            name(),
        ),
        0..4,
    )
    .prop_map(|list| {
        list.into_iter()
            .map(|(port, protocol, name)| match protocol {
                Some(protocol) => {
                    serde_json::json!({"containerPort": port, "protocol": protocol, "name": name})
                }
                None => serde_json::json!({"containerPort": port, "name": name}),
            })
            .collect::<Vec<_>>()
    });
    let container = (name(), variables, ports, prop::collection::vec(scalar(), 0..3)).prop_map(|(name, env, ports, args)| {
        serde_json::json!({"name": name, "env": env, "ports": ports, "args": args})
    });
    let tree = scalar().prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(
                prop::sample::select(vec!["a", "b", "name", "limits"]),
                inner,
                0..3
            )
            .prop_map(|map| Json::Object(
                map.into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    });
    let kind = prop::sample::select(vec![("v1", "Pod"), ("example.com/v1", "Thing")]);
    (
        kind,
        prop::collection::vec(container.clone(), 0..3),
        prop::collection::vec(container, 0..3),
        tree,
    )
        .prop_map(|((version, kind), containers, before, tree)| {
            serde_json::json!({
                "apiVersion": version, "kind": kind, "metadata": {"name": "one"},
                "spec": {"containers": containers, "initContainers": before, "more": tree},
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// For any two objects, applying the listed changes to the one gives the other.
    #[test]
    fn applying_the_changes_gives_the_head(before in any_object(), after in any_object()) {
        let after = Json::Object(after.as_object().unwrap().iter().map(|(key, value)| {
            // The same object on both sides.
            let same = matches!(&**key, "apiVersion" | "kind");
            (key.clone(), if same { before[key].clone() } else { value.clone() })
        }).collect());
        let review = comparison::of_texts("a.yaml", before.to_string(), after.to_string()).unwrap();
        prop_assert!(review.objects.len() <= 1);
        if review.objects.is_empty() {
            let object = |json: &Json| Object::new(tenantry::model::change::ChangePlace::default(), tenantry::model::change::Body::Tree(Node::from_json(json)));
            prop_assert_eq!(canonical_object(&object(&before)), canonical_object(&object(&after)));
        }
        assert_exact(&review, "any");
    }

    /// An object differs from itself in nothing, whatever the order of its unordered lists.
    #[test]
    fn an_object_does_not_differ_from_itself(object in any_object()) {
        let review = comparison::of_texts("a.yaml", object.to_string(), object.to_string()).unwrap();
        prop_assert!(review.objects.is_empty());
    }
}
