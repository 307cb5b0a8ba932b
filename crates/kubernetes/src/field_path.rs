//! The way to a field of an object.

use std::fmt;
use std::sync::Arc;
use tenantry_syntax::yaml;

/// One step to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldStep {
    /// Into a mapping.
    Key(Arc<str>),
    /// Into a list whose items have keys: the values of the keys, such as `web` or `8080/TCP`.
    Item(Arc<str>),
}

/// The way to a field: `spec.template.spec.containers[web].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<FieldStep>);

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                FieldStep::Item(item) => write!(f, "[{item}]")?,
                FieldStep::Key(key) => yaml::path::write_key(f, position, key)?,
            }
        }
        Ok(())
    }
}

impl FieldPath {
    /// Whether the keys lead to this field or to what it is a part of; `*` stands for any one step.
    pub fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len() && self.touches(keys)
    }

    /// The path with one step more.
    pub fn joined(&self, step: FieldStep) -> FieldPath {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        FieldPath(steps)
    }

    /// Whether the field describes an object rather than what it does.
    pub fn only_describes(&self) -> bool {
        self.starts_with(&["metadata", "labels"]) || self.starts_with(&["metadata", "annotations"])
    }

    /// Whether the path ends with some keys; `*` stands for any item.
    pub fn ends_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && self.0[self.0.len() - keys.len()..]
                .iter()
                .zip(keys)
                .all(|(step, key)| match step {
                    FieldStep::Key(name) => &**name == *key,
                    FieldStep::Item(_) => *key == "*",
                })
    }

    /// Whether the keys lead to this field, to what it is a part of, or to a part of it.
    pub fn touches(&self, keys: &[&str]) -> bool {
        self.0.iter().zip(keys).all(|(step, key)| match step {
            FieldStep::Key(name) => *key == "*" || &**name == *key,
            FieldStep::Item(_) => *key == "*",
        })
    }

    /// Whether the field only repeats that something else changed: a digest, a checksum.
    pub fn only_follows(&self) -> bool {
        let [.., FieldStep::Key(parent), FieldStep::Key(key)] = self.0.as_slice() else {
            return false;
        };
        let name = key.rsplit('/').next().unwrap_or_default();
        matches!(&**parent, "labels" | "annotations")
            && (name.ends_with("-digest") || key.starts_with("checksum/"))
    }

    /// The last key.
    pub fn last_key(&self) -> &str {
        let keys = self.0.iter().rev().find_map(|step| match step {
            FieldStep::Key(key) => Some(&**key),
            FieldStep::Item(_) => None,
        });
        keys.unwrap_or_default()
    }
}
