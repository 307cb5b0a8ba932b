//! Every code: what it means, an example, and how to fix it. `tenantry explain T0102` prints it.
//!
//! One file per stage. A code is never given another meaning, and never used again once removed.

use std::hash::{Hash, Hasher};

use super::Severity;

/// A kind of finding.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Stable, such as `T0102`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it is a finding at all.
    pub cause: &'static str,
    /// Input that has it.
    pub example: &'static str,
    /// What to write instead.
    pub remedy: &'static str,
}

impl Code {
    /// How much it matters.
    pub fn severity(self) -> Severity {
        self.severity
    }

    /// Whether a waiver may except it: it says what an API server would do, and one may do otherwise.
    pub fn is_waivable(self) -> bool {
        verify::OF_API_SERVER.contains(&self)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.id == other.id
    }
}

impl Eq for Code {}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Declares the codes of a stage, and `ALL` of them.
macro_rules! codes {
    ($($name:ident = $id:literal $severity:ident $title:literal
        cause: $cause:literal
        example: $example:literal
        remedy: $remedy:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: crate::diagnostics::Code = crate::diagnostics::Code {
                id: $id,
                severity: crate::diagnostics::Severity::$severity,
                title: $title,
                cause: $cause,
                example: $example,
                remedy: $remedy,
            };
        )*
        /// The codes of this stage.
        pub const ALL: &[crate::diagnostics::Code] = &[$($name),*];
    };
}

pub mod emit;
pub mod load;
pub mod policy;
pub mod render;
pub mod resolve;
pub mod review;
pub mod validate;
pub mod verify;

/// All codes, in their order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [
        load::ALL,
        validate::ALL,
        resolve::ALL,
        render::ALL,
        verify::ALL,
        emit::ALL,
        review::ALL,
        policy::ALL,
    ]
    .into_iter()
    .flatten()
}

/// The code of an id such as `T0102` or `t102`.
pub fn find(id: &str) -> Option<&'static Code> {
    let digits = id.trim_start_matches(['T', 't']);
    let wanted = format!("T{digits:0>4}");
    all().find(|code| code.id == wanted)
}
