//! Judges an object by overlays.

use super::checks::FormatCheck;
use super::entries::Entries;
use super::keywords::out_of_range;
use super::lists::old_item;
use super::overlay::{ListType, Overlay, definition, named};
use super::replay::ReplayWork;
use super::{Refusal, RefusalReason, forms};
use tenantry_cel::tree::{self, StoredTree};
use tenantry_cel::{Budget, CelValue};
use tenantry_engine::records::{Recorder, WalkTurn};
use tenantry_engine::schema::Minor;
use tenantry_engine::view::{FieldView, View};
use tenantry_kubernetes::defaults::StoredPart;
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::yaml::{NodeId, Path, PathStep, Trail};

/// What is known of an object's kind.
#[derive(Clone, Copy, Debug)]
pub enum KnownKind<'s> {
    /// The name of its definition.
    BuiltIn(&'s str),
    /// The overlay of its CRD, and the schemas that its defaults are in.
    Custom(&'s Overlay, &'s ObjectSchemas),
    /// Only that it is an object.
    Nothing,
}

/// Which rules are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSet {
    /// All.
    All,
    /// Those that compare with an old object.
    Transitions,
}

/// Most values of an object that are judged, and deepest nesting of them.
const MAX_STEPS: usize = 1_000_000;
const MAX_DEPTH: usize = 100;
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/// What only built-in kinds ask of their metadata.
const BUILT_IN_META: &str = "built-in.ObjectMeta";

/// All violations of an object by the newest version of Kubernetes; `old` is the object that it replaces.
pub fn check<'a>(
    object: View<'a>,
    known: KnownKind<'a>,
    old: Option<View<'a>>,
    kind: RuleSet,
) -> Vec<Refusal<'a>> {
    check_as_of(object, known, old, kind, Minor::MAX)
}

/// All violations of an object by a version of Kubernetes, in the order of the rules.
pub fn check_as_of<'a>(
    object: View<'a>,
    known: KnownKind<'a>,
    old: Option<View<'a>>,
    kind: RuleSet,
    minor: Minor,
) -> Vec<Refusal<'a>> {
    let mut judge = ObjectWalk::new(object, known, minor);
    judge.kind = kind;
    judge.object(known, old);
    judge.found
}

/// Judges an object.
pub(super) struct ObjectWalk<'a> {
    pub(super) object: StoredPart<'a>,
    pub(super) root: CelValue<'a>,
    pub(super) kind: RuleSet,
    pub(super) minor: Minor,
    pub(super) found: Vec<Refusal<'a>>,
    pub(super) steps: usize,
    /// What the rules of a CRD may cost for an object.
    pub(super) budget: Budget<'a>,
    /// Entries of maps that are known to be right.
    pub(super) entries: Option<&'a Entries>,
    /// Who records the walk.
    pub(super) recorder: Option<Recorder<'a, ReplayWork>>,
    /// Whether rules share a budget, so that none can be left out.
    pub(super) shares_budget: bool,
}

/// A value that is judged.
#[derive(Clone, Copy)]
pub(super) struct JudgedValue<'p, 'a> {
    pub(super) value: &'p CelValue<'a>,
    pub(super) old: Option<&'p CelValue<'a>>,
    /// Where it stands, or the nearest place that is written.
    pub(super) view: View<'a>,
    pub(super) trail: &'p Trail<'p>,
}

impl<'a> KnownKind<'a> {
    /// The schemas that the defaults of a custom resource are in.
    fn schemas(self) -> Option<&'a ObjectSchemas> {
        match self {
            KnownKind::Custom(_, schemas) => Some(schemas),
            KnownKind::BuiltIn(_) | KnownKind::Nothing => None,
        }
    }

    /// What holds for the object.
    pub(super) fn overlay(self) -> Option<&'a Overlay> {
        match self {
            KnownKind::BuiltIn(name) => named(name),
            KnownKind::Custom(overlay, _) => Some(overlay),
            KnownKind::Nothing => None,
        }
    }

    /// What holds for its metadata.
    pub(super) fn metadata(self) -> Option<&'static Overlay> {
        named(match self {
            KnownKind::BuiltIn(_) => BUILT_IN_META,
            KnownKind::Custom(..) | KnownKind::Nothing => OBJECT_META,
        })
    }

    /// Whether the kind says which form names have.
    pub(super) fn has_names(self) -> bool {
        let metadata = self
            .overlay()
            .and_then(|overlay| overlay.property("metadata"));
        metadata.is_some_and(|metadata| metadata.property("name").is_some())
    }
}

impl<'a> ObjectWalk<'a> {
    /// A judge of an object that is new.
    pub(super) fn new(object: View<'a>, known: KnownKind<'a>, minor: Minor) -> ObjectWalk<'a> {
        let object = StoredPart::as_sent(object, known.schemas());
        ObjectWalk {
            object,
            root: tree::of_part(object),
            kind: RuleSet::All,
            minor: minor.min(Minor::MAX - 1),
            found: Vec::new(),
            steps: 0,
            budget: Budget::new(),
            entries: None,
            recorder: None,
            shares_budget: false,
        }
    }

    /// Judges all of the object.
    pub(super) fn object(&mut self, known: KnownKind<'a>, old: Option<View<'a>>) {
        let root = self.root.clone();
        let old = old.map(|old| tree::of_part(StoredPart::as_sent(old, known.schemas())));
        let place = JudgedValue {
            value: &root,
            old: old.as_ref(),
            view: self.object.view,
            trail: &Trail::Root,
        };
        if let Some(meta) = known.metadata() {
            self.field(place, "metadata", meta);
        }
        if let Some(overlay) = known.overlay() {
            self.enter(|| WalkTurn::Rule(0));
            self.value(place, overlay, 0);
            self.leave();
        }
        if self.kind == RuleSet::All {
            self.work(ReplayWork::Name, |judge| judge.name(known.has_names()));
        }
    }

    pub(super) fn enter(&mut self, step: impl FnOnce() -> WalkTurn) {
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(step);
        }
    }

    pub(super) fn leave(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.leave();
        }
    }

    /// Does a piece of work that what is recorded may tell to do again.
    pub(super) fn work(&mut self, work: ReplayWork, run: impl FnOnce(&mut Self)) {
        let is_first = self.recorder.as_mut().is_some_and(Recorder::begin);
        run(self);
        if let (true, Some(recorder)) = (is_first, &mut self.recorder) {
            let always = self.shares_budget && work.has_rules();
            recorder.end(work, always);
        }
    }

    fn report(
        &mut self,
        place: JudgedValue<'_, 'a>,
        reason: RefusalReason,
        says: &str,
        help: String,
    ) {
        let path = place.trail.path();
        self.push(path, place.view, None, reason, says, help);
    }

    pub(super) fn push(
        &mut self,
        path: Path,
        view: View<'a>,
        key: Option<NodeId>,
        reason: RefusalReason,
        says: &str,
        help: String,
    ) {
        self.found.push(Refusal {
            place: path.clone(),
            path,
            view,
            key,
            reason,
            says: says.to_owned(),
            help,
            rule: None,
        });
    }

    /// The name of an object; its form, where the kind says nothing of it.
    pub(super) fn name(&mut self, has_form: bool) {
        let object = self.object.view;
        let metadata = object.metadata();
        let text = |key| {
            metadata
                .map(|view| view.text_at(&[key]))
                .unwrap_or_default()
        };
        let path = |key: &str| Path(vec!["metadata".into(), key.into()]);
        let view = metadata.unwrap_or(object);
        if text("name").is_empty() && text("generateName").is_empty() {
            let help = "add `metadata.name`".to_owned();
            self.push(
                path("name"),
                view,
                None,
                RefusalReason::Required,
                "is missing",
                help,
            );
        }
        if has_form {
            return;
        }
        for (key, form) in [
            ("name", "dns1123-subdomain"),
            ("generateName", "dns1123-subdomain-prefix"),
        ] {
            let (text, Some(form)) = (text(key), forms::find(form)) else {
                continue;
            };
            if !text.is_empty() && !(form.is)(&text) {
                let view = view.get(key).unwrap_or(view);
                let (says, help) = (
                    format!("cannot be `{text}`"),
                    format!("write {}", form.expected),
                );
                self.push(path(key), view, None, RefusalReason::Invalid, &says, help);
            }
        }
    }

    fn field(&mut self, place: JudgedValue<'_, 'a>, name: &str, overlay: &'a Overlay) {
        let CelValue::Tree(tree) = place.value else {
            return;
        };
        let Some(view) = tree.place(name) else { return };
        self.inside(place, tree, name, view, overlay, 0);
    }

    /// Judges what is written at a key.
    fn inside(
        &mut self,
        place: JudgedValue<'_, 'a>,
        tree: &StoredTree<'a>,
        key: &str,
        view: View<'a>,
        overlay: &'a Overlay,
        depth: usize,
    ) {
        let Some(part) = tree.sent(key, view) else {
            return;
        };
        let old = place.old.and_then(|old| below(old, key));
        self.enter(|| WalkTurn::Field(key.into()));
        let trail = Trail::Key(place.trail, key);
        self.part(part, old.as_ref(), &trail, overlay, depth + 1);
        self.leave();
    }

    /// Judges a part. One that the template itself did not write is looked at as a whole.
    fn part(
        &mut self,
        part: StoredPart<'a>,
        old: Option<&CelValue<'a>>,
        trail: &Trail<'_>,
        overlay: &'a Overlay,
        depth: usize,
    ) {
        let run = |judge: &mut Self| {
            let place = JudgedValue {
                value: &tree::of_part(part),
                old,
                view: part.view,
                trail,
            };
            judge.value(place, overlay, depth);
        };
        let mut recorder = self.recorder.as_mut();
        if part.view.is_of_template() {
            run(self);
        } else if !recorder
            .as_mut()
            .is_some_and(|recorder| recorder.repeats(part.view, overlay))
        {
            self.work(ReplayWork::All, run);
        }
    }

    /// Judges a value by all that holds for it.
    pub(super) fn value(&mut self, place: JudgedValue<'_, 'a>, overlay: &'a Overlay, depth: usize) {
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return;
        }
        self.steps += 1;
        if self.kind == RuleSet::All {
            self.work(ReplayWork::Keywords, |judge| judge.keywords(place, overlay));
        }
        if !overlay.rules.is_empty() {
            self.rules(place, overlay);
        }
        if self.kind == RuleSet::All {
            for (at, check) in overlay.checks.iter().enumerate() {
                self.work(ReplayWork::Check(at), |judge| judge.check(place, *check));
            }
        }
        if let CelValue::Tree(tree) = place.value {
            if tree.is_list() {
                self.list(place, tree, overlay, depth);
            } else {
                self.map(place, tree, overlay, depth);
            }
        }
        if let Some(reference) = overlay.reference {
            self.enter(|| WalkTurn::Rule(0));
            self.value(place, definition(reference), depth + 1);
            self.leave();
        }
    }

    fn map(
        &mut self,
        place: JudgedValue<'_, 'a>,
        tree: &StoredTree<'a>,
        overlay: &'a Overlay,
        depth: usize,
    ) {
        if overlay.properties.is_empty() && overlay.additional.is_none() && overlay.keys.is_none() {
            return;
        }
        // Where the walk is recorded, it has to be seen which entries a piece of work looks at.
        let is_recorded = self.recorder.as_ref().is_some_and(|all| !all.is_at_work());
        let entries = self.entries.filter(|_| {
            let additional = overlay.additional.as_deref();
            let of_texts =
                additional.is_none_or(Overlay::is_of_scalars) && overlay.properties.is_empty();
            of_texts && !is_recorded && place.old.is_none() && self.kind == RuleSet::All
        });
        let all = |judge: &mut Self| {
            for field in tree.view.fields() {
                match (entries, field.value.kind()) {
                    (Some(entries), tenantry_engine::hole::HoleType::Text) => {
                        let text = field.value.text().unwrap_or_default();
                        entries.check(overlay, &field.key, &text, || {
                            let before = judge.found.len();
                            judge.entry(place, tree, &field, overlay, depth);
                            judge.found.len() == before
                        });
                    }
                    _ => judge.entry(place, tree, &field, overlay, depth),
                }
            }
        };
        match entries.zip(tree.view.shared_map()) {
            Some((entries, map)) => entries.check_map(overlay, map, || {
                let before = self.found.len();
                all(self);
                self.found.len() == before
            }),
            None => all(self),
        }
    }

    fn entry(
        &mut self,
        place: JudgedValue<'_, 'a>,
        tree: &StoredTree<'a>,
        field: &FieldView<'a>,
        overlay: &'a Overlay,
        depth: usize,
    ) {
        if let (Some(keys), RuleSet::All) = (&overlay.keys, self.kind) {
            self.key(place, field, keys);
        }
        let inner = overlay
            .property(&field.key)
            .or(overlay.additional.as_deref());
        if let Some(inner) = inner {
            self.inside(place, tree, &field.key, field.value, inner, depth);
        }
    }

    fn key(&mut self, place: JudgedValue<'_, 'a>, field: &FieldView<'a>, keys: &Overlay) {
        let before = self.found.len();
        let key = JudgedValue {
            value: &CelValue::text(&*field.key),
            old: None,
            view: field.value,
            trail: &Trail::Key(place.trail, &field.key),
        };
        self.keywords(key, keys);
        for violation in &mut self.found[before..] {
            violation.key = field.key_id.is_input().then_some(field.key_id);
            violation.path = place.trail.path();
            violation.says = if violation.says.starts_with("cannot be ") {
                format!("cannot have the key `{}`", field.key)
            } else {
                format!("has a key that {}", violation.says)
            };
        }
    }

    fn list(
        &mut self,
        place: JudgedValue<'_, 'a>,
        tree: &StoredTree<'a>,
        overlay: &'a Overlay,
        depth: usize,
    ) {
        let is_set = !matches!(overlay.list, ListType::Atomic) && tree.len() > 1;
        if self.kind == RuleSet::All && is_set {
            self.work(ReplayWork::Duplicates, |judge| {
                judge.duplicates(place, tree, &overlay.list);
            });
        }
        let Some(inner) = &overlay.items else { return };
        for (at, part) in tree.parts().into_iter().enumerate() {
            let old = place
                .old
                .and_then(|old| old_item(old, &tree::of_part(part), &overlay.list));
            self.enter(|| WalkTurn::Item(at));
            let trail = Trail::Index(place.trail, at);
            self.part(part, old.as_ref(), &trail, inner, depth + 1);
            self.leave();
        }
    }

    /// What needs no expression.
    pub(super) fn keywords(&mut self, place: JudgedValue<'_, 'a>, overlay: &Overlay) {
        if let CelValue::Tree(tree) = place.value {
            for required in &overlay.required {
                if !tree.has(required) {
                    let path = place.trail.path().join(&**required);
                    let help = format!("add `{required}`");
                    self.push(
                        path,
                        place.view,
                        None,
                        RefusalReason::Required,
                        "is missing",
                        help,
                    );
                }
            }
            if let Some(bounds) = &overlay.bounds {
                let (range, unit) = if tree.is_list() {
                    (bounds.items, "items")
                } else {
                    (bounds.properties, "entries")
                };
                if let Some(range) = out_of_range(tree.len(), range, unit) {
                    let reason = if tree.len() > 1 {
                        RefusalReason::TooMany
                    } else {
                        RefusalReason::Required
                    };
                    self.report(
                        place,
                        reason,
                        &format!("must have {range}"),
                        format!("write {range}"),
                    );
                }
            }
            return;
        }
        if let Some((reason, says, help)) = overlay.scalar(place.value) {
            self.report(place, reason, &says, help);
        }
    }

    pub(super) fn check(&mut self, place: JudgedValue<'_, 'a>, check: FormatCheck) {
        for found in check(&place.view.to_json(), self.minor) {
            let mut path = place.trail.path();
            let mut view = Some(place.view);
            let mut nearest = place.view;
            for step in &found.place {
                view = view.and_then(|view| match step {
                    PathStep::Key(key) => view.get(key),
                    PathStep::Index(at) => view.items().get(*at).copied(),
                });
                nearest = view.unwrap_or(nearest);
            }
            path.0.extend(found.field);
            self.push(path, nearest, None, found.reason, &found.says, found.help);
        }
    }
}

/// The value of a key, if this is a map that has it.
pub(super) fn below<'a>(value: &CelValue<'a>, key: &str) -> Option<CelValue<'a>> {
    match value {
        CelValue::Tree(tree) if !tree.is_list() => tree.get(key),
        _ => None,
    }
}
