//! From a failure to a finding, and what a run leaves as evidence.

use sha2::{Digest as _, Sha256};

use super::judge::Failure;
use super::rules::{self, Rule};
use super::{Left, Policies};
use crate::model::instance::Unit;
use crate::model::kinds::Enforcement;
use crate::model::verdict::{Evidence, PolicyRecord, PolicySummary, VerdictSubject};
use tenantry_cel::value::Text;
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Accepted, Diagnostic, PolicyFinding, Severity, Sink};
use tenantry_syntax::yaml::{Node, Path, PathStep};

/// A finding of a rule, with no place yet.
pub fn finding(rule: &Rule, enforcement: Enforcement, message: String) -> Diagnostic {
    let mut finding = Diagnostic::new(codes::NOT_MET, message);
    finding.severity = match enforcement {
        Enforcement::Deny => Severity::Error,
        Enforcement::Warn => Severity::Warning,
        Enforcement::Audit => Severity::Note,
    };
    if !rule.remediation.is_empty() {
        finding.help = Some(rule.remediation.trim().to_owned());
    }
    finding.policy = Some(Box::new(PolicyFinding {
        policy: rule.name.clone(),
        severity: rule.severity.name(),
        title: rule.title.clone(),
        help: format!("{}\n\n{}", rule.rationale.trim(), rule.remediation.trim())
            .trim()
            .to_owned(),
    }));
    finding
}

/// The place in an object that a failure points at, and its path; nothing if nothing of it was read.
pub fn decided<'a>(failure: &Failure<'a>, root: View<'a>) -> Option<(View<'a>, String)> {
    if let Some(path) = failure.check.and_then(|check| check.path.as_ref()) {
        // The nearest part that is there.
        let mut view = root;
        for step in &path.0 {
            match view.at_path(&Path(vec![step.clone()])) {
                Some(next) => view = next,
                None => break,
            }
        }
        return Some((view, path.to_string()));
    }
    // The last that belongs to the object; parameters and other documents do not.
    failure.reads.iter().rev().find_map(|read| {
        let path = root.path_to(read.view)?;
        Some((read.view, path_text("", &path, read.missing.as_ref())))
    })
}

/// A path below a name, with a key that is missing at its end.
pub fn path_text(name: &str, path: &Path, missing: Option<&Text<'_>>) -> String {
    let mut steps: Vec<PathStep> = Vec::new();
    if !name.is_empty() {
        steps.push(PathStep::from(name));
    }
    steps.extend(path.0.iter().cloned());
    steps.extend(missing.map(|key| PathStep::from(key.as_str())));
    Path(steps).to_string()
}

/// The SHA-256 of an object as JSON.
pub fn digest(root: View<'_>) -> String {
    rules::hex(&Sha256::digest(root.to_json().to_string()))
}

impl Policies<'_> {
    /// Puts a finding where it belongs: one that a waiver or the baseline accepts is a note.
    pub(super) fn accept(
        &self,
        index: usize,
        mut finding: Diagnostic,
        subject: VerdictSubject,
        digest: Option<String>,
        params: &Node,
        left: &mut Left,
        sink: &mut Sink,
    ) {
        let rule = &self.rules[index];
        let known = self
            .input
            .baseline
            .and_then(|baseline| baseline.accepts(&rule.name, &subject));
        let waived = self.waivers.find(&rule.name, &subject);
        if let Some(Accepted::Waived { waiver, .. }) = &waived {
            left.used_waivers.insert(waiver.clone());
        }
        if let (Some(known), true) = (&known, waived.is_none()) {
            left.known.insert(known.clone());
        }
        let accepted = waived.or(known.map(|_| Accepted::Known));
        if let Some(accepted) = &accepted {
            finding.accept(accepted.clone());
        }
        left.records.push(PolicyRecord {
            policy: rule.name.clone(),
            subject,
            message: finding.message.clone(),
            place: finding.primary.as_ref().map(|label| label.span),
            accepted,
            object_digest: digest,
            parameters: params.to_json(),
        });
        sink.push(finding);
    }

    /// Takes over the findings about a unit's objects: those that say what an API server would do are notes, where a
    /// waiver excepts them.
    pub fn waive(
        &self,
        unit: &Unit,
        rendered: &[Rendered],
        mut found: Sink,
        left: &mut Left,
        sink: &mut Sink,
    ) {
        for finding in found.iter_mut() {
            let Some(about) = finding.about.as_deref() else {
                continue;
            };
            let subject = VerdictSubject {
                tenant: unit.key.tenant_name().to_owned(),
                environment: unit.key.environment.clone(),
                cluster: unit.key.cluster.clone(),
                component: about.component.clone(),
                object: about.object.clone(),
                path: about.path.clone(),
            };
            let Some(accepted) = self.waivers.find(finding.code.id, &subject) else {
                continue;
            };
            if let Accepted::Waived { waiver, .. } = &accepted {
                left.used_waivers.insert(waiver.clone());
            }
            let mut objects = rendered.iter();
            let object = objects.find(|one| one.manifest.title() == subject.object);
            left.records.push(PolicyRecord {
                policy: finding.code.id.to_owned(),
                message: finding.message.clone(),
                place: finding.primary.as_ref().map(|label| label.span),
                accepted: Some(accepted.clone()),
                object_digest: object
                    .filter(|_| self.input.gives_evidence)
                    .map(|one| self::digest(one.manifest.root())),
                parameters: serde_json::json!({}),
                subject,
            });
            finding.accept(accepted);
        }
        sink.append(found);
    }

    /// What a run leaves as evidence.
    pub fn evidence(&self, left: Left) -> Evidence {
        let policies = self.rules.iter().map(|rule| {
            let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
            PolicySummary {
                name: rule.name.clone(),
                title: rule.title.clone(),
                pack: rule.pack.clone(),
                severity: rule.severity,
                enforcement: enforcement_word(super::rule_enforcement(
                    self,
                    rule,
                    rule.enforcement,
                )),
                target: rule.target,
                compile_time_only: rule.compile_time_only.clone(),
                controls: rule.controls.clone(),
                rationale: rule.rationale.clone(),
                remediation: rule.remediation.clone(),
                digest: rule.digest.clone(),
                place: place.and_then(|id| self.input.sources.span(id)),
            }
        });
        let mut records = left.records;
        records.sort_by(|a, b| {
            (&a.policy, &a.subject, &a.message).cmp(&(&b.policy, &b.subject, &b.message))
        });
        Evidence {
            policies: policies.collect(),
            counts: left.counts,
            records,
        }
    }
}

/// As documents write it.
pub fn enforcement_word(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Audit => "audit",
        Enforcement::Warn => "warn",
        Enforcement::Deny => "deny",
    }
}
