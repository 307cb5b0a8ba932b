//! Dataset: data that components read and write.

use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::component::{Access, Clearance};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Date, Duration, Name};

/// Data that components read and write: what it is, who owns it, and what is asked of those who use it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dataset {
    /// The dataset's name, for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The team that answers for it.
    pub owner: String,
    /// The domain of the data mesh that it belongs to: `sales`.
    #[serde(default)]
    pub domain: Option<Name>,
    /// Its class. Default: `internal`.
    #[serde(default)]
    pub classification: Option<Clearance>,
    /// How it is written: `parquet`, `json`.
    pub format: String,
    /// Where it is: `s3://acme-lake/orders`.
    #[serde(default)]
    pub location: Option<String>,
    /// The zones that it may be in. Default: all.
    #[serde(default)]
    pub residency: Vec<Name>,
    /// How long it is kept, in days.
    #[serde(default)]
    #[schemars(range(min = 1, max = 36500))]
    pub retention_days: Option<u32>,
    /// How it is protected.
    #[serde(default)]
    pub encryption: Encryption,
    /// What it says about people, if it does.
    #[serde(default)]
    pub personal_data: Option<PersonalData>,
    /// Why it must not be deleted, if so.
    #[serde(default)]
    pub legal_hold: Option<LegalHold>,
    /// What its readers can count on.
    #[serde(default)]
    pub contract: Option<Contract>,
    /// Tenants whose components may use it. Default: every tenant.
    #[serde(default)]
    pub access: Option<Access>,
    /// Who must approve each use, and who has been approved.
    #[serde(default)]
    pub access_approval: Option<AccessApproval>,
}

/// How data is protected.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    /// Whether it is encrypted where it is stored. Default: true.
    #[serde(default)]
    pub at_rest: Option<bool>,
    /// Whether it is encrypted on its way. Default: true.
    #[serde(default)]
    pub in_transit: Option<bool>,
    /// Hours until its key is replaced. Default: 24.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub key_rotation_hours: Option<u32>,
    /// How single fields are encrypted. Default: `none`.
    #[serde(default)]
    pub fields: Option<FieldEncryption>,
}

/// How single fields of data are encrypted by those who write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldEncryption {
    /// They are not.
    None,
    /// With one key, which writers and readers have.
    Symmetric,
    /// With a public key, so that writers cannot read what is there.
    Asymmetric,
}

/// What data says about people.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonalData {
    /// What it says: `contact`, `health`, `payment`.
    #[schemars(length(min = 1))]
    pub categories: Vec<String>,
    /// Whom it is about: `customers`, `employees`.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// What it is processed for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// What makes that lawful (GDPR, Article 6(1)).
    #[serde(default)]
    pub legal_basis: Option<LegalBasis>,
}

/// What makes processing of personal data lawful: Article 6(1) of the GDPR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LegalBasis {
    /// The person agreed: (a).
    Consent,
    /// A contract with the person needs it: (b).
    Contract,
    /// The law demands it: (c).
    LegalObligation,
    /// Somebody's life depends on it: (d).
    VitalInterests,
    /// A task in the public interest needs it: (e).
    PublicTask,
    /// Interests that outweigh the person's: (f).
    LegitimateInterest,
}

/// Why data must not be deleted.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LegalHold {
    /// Why: the matter or case.
    pub reason: String,
    /// Who ordered it.
    pub ordered_by: String,
    /// Since when.
    #[serde(default)]
    pub since: Option<Date>,
}

/// What readers of data can count on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contract {
    /// The contract's version, which readers are told of.
    #[serde(default)]
    pub version: Option<String>,
    /// Its fields, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, DataField>,
    /// Rules that it must pass before it is published.
    #[serde(default)]
    pub quality: Vec<QualityRule>,
    /// How old its newest records are at most: `2h`.
    #[serde(default)]
    pub freshness: Option<Duration>,
}

/// A field of data.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataField {
    /// Its type, as the format calls it: `string`, `decimal(12,2)`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether each record has it.
    #[serde(default)]
    pub required: bool,
    /// Its class, if it differs from the dataset's.
    #[serde(default)]
    pub classification: Option<Clearance>,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
}

/// A rule that data must pass.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QualityRule {
    /// Its name.
    pub name: Name,
    /// What holds for each record, in the words of the tool that checks it: `amount >= 0`.
    pub check: String,
    /// The share of records that must pass, in percent. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub threshold: Option<f64>,
    /// What happens if too few pass. Default: `block`.
    #[serde(default)]
    pub gate: Option<QualityGate>,
}

/// What happens to data that fails a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityGate {
    /// It is not published.
    Block,
    /// It is published, and somebody is told.
    Warn,
}

/// Who must approve each use of data.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessApproval {
    /// Who may approve: teams or people.
    #[schemars(length(min = 1))]
    pub approvers: Vec<String>,
    /// Those who were approved.
    #[serde(default)]
    pub approved: Vec<ApprovedAccess>,
}

/// An approved use of data.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovedAccess {
    /// The tenant that may use it.
    pub tenant: Ref<Tenant>,
    /// Who approved it.
    pub by: String,
    /// What for.
    #[serde(default)]
    pub reason: Option<String>,
    /// The last day.
    #[serde(default)]
    pub expires_at: Option<Date>,
}

impl Listed for Dataset {
    const COLUMNS: &'static [Column<Dataset>] = &[
        Column::field("domain", "DOMAIN"),
        Column::field("classification", "CLASS"),
        Column::made("personalData", "PERSONAL", |found, _| {
            json!(found.spec.personal_data.is_some())
        }),
        Column::field("format", "FORMAT"),
        Column::field("residency", "RESIDENCY"),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<Dataset>) -> Vec<&str> {
        let approval = document.spec.access_approval.iter();
        let approvers = approval.flat_map(|approval| &approval.approvers);
        std::iter::once(&document.spec.owner)
            .chain(approvers)
            .map(String::as_str)
            .collect()
    }

    fn concerns(document: &Document<Dataset>, tenant: &Document<Tenant>) -> bool {
        let spec = &document.spec;
        spec.access
            .as_ref()
            .is_none_or(|access| access.is_open_to(tenant))
            && tenant.spec.clearance >= spec.classification
    }
}
