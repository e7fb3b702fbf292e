//! A client becomes a struct of sends.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Type, spanned::Spanned};

use crate::{
    attribute::cfgs,
    model::{Client, ClientMethod, Compressed},
};

/// The struct that stands where the trait stood.
pub(crate) fn client(client: &Client) -> TokenStream {
    let Client { attributes, ident, visibility, .. } = client;
    let cfgs = cfgs(attributes);
    let documentation = documentation(
        attributes,
        "What clients offer to the server, called on the clients at the address `A`.",
    );
    let allow = allow();
    let (results, sends): (Vec<_>, Vec<_>) =
        client.methods.iter().partition(|method| method.result.is_some());
    let generic = quote!(<__A: ::hubwire::__private::Address>);
    let sends = block(client, &generic, &quote!(__A), &sends);
    let results = block(client, &TokenStream::new(), &quote!(::hubwire::__private::One), &results);
    quote! {
        #documentation
        #(#attributes)*
        #allow
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #ident<A>(A);

        #(#cfgs)*
        impl<A> ::core::convert::From<A> for #ident<A> {
            fn from(address: A) -> Self {
                Self(address)
            }
        }

        /// The same clients without types, for methods whose names are only known at run time.
        #(#cfgs)*
        impl<A> ::core::convert::From<#ident<A>> for ::hubwire::__private::ClientProxy<A> {
            fn from(client: #ident<A>) -> Self {
                Self::from(client.0)
            }
        }

        #(#cfgs)*
        impl<__A: ::hubwire::__private::Address> ::hubwire::__private::Disconnect for #ident<__A> {
            fn disconnect_with(&self, close: ::hubwire::__private::Close) -> usize {
                ::hubwire::__private::Disconnect::disconnect_with(&self.0, close)
            }
        }

        #sends
        #results
    }
}

/// The methods for one kind of address; nothing when there are none, for the sake of the docs.
fn block(
    client: &Client,
    generic: &TokenStream,
    address: &TokenStream,
    methods: &[&ClientMethod],
) -> Option<TokenStream> {
    if methods.is_empty() {
        return None;
    }
    let Client { attributes, ident, .. } = client;
    let cfgs = cfgs(attributes);
    let methods = methods.iter().map(|method| self::method(client, method));
    let allow = allow();
    Some(quote! {
        #(#cfgs)*
        #allow
        impl #generic #ident<#address> {
            #(#methods)*
        }
    })
}

/// A list of what clients offer may be longer than what this server uses, and is as visible as its
/// trait was written.
fn allow() -> TokenStream {
    quote! {
        #[allow(dead_code, unreachable_pub, reason = "a description of the client, used or not")]
    }
}

fn method(client: &Client, method: &ClientMethod) -> TokenStream {
    let ClientMethod { attributes, compression, ident, name, .. } = method;
    let target = match compression {
        Compressed::Allowed => quote!(#name),
        Compressed::Never => quote!(::hubwire::__private::Target::uncompressed(#name)),
    };
    let visibility = &client.visibility;
    let parameters = method.parameters.iter().map(|(ident, ty)| quote!(#ident: #ty));
    let arguments = arguments(method);
    // Apart from the spanned tokens, because `self` is only found where its span is ours.
    let address = quote!(self.0);
    let (documentation, output, body) = match &method.result {
        Some(ty) => (
            format!("Calls `{name}` on the client and waits for its result."),
            quote!(::hubwire::__private::ClientResult<#ty>),
            quote_spanned!(ty.span()=> #address.invoke(#target, #arguments)),
        ),
        None => (
            format!("Calls `{name}` on every client at the address."),
            quote!(::hubwire::__private::Delivery),
            quote_spanned! {ident.span()=>
                ::hubwire::__private::Address::send(&#address, #target, #arguments)
            },
        ),
    };
    let documentation = self::documentation(attributes, &documentation);
    quote! {
        #documentation
        #(#attributes)*
        #visibility fn #ident(&self, #(#parameters),*) -> #output {
            #body
        }
    }
}

/// A reference to the tuple of arguments, spanned at the user's types: one that does not serialize
/// is reported there.
fn arguments(method: &ClientMethod) -> TokenStream {
    let idents = method.parameters.iter().map(|(ident, _)| ident);
    let span = match method.parameters.as_slice() {
        // What is borrowed is what serializes or does not.
        [(_, Type::Reference(borrow))] => borrow.elem.span(),
        [(_, ty)] => ty.span(),
        _ => method.parentheses,
    };
    let mut tuple = Group::new(Delimiter::Parenthesis, quote!(#(#idents,)*));
    tuple.set_span(span);
    let borrow = quote_spanned!(span=> &);
    [borrow, TokenTree::from(tuple).into_token_stream()].into_iter().collect()
}

/// Ours where the user wrote none.
fn documentation(attributes: &[Attribute], text: &str) -> Option<TokenStream> {
    let documented = attributes.iter().any(|attribute| attribute.path().is_ident("doc"));
    (!documented).then(|| quote!(#[doc = #text]))
}
