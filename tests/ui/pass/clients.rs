//! Every shape of a client's methods.

use std::borrow::Cow;
use std::collections::HashMap;

use hubwire::prelude::*;
use hubwire::{Many, One};

#[derive(serde::Deserialize, serde::Serialize)]
struct Message {
    user: String,
}

/// What the page offers.
#[hub_client(rename_all = "camelCase")]
trait ChatClient {
    fn nothing();
    /// Shows a message.
    fn receive_message(&self, message: &Message);
    fn owned(message: Message, mut count: u32);
    fn borrowed(
        text: &str,
        texts: &[&str],
        mapped: &HashMap<String, Vec<u8>>,
        maybe: Option<&Message>,
    );
    #[hub(rename = "Unit")]
    fn unit() -> ();
    #[must_use]
    fn confirm(question: &str) -> bool;
    #[hub(rename = "clone")]
    fn copy(text: Cow<'_, str>) -> Option<Message>;
    fn r#type(r#struct: u8) -> HashMap<String, Message>;
}

#[hub_client]
trait Empty {}

/// Has a `disconnect` of its own.
#[hub_client]
trait Modem {
    fn disconnect(line: u8);
}

/// Sends alone, so that `One` is not mentioned.
#[hub_client]
trait Sends {
    fn tick(number: u64);
}

struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    async fn everything(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        let everyone: ChatClient<Many> = cx.clients().all();
        everyone.nothing();
        everyone.clone().receive_message(&Message { user: "ada".to_owned() });
        everyone.owned(Message { user: "ada".to_owned() }, 1).await?;
        everyone.borrowed("a", &["b"], &HashMap::new(), None);
        everyone.unit();
        let caller: ChatClient<One> = cx.clients().caller();
        caller.nothing();
        let sure: bool = caller.confirm("?").await?;
        let copied: Option<Message> = caller.copy("a".into()).await?;
        let types = caller.r#type(1).await?;
        if sure && copied.is_some_and(|message| types.contains_key(&message.user)) {
            cx.abort();
        }
        Ok(())
    }
}

struct Clock;

#[hub(client = self::Sends)]
impl Clock {}

struct Dialup;

#[hub(client = Modem)]
impl Dialup {}

struct Silent;

#[hub(client = crate::clients::Empty)]
impl Silent {}

#[test]
fn sends_reach_nobody_when_nobody_is_there() {
    let (chat, clock) = (Hub::new(Chat).build(), Hub::new(Clock).build());
    assert_eq!(chat.clients().all().nothing().receivers(), 0);
    assert_eq!(clock.clients().group("lobby").tick(1).receivers(), 0);
    let lines = Hub::new(Dialup).build().clients().all();
    assert_eq!(lines.disconnect(1).receivers(), 0);
    assert_eq!(Disconnect::disconnect(&lines), 0);
    assert_eq!(Hub::new(Silent).build().connection_count(), 0);
    assert!(format!("{:?}", chat.clients().all()).starts_with("ChatClient(Many"));
}
