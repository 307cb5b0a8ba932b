//! Evidence for auditors: what each framework asks for, what was checked of it, and what was found.
//!
//! * [`json`]: everything, as an in-toto statement. [`oscal`]: NIST's assessment results.
//! * [`openreports`]: reports for clusters' dashboards. [`junit`]: a test for each control.
//! * [`html`]: one page. [`text`]: a summary for a terminal. [`ledger`]: the chain of runs.

pub mod html;
pub mod json;
pub mod junit;
pub mod ledger;
pub mod openreports;
pub mod oscal;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::model::catalog::Document;
use crate::model::kinds::policy::Strength;
use crate::model::kinds::{Catalog, Control, Framework};
use crate::model::verdict::{Count, Evidence, PolicyRecord, PolicySummary};
use tenantry_syntax::diagnostics::{Accepted, Sources, Span};

/// A format of compliance reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComplianceFormat {
    /// A summary for a terminal.
    Text,
    /// Everything, as an in-toto statement.
    Json,
    /// One page.
    Html,
    /// NIST's assessment results.
    Oscal,
    /// Reports of the OpenReports API.
    Openreports,
    /// Findings, for code scanning.
    Sarif,
    /// A test for each control.
    Junit,
}

impl ComplianceFormat {
    /// All formats by name.
    pub const ALL: [(&'static str, ComplianceFormat); 7] = [
        ("text", ComplianceFormat::Text),
        ("json", ComplianceFormat::Json),
        ("html", ComplianceFormat::Html),
        ("oscal", ComplianceFormat::Oscal),
        ("openreports", ComplianceFormat::Openreports),
        ("sarif", ComplianceFormat::Sarif),
        ("junit", ComplianceFormat::Junit),
    ];
}

/// What was judged, by what, and when.
#[derive(Clone, Debug, Default)]
pub struct ComplianceScope {
    /// The platform's name.
    pub platform: String,
    /// The commit; empty without git.
    pub commit: String,
    /// SHA-256 over all files of the input.
    pub input_digest: String,
    /// SHA-256 over all policies.
    pub policy_digest: String,
    /// The day by which expiry was judged: `2026-06-01`.
    pub as_of: String,
    /// SHA-256 of each file of the output, by its path, where an output was named.
    pub output: BTreeMap<String, String>,
    /// What was not judged, and why.
    pub not_evaluated: Vec<String>,
    /// What became weaker since the base, where one was named.
    pub weakened: Vec<String>,
}

/// What is known of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A policy is not met.
    Fail,
    /// What is not met is waived, or known to the baseline.
    Waived,
    /// Only clusters can tell.
    Undecided,
    /// All policies are met, as far as they go.
    Pass,
    /// There is nothing here that its policies judge.
    NotApplicable,
    /// No policy serves it.
    NotCovered,
    /// No manifest can show it.
    Manual,
}

impl Status {
    /// The word that output formats print.
    pub fn name(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::Waived => "waived",
            Status::Undecided => "undecided",
            Status::Pass => "pass",
            Status::NotApplicable => "not-applicable",
            Status::NotCovered => "not-covered",
            Status::Manual => "manual",
        }
    }

    /// All of them, the worst first.
    pub const ALL: [Status; 7] = [
        Status::Fail,
        Status::Waived,
        Status::Undecided,
        Status::Pass,
        Status::NotApplicable,
        Status::NotCovered,
        Status::Manual,
    ];
}

/// A report: each framework, for each tenant that follows it.
pub struct Report<'a> {
    /// What was judged.
    pub scope: &'a ComplianceScope,
    /// What the policies said.
    pub evidence: &'a Evidence,
    /// All files.
    pub sources: &'a Sources,
    /// The frameworks that are followed.
    pub frameworks: Vec<FrameworkReport<'a>>,
}

/// A framework.
pub struct FrameworkReport<'a> {
    /// Its document.
    pub framework: &'a Document<Framework>,
    /// The tenants that follow it.
    pub tenants: Vec<TenantReport<'a>>,
}

/// A framework for a tenant.
pub struct TenantReport<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// Its controls.
    pub controls: Vec<ControlReport<'a>>,
}

/// A control for a tenant.
pub struct ControlReport<'a> {
    /// The control.
    pub control: &'a Control,
    /// What is known of it.
    pub status: Status,
    /// The policies that serve it.
    pub policies: Vec<PolicyReport<'a>>,
}

/// A policy for a control and a tenant.
pub struct PolicyReport<'a> {
    /// The policy.
    pub policy: &'a PolicySummary,
    /// How far it serves the control.
    pub strength: Strength,
    /// How often it said what.
    pub count: Count,
    /// What does not meet it, by position in [`Evidence::records`].
    pub records: Vec<usize>,
}

impl<'a> Report<'a> {
    /// The tenants that follow a framework, by name.
    pub fn tenants(&self) -> Vec<&'a str> {
        let followed = self.frameworks.iter();
        let mut tenants: Vec<&str> = followed
            .flat_map(|framework| framework.tenants.iter().map(|tenant| tenant.tenant))
            .collect();
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }

    /// Puts together what is known of each control, for the frameworks and tenants that are selected.
    pub fn new(
        scope: &'a ComplianceScope,
        evidence: &'a Evidence,
        catalog: &'a Catalog,
        sources: &'a Sources,
        selected: &dyn Fn(&str, &str) -> bool,
    ) -> Report<'a> {
        let platform = catalog.platforms.iter().next();
        let of_platform = |framework: &str| {
            platform.is_some_and(|platform| platform.spec.frameworks.contains_key(framework))
        };
        let mut records: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, record) in evidence.records.iter().enumerate() {
            let key = (record.subject.tenant.as_str(), record.policy.as_str());
            records.entry(key).or_default().push(at);
        }
        let mut frameworks = Vec::new();
        for framework in &catalog.frameworks {
            let names: BTreeSet<&str> = catalog
                .tenants
                .iter()
                .filter(|tenant| {
                    of_platform(&framework.name)
                        || tenant.spec.compliance.contains_key(&framework.name)
                })
                .map(|tenant| tenant.name.as_str())
                .filter(|tenant| selected(&framework.name, tenant))
                .collect();
            if names.is_empty() {
                continue;
            }
            let tenants = names
                .into_iter()
                .map(|tenant| TenantReport {
                    tenant,
                    controls: framework
                        .spec
                        .controls
                        .iter()
                        .map(|one| control(one, &framework.name, tenant, evidence, &records))
                        .collect(),
                })
                .collect();
            frameworks.push(FrameworkReport { framework, tenants });
        }
        Report {
            scope,
            evidence,
            sources,
            frameworks,
        }
    }

    /// `tenants/globex.yaml:12` of a place.
    pub fn place(&self, span: Option<Span>) -> Option<(String, usize)> {
        let span = span?;
        let line = self.sources.position(span.file, span.start).line;
        Some((self.sources.path(span.file).to_owned(), line))
    }
}

fn control<'a>(
    control: &'a Control,
    framework: &str,
    tenant: &str,
    evidence: &'a Evidence,
    records: &BTreeMap<(&str, &str), Vec<usize>>,
) -> ControlReport<'a> {
    let mut policies = Vec::new();
    for (at, policy) in evidence.policies.iter().enumerate() {
        let strength = policy
            .controls
            .get(framework)
            .and_then(|controls| controls.get(&control.id));
        let Some(strength) = strength else {
            continue;
        };
        let mut count = Count::default();
        let mut found = Vec::new();
        // What belongs to no tenant counts for each of them.
        for who in [tenant, ""] {
            count.append(
                evidence
                    .counts
                    .get(&(who.to_owned(), at))
                    .copied()
                    .unwrap_or_default(),
            );
            found.extend(
                records
                    .get(&(who, policy.name.as_str()))
                    .into_iter()
                    .flatten(),
            );
        }
        policies.push(PolicyReport {
            policy,
            strength: *strength,
            count,
            records: found,
        });
    }
    let total = policies.iter().fold(Count::default(), |mut total, policy| {
        total.append(policy.count);
        total
    });
    let status = match total {
        _ if control.manual => Status::Manual,
        _ if policies.is_empty() => Status::NotCovered,
        total if total.fail > 0 => Status::Fail,
        total if total.accepted > 0 => Status::Waived,
        total if total.undecided > 0 => Status::Undecided,
        total if total.pass > 0 => Status::Pass,
        _ => Status::NotApplicable,
    };
    ControlReport {
        control,
        status,
        policies,
    }
}

impl TenantReport<'_> {
    /// How many controls have each status.
    pub fn tally(&self) -> BTreeMap<Status, usize> {
        let mut tally = BTreeMap::new();
        for control in &self.controls {
            *tally.entry(control.status).or_default() += 1;
        }
        tally
    }
}

/// How a record counts: `fail`, `waived` or `baseline`.
pub fn standing(record: &PolicyRecord) -> &'static str {
    match record.accepted {
        None => "fail",
        Some(Accepted::Waived { .. }) => "waived",
        Some(Accepted::Known) => "baseline",
    }
}

/// SHA-256 as hexadecimal digits.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A UUID that is the same for the same text: the form of version 5, made with SHA-256.
pub fn uuid(text: &str) -> String {
    let digest = sha256(text);
    let variant = match digest.as_bytes()[16] {
        b'0'..=b'3' => '8',
        b'4'..=b'7' => '9',
        b'8'..=b'b' => 'a',
        _ => 'b',
    };
    format!(
        "{}-{}-5{}-{variant}{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}

/// SHA-256 over the digests of many files.
pub fn tree_digest(files: &BTreeMap<String, String>) -> String {
    let lines: String = files
        .iter()
        // Written as JSON, so that no name can end a line.
        .map(|(path, digest)| format!("{digest}  {}\n", serde_json::Value::from(path.as_str())))
        .collect();
    sha256(lines)
}
