//! A hub becomes its table of methods.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ext::IdentExt, parse_quote, spanned::Spanned};

use crate::{
    model::{
        Argument, Authorization, Claim, Compressed, Event, Function, Hub, Lifecycle, Method,
        MethodKind, Parameter, ParameterKind, Timing,
    },
    type_text::type_text,
};

/// The definition of `hub`; the impl block of the user stands beside it.
pub(crate) fn hub(hub: &Hub) -> TokenStream {
    let Hub { cfgs, name, ty, .. } = hub;
    let mut generics = hub.generics.clone();
    if !generics.params.is_empty() {
        let bound = parse_quote!(Self: ::core::marker::Send + ::core::marker::Sync + 'static);
        generics.make_where_clause().predicates.push(bound);
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let client = client_of(hub);
    let methods = hub.methods.iter().map(method);
    let lifecycle = hub.lifecycle.iter().map(lifecycle);
    let authorization = (!hub.authorizations.is_empty()).then(|| {
        let authorization = authorization(&hub.authorizations);
        quote! {
            fn authorization() -> &'static [::hubwire::__private::Authorization<Self>] {
                #authorization
            }
        }
    });
    // Spanned at the hub, because that is what may fail to be one, and is then reported once.
    quote_spanned! {ty.span()=>
        #(#cfgs)*
        impl #impl_generics ::hubwire::__private::HubDefinition for #ty #where_clause {
            const NAME: &'static str = #name;

            #client

            fn methods() -> &'static [::hubwire::__private::Method<Self>] {
                &[#(#methods),*]
            }

            #authorization

            #(#lifecycle)*
        }
    }
}

/// What users must be, as a table.
fn authorization(authorizations: &[Authorization]) -> TokenStream {
    let each = authorizations.iter().map(|Authorization { claims, policies, roles }| {
        let claims = claims.iter().map(|Claim { name, value }| match value {
            Some(value) => quote!((#name, ::core::option::Option::Some(#value))),
            None => quote!((#name, ::core::option::Option::None)),
        });
        // Spanned at the policy, because that is what may not be one.
        let policies = policies.iter().map(|policy| {
            let (hub, call) = (local("hub"), local("call"));
            quote_spanned!(policy.span()=> |#hub, #call| ::std::boxed::Box::pin(#policy(#hub, #call)))
        });
        quote! {
            ::hubwire::__private::Authorization {
                roles: &[#(#roles),*],
                claims: &[#(#claims),*],
                policies: &[#(#policies),*],
            }
        }
    });
    quote!(&[#(#each),*])
}

/// What the hub sends to, and how it comes from an address.
fn client_of(hub: &Hub) -> TokenStream {
    // Spanned at the user's client, because that is what may be less visible than the hub, or none.
    let (span, client) = match &hub.client {
        Some(client) => (client.span(), quote!(#client)),
        None => (hub.ty.span(), quote!(::hubwire::__private::ClientProxy)),
    };
    // Not `Self::Client`: a type that cannot be a hub would be reported for that once more.
    quote_spanned! {span=>
        type Client<__A: ::hubwire::__private::Address> = #client<__A>;

        #[allow(private_interfaces, reason = "an error already, at the type above")]
        fn client<__A: ::hubwire::__private::Address>(address: __A) -> #client<__A> {
            ::core::convert::From::from(address)
        }
    }
}

fn method(method: &Method) -> TokenStream {
    let Method { authorizations, compression, function, kind, name } = method;
    let authorization = authorization(authorizations);
    let compression = match compression {
        Compressed::Allowed => quote!(::hubwire::__private::Compressed::Allowed),
        Compressed::Never => quote!(::hubwire::__private::Compressed::Never),
    };
    let Function { cfgs, returned, .. } = function;
    let rust_name = function.ident.unraw().to_string();
    let described = parameters(function).map(|Parameter { kind, name, ty }| {
        let kind = match kind {
            ParameterKind::Argument => quote!(Argument),
            ParameterKind::Stream => quote!(Stream),
        };
        let rust_type = type_text(ty);
        quote! {
            ::hubwire::__private::Parameter {
                kind: ::hubwire::__private::ParameterKind::#kind,
                name: #name,
                rust_type: #rust_type,
            }
        }
    });
    let call = local("call");
    let rebound = parameters(function).next().map(|_| quote!(let mut #call = #call;));
    let bound = parameters(function)
        .enumerate()
        .map(|(index, parameter)| bind(&call, &position(index), parameter));
    let context = quote!(#call.context());
    let invocation = invocation(function, &quote!(#call.hub()), &context, &TokenStream::new());
    let reply = local_at("reply", *returned);
    let (kind, replied) = match kind {
        MethodKind::Invocation => (quote!(Invocation), replied(*returned, &reply, &call)),
        MethodKind::Stream => (quote!(Stream), streamed(*returned, &reply, &call)),
    };
    quote! {
        #(#cfgs)*
        ::hubwire::__private::Method {
            name: #name,
            rust_name: #rust_name,
            kind: ::hubwire::__private::MethodKind::#kind,
            compression: #compression,
            authorization: #authorization,
            parameters: &[#(#described),*],
            call: |#call| ::std::boxed::Box::pin(async move {
                #rebound
                #(#bound)*
                let #reply = #invocation;
                #replied
            }),
        }
    }
}

/// Answers with a value. Spanned at the returned type, because there the user can change what does not serialize.
fn replied(returned: Span, reply: &Ident, call: &Ident) -> TokenStream {
    let marker = local_at("marker", returned);
    quote_spanned! {returned=>
        let #marker = ::hubwire::__private::Probe(&#reply).reply_marker();
        <_ as ::hubwire::__private::IntoReply<_, Self>>::reply(#marker, #reply, &#call).await
    }
}

/// Answers with the items of a stream, or why there is none.
fn streamed(returned: Span, reply: &Ident, call: &Ident) -> TokenStream {
    let marker = local_at("marker", returned);
    let (items, error) = (local_at("items", returned), local_at("error", returned));
    quote_spanned! {returned=>
        let #marker = ::hubwire::__private::Probe(&#reply).reply_marker();
        match <_ as ::hubwire::__private::IntoStream<_>>::items(#marker, #reply) {
            ::core::result::Result::Ok(#items) => {
                let #marker = ::hubwire::__private::ItemProbe(&#items).reply_marker();
                <_ as ::hubwire::__private::Answer<_, Self>>::answer(#marker, #items, &#call).await
            }
            ::core::result::Result::Err(#error) => #call.fail(#error),
        }
    }
}

/// Reads one argument off the call, or answers that it does not fit.
fn bind(call: &Ident, value: &Ident, Parameter { ty, .. }: &Parameter) -> TokenStream {
    // The type's own tokens carry the spans: a type that cannot be an argument is reported at it.
    let (bound, error) = (local("bound"), local("error"));
    let from_call = quote!(<#ty as ::hubwire::__private::FromCall<Self>>::from_call);
    quote! {
        let #value: #ty = match #from_call(&mut #call) {
            ::core::result::Result::Ok(#bound) => #bound,
            ::core::result::Result::Err(#error) => return #call.refuse(#error),
        };
    }
}

fn lifecycle(lifecycle: &Lifecycle) -> TokenStream {
    let Lifecycle { event, function } = lifecycle;
    let Function { cfgs, returned, .. } = function;
    let (context, reason) = (local("context"), local("reason"));
    let (name, reason_parameter) = match event {
        Event::Connected => (quote!(on_connected), None),
        Event::Disconnected => (
            quote!(on_disconnected),
            Some(quote!(#reason: &'a ::hubwire::__private::DisconnectReason,)),
        ),
    };
    let invocation = invocation(function, &quote!(self), &quote!(#context), &quote!(#reason));
    let (outcome, marker) = (local_at("outcome", *returned), local_at("marker", *returned));
    let ended = quote_spanned! {*returned=>
        let #marker = ::hubwire::__private::Probe(&#outcome).reply_marker();
        <_ as ::hubwire::__private::IntoOutcome<_>>::outcome(#marker, #outcome)
    };
    quote! {
        #(#cfgs)*
        fn #name<'a>(
            &'a self,
            #context: &'a ::hubwire::__private::CallerContext<Self>,
            #reason_parameter
        ) -> ::hubwire::__private::LocalBoxFuture<'a, ::hubwire::__private::HubResult<()>> {
            ::std::boxed::Box::pin(async move {
                let #outcome = #invocation;
                #ended
            })
        }
    }
}

/// The user's function, called with its arguments in the user's order.
fn invocation(
    function: &Function,
    hub: &TokenStream,
    context: &TokenStream,
    reason: &TokenStream,
) -> TokenStream {
    let ident = &function.ident;
    let mut index = 0;
    let arguments = function.arguments.iter().map(|argument| match argument {
        Argument::Context => context.clone(),
        Argument::Parameter(_) => {
            let value = position(index);
            index += 1;
            quote!(#value)
        }
        Argument::Reason => reason.clone(),
    });
    let awaited = match function.timing {
        Timing::Async => Some(quote!(.await)),
        Timing::Sync => None,
    };
    quote!(Self::#ident(#hub #(, #arguments)*) #awaited)
}

fn parameters(function: &Function) -> impl Iterator<Item = &Parameter> {
    function.arguments.iter().filter_map(|argument| match argument {
        Argument::Parameter(parameter) => Some(parameter),
        Argument::Context | Argument::Reason => None,
    })
}

/// What holds the value of the parameter at `index`: by position, because names may be `_`.
fn position(index: usize) -> Ident {
    format_ident!("p{index}", span = Span::mixed_site())
}

/// A variable that the user's code neither sees nor hides.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn local_at(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}
