//! What a hub may be.

use syn::{
    FnArg, GenericArgument, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, PathArguments,
    PathSegment, Receiver, ReceiverKind, ReturnType, Signature, Type, ext::IdentExt,
    spanned::Spanned,
};

use super::{
    MAX_PARAMETERS, Refusals,
    context::{context, is_context},
    distinct_names, few_parameters, is_impl_trait, last_segment, no_generics, owned, peeled,
    qualifiers,
};
use crate::{
    attribute::{BlockOptions, HubAttributes, MethodOptions, cfgs},
    case::RenameAll,
    model::{
        Argument, Compressed, Event, Function, Hub, Lifecycle, Method, MethodKind, Parameter,
        ParameterKind, Timing,
    },
};

/// Reads a block under `#[hub]`.
///
/// A block with anything refused is a hub without methods: its type stays a hub, so that the
/// places where it is used compile, and the refusals are all that is reported.
pub(crate) fn hub(block: &ItemImpl, attributes: HubAttributes, refusals: &mut Refusals) -> Hub {
    refusals.add_all(attributes.errors);
    let rename_all = attributes.block.rename_all;
    let mut hub = outline(block, attributes.block, refusals);
    let mut method_options = attributes.methods.into_iter();
    for item in &block.items {
        match item {
            ImplItem::Fn(function) => {
                let options = method_options.next().unwrap_or_default();
                match event(&function.sig.ident) {
                    Some(event) => {
                        let read = lifecycle(event, function, options, &hub, refusals);
                        hub.lifecycle.push(read);
                    }
                    None => {
                        let read = method(function, options, rename_all, &hub, refusals);
                        hub.methods.push(read);
                    }
                }
            }
            ImplItem::Macro(call) => refusals.refuse(
                call,
                "`#[hub]` cannot see the methods that a macro writes: write them out, or move the \
                 macro into another impl block",
            ),
            _ => {}
        }
    }
    let names = hub.methods.iter().map(|method| {
        (&method.function.ident, method.name.as_str(), method.function.cfgs.as_slice())
    });
    distinct_names(names, refusals);
    if !refusals.is_empty() {
        hub.methods.clear();
        hub.lifecycle.clear();
    }
    hub
}

/// The hub as the block's head describes it.
fn outline(block: &ItemImpl, options: BlockOptions, refusals: &mut Refusals) -> Hub {
    if let Some((path, _)) = &block.trait_ {
        refusals.refuse(
            path,
            "`#[hub]` goes on the type's own impl block: move the methods for clients there",
        );
    }
    no_generics(&block.generics, "a hub", "let it own what it needs", refusals);
    let segment = last_segment(&block.self_ty);
    if segment.is_none() {
        refusals.refuse(&block.self_ty, "a hub is a struct or an enum of yours: name it here");
    }
    let client = options.client.filter(|path| {
        let arguments = path.segments.last().map(|segment| &segment.arguments);
        let plain = arguments.is_none_or(PathArguments::is_empty);
        if !plain {
            refusals.refuse(
                path,
                "the address is filled in by the hub: name the `#[hub_client]` without arguments",
            );
        }
        plain
    });
    let type_name = || segment.map(|segment| segment.ident.unraw().to_string());
    Hub {
        authorizations: options.authorizations,
        cfgs: cfgs(&block.attrs),
        client,
        generics: block.generics.clone(),
        lifecycle: Vec::new(),
        methods: Vec::new(),
        name: options.name.map(|name| name.value()).or_else(type_name).unwrap_or_default(),
        ty: (*block.self_ty).clone(),
    }
}

fn event(name: &Ident) -> Option<Event> {
    match name.to_string().as_str() {
        "on_connected" => Some(Event::Connected),
        "on_disconnected" => Some(Event::Disconnected),
        _ => None,
    }
}

fn method(
    function: &ImplItemFn,
    options: MethodOptions,
    rename_all: RenameAll,
    hub: &Hub,
    refusals: &mut Refusals,
) -> Method {
    let signature = &function.sig;
    head(signature, refusals);
    let mut arguments = Vec::new();
    let mut parameters = Vec::new();
    for input in typed(signature) {
        if is_context(&input.ty) {
            lend_context(input, hub, &mut arguments, refusals);
        } else {
            owned(&input.ty, "arguments", refusals);
            arguments.push(Argument::Parameter(parameter(input, refusals)));
            parameters.push(input);
        }
    }
    few_parameters(parameters.get(MAX_PARAMETERS), refusals);
    let kind = match &signature.output {
        ReturnType::Default => MethodKind::Invocation,
        ReturnType::Type(_, ty) => returned(ty, refusals),
    };
    let rust_name = signature.ident.unraw().to_string();
    let renamed = options.rename.map(|name| name.value());
    Method {
        authorizations: options.authorizations.into_iter().map(|(_, read)| read).collect(),
        compression: Compressed::unless(options.uncompressed.as_ref()),
        function: read_function(function, arguments),
        kind,
        name: renamed.unwrap_or_else(|| rename_all.apply(&rust_name)),
    }
}

fn lifecycle(
    event: Event,
    function: &ImplItemFn,
    options: MethodOptions,
    hub: &Hub,
    refusals: &mut Refusals,
) -> Lifecycle {
    let signature = &function.sig;
    head(signature, refusals);
    if let Some(rename) = options.rename {
        let rule = format!(
            "`{}` is called by the hub and has no name on the wire: leave `rename` out",
            signature.ident
        );
        refusals.refuse(rename, &rule);
    }
    if let Some(uncompressed) = options.uncompressed {
        let rule = format!("`{}` answers nobody: leave `uncompressed` out", signature.ident);
        refusals.refuse(uncompressed, &rule);
    }
    if let Some((authorize, _)) = options.authorizations.first() {
        let rule = format!(
            "`{}` is not called by clients: put `authorize` on the block, for whoever connects",
            signature.ident
        );
        refusals.refuse(authorize, &rule);
    }
    let form = match event {
        Event::Connected => "`on_connected` takes `&self` and `cx: &CallerContext<Self>`",
        Event::Disconnected => {
            "`on_disconnected` takes `&self`, `cx: &CallerContext<Self>` and \
             `reason: &DisconnectReason`"
        }
    };
    let mut arguments = Vec::new();
    for input in typed(signature) {
        let told = arguments.iter().any(|argument| matches!(argument, Argument::Reason));
        if is_context(&input.ty) {
            lend_context(input, hub, &mut arguments, refusals);
        } else if event == Event::Disconnected && is_reason(&input.ty) && !told {
            arguments.push(Argument::Reason);
        } else {
            refusals.refuse(input, &format!("{form}, and nothing else"));
        }
    }
    Lifecycle { event, function: read_function(function, arguments) }
}

fn lend_context(
    input: &PatType,
    hub: &Hub,
    arguments: &mut Vec<Argument>,
    refusals: &mut Refusals,
) {
    context(&input.ty, &hub.ty, refusals);
    if arguments.iter().any(|argument| matches!(argument, Argument::Context)) {
        refusals.refuse(input, "a method has one context: leave this one out");
    }
    arguments.push(Argument::Context);
}

fn is_reason(ty: &Type) -> bool {
    match peeled(ty) {
        Type::Reference(borrow) if borrow.mutability.is_none() => {
            last_segment(&borrow.elem).is_some_and(|segment| segment.ident == "DisconnectReason")
        }
        _ => false,
    }
}

fn read_function(function: &ImplItemFn, arguments: Vec<Argument>) -> Function {
    let signature = &function.sig;
    let returned = match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    Function {
        arguments,
        cfgs: cfgs(&function.attrs),
        ident: signature.ident.clone(),
        returned,
        timing: if signature.asyncness.is_some() { Timing::Async } else { Timing::Sync },
    }
}

/// Everything in a signature but the parameters and what is returned.
fn head(signature: &Signature, refusals: &mut Refusals) {
    qualifiers(signature, refusals);
    no_generics(&signature.generics, "a method", "take owned values", refusals);
    match signature.receiver() {
        None => refusals.refuse(
            &signature.ident,
            "a method of the hub takes `&self`: add it, or move the function into another impl \
             block if clients are not to call it",
        ),
        Some(receiver) => self_by_reference(receiver, refusals),
    }
}

fn self_by_reference(receiver: &Receiver, refusals: &mut Refusals) {
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => refusals.refuse(
            receiver,
            "one instance is shared by all connections: take `&self` and use interior mutability",
        ),
        _ => refusals.refuse(receiver, "one instance is shared by all connections: take `&self`"),
    }
}

fn typed(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => Some(typed),
    })
}

fn parameter(input: &PatType, refusals: &mut Refusals) -> Parameter {
    let name = match &*input.pat {
        Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.unraw().to_string(),
        Pat::Wild(_) => "_".to_owned(),
        pattern => {
            refusals.refuse(
                pattern,
                "a parameter needs a name, which messages about it use: take it apart in the body",
            );
            String::new()
        }
    };
    let kind = match last_segment(&input.ty) {
        Some(segment) if segment.ident == "ClientStream" => ParameterKind::Stream,
        _ => ParameterKind::Argument,
    };
    Parameter { kind, name, ty: input.ty.clone() }
}

/// How a method with this type answers. The signature alone decides, because a call of the wrong kind is refused before it runs.
fn returned(ty: &Type, refusals: &mut Refusals) -> MethodKind {
    if is_impl_trait(ty, "Future") {
        refusals.refuse(ty, "a method that waits is written as `async fn`");
    }
    let inside = last_segment(ty).and_then(first_type);
    let is_stream =
        is_impl_trait(ty, "Stream") || inside.is_some_and(|ty| is_impl_trait(ty, "Stream"));
    if is_stream { MethodKind::Stream } else { MethodKind::Invocation }
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    }
}
