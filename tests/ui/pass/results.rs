//! Everything that a method may return.

use std::collections::BTreeMap;
use std::io;

use hubwire::prelude::*;

type ChatResult<T = ()> = Result<T, ChatError>;

/// A `Result` whose name does not say so.
type Answer = HubResult<u32>;

#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct ChatError;

/// A value whose name says that it is a `Result`.
#[derive(serde::Deserialize, serde::Serialize)]
struct SearchResult {
    hits: Vec<String>,
}

/// An error that serializes, so that its `Result` does too.
#[derive(Debug, serde::Serialize, thiserror::Error)]
#[error("told")]
struct Told;

#[hub_client]
trait Page {
    fn show(found: SearchResult);
    fn search(text: &str) -> SearchResult;
}

#[derive(serde::Serialize)]
struct Borrowing<'a> {
    text: &'a str,
}

struct Chat {
    topic: String,
}

#[hub(client = Page)]
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
    fn alias(&self) -> Answer {
        Ok(42)
    }
    fn serializable_error(&self) -> Result<u32, Told> {
        Err(Told)
    }
    fn search(&self) -> SearchResult {
        SearchResult { hits: Vec::new() }
    }
    async fn search_there(&self, cx: &CallerContext<Self>) -> HubResult<SearchResult> {
        let found = cx.clients().caller().search("rain").await?;
        cx.clients().others().show(SearchResult { hits: found.hits.clone() });
        Ok(found)
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
    assert_eq!(crate::names::<Chat>().len(), 17);
}
