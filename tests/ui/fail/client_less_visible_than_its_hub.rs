mod chat {
    use hubwire::prelude::*;

    #[hub_client]
    trait ChatClient {
        fn receive_message(text: &str);
    }

    pub struct Chat;

    #[hub(client = ChatClient)]
    impl Chat {}
}

fn main() {
    hubwire::Hub::new(chat::Chat).build();
}
