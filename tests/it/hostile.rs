//! Whatever the files hold: a diagnostic, never a panic, never a hang.

use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tenantry::comparison::{Base, compare};
use tenantry::compile;
use tenantry::model::change::RiskClass;
use tenantry::report::{self, Format};
use tenantry::yaml::parse::parse;

use crate::support::{Nothing, cases, copy_folder, options, repository_path};

/// Bytes that look like our YAML, and are not.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = proptest::sample::select(
        &[
            "apiVersion: tenantry.dev/v1\n",
            "kind: Tenant\n",
            "kind: Component\n",
            "metadata:\n",
            "  name: x\n",
            "spec:\n",
            "  tier: basic\n",
            "---\n",
            "...\n",
            "- ",
            "? ",
            ": ",
            "&a ",
            "*a",
            "<<: *a\n",
            "[",
            "]",
            "{",
            "}",
            ",",
            "\"",
            "'",
            "|\n",
            ">\n",
            "!!int ",
            "%YAML 1.1\n",
            "#",
            "\t",
            "\u{feff}",
            "0777",
            "99999999999999999999",
            "\n\n",
            "{{ x }}",
        ][..],
    );
    let text = prop_oneof![
        word.prop_map(|word| word.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
        any::<String>().prop_map(String::into_bytes)
    ];
    prop::collection::vec(text, 0..40).prop_map(|parts| parts.concat())
}

/// The base repository with one place of one of its files replaced.
fn mutated() -> impl Strategy<Value = (usize, usize, usize, Vec<u8>)> {
    (0..3usize, any::<usize>(), 0..12usize, soup())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_takes_anything(bytes in soup()) {
        let text = String::from_utf8_lossy(&bytes);
        let parsed = parse(&text, 0);
        for ((start, end), _) in &parsed.problems {
            prop_assert!(start <= end && (*end as usize) <= text.len() + 1, "{start}..{end} of {}", text.len());
        }
        for (start, end) in &parsed.spans {
            prop_assert!(start <= end && text.get(*start as usize..*end as usize).is_some(), "{start}..{end} in {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(150), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_compiler_takes_anything((file, at, length, bytes) in mutated()) {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
        let name = ["tenantry.yaml", "tenants/globex.yaml", "components/web.yaml"][file];
        let path = folder.path().join(name);
        let mut content = fs::read(&path).unwrap();
        let at = at % content.len();
        let end = (at + length).min(content.len());
        content.splice(at..end, bytes);
        fs::write(&path, content).unwrap();
        let run = || {
            let start = Instant::now();
            (compile(&options(folder.path()), None, &Nothing).unwrap(), start.elapsed())
        };
        let (compilation, took) = run();
        // A machine that stops for a while is no hang: that one would take as long again.
        prop_assert!(took < Duration::from_secs(10) || run().1 < Duration::from_secs(10));
        // Whatever was found can be shown in every format, and points into its file.
        for (_, format) in Format::ALL {
            let _ = report::findings(format, &compilation.findings, &compilation.sources, true);
        }
        for finding in &compilation.findings {
            for label in finding.primary.iter().chain(&finding.secondary) {
                let text = &compilation.sources.file(label.span.file).unwrap().text;
                prop_assert!(label.span.start <= label.span.end && label.span.start as usize <= text.len(), "{finding:?}");
            }
        }
    }
}

fn findings_of(path: &str, text: &str) -> (Vec<&'static str>, Duration) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let start = Instant::now();
    let compilation = compile(&options(folder.path()), None, &Nothing).unwrap();
    (
        compilation
            .findings
            .iter()
            .map(|finding| finding.code.id)
            .collect(),
        start.elapsed(),
    )
}

#[test]
fn bounds_end_in_diagnostics() {
    let header = "apiVersion: tenantry.dev/v1\n";
    let bomb: String = (1..40)
        .map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1))
        .collect();
    let template = |body: &str| format!("{{#-\nscope: component\n-#}}\n{body}");
    let cases = [
        (
            "big.yaml",
            format!(
                "{header}{}",
                "x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n".repeat(220_000)
            ),
            "T0105",
        ),
        (
            "deep.yaml",
            format!("{header}kind: {}", "[".repeat(20_000)),
            "T0105",
        ),
        (
            "deep-maps.yaml",
            format!("{header}a: {}", "{a: ".repeat(200)),
            "T0105",
        ),
        (
            "bomb.yaml",
            format!("{header}a0: &a0 [x, x]\n{bomb}"),
            "T0105",
        ),
        (
            "templates/component/loop.yaml",
            template(
                "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            ),
            "T0406",
        ),
        (
            "templates/component/recursion.yaml",
            template("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
            "T0404",
        ),
        (
            "templates/component/self.yaml",
            template("{% include 'component/self.yaml' %}"),
            "T0404",
        ),
        (
            "templates/component/large.yaml",
            template(&format!(
                "{{% for a in range(9000) %}}{}{{% endfor %}}",
                "x".repeat(1000)
            )),
            "T0406",
        ),
        (
            "templates/component/sum.yaml",
            template(&format!("{{{{ 1{} }}}}", "+1".repeat(100_000))),
            "T0402",
        ),
        (
            "templates/component/branches.yaml",
            template(&format!(
                "{{% if a %}}{}{{% endif %}}",
                "{% elif b %}".repeat(20_000)
            )),
            "T0402",
        ),
        (
            "templates/component/replace.yaml",
            template("{% set a = \"a\" * 60000 %}{{ a | replace(\"a\", a) }}"),
            "T0404",
        ),
        (
            "templates/component/join.yaml",
            template("{{ range(99999) | join(\"a\" * 60000) }}"),
            "T0404",
        ),
        (
            "templates/component/spread.yaml",
            template(&format!(
                "apiVersion: v1\nkind: ConfigMap\nspec: {}{}",
                "{<<: {a: ".repeat(29),
                "}}".repeat(29)
            )),
            "T0410",
        ),
        (
            "keys.yaml",
            format!("{{apiVersion: tenantry.dev/v1{}}}", ", a: 1".repeat(20_000)),
            "T0105",
        ),
        (
            "endings.yaml",
            format!("apiVersion: tenantry.dev/v1{}", "\n---\n]".repeat(100_000)),
            "T0105",
        ),
        (
            "templates/component/parentheses.yaml",
            template(&format!(
                "{{{{ {}1{} }}}}",
                "(".repeat(50_000),
                ")".repeat(50_000)
            )),
            "T0402",
        ),
    ];
    for (path, text, code) in cases {
        let (codes, time) = findings_of(path, &text);
        assert!(codes.contains(&code), "{path}: {codes:?}");
        assert!(time < Duration::from_secs(5), "{path} took {time:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]

    /// Either side of a review may hold anything.
    #[test]
    fn the_review_takes_anything((file, at, length, bytes) in mutated(), is_base in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
        let name = ["tenantry.yaml", "tenants/globex.yaml", "components/web.yaml"][file];
        let path = folder.path().join(name);
        let mut content = fs::read(&path).unwrap();
        let at = at % content.len();
        let end = (at + length).min(content.len());
        content.splice(at..end, bytes);
        fs::write(&path, content).unwrap();
        let (changed, whole) = (options(folder.path()), options(&repository_path("tests/ui/base")));
        let (base, head) = if is_base { (changed, whole) } else { (whole, changed) };
        let base = Base::Repository(Box::new(base));
        let in_time = || {
            let start = Instant::now();
            let compared = compare(&head, &base, &Nothing).unwrap();
            (start.elapsed() < Duration::from_secs(10), compared)
        };
        // A machine that stood still is no fault of the input's.
        let (is_in_time, compared) = in_time();
        prop_assert!(is_in_time || in_time().0);
        for (name, format) in Format::ALL {
            let denied = RiskClass::ALL.into_iter().collect();
            let text = report::review(format, &compared.review, &compared.sources, &denied, compared.has_errors, false);
            prop_assert!(!text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{name}: {text:?}");
            match format {
                Format::Json | Format::Sarif | Format::Gitlab => {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{name}");
                }
                // The page's own two scripts, and none that the input began or ended.
                Format::Html => prop_assert_eq!(text.matches("</script").count(), 2),
                Format::Markdown => prop_assert!(text.len() <= 65_000),
                Format::Github => prop_assert!(text.lines().all(|line| line.starts_with("::"))),
                Format::Text | Format::Junit => {}
            }
        }
    }
}
