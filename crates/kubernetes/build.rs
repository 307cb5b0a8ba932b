//! Lists the tables of defaults.

fn main() {
    tenantry_embed::folder("tables/defaults", "yaml");
}
