//! The values that expressions compute with.

pub mod quantity;
pub(crate) mod quoted;
pub mod time;
pub mod url;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;

use time::Time;

use super::EvaluationError;
use super::tree::StoredTree;

/// A value. Parts of manifests and documents stay where they are; only scalars are taken out.
#[derive(Clone, Debug)]
pub enum CelValue<'a> {
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
    List(Arc<Vec<CelValue<'a>>>),
    /// A map that an expression made.
    Map(Arc<ValueMap<'a>>),
    /// A list or map of a manifest or document.
    Tree(StoredTree<'a>),
    /// A span of time.
    Duration(SignedDuration),
    /// A point in time.
    Timestamp(Time),
    /// The type of a value.
    Type(Text<'a>),
    /// A value that may be absent.
    Optional(Option<Arc<CelValue<'a>>>),
    /// A value of Kubernetes' libraries.
    Kubernetes(Arc<Kubernetes>),
}

/// A map that an expression made, sorted by key.
pub type ValueMap<'a> = BTreeMap<MapKey, (CelValue<'a>, CelValue<'a>)>;

/// Values of Kubernetes' libraries for expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Kubernetes {
    /// An amount, such as `1.5Gi`.
    Quantity(quantity::Quantity),
    /// An address.
    Ip(IpAddr),
    /// An address and the length of its prefix.
    Cidr(IpAddr, u8),
    /// An absolute URL or path.
    Url(url::Url),
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
/// the other ([`CelValue::lookup`]); a list or map is a key that nothing finds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MapKey {
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

impl<'a> CelValue<'a> {
    /// A computed text.
    pub fn text(text: impl Into<Arc<str>>) -> CelValue<'a> {
        CelValue::Text(Text::Shared(text.into()))
    }

    /// A computed list.
    pub fn list(items: Vec<CelValue<'a>>) -> CelValue<'a> {
        CelValue::List(Arc::new(items))
    }

    /// A value that is there.
    pub fn some(value: CelValue<'a>) -> CelValue<'a> {
        CelValue::Optional(Some(Arc::new(value)))
    }

    /// The text, when this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            CelValue::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The name of its type, as `type()` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            CelValue::Null => "null_type",
            CelValue::Bool(_) => "bool",
            CelValue::Int(_) => "int",
            CelValue::Uint(_) => "uint",
            CelValue::Double(_) => "double",
            CelValue::Text(_) => "string",
            CelValue::Bytes(_) => "bytes",
            CelValue::Tree(tree) if tree.is_list() => "list",
            CelValue::List(_) => "list",
            CelValue::Map(_) | CelValue::Tree(_) => "map",
            CelValue::Duration(_) => "google.protobuf.Duration",
            CelValue::Timestamp(_) => "google.protobuf.Timestamp",
            CelValue::Type(_) => "type",
            CelValue::Optional(_) => "optional_type",
            CelValue::Kubernetes(value) => match &**value {
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
    pub fn items(&self) -> Option<Cow<'_, [CelValue<'a>]>> {
        match self {
            CelValue::List(items) => Some(Cow::Borrowed(items.as_slice())),
            CelValue::Tree(tree) if tree.is_list() => Some(Cow::Owned(tree.items())),
            _ => None,
        }
    }

    /// The keys, when this is a map.
    pub fn keys(&self) -> Option<Vec<CelValue<'a>>> {
        match self {
            CelValue::Map(map) => Some(map.values().map(|(key, _)| key.clone()).collect()),
            CelValue::Tree(tree) if !tree.is_list() => Some(tree.keys()),
            _ => None,
        }
    }

    /// Whether it has keys.
    pub fn is_map(&self) -> bool {
        match self {
            CelValue::Map(_) => true,
            CelValue::Tree(tree) => !tree.is_list(),
            _ => false,
        }
    }

    /// The first item, when this is a list.
    pub fn first_item(&self) -> Option<Option<CelValue<'a>>> {
        match self {
            CelValue::List(items) => Some(items.first().cloned()),
            CelValue::Tree(tree) if tree.is_list() => Some(tree.item(0)),
            _ => None,
        }
    }

    /// The first key and its value, when this is a map.
    pub fn first_entry(&self) -> Option<Option<(CelValue<'a>, CelValue<'a>)>> {
        match self {
            CelValue::Map(map) => Some(map.values().next().cloned()),
            CelValue::Tree(tree) if !tree.is_list() => {
                Some(tree.keys().into_iter().next().map(|key| {
                    let value = key.as_str().and_then(|name| tree.get(name));
                    (key, value.unwrap_or(CelValue::Null))
                }))
            }
            _ => None,
        }
    }

    /// The value of a key, when this is a map; whole numbers are found whatever their type.
    pub fn lookup(&self, key: &CelValue<'a>) -> Option<CelValue<'a>> {
        let map = match self {
            CelValue::Map(map) => map,
            CelValue::Tree(tree) if !tree.is_list() => {
                return key.as_str().and_then(|key| tree.get(key));
            }
            _ => return None,
        };
        let own = MapKey::of(key)?;
        let others: [Option<MapKey>; 2] = match key {
            CelValue::Int(number) => [u64::try_from(*number).ok().map(MapKey::Uint), None],
            CelValue::Uint(number) => [i64::try_from(*number).ok().map(MapKey::Int), None],
            CelValue::Double(number) => [
                super::convert::lossless_int(*number).map(MapKey::Int),
                super::convert::lossless_uint(*number).map(MapKey::Uint),
            ],
            _ => [None, None],
        };
        let keys = std::iter::once(own).chain(others.into_iter().flatten());
        keys.filter_map(|key| map.get(&key))
            .map(|(_, value)| value.clone())
            .next()
    }

    /// The keys and their values, when this is a map.
    pub fn entries(&self) -> Option<Vec<(CelValue<'a>, CelValue<'a>)>> {
        match self {
            CelValue::Map(map) => Some(map.values().cloned().collect()),
            CelValue::Tree(tree) if !tree.is_list() => {
                let value = |key: &CelValue<'a>| key.as_str().and_then(|name| tree.get(name));
                let keys = tree.keys().into_iter();
                Some(
                    keys.map(|key| (key.clone(), value(&key).unwrap_or(CelValue::Null)))
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
            CelValue::Bool(_)
                | CelValue::Int(_)
                | CelValue::Uint(_)
                | CelValue::Double(_)
                | CelValue::Text(_)
        )
    }

    /// The item at a position, when this is a list.
    pub fn item(&self, index: usize) -> Option<CelValue<'a>> {
        match self {
            CelValue::List(items) => items.get(index).cloned(),
            CelValue::Tree(tree) if tree.is_list() => tree.item(index),
            _ => None,
        }
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        match self {
            CelValue::List(_) => true,
            CelValue::Tree(tree) => tree.is_list(),
            _ => false,
        }
    }

    /// How many items, keys, characters or bytes it has.
    pub fn size(&self) -> Option<usize> {
        match self {
            CelValue::Text(text) => Some(text.as_str().chars().count()),
            CelValue::Bytes(bytes) => Some(bytes.len()),
            CelValue::List(items) => Some(items.len()),
            CelValue::Map(map) => Some(map.len()),
            CelValue::Tree(tree) => Some(tree.len()),
            _ => None,
        }
    }

    /// Its size as the API server charges for it; what has none counts as one.
    pub fn weight(&self) -> u64 {
        match self {
            CelValue::Kubernetes(value) => match &**value {
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
    pub fn equals(&self, other: &CelValue<'a>) -> Result<bool, EvaluationError> {
        Ok(match (self, other) {
            (CelValue::Null, _) | (_, CelValue::Null) => {
                matches!((self, other), (CelValue::Null, CelValue::Null))
            }
            (CelValue::Bool(a), CelValue::Bool(b)) => a == b,
            (CelValue::Text(a), CelValue::Text(b)) | (CelValue::Type(a), CelValue::Type(b)) => {
                a.as_str() == b.as_str()
            }
            (CelValue::Bytes(a), CelValue::Bytes(b)) => a == b,
            (CelValue::Duration(a), CelValue::Duration(b)) => a == b,
            (CelValue::Timestamp(a), CelValue::Timestamp(b)) => a.cmp(b).is_eq(),
            (CelValue::Kubernetes(a), CelValue::Kubernetes(b)) => {
                return a
                    .equals(b)
                    .ok_or_else(|| EvaluationError::overload("_==_", &[self, other]));
            }
            (CelValue::Kubernetes(_), _) => {
                return Err(EvaluationError::overload("_==_", &[self, other]));
            }
            (CelValue::Optional(a), CelValue::Optional(b)) => match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => return a.equals(b),
                _ => false,
            },
            (CelValue::Int(_) | CelValue::Uint(_) | CelValue::Double(_), _) => {
                compare_numbers(self, other) == Some(Ordering::Equal)
            }
            _ if self.is_list() && other.is_list() => self.equals_list(other),
            _ if self.is_map() && other.is_map() => self.equals_map(other),
            _ => false,
        })
    }

    /// Items that cannot be compared count as the same: the server asks only whether they differ.
    fn equals_list(&self, other: &CelValue<'a>) -> bool {
        let (Some(a), Some(b)) = (self.items(), other.items()) else {
            return false;
        };
        a.len() == b.len()
            && a.iter()
                .zip(b.iter())
                .all(|(a, b)| a.equals(b).unwrap_or(true))
    }

    fn equals_map(&self, other: &CelValue<'a>) -> bool {
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
    pub fn compare(&self, other: &CelValue<'a>) -> Result<Ordering, EvaluationError> {
        match (self, other) {
            (CelValue::Bool(a), CelValue::Bool(b)) => Ok(a.cmp(b)),
            (CelValue::Text(a), CelValue::Text(b)) => Ok(a.as_str().cmp(b.as_str())),
            (CelValue::Bytes(a), CelValue::Bytes(b)) => Ok(a.cmp(b)),
            (CelValue::Duration(a), CelValue::Duration(b)) => Ok(a.cmp(b)),
            (CelValue::Timestamp(a), CelValue::Timestamp(b)) => Ok(a.cmp(b)),
            (CelValue::Double(number), _)
            | (CelValue::Int(_) | CelValue::Uint(_), CelValue::Double(number))
                if number.is_nan() =>
            {
                Err(EvaluationError::Malformed("NaN has no order".to_owned()))
            }
            _ => compare_numbers(self, other).ok_or_else(|| match other {
                CelValue::Double(number) if number.is_nan() => {
                    EvaluationError::Malformed("NaN has no order".to_owned())
                }
                _ => EvaluationError::overload("_<_", &[self, other]),
            }),
        }
    }

    /// Whether it has an order at all.
    pub fn is_comparable(&self) -> bool {
        matches!(
            self,
            CelValue::Bool(_)
                | CelValue::Int(_)
                | CelValue::Uint(_)
                | CelValue::Double(_)
                | CelValue::Text(_)
                | CelValue::Bytes(_)
                | CelValue::Duration(_)
                | CelValue::Timestamp(_)
        )
    }

    /// The same value as JSON; what JSON has no word for is text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            CelValue::Null | CelValue::Optional(None) => Json::Null,
            CelValue::Bool(value) => Json::from(*value),
            CelValue::Int(value) => Json::from(*value),
            CelValue::Uint(value) => Json::from(*value),
            CelValue::Double(value) => Json::from(*value),
            CelValue::Text(text) | CelValue::Type(text) => Json::from(text.as_str()),
            CelValue::Optional(Some(value)) => value.to_json(),
            CelValue::Tree(tree) => tree.view.to_json(),
            CelValue::List(items) => items.iter().map(CelValue::to_json).collect(),
            CelValue::Map(map) => map
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

impl MapKey {
    /// The key that a scalar is.
    pub fn of(value: &CelValue<'_>) -> Option<MapKey> {
        Some(match value {
            CelValue::Null => MapKey::Null,
            CelValue::Bool(value) => MapKey::Bool(*value),
            CelValue::Int(number) => MapKey::Int(*number),
            CelValue::Uint(number) => MapKey::Uint(*number),
            CelValue::Double(number) => MapKey::Double(number.to_bits()),
            CelValue::Text(text) => MapKey::Text(text.as_str().into()),
            _ => return None,
        })
    }
}

/// Puts a value into a map; a key that is there already gets the new one.
pub fn insert<'a>(map: &mut ValueMap<'a>, key: CelValue<'a>, value: CelValue<'a>) {
    let name = MapKey::of(&key).unwrap_or(MapKey::Other(map.len()));
    map.insert(name, (key, value));
}

/// Compares numbers of any types by what they stand for.
pub fn compare_numbers(a: &CelValue<'_>, b: &CelValue<'_>) -> Option<Ordering> {
    match (a, b) {
        (CelValue::Int(a), CelValue::Int(b)) => Some(a.cmp(b)),
        (CelValue::Double(a), CelValue::Double(b)) => a.partial_cmp(b),
        (CelValue::Double(a), _) => compare_double(*a, whole(b)?),
        (_, CelValue::Double(b)) => compare_double(*b, whole(a)?).map(Ordering::reverse),
        _ => Some(whole(a)?.cmp(&whole(b)?)),
    }
}

fn whole(value: &CelValue<'_>) -> Option<i128> {
    match value {
        CelValue::Int(number) => Some(i128::from(*number)),
        CelValue::Uint(number) => Some(i128::from(*number)),
        _ => None,
    }
}

/// As the API server compares: within the range of 64 bits, as doubles.
#[allow(clippy::cast_precision_loss)]
fn compare_double(a: f64, b: i128) -> Option<Ordering> {
    a.partial_cmp(&(b as f64))
}
