//! What makes no difference: what the API server fills in, drops or writes in its own way, by the table of
//! `kubernetes::defaults`, and what is volatile.

use serde_json::{Value as Json, json};

use super::lists::ListRule;
use tenantry_engine::view::Shape;
use tenantry_kubernetes::defaults::Stored;
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};
use tenantry_kubernetes::volatile;

/// How the values of an object, or of a document of ours, are compared.
pub struct ValueComparison<'r> {
    /// The kind of the object; empty for a document of ours.
    pub kind: &'r str,
    /// How the items of a list are compared.
    pub rule: &'r dyn Fn(&FieldPath) -> ListRule,
}

impl ValueComparison<'_> {
    /// Whether a part is never compared.
    pub fn is_written_by_server(&self, path: &FieldPath) -> bool {
        !self.kind.is_empty() && volatile::is_written(self.kind, path)
    }

    /// Whether what only one side has makes no difference.
    pub fn is_without_effect(&self, value: &Stored<'_>, path: &FieldPath) -> bool {
        if self.kind.is_empty() {
            return false;
        }
        value.written.is_none() || self.is_assigned(value, path) || self.is_hollow(value, path)
    }

    /// Whether somebody else than the manifest assigns a value; `None` is set by somebody.
    fn is_assigned(&self, value: &Stored<'_>, path: &FieldPath) -> bool {
        volatile::is_assigned(self.kind, path) && value.as_text().is_none_or(|text| text != "None")
    }

    /// Whether a map or list has something in it, and all of that is volatile.
    fn is_hollow(&self, value: &Stored<'_>, path: &FieldPath) -> bool {
        let is_volatile = |path: &FieldPath| {
            volatile::is_written(self.kind, path) || volatile::is_assigned(self.kind, path)
        };
        match value.shape() {
            Shape::Map => {
                let fields = value.fields();
                !fields.is_empty()
                    && fields.iter().all(|(key, value)| {
                        let path = path.joined(FieldStep::Key(key.as_ref().into()));
                        is_volatile(&path) || self.is_hollow(value, &path)
                    })
            }
            Shape::List => {
                let items = value.items();
                !items.is_empty()
                    && items.iter().all(|item| {
                        let label = super::lists::label(item, (self.rule)(path).keys);
                        let label = label.or_else(|| item.as_text().map(Into::into));
                        label.is_some_and(|label| {
                            is_volatile(&path.joined(FieldStep::Item(label.as_str().into())))
                        })
                    })
            }
            _ => false,
        }
    }

    /// A value in a form in which what makes no difference is not there: what is volatile left out, amounts as
    /// numbers, lists whose order means nothing sorted.
    pub fn canonical(&self, value: &Stored<'_>, path: &FieldPath) -> Json {
        match value.shape() {
            Shape::Map => {
                let mut map: Vec<(String, Json)> = Vec::new();
                for (key, value) in value.fields() {
                    let path = path.joined(FieldStep::Key(key.as_ref().into()));
                    let is_left_out = self.is_written_by_server(&path)
                        || (!self.kind.is_empty()
                            && (self.is_assigned(&value, &path) || self.is_hollow(&value, &path)));
                    if !is_left_out {
                        map.push((key.into_owned(), self.canonical(&value, &path)));
                    }
                }
                map.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(map.into_iter().collect())
            }
            Shape::List => {
                let inside = path.joined(FieldStep::Item("".into()));
                let is_left_out = |item: &Stored<'_>| {
                    let text = item.as_text();
                    text.is_some_and(|text| {
                        let path = path.joined(FieldStep::Item(text.as_ref().into()));
                        self.is_written_by_server(&path)
                    })
                };
                let items = value.items().into_iter();
                let items = items.filter(|item| !is_left_out(item));
                let mut items: Vec<Json> =
                    items.map(|item| self.canonical(&item, &inside)).collect();
                if !(self.rule)(path).ordered {
                    items.sort_by_cached_key(Json::to_string);
                }
                Json::Array(items)
            }
            Shape::Text(text) if value.amount().is_none() => {
                volatile::without_random(text).into_owned().into()
            }
            _ => match value.amount() {
                Some(amount) => json!({"thousandths": amount.thousandths.to_string()}),
                None => value.to_json(),
            },
        }
    }
}
