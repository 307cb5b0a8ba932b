//! Lists the built-in templates, policies and schemas, so that a new one is a new file and nothing else.

fn main() {
    tenantry_embed::folder("templates", "yaml");
    tenantry_embed::folder("policies", "yaml");
    tenantry_embed::folder("schemas", "json");
}
