//! Any bytes as a file of a repository, and as a template: findings, never a panic.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use tenantry::diagnostics::Sources;
use tenantry::load::Source;
use tenantry::model::instance::Unit;
use tenantry::engine::manifest::Rendered;
use tenantry::resolve::Selection;
use tenantry::{Options, Shard, Visitor, compile};

struct Nothing;

impl Visitor for Nothing {
    fn unit(&self, _: &Unit, _: &[Rendered], _: &Sources) -> std::io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    for part in ["components", "tenants", "templates/component"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    fs::write(root.join("tenantry.yaml"), include_str!("../../examples/quickstart/tenantry.yaml")).expect("a file");
    fs::write(root.join("components/web.yaml"), include_str!("../../examples/quickstart/components/web.yaml")).expect("a file");
    let tenant = [include_bytes!("../../examples/quickstart/tenants/globex.yaml"), input.0].concat();
    fs::write(root.join("tenants/globex.yaml"), tenant).expect("a file");
    let template = [b"{#-\nscope: component\n-#}\n", input.1].concat();
    fs::write(root.join("templates/component/fuzz.yaml"), template).expect("a file");
    let options = Options {
        source: Source::Folder { root: root.to_path_buf(), },
        extra: Vec::new(),
        selection: Selection::default(),
        as_of: jiff::civil::date(2026, 6, 1),
        shard: Shard::WHOLE,
        baseline: None,
        gives_evidence: false,
    };
    let compilation = compile(&options, None, &Nothing).expect("the folder can be read");
    for (_, format) in tenantry::report::Format::ALL {
        let _ = tenantry::report::findings(format, &compilation.findings, &compilation.sources, false);
    }
});
