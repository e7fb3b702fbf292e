//! What happens where one side sends faster than the other takes.

use std::collections::HashMap;
use std::future::poll_fn;

use hubwire::prelude::*;

use crate::kit::{Act, Gates, Link, Log, PING, Page, Task, invoke, notification, result, send};

struct Busy {
    log: Log,
    gates: Gates,
}

#[hub(client = Page)]
impl Busy {
    fn on_disconnected(&self, reason: &DisconnectReason) {
        self.log.add(reason.label());
    }

    async fn stuck(&self) {
        self.gates.pass("stuck").await;
    }

    fn note(&self, text: String) {
        self.log.add(text.trim_end());
    }

    /// Sends no faster than the caller takes.
    async fn stream(&self, cx: &CallerContext<Self>, count: usize) -> HubResult<()> {
        for number in 1..=count {
            cx.clients().caller().notify(&long_text()).await?;
            self.log.add(number);
        }
        Ok(())
    }

    async fn ask(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().caller().confirm("sure?").await?)
    }
}

/// Over the level at which producers wait, in [`small`].
fn long_text() -> String {
    "x".repeat(200)
}

fn small() -> EndpointOptions {
    EndpointOptions::default()
        .application_max_buffer_size(8000)
        .transport_max_buffer_size(100)
        .max_backlog(1000)
}

struct Office {
    hub: Hub<Busy>,
    log: Log,
    gates: Gates,
}

fn office() -> Office {
    let (log, gates) = (Log::default(), Gates::default());
    let hub = Hub::new(Busy { log: log.clone(), gates: gates.clone() }).build();
    Office { hub, log, gates }
}

/// A task that ends when more may be received.
fn intake(link: &Link) -> Task<()> {
    let connection = link.connection.clone();
    Task::new(poll_fn(move |cx| connection.poll_intake(cx)))
}

/// A call of about 100 bytes.
fn note(text: &str) -> String {
    send("Note", format_args!(r#"["{text:<60}"]"#))
}

#[test]
fn a_client_that_sends_faster_than_it_is_served_is_not_read_any_further() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    link.say(send("Stuck", "[]"));
    let mut sent = Vec::new();
    while intake(&link).run().is_some() {
        sent.push(format!("note {}", sent.len()));
        link.say(note(&sent[sent.len() - 1]));
        assert!(sent.len() < 80, "the calls that wait count");
    }
    assert!(sent.len() > 10, "reading pauses only when much waits");
    let mut paused = intake(&link);
    assert!(paused.run().is_none());
    office.gates.open("stuck");
    link.run();
    assert!(paused.run().is_some(), "reading resumes");
    assert_eq!(office.log.take(), sent);
    link.say(note("later"));
    assert_eq!(office.log.take(), ["later"]);
    assert_eq!(link.reason(), None);
}

#[test]
fn reading_resumes_when_half_of_it_is_served() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    let stuck = send("Stuck", "[]");
    link.say(&stuck);
    let mut waiting = 0;
    while intake(&link).run().is_some() {
        link.say(&stuck);
        waiting += 1;
    }
    let mut paused = intake(&link);
    let mut served = 0;
    while paused.run().is_none() {
        office.gates.open("stuck");
        link.run();
        served += 1;
        assert!(served <= waiting, "all are served and reading has not resumed");
    }
    assert!(
        (waiting - 2..=waiting + 2).contains(&(2 * served)),
        "{served} of {waiting} were served"
    );
}

#[test]
fn whoever_waits_to_be_read_learns_of_the_end() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    link.say(send("Stuck", "[]"));
    link.say(note(&"x".repeat(8000)));
    let mut paused = intake(&link);
    assert!(paused.run().is_none());
    link.close(DisconnectReason::Kicked);
    assert!(paused.run().is_some());
}

#[test]
fn silence_is_borne_while_nobody_reads() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    link.say_all(&[PING, &send("Stuck", "[]"), &note(&"x".repeat(8000))]);
    assert!(intake(&link).run().is_none());
    link.listen(300);
    assert_eq!(link.reason(), None);
}

#[test]
fn answers_are_heard_past_calls_that_wait() {
    let office = office();
    let mut link = Link::dial(&office.hub).id("a").connect();
    link.say_all(&[send("Stuck", "[]"), note("waits")]);
    let mut asked = Task::new(office.hub.clients().client(&"a".into()).confirm("sure?"));
    assert!(asked.run().is_none());
    link.say(result("s1", "true"));
    assert!(matches!(asked.run(), Some(Ok(true))));
    assert!(office.log.take().is_empty());
}

#[test]
fn a_call_that_waits_for_its_client_lets_the_next_one_run() {
    let office = office();
    let mut link = Link::connect(&office.hub);
    link.say_all(&[invoke("1", "Ask", "[]"), invoke("2", "Note", "[\"first\"]")]);
    assert_eq!(link.heard(), [invoke("s1", "Confirm", r#"["sure?"]"#), result("2", "null")]);
    link.say_all(&[send("Stuck", "[]"), note("waits")]);
    link.say(result("s1", "true"));
    assert_eq!(link.heard(), [result("1", "true")]);
    assert_eq!(office.log.take(), ["first"], "one of those that run takes the turn again");
    office.gates.open("stuck");
    link.run();
    assert_eq!(office.log.take(), ["waits"]);
}

#[test]
fn a_client_that_takes_nothing_is_closed_and_costs_nobody_else() {
    let office = office();
    let mut slow = Link::dial(&office.hub).id("slow").options(small()).connect();
    let mut quick = Link::dial(&office.hub).id("quick").options(small()).connect();
    let text = long_text();
    let mut receivers = Vec::new();
    for _ in 0..6 {
        receivers.push(office.hub.clients().all().notify(&text).receivers());
        assert_eq!(quick.heard(), [notification(&text)]);
    }
    // Keeping three of them costs a thousand bytes. The fourth finds no room, and the others nobody who would take them.
    assert_eq!(receivers, [2, 2, 2, 1, 1, 1]);
    slow.run();
    let Some(DisconnectReason::SlowConsumer { bytes, cap: 1000 }) = slow.reason() else {
        panic!("it is a slow consumer, and not {:?}", slow.reason());
    };
    assert!((1000..1500).contains(&bytes));
    let close = r#"{"type":7,"error":"Connection closed with an error.","allowReconnect":true}"#;
    assert_eq!(slow.heard(), [close], "what it did not take is dropped");
    assert_eq!(office.log.take(), ["slow_consumer"]);
    assert_eq!((office.hub.connection_count(), quick.reason()), (1, None));
}

#[test]
fn one_message_of_any_size_passes() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    let text = "x".repeat(100_000);
    assert_eq!(office.hub.clients().all().notify(&text).receivers(), 1);
    assert_eq!(link.heard(), [notification(&text)]);
    assert_eq!(link.reason(), None);
}

#[test]
fn a_client_may_take_nothing_for_10_seconds() {
    let office = office();
    let mut link = Link::connect(&office.hub);
    // The answer to the handshake was taken in the first second.
    link.tick(1);
    office.hub.clients().all().notify("x");
    link.tick(10);
    assert_eq!(link.reason(), None);
    link.tick(1);
    assert!(matches!(link.reason(), Some(DisconnectReason::SlowConsumer { .. })));
    assert!(link.is_over());
    assert_eq!(office.log.take(), ["slow_consumer"]);
}

#[test]
fn a_method_that_awaits_its_deliveries_sends_as_fast_as_the_client_takes() {
    let office = office();
    let mut link = Link::dial(&office.hub).options(small()).connect();
    link.say(invoke("1", "Stream", "[20]"));
    for number in 1..=20 {
        assert!(link.connection.backlog() < 500, "one message waits");
        assert_eq!(link.hear_one(), Some(notification(&long_text())));
        link.run();
        assert_eq!(office.log.take(), [number.to_string()]);
    }
    assert_eq!(link.heard(), [result("1", "null")]);
}

#[test]
fn a_delivery_waits_for_the_slowest_only_as_long_as_it_is_there() {
    let ends: [Act; 3] = [
        Link::hang_up,
        |link| link.close(DisconnectReason::Kicked),
        |link| link.say(r#"{"type":7}"#),
    ];
    for end in ends {
        let office = office();
        let mut slow = Link::dial(&office.hub).id("slow").options(small()).connect();
        let mut quick = Link::dial(&office.hub).id("quick").options(small()).connect();
        let mut delivery = Task::new(office.hub.clients().all().notify(&long_text()));
        assert!(delivery.run().is_none());
        quick.heard();
        assert!(delivery.run().is_none(), "the slow one has not taken it");
        end(&mut slow);
        let outcome = delivery.run();
        assert!(matches!(outcome, Some(Ok(()))), "{:?}: {outcome:?}", slow.reason());
    }
}

#[test]
fn a_delivery_to_those_with_room_does_not_wait() {
    let office = office();
    let _link = Link::connect(&office.hub);
    let outcome = Task::new(office.hub.clients().all().notify("x")).run();
    assert!(matches!(outcome, Some(Ok(()))));
    let nobody = Task::new(office.hub.clients().group("nobody").notify("x")).run();
    assert!(matches!(nobody, Some(Ok(()))));
}

#[test]
fn a_slow_consumer_that_is_closed_keeps_nobody_waiting() {
    let office = office();
    let link = Link::dial(&office.hub).options(small()).connect();
    let text = long_text();
    let mut delivery = Task::new(office.hub.clients().all().notify(&text));
    assert!(delivery.run().is_none());
    while !link.connection.is_closing() {
        office.hub.clients().all().notify(&text);
    }
    // Its session has had no turn yet, and may be long in on_connected.
    assert_eq!(link.connection.backlog(), 0);
    assert!(delivery.run().is_some(), "nothing waits for the client any more");
}

#[test]
fn an_argument_that_cannot_be_written_reaches_nobody() {
    let office = office();
    let mut link = Link::connect(&office.hub);
    // JSON has no keys but texts.
    let delivery = office.hub.clients().all().count(&HashMap::from([(vec![1], 1)]));
    assert_eq!(delivery.receivers(), 0);
    assert!(matches!(Task::new(delivery).run(), Some(Err(_))));
    assert!(link.heard().is_empty());
}
