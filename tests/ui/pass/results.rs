//! Everything that a method may return.

use std::collections::BTreeMap;
use std::io;

use hubwire::prelude::*;

type ChatResult<T = ()> = Result<T, ChatError>;

#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct ChatError;

#[derive(serde::Serialize)]
struct Borrowing<'a> {
    text: &'a str,
}

struct Chat {
    topic: String,
}

#[hub]
impl Chat {
    fn nothing(&self) {}
    #[expect(clippy::unused_unit, reason = "it may be written")]
    fn unit(&self) -> () {}
    async fn value(&self) -> BTreeMap<String, Option<u32>> {
        BTreeMap::new()
    }
    fn hub_result(&self) -> HubResult<u32> {
        Err(HubError::new("none"))
    }
    fn by_path(&self) -> std::result::Result<(), hubwire::HubError> {
        Ok(())
    }
    async fn own_error(&self) -> ChatResult<u32> {
        Err(ChatError)
    }
    async fn default_value(&self) -> ChatResult {
        Ok(())
    }
    fn io_result(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    fn parses(&self, number: String) -> HubResult<u32> {
        Ok(number.parse()?)
    }
    fn r#static(&self) -> &'static str {
        "text"
    }
    fn borrowed(&self) -> &str {
        &self.topic
    }
    fn borrowing(&self) -> Borrowing<'_> {
        Borrowing { text: &self.topic }
    }
    fn opaque(&self) -> impl serde::Serialize + use<> {
        1
    }
}

#[test]
fn all_of_them_are_callable() {
    assert_eq!(crate::names::<Chat>().len(), 13);
}
