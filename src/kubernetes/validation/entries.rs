//! Entries of maps that are right. Objects of a unit share most of their labels, which need to be judged once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::overlay::Overlay;

/// Most entries that are kept; beyond, they are all forgotten.
const MAX_ENTRIES: usize = 4096;

/// A map's overlay, by address, and an entry's key and value.
type Entry = (usize, Box<str>, Box<str>);

/// Entries of maps that were found right by a version of Kubernetes.
#[derive(Debug, Default)]
pub struct Entries(RefCell<HashMap<u64, Entry, FixedState>>);

impl Entries {
    /// Whether an entry is right, by what `judge` finds if that is not known.
    pub(super) fn check(
        &self,
        overlay: &Overlay,
        key: &str,
        value: &str,
        judge: impl FnOnce() -> bool,
    ) {
        let overlay = std::ptr::from_ref(overlay).addr();
        let hash = FixedState::default().hash_one((overlay, key, value));
        let known = self.0.borrow();
        if let Some(known) = known.get(&hash)
            && (known.0, &*known.1, &*known.2) == (overlay, key, value)
        {
            return;
        }
        drop(known);
        if judge() {
            let mut known = self.0.borrow_mut();
            if known.len() >= MAX_ENTRIES {
                known.clear();
            }
            known.insert(hash, (overlay, key.into(), value.into()));
        }
    }
}
