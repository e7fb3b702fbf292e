//! Streams both ways, their cancellation and their limits.

use std::time::Duration;

use futures_util::stream;
use hubwire::prelude::*;
use serde_json::Value;

use crate::kit::{Gates, Link, Log, failure, invoke, result};

struct Streaming {
    gates: Gates,
    log: Log,
    steps: Vec<u32>,
}

/// Says when it is dropped.
struct Witness(Log, &'static str);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("of the server")]
struct Secret;

#[hub]
impl Streaming {
    fn count(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(0..to)
    }

    fn borrowed(&self) -> impl Stream<Item = &u32> {
        stream::iter(&self.steps)
    }

    async fn late(&self, open: bool) -> HubResult<impl Stream<Item = u32>> {
        self.gates.pass("late").await;
        if !open {
            return Err(HubError::new("closed"));
        }
        Ok(stream::iter([1]))
    }

    fn breaks(&self, public: bool) -> impl Stream<Item = HubResult<u32>> {
        let error = if public { HubError::new("broke") } else { Secret.into() };
        stream::iter([Ok(1), Err(error), Ok(2)])
    }

    fn endless(&self) -> impl Stream<Item = ()> {
        let witness = Witness(self.log.clone(), "dropped");
        stream::pending().inspect(move |()| {
            let _ = &witness;
        })
    }

    fn flood(&self) -> impl Stream<Item = String> {
        stream::repeat_with(|| "x".repeat(1000)).inspect(|_| self.log.add("made"))
    }

    async fn sum(&self, mut numbers: ClientStream<i64>) -> HubResult<i64> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn two(
        &self,
        numbers: ClientStream<i64>,
        between: String,
        texts: ClientStream<String>,
    ) -> String {
        let numbers: Vec<_> = numbers.map(|number| number.map_err(|_| ())).collect().await;
        let texts: Vec<_> = texts.filter_map(|text| async { text.ok() }).collect().await;
        format!("{numbers:?} {between} {texts:?}")
    }

    fn doubled(&self, numbers: ClientStream<i64>) -> impl Stream<Item = HubResult<i64>> {
        numbers.map(|number| Ok(number? * 2))
    }

    async fn ignore(&self, _numbers: ClientStream<Value>) {
        self.gates.pass("ignore").await;
    }

    async fn later(&self, numbers: ClientStream<Value>) -> usize {
        self.gates.pass("later").await;
        numbers.filter(|number| std::future::ready(number.is_ok())).count().await
    }

    async fn wait(&self, cx: &CallerContext<Self>) -> &'static str {
        cx.cancelled().await;
        self.log.add(if cx.is_aborted() { "gone" } else { "cancelled" });
        "told"
    }

    async fn hold(&self) {
        self.gates.pass("hold").await;
    }

    fn echo(&self, value: Value) -> Value {
        value
    }
}

struct Play {
    link: Link,
    gates: Gates,
    log: Log,
}

fn play_with(options: HubOptions) -> Play {
    let (gates, log) = (Gates::default(), Log::default());
    let streaming = Streaming { gates: gates.clone(), log: log.clone(), steps: vec![7, 8] };
    let hub = Hub::new(streaming).options(options).build();
    Play { link: Link::connect(&hub), gates, log }
}

fn play() -> Play {
    play_with(HubOptions::default())
}

fn open(id: &str, target: &str, arguments: &str) -> String {
    format!(r#"{{"type":4,"invocationId":"{id}","target":"{target}","arguments":{arguments}}}"#)
}

fn upload(id: &str, target: &str, arguments: &str, streams: &str) -> String {
    format!(
        r#"{{"type":1,"invocationId":"{id}","target":"{target}","arguments":{arguments},"streamIds":{streams}}}"#
    )
}

fn item(id: &str, value: &str) -> String {
    format!(r#"{{"type":2,"invocationId":"{id}","item":{value}}}"#)
}

fn end(id: &str) -> String {
    format!(r#"{{"type":3,"invocationId":"{id}"}}"#)
}

fn cancel(id: &str) -> String {
    format!(r#"{{"type":5,"invocationId":"{id}"}}"#)
}

fn failed(method: &str, detail: &str) -> String {
    format!("An unexpected error occurred invoking '{method}' on the server.{detail}")
}

#[test]
fn items_come_in_order_and_then_the_end() {
    let Play { mut link, .. } = play();
    link.say(open("1", "Count", "[3]"));
    assert_eq!(link.heard(), [item("1", "0"), item("1", "1"), item("1", "2"), end("1")]);
    link.say(open("2", "Borrowed", "[]"));
    assert_eq!(link.heard(), [item("2", "7"), item("2", "8"), end("2")]);
    link.say(open("3", "Count", "[0]"));
    assert_eq!(link.heard(), [end("3")]);
}

#[test]
fn a_method_may_refuse_before_the_first_item() {
    let Play { mut link, gates, .. } = play();
    link.say_all(&[open("1", "Late", "[false]"), open("2", "Late", "[true]")]);
    assert!(link.heard().is_empty());
    gates.open("late");
    gates.open("late");
    let refusal = failure("1", &failed("Late", " HubException: closed"));
    assert_eq!(link.heard(), [refusal, item("2", "1"), end("2")]);
}

#[test]
fn an_item_that_is_an_error_is_the_last() {
    let text = "An error occurred on the server while streaming results.";
    let Play { mut link, .. } = play();
    link.say(open("1", "Breaks", "[true]"));
    let public = format!("{text} HubException: broke");
    assert_eq!(link.heard(), [item("1", "1"), failure("1", &public)]);
    link.say(open("2", "Breaks", "[false]"));
    assert_eq!(link.heard(), [item("2", "1"), failure("2", text)]);
}

#[test]
fn a_cancelled_stream_is_dropped_and_completed() {
    let Play { mut link, log, .. } = play();
    link.say(open("1", "Endless", "[]"));
    assert!(link.heard().is_empty() && log.take().is_empty());
    link.say(cancel("1"));
    assert_eq!(link.heard(), [end("1")]);
    assert_eq!(log.take(), ["dropped"]);
    link.say_all(&[cancel("1"), cancel("nothing"), invoke("2", "Echo", "[1]")]);
    assert_eq!(link.heard(), [result("2", 1)]);
}

#[test]
fn a_stream_ends_with_its_connection() {
    let Play { mut link, log, .. } = play();
    link.say(open("1", "Endless", "[]"));
    link.hang_up();
    assert!(link.is_over());
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn a_stream_waits_for_a_client_that_does_not_take() {
    let Play { mut link, log, .. } = play();
    link.say(open("1", "Flood", "[]"));
    let made = log.take().len();
    assert!((50..100).contains(&made), "{made} items of 1 kB for a buffer of 64 KiB");
    link.tick(5);
    assert_eq!(log.take().len(), 0);
    link.say(cancel("1"));
    let heard = link.heard();
    assert_eq!(heard.last(), Some(&end("1")));
    assert_eq!(link.reason(), None);
}

#[test]
fn streams_keep_no_call_from_its_turn() {
    let Play { mut link, gates, .. } = play();
    link.say_all(&[open("1", "Endless", "[]"), upload("2", "Sum", "[]", r#"["3"]"#)]);
    link.say(invoke("4", "Echo", "[4]"));
    assert_eq!(link.heard(), [result("4", 4)]);
    // A stream has to wait for its turn like any call, and what is sent behind it waits with it.
    link.say_all(&[invoke("5", "Hold", "[]"), upload("6", "Sum", "[]", r#"["7"]"#)]);
    link.say_all(&[item("7", "1"), item("7", "2"), end("7"), invoke("8", "Echo", "[8]")]);
    assert!(link.heard().is_empty());
    gates.open("hold");
    let mut heard = link.heard();
    heard.sort();
    assert_eq!(heard, [result("5", "null"), result("6", 3), result("8", 8)]);
}

#[test]
fn a_client_sends_streams_between_arguments() {
    let Play { mut link, .. } = play();
    link.say(upload("1", "Two", r#"["and"]"#, r#"["a","b"]"#));
    link.say_all(&[item("b", r#""x""#), item("a", "1"), item("b", r#""y""#), end("b")]);
    link.say_all(&[item("a", "2"), end("a")]);
    let text = r#""[Ok(1), Ok(2)] and [\"x\", \"y\"]""#;
    assert_eq!(link.heard(), [result("1", text)]);
}

#[test]
fn a_stream_goes_both_ways() {
    let Play { mut link, .. } = play();
    link.say(
        r#"{"type":4,"invocationId":"1","target":"Doubled","arguments":[],"streamIds":["a"]}"#,
    );
    link.say(item("a", "1"));
    assert_eq!(link.heard(), [item("1", "2")]);
    link.say_all(&[item("a", "21"), end("a")]);
    assert_eq!(link.heard(), [item("1", "42"), end("1")]);
}

#[test]
fn the_error_of_a_clients_stream_goes_back_to_it() {
    let Play { mut link, .. } = play();
    link.say(upload("1", "Sum", "[]", r#"["a"]"#));
    link.say_all(&[item("a", "1"), failure("a", "enough")]);
    let text = failed("Sum", " HubException: enough");
    assert_eq!(link.heard(), [failure("1", &text)]);
}

#[test]
fn a_wrong_item_is_an_error_of_its_stream_alone() {
    let Play { mut link, .. } = play();
    link.say(upload("1", "Sum", "[]", r#"["a"]"#));
    link.say_all(&[item("a", r#""one""#), item("a", "1"), end("a"), invoke("2", "Echo", "[2]")]);
    let mut heard = link.heard();
    heard.sort();
    assert_eq!(heard, [failure("1", &failed("Sum", "")), result("2", 2)]);
}

#[test]
fn what_comes_for_no_stream_is_dropped() {
    let Play { mut link, gates, .. } = play();
    link.say_all(&[item("nothing", "1"), end("nothing")]);
    link.say(upload("1", "Ignore", "[]", r#"["a"]"#));
    gates.open("ignore");
    assert_eq!(link.heard(), [result("1", "null")]);
    let late: Vec<_> = (0..100).map(|_| item("a", &format!("{:?}", "x".repeat(1000)))).collect();
    for late in &late {
        link.say(late);
    }
    link.say(invoke("2", "Echo", "[2]"));
    assert_eq!(link.heard(), [result("2", 2)]);
    assert!(!link.connection.is_unread());
}

#[test]
fn an_unread_stream_holds_up_its_connection_and_fails_in_the_end() {
    let options = HubOptions::default().upload_stall_timeout(Duration::from_secs(3));
    let Play { mut link, gates, .. } = play_with(options);
    link.say(upload("1", "Ignore", "[]", r#"["a"]"#));
    let large = item("a", &format!("{:?}", "x".repeat(20_000)));
    for _ in 0..4 {
        link.say(&large);
    }
    assert!(link.connection.is_unread());
    link.tick(3);
    assert!(link.connection.is_unread());
    link.tick(2);
    assert!(!link.connection.is_unread());
    gates.open("ignore");
    assert!(link.heard().contains(&result("1", "null")));
}

#[test]
fn a_stream_is_forgiven_what_it_held_up_before() {
    let options = HubOptions::default()
        .keep_alive_interval(Duration::from_secs(60))
        .upload_stall_timeout(Duration::from_secs(3));
    let Play { mut link, gates, .. } = play_with(options);
    link.say(upload("1", "Ignore", "[]", r#"["a"]"#));
    link.say(upload("2", "Later", "[]", r#"["b"]"#));
    let large = format!("{:?}", "x".repeat(20_000));
    link.say(item("b", "1"));
    for _ in 0..3 {
        for _ in 0..4 {
            link.say(item("a", &large));
        }
        link.tick(3);
        assert!(link.connection.is_unread());
        // The other stream is not read either, and this one makes way.
        gates.open("ignore");
        assert_eq!(link.heard(), [result("1", "null")]);
        link.tick(2);
        link.say(upload("1", "Ignore", "[]", r#"["a"]"#));
    }
    link.say(end("b"));
    gates.open("later");
    assert_eq!(link.heard(), [result("2", 1)]);
}

#[test]
fn a_method_is_told_that_its_client_wants_no_answer() {
    let Play { mut link, log, .. } = play();
    link.say(invoke("1", "Wait", "[]"));
    assert!(link.heard().is_empty());
    link.say(cancel("1"));
    assert_eq!(link.heard(), [result("1", r#""told""#)]);
    assert_eq!(log.take(), ["cancelled"]);
    // Also one that has not started yet.
    link.say_all(&[invoke("2", "Wait", "[]"), invoke("3", "Wait", "[]"), cancel("3"), cancel("2")]);
    assert_eq!(link.heard(), [result("2", r#""told""#), result("3", r#""told""#)]);
    log.take();
    link.say(invoke("4", "Wait", "[]"));
    link.hang_up();
    assert_eq!(log.take(), ["gone"]);
}

#[track_caller]
fn refused(message: &str, text: &str) {
    let Play { mut link, .. } = play_with(HubOptions::default().maximum_open_streams_per_client(2));
    link.say_all(&[&open("1", "Endless", "[]"), message, &invoke("next", "Echo", "[0]")]);
    assert_eq!(link.heard(), [failure("2", text), result("next", 0)], "answers {message}");
}

#[test]
fn streams_that_do_not_fit_are_refused() {
    let sum = |detail: &str| failed("Sum", &format!(" HubException: {detail}"));
    let count = |sent| sum(&format!("Client sent {sent} stream(s), Hub method expects 1."));
    refused(&invoke("2", "Sum", "[]"), &count(0));
    let limit = "The limit of 2 open stream(s) was reached.";
    refused(&upload("2", "Sum", "[]", r#"["a","b"]"#), &sum(limit));
    refused(
        &upload("2", "Echo", "[1]", r#"["a"]"#),
        &failed("Echo", " HubException: Client sent 1 stream(s), Hub method expects 0."),
    );
    refused(
        &invoke("2", "Count", "[1]"),
        "The client attempted to invoke the streaming 'Count' method with a non-streaming invocation.",
    );
    refused(
        &open("2", "Echo", "[1]"),
        "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.",
    );
    let Play { mut link, .. } = play();
    link.say_all(&[open("1", "Endless", "[]"), open("1", "Count", "[1]")]);
    assert_eq!(link.heard(), [failure("1", "Invocation ID '1' is already in use.")]);
    link.say_all(&[
        upload("2", "Sum", "[]", r#"["a"]"#),
        upload("3", "Sum", "[]", r#"["a"]"#),
        upload("4", "Two", r#"[""]"#, r#"["b","b"]"#),
    ]);
    let in_use =
        |method, id| failed(method, &format!(" HubException: Stream ID '{id}' is already in use."));
    assert_eq!(
        link.heard(),
        [failure("3", &in_use("Sum", "a")), failure("4", &in_use("Two", "b"))]
    );
}
