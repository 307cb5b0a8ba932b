//! The types that the checker deduces, and how they unify: the rules of cel-go's checker, which the API server runs.
//! <https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking>

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::value::CelValue;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Known only when the expression runs.
    Dyn,
    /// What has an error already, so that it causes no other.
    Error,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// A span of time.
    Duration,
    /// A point in time.
    Timestamp,
    /// `list(T)`
    List(Arc<Type>),
    /// `map(K, V)`
    Map(Arc<Type>, Arc<Type>),
    /// `optional_type(T)`
    Optional(Arc<Type>),
    /// The type of a type.
    Type(Option<Arc<Type>>),
    /// A type that an overload or an empty list leaves open.
    Param(Param),
    /// A type of Kubernetes' libraries, by name; it has no fields.
    Named(&'static str),
    /// An object whose fields are known.
    Object(Arc<ObjectType>),
}

/// A type parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Param {
    /// Of an overload's declaration.
    Declared(&'static str),
    /// Made by the checker.
    Fresh(u32),
}

/// An object type with its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectType {
    /// Its name, such as `kubernetes.AdmissionRequest`.
    pub name: String,
    /// Its fields.
    pub fields: Vec<(String, Type)>,
}

impl Type {
    /// `list(T)`
    pub fn list(item: Type) -> Type {
        Type::List(Arc::new(item))
    }

    /// `map(K, V)`
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Arc::new(key), Arc::new(value))
    }

    /// `optional_type(T)`
    pub fn optional(value: Type) -> Type {
        Type::Optional(Arc::new(value))
    }

    /// An object type.
    pub fn object(name: &str, fields: Vec<(&str, Type)>) -> Type {
        let fields = fields.into_iter();
        Type::Object(Arc::new(ObjectType {
            name: name.to_owned(),
            fields: fields.map(|(name, of)| (name.to_owned(), of)).collect(),
        }))
    }

    /// What an optional type holds, and whether it is one.
    pub fn unwrapped(&self) -> (&Type, bool) {
        match self {
            Type::Optional(inner) => (inner, true),
            other => (other, false),
        }
    }

    /// The parameters of the type, in order.
    pub fn parameters(&self) -> Vec<&Type> {
        match self {
            Type::List(of) | Type::Optional(of) | Type::Type(Some(of)) => vec![of],
            Type::Map(key, value) => vec![key, value],
            _ => Vec::new(),
        }
    }

    /// The type that a policy's variable of this type has where it is used: what is neither a scalar nor a list or map
    /// is known only when the expression runs.
    pub fn as_variable(&self) -> Type {
        match self {
            Type::Null
            | Type::Bool
            | Type::Int
            | Type::Uint
            | Type::Double
            | Type::Text
            | Type::Bytes
            | Type::Duration
            | Type::Timestamp => self.clone(),
            Type::List(item) => Type::list(item.as_variable()),
            Type::Map(key, value) => Type::map(key.as_variable(), value.as_variable()),
            _ => Type::Dyn,
        }
    }

    fn is_dyn_or_error(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }

    /// Whether `null` can be assigned to it.
    fn is_nullable(&self) -> bool {
        matches!(
            self,
            Type::Null
                | Type::Optional(_)
                | Type::Named(_)
                | Type::Object(_)
                | Type::Duration
                | Type::Timestamp
        )
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn | Type::Param(_) => f.write_str("dyn"),
            Type::Error => f.write_str("!error!"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::Text => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Duration => f.write_str("duration"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::List(item) => write!(f, "list({item})"),
            Type::Map(key, value) => write!(f, "map({key}, {value})"),
            Type::Optional(value) => write!(f, "optional_type({value})"),
            Type::Type(Some(of)) => write!(f, "type({of})"),
            Type::Type(None) => f.write_str("type"),
            Type::Named(name) => f.write_str(name),
            Type::Object(object) => f.write_str(&object.name),
        }
    }
}

/// A type in a table of overloads.
#[derive(Clone, Copy, Debug)]
pub enum Sig {
    /// Anything.
    Dyn,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// A span of time.
    Duration,
    /// A point in time.
    Timestamp,
    /// `list(T)`
    List(&'static Sig),
    /// `map(K, V)`
    Map(&'static Sig, &'static Sig),
    /// `optional_type(T)`
    Optional(&'static Sig),
    /// `type(T)`
    Type(&'static Sig),
    /// A type parameter.
    Param(&'static str),
    /// A type of Kubernetes' libraries.
    Named(&'static str),
}

impl Sig {
    /// The type, with each parameter replaced.
    pub fn instance(&self, param: &mut dyn FnMut(&'static str) -> Type) -> Type {
        match self {
            Sig::Dyn => Type::Dyn,
            Sig::Null => Type::Null,
            Sig::Bool => Type::Bool,
            Sig::Int => Type::Int,
            Sig::Uint => Type::Uint,
            Sig::Double => Type::Double,
            Sig::Text => Type::Text,
            Sig::Bytes => Type::Bytes,
            Sig::Duration => Type::Duration,
            Sig::Timestamp => Type::Timestamp,
            Sig::List(item) => Type::list(item.instance(param)),
            Sig::Map(key, value) => Type::map(key.instance(param), value.instance(param)),
            Sig::Optional(value) => Type::optional(value.instance(param)),
            Sig::Type(of) => Type::Type(Some(Arc::new(of.instance(param)))),
            Sig::Param(name) => param(name),
            Sig::Named(name) => Type::Named(name),
        }
    }

    /// Whether a value can be passed for it: of a list or map, only the first item is looked at, as the server does.
    pub fn takes(&self, value: &CelValue<'_>) -> bool {
        match self {
            Sig::Dyn | Sig::Param(_) => true,
            Sig::Null => matches!(value, CelValue::Null),
            Sig::Bool => matches!(value, CelValue::Bool(_)),
            Sig::Int => matches!(value, CelValue::Int(_)),
            Sig::Uint => matches!(value, CelValue::Uint(_)),
            Sig::Double => matches!(value, CelValue::Double(_)),
            Sig::Text => matches!(value, CelValue::Text(_)),
            Sig::Bytes => matches!(value, CelValue::Bytes(_)),
            Sig::Duration => matches!(value, CelValue::Duration(_)),
            Sig::Timestamp => matches!(value, CelValue::Timestamp(_)),
            Sig::List(item) => match value.first_item() {
                Some(first) => first.is_none_or(|first| item.takes(&first)),
                None => false,
            },
            Sig::Map(key, of) => match value.first_entry() {
                Some(first) => {
                    first.is_none_or(|(name, value)| key.takes(&name) && of.takes(&value))
                }
                None => false,
            },
            Sig::Optional(_) => matches!(value, CelValue::Optional(_)),
            Sig::Type(_) => matches!(value, CelValue::Type(_)),
            Sig::Named(name) => value.type_name() == *name,
        }
    }
}

/// What the type parameters of an expression stand for so far.
#[derive(Clone, Debug, Default)]
pub struct Substitutions {
    known: HashMap<Param, Type>,
    made: u32,
}

impl Substitutions {
    /// A new type parameter.
    pub fn fresh(&mut self) -> Type {
        self.made += 1;
        Type::Param(Param::Fresh(self.made))
    }

    /// Whether each type of a list can be assigned to the one of another list; what that fixes is kept if so.
    pub fn assign_all(&mut self, from: &[Type], to: &[Type]) -> bool {
        if from.len() != to.len() {
            return false;
        }
        let before = self.known.clone();
        let assignable = from
            .iter()
            .zip(to)
            .all(|(from, to)| self.assignable(from, to));
        if !assignable {
            self.known = before;
        }
        assignable
    }

    /// Whether a type can be assigned to another; what that fixes is kept if so.
    pub fn assign(&mut self, from: &Type, to: &Type) -> bool {
        self.assign_all(std::slice::from_ref(from), std::slice::from_ref(to))
    }

    fn assignable(&mut self, from: &Type, to: &Type) -> bool {
        if let Type::Param(param) = to {
            let (valid, known) = self.substitutes(from, *param);
            if valid {
                return true;
            }
            if known {
                return false;
            }
        }
        if let Type::Param(param) = from {
            return self.substitutes(to, *param).0;
        }
        if from.is_dyn_or_error() || to.is_dyn_or_error() {
            return true;
        }
        if matches!(from, Type::Null) {
            return to.is_nullable();
        }
        if matches!(to, Type::Null) {
            return from.is_nullable();
        }
        match (from, to) {
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
                self.assignable(a, b)
            }
            (Type::Map(k, v), Type::Map(l, w)) => self.assignable(k, l) && self.assignable(v, w),
            (Type::Object(a), Type::Object(b)) => a.name == b.name,
            (a, b) => a == b,
        }
    }

    /// Whether a type can stand for a parameter, and whether the parameter stands for one already.
    fn substitutes(&mut self, found: &Type, param: Param) -> (bool, bool) {
        if *found == Type::Param(param) {
            return (true, true);
        }
        if let Some(known) = self.known.get(&param).cloned() {
            if *found == known {
                return (true, true);
            }
            if self.assignable(found, &known) {
                let general = most_general(found, &known);
                if self.is_free_of(param, &general) {
                    self.known.insert(param, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.is_free_of(param, found) {
            self.known.insert(param, found.clone());
            return (true, false);
        }
        (false, false)
    }

    /// Whether a parameter does not occur in a type.
    fn is_free_of(&self, param: Param, within: &Type) -> bool {
        match within {
            Type::Param(other) if *other == param => false,
            Type::Param(other) => match self.known.get(other) {
                Some(known) => self.is_free_of(param, known),
                None => true,
            },
            other => other
                .parameters()
                .into_iter()
                .all(|inner| self.is_free_of(param, inner)),
        }
    }

    /// The type with all known parameters replaced; open ones become `dyn` if asked for.
    pub fn resolve(&self, of: &Type, open_is_dyn: bool) -> Type {
        let resolve = |inner: &Arc<Type>| Arc::new(self.resolve(inner, open_is_dyn));
        match of {
            Type::Param(param) => match self.known.get(param) {
                Some(known) => self.resolve(known, open_is_dyn),
                None if open_is_dyn => Type::Dyn,
                None => of.clone(),
            },
            Type::List(item) => Type::List(resolve(item)),
            Type::Map(key, value) => Type::Map(resolve(key), resolve(value)),
            Type::Optional(value) => Type::Optional(resolve(value)),
            Type::Type(Some(of)) => Type::Type(Some(resolve(of))),
            other => other.clone(),
        }
    }
}

/// The more general of two types that unify.
pub fn most_general(a: &Type, b: &Type) -> Type {
    if is_equal_or_less_specific(a, b) {
        a.clone()
    } else {
        b.clone()
    }
}

fn is_equal_or_less_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Param(_), _) | (Type::Type(_), Type::Type(_)) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
            is_equal_or_less_specific(one, other)
        }
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            is_equal_or_less_specific(key, other_key)
                && is_equal_or_less_specific(value, other_value)
        }
        _ => a == b,
    }
}

/// Whether two types are the same, whatever open parameters are called.
pub fn is_equivalent(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Param(_), Type::Param(_)) => true,
        (Type::List(one), Type::List(other))
        | (Type::Optional(one), Type::Optional(other))
        | (Type::Type(Some(one)), Type::Type(Some(other))) => is_equivalent(one, other),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            is_equivalent(key, other_key) && is_equivalent(value, other_value)
        }
        _ => a == b,
    }
}
