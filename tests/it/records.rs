//! What was judged of a form is never judged otherwise than in full.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use tenantry::diagnostics::Sources;
use tenantry::engine::hole::{Hole, Holes};
use tenantry::engine::manifest::{Manifest, Rendered};
use tenantry::engine::records::Records;
use tenantry::engine::schema;
use tenantry::engine::value::Term;
use tenantry::kubernetes::schemas::built_in;
use tenantry::model::instance::Unit;
use tenantry::validation::admission::{self, Level, Namespace};
use tenantry::validation::{self, Entries, KnownKind, Refusal, ReplayWork};
use tenantry::yaml::{Node, NodeId, Value, entry};
use tenantry::{Visitor, compile};

use crate::support::{options, repository_path};

const MINOR: u32 = 36;

#[derive(Default)]
struct Manifests(Mutex<BTreeMap<(usize, usize), Manifest>>);

impl Visitor for Manifests {
    fn unit(&self, _: &Unit, rendered: &[Rendered], _: &Sources) -> io::Result<()> {
        let mut all = self.0.lock().unwrap();
        for one in rendered {
            let skeleton = Arc::as_ptr(&one.manifest.skeleton).addr();
            let key = (skeleton, one.manifest.document);
            all.entry(key).or_insert_with(|| one.manifest.clone());
        }
        Ok(())
    }
}

/// One manifest of each form of the example that has holes.
fn manifests() -> Vec<Manifest> {
    let visitor = Manifests::default();
    compile(&options(&repository_path("examples/acme")), None, &visitor).unwrap();
    let all = visitor.0.into_inner().unwrap().into_values();
    all.filter(|manifest| !manifest.holes.is_empty()).collect()
}

fn node(value: Value) -> Node {
    Node::new(NodeId::NONE, value)
}

/// Values that are right in some places, and wrong in others.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("").boxed(),
        Just("web").boxed(),
        Just("http").boxed(),
        Just("Not_A.Name!").boxed(),
        Just("100m").boxed(),
        Just("1Gi").boxed(),
        Just("25%").boxed(),
        Just("Always").boxed(),
        Just("registry.example/app:1.2.3").boxed(),
        Just("2026-01-01T00:00:00Z").boxed(),
        Just("a-name-that-is-much-longer-than-the-sixty-three-characters-that-a-label-may-have")
            .boxed(),
    ];
    let scalar = prop_oneof![
        3 => text.prop_map(|text| Value::String(text.into())),
        1 => prop_oneof![Just(-1), Just(0), Just(1), Just(8080), Just(70_000)].prop_map(Value::Int),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => Just(Value::Float(0.5)),
    ];
    let key = prop_oneof![
        Just("app"),
        Just("name"),
        Just("bad key"),
        Just("cpu"),
        Just("example.com/a")
    ];
    scalar.prop_recursive(2, 8, 3, move |inner| {
        let entries = prop::collection::btree_map(key.clone(), inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3)
                .prop_map(|items| Value::List(items.into_iter().map(node).collect())),
            entries.prop_map(|entries| {
                let entries = entries.into_iter();
                let entries = entries.map(|(key, value)| entry(key, node(value)));
                Node::map(NodeId::NONE, entries.collect()).value
            }),
        ]
    })
}

/// All that judges, with what each knows from before.
#[derive(Default)]
struct Judges {
    structures: Records<()>,
    objects: Records<ReplayWork>,
    pods: Records<ReplayWork>,
    entries: Entries,
}

fn tell(violations: &[Refusal<'_>]) -> Vec<String> {
    let each = violations.iter();
    each.map(|one| format!("{} {:?} {}", one.message(), one.place, one.help))
        .collect()
}

impl Judges {
    fn judge(&self, manifest: &Manifest) -> Vec<String> {
        let (api_version, kind) = (manifest.api_version(), manifest.kind());
        let mut said = Vec::new();
        let known = match built_in().definition(&api_version, &kind) {
            Some(definition) => KnownKind::BuiltIn(definition),
            None => KnownKind::Nothing,
        };
        if let Some((rule, set)) = built_in().find(&api_version, &kind) {
            for found in schema::check_manifest(manifest, rule, set, MINOR, &self.structures) {
                said.push(format!("{} {:?}", found.path, found.problem));
            }
        }
        let found =
            validation::check_manifest(manifest, known, MINOR, &self.objects, &self.entries);
        said.extend(tell(&found));
        for level in [Level::Baseline, Level::Restricted] {
            let mut namespace = Namespace::default();
            (namespace.level, namespace.minor) = (level, MINOR);
            let found = admission::refusals_of_manifest(manifest, &namespace, &self.pods);
            said.extend(tell(&found));
        }
        said
    }
}

#[test]
fn judgements_by_record_are_those_in_full() {
    let manifests = manifests();
    assert!(manifests.len() > 100, "{}", manifests.len());
    let known = Judges::default();
    // Most holes keep their values, so that some variants are right.
    let changes = prop::collection::vec((any::<prop::sample::Index>(), values()), 0..4);
    let which = any::<prop::sample::Index>();
    let mut runner = TestRunner::new(Config {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(4000),
        ..Config::default()
    });
    let right = Mutex::new(0);
    runner
        .run(&(which, changes), |(which, changes)| {
            let one = which.get(&manifests);
            let mut values: Vec<Value> = one.holes.iter().map(Hole::kept).collect();
            for (at, value) in changes {
                *at.get_mut(&mut values) = value;
            }
            let holes = values.into_iter();
            let holes = holes.map(|value| Hole::new(value, NodeId::NONE, Term::CONSTANT));
            let holes = Arc::new(Holes::new(holes.collect(), None));
            let manifest = Manifest {
                holes,
                ..one.clone()
            };
            let in_full = Judges::default().judge(&manifest);
            prop_assert_eq!(known.judge(&manifest), in_full.clone());
            prop_assert_eq!(known.judge(&manifest), in_full.clone());
            *right.lock().unwrap() += usize::from(in_full.is_empty());
            Ok(())
        })
        .unwrap();
    // Neither all right nor all wrong.
    let right = right.into_inner().unwrap();
    assert!(right > 100, "{right}");
}
