//! Single parts of Hubwire, with criterion's statistics: `cargo bench`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use hubwire::prelude::*;
use hubwire::{ConnectRequest, EndpointOptions, HubProtocol, Transport};
use hubwire_protocol::InvocationHead;
use hubwire_transport::{Connection, Message};

use self::memory::Client;

#[path = "../src/memory.rs"]
mod memory;

struct Bench;

#[hub]
impl Bench {
    fn echo(&self, text: String) -> String {
        text
    }
}

const TEXT: &str = "a short text of thirty-two bytes";

/// Messages read and written.
fn codecs(criterion: &mut Criterion) {
    for (name, protocol) in [("json", HubProtocol::Json), ("messagepack", HubProtocol::MessagePack)]
    {
        let mut invocation = Vec::new();
        let head = InvocationHead { invocation_id: Some("7"), ..InvocationHead::new("Echo") };
        protocol.write_invocation(&mut invocation, &head, &(TEXT,)).expect("texts are written");
        // Of framing the reader has its own.
        let body = match protocol {
            HubProtocol::Json => &invocation[..invocation.len() - 1],
            _ => &invocation[1..],
        };
        let frame = actix_web::web::Bytes::copy_from_slice(body);
        criterion.bench_function(&format!("codec/{name}/parse an invocation"), |bench| {
            bench.iter(|| protocol.parse(black_box(&frame)).expect("it is an invocation"));
        });
        criterion.bench_function(&format!("codec/{name}/write a completion"), |bench| {
            let mut out = Vec::with_capacity(256);
            bench.iter(|| {
                out.clear();
                protocol.write_result(&mut out, "7", black_box(TEXT)).expect("texts are written");
            });
        });
    }
}

/// From a payload that came to the answer that waits, and taking it.
fn dispatch(criterion: &mut Criterion) {
    let hub = Hub::new(Bench).build();
    let options = Arc::new(EndpointOptions::default());
    let mut client = Client::connect(&hub, "one", &options);
    let call = format!(
        "{{\"arguments\":[\"{TEXT}\"],\"invocationId\":\"7\",\"target\":\"Echo\",\"type\":1}}\x1e"
    );
    let many = call.repeat(16);
    criterion.bench_function("dispatch/a call", |bench| {
        bench.iter(|| {
            client.say(&call);
            assert_eq!(client.hear(), 1);
        });
    });
    criterion.bench_function("dispatch/sixteen calls in one payload", |bench| {
        bench.iter(|| {
            client.say(&many);
            assert_eq!(client.hear(), 16);
        });
    });
}

/// A message put into an outbox and taken from it.
fn outbox(criterion: &mut Criterion) {
    let options = Arc::new(EndpointOptions::default());
    let request = ConnectRequest::local("/hub", Transport::WebSockets);
    let (connection, attachment) = Connection::open("one".into(), request, options);
    let message = Message::text(TEXT);
    criterion.bench_function("outbox/push and take", |bench| {
        bench.iter(|| {
            connection.send(black_box(message.clone()));
            attachment.take_now().expect("it was pushed")
        });
    });
}

/// From an address to the outboxes it means, among 10,000 clients.
fn addresses(criterion: &mut Criterion) {
    const CLIENTS: usize = 10_000;
    const MEMBERS: usize = 100;
    let hub = Hub::new(Bench).build();
    let options = Arc::new(EndpointOptions::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|index| Client::connect(&hub, &format!("client-{index}"), &options))
        .collect();
    let groups = hub.groups();
    for client in &clients[..MEMBERS] {
        let joined = groups.add(client.connection.id(), "few");
        joined.now_or_never().expect("no other server is waited for").expect("it is here");
    }
    let one = clients[4711].connection.id().clone();
    criterion.bench_function("addresses/one of 10,000", |bench| {
        bench.iter(|| {
            drop(hub.clients().client(&one).send("message", &(TEXT,)));
            clients[4711].hear()
        });
    });
    criterion.bench_function("addresses/a group of 100", |bench| {
        bench.iter(|| {
            drop(hub.clients().group("few").send("message", &(TEXT,)));
            clients[..MEMBERS].iter().map(Client::hear).sum::<usize>()
        });
    });
    criterion.bench_function("addresses/all of 10,000", |bench| {
        bench.iter(|| {
            drop(hub.clients().all().send("message", &(TEXT,)));
            clients.iter().map(Client::hear).sum::<usize>()
        });
    });
}

criterion_group!(parts, codecs, dispatch, outbox, addresses);
criterion_main!(parts);
