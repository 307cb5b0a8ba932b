//! Entries of maps that are right. Objects of a unit share most of their labels, which need to be judged once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::overlay::Overlay;
use tenantry_syntax::yaml::Map;

/// Most entries that are kept; beyond, they are all forgotten.
const MAX_ENTRIES: usize = 4096;

/// A map's overlay, by address, and an entry's key and value.
type OverlayEntry = (usize, Box<str>, Box<str>);

/// Maps and entries of maps that were found right by a version of Kubernetes.
#[derive(Debug, Default)]
pub struct Entries {
    entries: RefCell<HashMap<u64, OverlayEntry, FixedState>>,
    /// Whole maps of the input, by the addresses of their overlays and their own; a map that is kept keeps its address.
    maps: RefCell<HashMap<(usize, usize), Arc<Map>, FixedState>>,
}

impl Entries {
    /// Whether a map of the input is right, by what `judge` finds if that is not known.
    pub(super) fn check_map(
        &self,
        overlay: &Overlay,
        map: &Arc<Map>,
        judge: impl FnOnce() -> bool,
    ) {
        let key = (std::ptr::from_ref(overlay).addr(), Arc::as_ptr(map).addr());
        if !self.maps.borrow().contains_key(&key) && judge() {
            self.maps.borrow_mut().insert(key, Arc::clone(map));
        }
    }

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
        let known = self.entries.borrow();
        if let Some(known) = known.get(&hash)
            && (known.0, &*known.1, &*known.2) == (overlay, key, value)
        {
            return;
        }
        drop(known);
        if judge() {
            let mut known = self.entries.borrow_mut();
            if known.len() >= MAX_ENTRIES {
                known.clear();
            }
            known.insert(hash, (overlay, key.into(), value.into()));
        }
    }
}
