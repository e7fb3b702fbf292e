//! Reads the attributes into plain structs, and takes ours off the user's code.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, ImplItem, ItemImpl, ItemTrait, LitStr, Path, Token, TraitItem,
    meta::ParseNestedMeta, parenthesized, parse::Parser, token,
};

use crate::case::RenameAll;
use crate::model::{Authorization, Claim};

/// The attributes of a hub: of the block, and of each function in the order of the block.
pub(crate) struct HubAttributes {
    pub(crate) block: BlockOptions,
    /// What could not be read, and stands in none of the others.
    pub(crate) errors: Vec<syn::Error>,
    pub(crate) methods: Vec<MethodOptions>,
}

impl HubAttributes {
    /// Reads `options`, and takes `#[hub(..)]` off the functions of `block`.
    pub(crate) fn take(options: TokenStream, block: &mut ItemImpl) -> Self {
        let mut errors = Vec::new();
        let block_options = BlockOptions::read(options, &mut errors);
        let methods = block.items.iter_mut().filter_map(|item| match item {
            ImplItem::Fn(function) => Some(MethodOptions::take(&mut function.attrs, &mut errors)),
            _ => None,
        });
        Self { methods: methods.collect(), block: block_options, errors }
    }
}

/// The attributes of a client: of the trait, and of each function in the order of the trait.
pub(crate) struct ClientAttributes {
    /// What could not be read, and stands in none of the others.
    pub(crate) errors: Vec<syn::Error>,
    pub(crate) methods: Vec<MethodOptions>,
    pub(crate) rename_all: RenameAll,
}

impl ClientAttributes {
    /// Reads `options`, and takes `#[hub(..)]` off the functions of `item`.
    pub(crate) fn take(options: TokenStream, item: &mut ItemTrait) -> Self {
        let mut errors = Vec::new();
        let mut rename_all = None;
        read_options(options, &mut errors, |option| match option_name(option).as_str() {
            "rename_all" => once(&mut rename_all, option, rename_rule),
            _ => Err(option.error("unknown option: `#[hub_client]` takes `rename_all = \"..\"`")),
        });
        let methods = item.items.iter_mut().filter_map(|item| match item {
            TraitItem::Fn(function) => Some(MethodOptions::take(&mut function.attrs, &mut errors)),
            _ => None,
        });
        Self { methods: methods.collect(), rename_all: rename_all.unwrap_or_default(), errors }
    }
}

/// What stands in `#[hub(..)]` on the block.
pub(crate) struct BlockOptions {
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) client: Option<Path>,
    pub(crate) name: Option<LitStr>,
    pub(crate) rename_all: RenameAll,
}

impl BlockOptions {
    fn read(tokens: TokenStream, errors: &mut Vec<syn::Error>) -> Self {
        let (mut client, mut name, mut rename_all) = (None, None, None);
        let mut authorizations = Vec::new();
        read_options(tokens, errors, |option| match option_name(option).as_str() {
            "authorize" => authorization(option).map(|read| authorizations.push(read)),
            "client" => once(&mut client, option, |option| option.value()?.parse()),
            "name" => once(&mut name, option, text),
            "rename_all" => once(&mut rename_all, option, rename_rule),
            _ => Err(option.error(
                "unknown option: `#[hub]` on an impl block takes `authorize`, `client = Type`, \
                 `name = \"..\"` and `rename_all = \"..\"`",
            )),
        });
        Self { authorizations, client, name, rename_all: rename_all.unwrap_or_default() }
    }
}

/// What stands in `#[hub(..)]` on a method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    /// With where each stands.
    pub(crate) authorizations: Vec<(Path, Authorization)>,
    pub(crate) rename: Option<LitStr>,
    /// Where it is said that messages must not be compressed.
    pub(crate) uncompressed: Option<Path>,
}

impl MethodOptions {
    fn take(attributes: &mut Vec<Attribute>, errors: &mut Vec<syn::Error>) -> Self {
        let (mut rename, mut uncompressed) = (None, None);
        let mut authorizations = Vec::new();
        for attribute in attributes.extract_if(.., |attribute| is_ours(attribute)) {
            let Ok(list) = attribute.meta.require_list() else {
                let rule = "every function in the block is a method of the hub: write \
                            `#[hub(rename = \"..\")]`, or leave `#[hub]` out";
                errors.push(syn::Error::new_spanned(&attribute.meta, rule));
                continue;
            };
            read_options(list.tokens.clone(), errors, |option| {
                match option_name(option).as_str() {
                    "authorize" => {
                        authorization(option).map(|read| authorizations.push((option.path.clone(), read)))
                    }
                    "rename" => once(&mut rename, option, text),
                    "uncompressed" => once(&mut uncompressed, option, |option| Ok(option.path.clone())),
                    _ => Err(option.error(
                        "unknown option: `#[hub]` on a method takes `authorize`, `rename = \"..\"` and \
                         `uncompressed`",
                    )),
                }
            });
        }
        Self { authorizations, rename, uncompressed }
    }
}

/// `authorize`, alone for any user, or with what the user must be beside that.
fn authorization(option: &ParseNestedMeta<'_>) -> syn::Result<Authorization> {
    let mut read = Authorization::default();
    if !option.input.peek(token::Paren) {
        return Ok(read);
    }
    let wishes;
    parenthesized!(wishes in option.input);
    let mut errors = Vec::new();
    read_options(wishes.parse()?, &mut errors, |wish| {
        match option_name(wish).as_str() {
            "claim" => {
                let text = text(wish)?;
                let claim = text.value();
                let (name, value) = match claim.split_once('=') {
                    Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
                    None => (claim.trim(), None),
                };
                if name.is_empty() || value.as_deref() == Some("") {
                    let rule = "a claim has a name, and a value where there is a `=`: write \
                                `claim = \"name\"` for any value";
                    return Err(syn::Error::new(text.span(), rule));
                }
                read.claims.push(Claim { name: name.to_owned(), value });
            }
            "policy" => read.policies.push(wish.value()?.parse()?),
            "roles" => {
                let text = text(wish)?;
                let roles = text.value();
                let roles = roles.split(',').map(|role| role.trim().to_owned());
                let before = read.roles.len();
                read.roles.extend(roles);
                if read.roles[before..].iter().any(String::is_empty) {
                    let rule = "a role has at least one character: write the roles with one \
                                comma between two, and none at the end";
                    return Err(syn::Error::new(text.span(), rule));
                }
            }
            _ => {
                return Err(wish.error(
                    "`authorize` takes `roles = \"any, of, these\"`, `claim = \"name\"` or \
                     `claim = \"name = value\"`, and `policy = Self::function`",
                ));
            }
        }
        Ok(())
    });
    let error = errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    });
    error.map_or(Ok(read), Err)
}

/// The attributes that decide whether an item exists, which what we write about it must share.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// `#[hub(..)]`, or `#[hubwire::hub(..)]` for those who write paths.
fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "hub")
}

/// Gives each option to `accept`, and goes on after one that it refuses.
fn read_options(
    tokens: TokenStream,
    errors: &mut Vec<syn::Error>,
    mut accept: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    let mut refused = Vec::new();
    let read = syn::meta::parser(|option| {
        if let Err(error) = accept(&option) {
            refused.push(error);
            while !option.input.is_empty() && !option.input.peek(Token![,]) {
                option.input.parse::<TokenTree>()?;
            }
        }
        Ok(())
    })
    .parse2(tokens);
    errors.append(&mut refused);
    errors.extend(read.err());
}

/// The empty string for a path of several segments, which no option is.
fn option_name(option: &ParseNestedMeta<'_>) -> String {
    option.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn once<T>(
    slot: &mut Option<T>,
    option: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if slot.is_some() {
        return Err(option.error(format!("`{}` is given twice", option_name(option))));
    }
    *slot = Some(parse(option)?);
    Ok(())
}

fn text(option: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let text: LitStr = option.value()?.parse()?;
    if text.value().is_empty() {
        return Err(syn::Error::new(text.span(), "a name has at least one character"));
    }
    Ok(text)
}

fn rename_rule(option: &ParseNestedMeta<'_>) -> syn::Result<RenameAll> {
    let text: LitStr = option.value()?.parse()?;
    let known = RenameAll::VALUES.into_iter().find(|(value, _)| *value == text.value());
    known.map(|(_, rule)| rule).ok_or_else(|| {
        let values = RenameAll::VALUES.map(|(value, _)| format!("`{value}`")).join(", ");
        let rule = format!("unknown value of `rename_all`: it is one of {values}");
        syn::Error::new(text.span(), rule)
    })
}
