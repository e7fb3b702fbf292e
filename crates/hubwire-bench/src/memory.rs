//! A client in memory: a connection, its session and nothing below them, for what sockets would drown.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use hubwire::{
    ConnectRequest, ConnectionId, EndpointOptions, Hub, HubDefinition, Mount, Transport,
};
use hubwire_transport::{Attachment, Connection, Payload};

/// It has shaken hands.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    attachment: Attachment,
    session: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Client {
    pub(crate) fn connect<H: HubDefinition>(
        hub: &Hub<H>,
        id: &str,
        options: &Arc<EndpointOptions>,
    ) -> Self {
        let id = ConnectionId::from(id);
        let request = ConnectRequest::local("/hub", Transport::WebSockets);
        let (connection, attachment) = Connection::open(id, request, options.clone());
        let session = Box::pin(hub.runner().run(connection.clone()).into_future());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut client = Self { connection, attachment, session, woken, waker };
        client.say("{\"protocol\":\"json\",\"version\":1}\x1e");
        assert_eq!(client.hear(), 1, "the handshake is answered");
        client
    }

    /// Hands in a payload, and lets the session do what it can.
    pub(crate) fn say(&mut self, payload: &str) {
        self.connection.receive(Payload::text(payload));
        self.run();
    }

    /// Takes all that waits for it, and says how many messages that were.
    pub(crate) fn hear(&self) -> usize {
        std::iter::from_fn(|| self.attachment.take_now()).count()
    }

    /// A session that has done a lot lets others have their turn, and wakes itself.
    fn run(&mut self) {
        loop {
            self.woken.0.store(false, Ordering::Relaxed);
            let polled = self.session.as_mut().poll(&mut Context::from_waker(&self.waker));
            assert_eq!(polled, Poll::Pending, "the session goes on");
            if !self.woken.0.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}
