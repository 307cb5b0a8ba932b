//! What a review names as the cause is what was edited: the line of each of many random edits, and of two edits at once each
//! for what it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tenantry::comparison::{self, Base};
use tenantry::model::change::{InputChange, Object, Review};

use crate::provenance::{Scalar, changes, choices, scalars};
use crate::support::{Nothing, Random, copy_folder, options, repository_path};

/// A field of an object, or an object as a whole.
type Key = (String, String);
/// What a change says: what is there now, and the places of its causes.
type Said = (String, BTreeSet<Cause>);
/// File and line of a change of the input, and whether it is of one scalar.
type Cause = (String, usize, bool);

fn cause(input: &InputChange) -> Cause {
    let is_scalar = |value: &Option<serde_json::Value>| {
        value
            .as_ref()
            .is_none_or(|value| !value.is_array() && !value.is_object())
    };
    let place = input.place().unwrap();
    let is_scalar = !input.field.is_empty() && is_scalar(&input.before) && is_scalar(&input.after);
    (place.path.clone(), place.line, is_scalar)
}

/// What a review says of each field and object, with the lines of its causes.
fn said(review: &Review) -> BTreeMap<Key, Said> {
    let mut said = BTreeMap::new();
    let causes = |of: &[usize]| of.iter().map(|at| cause(&review.inputs[*at])).collect();
    let title = |object: &Object| {
        format!(
            "{} {} {}/{}",
            object.place, object.kind, object.namespace, object.name
        )
    };
    for change in &review.objects {
        // What has another name is gone, too.
        let before = change.before.as_ref().map(title);
        let title = title(change.object());
        if let Some(before) = before.filter(|before| *before != title) {
            let fields = change.fields.iter();
            let named = fields.filter(|field| {
                let path = field.path.to_string();
                matches!(path.as_str(), "metadata.name" | "metadata.namespace")
            });
            let all: Vec<usize> = named.flat_map(|field| field.causes.clone()).collect();
            said.insert((before, String::new()), ("gone".to_owned(), causes(&all)));
        }
        if change.fields.is_empty() {
            let is = if change.after.is_some() {
                "there"
            } else {
                "gone"
            };
            said.insert(
                (title.clone(), String::new()),
                (is.to_owned(), causes(&change.causes)),
            );
        }
        for field in &change.fields {
            let now = format!("{:?} {:?}", field.after, field.position);
            said.insert(
                (title.clone(), field.path.to_string()),
                (now, causes(&field.causes)),
            );
        }
    }
    said
}

/// A repository, and copies of it that are edited.
struct Edits<'e> {
    base: &'e Path,
    head: &'e Path,
    scalars: Vec<Scalar>,
    choices: Vec<BTreeSet<String>>,
}

impl Edits<'_> {
    /// A random scalar, and what to write in its place.
    fn one(&self, random: &mut Random) -> Option<(&Scalar, String)> {
        let scalar = &self.scalars[random.below(self.scalars.len())];
        let changes: Vec<String> = changes(&scalar.text, &self.choices).into_iter().collect();
        let change = changes.get(random.below(changes.len().max(1)))?;
        Some((scalar, change.clone()))
    }

    /// What a review says of some edits; nothing if they are not valid.
    fn review(&self, edits: &[&(&Scalar, String)]) -> Option<BTreeMap<Key, Said>> {
        copy_folder(self.base, self.head, false);
        // The last ones first, so that places before them stay.
        let mut edits: Vec<_> = edits.iter().collect();
        edits.sort_by_key(|(scalar, _)| std::cmp::Reverse(scalar.start));
        for (scalar, change) in edits {
            let path = self.head.join(&scalar.file);
            let text = fs::read_to_string(&path).unwrap();
            let (before, after) = (&text[..scalar.start], &text[scalar.end..]);
            fs::write(&path, format!("{before}{change}{after}")).unwrap();
        }
        let base = Base::Repository(Box::new(options(self.base)));
        let compared = comparison::compare(&options(self.head), &base, &Nothing).unwrap();
        (!compared.has_errors).then(|| said(&compared.review))
    }
}

/// Whether a cause is an edit: its line, or the document, list or map that is edited as a whole.
fn is_edit(cause: &Cause, scalar: &Scalar) -> bool {
    let (file, line, is_scalar) = cause;
    *file == scalar.file && (*line == scalar.line || !is_scalar && *line <= scalar.line)
}

#[test]
fn random_edits_are_named() {
    let count = |name: &str, usual: usize| {
        std::env::var(name).map_or(usual, |number| number.parse().unwrap())
    };
    let (singles, pairs) = (count("CAUSES_SINGLES", 15), count("CAUSES_PAIRS", 5));
    let folder = tempfile::tempdir().unwrap();
    let (base, head) = (folder.path().join("base"), folder.path().join("head"));
    let repository = std::env::var("CAUSES_OF").unwrap_or_else(|_| "tests/review/base".to_owned());
    copy_folder(&repository_path(&repository), &base, false);
    let edits = Edits {
        base: &base,
        head: &head,
        scalars: scalars(&base),
        choices: choices(&base),
    };
    let mut random = Random(u64::try_from(count("CAUSES_SEED", 1)).unwrap());
    let (mut wrong, mut valid, mut moved) = (Vec::new(), Vec::new(), 0);
    while valid.len() < singles {
        let Some(edit) = edits.one(&mut random) else {
            continue;
        };
        let Some(found) = edits.review(&[&edit]) else {
            continue;
        };
        let (scalar, change) = &edit;
        moved += found.len();
        for (key, (_, causes)) in &found {
            if causes.is_empty() || !causes.iter().all(|cause| is_edit(cause, scalar)) {
                wrong.push(format!(
                    "{}:{} {} -> {change}: {key:?} <- {causes:?}",
                    scalar.file, scalar.line, scalar.text
                ));
            }
        }
        valid.push((edit, found));
    }
    let moving: Vec<_> = valid
        .iter()
        .filter(|(_, found)| !found.is_empty())
        .collect();
    let (mut judged, mut of_pairs) = (0, 0);
    while judged < pairs {
        let (a, b) = (
            moving[random.below(moving.len())],
            moving[random.below(moving.len())],
        );
        let ((one, _), (other, _)) = (&a.0, &b.0);
        let Some(found) = edits
            .review(&[&a.0, &b.0])
            .filter(|_| one.start != other.start || one.file != other.file)
        else {
            continue;
        };
        judged += 1;
        of_pairs += found.len();
        for (key, (now, causes)) in &found {
            let alone =
                |found: &BTreeMap<Key, Said>| found.get(key).is_some_and(|(alone, _)| alone == now);
            let names = |scalar: &Scalar| causes.iter().any(|cause| is_edit(cause, scalar));
            let is_right = match (alone(&a.1), alone(&b.1)) {
                (true, false) if !b.1.contains_key(key) => {
                    causes.iter().all(|cause| is_edit(cause, one)) && names(one)
                }
                (false, true) if !a.1.contains_key(key) => {
                    causes.iter().all(|cause| is_edit(cause, other)) && names(other)
                }
                _ => {
                    (names(one) || names(other))
                        && causes
                            .iter()
                            .all(|cause| is_edit(cause, one) || is_edit(cause, other))
                }
            };
            if !is_right {
                wrong.push(format!(
                    "{}:{} {} -> {} and {}:{} {} -> {}: {key:?} <- {causes:?}",
                    one.file, one.line, one.text, a.0.1, other.file, other.line, other.text, b.0.1
                ));
            }
        }
    }
    println!(
        "{} edits moved {moved} fields and objects, {pairs} pairs moved {of_pairs}; {} have wrong causes",
        valid.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
