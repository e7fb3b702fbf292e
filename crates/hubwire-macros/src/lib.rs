//! The two macros of [Hubwire](https://docs.rs/hubwire): use them through the `hubwire` crate, which re-exports both.
//!
//! `#[hub]` turns an impl block into a table of methods that clients call; `#[hub_client]` turns a trait into the
//! typed sends of the server.
//! Neither knows what a call means: arguments, results and addresses are traits and types of `hubwire`.
//!
//! Set `HUBWIRE_MACRO_DEBUG=1` and build again (after touching the file) to read on stderr what a macro wrote.

use proc_macro2::TokenStream;
use quote::quote;

mod attribute;
mod case;
mod expand;
mod model;
mod type_text;
mod validate;

/// Makes the methods of an impl block callable by clients.
///
/// Every function in the block is callable, private ones too; what must not be goes into another impl block.
/// `on_connected` and `on_disconnected` are not: they are called when a connection begins and ends.
///
/// ```
/// use hubwire::prelude::*;
///
/// struct Chat;
///
/// #[hub]
/// impl Chat {
///     async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
///         cx.join_group("lobby").await?;
///         Ok(())
///     }
///
///     #[hub(rename = "Send")] // `SendMessage` without it
///     fn send_message(&self, cx: &CallerContext<Self>, text: String) -> HubResult<()> {
///         if text.is_empty() {
///             return Err(HubError::new("say something"));
///         }
///         cx.clients().group("lobby").send("ReceiveMessage", &(text,));
///         Ok(())
///     }
///
///     fn add(&self, a: i32, b: i32) -> i32 {
///         a + b
///     }
/// }
///
/// let chat = Hub::new(Chat).build();
/// # assert_eq!(chat.name(), "Chat");
/// ```
///
/// A method takes `&self`, at most one `cx: &CallerContext<Self>` anywhere, and up to 16 owned parameters.
/// It is `async` or not, its future need not be `Send`, and it returns a value, nothing, or a `Result`, under
/// whatever name.
///
/// # Streams
///
/// A method whose signature says `impl Stream<Item = T>`, alone or in a `Result`, answers with a stream, which may
/// borrow from `&self`; items that are `Result`s end it with their first error.
/// A parameter that is written `ClientStream<T>` is a stream that the client sends.
///
/// ```
/// use futures_util::stream;
/// use hubwire::prelude::*;
///
/// struct Numbers;
///
/// #[hub]
/// impl Numbers {
///     fn count(&self, to: u32) -> impl Stream<Item = u32> {
///         stream::iter(0..to)
///     }
///
///     async fn sum(&self, mut numbers: ClientStream<i64>) -> HubResult<i64> {
///         let mut sum = 0;
///         while let Some(number) = numbers.next().await {
///             sum += number?;
///         }
///         Ok(sum)
///     }
/// }
/// ```
///
/// # Options
///
/// - `authorize`: only users may connect. `authorize(roles = "editor, admin")`: with at least one of these roles;
///   `authorize(claim = "tenant")` or `claim = "tenant = 7"`: with this claim; `authorize(policy = Self::function)`: and an
///   `async fn(&self, call: &HubInvocation<Self>) -> bool` of another block says yes to each call.
///   All that stands in one must hold, and so must several.
/// - `client = ChatClient`: the `#[hub_client]` that this hub sends to, as visible as the hub itself.
///   Without it, messages are sent by name.
/// - `name = "chat"`: the hub's name in logs and metrics; the type's name unless given.
/// - `rename_all = "PascalCase"`: how Rust names become names on the wire. `PascalCase` is the default because .NET
///   names its methods so; `camelCase`, `snake_case` and `none` (as written) are the others.
///
/// On a method, `#[hub(rename = "Send")]` gives its name on the wire (`target` in SignalR's HubProtocol, "Invocation
/// Message Encoding"), and `#[hub(authorize(..))]` says who may call it.
/// Clients may write it in any case, so two names that differ in nothing else are refused.
#[proc_macro_attribute]
pub fn hub(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    shown(hub_tokens(options.into(), &item.into())).into()
}

/// Replaces a trait by a struct with one typed send per method.
///
/// ```
/// use hubwire::prelude::*;
///
/// #[hub_client]
/// trait ChatClient {
///     fn receive_message(text: &str); // nothing: a send, to any number of clients
///     fn confirm(question: &str) -> bool; // a value: a client result, of one client only
/// }
///
/// struct Chat;
///
/// #[hub(client = ChatClient)]
/// impl Chat {
///     async fn send_message(&self, cx: &CallerContext<Self>, text: String) -> HubResult<()> {
///         if cx.clients().caller().confirm("Send it to everyone?").await? {
///             cx.clients().all().receive_message(&text);
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// The struct is `ChatClient<A>`, `A` being the address: sends are methods of every `ChatClient<A>`, client results of
/// `ChatClient<One>` alone, because only one client can give one answer.
/// Parameters may be borrowed: they are serialized before the send returns.
///
/// # Options
///
/// - `rename_all`: as on [`macro@hub`].
///   Names go out with exactly the case that this gives them (PascalCase by default), because most clients compare them exactly.
///
/// On a method, `#[hub(rename = "Receive")]` gives its name on the wire.
#[proc_macro_attribute]
pub fn hub_client(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    shown(client_tokens(options.into(), &item.into())).into()
}

fn hub_tokens(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut block = match validate::impl_block(item.clone()) {
        Ok(block) => block,
        Err(refused) => return unread(item, &refused),
    };
    let mut refusals = validate::Refusals::default();
    let attributes = attribute::HubAttributes::take(options, &mut block);
    let hub = validate::hub(&block, attributes, &mut refusals);
    let definition = expand::hub(&hub);
    quote!(#block #definition #refusals)
}

fn client_tokens(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut client_trait = match validate::client_trait(item.clone()) {
        Ok(client_trait) => client_trait,
        Err(refused) => return unread(item, &refused),
    };
    let mut refusals = validate::Refusals::default();
    let attributes = attribute::ClientAttributes::take(options, &mut client_trait);
    let client = validate::client(&client_trait, attributes, &mut refusals);
    let sends = expand::client(&client);
    quote!(#sends #refusals)
}

/// The item as it was written, so that nothing else is reported missing, and what is wrong with it.
fn unread(item: &TokenStream, refused: &syn::Error) -> TokenStream {
    let refused = refused.to_compile_error();
    quote!(#item #refused)
}

#[expect(clippy::print_stderr, reason = "the one output that was asked for, at compile time")]
fn shown(expansion: TokenStream) -> TokenStream {
    if std::env::var_os("HUBWIRE_MACRO_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}");
    }
    expansion
}
