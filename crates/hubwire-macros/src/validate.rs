//! Says every no: on the user's token, with the rule and the way out of it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, GenericParam, Generics, Ident, ItemImpl, ItemTrait, Path, PathSegment, Safety,
    Signature, Token, Type, TypeParamBound, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{attribute::cfgs, type_text::type_text};

mod client;
mod context;
mod hub;
#[cfg(test)]
mod tests;

pub(crate) use self::{client::client, hub::hub};

/// As many as serde writes as a tuple; past it a struct is kinder to the reader anyway.
const MAX_PARAMETERS: usize = 16;

/// What was refused, reported together.
#[derive(Default)]
pub(crate) struct Refusals(Option<syn::Error>);

impl Refusals {
    fn refuse(&mut self, tokens: impl ToTokens, message: &str) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    fn add_all(&mut self, errors: Vec<syn::Error>) {
        errors.into_iter().for_each(|error| self.add(error));
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |errors| errors.into_iter().count())
    }
}

impl ToTokens for Refusals {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.as_ref().map(syn::Error::to_compile_error));
    }
}

/// Reads the item under `#[hub]`.
///
/// # Errors
///
/// It is not an impl block, or one in a syntax that syn does not know.
pub(crate) fn impl_block(item: TokenStream) -> syn::Result<ItemImpl> {
    let read = |input: ParseStream<'_>| {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Option<Token![unsafe]>>()?;
        if !ahead.peek(Token![impl]) {
            return Err(ahead.error(
                "`#[hub]` goes on the impl block with the hub's methods: `#[hub] impl Chat { .. }`",
            ));
        }
        input.parse()
    };
    read.parse2(item)
}

/// Reads the item under `#[hub_client]`.
///
/// # Errors
///
/// It is not a trait, or one in a syntax that syn does not know.
pub(crate) fn client_trait(item: TokenStream) -> syn::Result<ItemTrait> {
    let read = |input: ParseStream<'_>| {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![unsafe]>>()?;
        if !ahead.peek(Token![trait]) {
            return Err(ahead.error(
                "`#[hub_client]` goes on the trait with the methods that clients offer: \
                 `#[hub_client] trait ChatClient { .. }`",
            ));
        }
        input.parse()
    };
    read.parse2(item)
}

/// What neither a hub's methods nor a client's can be.
fn qualifiers(signature: &Signature, refusals: &mut Refusals) {
    if let Some(constness) = &signature.constness {
        refusals
            .refuse(constness, "a call crosses the network and is never const: leave `const` out");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        refusals.refuse(
            unsafety,
            "clients are strangers and keep no safety contract: leave `unsafe` out",
        );
    }
    if let Some(abi) = &signature.abi {
        refusals.refuse(abi, "methods have the Rust ABI: leave `extern` out");
    }
    if let Some(variadic) = &signature.variadic {
        refusals.refuse(variadic, "methods have a fixed number of parameters: take a `Vec`");
    }
}

/// Refuses generics, which on the wire nothing could choose. `borrows` says what to write instead of a lifetime.
fn no_generics(generics: &Generics, thing: &str, borrows: &str, refusals: &mut Refusals) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => format!("{thing} has no lifetime parameters: {borrows}"),
            GenericParam::Const(_) | GenericParam::Type(_) => format!(
                "{thing} is not generic, because nothing on the wire could choose the type: name a \
                 concrete one"
            ),
        };
        refusals.refuse(parameter, &message);
    }
}

/// Refuses names that clients could not tell apart.
fn distinct_names<'a>(
    methods: impl Iterator<Item = (&'a Ident, &'a str, &'a [Attribute])>,
    refusals: &mut Refusals,
) {
    let mut seen: Vec<(&Ident, &str, &[Attribute])> = Vec::new();
    for (ident, name, attributes) in methods {
        let other = seen.iter().find(|(_, other_name, other_attributes)| {
            // With a cfg on both, only the compiler knows whether they ever meet.
            let may_be_apart = !cfgs(attributes).is_empty() && !cfgs(other_attributes).is_empty();
            other_name.to_lowercase() == name.to_lowercase() && !may_be_apart
        });
        if let Some((other, ..)) = other {
            let message = format!(
                "two methods are called `{name}` on the wire, where case does not count: give one \
                 another name with `#[hub(rename = \"..\")]`"
            );
            refusals.refuse(ident, &message);
            refusals.refuse(other, &format!("`{name}` is taken here first"));
        }
        seen.push((ident, name, attributes));
    }
}

/// Refuses the parameter that is one too many.
fn few_parameters(parameter: Option<&impl ToTokens>, refusals: &mut Refusals) {
    if let Some(parameter) = parameter {
        let message =
            format!("a method has at most {MAX_PARAMETERS} parameters: put them into a struct");
        refusals.refuse(parameter, &message);
    }
}

/// `ty` without the parentheses and invisible groups around it, which a `macro_rules!` leaves behind.
fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        other => other,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peeled(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(peeled(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_impl_trait(ty: &Type, trait_name: &str) -> bool {
    let ends_with_trait =
        |path: &Path| path.segments.last().is_some_and(|segment| segment.ident == trait_name);
    matches!(peeled(ty), Type::ImplTrait(opaque) if opaque.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => ends_with_trait(&bound.path),
        _ => false,
    }))
}

/// Refuses a type that borrows or is not named. `what` is what has this type.
fn owned(ty: &Type, what: &str, refusals: &mut Refusals) {
    if let Type::Reference(reference) = peeled(ty) {
        let instead = match peeled(&reference.elem) {
            Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
            Type::Slice(slice) => format!("Vec<{}>", type_text(&slice.elem)),
            other => type_text(other),
        };
        let rule = format!("{what} arrive from the network and are owned: use `{instead}`");
        refusals.refuse(ty, &rule);
    } else if let Some(borrow) = borrow(ty.to_token_stream()) {
        let rule = format!(
            "{what} arrive from the network and are owned: borrow nothing inside `{}`",
            type_text(ty)
        );
        refusals.refuse(borrow, &rule);
    }
    named(ty, refusals);
}

/// Refuses `impl Trait`, which makes a function generic without saying so.
fn named(ty: &Type, refusals: &mut Refusals) {
    if mentions_impl(ty.to_token_stream()) {
        refusals.refuse(ty, "what crosses the network has a known type: name it");
    }
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions_impl(group.stream()),
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Literal(_) | TokenTree::Punct(_) => false,
    })
}

/// The first `&` or lifetime but `'static`, at any depth.
fn borrow(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                if let Some(found) = borrow(group.stream()) {
                    return Some(found);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                return Some(punct.into_token_stream());
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                let name = tokens.next();
                if !matches!(&name, Some(TokenTree::Ident(ident)) if ident == "static") {
                    return Some(quote!(#punct #name));
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
    None
}
