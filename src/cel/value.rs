//! The values that expressions compute with.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Error;
use super::tree::Tree;

/// A value. Parts of manifests and documents stay where they are; only scalars are taken out.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list that an expression made.
    List(Arc<Vec<Value<'a>>>),
    /// A map that an expression made.
    Map(Arc<Map<'a>>),
    /// A list or map of a manifest or document.
    Tree(Tree<'a>),
    /// A span of time.
    Duration(SignedDuration),
    /// A point in time.
    Timestamp(Timestamp),
    /// The type of a value.
    Type(Text<'a>),
    /// A value that may be absent.
    Optional(Option<Arc<Value<'a>>>),
    /// A value of Kubernetes' libraries.
    Kubernetes(Arc<Kubernetes>),
}

/// A map that an expression made, sorted by key.
pub type Map<'a> = BTreeMap<Key, (Value<'a>, Value<'a>)>;

/// Values of Kubernetes' libraries for expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Kubernetes {
    /// An amount, such as `1.5Gi`.
    Quantity(super::functions::quantity::Quantity),
    /// An address.
    Ip(IpAddr),
    /// An address and the length of its prefix.
    Cidr(IpAddr, u8),
    /// An absolute URL or path.
    Url(super::functions::url::Url),
    /// A version.
    Semver(semver::Version),
    /// A named form of text, such as a DNS label.
    Format(&'static str),
}

/// Text that is borrowed from the input, or shared.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of the input or of the expression.
    Borrowed(&'a str),
    /// Computed.
    Shared(Arc<str>),
}

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Text<'a> {
        match text {
            Cow::Borrowed(text) => Text::Borrowed(text),
            Cow::Owned(text) => Text::Shared(text.into()),
        }
    }
}

/// A key of a map. Numbers are the same key whatever their type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Number(i128),
    /// Text.
    Text(Arc<str>),
}

impl<'a> Value<'a> {
    /// A computed text.
    pub fn text(text: impl Into<Arc<str>>) -> Value<'a> {
        Value::Text(Text::Shared(text.into()))
    }

    /// A computed list.
    pub fn list(items: Vec<Value<'a>>) -> Value<'a> {
        Value::List(Arc::new(items))
    }

    /// A value that is there.
    pub fn some(value: Value<'a>) -> Value<'a> {
        Value::Optional(Some(Arc::new(value)))
    }

    /// The text, when this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The name of its type, as `type()` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::Text(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Tree(tree) if tree.is_list() => "list",
            Value::List(_) => "list",
            Value::Map(_) | Value::Tree(_) => "map",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Kubernetes(value) => match &**value {
                Kubernetes::Quantity(_) => "kubernetes.Quantity",
                Kubernetes::Ip(_) => "net.IP",
                Kubernetes::Cidr(..) => "net.CIDR",
                Kubernetes::Url(_) => "kubernetes.URL",
                Kubernetes::Semver(_) => "kubernetes.Semver",
                Kubernetes::Format(_) => "kubernetes.NamedFormat",
            },
        }
    }

    /// How people call its type.
    pub fn kind_name(&self) -> &'static str {
        match self.type_name() {
            "null_type" => "null",
            "bool" => "true or false",
            "int" | "uint" => "a whole number",
            "double" => "a number",
            "string" => "text",
            "bytes" => "bytes",
            "list" => "a list",
            "map" => "a map",
            "google.protobuf.Duration" => "a duration",
            "google.protobuf.Timestamp" => "a time",
            "type" => "a type",
            "optional_type" => "an optional value",
            "kubernetes.Quantity" => "a quantity",
            "net.IP" => "an IP address",
            "net.CIDR" => "a CIDR",
            "kubernetes.URL" => "a URL",
            "kubernetes.Semver" => "a version",
            _ => "a format",
        }
    }

    /// The items, when this is a list.
    pub fn items(&self) -> Option<Cow<'_, [Value<'a>]>> {
        match self {
            Value::List(items) => Some(Cow::Borrowed(items.as_slice())),
            Value::Tree(tree) if tree.is_list() => Some(Cow::Owned(tree.items())),
            _ => None,
        }
    }

    /// The keys, when this is a map.
    pub fn keys(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Value::Map(map) => Some(map.values().map(|(key, _)| key.clone()).collect()),
            Value::Tree(tree) if !tree.is_list() => Some(tree.keys()),
            _ => None,
        }
    }

    /// Whether it has keys.
    pub fn is_map(&self) -> bool {
        match self {
            Value::Map(_) => true,
            Value::Tree(tree) => !tree.is_list(),
            _ => false,
        }
    }

    /// The value of a key, when this is a map.
    ///
    /// # Errors
    /// This is no map, or the key's type cannot be one.
    pub fn lookup(&self, key: &Value<'a>) -> Result<Option<Value<'a>>, Error> {
        match self {
            Value::Map(map) => Ok(match Key::of(key) {
                Some(key) => map.get(&key).map(|(_, value)| value.clone()),
                None => None,
            }),
            Value::Tree(tree) if !tree.is_list() => Ok(key.as_str().and_then(|key| tree.get(key))),
            other => Err(Error::overload("[]", &[other, key])),
        }
    }

    /// How many items, keys, characters or bytes it has.
    pub fn size(&self) -> Option<usize> {
        match self {
            Value::Text(text) => Some(text.as_str().chars().count()),
            Value::Bytes(bytes) => Some(bytes.len()),
            Value::List(items) => Some(items.len()),
            Value::Map(map) => Some(map.len()),
            Value::Tree(tree) => Some(tree.len()),
            _ => None,
        }
    }

    /// How much work it is to go through it, in the units of expression costs.
    pub fn weight(&self) -> u64 {
        match self {
            Value::Text(text) => text.as_str().len() as u64,
            other => other.size().map_or(1, |size| size as u64),
        }
    }

    /// How many values there are in it, those in lists and maps included; counting stops at a limit.
    pub fn deep_weight(&self, limit: u64) -> u64 {
        let mut counted = 0;
        self.count_into(&mut counted, limit);
        counted
    }

    fn count_into(&self, counted: &mut u64, limit: u64) {
        *counted += 1;
        if *counted > limit {
            return;
        }
        match self {
            Value::List(items) => {
                for item in items.iter() {
                    item.count_into(counted, limit);
                    if *counted > limit {
                        return;
                    }
                }
            }
            Value::Map(map) => {
                for (_, value) in map.values() {
                    value.count_into(counted, limit);
                    if *counted > limit {
                        return;
                    }
                }
            }
            Value::Optional(Some(inner)) => inner.count_into(counted, limit),
            _ => {}
        }
    }

    /// Whether both are the same value. Values of different types are not, but for numbers.
    pub fn equals(&self, other: &Value<'a>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) | (Value::Type(a), Value::Type(b)) => {
                a.as_str() == b.as_str()
            }
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Value::Kubernetes(a), Value::Kubernetes(b)) => a == b,
            (Value::Optional(a), Value::Optional(b)) => match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => a.equals(b),
                _ => false,
            },
            (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => {
                compare_numbers(self, other) == Some(Ordering::Equal)
            }
            _ => match (self.items(), other.items()) {
                (Some(a), Some(b)) => {
                    a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b))
                }
                (None, None) => self.equals_map(other),
                _ => false,
            },
        }
    }

    fn equals_map(&self, other: &Value<'a>) -> bool {
        let (Some(keys), Some(others)) = (self.keys(), other.keys()) else {
            return false;
        };
        keys.len() == others.len()
            && keys
                .iter()
                .all(|key| match (self.lookup(key), other.lookup(key)) {
                    (Ok(Some(a)), Ok(Some(b))) => a.equals(&b),
                    _ => false,
                })
    }

    /// Which of two values of a kind comes first; nothing if they cannot be compared.
    pub fn compare(&self, other: &Value<'a>) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
            (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
            _ => compare_numbers(self, other),
        }
    }

    /// The same value as JSON; what JSON has no word for is text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null | Value::Optional(None) => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Int(value) => Json::from(*value),
            Value::Uint(value) => Json::from(*value),
            Value::Double(value) => Json::from(*value),
            Value::Text(text) | Value::Type(text) => Json::from(text.as_str()),
            Value::Optional(Some(value)) => value.to_json(),
            Value::Tree(tree) => tree.view.to_json(),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(map) => map
                .values()
                .map(|(key, value)| {
                    (
                        super::convert::to_text(key).unwrap_or_default(),
                        value.to_json(),
                    )
                })
                .collect::<serde_json::Map<String, Json>>()
                .into(),
            other => Json::from(super::convert::to_text(other).unwrap_or_default()),
        }
    }
}

impl Key {
    /// The key that a value is; lists, maps and null are none.
    pub fn of(value: &Value<'_>) -> Option<Key> {
        match value {
            Value::Bool(value) => Some(Key::Bool(*value)),
            Value::Int(number) => Some(Key::Number(i128::from(*number))),
            Value::Uint(number) => Some(Key::Number(i128::from(*number))),
            #[allow(clippy::cast_possible_truncation)]
            Value::Double(number) if number.fract() == 0.0 && number.abs() < 1e19 => {
                Some(Key::Number(*number as i128))
            }
            Value::Text(text) => Some(Key::Text(text.as_str().into())),
            _ => None,
        }
    }
}

/// Compares numbers of any types by what they stand for.
pub fn compare_numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), _) => compare_double(*a, whole(b)?),
        (_, Value::Double(b)) => compare_double(*b, whole(a)?).map(Ordering::reverse),
        _ => Some(whole(a)?.cmp(&whole(b)?)),
    }
}

fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    }
}

/// As the API server compares: within the range of 64 bits, as doubles.
#[allow(clippy::cast_precision_loss)]
fn compare_double(a: f64, b: i128) -> Option<Ordering> {
    a.partial_cmp(&(b as f64))
}
