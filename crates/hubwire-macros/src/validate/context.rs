//! How a method takes its context.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

use super::{Refusals, last_segment, peeled};
use crate::type_text::type_text;

/// Whether meant to be the context, however it is taken.
pub(super) fn is_context(ty: &Type) -> bool {
    match peeled(ty) {
        Type::Reference(reference) => is_context(&reference.elem),
        other => last_segment(other).is_some_and(|segment| segment.ident == "CallerContext"),
    }
}

/// Refuses a context that is taken in any other way than as `&CallerContext<Self>`.
pub(super) fn context(ty: &Type, hub: &Type, refusals: &mut Refusals) {
    let segment = match peeled(ty) {
        Type::Reference(borrow) if borrow.mutability.is_none() && borrow.lifetime.is_none() => {
            last_segment(&borrow.elem)
        }
        _ => None,
    };
    let Some(segment) = segment else {
        refusals.refuse(
            ty,
            "the context is lent for the time of the call: take `&CallerContext<Self>`",
        );
        return;
    };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return };
    let Some(GenericArgument::Type(written)) = arguments.args.first() else { return };
    let written_segment = last_segment(written).map(same_text);
    let own = [Some("Self".to_owned()), last_segment(hub).map(same_text)];
    if !own.contains(&written_segment) {
        let rule = format!(
            "a method gets the context of its own hub, not that of `{}`: take \
             `&CallerContext<Self>`",
            type_text(written)
        );
        refusals.refuse(written, &rule);
    }
}

fn same_text(segment: &PathSegment) -> String {
    segment.to_token_stream().to_string()
}
