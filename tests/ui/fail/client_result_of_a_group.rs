use hubwire::prelude::*;

#[hub_client]
trait ChatClient {
    fn confirm(question: &str) -> bool;
}

struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    async fn ask(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().group("x").confirm("?").await?)
    }
}

fn main() {}
