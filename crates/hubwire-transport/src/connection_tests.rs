use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::websocket::FrameError;
use crate::{Taken, TransferFormat, Transport};

fn open(options: EndpointOptions) -> (Connection, Attachment) {
    let request = ConnectRequest::local("/test", Transport::WebSockets);
    Connection::open("test".into(), request, Arc::new(options))
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn describe(event: Event) -> String {
    match event {
        Event::Payload(payload) => String::from_utf8_lossy(&payload.bytes).into_owned(),
        Event::Closing(reason) => format!("closing: {reason}"),
        Event::Drained => "drained".to_owned(),
        Event::Resumed => "resumed".to_owned(),
        Event::Tick => "tick".to_owned(),
    }
}

fn next(connection: &Connection) -> Option<String> {
    match connection.poll_event(&context(), Intake::Everything) {
        Poll::Ready(event) => Some(describe(event)),
        Poll::Pending => None,
    }
}

fn sent(attachment: &Attachment) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| attachment.take_now()).map(|message| message.payload().to_vec()).collect()
}

#[test]
fn messages_leave_in_order_and_payloads_arrive_in_order() {
    let (connection, attachment) = open(EndpointOptions::default());
    for text in ["a", "b", "c"] {
        connection.receive(Payload::text(text));
        assert_eq!(connection.send(Message::text(text)), Room::Available);
    }
    assert_eq!(
        [next(&connection), next(&connection), next(&connection)],
        ["a", "b", "c"].map(|t| Some(t.to_owned()))
    );
    assert_eq!(next(&connection), None);
    assert_eq!(sent(&attachment), [b"a", b"b", b"c"]);
}

#[test]
fn room_is_asked_before_the_push_so_one_message_overshoots() {
    let (connection, attachment) =
        open(EndpointOptions::default().transport_max_buffer_size(100).max_backlog(1000));
    let large = Message::binary(&[0; 5000]);
    assert_eq!(connection.send(large.clone()), Room::Exhausted);
    assert!(connection.poll_room(&context()).is_pending());
    assert_eq!(attachment.take_now().map(|message| message.len()), Some(large.len()));
    assert!(connection.poll_room(&context()).is_ready());
    assert_eq!(connection.backlog(), 0);
}

#[test]
fn a_client_over_the_cap_is_a_slow_consumer_and_costs_nothing_more() {
    let (connection, attachment) =
        open(EndpointOptions::default().transport_max_buffer_size(10).max_backlog(1000));
    let large = Message::binary(&[0; 5000]);
    connection.send(large.clone());
    assert_eq!(connection.send(Message::text("one more")), Room::Closed);
    let reason = DisconnectReason::SlowConsumer { bytes: large.cost(), cap: 1000 };
    assert_eq!(connection.disconnect_reason(), Some(reason));
    assert_eq!(connection.backlog(), 0);
    assert_eq!(sent(&attachment), Vec::<Vec<u8>>::new());
}

#[test]
fn small_messages_count_for_what_keeping_them_costs() {
    let (connection, _attachment) = open(EndpointOptions::default());
    let mut sent = 0;
    while connection.send(Message::text("")) != Room::Closed {
        sent += 1;
        assert!(sent < 10_000, "they would take far more than the cap");
    }
}

#[test]
fn bytes_count_until_they_are_passed_on() {
    let (connection, attachment) = open(EndpointOptions::default());
    let message = Message::binary(&[0; 5000]);
    connection.send(message.clone());
    let mut taken = VecDeque::new();
    assert_eq!(attachment.poll_take(&context(), 0, 1, &mut taken), Poll::Ready(Taken::Messages));
    assert_eq!(connection.backlog(), message.cost());
    assert!(attachment.poll_take(&context(), 4000, 1, &mut taken).is_pending());
    assert_eq!(connection.backlog(), message.cost() - 4000);
}

#[test]
fn reading_pauses_at_the_cap_and_resumes_at_half() {
    let (connection, _attachment) =
        open(EndpointOptions::default().application_max_buffer_size(4000));
    let payload = || Payload::text(&"x".repeat(1700));
    connection.receive(payload());
    connection.receive(payload());
    assert!(connection.poll_intake(&context()).is_ready());
    connection.receive(payload());
    assert!(connection.poll_intake(&context()).is_pending());
    assert!(connection.is_unread());
    next(&connection);
    assert!(connection.poll_intake(&context()).is_pending(), "two are over half");
    next(&connection);
    assert!(connection.poll_intake(&context()).is_ready());
    next(&connection);
    assert!(!connection.is_unread());
    connection.hold(4000);
    assert!(connection.poll_intake(&context()).is_pending(), "held bytes count");
    connection.release(4000);
    assert!(connection.poll_intake(&context()).is_ready());
}

#[test]
fn an_end_by_the_client_comes_behind_what_it_sent() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.receive(Payload::text("last words"));
    drop(attachment);
    assert_eq!(next(&connection).as_deref(), Some("last words"));
    assert_eq!(next(&connection).as_deref(), Some("closing: network lost"));
    assert_eq!(next(&connection), None, "the end is told once");
}

#[test]
fn an_end_by_the_server_comes_first() {
    let (connection, _attachment) = open(EndpointOptions::default());
    connection.receive(Payload::text("ignored"));
    connection.close(DisconnectReason::Kicked);
    connection.close(DisconnectReason::Shutdown);
    assert_eq!(next(&connection).as_deref(), Some("closing: kicked"));
    assert_eq!(next(&connection), None);
}

#[test]
fn urgent_intake_leaves_payloads_and_what_comes_behind_them() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.receive(Payload::text("later"));
    drop(attachment);
    connection.wake_at(1);
    connection.tick();
    assert!(matches!(connection.poll_event(&context(), Intake::Urgent), Poll::Ready(Event::Tick)));
    assert!(connection.poll_event(&context(), Intake::Urgent).is_pending());
    assert_eq!(next(&connection).as_deref(), Some("later"));
}

#[test]
fn what_was_sent_goes_out_before_the_goodbye() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.send(Message::text("a"));
    connection.close(DisconnectReason::Kicked);
    connection.finish(Some(Message::text("close")));
    assert_eq!(connection.send(Message::text("late")), Room::Closed);
    let mut taken = VecDeque::new();
    assert_eq!(attachment.poll_take(&context(), 0, 1000, &mut taken), Poll::Ready(Taken::Messages));
    assert_eq!(taken.len(), 2);
    assert_eq!(attachment.poll_take(&context(), 0, 1000, &mut taken), Poll::Ready(Taken::Finished));
    assert!(connection.poll_detached(&context()).is_pending());
    drop(attachment);
    assert!(connection.poll_detached(&context()).is_ready());
}

#[test]
fn a_goodbye_is_awaited_for_the_close_timeout_only() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.finish(None);
    let mut taken = VecDeque::new();
    for _ in 0..5 {
        connection.tick();
        assert_eq!(
            attachment.poll_take(&context(), 0, 1, &mut taken),
            Poll::Ready(Taken::Finished)
        );
    }
    connection.tick();
    assert_eq!(attachment.poll_take(&context(), 0, 1, &mut taken), Poll::Ready(Taken::Cut));
}

#[test]
fn a_client_that_takes_nothing_is_cut_after_the_send_timeout() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.send(Message::text("x"));
    for _ in 0..10 {
        connection.tick();
    }
    assert!(!connection.is_closing());
    connection.tick();
    let reason = connection.disconnect_reason();
    assert!(matches!(reason, Some(DisconnectReason::SlowConsumer { .. })), "{reason:?}");
    drop(attachment);

    let (connection, attachment) = open(EndpointOptions::default());
    for _ in 0..100 {
        connection.send(Message::text("x"));
        connection.tick();
        sent(&attachment);
    }
    assert!(!connection.is_closing(), "a client that takes something is not slow");
}

#[test]
fn ticks_wake_only_when_asked() {
    let (connection, _attachment) = open(EndpointOptions::default());
    connection.tick();
    assert_eq!(next(&connection), None);
    connection.wake_at(3);
    connection.tick();
    assert_eq!(next(&connection), None);
    connection.tick();
    assert_eq!(next(&connection).as_deref(), Some("tick"));
}

#[test]
fn broken_frames_end_with_their_close_code() {
    let (connection, attachment) = open(EndpointOptions::default());
    attachment.receiver().refuse_frame(FrameError::TooLarge { size: 1 << 40, limit: 10 });
    assert_eq!(connection.close_code(), 1009);
    assert_eq!(
        next(&connection).as_deref(),
        Some("closing: message too big: 1099511627776 bytes, the limit is 10")
    );
}

#[test]
fn frames_and_payloads_are_slices_of_one_buffer() {
    for length in [0, 1, 125, 126, 65_535, 65_536] {
        let payload = vec![7; length];
        let message = Message::copy_from(TransferFormat::Binary, &payload);
        assert_eq!(message.payload(), payload);
        let header = &message.frame()[..message.len() - length];
        let expected = match length {
            0..=125 => vec![0x82, length as u8],
            126..=65_535 => [&[0x82, 126][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[0x82, 127][..], &(length as u64).to_be_bytes()].concat(),
        };
        assert_eq!(header, expected);
    }
}

#[test]
fn nothing_is_received_once_the_end_has_begun() {
    let (connection, _attachment) = open(EndpointOptions::default());
    connection.receive(Payload::text("before"));
    connection.close(DisconnectReason::ClientClosed { error: None });
    connection.receive(Payload::text("after"));
    assert_eq!(next(&connection).as_deref(), Some("before"));
    assert_eq!(next(&connection).as_deref(), Some("closing: client closed"));
    assert_eq!(next(&connection), None);
}

#[test]
fn last_words_pass_over_the_cap() {
    let (connection, attachment) =
        open(EndpointOptions::default().transport_max_buffer_size(1).max_backlog(1));
    connection.send(Message::text("a"));
    connection.close(DisconnectReason::Kicked);
    connection.finish(Some(Message::text("bye")));
    assert_eq!(sent(&attachment), [b"a".to_vec(), b"bye".to_vec()]);
}

#[test]
fn a_small_message_may_wait_behind_a_large_one_under_way() {
    let options = EndpointOptions::default().transport_max_buffer_size(10).max_backlog(1000);
    let (connection, attachment) = open(options);
    connection.send(Message::binary(&[0; 5000]));
    let mut taken = VecDeque::new();
    let _ = attachment.poll_take(&context(), 0, 1, &mut taken);
    assert_eq!(connection.send(Message::text("meanwhile")), Room::Exhausted);
    assert!(!connection.is_closing());
}

#[test]
fn a_client_that_takes_a_large_message_bit_by_bit_is_not_slow() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.send(Message::binary(&[0; 100_000]));
    let mut taken = VecDeque::new();
    let _ = attachment.poll_take(&context(), 0, 1, &mut taken);
    for _ in 0..50 {
        let _ = attachment.poll_take(&context(), 1000, 0, &mut taken);
        connection.tick();
    }
    assert!(!connection.is_closing());
}

#[test]
fn tiny_payloads_count_for_what_they_cost() {
    let (connection, _attachment) = open(EndpointOptions::default());
    let accepted = (0..65_536)
        .take_while(|_| {
            connection.receive(Payload::text("x"));
            connection.poll_intake(&context()).is_ready()
        })
        .count();
    assert!(accepted < 1000, "{accepted} payloads of a byte each");
}

#[test]
fn a_payload_that_waits_keeps_no_more_than_its_own_bytes() {
    let (connection, _attachment) = open(EndpointOptions::default());
    let buffer = Bytes::from(vec![7; 32 * 1024]);
    for _ in 0..2 {
        connection.receive(Payload::new(buffer.slice(..10), TransferFormat::Binary));
    }
    let Poll::Ready(Event::Payload(_)) = connection.poll_event(&context(), Intake::Everything)
    else {
        panic!()
    };
    let second = connection.poll_event(&context(), Intake::Everything);
    let Poll::Ready(Event::Payload(second)) = second else { panic!() };
    assert!(!buffer.as_ptr_range().contains(&second.bytes.as_ptr()));
}

#[test]
fn a_goodbye_is_not_awaited_while_bytes_are_under_way() {
    let (connection, attachment) = open(EndpointOptions::default());
    connection.send(Message::binary(&[0; 100_000]));
    connection.finish(None);
    let mut taken = VecDeque::new();
    let _ = attachment.poll_take(&context(), 0, 1, &mut taken);
    for _ in 0..20 {
        let poll = attachment.poll_take(&context(), 1000, 0, &mut taken);
        assert_eq!(poll, Poll::Ready(Taken::Finished));
        connection.tick();
    }
}

#[test]
fn an_application_that_finishes_by_itself_receives_no_more() {
    let (connection, _attachment) = open(EndpointOptions::default());
    connection.finish(None);
    connection.receive(Payload::text("x"));
    assert_eq!(next(&connection).as_deref(), Some("closing: kicked"));
    assert_eq!(next(&connection), None);
}

#[test]
fn whoever_waits_for_room_learns_that_the_client_is_cut() {
    let options = EndpointOptions::default().transport_max_buffer_size(10).max_backlog(100);
    let (connection, _attachment) = open(options);
    let woken = Arc::new(Woken::default());
    connection.send(Message::binary(&[0; 5000]));
    let waker = Waker::from(woken.clone());
    assert!(connection.poll_room(&Context::from_waker(&waker)).is_pending());
    connection.send(Message::text("one too many"));
    assert!(woken.0.load(Ordering::Relaxed));
}

#[test]
fn a_receiver_inside_the_application_is_woken_too() {
    let (connection, attachment) = open(EndpointOptions::default());
    let inner = Arc::new(Woken::default());
    let waker = Waker::from(inner.clone());
    assert!(connection.poll_event(&Context::from_waker(&waker), Intake::Everything).is_pending());
    attachment.receiver().receive(&context(), Payload::text("x"));
    assert!(inner.0.load(Ordering::Relaxed));
}

#[derive(Default)]
struct Woken(AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_came_before_a_broken_frame_counts_where_it_is_awaited() {
    let broken = "closing: bad message: malformed close frame";
    for (intake, expected) in
        [(Intake::Everything, vec!["good", broken]), (Intake::Urgent, vec![broken])]
    {
        let (connection, attachment) = open(EndpointOptions::default());
        connection.receive(Payload::text("good"));
        attachment.receiver().refuse_frame(FrameError::BadClose);
        connection.receive(Payload::text("late"));
        let mut seen = Vec::new();
        while let Poll::Ready(event) = connection.poll_event(&context(), intake) {
            seen.push(describe(event));
        }
        assert_eq!(seen, expected);
        assert_eq!(connection.close_code(), 1002);
    }
}

fn pinging(timeout: Option<Duration>) -> (Connection, Attachment) {
    let interval = Duration::from_secs(2);
    let options = EndpointOptions::default();
    open(options.web_socket_ping_interval(interval).web_socket_ping_timeout(timeout))
}

fn take(attachment: &Attachment) -> Poll<Taken> {
    attachment.poll_take(&context(), 0, 1, &mut VecDeque::new())
}

#[test]
fn a_ping_is_due_whatever_is_sent_meanwhile() {
    let (connection, attachment) = pinging(None);
    connection.tick();
    assert_eq!(take(&attachment), Poll::Pending);
    connection.tick();
    connection.send(Message::text("first"));
    assert_eq!(take(&attachment), Poll::Ready(Taken::Messages));
    assert_eq!(take(&attachment), Poll::Ready(Taken::Heartbeat));
    assert_eq!(take(&attachment), Poll::Pending);
}

#[test]
fn a_peer_that_answers_no_ping_has_timed_out() {
    let timeout = Duration::from_secs(3);
    let (connection, _attachment) = pinging(Some(timeout));
    for _ in 0..10 {
        connection.heard();
        connection.tick();
    }
    assert!(!connection.is_closing());
    // Whoever is not read cannot be heard.
    connection.hold(connection.options().application_max_buffer_size);
    for _ in 0..10 {
        connection.tick();
    }
    assert!(!connection.is_closing());
    connection.release(connection.options().application_max_buffer_size);
    let ticks = std::iter::repeat_with(|| connection.tick());
    let silent = ticks.take_while(|()| !connection.is_closing()).count();
    assert_eq!(silent, 3, "the last tick before these had a Ping");
    assert_eq!(connection.disconnect_reason(), Some(DisconnectReason::ClientTimeout));
}
