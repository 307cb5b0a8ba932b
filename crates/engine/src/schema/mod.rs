//! Structural schemas: what the fields of a document or manifest may hold.
//!
//! One judge for three sources: the schemas of our own kinds, of Kubernetes' built-in kinds, and
//! those of CRDs and API dumps from the repository. It walks a [`View`](crate::view::View) as it is, so no manifest is
//! converted, and it names the *path* of each problem, so the caller can point at the input line.
//! Definitions are compiled when they are first used; a Deployment's takes well under a
//! millisecond. Tests compare its verdicts with those of the `jsonschema` crate.

mod check;
mod compile;
mod describe;
mod history;
mod replay;

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::value::RawValue;

pub use check::{SchemaProblem, Strictness, Violation, check, check_as_of};
pub use compile::{Additional, SchemaRule, Types, ValueBounds};
pub use history::{FieldHistory, FieldsHistory, Minor};
pub use replay::check_manifest;

/// Schemas that refer to each other by name.
#[derive(Debug, Default)]
pub struct SchemaSet {
    /// When fields of definitions came and went, where that is known.
    history: Option<FieldsHistory>,
    definitions: Vec<Definition>,
    names: HashMap<String, usize>,
}

#[derive(Debug)]
struct Definition {
    name: Box<str>,
    source: Box<RawValue>,
    strict: bool,
    rule: OnceLock<SchemaRule>,
}

impl SchemaSet {
    /// Adds a definition, to be compiled when it is used. `strict` refuses unknown fields wherever
    /// a schema lists fields and does not say otherwise.
    pub fn add(&mut self, name: &str, source: Box<RawValue>, strict: bool) {
        self.names.insert(name.to_owned(), self.definitions.len());
        self.definitions.push(Definition {
            name: name.into(),
            source,
            strict,
            rule: OnceLock::new(),
        });
    }

    /// Schemas of which it is known when fields of definitions came and went.
    pub fn with_history(history: FieldsHistory) -> SchemaSet {
        SchemaSet {
            history: Some(history),
            ..SchemaSet::default()
        }
    }

    /// How many definitions there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The index of a name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The names of all definitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().map(|definition| &*definition.name)
    }

    /// The name at an index.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.definitions
            .get(index)
            .map(|definition| &*definition.name)
    }

    /// The text of a definition.
    pub fn source(&self, name: &str) -> Option<&str> {
        Some(self.definitions.get(self.index(name)?)?.source.get())
    }

    /// The rule of a name.
    pub fn rule(&self, name: &str) -> Option<&SchemaRule> {
        Some(self.rule_at(self.index(name)?))
    }

    /// The rule at an index; one that allows everything, should the definition not be readable.
    pub fn rule_at(&self, index: usize) -> &SchemaRule {
        static ANYTHING: SchemaRule = SchemaRule::ANYTHING;
        let Some(definition) = self.definitions.get(index) else {
            return &ANYTHING;
        };
        definition.rule.get_or_init(|| {
            let json = serde_json::from_str(definition.source.get()).unwrap_or_default();
            let mut rule = compile::compile(&json, self, definition.strict);
            // Dumps of version 2 call it text, but the API server takes numbers, too.
            if definition
                .name
                .ends_with(".apimachinery.pkg.api.resource.Quantity")
            {
                rule.types = Types(Types::STRING | Types::NUMBER);
                rule.any_of.clear();
            }
            if definition.name.ends_with(".apiextensions.v1.JSON") {
                rule = SchemaRule::ANYTHING;
            }
            if let Some(history) = self.history {
                rule.add_history(history(&definition.name));
            }
            rule
        })
    }

    /// A rule, or the one that it refers to.
    pub fn follow<'a>(&'a self, rule: &'a SchemaRule) -> &'a SchemaRule {
        let mut rule = rule;
        // A chain of references that is longer than this refers to itself.
        for _ in 0..16 {
            match rule.reference {
                Some(index) => rule = self.rule_at(index),
                None => break,
            }
        }
        rule
    }
}
