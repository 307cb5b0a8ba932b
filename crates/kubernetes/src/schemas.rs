//! The schemas of Kubernetes' built-in kinds, of CRDs, and of API dumps.

use std::any::Any;
use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::versions;
use tenantry_engine::schema::{SchemaRule, SchemaSet};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::{SyntaxProblem, parse};

/// The Kubernetes version of the built-in schemas: the newest that the `k8s-openapi` crate offers.
pub const BUILT_IN_VERSION: &str = "1.37";

/// Schemas of objects, found by API version and kind.
#[derive(Debug, Default)]
pub struct ObjectSchemas {
    set: SchemaSet,
    /// Positions of definitions, by API version and kind.
    kinds: HashMap<String, HashMap<String, usize>>,
    /// What is compiled of the definitions of custom resources beside their rules, when it is used.
    compiled: HashMap<usize, OnceLock<Box<dyn Any + Send + Sync>>>,
}

#[derive(Deserialize)]
struct BuiltIn<'a> {
    #[serde(borrow)]
    definitions: HashMap<&'a str, &'a RawValue>,
    kinds: HashMap<String, String>,
}

/// A document of an API dump.
#[derive(Deserialize)]
struct Dump<'a> {
    /// Those of version 2.
    #[serde(borrow, default)]
    definitions: HashMap<&'a str, &'a RawValue>,
    /// Those of version 3.
    #[serde(borrow, default)]
    components: Components<'a>,
}

#[derive(Default, Deserialize)]
struct Components<'a> {
    #[serde(borrow, default)]
    schemas: HashMap<&'a str, &'a RawValue>,
}

#[derive(Deserialize)]
struct NamedSchema {
    #[serde(default, rename = "x-kubernetes-group-version-kind")]
    names: Vec<GroupVersionKind>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    group: String,
    version: String,
    kind: String,
}

/// The built-in kinds. The file is made from `k8s-openapi` by a test that also keeps it in step.
pub fn built_in() -> &'static ObjectSchemas {
    static BUILT_IN: OnceLock<ObjectSchemas> = OnceLock::new();
    BUILT_IN.get_or_init(|| {
        let mut schemas = ObjectSchemas {
            set: SchemaSet::with_history(versions::fields),
            ..ObjectSchemas::default()
        };
        let Ok(file) =
            serde_json::from_str::<BuiltIn<'_>>(include_str!("../schemas/kubernetes.json"))
        else {
            return schemas;
        };
        for (name, source) in file.definitions {
            schemas.set.add(name, source.to_owned(), true);
        }
        for (kind, definition) in file.kinds {
            if let (Some((api_version, kind)), Some(index)) =
                (kind.rsplit_once('/'), schemas.set.index(&definition))
            {
                schemas.add_kind(api_version, kind, index);
            }
        }
        schemas
    })
}

impl ObjectSchemas {
    /// The rule of a kind and the set that it belongs to.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<(&SchemaRule, &SchemaSet)> {
        let index = self.index(api_version, kind)?;
        Some((self.set.rule_at(index), &self.set))
    }

    fn index(&self, api_version: &str, kind: &str) -> Option<usize> {
        self.kinds.get(api_version)?.get(kind).copied()
    }

    fn add_kind(&mut self, api_version: &str, kind: &str, index: usize) {
        let kinds = self.kinds.entry(api_version.to_owned()).or_default();
        kinds.insert(kind.to_owned(), index);
    }

    /// What a layer above makes of the definition of a custom resource, made once; nothing for other kinds.
    /// One type for all: another one's would not be found.
    pub fn compiled<T: Any + Send + Sync>(
        &self,
        api_version: &str,
        kind: &str,
        compile: impl FnOnce(&serde_json::Value) -> T,
    ) -> Option<&T> {
        let index = self.index(api_version, kind)?;
        let made = self.compiled.get(&index)?.get_or_init(|| {
            let name = self.set.name(index).unwrap_or_default();
            let source = self.set.source(name).unwrap_or_default();
            Box::new(compile(&serde_json::from_str(source).unwrap_or_default()))
        });
        made.downcast_ref()
    }

    /// The name of a kind's definition.
    pub fn definition(&self, api_version: &str, kind: &str) -> Option<&str> {
        self.set.name(self.index(api_version, kind)?)
    }

    /// The names of all definitions, sorted.
    pub fn definitions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.set.names().collect();
        names.sort_unstable();
        names
    }

    /// The text of a definition.
    pub fn definition_source(&self, name: &str) -> Option<&str> {
        self.set.source(name)
    }

    /// The schemas, by which definitions refer to one another.
    pub fn set(&self) -> &SchemaSet {
        &self.set
    }

    /// API version, kind and the definition's position of each kind.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        let all = self.kinds.iter();
        all.flat_map(|(api_version, kinds)| {
            let kinds = kinds.iter();
            kinds.map(move |(kind, index)| (&**api_version, &**kind, *index))
        })
    }

    /// Whether an API is known: `group/version` or `group/version/Kind`.
    pub fn has_api(&self, wanted: &str) -> bool {
        match wanted.rsplit_once('/') {
            Some((api_version, kind)) if kind.starts_with(|c: char| c.is_ascii_uppercase()) => {
                self.index(api_version, kind).is_some()
            }
            _ => self.kinds.contains_key(wanted),
        }
    }

    /// Whether no kind is known.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds the kinds of an API dump: one document of version 2, or those of version 3 one after another.
    ///
    /// # Errors
    /// The text is not such a dump.
    pub fn add_openapi(&mut self, text: &str) -> Result<(), String> {
        let mut documents = 0;
        for document in serde_json::Deserializer::from_str(text).into_iter::<Dump<'_>>() {
            let dump = document.map_err(|error| error.to_string())?;
            if dump.definitions.is_empty() && dump.components.schemas.is_empty() {
                // The index of version 3, and groups without kinds.
                continue;
            }
            documents += 1;
            for (name, source) in dump.definitions.into_iter().chain(dump.components.schemas) {
                self.add_definition(name, source)?;
            }
        }
        if documents == 0 {
            return Err("it has no schemas".to_owned());
        }
        Ok(())
    }

    fn add_definition(&mut self, name: &str, source: &RawValue) -> Result<(), String> {
        // Every document of version 3 has the types that groups share.
        if self.set.index(name).is_some() {
            return Ok(());
        }
        let named = if source.get().contains("x-kubernetes-group-version-kind") {
            let named: NamedSchema =
                serde_json::from_str(source.get()).map_err(|error| error.to_string())?;
            named.names
        } else {
            Vec::new()
        };
        self.set.add(name, source.to_owned(), true);
        if let Some(index) = self.set.index(name) {
            for GroupVersionKind {
                group,
                version,
                kind,
            } in named
            {
                let api_version = if group.is_empty() {
                    version
                } else {
                    format!("{group}/{version}")
                };
                self.compiled.insert(index, OnceLock::new());
                self.add_kind(&api_version, &kind, index);
            }
        }
        Ok(())
    }

    /// Adds the kinds of the CustomResourceDefinitions in a text.
    ///
    /// # Errors
    /// There are none, or one cannot be read.
    pub fn add_crds(&mut self, text: &str) -> Result<(), String> {
        let parsed = parse(text, 0);
        if let Some((_, problem)) = parsed.problems.first() {
            return Err(match problem {
                SyntaxProblem::Syntax(message) => format!("it is not valid YAML: {message}"),
                _ => "it is not valid YAML".to_owned(),
            });
        }
        let is_crd = |document: &&Node| {
            let kind = document.get("kind").and_then(Node::as_str);
            kind == Some("CustomResourceDefinition")
        };
        let mut crds = parsed.documents.iter().filter(is_crd).peekable();
        if crds.peek().is_none() {
            return Err("there is no CustomResourceDefinition in it".to_owned());
        }
        crds.try_for_each(|crd| self.add_crd(&crd.to_json()))
    }

    /// Adds the kinds of a CustomResourceDefinition.
    ///
    /// # Errors
    /// It is not one, or has no schema.
    pub fn add_crd(&mut self, crd: &serde_json::Value) -> Result<(), String> {
        let spec = &crd["spec"];
        let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str())
        else {
            return Err("it has no spec.group or spec.names.kind".to_owned());
        };
        for version in spec["versions"].as_array().into_iter().flatten() {
            let Some(name) = version["name"].as_str() else {
                continue;
            };
            let mut schema = version["schema"]["openAPIV3Schema"].clone();
            let Some(properties) = schema
                .get_mut("properties")
                .and_then(|properties| properties.as_object_mut())
            else {
                return Err(format!("version {name} has no schema"));
            };
            // Every object has these, whether the CRD lists them or not.
            for header in ["apiVersion", "kind"] {
                properties.insert(header.to_owned(), serde_json::json!({"type": "string"}));
            }
            properties.insert(
                "metadata".to_owned(),
                serde_json::json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            );
            let raw =
                serde_json::value::to_raw_value(&schema).map_err(|error| error.to_string())?;
            let definition = format!("{group}/{name}/{kind}");
            self.set.add(&definition, raw, true);
            if let Some(index) = self.set.index(&definition) {
                self.compiled.insert(index, OnceLock::new());
                self.add_kind(&format!("{group}/{name}"), kind, index);
            }
        }
        Ok(())
    }
}
