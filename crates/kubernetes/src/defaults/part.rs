//! Parts of an object as the API server stores them, read in place.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use super::canonical;
use super::table::{self, FieldCondition, Fill, Fills, TABLE};
use crate::schemas::ObjectSchemas;
use tenantry_engine::scalars::Amount;
use tenantry_engine::schema::{Additional, SchemaRule, SchemaSet};
use tenantry_engine::view::{Shape, View};
use tenantry_syntax::yaml::Node;

/// Holds for places that no schema describes.
static NOTHING: SchemaRule = SchemaRule::ANYTHING;
static EMPTY: LazyLock<Node> = LazyLock::new(Node::empty_map);

/// What is known of a place in an object.
#[derive(Clone, Copy, Debug)]
struct StoredPlace<'a> {
    rule: &'a SchemaRule,
    set: &'a SchemaSet,
    /// What this place is filled with beyond its type.
    overlay: Option<&'static Fills>,
    /// Whether it is an entry of a map.
    is_entry: bool,
    /// Whether the object is still as it was sent: validation sees empty values, and nothing that is made of others.
    as_sent: bool,
}

/// A part of an object that stands somewhere, read as the API server stores it.
#[derive(Clone, Copy, Debug)]
pub struct StoredPart<'a> {
    /// Where it stands.
    pub view: View<'a>,
    place: StoredPlace<'a>,
}

/// What is stored at a place.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// What it is.
    pub held: StoredValue<'a>,
    /// Where it is written, if the API server does not fill it in.
    pub written: Option<View<'a>>,
}

/// What is stored, as it was found or made.
#[derive(Clone, Debug)]
pub enum StoredValue<'a> {
    /// Something that stands somewhere.
    Part(StoredPart<'a>),
    /// A text that is made.
    Text(Arc<str>),
    /// An amount that is made.
    Amount(Arc<str>),
    /// A list that is made.
    List(Arc<[Stored<'a>]>),
    /// A map that is made.
    Map(Arc<[(Cow<'a, str>, Stored<'a>)]>),
}

/// What fills a field, its conditions decided.
enum ResolvedFill {
    Nothing,
    Value(View<'static>),
    Map(&'static Fills),
    Items(&'static Fills),
    Computed(super::rules::Computed, &'static str),
}

impl<'a> StoredPlace<'a> {
    fn is_same_as(&self, other: &StoredPlace<'_>) -> bool {
        let fills =
            |place: &StoredPlace<'_>| place.overlay.map(|fills| std::ptr::from_ref(fills).addr());
        std::ptr::from_ref(self.rule).addr() == std::ptr::from_ref(other.rule).addr()
            && std::ptr::from_ref(self.set).addr() == std::ptr::from_ref(other.set).addr()
            && fills(self) == fills(other)
            && (self.is_entry, self.as_sent) == (other.is_entry, other.as_sent)
    }

    fn of(rule: &'a SchemaRule, set: &'a SchemaSet) -> StoredPlace<'a> {
        let choices = &set.follow(rule).any_of;
        // A schema or a truth value, a schema or a list of them: only the schema has fields.
        let structure = choices.iter().find(|choice| choice.reference.is_some());
        StoredPlace {
            rule: structure.unwrap_or(rule),
            set,
            overlay: None,
            is_entry: false,
            as_sent: false,
        }
    }

    /// Whether Kubernetes' own types describe it; else a custom resource's schema does.
    fn is_native(self) -> bool {
        std::ptr::eq(self.set, table::set())
    }

    fn followed(self) -> &'a SchemaRule {
        self.set.follow(self.rule)
    }

    fn fills(self) -> Option<&'static Fills> {
        self.is_native().then(|| TABLE.fills(self.rule)).flatten()
    }

    fn child(self, key: &str) -> StoredPlace<'a> {
        let rule = self.followed();
        let (child, is_entry) = match (rule.property(key), &rule.additional) {
            (Some(child), _) => (child, false),
            (None, Additional::Rule(child)) => (&**child, true),
            (None, _) => (&NOTHING, true),
        };
        if key == "metadata" && !self.is_native() && rule.property("apiVersion").is_some() {
            return StoredPlace {
                as_sent: self.as_sent,
                ..StoredPlace::of(&TABLE.metadata, table::set())
            };
        }
        StoredPlace {
            is_entry,
            as_sent: self.as_sent,
            ..StoredPlace::of(child, self.set)
        }
    }

    fn item(self) -> StoredPlace<'a> {
        StoredPlace {
            overlay: self.overlay.and_then(|fills| fills.each.as_deref()),
            is_entry: true,
            as_sent: self.as_sent,
            ..StoredPlace::of(
                self.followed().items.as_deref().unwrap_or(&NOTHING),
                self.set,
            )
        }
    }
}

impl<'a> StoredPart<'a> {
    /// An object. `custom` has the schemas of custom resources, whose defaults are in them.
    pub fn object(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> StoredPart<'a> {
        let (api_version, kind) = (view.api_version(), view.object_kind());
        let place = match TABLE.kind(&api_version, &kind) {
            Some(rule) => StoredPlace::of(rule, table::set()),
            None => match custom.and_then(|schemas| schemas.find(&api_version, &kind)) {
                Some((rule, set)) => StoredPlace::of(rule, set),
                None => StoredPlace::of(&TABLE.unknown, table::set()),
            },
        };
        StoredPart { view, place }
    }

    /// An object as validation sees it: defaults are filled in, and nothing else is changed.
    pub fn as_sent(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> StoredPart<'a> {
        let mut part = StoredPart::object(view, custom);
        part.place.as_sent = true;
        part
    }

    /// A part that nothing is known of.
    pub fn unknown(view: View<'a>) -> StoredPart<'a> {
        StoredPart {
            view,
            place: StoredPlace::of(&NOTHING, table::set()),
        }
    }

    /// Whether the type of the object is one of Kubernetes' own.
    pub fn is_native(&self) -> bool {
        self.place.is_native() && !std::ptr::eq(self.place.rule, &raw const TABLE.unknown)
    }

    fn is_quantity(&self) -> bool {
        self.place.is_native() && TABLE.is_quantity(self.place.rule)
    }

    /// What stands here; amounts, times and bytes as they are stored.
    pub fn shape(&self) -> Shape<'a> {
        let shape = self.view.shape();
        if !self.place.is_native() {
            return shape;
        }
        let rule = self.place.rule;
        if TABLE.is_quantity(rule) {
            let amount =
                |text| canonical_text(text, |text| canonical::quantity(text, self.place.is_entry));
            return match shape {
                Shape::Text(text) => Shape::Text(amount(text)),
                Shape::Int(number) => Shape::Text(amount(Cow::Owned(number.to_string()))),
                Shape::Float(number) => Shape::Text(amount(Cow::Owned(number.to_string()))),
                other => other,
            };
        }
        let Shape::Text(text) = shape else {
            return shape;
        };
        Shape::Text(match self.place.followed().format.as_deref() {
            Some("date-time") if !TABLE.is_micro_time(rule) => {
                canonical_text(text, canonical::time)
            }
            Some("byte") => canonical_text(text, canonical::bytes),
            _ => text,
        })
    }

    /// What a key is filled with.
    fn fill(&self, key: &str) -> ResolvedFill {
        let overlay = self.place.overlay.and_then(|fills| fills.field(key));
        let fill = overlay.or_else(|| self.place.fills()?.field(key));
        let Some(mut fill) = fill else {
            return ResolvedFill::Nothing;
        };
        loop {
            fill = match fill {
                Fill::Value(view) => return ResolvedFill::Value(*view),
                Fill::Map(fills) => return ResolvedFill::Map(fills),
                Fill::Items(fills) => return ResolvedFill::Items(fills),
                Fill::Computed(function, argument) => {
                    return ResolvedFill::Computed(*function, argument);
                }
                Fill::If(conditions, then, otherwise) => {
                    let holds = conditions.iter().all(|(sibling, values)| {
                        values.iter().any(|value| self.meets(sibling, value))
                    });
                    match (holds, otherwise) {
                        (true, _) => then,
                        (false, Some(otherwise)) => otherwise,
                        (false, None) => return ResolvedFill::Nothing,
                    }
                }
            };
        }
    }

    fn meets(&self, key: &str, condition: &FieldCondition) -> bool {
        match condition {
            FieldCondition::Set => self.written(key).is_some(),
            FieldCondition::Unset => self.written(key).is_none(),
            FieldCondition::Text(wanted) => {
                let value = self.get(key).map(|value| value.shape());
                matches!(value, Some(Shape::Text(text)) if text == *wanted)
            }
            FieldCondition::Bool(wanted) => {
                let value = self.get(key).map(|value| value.shape());
                matches!(value, Some(Shape::Bool(value)) if value == *wanted)
            }
        }
    }

    /// What is written at a key and not dropped.
    pub fn written(&self, key: &str) -> Option<StoredPart<'a>> {
        self.not_dropped(key, self.view.get(key)?)
    }

    fn not_dropped(&self, key: &str, view: View<'a>) -> Option<StoredPart<'a>> {
        let place = self.place.child(key);
        let part = StoredPart { view, place };
        (!self.drops(key, &part)).then_some(part)
    }

    /// Whether a zero is dropped.
    fn drops(&self, key: &str, part: &StoredPart<'a>) -> bool {
        if self.place.as_sent {
            return part.view.is_null();
        }
        if !self.place.is_native() || part.place.is_entry || !part.view.is_zero() {
            return false;
        }
        let rule = part.place.followed();
        // Only maps are dropped: structures are stored though they are empty.
        let is_map = matches!(rule.additional, Additional::Rule(_));
        let is_structure = part.view.is_map() && !is_map;
        let is_kept = || {
            let fills = self.place.fills();
            let is_filled = fills.is_some_and(|fills| fills.field(key).is_some());
            let required = &mut self.place.followed().required.iter();
            fills.is_some_and(|fills| fills.keeps(key))
                || (!is_filled && required.any(|name| &**name == key))
        };
        !is_structure && !is_kept()
    }

    /// What is stored at a key.
    pub fn get(&self, key: &str) -> Option<Stored<'a>> {
        self.stored(key, self.view.get(key))
    }

    /// What is written at a key, as it was sent; `view` is where it stands.
    pub fn sent(&self, key: &str, view: View<'a>) -> Option<StoredPart<'a>> {
        let overlay = match self.fill(key) {
            ResolvedFill::Map(fills) | ResolvedFill::Items(fills) => Some(fills),
            _ => None,
        };
        let mut part = self.not_dropped(key, view)?;
        part.place.overlay = overlay;
        Some(part)
    }

    /// What is written at some keys, as it was sent.
    pub fn sent_at(self, keys: &[&str]) -> Option<StoredPart<'a>> {
        let mut keys = keys.iter();
        keys.try_fold(self, |part, key| part.sent(key, part.view.get(key)?))
    }

    /// The items of a list, as they are written.
    pub fn parts(&self) -> Vec<StoredPart<'a>> {
        let place = self.place.item();
        let items = self.view.items().into_iter();
        items.map(|view| StoredPart { view, place }).collect()
    }

    fn stored(&self, key: &str, view: Option<View<'a>>) -> Option<Stored<'a>> {
        let fill = self.fill(key);
        let overlay = match fill {
            ResolvedFill::Map(fills) | ResolvedFill::Items(fills) => Some(fills),
            _ => None,
        };
        let written = view.and_then(|view| self.not_dropped(key, view));
        let written = written.map(|mut part| {
            part.place.overlay = overlay;
            Stored::written(part)
        });
        match fill {
            ResolvedFill::Computed(..) if self.place.as_sent && written.is_some() => written,
            ResolvedFill::Computed(function, argument) => {
                let made = function(self, key, argument, written);
                let is_made_up = |made: &Stored<'_>| {
                    matches!(made.held, StoredValue::List(_) | StoredValue::Map(_))
                };
                made.filter(|made| !(self.place.as_sent && is_made_up(made)))
            }
            _ if written.is_some() => written,
            // A status is what controllers say: validation knows only one that is written.
            _ if self.place.as_sent && key == "status" => None,
            ResolvedFill::Value(view) => Some(self.filled(key, view, None)),
            ResolvedFill::Map(fills) => Some(self.filled(key, View::of(&EMPTY), Some(fills))),
            ResolvedFill::Items(_) => None,
            ResolvedFill::Nothing => {
                let rule = self.place.child(key).followed();
                let default = rule
                    .default
                    .as_deref()
                    .filter(|_| !self.place.is_native())?;
                Some(self.filled(key, View::of(default), None))
            }
        }
    }

    /// A value in place of what is not written at a key.
    pub fn filled(&self, key: &str, view: View<'a>, overlay: Option<&'static Fills>) -> Stored<'a> {
        let mut place = self.place.child(key);
        place.overlay = overlay;
        Stored::filled(StoredPart { view, place })
    }

    /// An empty map in place of what is not written at a key.
    pub fn filled_empty(&self, key: &str) -> Stored<'a> {
        self.filled(key, View::of(&EMPTY), None)
    }

    /// A value as an item of the list at a key.
    pub fn filled_item(&self, key: &str, view: View<'a>) -> Stored<'a> {
        let place = self.place.child(key).item();
        Stored::filled(StoredPart { view, place })
    }

    /// The fields of a map, those that are written first.
    pub fn fields(&self) -> Vec<(Cow<'a, str>, Stored<'a>)> {
        let written = self.view.fields();
        let mut fields: Vec<(Cow<'a, str>, Stored<'a>)> = Vec::with_capacity(written.len());
        for field in written {
            if let Some(value) = self.stored(&field.key, Some(field.value)) {
                fields.push((field.key, value));
            }
        }
        let overlay = self.place.overlay.into_iter();
        let filled = overlay.chain(self.place.fills()).flat_map(Fills::keys);
        let filled = filled.map(|key| -> &'a str { key });
        let set = self.place.set;
        let custom = (!self.place.is_native()).then(|| self.place.followed().properties.iter());
        let custom = custom.into_iter().flatten();
        let custom = custom.filter(|(_, rule)| set.follow(rule).default.is_some());
        for key in filled.chain(custom.map(|(key, _)| &**key)) {
            if self.view.get(key).is_none()
                && !fields.iter().any(|(known, _)| known == key)
                && let Some(value) = self.get(key)
            {
                fields.push((Cow::Borrowed(key), value));
            }
        }
        fields
    }

    /// One item of a list.
    pub fn item(&self, index: usize) -> Option<Stored<'a>> {
        let view = self.view.items().get(index).copied()?;
        let place = self.place.item();
        Some(Stored::written(StoredPart { view, place }))
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Stored<'a>> {
        self.parts().into_iter().map(Stored::written).collect()
    }
}

fn canonical_text(text: Cow<'_, str>, canonical: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    let changed = match canonical(&text) {
        Cow::Owned(changed) => Some(changed),
        Cow::Borrowed(same) if same.len() != text.len() => Some(same.to_owned()),
        Cow::Borrowed(_) => None,
    };
    changed.map_or(text, Cow::Owned)
}

impl<'a> Stored<'a> {
    /// Whether the same is written at both places, and the same is made of it. Where they are of different forms, it is
    /// not looked into, and `false`.
    pub fn is_written_as(&self, other: &Stored<'_>) -> bool {
        match (&self.held, &other.held) {
            (StoredValue::Part(a), StoredValue::Part(b)) => {
                self.written.is_some() == other.written.is_some()
                    && a.place.is_same_as(&b.place)
                    && a.view.is_written_as(b.view)
            }
            _ => false,
        }
    }

    /// What is written.
    pub fn written(part: StoredPart<'a>) -> Stored<'a> {
        Stored {
            held: StoredValue::Part(part),
            written: Some(part.view),
        }
    }

    /// What is filled in.
    pub fn filled(part: StoredPart<'a>) -> Stored<'a> {
        Stored {
            held: StoredValue::Part(part),
            written: None,
        }
    }

    /// A text that is made.
    pub fn text(text: impl Into<Arc<str>>, written: Option<View<'a>>) -> Stored<'a> {
        Stored {
            held: StoredValue::Text(text.into()),
            written,
        }
    }

    /// An amount that is made.
    pub fn made_amount(text: impl Into<Arc<str>>) -> Stored<'a> {
        Stored {
            held: StoredValue::Amount(text.into()),
            written: None,
        }
    }

    /// A list that is made.
    pub fn list(items: Vec<Stored<'a>>, written: Option<View<'a>>) -> Stored<'a> {
        Stored {
            held: StoredValue::List(items.into()),
            written,
        }
    }

    /// A map that is made.
    pub fn map(fields: Vec<(Cow<'a, str>, Stored<'a>)>, written: Option<View<'a>>) -> Stored<'a> {
        Stored {
            held: StoredValue::Map(fields.into()),
            written,
        }
    }

    /// What is stored here.
    pub fn shape(&self) -> Shape<'a> {
        match &self.held {
            StoredValue::Part(part) => part.shape(),
            StoredValue::Text(text) | StoredValue::Amount(text) => {
                Shape::Text(Cow::Owned(text.to_string()))
            }
            StoredValue::List(_) => Shape::List,
            StoredValue::Map(_) => Shape::Map,
        }
    }

    /// Parts of what is filled in are filled in, too.
    fn inside(&self, part: Stored<'a>) -> Stored<'a> {
        match (&self.held, self.written) {
            (StoredValue::Part(_), None) => Stored {
                written: None,
                ..part
            },
            _ => part,
        }
    }

    /// Where the value of a key is written, even if it is not stored so.
    pub fn place(&self, key: &str) -> Option<View<'a>> {
        match &self.held {
            StoredValue::Part(part) => part.view.get(key),
            _ => self.get(key)?.written,
        }
    }

    /// Whether a key is written here.
    pub fn has_written(&self, key: &str) -> bool {
        matches!(&self.held, StoredValue::Part(part) if part.written(key).is_some())
    }

    /// What is stored at a key.
    pub fn get(&self, key: &str) -> Option<Stored<'a>> {
        match &self.held {
            StoredValue::Part(part) => Some(self.inside(part.get(key)?)),
            StoredValue::Map(fields) => {
                let found = fields.iter().find(|(known, _)| known == key)?;
                Some(found.1.clone())
            }
            _ => None,
        }
    }

    /// The fields of a map.
    pub fn fields(&self) -> Vec<(Cow<'a, str>, Stored<'a>)> {
        match &self.held {
            StoredValue::Part(part) => {
                let fields = part.fields().into_iter();
                fields
                    .map(|(key, value)| (key, self.inside(value)))
                    .collect()
            }
            StoredValue::Map(fields) => fields.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Stored<'a>> {
        match &self.held {
            StoredValue::Part(part) => {
                let items = part.items().into_iter();
                items.map(|item| self.inside(item)).collect()
            }
            StoredValue::List(items) => items.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The amount, where Kubernetes reads one: `1` and `1000m` are the same.
    pub fn amount(&self) -> Option<Amount> {
        let text = match &self.held {
            StoredValue::Part(part) if part.is_quantity() => self.as_text()?,
            StoredValue::Amount(text) => Cow::Borrowed(&**text),
            _ => return None,
        };
        Amount::parse(&text)
    }

    /// The text, when this is one.
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match self.shape() {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All of it, as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self.shape() {
            Shape::Null => Json::Null,
            Shape::Bool(value) => Json::Bool(value),
            Shape::Int(value) => Json::from(value),
            Shape::Float(value) => Json::from(value),
            Shape::Text(text) => Json::String(text.into_owned()),
            Shape::List => self.items().iter().map(Stored::to_json).collect(),
            Shape::Map => {
                let fields = self.fields().into_iter();
                let fields = fields.map(|(key, value)| (key.into_owned(), value.to_json()));
                Json::Object(fields.collect())
            }
        }
    }
}
