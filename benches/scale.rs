//! `cargo bench -p bench`: cold runs of the whole process, on generated platforms of N tenants × 4
//! components (8 objects a tenant, 6 a component: 32 objects a tenant), as ratios in one run.
//!
//! `cargo bench -p bench -- 1000` takes only that size; `cargo bench -p bench -- generate 1000 DIR` only writes the
//! platform. With `JSONNET=FILE`, `jrsonnet` renders that file beside it: a like platform of as many tenants. The output
//! goes to `TMPDIR`; `/dev/shm` is memory.

#![allow(
    clippy::disallowed_methods,
    reason = "a measurement writes its own input"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The release binary, which `main` builds first.
const TENANTRY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/tenantry");

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if let [command, tenants, folder] = arguments.as_slice()
        && command == "generate"
    {
        generate(
            Path::new(folder),
            tenants.parse().expect("a number of tenants"),
            false,
        );
        return;
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--package", "tenantry"])
        .status();
    assert!(
        built.is_ok_and(|built| built.success()),
        "the product is built"
    );
    let only: Option<usize> = arguments.first().and_then(|argument| argument.parse().ok());
    println!(
        "{:<44} {:>9} {:>9} {:>8} {:>9}  limit",
        "what", "time", "processor", "memory", "ratio"
    );
    startup();
    let mut thousand = None;
    for tenants in [1_000, 10_000] {
        if only.is_none_or(|only| only == tenants) {
            let time = scale(tenants, thousand);
            thousand.get_or_insert(time);
        }
    }
}

/// What a command cost.
#[derive(Clone, Copy)]
struct Cost {
    /// By the clock.
    time: Duration,
    /// Of all processors.
    processor: Duration,
    /// The most resident memory, in KiB.
    memory: u64,
}

impl Cost {
    const MOST: Cost = Cost {
        time: Duration::MAX,
        processor: Duration::MAX,
        memory: 0,
    };

    /// The better time of each kind, and the greater memory.
    fn best(self, other: Cost) -> Cost {
        Cost {
            time: self.time.min(other.time),
            processor: self.processor.min(other.processor),
            memory: self.memory.max(other.memory),
        }
    }

    fn over(self, other: Cost) -> f64 {
        self.time.as_secs_f64() / other.time.as_secs_f64()
    }
}

fn row(what: &str, cost: Cost, ratio: Option<f64>, limit: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} ×"));
    println!(
        "{what:<44} {:>7.0}ms {:>7.0}ms {:>6}MB {ratio:>9}  {limit}",
        cost.time.as_secs_f64() * 1000.0,
        cost.processor.as_secs_f64() * 1000.0,
        cost.memory / 1024,
    );
}

/// Runs a command, and measures it: GNU time tells what the kernel counted.
fn measured(command: &Command) -> Cost {
    let mut timed = Command::new("/usr/bin/time");
    timed
        .args(["--format", "%U %S %M", "--output"])
        .arg(figures())
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = timed.status();
    let time = start.elapsed();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{command:?} failed"
    );
    let text = fs::read_to_string(figures()).expect("GNU time writes it");
    let mut figures = text
        .split_whitespace()
        .map(|figure| figure.parse::<f64>().unwrap_or(0.0));
    let mut next = || figures.next().unwrap_or(0.0);
    let processor = next() + next();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "KiB of memory"
    )]
    let memory = next() as u64;
    Cost {
        time,
        processor: Duration::from_secs_f64(processor),
        memory,
    }
}

fn figures() -> PathBuf {
    std::env::temp_dir().join(format!("tenantry-bench-{}", std::process::id()))
}

/// The best of several runs: what the work costs when nothing is in the way.
fn best(runs: usize, command: &Command) -> Cost {
    (0..runs).fold(Cost::MOST, |best, _| best.best(measured(command)))
}

fn quiet(command: &mut Command) {
    let status = command
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{command:?} failed"
    );
}

fn tenantry(command: &str, folder: &Path) -> Command {
    let mut tenantry = Command::new(TENANTRY);
    tenantry.arg(command).arg(folder).arg("--quiet");
    tenantry
}

/// `check` of the examples, against each other: what a real repository costs beyond starting.
fn startup() {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
    let quickstart = best(10, &tenantry("check", &examples.join("quickstart")));
    row("check examples/quickstart", quickstart, None, "");
    let acme = best(10, &tenantry("check", &examples.join("acme")));
    row(
        "check examples/acme",
        acme,
        Some(acme.over(quickstart)),
        "90 ms of processor more",
    );
}

fn scale(tenants: usize, thousand: Option<Cost>) -> Cost {
    let folder = std::env::temp_dir().join(format!("tenantry-bench-{tenants}"));
    let _ = fs::remove_dir_all(&folder);
    let (input, output, copy) = (
        folder.join("input"),
        folder.join("output"),
        folder.join("copy"),
    );
    generate(&input, tenants, false);
    let mut render = tenantry("render", &input);
    render.arg("--out").arg(&output);
    let mut copies = Command::new("cp");
    copies.arg("-r").arg(&output).arg(&copy);
    let runs = if tenants > 1_000 { 2 } else { 5 };
    let peer = std::env::var_os("JSONNET").filter(|_| tenants == 1_000);
    let (mut cold, mut copying, mut jsonnet) = (Cost::MOST, Cost::MOST, Cost::MOST);
    // In turns, so that a disk that gets slower or faster does so for all.
    for _ in 0..runs {
        let _ = fs::remove_dir_all(&output);
        cold = cold.best(measured(&render));
        let _ = fs::remove_dir_all(&copy);
        copying = copying.best(measured(&copies));
        if let Some(file) = &peer {
            let _ = fs::remove_dir_all(&copy);
            let mut command = Command::new("jrsonnet");
            command.args(["-S", "-c", "-m"]).arg(&copy).arg(file);
            jsonnet = jsonnet.best(measured(&command));
        }
    }
    row(
        &format!("cp -r of the output, {tenants} tenants"),
        copying,
        None,
        "",
    );
    row(
        &format!("render, {tenants} tenants, {} objects", tenants * 32),
        cold,
        Some(cold.over(copying)),
        "2.5 × cp -r",
    );
    if peer.is_some() {
        row(
            "  jrsonnet, a like platform",
            jsonnet,
            Some(jsonnet.over(cold)),
            "at least 2.5 × render",
        );
    }
    if let Some(thousand) = thousand {
        let ratio = cold.processor.as_secs_f64() / thousand.processor.as_secs_f64();
        row(
            "  against 1,000 tenants, of the processor",
            cold,
            Some(ratio),
            "11 ×, 600 MB",
        );
    }
    let again = best(runs, &render);
    row(
        "  again, nothing changed",
        again,
        Some(again.over(cold)),
        "",
    );
    let check = best(runs, &tenantry("check", &input));
    row("  check", check, Some(check.over(cold)), "");
    if tenants == 1_000 {
        let one = folder.join("one");
        generate_one(&one, 4 * tenants);
        let mut command = tenantry("render", &one);
        command.arg("--out").arg(folder.join("of-one"));
        let cost = measured(&command);
        let ratio = cost.processor.as_secs_f64() / cold.processor.as_secs_f64();
        row(
            "  4,000 components of one tenant",
            cost,
            Some(ratio),
            "1.5 × of the processor",
        );
    }
    policies(&folder, tenants, runs);
    reviews(&input, cold, runs);
    let _ = fs::remove_dir_all(&folder);
    cold
}

/// `render` with all packs of policies in use, against the same without: in turns, into an empty
/// folder each time.
fn policies(folder: &Path, tenants: usize, runs: usize) {
    let inputs = [folder.join("without"), folder.join("with")];
    generate(&inputs[0], tenants, false);
    generate(&inputs[1], tenants, true);
    let output = folder.join("judged");
    let mut costs = [Cost::MOST; 2];
    for _ in 0..runs {
        for (input, cost) in inputs.iter().zip(&mut costs) {
            let _ = fs::remove_dir_all(&output);
            let mut command = tenantry("render", input);
            command.arg("--out").arg(&output);
            *cost = cost.best(measured(&command));
        }
    }
    row("  render, without policies", costs[0], None, "");
    row(
        "  render, with all packs",
        costs[1],
        Some(costs[1].over(costs[0])),
        "1.5 × without",
    );
    let [_, with] = inputs;
    commit(&with);
    edit(&with, "components/ingest.yaml", "tag: 1.2.0", "tag: 1.3.0");
    let mut diff = tenantry("diff", &with);
    diff.args(["--base", "HEAD"]);
    let cost = best(runs, &diff);
    row(
        "  diff, an image of all tenants, all packs",
        cost,
        Some(cost.over(costs[1])),
        "2 × render",
    );
}

fn commit(input: &Path) {
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "--quiet",
            "--message=base",
        ],
    ] {
        quiet(Command::new("git").args(arguments).current_dir(input));
    }
}

fn edit(input: &Path, file: &str, from: &str, to: &str) {
    let path = input.join(file);
    let text = fs::read_to_string(&path).expect("it was generated");
    assert!(text.contains(from), "{file} has {from}");
    fs::write(&path, text.replace(from, to)).expect("it can be written");
}

/// `diff` of nothing, of one tenant, and of what all tenants have, against one `render`.
fn reviews(input: &Path, render: Cost, runs: usize) {
    commit(input);
    let measure = |what: &str, limit: &str| {
        let mut command = tenantry("diff", input);
        command.args(["--base", "HEAD"]);
        let cost = best(runs, &command);
        row(
            &format!("  diff, {what}"),
            cost,
            Some(cost.over(render)),
            limit,
        );
    };
    measure("nothing changed", "1.5 × render");
    edit(
        input,
        "tenants/tenant-00000.yaml",
        "maxReplicas: 4",
        "maxReplicas: 6",
    );
    measure("one tenant changed", "1.5 × render");
    edit(input, "components/ingest.yaml", "tag: 1.2.0", "tag: 1.3.0");
    measure("an image of all tenants changed", "1.5 × render");
}

/// A platform of so many tenants, each with four components; with all packs of policies, or none.
fn generate(folder: &Path, tenants: usize, packs: bool) {
    let components = ["ingest", "transform", "serve", "report"].map(str::to_owned);
    let names = (0..tenants).map(|number| format!("tenant-{number:05}"));
    write_platform(folder, &names.collect::<Vec<_>>(), &components, packs);
}

/// A platform of one tenant with so many components.
fn generate_one(folder: &Path, components: usize) {
    let components = (0..components).map(|number| format!("component-{number:05}"));
    let components: Vec<String> = components.collect();
    write_platform(folder, &["globex".to_owned()], &components, false);
}

fn write_platform(folder: &Path, tenants: &[String], components: &[String], packs: bool) {
    for part in ["tenants", "components"] {
        fs::create_dir_all(folder.join(part)).expect("the folder can be made");
    }
    let write = |path: String, text: String| {
        fs::write(folder.join(path), text).expect("the file can be written");
    };
    // Some rules ask for what these documents do not say; that is to be counted, not to stop the work.
    let packs = if packs {
        let names = [
            "baseline", "soc2", "gdpr", "hipaa", "pci-dss", "sox", "iso27001",
        ];
        let used: Vec<String> = names
            .iter()
            .map(|name| format!("{name}: {{enforcement: audit}}"))
            .collect();
        format!(", policyPacks: {{{}}}", used.join(", "))
    } else {
        String::new()
    };
    write(
        "tenantry.yaml".to_owned(),
        format!(
            "apiVersion: tenantry.dev/v1\nkind: Platform\nmetadata: {{name: bench}}\nspec: {{organization: Bench, labelPrefix: bench.example{packs}}}\n"
        ) + "\
         ---\napiVersion: tenantry.dev/v1\nkind: Cluster\nmetadata: {name: eu-1}\nspec: {region: eu-central-1, residency: eu, kubernetesVersion: \"1.37\"}\n\
         ---\napiVersion: tenantry.dev/v1\nkind: Environment\nmetadata: {name: production}\nspec: {stage: production, clusters: [eu-1]}\n\
         ---\napiVersion: tenantry.dev/v1\nkind: Context\nmetadata: {name: global}\nspec:\n  scope: {level: global}\n  values:\n    probes: {liveness: {failureThreshold: 5}}\n  lock: [security]\n",
    );
    for component in components {
        write(
            format!("components/{component}.yaml"),
            format!(
                "apiVersion: tenantry.dev/v1\nkind: Component\nmetadata: {{name: {component}}}\nspec:\n  version: 1.2.0\n  owner: team-{component}\n  \
                 capabilities: [{component}]\n  dataFormats: [json]\n  workload:\n    type: service\n    image: registry.example.com/{component}\n    tag: 1.2.0\n    \
                 ports:\n      - {{name: http, port: 8080}}\n      - {{name: metrics, port: 9090}}\n    env:\n      - {{name: LOG_LEVEL, value: info}}\n      - {{name: REGION, value: eu}}\n    \
                 network:\n      egress:\n        - {{name: database, cidr: 10.0.0.0/8, ports: [{{port: 5432}}]}}\n"
            ),
        );
    }
    // Many components of one tenant ask for little each, within its quota.
    let (unit, memory) = if components.len() > 4 {
        (1, "16Mi")
    } else {
        (50, "1Gi")
    };
    for (number, name) in tenants.iter().enumerate() {
        let mut text = format!(
            "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata:\n  name: {name}\nspec:\n  displayName: Tenant {number}\n  owner: team-{}\n  contacts: {{incidents: oncall@tenants.example}}\n  tier: enterprise\n  \
             residency: [eu]\n  billing:\n    costCenter: cc-{}\n    monthlyBudget: 500\n  environments:\n    production:\n      values:\n        scaling:\n          maxReplicas: 4\n  components:\n",
            number % 50,
            number % 200
        );
        for component in components {
            let _ = writeln!(
                text,
                "    - component: {component}\n      version: ^1\n      values:\n        env:\n          - name: BATCH_SIZE\n            value: \"{}\"\n        resources:\n          cpu: {}m\n          memory: {memory}",
                number % 17 + 1,
                5 * unit + number % 5 * unit
            );
        }
        write(format!("tenants/{name}.yaml"), text);
    }
}
