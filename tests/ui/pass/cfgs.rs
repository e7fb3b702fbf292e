//! Methods that exist on some platforms only are callable there only.

use hubwire::prelude::*;

#[hub_client]
trait ChatClient {
    #[cfg(any())]
    fn never(message: &NoSuchType);
    #[cfg(not(any()))]
    fn always(text: &str);
    #[cfg(any())]
    fn ask_never() -> NoSuchType;
}

struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    #[cfg(any())]
    fn never(&self, message: NoSuchType) {}

    #[cfg(not(any()))]
    fn always(&self, cx: &CallerContext<Self>) {
        cx.clients().all().always("now");
    }

    // Two of one name, of which there is ever one.
    #[cfg(not(any()))]
    fn platform(&self) -> &'static str {
        "this"
    }

    #[cfg(any())]
    fn platform(&self) -> &'static str {
        "another"
    }

    #[cfg(any())]
    fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {}
}

#[cfg(any())]
#[hub]
impl NoSuchHub {
    fn never(&self) {}
}

#[test]
fn what_is_configured_out_is_not_there() {
    assert_eq!(crate::names::<Chat>(), ["Always", "Platform"]);
    assert_eq!(Hub::new(Chat).build().definition().platform(), "this");
}
