//! The hub that the browser tests of ASP.NET Core's JavaScript client call.

use std::future;

use futures_util::stream;
use hubwire::prelude::*;
use serde::{Deserialize, Serialize};

use crate::failure::InvalidOperationException;
use crate::values::{Binary, DateTime};

#[hub_client]
pub trait TestClient {
    fn message(text: &str);
    fn custom_object(object: &CustomObject);
    fn stream_canceled();
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomObject {
    name: String,
    value: i32,
}

/// One of each type that the protocols write in ways of their own.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ComplexObject {
    string: String,
    int_array: Vec<i32>,
    byte_array: Binary,
    guid: String,
    date_time: DateTime,
}

const MILLENNIUM: &str = "2000-01-01T00:00:00Z";

pub struct TestHub;

#[hub(client = TestClient)]
impl TestHub {
    fn echo(&self, text: String) -> String {
        text
    }

    fn get_caller_connection_id(&self, cx: &CallerContext<Self>) -> String {
        cx.connection_id().to_string()
    }

    fn get_num_redirects(&self, cx: &CallerContext<Self>) -> HubResult<u64> {
        Ok(cx.request().query("numRedirects").unwrap_or_default().parse()?)
    }

    fn throw_exception(&self, text: String) -> HubResult<()> {
        Err(InvalidOperationException(text).into())
    }

    fn invoke_with_string(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().caller().message(&text);
    }

    fn send_custom_object(&self, cx: &CallerContext<Self>, object: CustomObject) {
        cx.clients().caller().custom_object(&object);
    }

    fn stream(&self) -> impl Stream<Item = &'static str> {
        stream::iter(["a", "b", "c"])
    }

    fn empty_stream(&self) -> impl Stream<Item = i32> {
        stream::empty()
    }

    fn stream_throw_exception(&self, text: String) -> HubResult<impl Stream<Item = String>> {
        Err::<stream::Empty<String>, _>(InvalidOperationException(text).into())
    }

    fn infinite_stream(&self, cx: &CallerContext<Self>) -> impl Stream<Item = String> {
        let listened_to = ListenedTo(cx.clone());
        stream::once(async move {
            let _listened_to = listened_to;
            future::pending().await
        })
    }

    async fn streaming_concat(&self, mut texts: ClientStream<String>) -> HubResult<String> {
        let mut joined = String::new();
        while let Some(text) = texts.next().await {
            joined += &text?;
        }
        Ok(joined)
    }

    fn get_active_transport_name(&self, cx: &CallerContext<Self>) -> &'static str {
        cx.request().transport.as_str()
    }

    fn echo_complex_object(&self, object: ComplexObject) -> ComplexObject {
        object
    }

    fn send_complex_object(&self) -> HubResult<ComplexObject> {
        Ok(ComplexObject {
            string: "hello world".to_owned(),
            int_array: vec![1, 2, 3],
            byte_array: vec![1, 2, 3].into(),
            guid: "00010203-0405-0607-0706-050403020100".to_owned(),
            date_time: MILLENNIUM.parse()?,
        })
    }

    fn get_content_type_header(&self, cx: &CallerContext<Self>) -> Option<String> {
        cx.request().header("content-type").map(ToOwned::to_owned)
    }

    fn get_header(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().header(&name).map(ToOwned::to_owned)
    }

    fn get_cookie(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().cookie(&name).map(ToOwned::to_owned)
    }
}

/// Goes with a stream, and tells its client that it did.
struct ListenedTo(CallerContext<TestHub>);

impl Drop for ListenedTo {
    fn drop(&mut self) {
        self.0.clients().caller().stream_canceled();
    }
}
