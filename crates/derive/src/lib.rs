//! Derives typed access to the fields of documents.

use proc_macro::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, GenericArgument, LitStr, PathArguments, Type,
    parse_macro_input,
};

/// Implements a method for each field of a struct on `crate::model::field::Field<'_, Struct>`, which leads to that field of
/// the document.
///
/// # Errors
/// Anything but a struct with named fields does not compile.
#[proc_macro_derive(Fields)]
pub fn derive_fields(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    methods(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

fn methods(input: &DeriveInput) -> Result<proc_macro2::TokenStream, Error> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => return Err(Error::new_spanned(&input.ident, "fields need names")),
        },
        _ => return Err(Error::new_spanned(&input.ident, "only structs have fields")),
    };
    let of = Serde::read(&input.attrs)?;
    let (mut methods, mut references) = (Vec::new(), Vec::new());
    for field in fields {
        let Some(name) = &field.ident else { continue };
        let serde = Serde::read(&field.attrs)?;
        let inner = without_option(&field.ty);
        let docs = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"));
        let body = if serde.is_flat {
            quote!(self.read_as())
        } else {
            let key = serde.rename.unwrap_or_else(|| of.cased(&name.to_string()));
            quote!(self.field(#key))
        };
        references.push(references_in(&quote!(self.#name()), inner));
        methods.push(quote! {
            #(#docs)*
            pub fn #name(self) -> crate::model::field::Field<'a, #inner> { #body }
        });
    }
    let name = &input.ident;
    Ok(quote! {
        #[allow(dead_code, reason = "not every field is read by itself")]
        impl<'a> crate::model::field::Field<'a, #name> {
            #(#methods)*

            /// The names of documents here and below.
            #[allow(unused_imports, reason = "what has no references takes the method of the trait")]
            pub fn references(self, found: &mut crate::model::reference::References) {
                use crate::model::reference::WithoutReferences as _;
                #(#references)*
            }
        }
    })
}

/// What finds the references in a value: a type that derives `Fields`, and `Ref`, have a method of their own for it, which
/// comes before the one of the trait for all others.
fn references_in(value: &proc_macro2::TokenStream, of: &Type) -> proc_macro2::TokenStream {
    let item = quote!(item);
    match generic(of) {
        Some((name, arguments)) if name == "Option" => {
            let inner = references_in(&item, arguments[0]);
            quote!({ let item = #value.some(); #inner })
        }
        Some((name, arguments)) if name == "Vec" => {
            let inner = references_in(&item, arguments[0]);
            quote!(for item in #value.items() { #inner })
        }
        Some((name, arguments)) if name == "BTreeMap" => {
            let inner = references_in(&item, arguments[1]);
            let key = arguments[0];
            let key = match generic(key) {
                Some((name, _)) if name == "Ref" => quote!(found.key::<#key>(entry);),
                _ => quote!(),
            };
            quote!(for (entry, item) in #value.entries() { let _ = entry; #key #inner })
        }
        _ => quote!(#value.references(found);),
    }
}

/// The name and the arguments of a generic type.
fn generic(of: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    });
    Some((last.ident.to_string(), types.collect()))
}

/// What `serde` attributes say of names.
#[derive(Default)]
struct Serde {
    rename: Option<String>,
    rename_all: Option<String>,
    is_flat: bool,
}

impl Serde {
    fn read(attributes: &[Attribute]) -> Result<Serde, Error> {
        let mut found = Serde::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("flatten") {
                    found.is_flat = true;
                } else if meta.path.is_ident("rename") {
                    found.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("rename_all") {
                    found.rename_all = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.input.peek(syn::Token![=]) {
                    meta.value()?.parse::<syn::Lit>()?;
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The name of a field in documents.
    fn cased(&self, field: &str) -> String {
        let separator = match self.rename_all.as_deref() {
            Some("camelCase") => "",
            Some("kebab-case") => "-",
            _ => return field.to_owned(),
        };
        let mut words = field.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| {
            let mut letters = word.chars();
            let head = letters.next().into_iter();
            let head: String = if separator.is_empty() {
                head.flat_map(char::to_uppercase).collect()
            } else {
                head.collect()
            };
            format!("{name}{separator}{head}{}", letters.as_str())
        })
    }
}

/// `T` of `Option<T>`: whether a field was written is for the place to say.
fn without_option(of: &Type) -> &Type {
    match generic(of) {
        Some((name, arguments)) if name == "Option" || name == "Box" => {
            without_option(arguments[0])
        }
        _ => of,
    }
}
