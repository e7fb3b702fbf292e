//! What a client may be.

use syn::{
    FnArg, Ident, ItemTrait, Pat, PatType, ReceiverKind, ReturnType, TraitItem, TraitItemFn, Type,
    ext::IdentExt,
};

use super::{
    MAX_PARAMETERS, Refusals, distinct_names, few_parameters, is_unit, last_segment, named,
    no_generics, owned, qualifiers,
};
use crate::{
    attribute::{ClientAttributes, MethodOptions},
    case::RenameAll,
    model::{Client, ClientMethod, Compressed},
};

/// What the struct has already, by `Clone`, `Debug` and `From`.
const TAKEN_NAMES: [&str; 4] = ["clone", "clone_from", "fmt", "from"];

/// Reads a trait under `#[hub_client]`.
///
/// A method with anything refused is left out; the others stay, so that the places where they are
/// used compile.
pub(crate) fn client(
    item: &ItemTrait,
    attributes: ClientAttributes,
    refusals: &mut Refusals,
) -> Client {
    refusals.add_all(attributes.errors);
    let rename_all = attributes.rename_all;
    head(item, refusals);
    let mut method_options = attributes.methods.into_iter();
    let mut methods = Vec::new();
    for item in &item.items {
        if let TraitItem::Fn(function) = item {
            let before = refusals.count();
            let options = method_options.next().unwrap_or_default();
            let method = method(function, options, rename_all, refusals);
            if refusals.count() == before {
                methods.push(method);
            }
        } else {
            refusals.refuse(
                item,
                "a client offers methods and nothing else: move this out of the trait",
            );
        }
    }
    let names = methods
        .iter()
        .map(|method| (&method.ident, method.name.as_str(), method.attributes.as_slice()));
    distinct_names(names, refusals);
    Client {
        attributes: item.attrs.clone(),
        ident: item.ident.clone(),
        methods,
        visibility: item.vis.clone(),
    }
}

fn head(item: &ItemTrait, refusals: &mut Refusals) {
    if let Some(unsafety) = &item.unsafety {
        refusals.refuse(unsafety, "a client is no contract to keep: leave `unsafe` out");
    }
    no_generics(&item.generics, "a client", "leave it out", refusals);
    if let Some(clause) = &item.generics.where_clause {
        refusals.refuse(clause, "a client has nothing to bound: leave the where clause out");
    }
    if !item.supertraits.is_empty() {
        refusals.refuse(
            &item.supertraits,
            "the trait becomes a struct, which has no supertraits: write their methods here",
        );
    }
}

fn method(
    function: &TraitItemFn,
    options: MethodOptions,
    rename_all: RenameAll,
    refusals: &mut Refusals,
) -> ClientMethod {
    let signature = &function.sig;
    qualifiers(signature, refusals);
    no_generics(&signature.generics, "a method", "leave it out, borrows need no name", refusals);
    if let Some(clause) = &signature.generics.where_clause {
        refusals.refuse(clause, "a method has nothing to bound: leave the where clause out");
    }
    if let Some(asyncness) = &signature.asyncness {
        refusals.refuse(
            asyncness,
            "a send never waits, and a client result is a future anyway: leave `async` out",
        );
    }
    if let Some(body) = &function.default {
        refusals.refuse(body, "the client has the body: end the method with `;`");
    }
    if TAKEN_NAMES.iter().any(|taken| signature.ident == taken) {
        let rule = format!(
            "the struct has a `{}` of its own: choose another name, and keep this one on the wire \
             with `#[hub(rename = \"..\")]`",
            signature.ident
        );
        refusals.refuse(&signature.ident, &rule);
    }
    if let Some((authorize, _)) = options.authorizations.first() {
        refusals.refuse(authorize, "the server calls this itself: leave `authorize` out");
    }
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        match input {
            // Traits usually have one, so the harmless form is understood rather than refused.
            FnArg::Receiver(receiver)
                if matches!(receiver.kind, ReceiverKind::Reference(_, None, None)) => {}
            FnArg::Receiver(receiver) => {
                refusals.refuse(receiver, "sending needs no `self`: leave it out");
            }
            FnArg::Typed(input) => parameters.extend(parameter(input, refusals)),
        }
    }
    few_parameters(parameters.get(MAX_PARAMETERS).map(|(ident, _)| ident), refusals);
    let rust_name = signature.ident.unraw().to_string();
    let renamed = options.rename.map(|name| name.value());
    ClientMethod {
        attributes: function.attrs.clone(),
        compression: Compressed::unless(options.uncompressed.as_ref()),
        ident: signature.ident.clone(),
        name: renamed.unwrap_or_else(|| rename_all.apply(&rust_name)),
        parameters,
        parentheses: signature.paren_token.span.join(),
        result: result(&signature.output, refusals).cloned(),
    }
}

fn parameter(input: &PatType, refusals: &mut Refusals) -> Option<(Ident, Type)> {
    named(&input.ty, refusals);
    match &*input.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            Some((pattern.ident.clone(), (*input.ty).clone()))
        }
        pattern => {
            refusals.refuse(pattern, "a parameter needs a name: write `name: Type`");
            None
        }
    }
}

/// The type of the client result. Nothing and `()` are sends.
fn result<'a>(output: &'a ReturnType, refusals: &mut Refusals) -> Option<&'a Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    if is_unit(ty) {
        return None;
    }
    if is_plainly_result(ty) {
        refusals.refuse(
            ty,
            "a client result may always fail: write the type of its value alone, `-> bool`",
        );
    } else {
        owned(ty, "client results", refusals);
    }
    Some(ty)
}

/// Whether it reads as a `Result`. Other names may be those of values: a `SearchResult` is what a search found.
fn is_plainly_result(ty: &Type) -> bool {
    last_segment(ty)
        .is_some_and(|segment| segment.ident == "Result" || segment.ident == "HubResult")
}
