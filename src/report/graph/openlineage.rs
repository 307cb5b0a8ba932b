//! Lineage as static events of ``OpenLineage`` 2.0.2, one on each line: a `JobEvent` for each component of each
//! tenant, a `DatasetEvent` for each dataset. <https://openlineage.io/docs/spec/object-model>

use serde_json::{Value as Json, json};

use super::{GraphOptions, class};
use crate::model::graph::{EdgeKind, Graph, GraphNode, NodeKind};

const PRODUCER: &str = concat!("https://tenantry.dev/tenantry/", env!("CARGO_PKG_VERSION"));
const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/";

/// A facet with what every facet has.
fn facet(schema: &str, mut content: Json) -> Json {
    content["_producer"] = json!(PRODUCER);
    content["_schemaURL"] = json!(format!("https://openlineage.io/spec/facets/{schema}"));
    content
}

fn ownership(kind: &str, owner: &str) -> Json {
    let schema = format!("1-0-1/Ownership{kind}Facet.json#/$defs/Ownership{kind}Facet");
    facet(
        &schema,
        json!({"owners": [{"name": owner, "type": "MAINTAINER"}]}),
    )
}

fn dataset(node: &GraphNode<'_>, shown: GraphOptions<'_>) -> Json {
    let mut facets = json!({"ownership": ownership("Dataset", node.owner)});
    if let Some(document) = node.dataset {
        let spec = &document.spec;
        if !node.description.is_empty() {
            facets["documentation"] = facet(
                "1-0-1/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet",
                json!({"description": node.description}),
            );
        }
        if let Some(location) = &spec.location {
            facets["dataSource"] = facet(
                "1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet",
                json!({"name": node.name, "uri": location}),
            );
        }
        if let Some(contract) = spec
            .contract
            .as_ref()
            .filter(|contract| !contract.fields.is_empty())
        {
            let fields = contract.fields.iter().map(|(name, field)| {
                let mut json = json!({"name": name, "type": field.kind});
                if let Some(description) = &field.description {
                    json["description"] = json!(description);
                }
                json
            });
            facets["schema"] = facet(
                "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
                json!({"fields": fields.collect::<Vec<_>>()}),
            );
        }
        let mut tags = vec![
            json!({"key": "classification", "value": class(node.classification), "source": "TENANTRY"}),
        ];
        if node.is_personal {
            tags.push(json!({"key": "personal-data", "value": "true", "source": "TENANTRY"}));
        }
        if let Some(domain) = node.domain {
            tags.push(json!({"key": "domain", "value": domain, "source": "TENANTRY"}));
        }
        facets["tags"] = facet(
            "1-0-0/TagsDatasetFacet.json#/$defs/TagsDatasetFacet",
            json!({"tags": tags}),
        );
    }
    json!({"namespace": shown.platform, "name": node.name, "facets": facets})
}

/// Writes the events.
pub fn write(graph: &Graph<'_>, shown: GraphOptions<'_>) -> String {
    let time = format!("{}T00:00:00Z", shown.as_of);
    let mut events = Vec::new();
    let plain = |at: usize| json!({"namespace": shown.platform, "name": graph.nodes[at].name});
    for (at, node) in graph.nodes.iter().enumerate() {
        match node.kind {
            NodeKind::Dataset => events.push(json!({
                "eventTime": time, "producer": PRODUCER, "schemaURL": format!("{SCHEMA}DatasetEvent"),
                "dataset": dataset(node, shown),
            })),
            NodeKind::Component => {
                let of = |kind: EdgeKind| -> Vec<Json> {
                    let edges = graph.edges.iter().filter(|edge| edge.kind == kind);
                    let ends = edges.filter_map(|edge| match kind {
                        EdgeKind::Reads => (edge.to == at).then_some(edge.from),
                        _ => (edge.from == at).then_some(edge.to),
                    });
                    ends.map(plain).collect()
                };
                let (inputs, outputs) = (of(EdgeKind::Reads), of(EdgeKind::Writes));
                if inputs.is_empty() && outputs.is_empty() {
                    continue;
                }
                for tenant in &node.tenants {
                    events.push(json!({
                        "eventTime": time, "producer": PRODUCER, "schemaURL": format!("{SCHEMA}JobEvent"),
                        "job": {
                            "namespace": format!("{}/{tenant}", shown.platform), "name": node.name,
                            "facets": {"ownership": ownership("Job", node.owner)},
                        },
                        "inputs": inputs, "outputs": outputs,
                    }));
                }
            }
            NodeKind::Tenant => {}
        }
    }
    events.iter().map(|event| format!("{event}\n")).collect()
}
