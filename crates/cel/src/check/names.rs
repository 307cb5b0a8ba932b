//! Identifiers, selections and literals.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{
    EntryExpr, Expr as Ast, IdedExpr, ListExpr, LiteralValue, MapExpr, SelectExpr,
};

use super::literals::Literal;
use super::{TypeChecker, Typed, WRONG};
use crate::escapes::unescaped;
use crate::syntax::{Attribute, Expr, Qualifier, Root, SelectorKey};
use crate::types::{Type, most_general};
use crate::value::{CelValue, Text, ValueMap, insert};
use tenantry_syntax::diagnostics::suggest;

impl TypeChecker<'_> {
    pub(super) fn check_one(&mut self, ast: &IdedExpr) -> Typed {
        match &ast.expr {
            Ast::Unspecified => self.error(ast, "something is missing here", None),
            Ast::Literal(value) => literal(value),
            Ast::Ident(name) => self.name(ast, name),
            Ast::Select(select) => self.select(ast, select),
            Ast::List(list) => self.list(list),
            Ast::Map(map) => self.map(map),
            Ast::Struct(structure) => {
                let name = structure.type_name.clone();
                self.error(
                    ast,
                    format!("`{name}{{…}}` makes a message, and Kubernetes' expressions have none"),
                    Some("write a map: `{\"key\": value}`".to_owned()),
                )
            }
            Ast::Comprehension(comprehension) => self.comprehension(ast, comprehension),
            Ast::Call(call) => self.call(ast, call),
        }
    }

    fn name(&mut self, ast: &IdedExpr, name: &str) -> Typed {
        let root = name.strip_prefix('.');
        let name = root.unwrap_or(name);
        if root.is_none()
            && let Some(at) = self.scope.iter().rposition(|known| known.name == name)
        {
            let of = self.scope[at].of.clone();
            return Typed::new(attribute(Root::Local(at)), of);
        }
        if let Some(at) = self.names.globals.iter().position(|known| *known == name) {
            if !self.uses.contains(&at) {
                self.uses.push(at);
            }
            if let Some((start, _)) = self.info.and_then(|info| info.offset_for(ast.id)) {
                self.mentions.push((start as usize, at));
            }
            let of = self.global_type(name);
            return Typed::new(formatted(attribute(Root::Global(at)), &of), of);
        }
        if let Some(known) = named_type(name) {
            return known;
        }
        if name == "variables" && self.names.variables.is_some() {
            return self.error(
                ast,
                "`variables` has no value of its own",
                Some("name one of them: `variables.name`".to_owned()),
            );
        }
        let known = self.scope.iter().map(|local| local.name.as_str());
        let known = known.chain(self.names.globals.iter().copied());
        let variables = self.names.variables.map(|_| "variables");
        let help = suggest(
            name,
            known.chain(variables).filter(|name| !name.starts_with('@')),
        );
        self.error(ast, format!("unknown name `{name}`"), help)
    }

    fn global_type(&self, name: &str) -> Type {
        let declared = self.names.declared.iter().find(|known| known.name == name);
        declared.map_or_else(|| own_type(name), |known| known.of.clone())
    }

    fn is_local(&self, name: &str) -> bool {
        self.scope.iter().any(|known| known.name == name)
    }

    /// `of.field`, and `has(of.field)`.
    fn select(&mut self, ast: &IdedExpr, select: &SelectExpr) -> Typed {
        if !select.test
            && let Some(name) = dotted(ast)
            && !self.is_local(name.split('.').next().unwrap_or_default())
        {
            if let Some(known) = named_type(&name) {
                return known;
            }
            // What is asked of the authorizer is known only where the authorizer is.
            let holder = match name.as_str() {
                "authorizer.requestResource" => "authorizer",
                other => other,
            };
            let position = |name: &str| self.names.globals.iter().position(|known| *known == name);
            if let Some(at) = position(&name).or_else(|| position(holder)) {
                self.uses.push(at);
                return Typed::new(attribute(Root::Global(at)), self.global_type(&name));
            }
        }
        let selected = self.selection(ast, &select.operand, &select.field, false, select.test);
        if select.test {
            let Expr::Attribute(attribute) = selected.expr else {
                return Typed::new(selected.expr, Type::Bool);
            };
            return Typed::new(Expr::Has(attribute), Type::Bool);
        }
        selected
    }

    /// `of.field`, `of.?field`, or `has(of.field)`.
    pub(super) fn selection(
        &mut self,
        ast: &IdedExpr,
        operand: &IdedExpr,
        field: &str,
        optional: bool,
        tested: bool,
    ) -> Typed {
        let is = |name: &str| matches!(&operand.expr, Ast::Ident(found) if found == name);
        if is("variables") && !self.is_local("variables") && self.names.variables.is_some() {
            return self.variable(ast, field, optional, tested);
        }
        let only_in_cluster = ["userInfo", "options", "uid"].contains(&field);
        if is("request") && !self.is_local("request") && only_in_cluster {
            let request = self.check(operand);
            let of = self.field_type(ast, &request.of, field);
            return Typed::new(Expr::OnlyInCluster("who makes a request, and how"), of);
        }
        let operand = self.check(operand);
        let of = self.types.resolve(&operand.of, false);
        let (inner, is_optional) = of.unwrapped();
        let field = if self.names.is_escaped {
            unescaped(field)
        } else {
            Cow::Borrowed(field)
        };
        let found = self.field_type(ast, inner, &field);
        let mut attribute = Attribute::of(operand.expr);
        if self.stays_closed(&attribute, is_optional) {
            let mark = if optional { ".?" } else { "." };
            self.remark(ast, format!("`{mark}{field}` does not open the optional value before it: in a cluster it {}", if optional { "is always none" } else { "always fails" }),
                format!("write `.orValue({{}}){mark}{field}`"));
        }
        attribute.qualify(Arc::new(Qualifier {
            key: SelectorKey::Constant(CelValue::text(&*field)),
            optional,
            tested,
        }));
        if is_optional || optional {
            return Typed::new(Expr::Attribute(attribute), Type::optional(found));
        }
        let expr = Expr::Attribute(attribute);
        let is_format = matches!(inner, Type::Object(_)) && !tested;
        Typed::new(
            if is_format {
                formatted(expr, &found)
            } else {
                expr
            },
            found,
        )
    }

    /// Whether an attribute gives an optional value that what follows does not look into: that of a variable, or one
    /// inside a list or map.
    fn stays_closed(&self, attribute: &Attribute, is_optional: bool) -> bool {
        match (&attribute.root, attribute.qualifiers.as_slice()) {
            (
                Root::Variable {
                    at,
                    optional: false,
                    ..
                },
                [],
            ) => {
                let variable = self.names.variables.and_then(|known| known.get(*at));
                variable.is_some_and(|known| matches!(known.of, Type::Optional(_)))
            }
            (_, [.., _]) => is_optional && attribute.qualifiers.iter().all(|one| !one.optional),
            _ => false,
        }
    }

    fn field_type(&mut self, ast: &IdedExpr, of: &Type, field: &str) -> Type {
        match of {
            Type::Map(_, value) => (**value).clone(),
            Type::Object(object) => match object.fields.iter().find(|(name, _)| name == field) {
                Some((_, found)) => found.clone(),
                None => {
                    let known = object.fields.iter().map(|(name, _)| name.as_str());
                    let help = suggest(field, known);
                    // People know `DeploymentSpec`, not its package.
                    let of = object.name.rsplit('.').next().unwrap_or_default();
                    self.error(ast, format!("{of} has no field `{field}`"), help)
                        .of
                }
            },
            Type::Param(_) => {
                let of = of.clone();
                self.types.assign(&Type::Dyn, &of);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                self.error(
                    ast,
                    format!("a value of type `{other}` has no fields, so no `{field}`"),
                    None,
                );
                Type::Dyn
            }
        }
    }

    fn variable(&mut self, ast: &IdedExpr, field: &str, optional: bool, tested: bool) -> Typed {
        let variables = self.names.variables.unwrap_or_default();
        let Some(at) = variables.iter().position(|known| known.name == field) else {
            let help = suggest(field, variables.iter().map(|known| known.name.as_str()));
            return self.error(
                ast,
                format!("`variables.{field}` is not declared above"),
                help,
            );
        };
        if !self.variables.contains(&at) {
            self.variables.push(at);
        }
        let of = variables[at].of.as_variable();
        let root = Root::Variable {
            at,
            optional,
            tested,
        };
        Typed::new(
            attribute(root),
            if optional { Type::optional(of) } else { of },
        )
    }

    fn list(&mut self, list: &ListExpr) -> Typed {
        let mut items = Vec::new();
        let mut joined: Option<Type> = None;
        let mut members = Vec::new();
        for (at, element) in list.elements.iter().enumerate() {
            let optional = list.optional_indices.contains(&at);
            let item = self.check(element);
            let of = self.member(element, &item.of, optional);
            members.push((element.id, item.of.clone(), optional));
            joined = Some(self.join(joined, of));
            items.push((item.expr, optional));
        }
        if self.formats == 0 {
            self.literals.add(Literal::List(members));
        }
        let of = joined.unwrap_or_else(|| self.types.fresh());
        let constants: Option<Vec<CelValue<'static>>> = items
            .iter()
            .map(|(item, optional)| match item {
                Expr::Constant(value) if !optional => Some(value.clone()),
                _ => None,
            })
            .collect();
        let expr = match constants {
            Some(constants) if of != Type::Error => Expr::Constant(CelValue::list(constants)),
            _ => Expr::List(items),
        };
        Typed::new(expr, Type::list(of))
    }

    fn map(&mut self, map: &MapExpr) -> Typed {
        let mut entries = Vec::new();
        let (mut keys, mut values): (Option<Type>, Option<Type>) = (None, None);
        let mut members = Vec::new();
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            let key = self.check(&entry.key);
            keys = Some(self.join(keys, key.of.clone()));
            let value = self.check(&entry.value);
            let of = self.member(&entry.value, &value.of, entry.optional);
            members.push((
                (entry.key.id, key.of.clone()),
                (entry.value.id, value.of.clone(), entry.optional),
            ));
            values = Some(self.join(values, of));
            entries.push((key.expr, value.expr, entry.optional));
        }
        if self.formats == 0 {
            self.literals.add(Literal::Map(members));
        }
        let key = keys.unwrap_or_else(|| self.types.fresh());
        let value = values.unwrap_or_else(|| self.types.fresh());
        let mut constant = Some(ValueMap::new());
        for entry in &entries {
            constant = match (constant, entry) {
                (Some(mut map), (Expr::Constant(key), Expr::Constant(value), false)) => {
                    insert(&mut map, key.clone(), value.clone());
                    Some(map)
                }
                _ => None,
            };
        }
        let expr = match constant {
            Some(map) => Expr::Constant(CelValue::Map(Arc::new(map))),
            None => Expr::Map(entries),
        };
        Typed::new(expr, Type::map(key, value))
    }

    /// The type of an item; what is marked with `?` must be optional.
    fn member(&mut self, element: &IdedExpr, of: &Type, optional: bool) -> Type {
        if !optional {
            return of.clone();
        }
        self.needs(28, "optional values");
        let of = self.types.resolve(of, false);
        let (inner, is_optional) = of.unwrapped();
        if !is_optional && !matches!(inner, Type::Dyn) {
            self.error(
                element,
                format!("`?` is for optional values, not for `{inner}`"),
                None,
            );
        }
        inner.clone()
    }

    /// The type of all items so far.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        let Some(previous) = previous else {
            return current;
        };
        if self.types.assign(&previous, &current) {
            return most_general(&previous, &current);
        }
        // What stands for it is judged with the literals, where lists of several types are allowed in `format`.
        Type::Dyn
    }
}

/// What a schema gives a format is text in the object, and a value of its own in expressions.
fn formatted(expr: Expr, of: &Type) -> Expr {
    match of {
        Type::Timestamp | Type::Duration | Type::Bytes => Expr::Formatted {
            text: Box::new(expr),
            of: of.clone(),
        },
        _ => expr,
    }
}

/// A name on its own.
pub(super) fn attribute(root: Root) -> Expr {
    Expr::Attribute(Attribute {
        root,
        qualifiers: Vec::new(),
    })
}

/// `a.b.c`, when that is all there is.
pub(super) fn dotted(ast: &IdedExpr) -> Option<String> {
    match &ast.expr {
        Ast::Ident(name) => Some(name.clone()),
        Ast::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

fn literal(literal: &LiteralValue) -> Typed {
    let (value, of) = match literal {
        LiteralValue::Boolean(value) => (CelValue::Bool(*value.inner()), Type::Bool),
        LiteralValue::Bytes(bytes) => (CelValue::Bytes(bytes.inner().into()), Type::Bytes),
        LiteralValue::Double(number) => (CelValue::Double(*number.inner()), Type::Double),
        LiteralValue::Int(number) => (CelValue::Int(*number.inner()), Type::Int),
        LiteralValue::Null => (CelValue::Null, Type::Null),
        LiteralValue::String(text) => (CelValue::text(text.inner()), Type::Text),
        LiteralValue::UInt(number) => (CelValue::Uint(*number.inner()), Type::Uint),
    };
    Typed::new(Expr::Constant(value), of)
}

/// Types that have names.
fn named_type(name: &str) -> Option<Typed> {
    let open = || Type::Dyn;
    let (name, of) = match name {
        "bool" => ("bool", Type::Bool),
        "bytes" => ("bytes", Type::Bytes),
        "double" => ("double", Type::Double),
        "int" => ("int", Type::Int),
        "list" => ("list", Type::list(open())),
        "map" => ("map", Type::map(open(), open())),
        "null_type" => ("null_type", Type::Null),
        "string" => ("string", Type::Text),
        "type" => ("type", Type::Type(None)),
        "uint" => ("uint", Type::Uint),
        "optional_type" => ("optional_type", Type::optional(open())),
        "google.protobuf.Duration" => ("google.protobuf.Duration", Type::Duration),
        "google.protobuf.Timestamp" => ("google.protobuf.Timestamp", Type::Timestamp),
        "net.IP" => ("net.IP", Type::Named("net.IP")),
        "net.CIDR" => ("net.CIDR", Type::Named("net.CIDR")),
        _ => return None,
    };
    let value = CelValue::Type(Text::Borrowed(name));
    Some(Typed::new(
        Expr::Constant(value),
        Type::Type(Some(Arc::new(of))),
    ))
}

/// The types of the API server's own names; all others are known only when an expression runs.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/admission/plugin/cel/compile.go>
fn own_type(name: &str) -> Type {
    match name {
        "request" => REQUEST.clone(),
        "namespaceObject" => NAMESPACE.clone(),
        "authorizer" => Type::Named("kubernetes.authorization.Authorizer"),
        "authorizer.requestResource" => Type::Named("kubernetes.authorization.ResourceCheck"),
        _ => Type::Dyn,
    }
}

static REQUEST: LazyLock<Type> = LazyLock::new(|| {
    let kind = Type::object(
        "kubernetes.GroupVersionKind",
        vec![
            ("group", Type::Text),
            ("version", Type::Text),
            ("kind", Type::Text),
        ],
    );
    let resource = Type::object(
        "kubernetes.GroupVersionResource",
        vec![
            ("group", Type::Text),
            ("version", Type::Text),
            ("resource", Type::Text),
        ],
    );
    let user = Type::object(
        "kubernetes.UserInfo",
        vec![
            ("username", Type::Text),
            ("uid", Type::Text),
            ("groups", Type::list(Type::Text)),
            ("extra", Type::map(Type::Text, Type::list(Type::Text))),
        ],
    );
    Type::object(
        "kubernetes.AdmissionRequest",
        vec![
            ("kind", kind.clone()),
            ("resource", resource.clone()),
            ("subResource", Type::Text),
            ("requestKind", kind),
            ("requestResource", resource),
            ("requestSubResource", Type::Text),
            ("name", Type::Text),
            ("namespace", Type::Text),
            ("operation", Type::Text),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
});

static NAMESPACE: LazyLock<Type> = LazyLock::new(|| {
    let texts = || Type::map(Type::Text, Type::Text);
    let metadata = Type::object(
        "kubernetes.NamespaceMetadata",
        vec![
            ("name", Type::Text),
            ("generateName", Type::Text),
            ("namespace", Type::Text),
            ("labels", texts()),
            ("annotations", texts()),
            ("UID", Type::Text),
            ("creationTimestamp", Type::Timestamp),
            ("deletionGracePeriodSeconds", Type::Int),
            ("deletionTimestamp", Type::Timestamp),
            ("generation", Type::Int),
            ("resourceVersion", Type::Text),
            ("finalizers", Type::list(Type::Text)),
        ],
    );
    let condition = Type::object(
        "kubernetes.NamespaceCondition",
        vec![
            ("status", Type::Text),
            ("type", Type::Text),
            ("lastTransitionTime", Type::Timestamp),
            ("message", Type::Text),
            ("reason", Type::Text),
        ],
    );
    let status = Type::object(
        "kubernetes.NamespaceStatus",
        vec![("conditions", Type::list(condition)), ("phase", Type::Text)],
    );
    let spec = Type::object(
        "kubernetes.NamespaceSpec",
        vec![("finalizers", Type::list(Type::Text))],
    );
    Type::object(
        "kubernetes.Namespace",
        vec![("metadata", metadata), ("spec", spec), ("status", status)],
    )
});

/// What stands where a macro cannot be spelled out.
pub(super) const NOTHING: Typed = WRONG;
