//! Verdicts on manifests of the same form. A rule that sees nothing but an object and its parameters says the same of all
//! manifests of a skeleton in which it would see the same.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::FixedState;

use super::names::AdmissionRequest;
use tenantry_engine::hole::ShownHoles;
use tenantry_engine::manifest::{Manifest, SkeletonNode};
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::yaml::Node;

/// Most verdicts that are kept of a rule with the same parameters on manifests of a skeleton.
const MAX_VERDICTS: usize = 8;
/// Most skeletons that are kept.
const MAX_FORMS: usize = 20_000;

/// What a rule said of a manifest in which it found nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Whether it is met; otherwise it does not judge this.
    pub is_met: bool,
    /// What it cost.
    pub cost: u64,
}

/// What decides, besides holes, what rules see of a manifest: skeleton, number of its document, the schemas of custom
/// resources, and the minor version of Kubernetes.
type FormKey = (usize, usize, usize, u32);

/// A rule by index, and its parameters by their address.
type RuleKey = (usize, usize);
/// What a rule saw of manifests, and what it said.
type SeenVerdict = VecDeque<(ShownHoles, Passed)>;

/// The verdicts on all forms.
#[derive(Debug, Default)]
pub struct Verdicts(RwLock<HashMap<FormKey, Arc<SkeletonVerdicts>, FixedState>>);

/// The verdicts on manifests of one skeleton.
#[derive(Debug)]
struct SkeletonVerdicts {
    /// Kept so that no other one takes its address.
    _skeleton: Arc<Vec<SkeletonNode>>,
    verdicts: RwLock<HashMap<RuleKey, SeenVerdict, FixedState>>,
}

/// What is known of manifests of the form of one.
#[derive(Clone, Debug)]
pub struct FormVerdicts<'m> {
    manifest: &'m Manifest,
    form: Arc<SkeletonVerdicts>,
}

impl Verdicts {
    /// What is known of manifests of the form of one, which a request is about. Nothing, if there is no room for it.
    pub fn of<'m>(
        &self,
        manifest: &'m Manifest,
        custom: Option<&ObjectSchemas>,
        request: &AdmissionRequest,
    ) -> Option<FormVerdicts<'m>> {
        let key = (
            Arc::as_ptr(&manifest.skeleton).addr(),
            manifest.document,
            custom.map_or(0, |custom| std::ptr::from_ref(custom).addr()),
            request.kubernetes.unwrap_or(0),
        );
        let forms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = forms.get(&key) {
            return Some(FormVerdicts {
                manifest,
                form: Arc::clone(form),
            });
        }
        if forms.len() >= MAX_FORMS {
            return None;
        }
        drop(forms);
        let mut forms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let form = forms.entry(key).or_insert_with(|| {
            Arc::new(SkeletonVerdicts {
                _skeleton: Arc::clone(&manifest.skeleton),
                verdicts: RwLock::default(),
            })
        });
        Some(FormVerdicts {
            manifest,
            form: Arc::clone(form),
        })
    }
}

impl FormVerdicts<'_> {
    /// What a rule said of a manifest in which it saw the same.
    pub fn verdict(&self, rule: usize, params: &Node) -> Option<Passed> {
        let verdicts = &self.form.verdicts;
        let verdicts = verdicts.read().unwrap_or_else(PoisonError::into_inner);
        let known = verdicts.get(&(rule, std::ptr::from_ref(params).addr()))?;
        let mut known = known.iter();
        let found = known.find(|(shown, _)| shown.is_shown_by(&self.manifest.holes));
        found.map(|(_, judged)| *judged)
    }

    /// A rule is about to judge: what was looked at before does not count.
    pub fn begin(&self) {
        self.manifest.holes.forget();
    }

    /// Keeps what a rule said that outlives the run with its parameters.
    pub fn end(&self, rule: usize, params: &Node, judged: Passed) {
        let looks = self.manifest.holes.forget();
        let verdicts = &self.form.verdicts;
        let mut verdicts = verdicts.write().unwrap_or_else(PoisonError::into_inner);
        let known = verdicts
            .entry((rule, std::ptr::from_ref(params).addr()))
            .or_default();
        // The other side of a comparison has what this one has: the newest are the likeliest.
        known.truncate(MAX_VERDICTS - 1);
        known.push_front((ShownHoles::new(&self.manifest.holes, looks), judged));
    }
}
