//! Sockets that follow one another, seen from below: what each of them gets, whatever was acknowledged and read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use proptest::prelude::*;

use crate::{
    Attachment, ConnectRequest, Connection, DisconnectReason, EndpointOptions, Event, Intake,
    Message, Payload, Room, Taken, Transport,
};

/// So many payload bytes are not acknowledged before new messages wait.
const BUFFER: usize = 2;

/// Ticks until a socket that takes nothing is given up: the one in which it still took something, `transport_send_timeout`, and one more.
const GIVEN_UP: u64 = 12;

struct Client {
    connection: Connection,
    socket: Option<Attachment>,
}

impl Client {
    fn new(options: EndpointOptions) -> Self {
        Self::keeping(BUFFER, options)
    }

    fn keeping(buffer: usize, options: EndpointOptions) -> Self {
        let request = ConnectRequest::local("/test", Transport::WebSockets);
        let (connection, socket) =
            Connection::open_resumable("test".into(), request, Arc::new(options));
        let opening = Arc::new(|number| Message::text(&format!("from {number}")));
        assert!(connection.keep_unacknowledged(buffer, opening));
        Self { connection, socket: Some(socket) }
    }

    /// Sends messages that count: a byte each.
    fn send(&self, texts: &str) {
        for text in texts.chars() {
            self.connection.send(Message::text(&text.to_string()).counted());
        }
    }

    fn reconnect(&mut self) {
        self.socket = self.connection.resume();
    }

    /// What was received has to be worked off.
    fn fill(&self) {
        self.connection.hold(self.connection.options().application_max_buffer_size);
    }

    /// It is worked off.
    fn drain(&self) {
        self.connection.release(self.connection.options().application_max_buffer_size);
    }

    fn event(&self) -> Poll<Event> {
        self.connection.poll_event(&context(), Intake::Everything)
    }

    /// All that the socket gets now, as one text.
    fn heard(&self) -> String {
        let take = || self.socket.as_ref()?.take_now();
        let texts = std::iter::from_fn(take).map(|message| message.payload().to_vec());
        texts.map(|text| String::from_utf8(text).unwrap()).collect::<Vec<_>>().join(" ")
    }

    fn tick(&self, seconds: u64) {
        (0..seconds).for_each(|_| self.connection.tick());
    }
}

fn client() -> Client {
    Client::new(EndpointOptions::default())
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn new_messages_wait_for_a_word_of_the_client() {
    let client = client();
    client.send("1234");
    assert_eq!(client.heard(), "1 2");
    client.connection.acknowledge(1);
    assert_eq!(client.heard(), "3");
    client.connection.acknowledge(3);
    assert_eq!(client.heard(), "4");
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_client_is_read_on_that_waits_for_our_word_itself() {
    let client = client();
    let receiver = client.socket.as_ref().unwrap().receiver();
    client.fill();
    assert!(!client.connection.wants_more());
    assert!(receiver.poll_intake(&context()).is_ready(), "its word may come");
    receiver.receive(&context(), Payload::text("more than it keeps"));
    assert!(receiver.poll_intake(&context()).is_pending());
    assert!(matches!(client.event(), Poll::Ready(Event::Payload(_))));
    assert!(client.event().is_pending());
    client.drain();
    assert!(client.connection.wants_more());
    assert!(matches!(client.event(), Poll::Ready(Event::Drained)), "it may be told now");
    client.connection.told_received();
    client.fill();
    assert!(receiver.poll_intake(&context()).is_ready());
}

#[test]
fn a_word_that_is_not_read_is_not_waited_for() {
    let mut client = client();
    client.send("1234");
    assert_eq!(client.heard(), "1 2");
    let socket = client.socket.as_ref().unwrap();
    let receiver = socket.receiver();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let poll = socket.poll_take(&Context::from_waker(&waker), 0, 1, &mut VecDeque::new());
    assert!(poll.is_pending());
    client.fill();
    receiver.receive(&context(), Payload::text("more than it keeps"));
    assert!(receiver.poll_intake(&context()).is_pending());
    assert!(woken.0.load(Ordering::Relaxed), "the socket learns that it may go on");
    client.send("5678");
    assert_eq!(client.heard(), "3 4 5 6 7 8");
    client.drain();
    assert!(receiver.poll_intake(&context()).is_ready());
    client.send("9");
    assert_eq!(client.heard(), "", "what is read may bring the word");
    assert!(client.connection.resume().is_none(), "nobody could tell the client what it missed");
    client.connection.acknowledge(5);
    assert!(client.connection.resume().is_none());
    client.connection.acknowledge(7);
    assert_eq!(client.heard(), "9");
    client.reconnect();
    assert_eq!(client.heard(), "from 8 8 9", "it has spoken of all that was not kept");
}

#[test]
fn a_link_that_is_lost_while_nothing_is_kept_is_the_last() {
    let losses: [fn(&mut Client); 2] =
        [|client| client.socket = None, |client| client.tick(GIVEN_UP)];
    for lose in losses {
        let mut client = client();
        client.fill();
        let receiver = client.socket.as_ref().unwrap().receiver();
        receiver.receive(&context(), Payload::text("more than it keeps"));
        assert!(receiver.poll_intake(&context()).is_pending());
        client.send("123");
        assert_eq!(client.heard(), "1 2 3");
        client.drain();
        assert!(receiver.poll_intake(&context()).is_ready());
        client.send("4");
        assert_eq!(client.heard(), "4");
        client.send("5");
        lose(&mut client);
        assert!(client.connection.is_closing());
        assert!(client.connection.is_cut());
    }
}

#[test]
fn a_word_that_was_lost_with_a_socket_need_not_be_said_again() {
    let mut client = client();
    client.send("1234");
    assert_eq!(client.heard(), "1 2");
    for _ in 0..3 {
        client.reconnect();
    }
    assert_eq!(client.heard(), "from 1 1 2 3", "the client speaks of nothing that it had already");
    client.connection.acknowledge(3);
    assert_eq!(client.heard(), "4");
}

#[test]
fn a_word_about_an_old_socket_counts_as_far_as_something_was_sent() {
    let mut client = client();
    client.send("123");
    assert_eq!(client.heard(), "1 2");
    client.reconnect();
    client.connection.acknowledge(2);
    assert_eq!(client.heard(), "from 1 1 2 3", "which the client counts all the same");
    client.connection.acknowledge(u64::MAX);
    client.reconnect();
    assert_eq!(client.heard(), "from 4");
}

#[test]
fn a_socket_begins_where_the_client_has_counted_to() {
    let mut client = client();
    client.send("12");
    assert_eq!(client.heard(), "1 2");
    client.reconnect();
    let again = client.socket.as_ref().unwrap();
    assert!(again.take_now().is_some_and(|opening| opening.payload() == b"from 1"));
    assert!(again.take_now().is_some_and(|first| first.payload() == b"1"));
    // Of what the client had before: on this socket it has counted one.
    client.connection.acknowledge(2);
    client.reconnect();
    client.send("3");
    assert_eq!(client.heard(), "from 1 1 2 3");
    client.connection.acknowledge(3);
    client.reconnect();
    assert_eq!(client.heard(), "from 4");
}

#[test]
fn a_client_that_only_speaks_of_what_is_old_gets_no_more_than_may_be_kept() {
    let mut client = Client::new(EndpointOptions::default().max_backlog(1000));
    let mut sent = 0;
    for _ in 0..100 {
        client.send("x");
        client.reconnect();
        sent = client.heard().split('x').count() as u64 - 1;
        // Always one behind, and so nothing is gone.
        client.connection.acknowledge(sent.saturating_sub(1));
    }
    let cost = Message::text("x").cost() as u64;
    assert!(sent * cost < 1000 + BUFFER as u64 + 10 * cost, "{sent} messages are kept");
}

#[test]
fn what_goes_out_again_leaves_the_backlog_alone() {
    let mut client = Client::new(EndpointOptions::default().max_backlog(300));
    client.connection.send(Message::text(&"a".repeat(1000)).counted());
    assert!(!client.heard().is_empty());
    client.socket = None;
    assert_ne!(client.connection.send(Message::text("b").counted()), Room::Closed);
    client.reconnect();
    assert_ne!(client.connection.send(Message::text("c").counted()), Room::Closed);
    assert!(client.heard().ends_with("a b"), "as the first new one");
    assert_eq!(client.connection.disconnect_reason(), None);
}

#[test]
fn a_client_that_has_all_of_too_much_gets_more() {
    let mut client = Client::keeping(100_000, EndpointOptions::default());
    client.send("123456789");
    client.connection.send(Message::text(&"a".repeat(1_200_000)).counted());
    assert!(client.heard().ends_with('a'));
    client.reconnect();
    client.send("xy");
    assert!(client.heard().ends_with('a'), "no more than may be kept");
    client.connection.acknowledge(10);
    assert_eq!(client.heard(), "x y");
    assert!(client.connection.resume().is_none(), "it may not have counted them again");
    client.connection.acknowledge(11);
    client.reconnect();
    assert_eq!(client.heard(), "from 12 y");
}

#[test]
fn a_socket_is_not_given_up_for_the_silence_of_another() {
    let options = EndpointOptions::default()
        .web_socket_ping_interval(Duration::from_secs(1))
        .web_socket_ping_timeout(Duration::from_secs(2));
    for quiet in 1..8 {
        let mut client = Client::new(options.clone());
        client.tick(quiet);
        client.reconnect();
        assert_eq!(client.heard(), "from 1");
        while client.event().is_ready() {}
        client.tick(1);
        let socket = client.socket.as_ref().unwrap();
        let taken = socket.poll_take(&context(), 0, 1, &mut VecDeque::new());
        assert_ne!(taken, Poll::Ready(Taken::Superseded), "after {quiet} s");
    }
}

#[test]
fn a_link_that_was_lost_without_a_word_may_be_followed() {
    let mut client = client();
    client.send("123");
    assert_eq!(client.heard(), "1 2");
    client.tick(GIVEN_UP);
    let taken = client.socket.as_ref().unwrap().poll_take(&context(), 0, 1, &mut VecDeque::new());
    assert_eq!(taken, Poll::Ready(Taken::Superseded));
    assert!(client.socket.as_ref().unwrap().receiver().poll_intake(&context()).is_ready());
    client.tick(14);
    client.reconnect();
    assert_eq!(client.heard(), "from 1 1 2 3");
    client.connection.acknowledge(3);
    client.tick(30);
    assert_eq!(client.connection.disconnect_reason(), None);
}

#[test]
fn a_link_that_was_lost_is_followed_in_time_or_never() {
    let client = client();
    client.send("123");
    client.heard();
    client.tick(GIVEN_UP + 15);
    assert_eq!(client.connection.disconnect_reason(), None);
    client.tick(1);
    assert_eq!(client.connection.disconnect_reason(), Some(DisconnectReason::NetworkLost));
}

#[test]
fn a_client_that_comes_back_and_acknowledges_nothing_is_slow() {
    let mut client = client();
    client.send("1234");
    client.heard();
    client.tick(GIVEN_UP);
    client.reconnect();
    assert_eq!(client.heard(), "from 1 1 2 3");
    client.tick(GIVEN_UP - 1);
    assert_eq!(client.connection.disconnect_reason(), None);
    client.tick(1);
    let reason = client.connection.disconnect_reason();
    assert!(matches!(reason, Some(DisconnectReason::SlowConsumer { .. })), "{reason:?}");
}

#[test]
fn a_client_that_answers_no_ping_may_come_back() {
    let options = EndpointOptions::default()
        .web_socket_ping_interval(Duration::from_secs(1))
        .web_socket_ping_timeout(Duration::from_secs(2));
    let mut client = Client::new(options);
    for _ in 0..3 {
        client.tick(10);
        client.reconnect();
        assert_eq!(client.heard(), "from 1");
    }
    assert_eq!(client.connection.disconnect_reason(), None);
}

/// What may happen to a client and its link.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send,
    /// The client receives so many messages.
    Receive(u8),
    /// It says what it has.
    Acknowledge,
    /// What it says is lost.
    LoseWord,
    Cut,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Send),
        4 => (1..4_u8).prop_map(Act::Receive),
        2 => Just(Act::Acknowledge),
        1 => Just(Act::LoseWord),
        1 => Just(Act::Cut),
    ]
}

/// A client that counts, as strict as the official ones: it speaks of no message twice, and a socket that begins beyond its count is an error.
#[derive(Default)]
struct Counter {
    next: u64,
    latest: u64,
    said: u64,
}

impl Counter {
    fn receive(&mut self, text: &str) {
        if let Some(number) = text.strip_prefix("from ") {
            let number = number.parse().unwrap();
            assert!(number <= self.next, "counted to {}, then {number}", self.next);
            self.next = number;
            return;
        }
        assert_eq!(text.parse(), Ok(self.next));
        self.latest = self.latest.max(self.next);
        self.next += 1;
    }

    fn say(&mut self) -> Option<u64> {
        let is_news = self.latest > self.said;
        self.said = self.latest;
        is_news.then_some(self.latest)
    }
}

proptest! {
    #[test]
    fn every_message_arrives_once_whatever_is_lost(acts in prop::collection::vec(act(), 0..200)) {
        let mut client = client();
        let mut counter = Counter { next: 1, ..Counter::default() };
        let mut sent = 0;
        let receive = |client: &Client, counter: &mut Counter| {
            let message = client.socket.as_ref().unwrap().take_now();
            let text = message.as_ref().map(|message| str::from_utf8(message.payload()).unwrap());
            text.into_iter().for_each(|text| counter.receive(text));
            text.is_some()
        };
        for act in acts {
            match act {
                Act::Send => {
                    sent += 1;
                    client.connection.send(Message::text(&format!("{sent}")).counted());
                }
                Act::Receive(mut count) => {
                    while count > 0 && receive(&client, &mut counter) {
 count -= 1; }
                }
                Act::Acknowledge => {
                    counter.say().into_iter().for_each(|number| client.connection.acknowledge(number));
                }
                Act::LoseWord => _ = counter.say(),
                Act::Cut => client.reconnect(),
            }
        }
        // A word that was lost may have been the last one over this socket.
        client.reconnect();
        sent += 1;
        client.connection.send(Message::text(&format!("{sent}")).counted());
        loop {
            while receive(&client, &mut counter) {}
            let Some(number) = counter.say() else { break };
            client.connection.acknowledge(number);
        }
        prop_assert_eq!(counter.latest, sent);
    }
}
