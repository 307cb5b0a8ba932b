//! Lists the tables of validation and of admission.

fn main() {
    tenantry_embed::folder("tables/validation", "yaml");
    tenantry_embed::folder("tables/admission", "yaml");
}
