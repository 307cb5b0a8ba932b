//! What an evaluation may cost, and what it notes of its reads.

use super::super::COST_PER_CALL;
use super::super::EvaluationError;
use super::super::value::Text;
use tenantry_engine::view::View;

/// A place that an expression read.
#[derive(Clone, Debug)]
pub struct ReadPlace<'a> {
    /// The scalar; or, where a field is missing, the map that it is missing from.
    pub view: View<'a>,
    /// The field that is missing.
    pub missing: Option<Text<'a>>,
}

/// What may still be spent, and what was read.
#[derive(Debug)]
pub struct Budget<'a> {
    pub(super) left: u64,
    /// What is left of the budget of the policy.
    policy: u64,
    /// What was read, in order, when somebody asked for it.
    pub reads: Option<Vec<ReadPlace<'a>>>,
}

impl<'a> Budget<'a> {
    /// The budget of a policy for one object.
    pub fn new() -> Budget<'a> {
        Budget {
            left: COST_PER_CALL,
            policy: crate::COST_PER_POLICY,
            reads: None,
        }
    }

    /// Notes what is read.
    #[must_use]
    pub fn noting_reads(mut self) -> Budget<'a> {
        self.reads = Some(Vec::new());
        self
    }

    /// Pays for a step.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn pay(&mut self, cost: u64) -> Result<(), EvaluationError> {
        match (self.left.checked_sub(cost), self.policy.checked_sub(cost)) {
            (Some(left), Some(policy)) => {
                (self.left, self.policy) = (left, policy);
                Ok(())
            }
            _ => Err(EvaluationError::Cost),
        }
    }

    /// What was spent so far.
    pub fn spent(&self) -> u64 {
        crate::COST_PER_POLICY - self.policy
    }

    pub(super) fn note(&mut self, view: Option<View<'a>>, missing: Option<Text<'a>>) {
        if let (Some(reads), Some(view)) = (&mut self.reads, view) {
            reads.push(ReadPlace { view, missing });
        }
    }
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Budget::new()
    }
}
