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
            folder.path().join("profile").display()
        ))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
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
