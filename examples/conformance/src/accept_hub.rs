//! The hub that offers something of everything. It runs several times, with other options each time.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use actix_web::rt::time::sleep;
use futures_util::stream;
use hubwire::Close;
use hubwire::prelude::*;

use crate::failure::InvalidOperationException;
use crate::journal::Entry;
use crate::memory::Memory;
use crate::values::{Any, Binary};

/// The longest text that a client can ask for.
const BIG_TEXT_MAX: usize = 16 << 20;

#[hub_client]
pub trait AcceptClient {
    fn notify(text: &str);
    fn number(number: u32);
    fn sum(total: i64);
    fn many(a: &Any, b: &Any, c: &Any, d: &Any, e: &Any);
    fn empty();
    fn ticks_stopped(made: u32);
}

pub struct AcceptHub {
    memory: Arc<Memory>,
}

impl AcceptHub {
    pub fn new(memory: Arc<Memory>) -> Self {
        Self { memory }
    }
}

fn ids(ids: Vec<String>) -> Vec<ConnectionId> {
    ids.into_iter().map(ConnectionId::from).collect()
}

async fn total(mut numbers: ClientStream<i32>) -> HubResult<i64> {
    let mut total = 0;
    while let Some(number) = numbers.next().await {
        total += i64::from(number?);
    }
    Ok(total)
}

async fn joined(mut text: String, mut texts: ClientStream<String>) -> HubResult<String> {
    while let Some(more) = texts.next().await {
        text += &more?;
    }
    Ok(text)
}

fn counter(count: u32, delay_ms: u64) -> impl Stream<Item = u32> {
    stream::iter(0..count).then(move |number| async move {
        if delay_ms > 0 {
            sleep(Duration::from_millis(delay_ms)).await;
        }
        number
    })
}

#[hub(client = AcceptClient)]
impl AcceptHub {
    fn on_connected(&self, cx: &CallerContext<Self>) {
        self.memory.log(cx.connection_id(), Entry::Connected);
    }

    async fn on_disconnected(&self, cx: &CallerContext<Self>, reason: &DisconnectReason) {
        self.memory.log(cx.connection_id(), Entry::end(reason));
        if let Err(error) = self.memory.forget(cx.connection_id()).await {
            tracing::warn!(%error, "a list stays until its time is over");
        }
    }

    // Calls.

    fn echo(&self, text: Option<String>) -> Option<String> {
        text
    }

    fn echo_any(&self, value: Any) -> Any {
        value
    }

    fn echo_bytes(&self, bytes: Binary) -> Binary {
        bytes
    }

    /// The length of some bytes, and a number that another order or another byte would change.
    fn digest(&self, bytes: Binary) -> (usize, u32) {
        let hash = bytes.iter().fold(0, |hash, byte| (hash * 31 + u32::from(*byte)) % 65_536);
        (bytes.len(), hash)
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn nothing(&self) {}

    fn big_text(&self, length: usize) -> HubResult<String> {
        if length > BIG_TEXT_MAX {
            return Err(HubError::new(format!("at most {BIG_TEXT_MAX} letters")));
        }
        Ok(('a'..='z').cycle().take(length).collect())
    }

    async fn slow(&self, ms: u64, value: Any) -> Any {
        sleep(Duration::from_millis(ms)).await;
        value
    }

    fn fail(&self, text: String) -> HubResult<()> {
        Err(HubError::new(text))
    }

    fn fail_plain(&self, text: String) -> HubResult<()> {
        Err(InvalidOperationException(text).into())
    }

    fn get_connection_id(&self, cx: &CallerContext<Self>) -> String {
        cx.connection_id().to_string()
    }

    fn get_transport(&self, cx: &CallerContext<Self>) -> &'static str {
        cx.request().transport.as_str()
    }

    fn get_header(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().header(&name).map(ToOwned::to_owned)
    }

    fn get_query(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().query(&name).map(Into::into)
    }

    fn who_am_i(&self, cx: &CallerContext<Self>) -> Option<String> {
        cx.user_id().map(ToString::to_string)
    }

    async fn append(&self, cx: &CallerContext<Self>, number: i32) -> HubResult<()> {
        Ok(self.memory.append(cx.connection_id(), number).await?)
    }

    async fn appended(&self, cx: &CallerContext<Self>) -> HubResult<Vec<i32>> {
        Ok(self.memory.appended(cx.connection_id()).await?)
    }

    // Streams to the client.

    fn counter(&self, count: u32, delay_ms: u64) -> impl Stream<Item = u32> {
        counter(count, delay_ms)
    }

    fn counter_then_fail(&self, count: u32) -> impl Stream<Item = HubResult<u32>> {
        let failure = stream::iter([Err(HubError::new("stream broke"))]);
        counter(count, 0).map(Ok).chain(failure)
    }

    /// Counts for as long as somebody listens.
    fn ticks(&self, cx: &CallerContext<Self>, delay_ms: u64) -> impl Stream<Item = u32> {
        let ticks = Ticks { made: 0, memory: self.memory.clone(), cx: cx.clone() };
        stream::unfold(ticks, move |mut ticks| async move {
            sleep(Duration::from_millis(delay_ms)).await;
            ticks.made += 1;
            Some((ticks.made - 1, ticks))
        })
    }

    // Streams from the client.

    async fn sum(&self, numbers: ClientStream<i32>) -> HubResult<i64> {
        total(numbers).await
    }

    async fn concat(&self, prefix: String, texts: ClientStream<String>) -> HubResult<String> {
        joined(prefix, texts).await
    }

    async fn two_streams(
        &self,
        numbers: ClientStream<i32>,
        text: String,
        texts: ClientStream<String>,
    ) -> HubResult<String> {
        let total = total(numbers).await?;
        joined(format!("{total}{text}"), texts).await
    }

    async fn count_bytes(&self, mut pieces: ClientStream<Binary>) -> HubResult<usize> {
        let mut count = 0;
        while let Some(piece) = pieces.next().await {
            count += piece?.len();
        }
        Ok(count)
    }

    async fn sum_later(
        &self,
        cx: &CallerContext<Self>,
        numbers: ClientStream<i32>,
    ) -> HubResult<()> {
        let total = total(numbers).await?;
        cx.clients().caller().sum(total);
        Ok(())
    }

    fn doubled(&self, numbers: ClientStream<i32>) -> impl Stream<Item = HubResult<i64>> {
        numbers.map(|number| Ok(i64::from(number?) * 2))
    }

    // To clients.

    fn send_caller(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().caller().notify(&text);
    }

    fn send_all(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().all().notify(&text);
    }

    fn send_others(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().others().notify(&text);
    }

    fn send_all_except(&self, cx: &CallerContext<Self>, except: Vec<String>, text: String) {
        cx.clients().all_except(ids(except)).notify(&text);
    }

    fn send_client(&self, cx: &CallerContext<Self>, id: String, text: String) {
        cx.clients().client(&ConnectionId::from(id)).notify(&text);
    }

    fn send_clients(&self, cx: &CallerContext<Self>, to: Vec<String>, text: String) {
        cx.clients().clients(ids(to)).notify(&text);
    }

    fn send_user(&self, cx: &CallerContext<Self>, user: String, text: String) {
        cx.clients().user(user).notify(&text);
    }

    fn send_users(&self, cx: &CallerContext<Self>, users: Vec<String>, text: String) {
        cx.clients().users(users).notify(&text);
    }

    async fn join_group(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    async fn leave_group(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.leave_group(&group).await?)
    }

    fn send_group(&self, cx: &CallerContext<Self>, group: String, text: String) {
        cx.clients().group(group).notify(&text);
    }

    fn send_groups(&self, cx: &CallerContext<Self>, groups: Vec<String>, text: String) {
        cx.clients().groups(groups).notify(&text);
    }

    fn send_group_except(
        &self,
        cx: &CallerContext<Self>,
        group: String,
        except: Vec<String>,
        text: String,
    ) {
        cx.clients().group_except(group, ids(except)).notify(&text);
    }

    fn send_others_in_group(&self, cx: &CallerContext<Self>, group: String, text: String) {
        cx.clients().others_in_group(group).notify(&text);
    }

    /// As fast as the caller takes them.
    async fn burst(&self, cx: &CallerContext<Self>, count: u32) -> HubResult<()> {
        for number in 0..count {
            cx.clients().caller().number(number).await?;
        }
        Ok(())
    }

    /// Goes on behind the call, until nobody is there any more.
    fn drip(&self, cx: &CallerContext<Self>, count: u32, delay_ms: u64) {
        let client = cx.hub().clients().client(cx.connection_id());
        rt::spawn(async move {
            for number in 0..count {
                sleep(Duration::from_millis(delay_ms)).await;
                if client.number(number).receivers() == 0 {
                    break;
                }
            }
        });
    }

    #[expect(clippy::too_many_arguments, reason = "many arguments are what it is about")]
    fn send_many(&self, cx: &CallerContext<Self>, a: Any, b: Any, c: Any, d: Any, e: Any) {
        cx.clients().caller().many(&a, &b, &c, &d, &e);
    }

    fn send_no_args(&self, cx: &CallerContext<Self>) {
        cx.clients().caller().empty();
    }

    // Endings.

    fn abort_me(&self, cx: &CallerContext<Self>) {
        cx.abort();
    }

    fn close_me(&self, cx: &CallerContext<Self>, allow_reconnect: bool, error: Option<String>) {
        cx.clients().caller().disconnect_with(Close { error, allow_reconnect });
    }
}

/// Goes with a stream of ticks, and says that it did.
struct Ticks {
    made: u32,
    memory: Arc<Memory>,
    cx: CallerContext<AcceptHub>,
}

impl Drop for Ticks {
    fn drop(&mut self) {
        self.memory.log(self.cx.connection_id(), Entry::TicksCancelled);
        self.cx.clients().caller().ticks_stopped(self.made);
    }
}
