//! `vocabulary!()`: what `auth.toml` declares, as a constant and as enums.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::common::private;
use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::vocabulary::{SourceKind, Vocabulary, load};

/// The constant `VOCABULARY`, and the enums `Role`, `Scope` and `Permission`.
pub(crate) fn vocabulary(arguments: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse_root_only(arguments, "vocabulary!(..)", "vocabulary!()", &diagnostics);
    let private = private(&arguments);
    let loaded = load();
    let track = loaded.as_ref().map(|loaded| loaded.track());
    if loaded.is_none() {
        diagnostics.error(
            Span::call_site(),
            "there is no auth.toml next to the Cargo.toml of this crate, nor at the root of its workspace: write one that \
             declares the roles, scopes and permissions of your rules, or remove `vocabulary!()`",
        );
    }
    let vocabulary = loaded.as_ref().and_then(|loaded| loaded.vocabulary(&diagnostics));
    let items = vocabulary.map(|vocabulary| {
        let constant = constant(vocabulary, &private);
        let enums = [roles(vocabulary), scopes(vocabulary), permissions(vocabulary)];
        let enums = enums.iter().map(|names| names.expand(&private));
        quote!(#constant #(#enums)*)
    });
    // With an error no enum is declared, and each use of one is an error more: there is nothing that could replace it.
    match diagnostics.finish() {
        Ok(_) => quote!(#track #items),
        Err(errors) => quote!(#track #errors),
    }
}

fn constant(vocabulary: &Vocabulary, private: &TokenStream) -> TokenStream {
    let role_name = |index: usize| vocabulary.roles.get(index).map(|role| role.name.as_str());
    let roles = vocabulary.roles.iter().enumerate().map(|(index, role)| {
        let name = &role.name;
        let description = option(role.description.as_deref());
        let implies = vocabulary.relations.implied_by(index).filter_map(role_name);
        let excludes = role.excludes.iter().copied().filter_map(role_name);
        quote!(#private::DeclaredRole::new(#name, #description, &[#(#implies),*], &[#(#excludes),*]))
    });
    let scopes = vocabulary.scopes.iter().map(|scope| {
        let (name, description) = (&scope.name, &scope.description);
        quote!(#private::DeclaredScope::new(#name, #description))
    });
    let permissions = vocabulary.permissions.iter().enumerate().map(|(permission, declared)| {
        let name = &declared.name;
        let granted =
            (0..vocabulary.roles.len()).filter(|&role| vocabulary.relations.grants(role, permission));
        let granted = granted.filter_map(role_name);
        quote!(#private::DeclaredPermission::new(#name, &[#(#granted),*]))
    });
    let sources = vocabulary.sources.iter().map(|source| {
        let name = &source.name;
        let kind = match &source.kind {
            SourceKind::Header { name, scheme, is_added_by_proxy } => {
                let scheme = option(scheme.as_deref());
                quote!(Header { name: #name, scheme: #scheme, is_added_by_proxy: #is_added_by_proxy })
            }
            SourceKind::Custom => quote!(Custom),
        };
        quote!(#private::DeclaredSource::new(#name, #private::DeclaredSourceKind::#kind))
    });
    let default_source = &vocabulary.default_source;
    quote! {
        /// What `auth.toml` declares, for the engine: `Auth::builder().vocabulary(&VOCABULARY)`.
        pub static VOCABULARY: #private::Vocabulary = #private::Vocabulary::new(
            &[#(#default_source),*],
            &[#(#roles),*],
            &[#(#scopes),*],
            &[#(#permissions),*],
            &[#(#sources),*],
        );
    }
}

/// One enum: its name, what its variants are called, and the names with what their documentation says.
struct Names<'v> {
    name: &'static str,
    plural: &'static str,
    names: Vec<(&'v str, String)>,
}

fn roles(vocabulary: &Vocabulary) -> Names<'_> {
    let names = vocabulary.roles.iter().enumerate().map(|(index, role)| {
        let implied = vocabulary.relations.implied_by(index);
        let implied: Vec<_> = implied
            .filter_map(|other| vocabulary.roles.get(other))
            .map(|role| format!("`{}`", role.name))
            .collect();
        let implied =
            if implied.is_empty() { String::new() } else { format!(" Implies {}.", implied.join(", ")) };
        let description = role.description.as_ref().map(|text| format!(" {}.", text.trim_end_matches('.')));
        (role.name.as_str(), format!("{}{implied}", description.unwrap_or_default()))
    });
    Names { name: "Role", plural: "roles", names: names.collect() }
}

fn scopes(vocabulary: &Vocabulary) -> Names<'_> {
    let names = vocabulary
        .scopes
        .iter()
        .map(|scope| (scope.name.as_str(), format!(" {}.", scope.description.trim_end_matches('.'))));
    Names { name: "Scope", plural: "scopes", names: names.collect() }
}

fn permissions(vocabulary: &Vocabulary) -> Names<'_> {
    let names = vocabulary.permissions.iter().enumerate().map(|(index, permission)| {
        let granted =
            vocabulary.roles.iter().enumerate().filter(|(role, _)| vocabulary.relations.grants(*role, index));
        let granted: Vec<_> = granted.map(|(_, role)| format!("`{}`", role.name)).collect();
        let granted =
            if granted.is_empty() { String::new() } else { format!(" Granted to {}.", granted.join(", ")) };
        (permission.name.as_str(), granted)
    });
    Names { name: "Permission", plural: "permissions", names: names.collect() }
}

/// The variants of an enum.
#[derive(Default)]
struct Variants<'v> {
    idents: Vec<Ident>,
    names: Vec<&'v str>,
    docs: Vec<String>,
    /// Names that become no variant, or the same one as another.
    left_out: Vec<String>,
}

impl<'v> Names<'v> {
    fn variants(&self) -> Variants<'v> {
        let variants: Vec<_> = self.names.iter().map(|(name, _)| variant(name)).collect();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        variants.iter().flatten().for_each(|variant| *uses.entry(variant).or_default() += 1);
        let mut found = Variants::default();
        for ((name, description), variant) in self.names.iter().zip(&variants) {
            match variant {
                Some(variant) if uses.get(&**variant) == Some(&1) => {
                    found.idents.push(Ident::new(variant, Span::call_site()));
                    found.names.push(*name);
                    found.docs.push(format!(" `{name}`.{description}"));
                }
                // To number them would let a variant become another when the file changes.
                _ => found.left_out.push(format!("`{name}`")),
            }
        }
        found
    }

    fn expand(&self, private: &TokenStream) -> TokenStream {
        let Variants { idents, names, docs, left_out } = self.variants();
        let kind = Ident::new(self.name, Span::call_site());
        let mut about = format!(" The {} that `auth.toml` declares.", self.plural);
        if !left_out.is_empty() {
            about += &format!(
                "\n\n Without {}, which are not names in Rust, or the same name as another.",
                left_out.join(", ")
            );
        }
        let all_about = format!(" All of these {}, in the order of the file.", self.plural);
        let traits = traits(&kind, private);
        quote! {
            #[doc = #about]
                #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq,
                ::core::cmp::PartialOrd, ::core::cmp::Ord, ::core::hash::Hash,
            )]
            #[allow(clippy::exhaustive_enums, reason = "a match names all that the file declares")]
            pub enum #kind {
                #(#[doc = #docs] #idents,)*
            }

                impl #kind {
                #[doc = #all_about]
                pub const ALL: &'static [Self] = &[#(Self::#idents),*];

                /// The name, as tokens and rules have it.
                #[must_use]
                pub const fn as_str(self) -> &'static ::core::primitive::str {
                    match self { #(Self::#idents => #names,)* }
                }
            }

            #traits
        }
    }
}

/// What every such enum implements.
fn traits(kind: &Ident, private: &TokenStream) -> TokenStream {
    quote! {
        impl #private::Name for #kind {
            const KIND: #private::NameKind = #private::NameKind::#kind;
            const ALL: &'static [Self] = Self::ALL;

            fn name(&self) -> &'static ::core::primitive::str {
                self.as_str()
            }
        }

        impl ::core::fmt::Display for #kind {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::core::convert::From<#kind> for #private::String {
            fn from(name: #kind) -> Self {
                Self::from(name.as_str())
            }
        }

        impl ::core::str::FromStr for #kind {
            type Err = #private::ParseNameError;

            fn from_str(text: &::core::primitive::str) -> ::core::result::Result<Self, Self::Err> {
                #private::parse_name(text)
            }
        }

        impl ::core::convert::TryFrom<&::core::primitive::str> for #kind {
            type Error = #private::ParseNameError;

            fn try_from(text: &::core::primitive::str) -> ::core::result::Result<Self, Self::Error> {
                #private::parse_name(text)
            }
        }

        impl ::core::convert::TryFrom<#private::String> for #kind {
            type Error = #private::ParseNameError;

            fn try_from(text: #private::String) -> ::core::result::Result<Self, Self::Error> {
                #private::parse_name(&text)
            }
        }

        impl #private::Serialize for #kind {
            fn serialize<S: #private::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> #private::Deserialize<'de> for #kind {
            fn deserialize<D: #private::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #private::deserialize_name(deserializer)
            }
        }
    }
}

/// `article:write` → `ArticleWrite`; `2fa` → `_2fa`; none where there are no letters to make one of.
fn variant(name: &str) -> Option<String> {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut camel: String = words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<Vec<_>>()
        })
        .collect();
    if camel.starts_with(|letter: char| letter.is_ascii_digit()) {
        camel.insert(0, '_');
    }
    // `Role::ALL` is the list of all, and `Self` is a keyword.
    if camel == "Self" || camel == "ALL" {
        camel.push('_');
    }
    syn::parse_str::<Ident>(&camel).ok().map(|ident| ident.to_string())
}

fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests {
    use super::variant;

    #[test]
    fn names_become_variants() {
        for (name, expected) in [
            ("admin", Some("Admin")),
            ("article:write", Some("ArticleWrite")),
            ("invoice.read", Some("InvoiceRead")),
            ("https://x.test/read-all", Some("HttpsXTestReadAll")),
            ("SCOPE_A", Some("SCOPEA")),
            ("2fa", Some("_2fa")),
            ("self", Some("Self_")),
            ("ALL", Some("ALL_")),
            ("all", Some("All")),
            ("größe", Some("Größe")),
            ("::", None),
            ("\u{1F600}", None),
        ] {
            assert_eq!(variant(name).as_deref(), expected, "{name}");
        }
    }
}
