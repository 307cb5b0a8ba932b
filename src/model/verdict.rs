//! What policies say, and what a run leaves as evidence.

use std::collections::BTreeMap;

use crate::model::kinds::policy::{RuleSeverity, Strength, Target};
use tenantry_syntax::diagnostics::{Accepted, Span};

/// What was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerdictSubject {
    /// The tenant; empty for none.
    pub tenant: String,
    /// The environment; empty for none.
    pub environment: String,
    /// The cluster; empty for none.
    pub cluster: String,
    /// The component; empty for none.
    pub component: String,
    /// The object, `Deployment/web`, or the document, `Tenant/globex`.
    pub object: String,
    /// The field that decided it; empty for the whole.
    pub path: String,
}

/// What a policy said of what it judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is met.
    Pass,
    /// It is not met.
    Fail,
    /// It is not met, and a waiver or the baseline accepts that.
    Accepted,
    /// Only the cluster can tell.
    Undecided,
}

/// How often a policy said what, of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Met.
    pub pass: usize,
    /// Not met.
    pub fail: usize,
    /// Not met, and accepted.
    pub accepted: usize,
    /// Only the cluster can tell.
    pub undecided: usize,
}

impl Count {
    /// Adds one.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass => self.pass += 1,
            Outcome::Fail => self.fail += 1,
            Outcome::Accepted => self.accepted += 1,
            Outcome::Undecided => self.undecided += 1,
        }
    }

    /// Takes over another count.
    pub fn append(&mut self, other: Count) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.accepted += other.accepted;
        self.undecided += other.undecided;
    }

    /// How much was judged.
    pub fn judged(&self) -> usize {
        self.pass + self.fail + self.accepted + self.undecided
    }
}

/// Something that does not meet a policy.
#[derive(Clone, Debug)]
pub struct PolicyRecord {
    /// The policy.
    pub policy: String,
    /// What was judged.
    pub subject: VerdictSubject,
    /// What is wrong.
    pub message: String,
    /// The input line.
    pub place: Option<Span>,
    /// Why it does not count, if it does not.
    pub accepted: Option<Accepted>,
    /// SHA-256 of the object as canonical JSON, if evidence is given.
    pub object_digest: Option<String>,
    /// The parameters that held.
    pub parameters: serde_json::Value,
}

/// A policy, as evidence names it.
#[derive(Clone, Debug)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub title: String,
    /// The pack that it is of; empty for the repository's own.
    pub pack: String,
    /// How bad it is when it is not met.
    pub severity: RuleSeverity,
    /// `audit`, `warn` or `deny`.
    pub enforcement: &'static str,
    /// What it judges.
    pub target: Target,
    /// Why it is judged at compile time only; nothing if clusters enforce it, too.
    pub compile_time_only: Option<String>,
    /// The controls that it serves: framework, control, how far.
    pub controls: BTreeMap<String, BTreeMap<String, Strength>>,
    /// Why it is asked for.
    pub rationale: String,
    /// What to write instead.
    pub remediation: String,
    /// SHA-256 of its document.
    pub digest: String,
    /// Where it is declared.
    pub place: Option<Span>,
}

/// What the policies of a run said.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// All policies, by name.
    pub policies: Vec<PolicySummary>,
    /// How often each policy (by its position) said what, of each tenant. The empty tenant stands for
    /// what belongs to none.
    pub counts: BTreeMap<(String, usize), Count>,
    /// What does not meet a policy, sorted.
    pub records: Vec<PolicyRecord>,
}
