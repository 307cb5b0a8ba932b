//! `tenantry graph`: dependencies and lineage.

use anyhow::{Result, anyhow};

use super::DONE;
use super::arguments::{Arguments, ClearanceArgument, GraphCommand, GraphDirection, ReadOptions};
use super::present;
use super::report::put;
use tenantry::model::graph::{EdgeDirection, Graph, NodeKind};
use tenantry::model::kinds::Clearance;
use tenantry::read;
use tenantry::report::graph::{self, GraphFormat, GraphOptions};
use tenantry_syntax::diagnostics::suggest;

/// Runs the command.
pub fn run(command: &GraphCommand, arguments: &Arguments) -> Result<u8> {
    let formats = present::formats(&command.formats, &GraphFormat::ALL)?;
    let read_options = ReadOptions {
        as_of: command.as_of.clone(),
        ..ReadOptions::NONE
    };
    let options = present::options(arguments, command.path.as_ref(), &read_options, None)?;
    let compilation = read(&options)?;
    let catalog = &compilation.catalog;
    let whole = Graph::of(catalog);
    if let Some(tenant) = &command.tenant
        && catalog.tenants.get(tenant).is_none()
    {
        return Err(anyhow!(
            "there is no tenant `{tenant}`; {}",
            suggest(tenant, catalog.tenants.names()).unwrap_or_default()
        ));
    }
    let least = command.min_class.map(|class| match class {
        ClearanceArgument::Public => Clearance::Public,
        ClearanceArgument::Internal => Clearance::Internal,
        ClearanceArgument::Confidential => Clearance::Confidential,
        ClearanceArgument::Restricted => Clearance::Restricted,
    });
    let around = match &command.around {
        None => None,
        Some(wanted) => Some(whole.find(wanted).ok_or_else(|| {
            let ids: Vec<String> = whole
                .nodes
                .iter()
                .map(tenantry::model::graph::GraphNode::id)
                .collect();
            let names = whole
                .nodes
                .iter()
                .map(|node| node.name)
                .chain(ids.iter().map(String::as_str));
            let near = suggest(wanted, names)
                .unwrap_or_else(|| "write KIND/NAME, such as Dataset/orders".to_owned());
            anyhow!("there is no `{wanted}` in the graph; {near}")
        })?),
    };
    let reached = around.map(|at| {
        let mut reached = std::collections::BTreeSet::new();
        if command.direction != GraphDirection::Downstream {
            reached.extend(whole.reach(at, EdgeDirection::Upstream));
        }
        if command.direction != GraphDirection::Upstream {
            reached.extend(whole.reach(at, EdgeDirection::Downstream));
        }
        reached
    });
    let is_wanted = |at: usize| {
        let node = &whole.nodes[at];
        let of_tenant = command
            .tenant
            .as_deref()
            .is_none_or(|tenant| node.tenants.contains(tenant));
        let of_class = node.kind != NodeKind::Dataset
            || least
                .is_none_or(|least| node.classification.unwrap_or(Clearance::Internal) >= least);
        of_tenant && of_class && reached.as_ref().is_none_or(|reached| reached.contains(&at))
    };
    let part = whole.only(is_wanted);
    let platform = catalog.platforms.iter().next();
    let as_of = options.as_of.to_string();
    let shown = GraphOptions {
        platform: platform.map_or("", |platform| &platform.name),
        as_of: &as_of,
        ways: [
            command.direction != GraphDirection::Downstream,
            command.direction != GraphDirection::Upstream,
        ],
        around: around.and_then(|at| part.find(&whole.nodes[at].id())),
    };
    put(formats, arguments, |format, color| {
        graph::write(format, &part, shown, color)
    })?;
    Ok(DONE)
}
