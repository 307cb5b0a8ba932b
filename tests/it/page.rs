//! The page of a review, in a browser: it is opened from a file, without a network, and used. Where
//! no Chromium is installed, the test says that it did not judge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tenantry::comparison::{self, Base};
use tenantry::report::{self, Format};

use crate::support::{Nothing, copy_folder, options, repository_path};

fn browser() -> Option<PathBuf> {
    [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .iter()
    .map(PathBuf::from)
    .find(|path| path.exists())
}

/// A page with a head that is hostile, and has risks of several classes.
fn page(folder: &Path) -> String {
    let head = folder.join("head");
    copy_folder(&repository_path("tests/review/base"), &head, false);
    let edit = |file: &str, from: &str, to: &str| {
        let path = head.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    };
    edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    edit(
        "components/web.yaml",
        "value: info",
        "value: \"</script><script>document.title='taken over'</script><img src=x onerror=alert(1)>\"",
    );
    edit(
        "components/store.yaml",
        "storageClass: fast",
        "storageClass: slow",
    );
    edit("contexts/global.yaml", "    - security.runAsNonRoot\n", "");
    let base = Base::Repository(Box::new(options(&repository_path("tests/review/base"))));
    let compared = comparison::compare(&options(&head), &base, &Nothing).unwrap();
    report::review(
        Format::Html,
        &compared.review,
        &compared.sources,
        &std::collections::BTreeSet::new(),
        compared.has_errors,
        false,
    )
}

#[test]
fn the_page_can_be_explored() {
    let Some(browser) = browser() else {
        println!("no Chromium is installed, so it did not judge");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path());
    // What a person would do, written into the page's title.
    let steps = r"<script>
window.addEventListener('load', () => {
  const said = [];
  const say = text => said.push(text);
  const wait = () => new Promise(done => setTimeout(done, 30));
  (async () => {
    await wait();
    say('verdict=' + document.getElementById('verdict').textContent);
    say('risks=' + [...document.querySelectorAll('.risk .tag')].map(tag => tag.textContent).join());
    say('groups=' + document.querySelectorAll('details.group').length);
    say('heading=' + document.querySelector('details.group > summary').textContent);
    say('environments=' + [...document.querySelectorAll('nav > details > summary')].map(one => one.textContent).join());
    const search = document.getElementById('search');
    search.value = 'StatefulSet slow';
    search.dispatchEvent(new Event('input'));
    await wait();
    say('found=' + document.querySelectorAll('nav .leaf').length);
    search.value = '';
    search.dispatchEvent(new Event('input'));
    document.querySelector('[data-risk=replace]').click();
    await wait();
    say('filtered=' + [...document.querySelectorAll('.risk .tag')].map(tag => tag.textContent).join());
    location.hash = document.querySelector('nav .leaf').getAttribute('href');
    await wait();
    say('object=' + document.querySelector('h3').textContent.trim());
    say('cause=' + (document.querySelector('.field .sub code') || {}).textContent);
    say('plus=' + document.querySelectorAll('.diff tr.plus').length);
    document.getElementById('sides-toggle').click();
    await wait();
    say('halves=' + (document.querySelectorAll('.diff td.half').length > 0));
    document.getElementById('theme').click();
    say('theme=' + (document.documentElement.dataset.theme || ''));
    say('images=' + document.images.length);
    const result = document.createElement('pre');
    result.id = 'said';
    result.textContent = said.join('\n');
    document.body.replaceChildren(result);
  })().catch(error => { document.body.textContent = 'failed: ' + error; });
});
</script></body>";
    let file = folder.path().join("review.html");
    fs::write(&file, page.replace("</body>", steps)).unwrap();
    let page = dump(&browser, folder.path(), &file, "1300,900");
    let said = page
        .split("<pre id=\"said\">")
        .nth(1)
        .unwrap_or_else(|| panic!("the page failed: {page}"));
    let said: Vec<&str> = said.split("</pre>").next().unwrap().lines().collect();
    assert_eq!(
        said,
        [
            "verdict=Look closely: the worst risk is replace.",
            "risks=replace,governance,restart",
            "groups=4",
            "heading=components/store.yaml:19 Component store: spec.workload.volumes[data].storageClass fast → slow4 objects",
            "environments=production18,staging7",
            "found=1",
            "filtered=replace",
            "object=StatefulSet/data-processing-globex-store changed",
            "cause=components/store.yaml:19",
            "plus=2",
            "halves=true",
            "theme=dark",
            "images=0",
        ]
    );
    assert!(
        !page.contains("<title>taken over"),
        "a value of the input was run"
    );
}

/// What a person would do on a page, and what they would see: `steps` are lines of script that call `say`.
fn explore(browser: &Path, page: &str, steps: &str, size: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "<script>window.addEventListener('load', () => {{ const said = []; const say = text => said.push(text); const wait = () => new Promise(done => setTimeout(done, 30)); (async () => {{ await wait(); {steps}\n const result = document.createElement('pre'); result.id = 'said'; result.textContent = said.join('\\n'); document.body.replaceChildren(result); }})().catch(error => {{ document.body.textContent = 'failed: ' + error; }}); }});</script></body>"
    );
    let file = folder.path().join("page.html");
    fs::write(&file, page.replace("</body>", &script)).unwrap();
    let page = dump(browser, folder.path(), &file, size);
    let said = page
        .split("<pre id=\"said\">")
        .nth(1)
        .unwrap_or_else(|| panic!("the page failed: {page}"));
    said.split("</pre>")
        .next()
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The page as it is in the end.
fn dump(browser: &Path, folder: &Path, file: &Path, size: &str) -> String {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("--window-size={size}"))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A page of the example.
fn page_of(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(arguments)
        .args(["-o", "html"])
        .current_dir(repository_path("examples/acme"))
        .env("TENANTRY_AS_OF", "2026-06-01")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_graph_can_be_explored() {
    let Some(browser) = browser() else {
        println!("no Chromium is installed, so it did not judge");
        return;
    };
    let steps = r"
    say('nodes=' + document.querySelectorAll('g.node').length);
    const search = document.getElementById('search');
    const type = async text => { search.value = text; search.dispatchEvent(new Event('input')); await wait(); };
    await type('team-warehouse');
    say('found=' + [...document.querySelectorAll('g.node')].filter(node => node.getAttribute('opacity') === '1').length);
    await type('');
    document.querySelector('g.node[data-id=Dataset\\/raw-tables]').dispatchEvent(new MouseEvent('click', {bubbles: true}));
    await wait();
    say('focus=' + document.querySelector('#details h2').firstChild.textContent);
    const names = () => [...document.querySelectorAll('g.node')].map(node => node.dataset.id).sort().join();
    document.getElementById('way-up').click(); await wait();
    say('upstream=' + names());
    document.getElementById('way-down').click(); await wait();
    say('downstream=' + document.querySelectorAll('g.node').length);
    document.getElementById('unfocus').click(); await wait();
    const choose = async (id, value) => { const node = document.getElementById(id); node.value = value; node.dispatchEvent(new Event('change')); await wait(); };
    await choose('tenant', 'globex');
    say('globex=' + names());
    await choose('class', 'confidential');
    say('confidential=' + document.getElementById('count').textContent);
    await choose('tenant', ''); await choose('class', '');
    document.getElementById('tenants').click(); await wait();
    say('tenants=' + [...document.querySelectorAll('g.node')].filter(node => node.dataset.id.startsWith('Tenant/')).length);
    say('fits=' + (document.documentElement.scrollWidth <= window.innerWidth));";
    let page = page_of(&["graph"]);
    let said = explore(&browser, &page, steps, "1300,900");
    assert_eq!(
        said,
        [
            "nodes=31",
            "found=5",
            "focus=raw-tables",
            "upstream=Component/incremental-sync,Dataset/raw-tables,Dataset/source-tables",
            "downstream=18",
            "globex=Component/anomaly-scan,Component/event-store,Component/ingest-gateway,Component/query-api,Component/result-cache,Component/stream-processor,Dataset/anomalies,Dataset/clean-events,Dataset/raw-events,Dataset/warehouse-tables",
            "confidential=2 datasets, 7 components, 7 links",
            "tenants=14",
            "fits=true",
        ]
    );
    let narrow = explore(
        &browser,
        &page,
        "say('fits=' + (document.documentElement.scrollWidth <= window.innerWidth));",
        "420,900",
    );
    assert_eq!(narrow, ["fits=true"]);
}

#[test]
fn isolation_and_figures_can_be_explored() {
    let Some(browser) = browser() else {
        println!("no Chromium is installed, so it did not judge");
        return;
    };
    let steps = r"
    say('cards=' + [...document.querySelectorAll('.card b')].slice(0, 4).map(card => card.textContent).join());
    const cell = document.querySelector('rect.cell[data-from=supply-chain][data-to=finance]');
    cell.dispatchEvent(new MouseEvent('click', {bubbles: true})); await wait();
    say('pair=' + document.querySelector('#pairs h2').firstChild.textContent);
    say('rows=' + document.querySelectorAll('#pairs tbody tr').length);
    say('fits=' + (document.documentElement.scrollWidth <= window.innerWidth));";
    let isolation = page_of(&["report", "isolation"]);
    let wanted = [
        "cards=0,5,306,0",
        "pair=supply-chain → finance",
        "rows=5",
        "fits=true",
    ];
    assert_eq!(explore(&browser, &isolation, steps, "1300,900"), wanted);
    assert_eq!(explore(&browser, &isolation, steps, "420,900"), wanted);
    let steps = r"
    const bars = document.querySelectorAll('svg .row').length;
    const choose = document.querySelector('select'); choose.value = 'globex'; choose.dispatchEvent(new Event('change')); await wait();
    say('bars=' + (bars > 30) + ' ' + document.querySelectorAll('table tbody tr').length);
    say('fits=' + (document.documentElement.scrollWidth <= window.innerWidth));";
    assert_eq!(
        explore(&browser, &page_of(&["report", "cost"]), steps, "420,900"),
        ["bars=true 1", "fits=true"]
    );
    for report in ["capacity", "lifecycle"] {
        let steps = "say('drawn=' + (document.querySelectorAll('svg').length > 0 && document.querySelectorAll('tbody tr').length > 5)); say('fits=' + (document.documentElement.scrollWidth <= window.innerWidth));";
        for size in ["1300,900", "420,900"] {
            assert_eq!(
                explore(&browser, &page_of(&["report", report]), steps, size),
                ["drawn=true", "fits=true"],
                "{report} {size}"
            );
        }
    }
}
