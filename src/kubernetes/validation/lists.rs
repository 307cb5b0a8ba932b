//! Items of lists that are sets or maps: which of two are the same one.

use super::Reason;
use super::overlay::ListType;
use super::walk::{Judge, Place, below};
use crate::cel::Value;
use crate::cel::tree::Tree;
use crate::yaml::Trail;

impl<'a> Judge<'a> {
    /// Finds items that are there twice.
    pub(super) fn duplicates(&mut self, place: Place<'_, 'a>, tree: &Tree<'a>, list: &ListType) {
        let (items, views) = (tree.items(), tree.view.items());
        for (at, item) in items.iter().enumerate() {
            if items[..at]
                .iter()
                .any(|before| is_same_item(before, item, list))
            {
                let trail = Trail::Index(place.trail, at);
                let (view, path) = (views[at], trail.path());
                let (path, view) = match list {
                    ListType::Map(keys) if keys.len() == 1 => {
                        (path.join(&*keys[0]), view.get(&keys[0]).unwrap_or(view))
                    }
                    _ => (path, view),
                };
                let what = view
                    .text()
                    .map(|text| format!(": `{text}`"))
                    .unwrap_or_default();
                let says = format!("is there twice{what}");
                self.push(
                    path,
                    view,
                    None,
                    Reason::Duplicate,
                    &says,
                    Reason::Duplicate.help().to_owned(),
                );
            }
        }
    }
}

fn is_same_item<'a>(a: &Value<'a>, b: &Value<'a>, list: &ListType) -> bool {
    match list {
        ListType::Atomic => false,
        ListType::Set => a.equals(b) == Ok(true),
        ListType::Map(keys) => {
            let mut is_any = false;
            keys.iter().all(|key| match (below(a, key), below(b, key)) {
                (Some(a), Some(b)) => {
                    is_any = true;
                    a.equals(&b) == Ok(true)
                }
                (None, None) => true,
                _ => false,
            }) && is_any
        }
    }
}

/// The item of an old list that another item replaces.
pub(super) fn old_item<'a>(
    old: &Value<'a>,
    item: &Value<'a>,
    list: &ListType,
) -> Option<Value<'a>> {
    let ListType::Map(_) = list else { return None };
    let items = old.items()?;
    items
        .iter()
        .find(|old| is_same_item(old, item, list))
        .cloned()
}
