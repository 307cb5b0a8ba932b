//! `tenantry policy`: runs policies' own cases, judges manifests, lists policies, takes those of others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value as Json, json};

use super::arguments::{
    Arguments, PolicyCommand, PolicyEvalCommand, PolicyImportCommand, PolicyListCommand,
    PolicyTestCommand,
};
use super::present::{self, DIM, NAME, STRONG, plural, styled};
use super::{DENIED, DONE, FAILED};
use tenantry::load;
use tenantry::model::catalog::Document;
use tenantry::model::kinds::Policy;
use tenantry::model::kinds::policy::Operation;
use tenantry::policy::cases;
use tenantry::policy::manifests::{self, Answer, JudgedManifest};
use tenantry::policy::rules::Rule;
use tenantry::policy::{Policies, PolicyInput};
use tenantry::report::{self, Format};
use tenantry::validate;
use tenantry_engine::view::View;
use tenantry_kubernetes::object_id::ObjectId;
use tenantry_syntax::diagnostics::{Sink, SourceFile, Sources, suggest};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

/// Runs the command.
pub fn run(command: &PolicyCommand, arguments: &Arguments) -> Result<u8> {
    match command {
        PolicyCommand::Test(command) => test(command, arguments),
        PolicyCommand::Eval(command) => eval(command, arguments),
        PolicyCommand::List(command) => list(command, arguments),
        PolicyCommand::Import(command) => import(command),
    }
}

/// Policies from files, with all that they were read from.
struct PolicyFiles {
    sources: Sources,
    sink: Sink,
    ours: Vec<Document<Policy>>,
    others: Vec<Node>,
}

/// The YAML files of a path: itself, or those below it.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in ignore::WalkBuilder::new(path).build() {
        let entry = entry.with_context(|| format!("{} cannot be read", path.display()))?;
        let is_yaml = load::is_yaml_path(&entry.path().to_string_lossy());
        if entry.file_type().is_some_and(|kind| kind.is_file()) && is_yaml {
            found.push(entry.into_path());
        }
    }
    if found.is_empty() {
        bail!("{} has no YAML files", path.display());
    }
    found.sort();
    Ok(found)
}

impl PolicyFiles {
    fn new() -> PolicyFiles {
        PolicyFiles {
            sources: Sources::default(),
            sink: Sink::default(),
            ours: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Reads documents of any API.
    fn documents(&mut self, paths: &[PathBuf]) -> Result<Vec<Node>> {
        let mut trees = Vec::new();
        for path in paths {
            for file in files(path)? {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("{} cannot be read", file.display()))?;
                let index = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
                let parsed = parse(&text, index);
                self.sources.add(SourceFile {
                    path: file.display().to_string(),
                    text: text.into(),
                    spans: parsed.spans,
                    from_command_line: false,
                });
                for (range, problem) in parsed.problems {
                    self.sink.push(load::problem(index, range, problem));
                }
                trees.extend(
                    parsed
                        .documents
                        .into_iter()
                        .filter(|tree| tree.as_map().is_some()),
                );
            }
        }
        Ok(flattened(trees))
    }

    /// Reads policies: ours, and the API server's own with their bindings and parameters.
    fn policies(&mut self, paths: &[PathBuf]) -> Result<Vec<Rule>> {
        let trees = self.documents(paths)?;
        let (ours, others): (Vec<Node>, Vec<Node>) = trees.into_iter().partition(|tree| {
            let version = tree.get("apiVersion").and_then(Node::as_str);
            version.is_some_and(|version| version.starts_with("tenantry.dev/"))
        });
        let none = std::collections::BTreeMap::new();
        let validated = validate::run(&ours, &none, &self.sources, &mut self.sink);
        self.ours.extend(validated.catalog.policies.iter().cloned());
        self.others.extend(others);
        Ok(cases::compile(
            &self.ours,
            &self.others,
            &self.sources,
            &mut self.sink,
        ))
    }

    fn show(self, format: Format, color: bool) -> Result<(usize, bool)> {
        let errors = self.sink.has_errors();
        let findings = self.sink.finish(&self.sources);
        present::print(&report::findings(format, &findings, &self.sources, color))?;
        Ok((findings.len(), errors))
    }
}

/// The items of lists, as `kubectl get -o yaml` prints them.
fn flattened(trees: Vec<Node>) -> Vec<Node> {
    let mut flat = Vec::new();
    for tree in trees {
        let is_list = tree
            .get("kind")
            .and_then(Node::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        match tree.get("items").and_then(Node::as_list) {
            Some(items) if is_list => flat.extend(items.iter().cloned()),
            _ => flat.push(tree),
        }
    }
    flat
}

fn test(command: &PolicyTestCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let mut held = 0;
    let mut failed = 0;
    let mut count = 0;
    let mut lines = String::new();
    let mut run = |rules: &[Rule], sources: &Sources, sink: &mut Sink| {
        for rule in rules
            .iter()
            .filter(|rule| command.policies.is_empty() || command.policies.contains(&rule.name))
        {
            let tally = cases::run(rule, sources, sink);
            held += tally.held;
            failed += tally.failed;
            count += 1;
            if command.verbose {
                let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
                let _ = writeln!(
                    lines,
                    "{verdict:<7} {:<40} {}",
                    rule.name,
                    plural(tally.held + tally.failed, "case")
                );
            }
        }
    };
    let (found, errors) = if command.paths.is_empty() {
        let mut sources = Sources::default();
        let mut sink = Sink::default();
        // Without a repository around, the built-in policies are tested.
        let start = arguments.directory.as_deref();
        let (catalog, _) = present::documents(start, &mut sources, &mut sink)?;
        let documents: Vec<Document<Policy>> = catalog.policies.iter().cloned().collect();
        let rules = cases::compile(&documents, &[], &sources, &mut sink);
        run(&rules, &sources, &mut sink);
        let read = PolicyFiles {
            sources,
            sink,
            ours: Vec::new(),
            others: Vec::new(),
        };
        read.show(Format::Text, color)?
    } else {
        let mut read = PolicyFiles::new();
        let rules = read.policies(&command.paths)?;
        run(&rules, &read.sources.clone(), &mut read.sink);
        read.show(Format::Text, color)?
    };
    let _ = found;
    present::print(&lines)?;
    let total = held + failed;
    let summary = format!(
        "{}, {}: {held} held, {failed} did not.",
        plural(count, "policy"),
        plural(total, "case")
    );
    println!("{}", styled(&summary, STRONG, color));
    if count == 0 && !errors {
        bail!("there is no such policy; `tenantry policy list` shows all");
    }
    Ok(if failed > 0 || errors { FAILED } else { DONE })
}

fn operation(word: &str) -> Result<Operation> {
    Ok(match word.to_ascii_uppercase().as_str() {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        "CONNECT" => Operation::Connect,
        _ => bail!("--operation takes CREATE, UPDATE, DELETE or CONNECT, not `{word}`"),
    })
}

fn eval(command: &PolicyEvalCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let operation = match &command.operation {
        Some(word) => operation(word)?,
        None if command.old.is_some() => Operation::Update,
        None => Operation::Create,
    };
    let format = match command.output.as_deref() {
        None | Some("text") => None,
        Some("json") => Some(()),
        Some(other) => bail!("policy eval writes text or json, not `{other}`"),
    };
    let mut read = PolicyFiles::new();
    let mut paths = command.policies.clone();
    paths.extend(command.params.iter().cloned());
    let rules = read.policies(&paths)?;
    let params = parameters(command, &mut read)?;
    let manifests = read.documents(&command.manifests)?;
    let old = match &command.old {
        Some(path) => read.documents(std::slice::from_ref(path))?,
        None => Vec::new(),
    };
    if rules.is_empty() && !read.sink.has_errors() {
        bail!("there is no policy in what -p names");
    }
    let id = |tree: &Node| ObjectId::of(View::of(tree));
    let mut answers: Vec<Answer> = Vec::new();
    let mut found = Sink::default();
    for tree in &manifests {
        let namespace = tree.at(&["metadata", "namespace"]).and_then(Node::as_str);
        let namespace = manifests.iter().find(|other| {
            let id = id(other);
            id.kind == "Namespace" && id.group.is_empty() && Some(id.name.as_str()) == namespace
        });
        for rule in &rules {
            let manifest = JudgedManifest {
                object: tree,
                old: old.iter().find(|other| id(other) == id(tree)),
                namespace,
                operation,
            };
            answers.push(manifests::evaluate(
                rule,
                &manifest,
                &params,
                &read.sources,
                &mut found,
            ));
        }
    }
    let broken = read.sink.has_errors();
    let denied = found.has_denials();
    read.sink.append(found);
    if format.is_some() {
        let findings = read.sink.finish(&read.sources);
        let broken: Vec<Json> = findings
            .iter()
            .filter(|finding| finding.is_error())
            .map(|finding| json!({"code": finding.code.id, "message": finding.message}))
            .collect();
        let results: Vec<Json> = answers.iter().map(answer).collect();
        let report = json!({"formatVersion": 1, "results": results, "errors": broken});
        present::print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    } else {
        read.show(Format::Text, color)?;
        let count = |result: &str| {
            answers
                .iter()
                .filter(|answer| answer.result == result)
                .count()
        };
        let summary = format!(
            "{} by {}: {} pass, {} fail, {} not judged, {} undecided.",
            plural(manifests.len(), "manifest"),
            plural(rules.len(), "policy"),
            count("pass"),
            count("fail"),
            count("skip"),
            count("undecided"),
        );
        println!("{}", styled(&summary, STRONG, color));
    }
    Ok(if broken {
        FAILED
    } else if denied {
        DENIED
    } else {
        DONE
    })
}

fn answer(answer: &Answer) -> Json {
    json!({
        "policy": answer.policy,
        "object": answer.object,
        "namespace": answer.namespace,
        "result": answer.result,
        "messages": answer.messages,
        "paths": answer.paths,
        "auditAnnotations": answer.audit,
    })
}

/// Parameters of our own policies: a map of values, when the file is no object of an API.
fn parameters(command: &PolicyEvalCommand, read: &mut PolicyFiles) -> Result<Node> {
    let mut found = cases::no_parameters();
    for path in &command.params {
        for tree in read.documents(std::slice::from_ref(path))? {
            if tree.get("apiVersion").is_none() {
                found = tenantry_syntax::yaml::merge::over(&found, &tree);
            }
        }
    }
    Ok(found)
}

fn list(command: &PolicyListCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let mut sources = Sources::default();
    let mut sink = Sink::default();
    let start = command.path.clone().or_else(|| arguments.directory.clone());
    let (catalog, admission) = present::documents(start.as_deref(), &mut sources, &mut sink)?;
    let input = PolicyInput {
        catalog: &catalog,
        admission: &admission,
        custom: std::collections::BTreeMap::new(),
        sources: &sources,
        as_of: present::today(),
        baseline: None,
        gives_evidence: false,
    };
    let policies = Policies::all(input, &mut sink);
    let wanted = |rule: &&Rule| {
        command
            .framework
            .as_ref()
            .is_none_or(|framework| rule.controls.contains_key(framework))
            && command.pack.as_ref().is_none_or(|pack| rule.pack == *pack)
    };
    let rules: Vec<&Rule> = policies.rules().iter().filter(wanted).collect();
    if rules.is_empty()
        && let Some(framework) = &command.framework
    {
        let known: BTreeSet<&str> = policies
            .rules()
            .iter()
            .flat_map(|rule| rule.controls.keys())
            .map(String::as_str)
            .collect();
        bail!(
            "no rule has a control of the framework `{framework}`; {}",
            suggest(framework, known.iter().copied()).unwrap_or_default()
        );
    }
    if command.json {
        let list: Vec<Json> = rules
            .iter()
            .map(|rule| {
                json!({
                    "name": rule.name,
                    "title": rule.title,
                    "pack": rule.pack,
                    "severity": rule.severity.name(),
                    "target": rule.target.name(),
                    "controls": rule.controls,
                    "enforcedInCluster": rule.compile_time_only.is_none(),
                    "compileTimeOnly": rule.compile_time_only,
                    "since": rule.since.map(|(minor, _)| format!("1.{minor}")),
                    "inUse": policies.is_in_use(rule),
                })
            })
            .collect();
        let report = json!({"formatVersion": 1, "policies": list});
        present::print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        return Ok(DONE);
    }
    let name_width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let pack_width = rules
        .iter()
        .map(|rule| rule.pack.len())
        .max()
        .unwrap_or(0)
        .max(3);
    let mut text = String::new();
    for rule in &rules {
        let pack = if rule.pack.is_empty() {
            "own"
        } else {
            &rule.pack
        };
        let _ = writeln!(
            text,
            "{} {}  {pack:<pack_width$}  {:<8}  {:<9}  {}  {}",
            if policies.is_in_use(rule) { "*" } else { " " },
            styled(&format!("{:<name_width$}", rule.name), NAME, color),
            rule.severity.name(),
            rule.target.name(),
            if rule.compile_time_only.is_none() {
                "cluster"
            } else {
                "compile"
            },
            rule.title,
        );
    }
    let enforced = rules
        .iter()
        .filter(|rule| rule.compile_time_only.is_none())
        .count();
    let _ = writeln!(
        text,
        "\n{}",
        styled(
            &format!(
                "{}; * in use here. {enforced} can be enforced in clusters, {} are judged at compile time only. `tenantry explain POLICY` tells more.",
                plural(rules.len(), "policy"),
                rules.len() - enforced
            ),
            DIM,
            color
        )
    );
    present::print(&text)?;
    Ok(DONE)
}

/// Turns admission policies into documents of ours, with everything that they say.
fn import(command: &PolicyImportCommand) -> Result<u8> {
    let mut read = PolicyFiles::new();
    let trees = read.documents(&command.files)?;
    let mut text = String::new();
    let mut count = 0;
    for tree in trees {
        if tree.get("kind").and_then(Node::as_str) != Some("ValidatingAdmissionPolicy") {
            continue;
        }
        let name = tree.at(&["metadata", "name"]).and_then(Node::as_str);
        let name = name.ok_or_else(|| anyhow!("an admission policy has no name"))?;
        let Some(spec) = tree.get("spec").map(Node::to_json) else {
            bail!("the admission policy {name} has no spec");
        };
        if !spec["paramKind"].is_null() {
            bail!(
                "the admission policy {name} takes its parameters from objects of the cluster; leave it as it is: it is read from the repository unchanged"
            );
        }
        let mut imported = json!({
            "apiVersion": tenantry::model::API_VERSION,
            "kind": "Policy",
            "metadata": {"name": name.replace('.', "-")},
            "spec": {"title": format!("Imported from the admission policy {name}"), "severity": "medium", "enforcement": "deny"},
        });
        if let (Json::Object(into), Json::Object(from)) = (&mut imported["spec"], spec) {
            for (key, value) in from {
                into.insert(key, value);
            }
            into.insert("tests".to_owned(), json!({"pass": [], "fail": []}));
        }
        if count > 0 {
            text.push_str("---\n");
        }
        tenantry_engine::writer::write_document(
            tenantry_engine::view::View::of(&Node::from_json(&imported)),
            &mut text,
        );
        count += 1;
    }
    if count == 0 {
        bail!("there is no ValidatingAdmissionPolicy in these files");
    }
    match &command.out {
        Some(path) if path.exists() => bail!("{} is there already", path.display()),
        Some(path) => {
            std::fs::write(path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            eprintln!(
                "{}: {}. Add cases below `tests`, then run `tenantry policy test`.",
                path.display(),
                plural(count, "policy")
            );
        }
        None => present::print(&text)?,
    }
    Ok(DONE)
}
