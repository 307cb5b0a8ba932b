//! The same input gives the same bytes, whatever the order of files, the threads, or how often.

use std::collections::BTreeMap;
use std::path::Path;

use tenantry::emit::Mode;
use tenantry::{OutputOptions, Shard, compile};

use crate::support::{Nothing, copy_folder, files_below, options, repository_path};

fn render(input: &Path, output: &Path, shard: Shard, threads: usize) -> String {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let mut options = options(input);
        options.shard = shard;
        let settings = OutputOptions {
            folder: output.to_path_buf(),
            mode: Mode::Write { force: false },
        };
        let compilation = compile(&options, Some(&settings), &Nothing).unwrap();
        tenantry::report::findings(
            tenantry::report::Format::Json,
            &compilation.findings,
            &compilation.sources,
            false,
        )
    })
}

fn bytes(input: &Path, threads: usize) -> (BTreeMap<String, Vec<u8>>, String) {
    let output = tempfile::tempdir().unwrap();
    let findings = render(input, output.path(), Shard::WHOLE, threads);
    (files_below(output.path()), findings)
}

#[test]
fn order_threads_and_repetition_do_not_show() {
    let example = repository_path("examples/acme");
    let shuffled = tempfile::tempdir().unwrap();
    // The same documents in files of other names, so that they come in another order.
    for (path, content) in files_below(&example)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml"))
    {
        let kept = ["templates/", "crds/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        let target = if kept {
            path.clone()
        } else {
            format!(
                "{:x}.yaml",
                path.bytes()
                    .rev()
                    .fold(7u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte))
            )
        };
        let target = shuffled.path().join(if path == "tenantry.yaml" {
            "tenantry.yaml".to_owned()
        } else {
            target
        });
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, content).unwrap();
    }
    let (expected, findings) = bytes(&example, 1);
    assert!(expected.len() > 50, "{findings}");
    for threads in [1, 8, 8] {
        assert_eq!(
            bytes(&example, threads),
            (expected.clone(), findings.clone()),
            "{threads} threads"
        );
    }
    let (other, _) = bytes(shuffled.path(), 8);
    assert_eq!(
        other.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (path, content) in &expected {
        assert_eq!(
            String::from_utf8_lossy(&other[path]),
            String::from_utf8_lossy(content),
            "{path}"
        );
    }
}

#[test]
fn shards_make_the_whole_and_share_nothing() {
    let example = repository_path("examples/acme");
    let (whole, _) = bytes(&example, 2);
    let mut together = BTreeMap::new();
    for number in 1..=3 {
        let output = tempfile::tempdir().unwrap();
        render(&example, output.path(), Shard { number, of: 3 }, 2);
        for (path, content) in files_below(output.path()) {
            assert!(
                together.insert(path.clone(), content).is_none(),
                "{path} is in two shards"
            );
        }
    }
    assert_eq!(together, whole);
    // Rendering the shards into one folder removes nothing of each other.
    let output = tempfile::tempdir().unwrap();
    for number in 1..=3 {
        render(&example, output.path(), Shard { number, of: 3 }, 2);
    }
    assert_eq!(files_below(output.path()), whole);
}

#[test]
fn only_what_changed_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    copy_folder(&repository_path("examples/quickstart"), &input, true);
    let tenant = std::fs::read_to_string(input.join("tenants/globex.yaml")).unwrap();
    std::fs::write(
        input.join("tenants/initech.yaml"),
        tenant.replace("globex", "initech"),
    )
    .unwrap();
    render(&input, &output, Shard::WHOLE, 2);
    let times = |output: &Path| -> BTreeMap<String, std::time::SystemTime> {
        files_below(output)
            .into_keys()
            .map(|path| {
                (
                    path.clone(),
                    output.join(path).metadata().unwrap().modified().unwrap(),
                )
            })
            .collect()
    };
    let before = times(&output);
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(
        input.join("tenants/initech.yaml"),
        tenant.replace("globex", "initech").replace(
            "version: ^1",
            "version: ^1\n      values: {scaling: {maxReplicas: 1}}",
        ),
    )
    .unwrap();
    render(&input, &output, Shard::WHOLE, 2);
    let changed: Vec<String> = times(&output)
        .into_iter()
        .filter(|(path, time)| before.get(path) != Some(time))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(changed, ["production/eu-1/initech/web.yaml"]);
    // A tenant that is gone takes its files, and nothing else, with it.
    std::fs::write(output.join("NOTES.txt"), "somebody else's").unwrap();
    std::fs::remove_file(input.join("tenants/initech.yaml")).unwrap();
    render(&input, &output, Shard::WHOLE, 2);
    let left: Vec<String> = files_below(&output)
        .into_keys()
        .filter(|path| !path.contains("globex"))
        .collect();
    assert_eq!(
        left,
        [
            "NOTES.txt",
            "api-server/production/eu-1/audit-policy.yaml",
            "production/eu-1/kustomization.yaml"
        ]
    );
}
