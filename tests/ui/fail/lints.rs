//! What lints say concerns what the user wrote, and nothing that the macros did: here, the two items that are not used
//! or not documented.
#![deny(missing_docs, unreachable_pub, unused)]

use hubwire::prelude::*;

/// The page of the chat.
#[hub_client]
pub trait ChatClient {
    fn receive_message(message: &Message);
    fn confirm(question: &str) -> bool;
}

/// What is said.
#[derive(serde::Deserialize, serde::Serialize)]
pub struct Message {
    pub text: String,
}

/// The chat.
#[derive(Debug)]
pub struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    fn send_message(&self, cx: &CallerContext<Self>, message: Message, unused: u32) {
        cx.clients().all().receive_message(&message);
    }
}

mod private {
    use hubwire::prelude::*;

    #[hub_client]
    pub trait NewsClient {
        fn headline(text: &str);
    }

    pub(crate) struct News;

    #[hub(client = NewsClient)]
    impl News {
        fn nothing(&self) {}
    }
}

fn main() {
    Hub::new(private::News).build();
}
