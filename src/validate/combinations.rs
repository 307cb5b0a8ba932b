//! Fields of one document that are right by themselves and wrong together.

use crate::model::field::Field;
use crate::model::kinds::connection::AuthMethod;
use crate::model::kinds::{
    BillingModel, Component, Connection, Context, ContextLevel, DeliveryEngine, Header, KindName,
    Monitoring, Platform, Tenant, TenantStatus, Waiver, Workload,
};
use tenantry_engine::scalars::{url_host, url_port};
use tenantry_engine::schema::Additional;
use tenantry_syntax::diagnostics::catalogue::validate as codes;
use tenantry_syntax::diagnostics::{Code, Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::{Node, Path, PathStep, Value};

/// Names that patterns of the Platform's `naming` may use.
const PLACEHOLDERS: [&str; 4] = ["tenant", "component", "environment", "cluster"];

/// Checks one document whose fields are right.
pub fn check(kind: KindName, tree: &Node, sources: &Sources, sink: &mut Sink) {
    let mut checker = DocumentChecker { sources, sink };
    checker.workloads(tree);
    checker.secrets(tree);
    let Some(spec) = Field::<Header>::of(tree).spec().node() else {
        return;
    };
    checker.patches(Field::of(spec));
    match kind {
        KindName::Platform => checker.platform(Field::of(spec)),
        KindName::Component => checker.component(Field::of(spec)),
        KindName::Context => checker.context(Field::of(spec)),
        KindName::Tenant => checker.tenant(Field::of(spec)),
        KindName::Connection => checker.connection(Field::of(spec)),
        KindName::Monitoring => checker.monitoring(Field::of(spec)),
        KindName::Waiver => checker.waiver(Field::of(spec)),
        _ => {}
    }
}

struct DocumentChecker<'a> {
    sources: &'a Sources,
    sink: &'a mut Sink,
}

impl DocumentChecker<'_> {
    /// A patch is one thing: a part of an object, or operations on it.
    fn patches(&mut self, spec: Field<'_, Component>) {
        for patch in spec.patches().items() {
            match (patch.merge().set(), patch.json().set()) {
                (Some(merge), Some(json)) => self.contradiction(
                    "a patch has either `merge` or `json`, not both",
                    (merge, "a part of the object"),
                    (json, "operations"),
                    "write two patches: they are applied in their order",
                ),
                (None, None) => self.sink.push(
                    Diagnostic::new(codes::MISSING_FIELD, "this patch lacks `merge` or `json`")
                        .at(
                            self.sources
                                .span(patch.place())
                                .map(|span| self.sources.first_line(span)),
                            "",
                        )
                        .help("write `merge` with a part of the object, or `json` with operations"),
                ),
                _ => {}
            }
        }
    }

    /// A waiver excepts findings of a policy or of a code.
    fn waiver(&mut self, spec: Field<'_, Waiver>) {
        match (spec.policy().set(), spec.code().set()) {
            (Some(policy), Some(code)) => self.contradiction(
                "a waiver names either a policy or a code, not both",
                (policy, "a policy"),
                (code, "a code"),
                "write two waivers",
            ),
            (None, None) => self.sink.push(
                Diagnostic::new(codes::MISSING_FIELD, "`spec` lacks `policy` or `code`")
                    .at(
                        self.sources
                            .span(spec.place())
                            .map(|span| self.sources.first_line(span)),
                        "",
                    )
                    .help("name the policy whose findings it excepts, or a code such as `T0501`"),
            ),
            _ => {}
        }
    }

    /// Finds every layer of values in a document.
    fn workloads(&mut self, node: &Node) {
        match &node.value {
            Value::Map(map) => {
                for entry in &map.entries {
                    if matches!(&*entry.key, "values" | "workload" | "defaults")
                        && entry.value.as_map().is_some()
                    {
                        self.workload(Field::of(&entry.value));
                    } else {
                        self.workloads(&entry.value);
                    }
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.workloads(item)),
            _ => {}
        }
    }

    fn workload(&mut self, workload: Field<'_, Workload>) {
        if let (Some(tag), Some(digest)) = (workload.tag().set(), workload.digest().set()) {
            self.contradiction(
                "an image has either a tag or a digest, not both",
                (tag, "the tag is ignored beside a digest"),
                (digest, "the digest decides"),
                "keep the digest, and write the tag as a comment",
            );
        }
        let scaling = workload.scaling();
        if let (Some(least), Some(most)) =
            (scaling.min_replicas().node(), scaling.max_replicas().node())
            && let (Value::Int(low), Value::Int(high)) = (&least.value, &most.value)
            && low > high
        {
            let help =
                format!("write minReplicas of at most {high}, or maxReplicas of at least {low}");
            self.contradiction(
                "minReplicas is above maxReplicas",
                (least, "the least"),
                (most, "the most"),
                &help,
            );
        }
        self.names(
            "env",
            workload.env().items().filter_map(|item| item.name().node()),
        );
        self.names(
            "ports",
            workload
                .ports()
                .items()
                .filter_map(|item| item.name().node()),
        );
        self.names(
            "volumes",
            workload
                .volumes()
                .items()
                .filter_map(|item| item.name().node()),
        );
        self.names(
            "secrets",
            workload
                .secrets()
                .items()
                .filter_map(|item| item.name().node()),
        );
        for variable in workload.env().items() {
            if let (Some(value), Some(from)) = (variable.value().set(), variable.value_from().set())
            {
                self.contradiction(
                    "a variable has either a value or a valueFrom, not both",
                    (value, "its value"),
                    (from, "and another"),
                    "keep one of the two",
                );
            }
        }
        let network = workload.network();
        for peer in network.ingress().items().chain(network.egress().items()) {
            let selectors = [
                peer.component().node(),
                peer.cidr().node(),
                peer.namespace_labels().node(),
            ];
            let mut selectors = selectors.into_iter().flatten();
            if let (Some(first), Some(second)) = (selectors.next(), selectors.next()) {
                self.contradiction(
                    "a peer is a component, a range of addresses, or pods by label: one of them",
                    (second, "and another"),
                    (first, "already said here"),
                    "write a second peer for the other one",
                );
            }
        }
    }

    /// Names of the items of a list that is merged by name.
    fn names<'n>(&mut self, list: &str, names: impl Iterator<Item = &'n Node>) {
        let mut seen: Vec<(&str, &Node)> = Vec::new();
        for node in names {
            let Some(name) = node.as_str() else { continue };
            match seen.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => {
                    let message = format!("two items of `{list}` are named `{name}`");
                    self.contradiction(
                        &message,
                        (node, "again here"),
                        (first, "first here"),
                        "rename one of them, or remove it",
                    );
                }
                None => seen.push((name, node)),
            }
        }
    }

    fn contradiction(
        &mut self,
        message: &str,
        here: (&Node, &str),
        other: (&Node, &str),
        help: &str,
    ) {
        let diagnostic = Diagnostic::new(codes::CONTRADICTION, message)
            .at(self.sources.span(here.0.id), here.1)
            .and(self.sources.span(other.0.id), other.1)
            .help(help);
        self.sink.push(diagnostic);
    }

    fn malformed(&mut self, code: Code, node: &Node, message: String, help: String) {
        let span = self
            .sources
            .span(node.id)
            .map(|span| self.sources.first_line(span));
        self.sink
            .push(Diagnostic::new(code, message).at(span, "").help(help));
    }

    fn platform(&mut self, spec: Field<'_, Platform>) {
        let naming = spec.naming();
        let patterns = [
            ("namespace", "tenant", naming.namespace().node()),
            ("sharedNamespace", "", naming.shared_namespace().node()),
            ("workload", "component", naming.workload().node()),
            ("tenant", "tenant", naming.tenant().node()),
        ];
        for (field, must, node) in patterns {
            let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) else {
                continue;
            };
            let mut rest = text;
            while let Some(open) = rest.find('{') {
                let Some(close) = rest[open..].find('}') else {
                    self.malformed(
                        codes::MALFORMED,
                        node,
                        format!("`naming.{field}` has a `{{` without its `}}`"),
                        format!("write names as {{{}}}", PLACEHOLDERS.join("}, {")),
                    );
                    break;
                };
                let name = &rest[open + 1..open + close];
                if !PLACEHOLDERS.contains(&name) {
                    let help = suggest(name, PLACEHOLDERS).unwrap_or_default();
                    self.malformed(
                        codes::MALFORMED,
                        node,
                        format!("`naming.{field}` uses an unknown name `{{{name}}}`"),
                        help,
                    );
                }
                rest = &rest[open + close..];
            }
            let readable = text.matches('{').count()
                == PLACEHOLDERS
                    .iter()
                    .map(|name| text.matches(&format!("{{{name}}}")).count())
                    .sum::<usize>();
            if readable && !must.is_empty() && !text.contains(&format!("{{{must}}}")) {
                let help =
                    format!("write `{{{must}}}` somewhere in it, such as `{text}-{{{must}}}`");
                self.malformed(
                    codes::MALFORMED,
                    node,
                    format!("`naming.{field}` gives every {must} the same name"),
                    help,
                );
            }
        }
        let delivery = spec.delivery();
        let engine = delivery.engine();
        if let Some(engine) = engine
            .node()
            .filter(|_| engine.is(DeliveryEngine::Argocd) || engine.is(DeliveryEngine::Flux))
            && !delivery.repo_url().is_written()
        {
            let message = format!(
                "delivery by {} needs to know the repository",
                engine.as_str().unwrap_or_default()
            );
            self.malformed(
                codes::MISSING_FIELD,
                engine,
                message,
                "add `repoURL`: the git repository that the rendered manifests are committed to"
                    .to_owned(),
            );
        }
    }

    fn component(&mut self, spec: Field<'_, Component>) {
        let workload = spec.workload();
        if let Some(workload) = workload
            .node()
            .filter(|_| !workload.workload_type().is_written())
        {
            self.malformed(
                codes::MISSING_FIELD,
                workload,
                "the workload does not say its type".to_owned(),
                "add `type`: service, worker, stateful, job or scheduled".to_owned(),
            );
        }
        if let (Some(deprecated), Some(sunset)) =
            (spec.deprecated_on().node(), spec.sunset_on().node())
            && let (Some(from), Some(until)) = (deprecated.as_str(), sunset.as_str())
            && from > until
        {
            self.contradiction(
                "the component is to go before it is deprecated",
                (sunset, "it goes on this day"),
                (deprecated, "it is deprecated since"),
                "write a later day for `sunsetOn`",
            );
        }
        if let Some(parameters) = spec.parameters().set() {
            let json = parameters.to_json();
            self.parameter_schema(parameters, &json);
        }
    }

    fn parameter_schema(&mut self, parameters: &Node, json: &serde_json::Value) {
        const HELP: &str = "write a JSON Schema of draft 2020-12, such as `{type: object, properties: {batchSize: {type: integer}}}`";
        const TYPES: [&str; 7] = [
            "array", "boolean", "integer", "null", "number", "object", "string",
        ];
        let find = |path: &str| {
            path.split('/').skip(1).try_fold(parameters, |node, step| {
                node.get(step)
                    .or_else(|| node.as_list()?.get(step.parse::<usize>().ok()?))
            })
        };
        let mut errors = 0;
        for error in jsonschema::draft202012::meta::validator().iter_errors(json) {
            errors += 1;
            let path = error.instance_path().to_string();
            let place = find(&path).unwrap_or(parameters);
            let (message, help) = match (path.rsplit('/').next(), place.as_str()) {
                (Some("type"), Some(name)) => (
                    format!("`{name}` is no type of JSON Schema"),
                    suggest(name, TYPES).unwrap_or_else(|| HELP.to_owned()),
                ),
                _ => (
                    format!("`parameters` is not a valid JSON Schema: {error}"),
                    HELP.to_owned(),
                ),
            };
            self.malformed(codes::BAD_PARAMETER_SCHEMA, place, message, help);
        }
        if errors == 0
            && let Err(error) = jsonschema::draft202012::new(json)
        {
            let message = format!("`parameters` cannot be used: {error}");
            self.malformed(
                codes::BAD_PARAMETER_SCHEMA,
                find(&error.instance_path().to_string()).unwrap_or(parameters),
                message,
                HELP.to_owned(),
            );
        }
    }

    /// A lock on a path that no workload has would protect nothing.
    fn lock(&mut self, item: &Node) {
        let set = crate::model::schemas::own();
        let path = item
            .as_str()
            .and_then(|text| Path::parse(text).ok())
            .unwrap_or_default();
        let Some(mut rule) = set.rule("Workload").map(|rule| set.follow(rule)) else {
            return;
        };
        for step in &path.0 {
            let PathStep::Key(key) = step else { return };
            let inner = match (rule.property(key), &rule.additional) {
                (Some(inner), _) => inner,
                // Free maps, and items of lists by their name.
                (None, Additional::Rule(_) | Additional::Any) => return,
                (None, Additional::No) => {
                    let known = rule.properties.iter().map(|(name, _)| &**name);
                    let help = suggest(key, known)
                        .unwrap_or_else(|| "see `tenantry explain Component.workload`".to_owned());
                    return self.malformed(
                        codes::UNKNOWN_FIELD,
                        item,
                        format!("the lock protects nothing: unknown field `{key}`"),
                        help,
                    );
                }
            };
            rule = set.follow(inner);
            if rule.items.is_some() {
                return;
            }
        }
    }

    fn context(&mut self, spec: Field<'_, Context>) {
        for item in spec.lock().items().filter_map(Field::node) {
            self.lock(item);
        }
        let Some(scope) = spec.scope().node() else {
            return;
        };
        if !spec.scope().level().is(ContextLevel::Global) && !spec.scope().name().is_written() {
            self.malformed(
                codes::MISSING_FIELD,
                scope,
                "the scope does not say whom it holds for".to_owned(),
                "add `name`: the division, department, project, user or session".to_owned(),
            );
        }
    }

    fn monitoring(&mut self, spec: Field<'_, Monitoring>) {
        let runbooks = spec.runbooks().node();
        if let Some(node) =
            runbooks.filter(|node| node.as_str().is_some_and(|text| text.ends_with('/')))
        {
            self.malformed(
                codes::MALFORMED,
                node,
                "`runbooks` ends with a `/`".to_owned(),
                "leave it out: what follows begins with one".to_owned(),
            );
        }
    }

    /// A path in the secret store that looks like the secret itself.
    fn secrets(&mut self, node: &Node) {
        for entry in node.entries() {
            let is_path = matches!(&*entry.key, "from" | "repository")
                && node.get("name").is_none_or(|_| node.get("keys").is_some());
            let text = entry.value.as_str().filter(|_| is_path).unwrap_or_default();
            let is_key = text.len() >= 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
            if text.contains("://") || is_key {
                self.malformed(
                    codes::MALFORMED,
                    &entry.value,
                    "this looks like the secret itself, not like where it is".to_owned(),
                    "put it into the secret store, and write its path there, such as `platform/pagerduty`; what was committed must be replaced".to_owned(),
                );
            }
            self.secrets(&entry.value);
        }
        for item in node.as_list().unwrap_or_default() {
            self.secrets(item);
        }
    }

    fn connection(&mut self, spec: Field<'_, Connection>) {
        let endpoint = spec.endpoint();
        if let (Some(node), Some(text)) = (endpoint.node(), endpoint.as_str()) {
            let authority = text.split("://").nth(1);
            let authority = authority.and_then(|rest| rest.split('/').next());
            if authority.is_some_and(|authority| authority.contains('@')) {
                self.malformed(
                    codes::MALFORMED,
                    node,
                    "an endpoint holds no credentials".to_owned(),
                    "leave out what is before `@`; write where it is in `credentials`".to_owned(),
                );
            } else if url_port(text).is_none() || url_host(text).is_none() {
                self.malformed(
                    codes::MALFORMED,
                    node,
                    format!("`{text}` names no host and port that could be reached"),
                    "write a URL with its port, such as `https://erp.acme.example:8443`".to_owned(),
                );
            }
        }
        let method = spec.auth().method();
        if let Some(method) = method.node().filter(|_| method.is(AuthMethod::Oauth2))
            && !spec.auth().token_url().is_written()
        {
            self.malformed(
                codes::MISSING_FIELD,
                method,
                "with oauth2, it has to be known where tokens are made".to_owned(),
                "add `tokenUrl` beside it".to_owned(),
            );
        }
    }

    fn tenant(&mut self, spec: Field<'_, Tenant>) {
        let billing = spec.billing();
        if let Some(model) = billing
            .model()
            .node()
            .filter(|_| billing.model().is(BillingModel::Flat))
            && billing.monthly_fee().set().is_none()
        {
            self.malformed(
                codes::MISSING_FIELD,
                model,
                "who pays a flat fee has to know which".to_owned(),
                "add `monthlyFee` beside it".to_owned(),
            );
        }
        let status = spec.status();
        let Some(offboarding) = status
            .node()
            .filter(|_| status.is(TenantStatus::Offboarding))
        else {
            return;
        };
        if !spec.offboarding().is_written() {
            self.malformed(
                codes::MISSING_FIELD,
                offboarding,
                "a tenant that leaves needs to say how".to_owned(),
                "add `offboarding` with `requestedAt` and `retainDataUntil`".to_owned(),
            );
        }
    }
}
