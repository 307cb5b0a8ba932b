//! One page: framework, control, rules, findings with their source lines. It needs no script to be
//! read, on a phone or on paper; a script only filters.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{FrameworkReport, Report, Status, standing};
use crate::model::verdict::{Count, PolicyRecord, PolicySummary};
use tenantry_syntax::diagnostics::{Accepted, printable};

/// Most findings of a control that the page has; the JSON has all.
const MOST: usize = 60;
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Text in a page: nothing of it is markup.
fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The page.
pub fn write(report: &Report<'_>) -> String {
    let scope = report.scope;
    let mut body = String::new();
    let _ = write!(
        body,
        "<header><h1>Compliance of {}</h1><p class=\"sub\">What manifests and documents show on {}. A check of manifests supports a control; it never meets a framework alone.</p>",
        escaped(&scope.platform),
        escaped(&scope.as_of)
    );
    body.push_str("<dl class=\"facts\">");
    let facts = [
        ("commit", scope.commit.as_str()),
        ("input", &scope.input_digest),
        ("policies", &scope.policy_digest),
        ("tool", concat!("tenantry ", env!("CARGO_PKG_VERSION"))),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(
            body,
            "<dt>{name}</dt><dd><code>{}</code></dd>",
            escaped(value)
        );
    }
    body.push_str("</dl>");
    for (class, list, title) in [
        ("note", &scope.not_evaluated, "Not evaluated"),
        ("note warn", &scope.weakened, "Weaker than the base"),
    ] {
        if !list.is_empty() {
            let _ = write!(body, "<div class=\"{class}\"><b>{title}</b><ul>");
            for item in list {
                let _ = write!(body, "<li>{}</li>", escaped(item));
            }
            body.push_str("</ul></div>");
        }
    }
    body.push_str("</header>");
    if report.frameworks.is_empty() {
        body.push_str("<main><p>No framework is followed.</p></main>");
    } else {
        filters(report, &mut body);
        body.push_str("<main>");
        for one in &report.frameworks {
            framework(report, one, &mut body);
        }
        waivers(report, &mut body);
        body.push_str("</main>");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>Compliance of {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(&scope.platform)
    )
}

fn filters(report: &Report<'_>, body: &mut String) {
    body.push_str(
        "<div class=\"bar\"><label>Tenant <select id=\"tenant\"><option value=\"\">all</option>",
    );
    for tenant in report.tenants() {
        let _ = write!(body, "<option>{}</option>", escaped(tenant));
    }
    body.push_str(
        "</select></label><label>Status <select id=\"status\"><option value=\"\">all</option>",
    );
    for status in Status::ALL {
        let _ = write!(body, "<option>{}</option>", status.name());
    }
    body.push_str("</select></label></div>");
}

fn framework(report: &Report<'_>, one: &FrameworkReport<'_>, body: &mut String) {
    let spec = &one.framework.spec;
    let edition = spec.edition.as_deref().map_or(String::new(), |edition| {
        format!(" <span class=\"sub\">{}</span>", escaped(edition))
    });
    let _ = write!(
        body,
        "<section class=\"framework\" id=\"{}\"><h2>{}{edition}</h2>",
        escaped(&one.framework.name),
        escaped(&spec.title)
    );
    if let Some(note) = &spec.note {
        let _ = write!(body, "<p class=\"sub\">{}</p>", escaped(note.trim()));
    }
    body.push_str("<div class=\"wide\"><table class=\"summary\"><thead><tr><th>tenant</th>");
    for status in Status::ALL {
        let _ = write!(body, "<th>{}</th>", status.name());
    }
    body.push_str("</tr></thead><tbody>");
    for tenant in &one.tenants {
        let tally = tenant.tally();
        let _ = write!(
            body,
            "<tr data-tenant=\"{0}\"><td>{0}</td>",
            escaped(tenant.tenant)
        );
        for status in Status::ALL {
            let number = tally.get(&status).copied().unwrap_or(0);
            let class = if number > 0 { status.name() } else { "none" };
            let _ = write!(
                body,
                "<td class=\"number {class}\">{}</td>",
                if number > 0 {
                    number.to_string()
                } else {
                    "·".to_owned()
                }
            );
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table></div>");
    for at in 0..spec.controls.len() {
        control(report, one, at, body);
    }
    body.push_str("</section>");
}

/// A control, over all tenants that follow its framework.
fn control(report: &Report<'_>, one: &FrameworkReport<'_>, at: usize, body: &mut String) {
    let Some(control) = one.framework.spec.controls.get(at) else {
        return;
    };
    let reports: Vec<_> = one
        .tenants
        .iter()
        .filter_map(|tenant| Some((tenant.tenant, tenant.controls.get(at)?)))
        .collect();
    let status = reports
        .iter()
        .map(|(_, control)| control.status)
        .min()
        .unwrap_or(Status::NotCovered);
    let of_tenants: Vec<String> = reports
        .iter()
        .map(|(tenant, control)| format!("{tenant}:{}", control.status.name()))
        .collect();
    let open = if status == Status::Fail { " open" } else { "" };
    let _ = write!(
        body,
        "<details class=\"control\" data-status=\"{}\" data-tenants=\"{}\"{open}><summary><span class=\"tag {0}\">{0}</span> <b>{}</b> {}",
        status.name(),
        escaped(&of_tenants.join(" ")),
        escaped(&control.id),
        escaped(&control.title)
    );
    let failing = reports
        .iter()
        .filter(|(_, control)| control.status == Status::Fail)
        .count();
    if failing > 0 {
        let _ = write!(
            body,
            " <span class=\"sub\">{failing} of {} tenants</span>",
            reports.len()
        );
    }
    body.push_str("</summary>");
    match status {
        Status::Manual => {
            body.push_str("<p class=\"sub\">No manifest can show it: a person has to.</p>");
        }
        Status::NotCovered => body.push_str("<p class=\"sub\">No policy serves it.</p>"),
        _ => {
            let mut policies: BTreeMap<&str, (&PolicySummary, &'static str, Count)> =
                BTreeMap::new();
            let mut records: Vec<usize> = Vec::new();
            for (at, (_, control)) in reports.iter().enumerate() {
                for policy in &control.policies {
                    let entry = policies.entry(&policy.policy.name).or_insert((
                        policy.policy,
                        policy.strength.name(),
                        Count::default(),
                    ));
                    // What belongs to no tenant was counted for each of them.
                    let shared = report
                        .evidence
                        .policies
                        .iter()
                        .position(|known| known.name == policy.policy.name)
                        .and_then(|index| report.evidence.counts.get(&(String::new(), index)))
                        .copied()
                        .unwrap_or_default();
                    let mut count = policy.count;
                    if at > 0 {
                        count.pass -= shared.pass;
                        count.fail -= shared.fail;
                        count.accepted -= shared.accepted;
                        count.undecided -= shared.undecided;
                    }
                    entry.2.append(count);
                    records.extend(&policy.records);
                }
            }
            records.sort_unstable();
            records.dedup();
            rules(&policies, body);
            findings(report, &records, body);
        }
    }
    body.push_str("</details>");
}

fn rules(policies: &BTreeMap<&str, (&PolicySummary, &'static str, Count)>, body: &mut String) {
    body.push_str("<div class=\"wide\"><table class=\"rules\"><thead><tr><th>rule</th><th>serves</th><th>where</th><th>judged</th><th>met</th><th>not met</th><th>waived</th></tr></thead><tbody>");
    for (policy, strength, count) in policies.values() {
        let place = if policy.compile_time_only.is_none() {
            "here and in clusters"
        } else {
            "here"
        };
        let _ = write!(
            body,
            "<tr><td><code>{}</code><div>{}</div></td><td>{strength}</td><td>{place}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number {}\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(&policy.name),
            escaped(&policy.title),
            count.judged(),
            count.pass,
            if count.fail > 0 { "fail" } else { "" },
            count.fail,
            count.accepted
        );
    }
    body.push_str("</tbody></table></div>");
}

fn findings(report: &Report<'_>, records: &[usize], body: &mut String) {
    if records.is_empty() {
        return;
    }
    body.push_str("<ul class=\"findings\">");
    for at in records.iter().take(MOST) {
        finding(report, &report.evidence.records[*at], body);
    }
    body.push_str("</ul>");
    if records.len() > MOST {
        let _ = write!(
            body,
            "<p class=\"sub\">… and {} more; the JSON report has all.</p>",
            records.len() - MOST
        );
    }
}

fn finding(report: &Report<'_>, record: &PolicyRecord, body: &mut String) {
    let subject = &record.subject;
    let standing = standing(record);
    let _ = write!(
        body,
        "<li data-tenant=\"{}\"><span class=\"tag {standing}\">{standing}</span> {} <div class=\"sub\">",
        escaped(&subject.tenant),
        escaped(&record.message)
    );
    if let Some((path, line)) = report.place(record.place) {
        let _ = write!(
            body,
            "<code class=\"place\">{}:{line}</code> ",
            escaped(&path)
        );
    }
    let parts: Vec<&str> = [
        &subject.tenant,
        &subject.environment,
        &subject.cluster,
        &subject.object,
        &subject.path,
    ]
    .into_iter()
    .map(String::as_str)
    .filter(|part| !part.is_empty())
    .collect();
    let _ = write!(
        body,
        "{} · <code>{}</code>",
        escaped(&parts.join(" · ")),
        escaped(&record.policy)
    );
    if let Some(Accepted::Waived { waiver, reason }) = &record.accepted {
        let _ = write!(
            body,
            "<br>waiver <code>{}</code>: {}",
            escaped(waiver),
            escaped(reason.trim())
        );
    }
    let _ = write!(
        body,
        "<br><span class=\"digest\">object {}</span></div></li>",
        escaped(
            record
                .object_digest
                .as_ref()
                .map_or("", |digest| &digest[..16])
        )
    );
}

/// All waivers that were needed, in one place.
fn waivers(report: &Report<'_>, body: &mut String) {
    let mut used: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for record in &report.evidence.records {
        if let Some(Accepted::Waived { waiver, reason }) = &record.accepted {
            used.entry(waiver).or_insert((reason, 0)).1 += 1;
        }
    }
    if used.is_empty() {
        return;
    }
    body.push_str("<section><h2>Waivers</h2><ul class=\"findings\">");
    for (waiver, (reason, count)) in used {
        let _ = write!(
            body,
            "<li><code>{}</code>: {} <span class=\"sub\">{count} finding{}</span></li>",
            escaped(waiver),
            escaped(reason.trim()),
            if count == 1 { "" } else { "s" }
        );
    }
    body.push_str("</ul></section>");
}
