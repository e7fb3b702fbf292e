//! Hubs and clients that are as visible as the user wants, with what clients are not to call beside them.

mod chat {
    use hubwire::prelude::*;

    /// What the page offers.
    #[hub_client]
    pub trait ChatClient {
        fn receive_message(text: &str);
    }

    /// A hub for the rest of the crate.
    #[derive(Debug, Default)]
    pub struct Chat {
        limit: usize,
    }

    #[hub(client = ChatClient)]
    impl Chat {
        /// Callable although private to this module: clients are not Rust.
        fn send_message(&self, cx: &CallerContext<Self>, text: String) {
            cx.clients().all().receive_message(self.shortened(&text));
        }

        pub fn public(&self) {}
    }

    impl Chat {
        /// A chat with messages of at most `limit` bytes.
        pub fn new(limit: usize) -> Self {
            Self { limit }
        }

        fn shortened<'a>(&self, text: &'a str) -> &'a str {
            text.get(..self.limit).unwrap_or(text)
        }
    }
}

mod inner {
    use hubwire::prelude::*;

    #[hub_client]
    pub(super) trait InnerClient {
        fn tick();
    }

    pub(super) struct Inner;

    #[hub(client = InnerClient)]
    impl Inner {}
}

use hubwire::prelude::*;

pub(crate) enum Elsewhere {
    Here,
}

mod elsewhere {
    use hubwire::prelude::*;

    #[hub]
    impl super::Elsewhere {
        fn here(&self) {}
    }
}

#[test]
fn only_what_is_in_the_block_is_callable() {
    assert_eq!(crate::names::<chat::Chat>(), ["SendMessage", "Public"]);
    assert_eq!(crate::names::<Elsewhere>(), ["Here"]);
    Hub::new(chat::Chat::new(10)).build().clients().all().receive_message("hello");
    Hub::new(inner::Inner).build().clients().all().tick();
    Hub::new(Elsewhere::Here).build();
}
