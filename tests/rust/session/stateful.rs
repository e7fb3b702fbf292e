//! Connections that outlive their sockets: what is counted, acknowledged, kept, sent again and dropped.

use std::time::Duration;

use hubwire::prelude::*;
use hubwire_transport::Payload;

use crate::kit::{
    Act, HANDSHAKE, Link, Log, PING, Page, STATEFUL_HANDSHAKE, Task, invoke, notification, result,
    send,
};

#[derive(Default)]
struct Counting {
    log: Log,
}

#[hub(client = Page)]
impl Counting {
    fn write(&self, text: String) {
        self.log.add(text);
    }

    fn echo(&self, text: String) -> String {
        text
    }

    fn twice(&self) -> impl Stream<Item = u8> + use<> {
        futures_util::stream::iter([1, 2])
    }

    async fn ask(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().caller().confirm("sure?").await?)
    }

    async fn last(&self, mut items: ClientStream<u8>) -> HubResult<u8> {
        let mut last = 0;
        while let Some(item) = items.next().await {
            last = item?;
        }
        Ok(last)
    }

    async fn on_disconnected(&self, reason: &DisconnectReason) {
        self.log.add(reason);
    }
}

fn hub() -> Hub<Counting> {
    Hub::new(Counting::default()).build()
}

fn connect(hub: &Hub<Counting>) -> Link {
    Link::dial(hub).stateful().connect_with(STATEFUL_HANDSHAKE)
}

fn ack(number: u64) -> String {
    format!(r#"{{"type":8,"sequenceId":{number}}}"#)
}

fn sequence(number: u64) -> String {
    format!(r#"{{"type":9,"sequenceId":{number}}}"#)
}

fn notify(hub: &Hub<Counting>, texts: &[&str]) {
    for text in texts {
        hub.clients().all().notify(text);
    }
}

fn write(text: &str) -> String {
    send("Write", format_args!(r#"["{text}"]"#))
}

#[test]
fn what_is_not_acknowledged_is_sent_again() {
    let hub = hub();
    let mut link = connect(&hub);
    notify(&hub, &["1", "2", "3"]);
    assert_eq!(link.hear_one(), Some(notification("1")));
    assert_eq!(link.hear_one(), Some(notification("2")));
    link.say(ack(1));
    link.hang_up();
    notify(&hub, &["4"]);
    link.reconnect();
    let again: Vec<_> = ["2", "3", "4"].map(notification).into();
    assert_eq!(link.heard(), [vec![sequence(2)], again.clone()].concat());
    link.reconnect();
    assert_eq!(link.heard(), [vec![sequence(2)], again].concat());
    link.say(ack(4));
    link.reconnect();
    let again: Vec<_> = ["2", "3", "4"].map(notification).into();
    assert_eq!(link.heard(), [vec![sequence(2)], again].concat(), "it may not have counted so far");
    notify(&hub, &["5"]);
    assert_eq!(link.heard(), [notification("5")]);
    link.say(ack(5));
    link.reconnect();
    assert_eq!(link.heard(), [sequence(6)], "with nothing to send, the next number");
}

#[test]
fn whatever_counts_is_sent_again_and_nothing_else() {
    let hub = hub();
    let mut link = connect(&hub);
    link.say(PING);
    let calls = [
        invoke("1", "Echo", r#"["a"]"#),
        invoke("2", "Nothing", "[]"),
        r#"{"type":4,"invocationId":"3","target":"Twice","arguments":[]}"#.to_owned(),
        invoke("4", "Ask", "[]"),
    ];
    link.say_all(&calls);
    notify(&hub, &["b"]);
    let mut counted = link.heard();
    counted.sort();
    assert_eq!(counted.len(), 7, "{counted:?}");
    let quiet = link.listen(20);
    assert!(quiet.contains(&(1, ack(4))) && quiet.iter().any(|(_, message)| message == PING));
    link.reconnect();
    let mut again = link.heard();
    assert_eq!(again.remove(0), sequence(1));
    again.sort();
    assert_eq!(again, counted);
}

#[test]
fn a_client_is_told_what_arrived() {
    let hub = hub();
    let mut link = connect(&hub);
    link.say_all(&[write("1"), PING.to_owned(), write("2")]);
    assert_eq!(link.heard(), [] as [&str; 0]);
    assert_eq!(link.listen(3), [(1, ack(2))], "within a second, and once");
    link.say(write("3"));
    link.hang_up();
    link.tick(3);
    link.reconnect();
    assert_eq!(link.heard(), [sequence(1)]);
    assert_eq!(link.listen(3), [(7, ack(3))], "again, as the word may have been lost");
}

#[test]
fn a_client_that_sends_much_is_told_at_once() {
    let options = HubOptions::default().stateful_reconnect_buffer_size(400);
    let hub = Hub::new(Counting::default()).options(options).build();
    let mut link = connect(&hub);
    link.say(write(&"x".repeat(40)));
    assert_eq!(link.heard(), [] as [&str; 0]);
    link.say(write(&"x".repeat(40)));
    assert_eq!(link.heard(), [ack(2)], "a quarter of what it keeps");
}

#[test]
fn what_comes_again_is_dropped() {
    let hub = hub();
    let mut link = connect(&hub);
    link.say_all(&[write("1"), write("2"), write("3")]);
    link.reconnect();
    link.say_all(&[sequence(2), write("2"), write("3"), write("4")]);
    link.reconnect();
    link.say_all(&[sequence(5), write("5"), invoke("1", "Echo", r#"["x"]"#)]);
    assert_eq!(hub.definition().log.take(), ["1", "2", "3", "4", "5"]);
    assert_eq!(link.heard(), [sequence(1), result("1", r#""x""#)]);
}

#[test]
fn half_a_message_has_no_rest_on_another_socket() {
    let hub = hub();
    let mut link = connect(&hub);
    let message = write("1");
    link.deliver(&message[..20]);
    link.reconnect();
    link.say_all(&[sequence(1), message]);
    assert_eq!(hub.definition().log.take(), ["1"]);
    assert_eq!(link.reason(), None);
}

#[test]
fn nobody_listens_to_a_socket_that_was_replaced() {
    let hub = hub();
    let mut link = connect(&hub);
    let old = link.reconnect().expect("there was a socket");
    let receiver = old.receiver();
    let cx = std::task::Context::from_waker(std::task::Waker::noop());
    receiver.receive(&cx, Payload::text("nonsense\u{1e}"));
    receiver.refuse_frame(hubwire_transport::websocket::FrameError::BadClose);
    receiver.closed_by_client();
    receiver.lost();
    assert!(receiver.poll_intake(&cx).is_ready(), "it is read to its end");
    drop(old);
    link.say_all(&[sequence(1), invoke("1", "Echo", r#"["still here"]"#)]);
    assert_eq!(link.heard(), [sequence(1), result("1", r#""still here""#)]);
    assert_eq!(link.reason(), None);
}

#[test]
fn a_client_that_does_not_come_back_is_gone() {
    let hub = hub();
    let mut link = connect(&hub);
    link.hang_up();
    link.tick(15);
    assert!(!link.is_over());
    link.tick(1);
    assert!(link.is_over());
    assert_eq!(hub.definition().log.take(), ["network lost"]);
    assert!(link.reconnect().is_none());
}

#[test]
fn nothing_is_expected_of_a_client_that_is_away() {
    let options = EndpointOptions::default()
        .web_socket_ping_interval(Duration::from_secs(1))
        .web_socket_ping_timeout(Duration::from_secs(2));
    let hub = hub();
    let mut link = Link::dial(&hub).stateful().options(options).connect_with(STATEFUL_HANDSHAKE);
    link.hang_up();
    link.tick(14);
    assert!(link.is_resumed());
}

#[test]
fn only_those_who_asked_and_agreed_come_back() {
    let hub = hub();
    let agreed = Link::dial(&hub).stateful().connect_with(STATEFUL_HANDSHAKE).is_resumed();
    let old_version = Link::dial(&hub).id("b").stateful().connect_with(HANDSHAKE).is_resumed();
    let unasked = Link::dial(&hub).id("c").connect_with(STATEFUL_HANDSHAKE).is_resumed();
    let silent = Link::dial(&hub).id("d").stateful().open().is_resumed();
    assert_eq!([agreed, old_version, unasked, silent], [true, false, false, false]);
}

#[test]
fn nobody_comes_back_behind_the_end() {
    let ends: [Act; 3] = [
        |link| link.close(DisconnectReason::Kicked),
        |link| link.say(r#"{"type":7}"#),
        |link| {
            link.hang_up();
            link.close(DisconnectReason::Shutdown);
        },
    ];
    for end in ends {
        let hub = hub();
        let mut link = connect(&hub);
        end(&mut link);
        assert!(!link.is_resumed());
        assert!(link.is_over());
    }
}

#[test]
fn a_number_from_nowhere_ends_the_connection() {
    let hub = hub();
    let mut link = connect(&hub);
    link.say(write("1"));
    link.reconnect();
    link.say(sequence(3));
    let close = r#"{"type":7,"error":"Connection closed with an error.","allowReconnect":true}"#;
    assert_eq!(link.heard(), [sequence(1), close.to_owned()]);
}

#[test]
fn acknowledging_what_was_not_sent_acknowledges_what_was() {
    let hub = hub();
    let mut link = connect(&hub);
    notify(&hub, &["1"]);
    link.heard();
    link.say_all(&[ack(u64::MAX), ack(0)]);
    notify(&hub, &["2"]);
    link.reconnect();
    assert_eq!(link.heard(), [sequence(2), notification("2")]);
}

#[test]
fn acks_and_sequences_that_nobody_agreed_on_are_ignored() {
    let hub = hub();
    let mut link = Link::connect(&hub);
    link.say_all(&[ack(7), sequence(9), invoke("1", "Echo", r#"["x"]"#)]);
    assert_eq!(link.heard(), [result("1", r#""x""#)]);
}

/// What one notification of these tests takes of the buffer.
const NOTIFICATION: usize = r#"{"type":1,"target":"Notify","arguments":["1"]}"#.len() + 1;

#[test]
fn a_client_that_never_acknowledges_is_sent_no_more_and_closed() {
    let options = HubOptions::default().stateful_reconnect_buffer_size(2 * NOTIFICATION);
    let hub = Hub::new(Counting::default()).options(options).build();
    let mut link = connect(&hub);
    let mut other = Link::dial(&hub).id("b").connect();
    notify(&hub, &["1", "2", "3"]);
    assert_eq!(link.heard(), [notification("1"), notification("2")]);
    assert_eq!(other.heard().len(), 3, "the others notice nothing");
    link.say(write("x"));
    link.tick(1);
    assert_eq!(link.heard(), [ack(1)], "it is still told what arrived");
    link.say(ack(1));
    assert_eq!(link.heard(), [notification("3")]);
    notify(&hub, &["4"]);
    link.tick(12);
    assert_eq!(link.heard(), [] as [&str; 0], "the link may have been lost without a word");
    link.reconnect();
    assert_eq!(
        link.heard(),
        [sequence(2), notification("2"), notification("3"), notification("4")]
    );
    notify(&hub, &["5"]);
    link.tick(12);
    assert!(link.is_over());
    assert!(hub.definition().log.take().iter().any(|reason| reason.starts_with("slow consumer")));
}

#[test]
fn a_client_that_is_away_holds_up_nobody() {
    let hub = hub();
    let options = EndpointOptions::default().transport_max_buffer_size(1);
    let mut link = Link::dial(&hub).stateful().options(options).connect_with(STATEFUL_HANDSHAKE);
    let mut waiting = Task::new(hub.clients().all().notify("1"));
    assert!(waiting.run().is_none(), "while it is there, its room is awaited");
    link.hang_up();
    assert!(waiting.run().is_some());
    assert!(Task::new(hub.clients().all().notify("2")).run().is_some());
    link.reconnect();
    assert_eq!(link.heard(), [sequence(1), notification("1"), notification("2")]);
}

#[test]
fn streams_and_questions_live_through_it() {
    let hub = hub();
    let mut link = connect(&hub);
    let upload =
        r#"{"type":1,"invocationId":"1","target":"Last","arguments":[],"streamIds":["2"]}"#;
    let item = |item: u8| format!(r#"{{"type":2,"invocationId":"2","item":{item}}}"#);
    link.say_all(&[upload.to_owned(), item(1), invoke("3", "Ask", "[]")]);
    link.reconnect();
    let end = r#"{"type":3,"invocationId":"2"}"#.to_owned();
    link.say_all(&[sequence(2), item(1), invoke("3", "Ask", "[]"), item(2), end]);
    link.say(result("s1", "true"));
    let question = invoke("s1", "Confirm", r#"["sure?"]"#);
    assert_eq!(link.heard(), [sequence(1), question, result("1", "2"), result("3", "true")]);
}

#[test]
fn a_closing_client_gets_the_rest() {
    let options = HubOptions::default().stateful_reconnect_buffer_size(NOTIFICATION);
    let hub = Hub::new(Counting::default()).options(options).build();
    let mut link = connect(&hub);
    notify(&hub, &["1", "2"]);
    link.close(DisconnectReason::Kicked);
    let expected = [notification("1"), notification("2"), r#"{"type":7}"#.to_owned()];
    assert_eq!(link.heard(), expected, "nobody comes back, so nothing is held back");
}

#[test]
fn a_zero_window_is_refused_when_the_hub_is_built() {
    let options = HubOptions::default().stateful_reconnect_buffer_size(0);
    let error = Hub::new(Counting::default()).options(options).try_build().unwrap_err();
    assert!(error.to_string().contains("stateful_reconnect_buffer_size"), "{error}");
    let options = HubOptions::default().client_result_timeout(Some(Duration::ZERO));
    assert!(Hub::new(Counting::default()).options(options).try_build().is_err());
}
#[derive(Default)]
struct Greeter {
    log: Log,
}

#[hub(client = Page)]
impl Greeter {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        for number in 0..8 {
            cx.clients().caller().notify(&number.to_string()).await?;
            self.log.add(number);
        }
        Ok(())
    }

    /// One after the other.
    async fn count_both(
        &self,
        mut first: ClientStream<String>,
        mut second: ClientStream<u8>,
    ) -> HubResult<u64> {
        let mut count = 0;
        while let Some(item) = first.next().await {
            item?;
            count += 1;
        }
        while let Some(item) = second.next().await {
            item?;
            count += 1;
        }
        Ok(count)
    }
}

#[test]
fn a_client_is_greeted_with_more_than_its_window() {
    let options = HubOptions::default().stateful_reconnect_buffer_size(2 * NOTIFICATION);
    let hub = Hub::new(Greeter::default()).options(options).build();
    let options = EndpointOptions::default().transport_max_buffer_size(1);
    let mut link = Link::dial(&hub).stateful().options(options).connect_with(STATEFUL_HANDSHAKE);
    let mut heard = 0;
    for _ in 0..8 {
        heard += link.listen(1).iter().filter(|(_, text)| text.contains("Notify")).count();
        link.say(ack(heard.try_into().unwrap()));
    }
    assert_eq!((heard, link.reason()), (8, None));
    assert_eq!(hub.definition().log.take().len(), 8);
}

#[test]
fn an_upload_that_waits_beside_a_fast_one_is_not_stalled() {
    let hub = Hub::new(Greeter::default()).build();
    let mut link = Link::dial(&hub).stateful().connect_with(STATEFUL_HANDSHAKE);
    link.say(
        r#"{"type":1,"invocationId":"1","target":"CountBoth","arguments":[],"streamIds":["2","3"]}"#,
    );
    link.say(r#"{"type":2,"invocationId":"3","item":1}"#);
    let text = "x".repeat(1000);
    let item = format!("{{\"type\":2,\"invocationId\":\"2\",\"item\":\"{text}\"}}\u{1e}");
    // No second passes, however often what was received is worked off.
    for _ in 0..100 {
        while link.connection.wants_more() {
            link.connection.receive(Payload::text(&item));
        }
        link.run();
    }
    link.say_all(&["2", "3"].map(|id| format!(r#"{{"type":3,"invocationId":"{id}"}}"#)));
    assert!(link.heard().iter().any(|text| text.contains(r#""invocationId":"1","result":"#)));
}

#[test]
fn a_client_may_be_away_for_longer_than_it_may_be_silent() {
    let hub = hub();
    let options = EndpointOptions::default().disconnect_timeout(Duration::from_secs(60));
    let mut link = Link::dial(&hub).stateful().options(options).connect_with(STATEFUL_HANDSHAKE);
    link.say(PING);
    link.hang_up();
    link.tick(40);
    assert!(link.is_resumed());
}

#[test]
fn a_client_whose_link_was_lost_without_a_word_has_its_time() {
    let hub = hub();
    let mut link = connect(&hub);
    link.say(PING);
    link.listen(14);
    notify(&hub, &["1"]);
    link.tick(12 + 14);
    assert!(link.is_resumed());
}

#[test]
fn a_client_that_only_listens_is_read_ahead_too() {
    let hub = hub();
    let mut link = connect(&hub);
    for _ in 0..20_000 {
        link.say(PING);
    }
    link.connection.hold(1 << 20);
    let cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(
        link.receiver().poll_intake(&cx).is_ready(),
        "what it has received may be said in there"
    );
}
