//! `cargo bench -p bench`: cold runs of the whole process, on generated platforms of N tenants × 4
//! components (8 objects a tenant, 6 a component: 32 objects a tenant), as ratios in one run.
//!
//! `cargo bench -p bench -- 1000` takes only that size; `cargo bench -p bench -- generate 1000 DIR` only writes the
//! platform.

#![allow(
    clippy::disallowed_methods,
    reason = "a measurement writes its own input"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
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
    println!("{:<44} {:>9} {:>9}  limit", "what", "time", "ratio");
    startup();
    let mut thousand = None;
    for tenants in [1_000, 10_000] {
        if only.is_none_or(|only| only == tenants) {
            let time = scale(tenants, thousand);
            thousand.get_or_insert(time);
        }
    }
}

fn row(what: &str, time: Duration, ratio: Option<f64>, limit: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} ×"));
    println!(
        "{what:<44} {:>7.0}ms {ratio:>9}  {limit}",
        time.as_secs_f64() * 1000.0
    );
}

/// The best of several runs: what the work costs when nothing is in the way.
fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(|_| once(&mut run)).min().unwrap_or_default()
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

/// `check` of the examples, against starting Python.
fn startup() {
    let python = best(10, || {
        quiet(Command::new("python3").args(["-c", "import json"]));
    });
    row("python3 -c 'import json'", python, None, "");
    for (example, limit) in [("quickstart", 2.0), ("acme", 20.0)] {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .join("examples")
            .join(example);
        let time = best(10, || {
            quiet(
                Command::new(TENANTRY)
                    .arg("check")
                    .arg(&folder)
                    .arg("--quiet"),
            );
        });
        let ratio = time.as_secs_f64() / python.as_secs_f64();
        row(
            &format!("check examples/{example}"),
            time,
            Some(ratio),
            &format!("{limit} × python3"),
        );
    }
}

fn scale(tenants: usize, thousand: Option<Duration>) -> Duration {
    let folder = std::env::temp_dir().join(format!("tenantry-bench-{tenants}"));
    let _ = fs::remove_dir_all(&folder);
    let (input, output, copy) = (
        folder.join("input"),
        folder.join("output"),
        folder.join("copy"),
    );
    generate(&input, tenants, false);
    let render = || {
        let mut command = Command::new(TENANTRY);
        command
            .arg("render")
            .arg(&input)
            .arg("--out")
            .arg(&output)
            .arg("--quiet");
        command
    };
    let runs = if tenants > 1_000 { 2 } else { 5 };
    let mut memory = 0;
    let (mut cold, mut copying) = (Duration::MAX, Duration::MAX);
    // In turns, so that a disk that gets slower or faster does so for both.
    for _ in 0..runs {
        let _ = fs::remove_dir_all(&output);
        cold = cold.min(best(1, || memory = memory.max(peak_memory(render()))));
        let _ = fs::remove_dir_all(&copy);
        copying = copying.min(best(1, || {
            quiet(Command::new("cp").arg("-r").arg(&output).arg(&copy));
        }));
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
        Some(cold.as_secs_f64() / copying.as_secs_f64()),
        "4 × cp -r",
    );
    if let Some(thousand) = thousand {
        row(
            "  against 1,000 tenants",
            cold,
            Some(cold.as_secs_f64() / thousand.as_secs_f64()),
            "11 ×",
        );
    }
    println!(
        "{:<44} {:>7}MB {:>9}  1500 MB",
        "  peak memory",
        memory / 1024,
        ""
    );
    let again = best(runs, || quiet(&mut render()));
    row(
        "  again, nothing changed",
        again,
        Some(again.as_secs_f64() / cold.as_secs_f64()),
        "",
    );
    let check = best(runs, || {
        quiet(
            Command::new(TENANTRY)
                .arg("check")
                .arg(&input)
                .arg("--quiet"),
        );
    });
    row(
        "  check",
        check,
        Some(check.as_secs_f64() / cold.as_secs_f64()),
        "",
    );
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
    let mut times = [Duration::MAX; 2];
    for _ in 0..runs {
        for (input, time) in inputs.iter().zip(&mut times) {
            let _ = fs::remove_dir_all(&output);
            let mut command = Command::new(TENANTRY);
            command
                .arg("render")
                .arg(input)
                .arg("--out")
                .arg(&output)
                .arg("--quiet");
            *time = (*time).min(best(1, || quiet(&mut command)));
        }
    }
    row("  render, without policies", times[0], None, "");
    row(
        "  render, with all packs",
        times[1],
        Some(times[1].as_secs_f64() / times[0].as_secs_f64()),
        "2 × without",
    );
}

/// `diff` of nothing, of one tenant, and of what all tenants have, against one `render`.
fn reviews(input: &Path, render: Duration, runs: usize) {
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
    let diff = || {
        let mut command = Command::new(TENANTRY);
        command
            .arg("diff")
            .arg(input)
            .args(["--base", "HEAD", "--quiet"]);
        command
    };
    let edit = |file: &str, from: &str, to: &str| {
        let path = input.join(file);
        let text = fs::read_to_string(&path).expect("it was generated");
        assert!(text.contains(from), "{file} has {from}");
        fs::write(&path, text.replace(from, to)).expect("it can be written");
    };
    let measure = |what: &str, limit: &str| {
        let mut memory = 0;
        let time = best(runs, || memory = memory.max(peak_memory(diff())));
        let ratio = time.as_secs_f64() / render.as_secs_f64();
        row(&format!("  diff, {what}"), time, Some(ratio), limit);
        memory
    };
    measure("nothing changed", "1.5 × render");
    edit(
        "tenants/tenant-00000.yaml",
        "maxReplicas: 4",
        "maxReplicas: 6",
    );
    measure("one tenant changed", "2.5 × render");
    edit("components/ingest.yaml", "tag: 1.2.0", "tag: 1.3.0");
    let memory = measure("an image of all tenants changed", "");
    println!("{:<44} {:>7}MB", "    peak memory", memory / 1024);
}

/// The peak resident memory of a command, in KiB, as the kernel counts it.
fn peak_memory(mut command: Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line
            .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0)
            .max(peak);
        match child.try_wait().expect("it can be waited for") {
            Some(status) => {
                assert!(status.success(), "{command:?} failed");
                return peak;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// A platform of so many tenants, each with four components; with all packs of policies, or none.
fn generate(folder: &Path, tenants: usize, packs: bool) {
    const COMPONENTS: [&str; 4] = ["ingest", "transform", "serve", "report"];
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
    for component in COMPONENTS {
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
    for number in 0..tenants {
        let name = format!("tenant-{number:05}");
        let mut text = format!(
            "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata:\n  name: {name}\nspec:\n  displayName: Tenant {number}\n  owner: team-{}\n  contacts: {{incidents: oncall@tenants.example}}\n  tier: enterprise\n  \
             residency: [eu]\n  billing:\n    costCenter: cc-{}\n    monthlyBudget: 500\n  environments:\n    production:\n      values:\n        scaling:\n          maxReplicas: 4\n  components:\n",
            number % 50,
            number % 200
        );
        for component in COMPONENTS {
            let _ = writeln!(
                text,
                "    - component: {component}\n      version: ^1\n      values:\n        env:\n          - name: BATCH_SIZE\n            value: \"{}\"\n        resources:\n          cpu: {}m\n          memory: 1Gi",
                number % 17 + 1,
                250 + number % 5 * 50
            );
        }
        write(format!("tenants/{name}.yaml"), text);
    }
}
