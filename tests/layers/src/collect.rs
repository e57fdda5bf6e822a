//! What a file holds: modules, uses, functions.

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItem, Item, Meta, Signature, Token, TraitItem, UseTree, Visibility, punctuated::Punctuated,
};

use crate::model::{Crate, Function, Module, Use};

/// In place of the first name of a path that may begin with a child module.
pub(crate) const MAYBE_CHILD: &str = "?";

/// Adds what this file holds, which is the module of this path, and the files of the modules below it.
pub(crate) fn file(to: &mut Crate, path: Vec<String>, file: &Path, text: &dyn Fn(&Path) -> Option<String>) {
    let Some(source) = text(file) else { panic!("{} can't be read", file.display()) };
    let parsed = syn::parse_file(&source).unwrap_or_else(|error| {
        let at = error.span().start();
        panic!("{}:{}:{}: {error}", file.display(), at.line, at.column + 1)
    });
    to.modules.insert(path.clone(), Module { file: file.to_owned(), ..Module::default() });
    let below = folder_below(file, &path);
    let mut collector = Collector { to, path, file, below, is_inline: false, text };
    for item in &parsed.items {
        collector.visit_item(item);
    }
}

/// The folder for the files of modules that this file declares.
fn folder_below(file: &Path, path: &[String]) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let is_folders_own = path.is_empty() || file.file_name().is_some_and(|name| name == "mod.rs");
    if is_folders_own { folder.to_owned() } else { folder.join(file.file_stem().unwrap_or_default()) }
}

struct Collector<'c> {
    to: &'c mut Crate,
    path: Vec<String>,
    file: &'c Path,
    below: PathBuf,
    /// Whether it is in a module that is written inside of the file's own.
    is_inline: bool,
    text: &'c dyn Fn(&Path) -> Option<String>,
}

impl Collector<'_> {
    fn module(&mut self) -> &mut Module {
        self.to.modules.entry(self.path.clone()).or_default()
    }

    /// The path from the root, if it is of this crate: its first name says from where on the others are read.
    fn absolute(&self, names: &[String], may_be_child: bool) -> Option<Vec<String>> {
        let (first, mut rest) = names.split_first()?;
        let mut path = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.path.clone(),
            "super" => self.path.split_last()?.1.to_vec(),
            name if name == self.to.name => Vec::new(),
            _ if may_be_child => return Some([&[MAYBE_CHILD.to_owned()], names].concat()),
            _ => return None,
        };
        while rest.first().is_some_and(|name| name == "super") {
            path.pop()?;
            rest = rest.get(1..)?;
        }
        path.extend(rest.iter().cloned());
        Some(path)
    }

    fn add(&mut self, names: &[String], span: Span, known_as: Option<String>, is_public: bool) {
        let may_be_child = names.len() > 1 || known_as.is_some();
        if let Some(path) = self.absolute(names, may_be_child) {
            let line = span.start().line;
            self.module().uses.push(Use { line, path, known_as, is_public });
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident), is_public),
            UseTree::Name(name) if name.ident == "self" && !before.is_empty() => {
                self.add(before, name.ident.span(), before.last().cloned(), is_public);
            }
            UseTree::Name(name) => {
                self.add(&with(&name.ident), name.ident.span(), Some(name.ident.to_string()), is_public);
            }
            UseTree::Rename(name) => {
                let names = if name.ident == "self" { before.to_vec() } else { with(&name.ident) };
                self.add(&names, name.ident.span(), Some(name.rename.to_string()), is_public);
            }
            UseTree::Glob(glob) => self.add(before, glob.span(), Some("*".to_owned()), is_public),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.tree(tree, before, is_public));
            }
        }
    }

    /// Paths among the tokens of a macro that say by their first name where they begin.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon =
            |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let name = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(name)) => Some(name),
            _ => None,
        };
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream());
            }
            let follows_path = at >= 2 && is_colon(at - 1) && is_colon(at - 2);
            let begins = name(at).is_some_and(|name| *name == "crate" || *name == "super" || *name == "self");
            if begins && !follows_path && is_colon(at + 1) && is_colon(at + 2) {
                let mut names = Vec::new();
                while let Some(next) = name(at) {
                    names.push(next.to_string());
                    at += 1;
                    if !(is_colon(at) && is_colon(at + 1)) {
                        break;
                    }
                    at += 2;
                }
                self.add(&names, token.span(), None, false);
            } else {
                at += 1;
            }
        }
    }

    fn function(&mut self, signature: &Signature, end: Span) {
        let (line, last) = (signature.ident.span().start().line, end.end().line);
        let lines = last + 1 - signature.span().start().line;
        let name = signature.ident.to_string();
        self.module().functions.push(Function { name, line, lines });
    }

    /// A module in a file of its own.
    fn declared(&mut self, name: &str, attributes: &[Attribute]) {
        let path = [&self.path[..], &[name.to_owned()]].concat();
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let files = match named_file(attributes) {
            Some(file) if !self.is_inline => vec![folder.join(file)],
            Some(file) => vec![self.below.join(file)],
            None => vec![self.below.join(format!("{name}.rs")), self.below.join(name).join("mod.rs")],
        };
        let Some(there) = files.iter().find(|file| (self.text)(file).is_some()) else {
            panic!("{}: none of {files:?} is there", self.file.display());
        };
        if is_for_tests(attributes) {
            self.to.test_files.insert(there.clone());
        } else {
            file(self.to, path, there, self.text);
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Mod(module) = item {
            let name = module.ident.to_string();
            self.module().items.insert(name.clone());
            let Some((_, items)) = &module.content else { return self.declared(&name, &module.attrs) };
            if is_for_tests(&module.attrs) {
                return;
            }
            let outer = (self.below.clone(), self.is_inline);
            self.below.push(&name);
            self.path.push(name);
            self.is_inline = true;
            self.module().file = self.file.to_owned();
            items.iter().for_each(|item| self.visit_item(item));
            self.path.pop();
            (self.below, self.is_inline) = outer;
        } else {
            let (attributes, name) = parts(item);
            if !is_for_tests(attributes) {
                self.module().items.extend(name);
                visit::visit_item(self, item);
            }
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, used: &'ast syn::ItemUse) {
        if used.leading_colon.is_none() {
            self.tree(&used.tree, &[], !matches!(used.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if names.len() > 1 {
                self.add(&names, path.span(), None, false);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }

    /// It says who sees something, and uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, item.block.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, item.block.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if let TraitItem::Fn(function) = item
            && let Some(block) = &function.default
        {
            self.function(&function.sig, block.span());
        }
        visit::visit_trait_item(self, item);
    }
}

/// The attributes of an item, and its name.
fn parts(item: &Item) -> (&[Attribute], Option<String>) {
    let (attributes, name) = match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => return (&[], None),
    };
    (attributes, name.map(ToString::to_string))
}

/// `#[path = ".."]`.
fn named_file(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// Whether `#[cfg(..)]` leaves it out of what is not compiled for tests.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args().is_ok_and(|cfg: Meta| needs_test(&cfg)))
    })
}

fn needs_test(cfg: &Meta) -> bool {
    let Meta::List(list) = cfg else { return cfg.path().is_ident("test") };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts = parts.unwrap_or_default();
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}
