use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, parse::Parser};

use super::{Refusals, client, client_trait, hub, impl_block};
use crate::attribute::{ClientAttributes, HubAttributes};

/// What is refused in `code`, which is an item under one of the macros.
#[track_caller]
fn check(code: &str, refused: &[&str]) {
    let messages: Vec<String> = refusals(code).iter().map(ToString::to_string).collect();
    assert_eq!(messages, refused);
}

fn refusals(code: &str) -> Vec<syn::Error> {
    let split = |input: syn::parse::ParseStream<'_>| {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let item: TokenStream = input.parse()?;
        let ours = attributes.remove(0);
        Ok((ours, quote!(#(#attributes)* #item)))
    };
    let (attribute, item) = split.parse_str(code).unwrap();
    let options =
        attribute.meta.require_list().map_or_else(|_| quote!(), |list| list.tokens.clone());
    let mut refusals = Refusals::default();
    if attribute.path().is_ident("hub") {
        match impl_block(item) {
            Err(error) => refusals.add(error),
            Ok(mut block) => {
                let attributes = HubAttributes::take(options, &mut block);
                hub(&block, attributes, &mut refusals);
            }
        }
    } else {
        match client_trait(item) {
            Err(error) => refusals.add(error),
            Ok(mut item) => {
                let attributes = ClientAttributes::take(options, &mut item);
                client(&item, attributes, &mut refusals);
            }
        }
    }
    refusals.0.into_iter().flatten().collect()
}

/// What is refused in one method of a hub.
#[track_caller]
fn check_method(method: &str, refused: &[&str]) {
    check(&format!("#[hub] impl Chat {{ {method} }}"), refused);
}

/// What is refused in one method of a client.
#[track_caller]
fn check_client_method(method: &str, refused: &[&str]) {
    check(&format!("#[hub_client] trait ChatClient {{ {method} }}"), refused);
}

#[test]
fn every_legal_shape_of_a_method_is_accepted() {
    check_method("fn nothing(&self) {}", &[]);
    check_method("async fn f(&self, a: u8, cx: &CallerContext<Self>, _: u8, _x: u8) {}", &[]);
    check_method("pub fn f(&self, mut a: Vec<u8>, cx: &hubwire::CallerContext<Chat>) {}", &[]);
    check_method("fn f(&self, a: Cow<'static, str>) -> io::Result<u8> {}", &[]);
    check_method("const LIMIT: usize = 1; type Item = u8;", &[]);
    check_method(r#"#[hub(rename = "Send")] #[inline] fn f(&self) {}"#, &[]);
    check_method(r#"#[hubwire::hub(rename = "Send")] fn f(&self) {}"#, &[]);
    check("#[hub] impl chat::Chat<Db> { fn f(&self, cx: &CallerContext<Chat<Db>>) {} }", &[]);
}

#[test]
fn every_legal_shape_of_a_lifecycle_method_is_accepted() {
    check_method("fn on_connected(&self) {}", &[]);
    check_method("async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {}", &[]);
    check_method("fn on_disconnected(&self, reason: &DisconnectReason) -> Result<(), E> {}", &[]);
    check_method(
        "fn on_disconnected(&self, r: &DisconnectReason, cx: &CallerContext<Self>) -> () {}",
        &[],
    );
}

#[test]
fn every_legal_shape_of_a_client_method_is_accepted() {
    check_client_method("fn f();", &[]);
    check_client_method("fn f(&self, message: &Message, texts: &[&str], number: u8);", &[]);
    check_client_method("fn f(mut text: String) -> Vec<bool>;", &[]);
    check_client_method(r#"#[hub(rename = "clone")] fn copy() -> ();"#, &[]);
}

#[test]
fn the_macros_stand_where_they_belong() {
    let refused =
        "`#[hub]` goes on the impl block with the hub's methods: `#[hub] impl Chat { .. }`";
    check("#[hub] #[derive(Debug)] struct Chat;", &[refused]);
    check("#[hub] fn f(&self) {}", &[refused]);
    check(
        "#[hub_client] pub struct ChatClient;",
        &["`#[hub_client]` goes on the trait with the methods that clients offer: \
           `#[hub_client] trait ChatClient { .. }`"],
    );
    check(
        "#[hub] impl Greet for Chat {}",
        &["`#[hub]` goes on the type's own impl block: move the methods for clients there"],
    );
    check("#[hub] impl [u8] {}", &["a hub is a struct or an enum of yours: name it here"]);
}

#[test]
fn options_are_known_and_given_once() {
    check(
        r#"#[hub(nam = Vec<u8>, name = "x", name = "y", rename_all = "Kebab")] impl Chat {}"#,
        &[
            "unknown option: `#[hub]` on an impl block takes `authorize`, `client = Type`, \
             `name = \"..\"` and `rename_all = \"..\"`",
            "`name` is given twice",
            "unknown value of `rename_all`: it is one of `PascalCase`, `camelCase`, `snake_case`, \
             `none`",
        ],
    );
    check(
        r#"#[hub(name = "", client = ChatClient<One>)] impl Chat {}"#,
        &[
            "a name has at least one character",
            "the address is filled in by the hub: name the `#[hub_client]` without arguments",
        ],
    );
    check(
        r#"#[hub_client(name = "x")] trait ChatClient {}"#,
        &["unknown option: `#[hub_client]` takes `rename_all = \"..\"`"],
    );
    check_method(
        r#"#[hub(name = "x")] fn f(&self) {} #[hub] fn g(&self) {}"#,
        &[
            "unknown option: `#[hub]` on a method takes `authorize`, `rename = \"..\"` and \
             `uncompressed`",
            "every function in the block is a method of the hub: write `#[hub(rename = \"..\")]`, \
             or leave `#[hub]` out",
        ],
    );
}

#[test]
fn what_users_must_be_is_said_in_known_words() {
    let words = "`authorize` takes `roles = \"any, of, these\"`, `claim = \"name\"` or `claim = \"name = value\"`, \
                 and `policy = Self::function`";
    check(r#"#[hub(authorize(role = "admin"))] impl Chat {}"#, &[words]);
    check_method(r#"#[hub(authorize(users))] fn f(&self) {}"#, &[words]);
    check_method(
        r#"#[hub(authorize(roles = ""))] fn f(&self) {}"#,
        &["a name has at least one character"],
    );
    for roles in ["a,", ",a", "a,,b", " "] {
        check_method(
            &format!("#[hub(authorize(roles = \"{roles}\"))] fn f(&self) {{}}"),
            &[
                "a role has at least one character: write the roles with one comma between two, and none at the end",
            ],
        );
    }
    for claim in ["= 7", " ", "tenant ="] {
        check_method(
            &format!("#[hub(authorize(claim = \"{claim}\"))] fn f(&self) {{}}"),
            &[
                "a claim has a name, and a value where there is a `=`: write `claim = \"name\"` for any value",
            ],
        );
    }
    check_method(
        "#[hub(authorize)] fn on_connected(&self) {}",
        &[
            "`on_connected` is not called by clients: put `authorize` on the block, for whoever connects",
        ],
    );
    check(
        "#[hub_client] trait ChatClient { #[hub(authorize)] fn f(); }",
        &["the server calls this itself: leave `authorize` out"],
    );
}

#[test]
fn a_hub_and_its_methods_are_not_generic() {
    let concrete = "because nothing on the wire could choose the type: name a concrete one";
    check("#[hub] impl<T> Chat<T> {}", &[&format!("a hub is not generic, {concrete}")]);
    check(
        "#[hub] impl<'a> Chat<'a> {}",
        &["a hub has no lifetime parameters: let it own what it needs"],
    );
    let method = format!("a method is not generic, {concrete}");
    check_method("fn f<T>(&self, value: T) {}", &[&method]);
    check_method("fn f<const N: usize>(&self, value: [u8; N]) {}", &[&method]);
    check_method(
        "fn f<'a>(&'a self) {}",
        &[
            "a method has no lifetime parameters: take owned values",
            "one instance is shared by all connections: take `&self`",
        ],
    );
    let named = "what crosses the network has a known type: name it";
    check_method("fn f(&self, value: impl Clone) {}", &[named]);
    check_method("fn f(&self, value: Vec<(impl Clone,)>) {}", &[named]);
}

#[test]
fn methods_take_self_by_shared_reference() {
    check_method(
        "fn new() -> Self {}",
        &["a method of the hub takes `&self`: add it, or move the function into another impl \
           block if clients are not to call it"],
    );
    check_method(
        "fn f(&mut self) {}",
        &["one instance is shared by all connections: take `&self` and use interior mutability"],
    );
    let refused = "one instance is shared by all connections: take `&self`";
    check_method("fn f(self) {}", &[refused]);
    check_method("fn f(self: Arc<Self>) {}", &[refused]);
}

#[test]
fn arguments_are_owned() {
    let rule = "arguments arrive from the network and are owned:";
    check_method("fn f(&self, a: &str) {}", &[&format!("{rule} use `String`")]);
    check_method("fn f(&self, a: &[Item]) {}", &[&format!("{rule} use `Vec<Item>`")]);
    check_method("fn f(&self, a: &mut Item) {}", &[&format!("{rule} use `Item`")]);
    check_method(
        "fn f(&self, a: Option<&str>) {}",
        &[&format!("{rule} borrow nothing inside `Option<&str>`")],
    );
    check_method(
        "fn f(&self, a: (u8, Cow<'_, str>)) {}",
        &[&format!("{rule} borrow nothing inside `(u8, Cow<'_, str>)`")],
    );
}

#[test]
fn parameters_are_named_and_few() {
    check_method(
        "fn f(&self, (a, b): (u8, u8)) {}",
        &["a parameter needs a name, which messages about it use: take it apart in the body"],
    );
    let parameters = |count| (0..count).map(|index| format!("p{index}: u8, ")).collect::<String>();
    let (most, too_many) = (parameters(16), parameters(17));
    let refused = "a method has at most 16 parameters: put them into a struct";
    check_method(&format!("fn f(&self, cx: &CallerContext<Self>, {most}) {{}}"), &[]);
    check_method(&format!("fn f(&self, {too_many}) {{}}"), &[refused]);
    check_client_method(&format!("fn f({too_many});"), &[refused]);
}

#[test]
fn the_context_is_lent_once_and_the_hubs_own() {
    let lent = "the context is lent for the time of the call: take `&CallerContext<Self>`";
    check_method("fn f(&self, cx: CallerContext<Self>) {}", &[lent]);
    check_method("fn f(&self, cx: &mut CallerContext<Self>) {}", &[lent]);
    check_method("fn f(&self, cx: &'static CallerContext<Self>) {}", &[lent]);
    check_method(
        "fn f(&self, cx: &CallerContext<news::News>) {}",
        &["a method gets the context of its own hub, not that of `news::News`: take \
           `&CallerContext<Self>`"],
    );
    check_method(
        "fn f(&self, a: &CallerContext<Self>, b: &CallerContext<Self>) {}",
        &["a method has one context: leave this one out"],
    );
}

#[test]
fn what_is_no_plain_function_is_refused() {
    let refused = [
        "a call crosses the network and is never const: leave `const` out",
        "clients are strangers and keep no safety contract: leave `unsafe` out",
        "methods have the Rust ABI: leave `extern` out",
    ];
    check_method(r#"const unsafe extern "C" fn f(&self) {}"#, &refused);
    check_client_method(r#"const unsafe extern "C" fn f();"#, &refused);
    check_method(
        "fn f(&self) -> impl Future<Output = u8> {}",
        &["a method that waits is written as `async fn`"],
    );
    check_method("fn f(&self) -> impl Stream<Item = u8> {}", &[]);
    check_method("fn f(&self) -> HubResult<impl futures::Stream<Item = u8> + use<>> {}", &[]);
    check_method("fn f(&self) -> Stream {}", &[]);
    check_method(
        "methods! {}",
        &["`#[hub]` cannot see the methods that a macro writes: write them out, or move the \
           macro into another impl block"],
    );
}

#[test]
fn lifecycle_methods_keep_to_their_form() {
    let connected = "`on_connected` takes `&self` and `cx: &CallerContext<Self>`, and nothing else";
    let disconnected = "`on_disconnected` takes `&self`, `cx: &CallerContext<Self>` and \
                        `reason: &DisconnectReason`, and nothing else";
    check_method("fn on_connected(&self, a: u8) {}", &[connected]);
    check_method("fn on_connected(&self, reason: &DisconnectReason) {}", &[connected]);
    check_method(
        "fn on_connected(&self, cx: CallerContext<Self>) {}",
        &["the context is lent for the time of the call: take `&CallerContext<Self>`"],
    );
    check_method("fn on_disconnected(&self, reason: DisconnectReason) {}", &[disconnected]);
    check_method(
        "fn on_disconnected(&self, a: &DisconnectReason, b: &DisconnectReason) {}",
        &[disconnected],
    );
    check_method(
        "fn on_connected(&self, cx: &CallerContext<News>) {}",
        &["a method gets the context of its own hub, not that of `News`: take \
           `&CallerContext<Self>`"],
    );
    check_method(
        r#"#[hub(rename = "Hello")] fn on_connected(&self) {}"#,
        &["`on_connected` is called by the hub and has no name on the wire: leave `rename` out"],
    );
}

#[test]
fn names_differ_in_more_than_case() {
    let refused = [
        "two methods are called `SENDALL` on the wire, where case does not count: give one another \
         name with `#[hub(rename = \"..\")]`",
        "`SENDALL` is taken here first",
    ];
    check_method(
        r#"fn send_all(&self) {} #[hub(rename = "SENDALL")] fn other(&self) {}"#,
        &refused,
    );
    check_client_method(r#"fn send_all(); #[hub(rename = "SENDALL")] fn other();"#, &refused);
    check_method("#[cfg(unix)] fn a(&self) {} #[cfg(windows)] fn a(&self) {}", &[]);
}

#[test]
fn a_client_is_a_plain_list_of_methods() {
    check(
        "#[hub_client] unsafe trait ChatClient<T>: Send where T: Copy {}",
        &[
            "a client is no contract to keep: leave `unsafe` out",
            "a client is not generic, because nothing on the wire could choose the type: name a \
             concrete one",
            "a client has nothing to bound: leave the where clause out",
            "the trait becomes a struct, which has no supertraits: write their methods here",
        ],
    );
    let refused = "a client offers methods and nothing else: move this out of the trait";
    check_client_method("type Item; const LIMIT: u8; methods! {}", &[refused; 3]);
}

#[test]
fn a_client_method_is_a_plain_signature() {
    check_client_method(
        "async fn f() {}",
        &[
            "a send never waits, and a client result is a future anyway: leave `async` out",
            "the client has the body: end the method with `;`",
        ],
    );
    check_client_method(
        "fn f<'a>(text: &'a str) where u8: Copy;",
        &[
            "a method has no lifetime parameters: leave it out, borrows need no name",
            "a method has nothing to bound: leave the where clause out",
        ],
    );
    let named = "what crosses the network has a known type: name it";
    check_client_method("fn f(value: &impl Serialize);", &[named]);
    check_client_method("fn f() -> impl Future<Output = bool>;", &[named]);
    let unnamed = "a parameter needs a name: write `name: Type`";
    check_client_method("fn f((a, b): (u8, u8), _: u8);", &[unnamed; 2]);
    check_client_method("fn f(&mut self);", &["sending needs no `self`: leave it out"]);
    check_client_method(
        "fn clone();",
        &["the struct has a `clone` of its own: choose another name, and keep this one on the \
           wire with `#[hub(rename = \"..\")]`"],
    );
}

#[test]
fn a_client_result_is_an_owned_value() {
    check_client_method(
        "fn f() -> &str;",
        &["client results arrive from the network and are owned: use `String`"],
    );
    let fails = "a client result may always fail: write the type of its value alone, `-> bool`";
    check_client_method("fn f() -> HubResult<bool>;", &[fails]);
    check_client_method("fn f() -> io::Result<bool>;", &[fails]);
    check_client_method("fn f() -> SearchResult;", &[]);
}

#[test]
fn refusals_become_one_compile_error_each() {
    let mut refusals = Refusals::default();
    assert!(refusals.to_token_stream().is_empty());
    refusals.refuse(quote!(a), "one");
    refusals.refuse(quote!(b), "two");
    assert_eq!(refusals.count(), 2);
    let errors = quote!(::core::compile_error! { "one" } ::core::compile_error! { "two" });
    assert_eq!(refusals.to_token_stream().to_string(), errors.to_string());
}
