//! The values that expressions compute with.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;

use super::Error;
use super::functions::time::Time;
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
    Timestamp(Time),
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

/// A key of a map that an expression made. As in the API server, `1` and `1u` are two keys, and looking one up finds
/// the other ([`Value::lookup`]); a list or map is a key that nothing finds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `null`
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number, by its bits.
    Double(u64),
    /// Text.
    Text(Arc<str>),
    /// Anything else, by the position at which it was inserted.
    Other(usize),
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

    /// The first item, when this is a list.
    pub fn first_item(&self) -> Option<Option<Value<'a>>> {
        match self {
            Value::List(items) => Some(items.first().cloned()),
            Value::Tree(tree) if tree.is_list() => Some(tree.item(0)),
            _ => None,
        }
    }

    /// The first key and its value, when this is a map.
    pub fn first_entry(&self) -> Option<Option<(Value<'a>, Value<'a>)>> {
        match self {
            Value::Map(map) => Some(map.values().next().cloned()),
            Value::Tree(tree) if !tree.is_list() => {
                Some(tree.keys().into_iter().next().map(|key| {
                    let value = key.as_str().and_then(|name| tree.get(name));
                    (key, value.unwrap_or(Value::Null))
                }))
            }
            _ => None,
        }
    }

    /// The value of a key, when this is a map; whole numbers are found whatever their type.
    pub fn lookup(&self, key: &Value<'a>) -> Option<Value<'a>> {
        let map = match self {
            Value::Map(map) => map,
            Value::Tree(tree) if !tree.is_list() => {
                return key.as_str().and_then(|key| tree.get(key));
            }
            _ => return None,
        };
        let own = Key::of(key)?;
        let others: [Option<Key>; 2] = match key {
            Value::Int(number) => [u64::try_from(*number).ok().map(Key::Uint), None],
            Value::Uint(number) => [i64::try_from(*number).ok().map(Key::Int), None],
            Value::Double(number) => [
                super::convert::lossless_int(*number).map(Key::Int),
                super::convert::lossless_uint(*number).map(Key::Uint),
            ],
            _ => [None, None],
        };
        let keys = std::iter::once(own).chain(others.into_iter().flatten());
        keys.filter_map(|key| map.get(&key))
            .map(|(_, value)| value.clone())
            .next()
    }

    /// The keys and their values, when this is a map.
    pub fn entries(&self) -> Option<Vec<(Value<'a>, Value<'a>)>> {
        match self {
            Value::Map(map) => Some(map.values().cloned().collect()),
            Value::Tree(tree) if !tree.is_list() => {
                let value = |key: &Value<'a>| key.as_str().and_then(|name| tree.get(name));
                let keys = tree.keys().into_iter();
                Some(
                    keys.map(|key| (key.clone(), value(&key).unwrap_or(Value::Null)))
                        .collect(),
                )
            }
            _ => None,
        }
    }

    /// Whether it can be a key or position.
    pub fn is_key(&self) -> bool {
        matches!(
            self,
            Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Text(_)
        )
    }

    /// The item at a position, when this is a list.
    pub fn item(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Value::List(items) => items.get(index).cloned(),
            Value::Tree(tree) if tree.is_list() => tree.item(index),
            _ => None,
        }
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        match self {
            Value::List(_) => true,
            Value::Tree(tree) => tree.is_list(),
            _ => false,
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

    /// Its size as the API server charges for it; what has none counts as one.
    pub fn weight(&self) -> u64 {
        match self {
            Value::Kubernetes(value) => match &**value {
                Kubernetes::Ip(IpAddr::V4(_)) => 4,
                Kubernetes::Ip(IpAddr::V6(_)) => 16,
                Kubernetes::Cidr(_, length) => u64::from(length.div_ceil(8)),
                _ => 1,
            },
            other => other.size().map_or(1, |size| size as u64),
        }
    }

    /// Whether both are the same value. Values of different types are not, but for numbers.
    ///
    /// # Errors
    /// A value of Kubernetes' libraries is compared with something else.
    pub fn equals(&self, other: &Value<'a>) -> Result<bool, Error> {
        Ok(match (self, other) {
            (Value::Null, _) | (_, Value::Null) => {
                matches!((self, other), (Value::Null, Value::Null))
            }
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) | (Value::Type(a), Value::Type(b)) => {
                a.as_str() == b.as_str()
            }
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b).is_eq(),
            (Value::Kubernetes(a), Value::Kubernetes(b)) => {
                return a
                    .equals(b)
                    .ok_or_else(|| Error::overload("_==_", &[self, other]));
            }
            (Value::Kubernetes(_), _) => return Err(Error::overload("_==_", &[self, other])),
            (Value::Optional(a), Value::Optional(b)) => match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => return a.equals(b),
                _ => false,
            },
            (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => {
                compare_numbers(self, other) == Some(Ordering::Equal)
            }
            _ if self.is_list() && other.is_list() => self.equals_list(other),
            _ if self.is_map() && other.is_map() => self.equals_map(other),
            _ => false,
        })
    }

    /// Items that cannot be compared count as the same: the server asks only whether they differ.
    fn equals_list(&self, other: &Value<'a>) -> bool {
        let (Some(a), Some(b)) = (self.items(), other.items()) else {
            return false;
        };
        a.len() == b.len()
            && a.iter()
                .zip(b.iter())
                .all(|(a, b)| a.equals(b).unwrap_or(true))
    }

    fn equals_map(&self, other: &Value<'a>) -> bool {
        let (Some(keys), Some(size)) = (self.keys(), other.size()) else {
            return false;
        };
        keys.len() == size
            && keys
                .iter()
                .all(|key| match (self.lookup(key), other.lookup(key)) {
                    (Some(a), Some(b)) => a.equals(&b).unwrap_or(true),
                    _ => false,
                })
    }

    /// Which of two values comes first.
    ///
    /// # Errors
    /// They have no order.
    pub fn compare(&self, other: &Value<'a>) -> Result<Ordering, Error> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Ok(a.as_str().cmp(b.as_str())),
            (Value::Bytes(a), Value::Bytes(b)) => Ok(a.cmp(b)),
            (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
            (Value::Timestamp(a), Value::Timestamp(b)) => Ok(a.cmp(b)),
            (Value::Double(number), _)
            | (Value::Int(_) | Value::Uint(_), Value::Double(number))
                if number.is_nan() =>
            {
                Err(Error::Malformed("NaN has no order".to_owned()))
            }
            _ => compare_numbers(self, other).ok_or_else(|| match other {
                Value::Double(number) if number.is_nan() => {
                    Error::Malformed("NaN has no order".to_owned())
                }
                _ => Error::overload("_<_", &[self, other]),
            }),
        }
    }

    /// Whether it has an order at all.
    pub fn is_comparable(&self) -> bool {
        matches!(
            self,
            Value::Bool(_)
                | Value::Int(_)
                | Value::Uint(_)
                | Value::Double(_)
                | Value::Text(_)
                | Value::Bytes(_)
                | Value::Duration(_)
                | Value::Timestamp(_)
        )
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

impl Kubernetes {
    /// Whether two values of a library are the same; nothing if they are of two.
    fn equals(&self, other: &Kubernetes) -> Option<bool> {
        match (self, other) {
            (Kubernetes::Quantity(a), Kubernetes::Quantity(b)) => Some(a.cmp(b).is_eq()),
            (Kubernetes::Semver(a), Kubernetes::Semver(b)) => Some(a.cmp_precedence(b).is_eq()),
            (Kubernetes::Ip(_), Kubernetes::Ip(_))
            | (Kubernetes::Cidr(..), Kubernetes::Cidr(..))
            | (Kubernetes::Url(_), Kubernetes::Url(_))
            | (Kubernetes::Format(_), Kubernetes::Format(_)) => Some(self == other),
            _ => None,
        }
    }
}

impl Key {
    /// The key that a scalar is.
    pub fn of(value: &Value<'_>) -> Option<Key> {
        Some(match value {
            Value::Null => Key::Null,
            Value::Bool(value) => Key::Bool(*value),
            Value::Int(number) => Key::Int(*number),
            Value::Uint(number) => Key::Uint(*number),
            Value::Double(number) => Key::Double(number.to_bits()),
            Value::Text(text) => Key::Text(text.as_str().into()),
            _ => return None,
        })
    }
}

/// Puts a value into a map; a key that is there already gets the new one.
pub fn insert<'a>(map: &mut Map<'a>, key: Value<'a>, value: Value<'a>) {
    let name = Key::of(&key).unwrap_or(Key::Other(map.len()));
    map.insert(name, (key, value));
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
