//! Connections that are carried by polls.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::{
    Attachment, ConnectRequest, Connection, DisconnectReason, EndpointOptions, Message, Receipt,
    ReceiptError, Room, Taken, Transport,
};

fn open() -> Connection {
    let request = ConnectRequest::local("/test", Transport::LongPolling);
    Connection::open_polled("test".into(), request, Arc::new(EndpointOptions::default()))
}

fn take(poll: &Attachment, passed: usize) -> (Poll<Taken>, Vec<Vec<u8>>) {
    let mut taken = VecDeque::new();
    let cx = Context::from_waker(Waker::noop());
    let outcome = poll.poll_take(&cx, passed, usize::MAX, &mut taken);
    (outcome, taken.iter().map(|message| message.payload().to_vec()).collect())
}

fn texts(texts: &[&str]) -> (Poll<Taken>, Vec<Vec<u8>>) {
    (Poll::Ready(Taken::Messages), texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}

#[test]
fn what_a_poll_did_not_pass_on_goes_out_with_the_next_in_order() {
    let connection = open();
    for text in ["a", "b", "c"] {
        connection.send(Message::text(text));
    }
    let poll = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&poll, 0), texts(&["a", "b", "c"]));
    connection.send(Message::text("d"));
    // One message was passed on whole, and another in part.
    let passed = Message::text("a").cost() + 1;
    assert_eq!(take(&poll, passed), texts(&["d"]));
    drop(poll);
    let poll = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&poll, 0), texts(&["b", "c", "d"]));
    assert!(take(&poll, connection.backlog()).0.is_pending());
    assert_eq!(connection.backlog(), 0);
}

#[test]
fn whoever_was_answered_is_woken_no_more() {
    let connection = open();
    for receipt in [Receipt::None, Receipt::Acknowledged(0)] {
        let task = Arc::new(());
        let waker = Waker::from(Arc::new(Task(task.clone())));
        let poll = connection.attach_poll(receipt).unwrap();
        let waits = poll.poll_take(&Context::from_waker(&waker), 0, 1, &mut VecDeque::new());
        drop(waker);
        assert!(waits.is_pending());
        assert_eq!(Arc::strong_count(&task), 2, "it waits");
        drop(poll);
        assert_eq!(Arc::strong_count(&task), 1);
    }
}

/// A task that is known by what it holds.
struct Task(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_newer_poll_takes_everything_over() {
    let connection = open();
    connection.send(Message::text("a"));
    let older = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&older, 0), texts(&["a"]));
    let newer = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&older, 1000), (Poll::Ready(Taken::Superseded), vec![]), "too late to pass on");
    assert_eq!(take(&newer, 0), texts(&["a"]));
    drop(older);
    connection.send(Message::text("b"));
    assert_eq!(take(&newer, 0), texts(&["b"]), "the older one puts nothing back");
}

#[test]
fn an_empty_message_is_no_answer() {
    let connection = open();
    assert_eq!(connection.send(Message::text("")), Room::Available);
    connection.send(Message::text("a"));
    let poll = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&poll, 0), texts(&["a"]));
    connection.close(DisconnectReason::ClientClosed { error: None });
    assert_eq!(connection.send(Message::text("")), Room::Closed);
}

#[test]
fn nobody_waits_for_room_that_no_poll_will_make() {
    let ways_to_go: [fn(&Connection); 2] =
        [Connection::told, |connection| (0..=15).for_each(|_| connection.tick())];
    for go in ways_to_go {
        let connection = open();
        let cx = Context::from_waker(Waker::noop());
        connection.send(Message::binary(&[0; 100_000]));
        // For this reason what waits would still go out, if only somebody came.
        connection.close(DisconnectReason::MessageTooBig { size: 2, limit: 1 });
        assert!(connection.poll_room(&cx).is_pending());
        go(&connection);
        assert!(connection.poll_room(&cx).is_ready());
    }
}

#[test]
fn between_polls_nobody_is_slow_but_somebody_may_be_gone() {
    let connection = open();
    connection.send(Message::text("a"));
    for _ in 0..15 {
        connection.tick();
    }
    assert_eq!(connection.disconnect_reason(), None);
    connection.tick();
    assert_eq!(connection.disconnect_reason(), Some(DisconnectReason::NetworkLost));
}

#[test]
fn a_parked_poll_is_a_sign_of_life() {
    let connection = open();
    let poll = connection.attach_poll(Receipt::None).unwrap();
    assert!(take(&poll, 0).0.is_pending());
    for _ in 0..100 {
        connection.tick();
    }
    assert_eq!(connection.disconnect_reason(), None);
}

#[test]
fn the_end_is_told_to_a_poll_or_waits_for_one_in_vain() {
    for is_told in [true, false] {
        let connection = open();
        let cx = Context::from_waker(Waker::noop());
        connection.finish(Some(Message::text("bye")));
        assert!(connection.poll_detached(&cx).is_pending());
        if is_told {
            let poll = connection.attach_poll(Receipt::None).unwrap();
            assert_eq!(take(&poll, 0), texts(&["bye"]));
            assert_eq!(take(&poll, connection.backlog()).0, Poll::Ready(Taken::Finished));
            connection.told();
        } else {
            for _ in 0..16 {
                connection.tick();
            }
        }
        assert!(connection.poll_detached(&cx).is_ready());
    }
}

#[test]
fn an_answer_stays_until_it_is_acknowledged() {
    let connection = open();
    let poll = |ack| connection.attach_poll(Receipt::Acknowledged(ack));
    connection.send(Message::text("a"));
    let first = poll(0).unwrap();
    assert_eq!(take(&first, 0), texts(&["a"]));
    first.handed_on(1, true);
    drop(first);
    connection.send(Message::text("b"));
    let again = poll(0).unwrap();
    assert_eq!(take(&again, 0), texts(&["a"]), "the answer did not arrive, and stays what it is");
    drop(again);
    let next = poll(1).unwrap();
    assert_eq!(take(&next, 0), texts(&["b"]));
    drop(next);
    assert!(take(&poll(2).unwrap(), 0).0.is_pending());
    assert_eq!(connection.backlog(), 0);
}

#[test]
fn the_end_comes_behind_the_last_acknowledgement() {
    let connection = open();
    connection.finish(Some(Message::text("bye")));
    for _ in 0..2 {
        let poll = connection.attach_poll(Receipt::Acknowledged(0)).unwrap();
        assert_eq!(take(&poll, 0), texts(&["bye"]));
    }
    let poll = connection.attach_poll(Receipt::Acknowledged(1)).unwrap();
    assert_eq!(take(&poll, 0), (Poll::Ready(Taken::Finished), vec![]));
}

#[test]
fn acknowledgements_that_do_not_fit_change_nothing() {
    let connection = open();
    let poll = |ack| connection.attach_poll(Receipt::Acknowledged(ack));
    assert_eq!(poll(1).unwrap_err(), ReceiptError::NotGiven, "nothing was sent");
    connection.send(Message::text("a"));
    assert_eq!(poll(1).unwrap_err(), ReceiptError::NotGiven, "nothing was taken");
    let first = poll(0).unwrap();
    assert_eq!(take(&first, 0), texts(&["a"]));
    assert_eq!(poll(2).unwrap_err(), ReceiptError::NotGiven);
    connection.send(Message::text("b"));
    let second = poll(1).unwrap();
    assert_eq!(poll(0).unwrap_err(), ReceiptError::Overtaken);
    assert_eq!(take(&second, 0), texts(&["b"]), "the late one has not taken over");
}

#[test]
fn whoever_acknowledges_when_all_is_cut_is_told_the_end() {
    let connection = open();
    connection.send(Message::text("a"));
    let poll = connection.attach_poll(Receipt::Acknowledged(0)).unwrap();
    assert_eq!(take(&poll, 0), texts(&["a"]));
    drop(poll);
    connection.cut();
    let poll = connection.attach_poll(Receipt::Acknowledged(1)).unwrap();
    assert_eq!(take(&poll, 0), (Poll::Ready(Taken::Cut), vec![]));
}

#[test]
fn a_long_answer_that_is_taken_slowly_is_no_stalled_client() {
    let connection = open();
    connection.send(Message::text("a"));
    let poll = connection.attach_poll(Receipt::None).unwrap();
    assert_eq!(take(&poll, 0), texts(&["a"]));
    for _ in 0..100 {
        poll.handed_on(1, false);
        connection.tick();
    }
    assert_eq!(connection.disconnect_reason(), None);
    for _ in 0..11 {
        connection.tick();
    }
    assert_eq!(connection.disconnect_reason().map(|reason| reason.label()), Some("slow_consumer"));
}

#[test]
fn a_late_copy_of_a_poll_does_not_change_what_is_acknowledged() {
    for is_answered in [true, false] {
        let connection = open();
        let poll = |ack| connection.attach_poll(Receipt::Acknowledged(ack));
        connection.send(Message::text("a"));
        let received = poll(0).unwrap();
        assert_eq!(take(&received, 0), texts(&["a"]));
        connection.send(Message::text("b"));
        let late = poll(0).unwrap();
        if is_answered {
            assert_eq!(take(&late, 0), texts(&["a"]));
        }
        let next = poll(1).unwrap();
        assert_eq!(take(&next, 0), texts(&["b"]), "answered: {is_answered}");
    }
}
