//! Items of lists that are sets or maps: which of two are the same one.

use super::RefusalReason;
use super::overlay::ListType;
use super::walk::{JudgedValue, ObjectWalk, below};
use tenantry_cel::CelValue;
use tenantry_cel::tree::StoredTree;
use tenantry_syntax::yaml::Trail;

impl<'a> ObjectWalk<'a> {
    /// Finds items that are there twice.
    pub(super) fn duplicates(
        &mut self,
        place: JudgedValue<'_, 'a>,
        tree: &StoredTree<'a>,
        list: &ListType,
    ) {
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
                    RefusalReason::Duplicate,
                    &says,
                    RefusalReason::Duplicate.help().to_owned(),
                );
            }
        }
    }
}

fn is_same_item<'a>(a: &CelValue<'a>, b: &CelValue<'a>, list: &ListType) -> bool {
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
    old: &CelValue<'a>,
    item: &CelValue<'a>,
    list: &ListType,
) -> Option<CelValue<'a>> {
    let ListType::Map(_) = list else { return None };
    let items = old.items()?;
    items
        .iter()
        .find(|old| is_same_item(old, item, list))
        .cloned()
}
