//! A hub with a method for everything that the kit can see.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use hubwire::prelude::*;
use hubwire::testing::TestHub;
use tokio::sync::Notify;

#[hub_client]
pub trait Page {
    fn heard(user: &str, text: &str);
    fn joined(room: &str);
    fn pong();
    fn confirm(question: &str) -> bool;
}

#[derive(Default)]
pub struct Kitchen {
    /// What `cook` waits for.
    pub bell: Arc<Notify>,
    /// Notified when a client has left.
    pub door: Arc<Notify>,
}

#[hub(client = Page)]
impl Kitchen {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        if cx.request().header("x-banned").is_some() {
            return Err(HubError::new("you are banned"));
        }
        if let Some(millis) = cx.request().query("slow").and_then(|slow| slow.parse().ok()) {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            cx.clients().caller().joined("late");
        }
        Ok(())
    }

    async fn on_disconnected(&self, cx: &CallerContext<Self>) {
        self.door.notify_one();
        cx.clients().all().heard("door", &cx.connection_id().to_string());
    }

    async fn join(&self, cx: &CallerContext<Self>, room: String) -> HubResult<()> {
        cx.join_group(&room).await?;
        cx.clients().caller().joined(&room);
        Ok(())
    }

    fn say(&self, cx: &CallerContext<Self>, room: String, text: String) -> HubResult<usize> {
        if text.is_empty() {
            return Err(HubError::new("say something"));
        }
        let user = cx.user_id().map_or("nobody", UserId::as_str).to_owned();
        cx.clients().others_in_group(&room).heard(&user, &text);
        Ok(text.len())
    }

    fn whoami(&self, cx: &CallerContext<Self>) -> (Option<String>, Option<String>, bool) {
        let request = cx.request();
        let role = request.identity.claims().get("role").map(ToString::to_string);
        let page = request.query("page").map(|page| page.into_owned());
        (role, page, request.header("x-color") == Some("red"))
    }

    fn ping(&self, cx: &CallerContext<Self>) {
        cx.clients().caller().pong();
    }

    fn leave(&self, cx: &CallerContext<Self>) {
        cx.abort();
    }

    async fn ask(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().caller().confirm("sure?").await?)
    }

    fn count(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(0..to)
    }

    fn endless(&self) -> impl Stream<Item = u32> {
        let witness = Witness(self.door.clone());
        stream::iter([1]).chain(stream::pending()).inspect(move |_| {
            let _ = &witness;
        })
    }

    fn breaks(&self) -> impl Stream<Item = HubResult<u32>> {
        stream::iter([Ok(1), Err(HubError::new("burnt"))])
    }

    async fn sum(&self, start: i64, mut numbers: ClientStream<i64>) -> HubResult<i64> {
        let mut sum = start;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn wait(&self, cx: &CallerContext<Self>) -> bool {
        cx.cancelled().await;
        cx.is_aborted()
    }

    /// Runs for ever and waits for nothing.
    async fn spin(&self) {
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        })
        .await;
    }

    /// Waits for something outside of the hub.
    async fn cook(&self, cx: &CallerContext<Self>) {
        self.bell.notified().await;
        cx.clients().all().heard("cook", "done");
    }

    async fn nap(&self, cx: &CallerContext<Self>, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        cx.clients().all().heard("nap", "over");
    }

    /// Leaves something to a task of its own.
    fn delegate(&self, cx: &CallerContext<Self>, millis: u64) {
        let hub = cx.hub().clone();
        tokio::spawn(async move {
            if millis > 0 {
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
            hub.clients().all().heard("task", "done");
        });
    }
}

struct Witness(Arc<Notify>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

pub fn kitchen() -> TestHub<Kitchen> {
    TestHub::new(Kitchen::default())
}

/// The arguments of `heard`.
pub fn heard(user: &str, text: &str) -> (String, String) {
    (user.to_owned(), text.to_owned())
}
