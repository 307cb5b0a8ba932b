//! What ends, and by when: components that go and who still uses them, tenants that come and leave, access,
//! exceptions and contexts with a last day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::catalog::Document;
use super::kinds::{Catalog, Component, ComponentStatus, Tenant, TenantStatus};
use tenantry_engine::scalars;
use tenantry_syntax::yaml::NodeId;

/// Which version of a component runs for whom: component and version, to tenant and environment.
pub type Users = BTreeMap<(String, String), BTreeSet<(String, String)>>;

/// A component that goes.
#[derive(Clone, Debug)]
pub struct Leaving<'a> {
    /// The component.
    pub component: &'a Document<Component>,
    /// Where it is in its life.
    pub status: ComponentStatus,
    /// Since when.
    pub since: Option<Date>,
    /// When it goes.
    pub until: Option<Date>,
    /// Who still uses it: tenant and environments.
    pub users: BTreeMap<String, Vec<String>>,
}

/// Something with a last day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    /// The last day.
    pub on: Date,
    /// What it is: `grant of viewer to internal-audit`.
    pub what: String,
    /// Whose it is: a tenant, or nothing.
    pub of: String,
    /// Where it is written.
    pub place: NodeId,
}

/// A tenant that is not simply in service.
#[derive(Clone, Debug)]
pub struct Passage<'a> {
    /// The tenant.
    pub tenant: &'a Document<Tenant>,
    /// Where it is in its life.
    pub status: TenantStatus,
    /// Since when.
    pub since: Option<Date>,
    /// The last day of its data.
    pub until: Option<Date>,
}

fn day(date: Option<&scalars::Date>) -> Option<Date> {
    date.and_then(|date| date.0.parse().ok())
}

/// Components that go, the soonest first.
pub fn leaving<'a>(catalog: &'a Catalog, users: &Users) -> Vec<Leaving<'a>> {
    let mut leaving: Vec<Leaving<'_>> = catalog
        .components
        .iter()
        .filter_map(|component| {
            let status = component
                .spec
                .status
                .filter(|status| *status != ComponentStatus::Active)?;
            let key = (component.name.clone(), component.spec.version.0.clone());
            let mut using: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (tenant, environment) in users.get(&key).into_iter().flatten() {
                using
                    .entry(tenant.clone())
                    .or_default()
                    .push(environment.clone());
            }
            Some(Leaving {
                component,
                status,
                since: day(component.spec.deprecated_on.as_ref()),
                until: day(component.spec.sunset_on.as_ref()),
                users: using,
            })
        })
        .collect();
    leaving.sort_by_key(|one| (one.until.is_none(), one.until));
    leaving
}

/// Tenants that come, pause or leave.
pub fn passages(catalog: &Catalog) -> Vec<Passage<'_>> {
    let tenants = catalog.tenants.iter();
    tenants
        .filter_map(|tenant| {
            let status = tenant
                .spec
                .status
                .filter(|status| *status != TenantStatus::Active)?;
            let offboarding = tenant.spec.offboarding.as_ref();
            let leaves = offboarding.filter(|_| status == TenantStatus::Offboarding);
            Some(Passage {
                tenant,
                status,
                since: day(leaves
                    .map(|leaves| &leaves.requested_at)
                    .or(tenant.spec.created_at.as_ref())),
                until: day(leaves.and_then(|leaves| leaves.retain_data_until.as_ref())),
            })
        })
        .collect()
}

/// Everything with a last day, the soonest first.
pub fn endings(catalog: &Catalog) -> Vec<Ending> {
    let mut endings = Endings::default();
    of_tenants(catalog, &mut endings);
    of_others(catalog, &mut endings);
    let mut endings = endings.0;
    endings.sort();
    endings
}

#[derive(Default)]
struct Endings(Vec<Ending>);

impl Endings {
    fn add(&mut self, date: Option<&scalars::Date>, what: String, of: &str, place: NodeId) {
        if let Some(on) = day(date) {
            let of = of.to_owned();
            self.0.push(Ending {
                on,
                what,
                of,
                place,
            });
        }
    }
}

/// Grants, shares and data of tenants.
fn of_tenants(catalog: &Catalog, endings: &mut Endings) {
    for tenant in &catalog.tenants {
        let fields = tenant.fields();
        for (position, grant) in tenant.spec.grants.iter().enumerate() {
            let subjects: Vec<&str> = grant
                .subjects
                .iter()
                .map(|subject| subject.name.as_str())
                .collect();
            let what = format!("grant of {} to {}", grant.role, subjects.join(", "));
            endings.add(
                grant.expires_at.as_ref(),
                what,
                &tenant.name,
                fields.grants().item(position).expires_at().place(),
            );
        }
        for (position, share) in tenant.spec.shares.iter().enumerate() {
            let with: Vec<&str> = share.with.iter().map(|with| with.0.as_str()).collect();
            let what = format!("share of {} with {}", share.component, with.join(", "));
            endings.add(
                share.expires_at.as_ref(),
                what,
                &tenant.name,
                fields.shares().item(position).expires_at().place(),
            );
        }
        if let Some(offboarding) = &tenant.spec.offboarding {
            let what = "data of a tenant that left".to_owned();
            let place = tenant.fields().offboarding().retain_data_until().place();
            endings.add(
                offboarding.retain_data_until.as_ref(),
                what,
                &tenant.name,
                place,
            );
        }
    }
}

/// Grants, contexts, waivers, datasets and components.
fn of_others(catalog: &Catalog, endings: &mut Endings) {
    for grant in &catalog.grants {
        let subjects: Vec<&str> = grant
            .spec
            .subjects
            .iter()
            .map(|subject| subject.name.as_str())
            .collect();
        let what = format!("grant of {} to {}", grant.spec.role, subjects.join(", "));
        endings.add(
            grant.spec.expires_at.as_ref(),
            what,
            "",
            grant.fields().expires_at().place(),
        );
    }
    for context in &catalog.contexts {
        let what = format!("context {}", context.name);
        endings.add(
            context.spec.expires_at.as_ref(),
            what,
            "",
            context.fields().expires_at().place(),
        );
    }
    for waiver in &catalog.waivers {
        let tenant = waiver
            .spec
            .subject
            .tenant
            .as_ref()
            .map_or("", |tenant| &tenant.0);
        let what = format!("waiver {} of {}", waiver.name, waiver.spec.names());
        endings.add(
            Some(&waiver.spec.expires_at),
            what,
            tenant,
            waiver.fields().expires_at().place(),
        );
    }
    for dataset in &catalog.datasets {
        let approved = dataset
            .spec
            .access_approval
            .iter()
            .flat_map(|approval| &approval.approved);
        let written = dataset.fields().access_approval().approved();
        for (position, access) in approved.enumerate() {
            let what = format!("approved use of {}", dataset.name);
            endings.add(
                access.expires_at.as_ref(),
                what,
                &access.tenant.0,
                written.item(position).expires_at().place(),
            );
        }
    }
    for component in &catalog.components {
        let what = format!("{} {}", component.name, component.spec.version);
        endings.add(
            component.spec.sunset_on.as_ref(),
            what,
            "",
            component.fields().sunset_on().place(),
        );
    }
}
