//! The hub of the scenarios.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream;
use hubwire::prelude::*;
use hubwire::{Binary, ClientProxy, Raw, Timestamp};
use serde::Deserialize;
use serde_json::Value;

#[hub_client]
pub trait Client {
    fn notify(text: &str);
    fn number(number: u32);
    fn tally(name: &str, number: u32);
    fn big(text: &str);
    #[hub(uncompressed)]
    fn secret(text: &str);
}

/// The end of a stream, which is written down.
struct Ending {
    log: Log,
    id: ConnectionId,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.log.add(&self.id, "ticks cancelled".to_owned());
    }
}

/// Forgets that JavaScript names its fields in camelCase.
#[derive(Deserialize)]
struct Person {
    first_name: String,
}

pub struct Scenario {
    log: Log,
    appended: Mutex<HashMap<ConnectionId, Vec<i32>>>,
}

/// What the callbacks saw of every connection, kept after its end.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<HashMap<ConnectionId, Vec<String>>>>);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct InvalidOperationException(String);

impl Log {
    fn add(&self, id: &ConnectionId, entry: String) {
        lock(&self.0).entry(id.clone()).or_default().push(entry);
    }

    pub fn of(&self, id: &ConnectionId) -> Vec<String> {
        lock(&self.0).get(id).cloned().unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scenario {
    pub fn new(log: Log) -> Self {
        Self { log, appended: Mutex::default() }
    }

    /// The numbers that a client has had appended.
    pub fn appended_by(&self, id: &ConnectionId) -> Vec<i32> {
        lock(&self.appended).get(id).cloned().unwrap_or_default()
    }
}

fn ids(ids: Vec<String>) -> Vec<ConnectionId> {
    ids.into_iter().map(ConnectionId::from).collect()
}

#[hub(client = Client)]
impl Scenario {
    fn on_connected(&self, cx: &CallerContext<Self>) {
        self.log.add(cx.connection_id(), "connected".to_owned());
    }

    fn on_disconnected(&self, cx: &CallerContext<Self>, reason: &DisconnectReason) {
        lock(&self.appended).remove(cx.connection_id());
        self.log.add(cx.connection_id(), format!("disconnected: {reason}"));
    }

    fn echo(&self, value: Value) -> Value {
        value
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn nothing(&self) {}

    fn reversed(&self, bytes: Binary) -> Binary {
        bytes.iter().rev().copied().collect::<Vec<_>>().into()
    }

    fn same_time(&self, when: Timestamp) -> Timestamp {
        when
    }

    fn pass(&self, anything: Raw) -> Raw {
        anything
    }

    fn fail(&self, text: String) -> HubResult<()> {
        Err(HubError::new(text))
    }

    fn fail_plain(&self, text: String) -> HubResult<()> {
        Err(InvalidOperationException(text).into())
    }

    fn greet(&self, person: Person) -> String {
        format!("hello {}", person.first_name)
    }

    async fn panic(&self) {
        tokio::task::yield_now().await;
        panic!("as the client wished");
    }

    async fn slow(&self, ms: u64, value: Value) -> Value {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        value
    }

    fn counter(&self, count: u32) -> impl Stream<Item = u32> {
        stream::iter(0..count)
    }

    fn counter_then_fail(&self, count: u32) -> impl Stream<Item = HubResult<u32>> {
        let failure = stream::iter([Err(HubError::new("stream broke"))]);
        stream::iter((0..count).map(Ok)).chain(failure)
    }

    async fn counter_if(&self, open: bool) -> HubResult<impl Stream<Item = u32>> {
        if !open {
            return Err(HubError::new("not now"));
        }
        tokio::task::yield_now().await;
        Ok(stream::iter(0..3))
    }

    /// Counts until nobody listens any more, and then writes that down.
    fn ticks(&self, cx: &CallerContext<Self>, ms: u64) -> impl Stream<Item = u32> {
        let end = Ending { log: self.log.clone(), id: cx.connection_id().clone() };
        stream::unfold((0, end), move |(count, end)| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Some((count, (count + 1, end)))
        })
    }

    /// `count` texts of 1,000 letters.
    fn flood(&self, count: u32) -> impl Stream<Item = String> {
        stream::iter(0..count).map(|number| format!("{number:a<1000}"))
    }

    async fn sum(&self, mut numbers: ClientStream<i64>) -> HubResult<i64> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn two_streams(
        &self,
        mut numbers: ClientStream<i64>,
        text: String,
        mut texts: ClientStream<String>,
    ) -> HubResult<String> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        let mut joined = format!("{sum}{text}");
        while let Some(text) = texts.next().await {
            joined += &text?;
        }
        Ok(joined)
    }

    fn doubled(&self, numbers: ClientStream<i64>) -> impl Stream<Item = HubResult<i64>> {
        numbers.map(|number| Ok(number? * 2))
    }

    fn connection_id(&self, cx: &CallerContext<Self>) -> String {
        cx.connection_id().to_string()
    }

    fn who_am_i(&self, cx: &CallerContext<Self>) -> Option<String> {
        cx.user_id().map(ToString::to_string)
    }

    fn get_query(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().query(&name).map(Into::into)
    }

    fn get_header(&self, cx: &CallerContext<Self>, name: String) -> Option<String> {
        cx.request().header(&name).map(ToOwned::to_owned)
    }

    fn append(&self, cx: &CallerContext<Self>, number: i32) {
        lock(&self.appended).entry(cx.connection_id().clone()).or_default().push(number);
    }

    fn appended(&self, cx: &CallerContext<Self>) -> Vec<i32> {
        lock(&self.appended).get(cx.connection_id()).cloned().unwrap_or_default()
    }

    fn abort_me(&self, cx: &CallerContext<Self>) {
        cx.abort();
    }

    fn disconnect_user(&self, cx: &CallerContext<Self>, user: String) -> usize {
        cx.clients().user(user).disconnect()
    }

    async fn join_group(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    async fn leave_group(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.leave_group(&group).await?)
    }

    /// Asks a connection for a client result; whatever goes wrong is meant for the caller here.
    async fn ask(
        &self,
        cx: &CallerContext<Self>,
        connection_id: String,
        method: String,
        argument: Option<String>,
    ) -> HubResult<String> {
        let client = ClientProxy::from(cx.clients().client(&ConnectionId::from(connection_id)));
        let answer = match argument {
            Some(argument) => client.invoke::<String, _>(&method, &(argument,)).await,
            None => client.invoke::<String, _>(&method, &()).await,
        };
        answer.map_err(|error| HubError::new(error.to_string()))
    }

    fn send_caller(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().caller().notify(&text);
    }

    fn send_secret(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().caller().secret(&text);
    }

    #[hub(uncompressed)]
    fn reveal(&self, text: String) -> String {
        text
    }

    fn send_all(&self, cx: &CallerContext<Self>, text: String) {
        cx.clients().all().notify(&text);
    }

    /// A small call with a large effect.
    fn shout(&self, cx: &CallerContext<Self>, bytes: usize) {
        cx.clients().all().big(&"!".repeat(bytes.min(1 << 20)));
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

    fn send_group(&self, cx: &CallerContext<Self>, group: String, text: String) {
        cx.clients().group(group).notify(&text);
    }

    fn send_groups(&self, cx: &CallerContext<Self>, groups: Vec<String>, text: String) {
        cx.clients().groups(groups).notify(&text);
    }

    /// Sends numbers to a group, as fast as the slowest receiver here takes.
    async fn count_to_group(
        &self,
        cx: &CallerContext<Self>,
        group: String,
        name: String,
        from: u32,
        count: u32,
    ) -> HubResult<()> {
        let members = cx.clients().group(group);
        for number in from..from.saturating_add(count) {
            members.tally(&name, number).await?;
        }
        Ok(())
    }

    async fn members(&self, cx: &CallerContext<Self>, group: String) -> HubResult<Vec<String>> {
        let members = cx.groups().members(&group).await?;
        Ok(members.iter().map(ToString::to_string).collect())
    }

    async fn is_online(&self, cx: &CallerContext<Self>, user: String) -> HubResult<bool> {
        Ok(cx.hub().users().is_online(user).await?)
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

    fn send_user(&self, cx: &CallerContext<Self>, user: String, text: String) {
        cx.clients().user(user).notify(&text);
    }

    fn send_users(&self, cx: &CallerContext<Self>, users: Vec<String>, text: String) {
        cx.clients().users(users).notify(&text);
    }

    fn burst(&self, cx: &CallerContext<Self>, count: u32) {
        for number in 0..count {
            cx.clients().caller().number(number);
        }
    }

    /// Sends as fast as the slowest receiver takes.
    async fn broadcast_big(
        &self,
        cx: &CallerContext<Self>,
        bytes: usize,
        count: usize,
    ) -> HubResult<()> {
        let text = "x".repeat(bytes.min(16 << 20));
        for _ in 0..count {
            cx.clients().all().big(&text).await?;
        }
        Ok(())
    }
}

/// A hub that lets nobody in.
pub struct Refusing;

#[hub]
impl Refusing {
    fn on_connected(&self) -> HubResult<()> {
        Err(InvalidOperationException("the hub is full".to_owned()).into())
    }
}
