//! What a block may hold, and what parameters may be.

use std::borrow::Cow;
use std::collections::HashMap;

use hubwire::prelude::*;

#[derive(serde::Deserialize, serde::Serialize)]
struct Page<T> {
    items: Vec<T>,
}

struct Store<K> {
    last: std::sync::Mutex<Option<K>>,
}

#[hub]
impl Store<u64> {
    const LIMIT: usize = 16;

    /// Documentation, and attributes of others.
    #[allow(clippy::too_many_arguments, reason = "as many as there may be")]
    #[inline]
    #[rustfmt::skip]
    fn many(
        &self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8,
        o: u8, p: u8, cx: &CallerContext<Self>,
    ) -> usize {
        cx.clients().all().send("Many", &(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p));
        Self::LIMIT
    }

    pub async fn generic(
        &self,
        page: Page<HashMap<String, (u8, [i32; 2])>>,
        mut rest: Option<Box<str>>,
    ) -> usize {
        rest.take().map_or(page.items.len(), |text| text.len())
    }

    pub(crate) fn texts(&self, text: Cow<'static, str>, json: serde_json::Value) -> String {
        format!("{text} {json}")
    }

    fn keep(
        &self,
        #[allow(unused_variables, reason = "an attribute on a parameter")] key: u64,
    ) -> Option<u64> {
        self.last.lock().ok()?.replace(key)
    }
}

#[test]
fn types_are_shown_as_they_are_written() {
    let parameters = crate::parameters::<Store<u64>>();
    assert_eq!(parameters.len(), 21);
    assert_eq!(parameters[16], "page: Page<HashMap<String, (u8, [i32; 2])>>");
    assert_eq!(parameters[18], "text: Cow<'static, str>");
}
