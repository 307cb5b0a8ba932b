//! JSON patches: <https://www.rfc-editor.org/rfc/rfc6902>.

use tenantry_engine::manifest::{PartKind, SkeletonNode};
use tenantry_syntax::yaml::{Node, NodeId};

use super::open::{PartForm, map};
use super::{PatchProblem, Patching};

/// What happens at the end of a path.
enum PlaceChange {
    /// Put there; between the items of a list.
    Add(SkeletonNode),
    /// Put there instead of what is there.
    Replace(SkeletonNode),
    Remove,
}

impl Patching {
    /// One operation.
    pub(super) fn operation(&mut self, operation: &Node) -> Result<(), PatchProblem> {
        let text = |key: &str| {
            let node = operation.get(key).filter(|node| node.as_str().is_some());
            node.ok_or_else(|| problem(operation.id, format!("the operation needs a text `{key}`")))
        };
        let op = text("op")?;
        let path = text("path")?;
        let way = pointer(path)?;
        let value = || {
            let node = operation.get("value");
            node.ok_or_else(|| problem(operation.id, "the operation needs a `value`".to_owned()))
        };
        match op.as_str().unwrap_or_default() {
            "add" => {
                let new = self.written(value()?);
                self.change(&way, PlaceChange::Add(new), path.id)
            }
            "replace" => {
                let new = self.written(value()?);
                self.change(&way, PlaceChange::Replace(new), path.id)
            }
            "remove" => self.change(&way, PlaceChange::Remove, path.id),
            "test" => {
                let found = self.found(&way, path.id)?;
                let found = self.value(&found).to_json();
                let wanted = value()?.to_json();
                if found == wanted {
                    return Ok(());
                }
                Err(problem(
                    path.id,
                    format!("`test` fails: there is {found}, not {wanted}"),
                ))
            }
            "move" | "copy" => {
                let from = text("from")?;
                let way_from = pointer(from)?;
                let taken = self.found(&way_from, from.id)?;
                if op.as_str() == Some("move") {
                    if way.len() > way_from.len() && way.starts_with(&way_from) {
                        let message = "what is moved cannot go into itself".to_owned();
                        return Err(problem(path.id, message));
                    }
                    self.change(&way_from, PlaceChange::Remove, from.id)?;
                }
                self.change(&way, PlaceChange::Add(taken), path.id)
            }
            other => Err(problem(
                op.id,
                format!("`{other}` is no operation: use add, replace, remove, test, move or copy"),
            )),
        }
    }

    fn found(&mut self, way: &[String], place: NodeId) -> Result<SkeletonNode, PatchProblem> {
        let mut part = self.root.clone();
        for (depth, step) in way.iter().enumerate() {
            let next = match self.form(&part) {
                PartForm::Map => {
                    let (_, fields) = self.opened_map(part);
                    let found = fields.into_iter().find(|(key, _)| **key == **step);
                    found.map(|(_, value)| value)
                }
                PartForm::List => {
                    let (_, items) = self.opened_list(part);
                    index(step).and_then(|at| items.into_iter().nth(at))
                }
                _ => None,
            };
            part = next.ok_or_else(|| missing(&way[..=depth], place))?;
        }
        Ok(part)
    }

    fn change(
        &mut self,
        way: &[String],
        change: PlaceChange,
        place: NodeId,
    ) -> Result<(), PatchProblem> {
        let root = self.root.clone();
        self.root = self.changed(root, way, 0, change, place)?;
        Ok(())
    }

    fn changed(
        &mut self,
        part: SkeletonNode,
        way: &[String],
        depth: usize,
        change: PlaceChange,
        place: NodeId,
    ) -> Result<SkeletonNode, PatchProblem> {
        let Some(step) = way.get(depth) else {
            return Ok(match change {
                PlaceChange::Add(new) | PlaceChange::Replace(new) => new,
                PlaceChange::Remove => super::nothing(),
            });
        };
        let lacks = || missing(&way[..=depth], place);
        let is_last = depth + 1 == way.len();
        match self.form(&part) {
            PartForm::Map => {
                let (outside, mut fields) = self.opened_map(part);
                let at = fields.iter().position(|(key, _)| **key == **step);
                match (at, change) {
                    (Some(at), PlaceChange::Remove) if is_last => drop(fields.remove(at)),
                    (Some(at), change) => {
                        let child = fields[at].1.clone();
                        fields[at].1 = self.changed(child, way, depth + 1, change, place)?;
                    }
                    // An API server replaces what is not there, too.
                    (None, PlaceChange::Add(new) | PlaceChange::Replace(new)) if is_last => {
                        fields.push((step.as_str().into(), new));
                    }
                    (None, _) => return Err(lacks()),
                }
                Ok(map(outside, fields))
            }
            PartForm::List => {
                let (outside, mut items) = self.opened_list(part);
                let at = if step == "-" {
                    Some(items.len())
                } else {
                    index(step)
                };
                let at = at.ok_or_else(lacks)?;
                match change {
                    PlaceChange::Add(new) if is_last && at <= items.len() => items.insert(at, new),
                    PlaceChange::Remove if is_last && at < items.len() => drop(items.remove(at)),
                    change if at < items.len() => {
                        let child = items[at].clone();
                        items[at] = self.changed(child, way, depth + 1, change, place)?;
                    }
                    _ => return Err(lacks()),
                }
                Ok(outside.around(PartKind::List(items)))
            }
            _ => Err(lacks()),
        }
    }
}

fn problem(place: NodeId, message: String) -> PatchProblem {
    PatchProblem { message, place }
}

fn missing(way: &[String], place: NodeId) -> PatchProblem {
    let escaped = way
        .iter()
        .map(|step| step.replace('~', "~0").replace('/', "~1"));
    let escaped: Vec<String> = escaped.collect();
    problem(place, format!("there is no `/{}`", escaped.join("/")))
}

/// The steps of a JSON pointer: <https://www.rfc-editor.org/rfc/rfc6901>.
fn pointer(node: &Node) -> Result<Vec<String>, PatchProblem> {
    let text = node.as_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else {
        let message = format!("`{text}` is no path: it starts with `/`, as `/spec/replicas`");
        return Err(problem(node.id, message));
    };
    let steps = rest.split('/');
    Ok(steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect())
}

/// The position that a step stands for: a number without leading zeros.
fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| is_plain)
}
