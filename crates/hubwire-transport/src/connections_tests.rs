use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Waker};

use super::*;
use crate::{Attachment, ConnectRequest, EndpointOptions, Payload, Transport};

/// Remembers what happened, and does what messages say.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Diary {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }
}

impl Application for Diary {
    async fn connected(&self, connection: &Connection) {
        self.write(format!("connected {}", connection.id()));
    }

    async fn payload(&self, connection: &Connection, payload: Payload) {
        match payload.as_text() {
            Some("leave") => connection.close(DisconnectReason::Kicked),
            Some("panic") => panic!("as asked"),
            text => {
                self.write(format!("{:?} {text:?}", payload.format));
                connection.send(payload.into());
            }
        }
    }

    async fn closed(&self, _: &Connection, reason: &DisconnectReason) {
        self.write(format!("closed: {reason}"));
    }
}

struct Running {
    connections: Connections<Diary>,
    connection: Connection,
    attachment: Option<Attachment>,
    session: Pin<Box<dyn Future<Output = ()>>>,
    _registration: Option<crate::Registration>,
}

impl Running {
    fn start() -> Self {
        let connections = Connections::new(Diary::default()).build();
        let request = ConnectRequest::local("/", Transport::WebSockets);
        let options = Arc::new(EndpointOptions::default());
        let (connection, attachment) = Connection::open("a".into(), request, options);
        let registration = connections.0.table.enter(&connection, None);
        let session = connections.runner().run(connection.clone());
        Self {
            connections,
            connection,
            attachment: Some(attachment),
            session,
            _registration: registration,
        }
    }

    fn run(&mut self) -> Poll<()> {
        self.session.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    fn say(&mut self, payload: Payload) -> Poll<()> {
        self.connection.receive(payload);
        self.run()
    }

    fn diary(&self) -> Vec<String> {
        self.connections.application().0.lock().unwrap().clone()
    }

    fn received(&self) -> Vec<(Vec<u8>, crate::TransferFormat)> {
        let mut taken = VecDeque::new();
        let cx = Context::from_waker(Waker::noop());
        if let Some(attachment) = &self.attachment {
            let _ = attachment.poll_take(&cx, 0, usize::MAX, &mut taken);
        }
        taken.iter().map(|message| (message.payload().to_vec(), message.format())).collect()
    }
}

#[test]
fn messages_come_in_and_go_out_as_they_are() {
    let mut running = Running::start();
    let binary = Payload::new(vec![0xff].into(), crate::TransferFormat::Binary);
    assert!(running.say(Payload::text("hi")).is_pending());
    assert!(running.say(binary).is_pending());
    assert_eq!(running.connections.send(&Message::text("all")), 1);
    assert_eq!(running.diary(), ["connected a", "Text Some(\"hi\")", "Binary None"]);
    let expected = [
        (b"hi".to_vec(), crate::TransferFormat::Text),
        (vec![0xff], crate::TransferFormat::Binary),
        (b"all".to_vec(), crate::TransferFormat::Text),
    ];
    assert_eq!(running.received(), expected);
}

#[test]
fn the_end_is_told_once() {
    let mut running = Running::start();
    assert!(running.run().is_pending());
    running.attachment = None;
    assert!(running.run().is_ready());
    assert_eq!(running.diary(), ["connected a", "closed: network lost"]);
}

#[test]
fn an_application_may_end_a_connection() {
    let mut running = Running::start();
    assert!(running.say(Payload::text("leave")).is_ready());
    assert_eq!(running.diary(), ["connected a", "closed: kicked"]);
    assert_eq!(running.connections.send(&Message::text("late")), 0);
}

#[test]
fn a_panic_ends_its_connection_only() {
    let mut running = Running::start();
    assert!(running.say(Payload::text("panic")).is_ready());
    assert_eq!(running.diary(), ["connected a", "closed: kicked"]);
}

#[test]
fn it_is_called_like_its_type() {
    assert_eq!(Connections::new(Diary::default()).build().name(), "Diary");
    assert_eq!(Connections::new(Diary::default()).name("diary").build().name(), "diary");
}

#[test]
fn many_messages_let_others_have_their_turn() {
    let mut running = Running::start();
    for _ in 0..MESSAGES_AT_ONCE + 1 {
        running.connection.receive(Payload::text("x"));
    }
    assert!(running.run().is_pending());
    assert_eq!(running.diary().len(), 1 + MESSAGES_AT_ONCE);
    assert!(running.run().is_pending());
    assert_eq!(running.diary().len(), 2 + MESSAGES_AT_ONCE);
}
