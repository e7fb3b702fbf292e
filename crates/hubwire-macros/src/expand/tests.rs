use proc_macro2::TokenStream;
use quote::quote;

use crate::{client_tokens, hub_tokens};

#[track_caller]
fn check(written: &TokenStream, expected: &TokenStream) {
    assert_eq!(written.to_string(), expected.to_string());
}

#[test]
fn a_hub_becomes_a_table() {
    let block = quote! {
        impl Chat {
            const LIMIT: usize = 1;

            async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> { Ok(()) }

            #[hub(rename = "Send")]
            #[inline]
            #[cfg(unix)]
            async fn send_message(&self, text: String, cx: &CallerContext<Self>) -> HubResult<()> { Ok(()) }

            fn nothing(&self) {}
        }
    };
    let expected = quote! {
        impl Chat {
            const LIMIT: usize = 1;

            async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> { Ok(()) }

            #[inline]
            #[cfg(unix)]
            async fn send_message(&self, text: String, cx: &CallerContext<Self>) -> HubResult<()> { Ok(()) }

            fn nothing(&self) {}
        }

        impl ::hubwire::__private::HubDefinition for Chat {
            const NAME: &'static str = "Chat";

            type Client<__A: ::hubwire::__private::Address> = ChatClient<__A>;

            #[allow(private_interfaces, reason = "an error already, at the type above")]
            fn client<__A: ::hubwire::__private::Address>(address: __A) -> ChatClient<__A> {
                ::core::convert::From::from(address)
            }

            fn methods() -> &'static [::hubwire::__private::Method<Self>] {
                &[
                    #[cfg(unix)]
                    ::hubwire::__private::Method {
                        name: "Send",
                        rust_name: "send_message",
                        kind: ::hubwire::__private::MethodKind::Invocation,
                        compression: ::hubwire::__private::Compressed::Allowed,
                        authorization: &[],
                        parameters: &[
                            ::hubwire::__private::Parameter {
                                kind: ::hubwire::__private::ParameterKind::Argument,
                                name: "text",
                                rust_type: "String",
                            }
                        ],
                        call: |call| ::std::boxed::Box::pin(async move {
                            let mut call = call;
                            let p0: String = match <String as ::hubwire::__private::FromCall<Self>>::from_call(&mut call) {
                                ::core::result::Result::Ok(bound) => bound,
                                ::core::result::Result::Err(error) => return call.refuse(error),
                            };
                            let reply = Self::send_message(call.hub(), p0, call.context()).await;
                            let marker = ::hubwire::__private::Probe(&reply).reply_marker();
                            <_ as ::hubwire::__private::IntoReply<_, Self>>::reply(marker, reply, &call).await
                        }),
                    },
                    ::hubwire::__private::Method {
                        name: "Nothing",
                        rust_name: "nothing",
                        kind: ::hubwire::__private::MethodKind::Invocation,
                        compression: ::hubwire::__private::Compressed::Allowed,
                        authorization: &[],
                        parameters: &[],
                        call: |call| ::std::boxed::Box::pin(async move {
                            let reply = Self::nothing(call.hub());
                            let marker = ::hubwire::__private::Probe(&reply).reply_marker();
                            <_ as ::hubwire::__private::IntoReply<_, Self>>::reply(marker, reply, &call).await
                        }),
                    }
                ]
            }

            fn on_connected<'a>(
                &'a self,
                context: &'a ::hubwire::__private::CallerContext<Self>,
            ) -> ::hubwire::__private::LocalBoxFuture<'a, ::hubwire::__private::HubResult<()>> {
                ::std::boxed::Box::pin(async move {
                    let outcome = Self::on_connected(self, context).await;
                    let marker = ::hubwire::__private::Probe(&outcome).reply_marker();
                    <_ as ::hubwire::__private::IntoOutcome<_>>::outcome(marker, outcome)
                })
            }
        }
    };
    check(&hub_tokens(quote!(client = ChatClient), &block), &expected);
}

#[test]
fn what_users_must_be_becomes_a_table() {
    let block = quote! {
        impl Chat {
            #[hub(authorize(roles = "a, b", claim = "tenant = 7", claim = "c", policy = Self::may))]
            fn f(&self) {}
        }
    };
    let written = hub_tokens(quote!(authorize), &block).to_string();
    let of_all = quote! {
        fn authorization() -> &'static [::hubwire::__private::Authorization<Self>] {
            &[::hubwire::__private::Authorization { roles: &[], claims: &[], policies: &[], }]
        }
    };
    let of_one = quote! {
        authorization: &[::hubwire::__private::Authorization {
            roles: &["a", "b"],
            claims: &[("tenant", ::core::option::Option::Some("7")), ("c", ::core::option::Option::None)],
            policies: &[|hub, call| ::std::boxed::Box::pin(Self::may(hub, call))],
        }],
    };
    for part in [of_all, of_one] {
        assert!(written.contains(&part.to_string()), "{part}\n\n{written}");
    }
}

#[test]
fn a_refused_hub_stays_a_hub_without_methods() {
    let block = quote!(
        #[cfg(unix)]
        impl Chat {
            fn f(&self, text: &str) {}
        }
    );
    let expected = quote! {
        #[cfg(unix)]
        impl Chat { fn f(&self, text: &str) {} }

        #[cfg(unix)]
        impl ::hubwire::__private::HubDefinition for Chat {
            const NAME: &'static str = "talk";

            type Client<__A: ::hubwire::__private::Address> = ::hubwire::__private::ClientProxy<__A>;

            #[allow(private_interfaces, reason = "an error already, at the type above")]
            fn client<__A: ::hubwire::__private::Address>(address: __A) -> ::hubwire::__private::ClientProxy<__A> {
                ::core::convert::From::from(address)
            }

            fn methods() -> &'static [::hubwire::__private::Method<Self>] {
                &[]
            }
        }

        ::core::compile_error! { "arguments arrive from the network and are owned: use `String`" }
    };
    check(&hub_tokens(quote!(name = "talk"), &block), &expected);
}

#[test]
fn an_item_that_is_no_hub_stays_as_it_was() {
    let item = quote!(
        pub struct Chat;
    );
    let expected = quote! {
        pub struct Chat;
        ::core::compile_error! {
            "`#[hub]` goes on the impl block with the hub's methods: `#[hub] impl Chat { .. }`"
        }
    };
    check(&hub_tokens(quote!(), &item), &expected);
}

#[test]
fn a_client_becomes_a_struct_of_sends() {
    let item = quote! {
        /// What the page offers.
        pub trait ChatClient {
            /// Shows the message.
            fn receive_message(&self, message: &Message);
            #[cfg(unix)]
            #[hub(rename = "Ask")]
            fn confirm(question: &str, choices: Vec<String>) -> bool;
            fn nothing();
        }
    };
    let expected = quote! {
        /// What the page offers.
        #[allow(dead_code, unreachable_pub, reason = "a description of the client, used or not")]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        pub struct ChatClient<A>(A);

        impl<A> ::core::convert::From<A> for ChatClient<A> {
            fn from(address: A) -> Self {
                Self(address)
            }
        }

        /// The same clients without types, for methods whose names are only known at run time.
        impl<A> ::core::convert::From<ChatClient<A>> for ::hubwire::__private::ClientProxy<A> {
            fn from(client: ChatClient<A>) -> Self {
                Self::from(client.0)
            }
        }

        impl<__A: ::hubwire::__private::Address> ::hubwire::__private::Disconnect for ChatClient<__A> {
            fn disconnect_with(&self, close: ::hubwire::__private::Close) -> usize {
                ::hubwire::__private::Disconnect::disconnect_with(&self.0, close)
            }
        }

        #[allow(dead_code, unreachable_pub, reason = "a description of the client, used or not")]
        impl<__A: ::hubwire::__private::Address> ChatClient<__A> {
            /// Shows the message.
            pub fn receive_message(&self, message: &Message) -> ::hubwire::__private::Delivery {
                ::hubwire::__private::Address::send(&self.0, "receiveMessage", &(message,))
            }

            #[doc = "Calls `nothing` on every client at the address."]
            pub fn nothing(&self,) -> ::hubwire::__private::Delivery {
                ::hubwire::__private::Address::send(&self.0, "nothing", &())
            }
        }

        #[allow(dead_code, unreachable_pub, reason = "a description of the client, used or not")]
        impl ChatClient<::hubwire::__private::One> {
            #[doc = "Calls `Ask` on the client and waits for its result."]
            #[cfg(unix)]
            pub fn confirm(&self, question: &str, choices: Vec<String>) -> ::hubwire::__private::ClientResult<bool> {
                self.0.invoke("Ask", &(question, choices,))
            }
        }
    };
    check(&client_tokens(quote!(rename_all = "camelCase"), &item), &expected);
}

#[test]
fn a_refused_client_keeps_its_other_methods() {
    let item = quote!(
        trait ChatClient {
            fn clone();
            fn nothing();
        }
    );
    let written = client_tokens(quote!(), &item).to_string();
    assert!(written.contains("fn nothing"), "{written}");
    assert!(!written.contains("fn clone"), "{written}");
    assert!(written.contains("compile_error"), "{written}");
}
