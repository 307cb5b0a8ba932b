//! `docs/coverage.md` names fields, templates, commands, rules, codes and tests: each of them is there.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tenantry::diagnostics::catalogue;
use tenantry::model::kinds::{KINDS, json_schema};

use crate::support::{files_below, repository_path};

/// The texts in backquotes of a cell.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether a kind's schema has a field: `Tenant.limits.maxConcurrentJobs`; items of lists and free maps are passed over.
fn is_field(path: &str) -> bool {
    let mut steps = path.split('.');
    let Some(schema) = steps.next().and_then(json_schema) else {
        return false;
    };
    let mut at = &schema["properties"]["spec"];
    for step in steps {
        loop {
            if let Some(reference) = at["$ref"].as_str() {
                at = schema.pointer(reference.trim_start_matches('#')).unwrap();
            } else if let Some(one) = at["anyOf"].as_array() {
                at = one.iter().find(|one| one["type"] != "null").unwrap();
            } else if at["items"].is_object() {
                at = &at["items"];
            } else {
                break;
            }
        }
        at = &at["properties"][step];
        if at.is_null() {
            return false;
        }
    }
    true
}

fn is_command(command: &str) -> bool {
    let words = command.split(' ').skip(1);
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(words)
        .arg("--help")
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn every_row_names_what_is_there() {
    let text = fs::read_to_string(repository_path("docs/coverage.md")).unwrap();
    let templates = files_below(&repository_path("templates"));
    let rules: BTreeSet<String> = files_below(&repository_path("policies"))
        .into_keys()
        .map(|path| {
            path.rsplit('/')
                .next()
                .unwrap()
                .trim_end_matches(".yaml")
                .to_owned()
        })
        .collect();
    let codes: BTreeSet<&str> = catalogue::all().map(|code| code.id).collect();
    let sources = [
        "tests/it",
        "conformance/tests/it",
        "conformance/round-trips/tests/it",
    ]
    .map(|folder| files_below(&repository_path(folder)));
    let is_test = |name: &str| {
        let Some((module, function)) = name.split_once("::") else {
            return false;
        };
        let file = format!("{module}.rs");
        let mut sources = sources.iter().filter_map(|folder| folder.get(&file));
        sources.any(|source| String::from_utf8_lossy(source).contains(&format!("fn {function}(")))
    };
    let is_case = |name: &str| repository_path("tests/ui").join(name).is_dir();
    let is_code_or_rule = |name: &str| codes.contains(name) || rules.contains(name);
    let mut wrong = Vec::new();
    let (mut rows, mut fields) = (0, BTreeSet::new());
    for line in text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| item"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [item, declared, rendered, guarded, shown] = cells.as_slice() else {
            wrong.push(format!("not five cells: {line}"));
            continue;
        };
        rows += 1;
        let mut check = |what: &str, cell: &str, is_there: &dyn Fn(&str) -> bool| {
            for name in quoted(cell).into_iter().filter(|name| !is_there(name)) {
                wrong.push(format!("{item}: no {what} `{name}`"));
            }
        };
        check("kind", declared, &|name| {
            KINDS.contains(&name.split('.').next().unwrap_or_default())
        });
        fields.extend(
            quoted(declared)
                .into_iter()
                .filter(|name| name.contains('.')),
        );
        check("template or command", rendered, &|name| {
            templates.contains_key(name)
                || name.starts_with("tenantry ") && is_command(name)
                || name == "context"
        });
        check("rule or code", guarded, &|name| {
            is_code_or_rule(name) || name == "defaults/roles.yaml"
        });
        check("test", shown, &|name| is_test(name) || is_case(name));
        if quoted(shown).is_empty() {
            wrong.push(format!("{item}: no test"));
        }
    }
    wrong.extend(
        fields
            .into_iter()
            .filter(|field| !is_field(field))
            .map(|field| format!("no field `{field}`")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 150, "{rows} rows");
}
