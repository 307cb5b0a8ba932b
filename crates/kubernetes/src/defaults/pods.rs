//! What a Pod is filled with, and what admission adds to it; templates of pods stay without.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::canonical::Sum;
use super::part::{Stored, StoredPart};
use super::rules::filled_up;
use tenantry_engine::view::View;
use tenantry_syntax::yaml::{self, Node};

static ADMISSION: LazyLock<Node> = LazyLock::new(|| {
    let text = include_str!("../../tables/admission.yaml");
    let mut parsed = yaml::parse::parse(text, u32::MAX);
    parsed.documents.pop().unwrap_or_else(Node::empty_map)
});

fn added(key: &str) -> Option<&'static Node> {
    ADMISSION.get(key)
}

/// How the names of the volumes of tokens begin.
pub const TOKEN_VOLUME: &str = "kube-api-access-";

type PodFill<'a> = Option<Stored<'a>>;

/// Limits are requests, too.
pub fn requests<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: PodFill<'a>) -> PodFill<'a> {
    filled_up(written, [part.get("limits")])
}

/// The service account, under either of its names.
pub fn account<'a>(part: &StoredPart<'a>, key: &str, _: &str, written: PodFill<'a>) -> PodFill<'a> {
    written.or_else(|| {
        let either = ["serviceAccountName", "serviceAccount"];
        let named = either.iter().find_map(|name| part.written(name));
        Some(match named {
            Some(named) => part.filled(key, named.view, None),
            None => Stored::text("default", None),
        })
    })
}

/// The priority of the class.
pub fn priority<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: PodFill<'a>,
) -> PodFill<'a> {
    written.or_else(|| {
        let class = part.view.text_at(&["priorityClassName"]);
        let priority = added("priority")?.get(&class)?;
        Some(part.filled(key, View::of(priority), None))
    })
}

/// Tolerations of nodes that are lost, for five minutes.
pub fn tolerations<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: PodFill<'a>,
) -> PodFill<'a> {
    let view = written.as_ref().and_then(|list| list.written);
    let mut items = written.map(|list| list.items()).unwrap_or_default();
    let own = items.clone();
    for toleration in added("tolerations")?.as_list().unwrap_or_default() {
        let text = |item: &Stored<'a>, key: &str| {
            let text = item.get(key).and_then(|value| value.as_text());
            text.unwrap_or_default()
        };
        let key_of = toleration.get("key").and_then(Node::as_str);
        let is_there = own.iter().any(|item| {
            let (key, effect) = (text(item, "key"), text(item, "effect"));
            (key.is_empty() || Some(&*key) == key_of) && matches!(&*effect, "" | "NoExecute")
        });
        if !is_there {
            items.push(part.filled_item(key, View::of(toleration)));
        }
    }
    (!items.is_empty()).then(|| Stored::list(items, view))
}

/// Whether a container has the token of its service account.
fn has_token(mounts: &[View<'_>]) -> bool {
    let path = added("tokenMount").and_then(|mount| mount.get("mountPath")?.as_str());
    mounts
        .iter()
        .any(|mount| Some(&*mount.text_at(&["mountPath"])) == path)
}

/// The volume of the token, where a container needs it.
pub fn token_volume<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: PodFill<'a>,
) -> PodFill<'a> {
    let containers = ["containers", "initContainers"];
    let containers = containers.iter().filter_map(|list| part.view.get(list));
    let lacks_token = |container: View<'_>| {
        let mounts = container.get("volumeMounts").map(View::items);
        !has_token(&mounts.unwrap_or_default())
    };
    let is_needed = containers.flat_map(View::items).any(lacks_token);
    let is_refused = part
        .get("automountServiceAccountToken")
        .is_some_and(|value| value.to_json() == false);
    let view = written.as_ref().and_then(|list| list.written);
    let mut items = written.as_ref().map(Stored::items).unwrap_or_default();
    let is_there = items.iter().any(|volume| {
        let name = volume.get("name").and_then(|name| name.as_text());
        name.is_some_and(|name| name.starts_with(TOKEN_VOLUME))
    });
    if is_refused || is_there || !is_needed {
        return written;
    }
    items.push(part.filled_item(key, View::of(added("tokenVolume")?)));
    Some(Stored::list(items, view))
}

/// The token's volume in a container.
pub fn token_mount<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: PodFill<'a>,
) -> PodFill<'a> {
    let mounts = part.view.get(key).map(View::items).unwrap_or_default();
    if has_token(&mounts) {
        return written;
    }
    let view = written.as_ref().and_then(|list| list.written);
    let mut items = written.map(|list| list.items()).unwrap_or_default();
    items.push(part.filled_item(key, View::of(added("tokenMount")?)));
    Some(Stored::list(items, view))
}

/// Requests of the whole pod, where it has limits: what its containers request, else its limits.
pub fn resources<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: PodFill<'a>) -> PodFill<'a> {
    let resources = written?;
    let limits = resources.get("limits").map(|limits| limits.fields());
    let limits = limits.unwrap_or_default();
    if limits.is_empty() {
        return Some(resources);
    }
    let mut fields = resources.fields();
    let position = fields.iter().position(|(key, _)| key == "requests");
    let requests = position.map(|at| fields.swap_remove(at).1);
    let of_containers = ["cpu", "memory"].into_iter().filter_map(|name| {
        let text = requested(part, name)?;
        Some((Cow::Borrowed(name), Stored::made_amount(text)))
    });
    let is_supported =
        |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    let of_limits = limits.into_iter().filter(|(name, _)| is_supported(name));
    let others = [
        Stored::map(of_containers.collect(), None),
        Stored::map(of_limits.collect(), None),
    ];
    if let Some(requests) = filled_up(requests, others.map(Some)) {
        fields.push((Cow::Borrowed("requests"), requests));
    }
    Some(Stored::map(fields, resources.written))
}

/// What the containers of a pod request together of a resource.
fn requested(part: &StoredPart<'_>, resource: &str) -> Option<String> {
    let items = |key: &str| {
        let list = part.get(key).map(|list| list.items());
        list.unwrap_or_default()
    };
    let request = |container: &Stored<'_>| {
        let requests = container.get("resources")?.get("requests")?;
        Some(Sum::of(&requests.get(resource)?.as_text()?))
    };
    // Sidecars stay; the other init containers run one after the other.
    let (mut sidecars, mut before) = (Sum::default(), Sum::default());
    for container in items("initContainers") {
        let Some(request) = request(&container) else {
            continue;
        };
        let policy = container
            .get("restartPolicy")
            .and_then(|policy| policy.as_text());
        if policy.is_some_and(|policy| policy == "Always") {
            sidecars = sidecars.plus(request);
            before = before.max(sidecars);
        } else {
            before = before.max(sidecars.plus(request));
        }
    }
    let containers = items("containers");
    let running = containers
        .iter()
        .filter_map(request)
        .fold(sidecars, Sum::plus);
    running.max(before).text()
}
