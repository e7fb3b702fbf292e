//! Clients that speak MessagePack: how they come in, what they hear, and that JSON's clients beside them hear the same.

use std::cell::Cell;

use futures_util::stream;
use hubwire::prelude::*;
use hubwire::{Binary, ClientProxy, HubProtocol, Many, Raw, TransferFormat, Transport};
use hubwire_transport::Message;
use serde::{Serialize, Serializer};

use crate::kit::{HANDSHAKE, Link, Log, Page, invoke, notification, result};

const HELLO: &[u8] = b"{\"protocol\":\"messagepack\",\"version\":1}\x1e";
const PING: &[u8] = b"\x91\x06";

struct Packed {
    log: Log,
}

#[hub(client = Page)]
impl Packed {
    fn on_disconnected(&self, reason: &DisconnectReason) {
        self.log.add(reason);
    }

    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    fn reversed(&self, bytes: Binary) -> Binary {
        bytes.iter().rev().copied().collect::<Vec<_>>().into()
    }

    fn pass(&self, anything: Raw) -> Raw {
        anything
    }

    fn counter(&self, count: u32) -> impl Stream<Item = u32> {
        stream::iter(0..count)
    }

    async fn sum(&self, mut numbers: ClientStream<i64>) -> HubResult<i64> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn ask(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().caller().confirm("?").await?)
    }
}

fn packed(options: HubOptions) -> (Hub<Packed>, Log) {
    let log = Log::default();
    (Hub::new(Packed { log: log.clone() }).options(options).build(), log)
}

/// A message of up to 127 bytes with its length.
fn framed(message: &[u8]) -> Vec<u8> {
    assert!(message.len() < 128);
    [&[message.len() as u8], message].concat()
}

/// What the client is sent, without the lengths; all of it is binary.
fn heard(link: &mut Link) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    link.run();
    while let Some(message) = link.take() {
        assert_eq!(message.format(), TransferFormat::Binary);
        let (length, bytes) = message.payload().split_first().expect("a message has a length");
        assert_eq!(usize::from(*length), bytes.len(), "these tests hear short messages");
        heard.push(bytes.to_vec());
        link.run();
    }
    heard
}

fn connect(hub: &Hub<Packed>, id: &str) -> Link {
    let mut link = Link::dial(hub).id(id).open();
    shake_hands(&mut link, HELLO);
    link
}

fn shake_hands(link: &mut Link, payload: &[u8]) {
    link.deliver_bytes(payload);
    let answer = link.take().expect("a handshake is answered");
    assert_eq!((answer.payload(), answer.format()), (&b"{}\x1e"[..], TransferFormat::Binary));
}

/// The client sends this after its handshake, and hears that.
#[track_caller]
fn check(messages: &[&[u8]], answers: &[&[u8]]) {
    let (hub, _) = packed(HubOptions::default());
    let mut link = connect(&hub, "a");
    for message in messages {
        link.deliver_bytes(&framed(message));
    }
    assert_eq!(heard(&mut link), answers);
    assert_eq!(link.reason(), None);
}

#[test]
fn messages_may_come_right_behind_the_handshake() {
    let call = framed(b"\x95\x01\x80\xa17\xa3Add\x92\x01\x02");
    let together = [HELLO, &call, &call].concat();
    for at in HELLO.len()..=together.len() {
        let (hub, _) = packed(HubOptions::default());
        let mut link = Link::open(&hub);
        shake_hands(&mut link, &together[..at]);
        link.deliver_bytes(&together[at..]);
        assert_eq!(heard(&mut link), [b"\x95\x03\x80\xa17\x03\x03"; 2], "torn at {at}");
    }
}

#[test]
fn the_handshake_itself_is_text_and_may_be_torn() {
    let text = std::str::from_utf8(HELLO).expect("it is JSON");
    for at in 0..=text.len() {
        let (hub, _) = packed(HubOptions::default());
        let mut link = Link::open(&hub);
        link.deliver(&text[..at]);
        link.deliver(&text[at..]);
        let answer = link.take().expect("a handshake is answered");
        assert_eq!((answer.payload(), answer.format()), (&b"{}\x1e"[..], TransferFormat::Binary));
    }
}

#[test]
fn a_transport_for_text_does_not_carry_it() {
    for transport in [Transport::WebSockets, Transport::LongPolling, Transport::ShortPolling] {
        let (hub, _) = packed(HubOptions::default());
        shake_hands(&mut Link::dial(&hub).over(transport).open(), HELLO);
    }
    let text = "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.";
    let (hub, _) = packed(HubOptions::default());
    let mut link = Link::dial(&hub).over(Transport::ServerSentEvents).open();
    link.deliver_bytes(HELLO);
    assert_eq!(link.heard(), [format!(r#"{{"error":"{text}"}}"#)]);
    assert_eq!(link.reason(), Some(DisconnectReason::Refused { detail: text.to_owned() }));
    assert!(link.is_over());
}

#[test]
fn a_hub_speaks_what_its_options_say() {
    let json = HANDSHAKE.to_owned() + "\u{1e}";
    let hello = String::from_utf8_lossy(HELLO);
    for (spoken, refused, name, protocol) in [
        (&*json, &*hello, "messagepack", HubProtocol::Json),
        (&hello, &json, "json", HubProtocol::MessagePack),
    ] {
        let (hub, _) = packed(HubOptions::default().supported_protocols([protocol]));
        let mut link = Link::open(&hub);
        link.deliver(spoken);
        assert_eq!(link.heard(), ["{}"]);
        let mut link = Link::open(&hub);
        link.deliver(refused);
        assert_eq!(
            link.heard(),
            [format!(r#"{{"error":"The protocol '{name}' is not supported."}}"#)]
        );
        assert!(link.is_over());
    }
    let nothing = Hub::new(Packed { log: Log::default() })
        .options(HubOptions::default().supported_protocols([]))
        .try_build();
    assert!(nothing.is_err());
}

#[test]
fn calls_are_answered() {
    check(&[b"\x96\x01\x80\xa17\xa3Add\x92\x01\x02\x90"], &[b"\x95\x03\x80\xa17\x03\x03"]);
    check(
        &[b"\x95\x01\x80\xa17\xa8Reversed\x91\xc4\x03\x01\x02\x1e"],
        &[b"\x95\x03\x80\xa17\x03\xc4\x03\x1e\x02\x01"],
    );
    // An extension that nobody knows, a float that is whole, an integer in three bytes: untouched.
    check(
        &[b"\x95\x01\x80\xa17\xa4Pass\x91\x93\xd4\x05\x00\xca\x40\x00\x00\x00\xcd\x00\x01"],
        &[b"\x95\x03\x80\xa17\x03\x93\xd4\x05\x00\xca\x40\x00\x00\x00\xcd\x00\x01"],
    );
    // Without an id nobody is answered, whatever comes of it.
    check(&[b"\x95\x01\x80\xc0\xa3Add\x90", b"\x95\x01\x80\xa0\xa3Add\x92\x01\x02"], &[]);
}

#[test]
fn streams_go_both_ways() {
    check(
        &[b"\x95\x04\x80\xa17\xa7Counter\x91\x02"],
        &[b"\x94\x02\x80\xa17\x00", b"\x94\x02\x80\xa17\x01", b"\x94\x03\x80\xa17\x02"],
    );
    check(
        &[
            b"\x96\x01\x80\xa17\xa3Sum\x90\x91\xa16",
            b"\x94\x02\x80\xa16\x28",
            b"\x94\x02\x80\xa16\x02",
            b"\x94\x03\x80\xa16\x02",
        ],
        &[b"\x95\x03\x80\xa17\x03\x2a"],
    );
}

#[test]
fn a_client_gives_results() {
    let (hub, _) = packed(HubOptions::default());
    let mut link = connect(&hub, "a");
    link.deliver_bytes(&framed(b"\x95\x01\x80\xa17\xa3Ask\x90"));
    assert_eq!(heard(&mut link), [b"\x96\x01\x80\xa2s1\xa7Confirm\x91\xa1?\x90"]);
    link.deliver_bytes(&framed(b"\x95\x03\x80\xa2s1\x03\xc3"));
    assert_eq!(heard(&mut link), [b"\x95\x03\x80\xa17\x03\xc3"]);
}

#[test]
fn pings_and_the_end_are_packed_too() {
    let (hub, log) = packed(HubOptions::default());
    let mut link = connect(&hub, "a");
    link.tick(15);
    assert_eq!(heard(&mut link), [PING]);
    link.close(DisconnectReason::Shutdown);
    assert_eq!(heard(&mut link), [b"\x93\x07\xc0\xc3"]);
    let mut link = connect(&hub, "b");
    link.deliver_bytes(&framed(b"\x92\x07\xc0"));
    assert_eq!(link.reason(), Some(DisconnectReason::ClientClosed { error: None }));
    assert_eq!(log.take(), ["shutdown", "client closed"]);
}

fn everyone(hub: &Hub<Packed>) -> ClientProxy<Many> {
    hub.clients().all().into()
}

/// Counts how often it is written.
struct Counted<'c>(&'c Cell<u32>);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.set(self.0.get() + 1);
        serializer.serialize_str("hello")
    }
}

#[test]
fn a_broadcast_is_written_once_for_each_protocol_and_shared() {
    let (hub, _) = packed(HubOptions::default());
    let written = Cell::new(0);
    let broadcast = || {
        written.set(0);
        let sent = everyone(&hub).send("Notify", &(Counted(&written),));
        (sent.receivers(), written.get())
    };
    assert_eq!(broadcast(), (0, 0), "nobody is there, and nothing is written");
    let mut texts = ["a", "b"].map(|id| Link::dial(&hub).id(id).connect());
    assert_eq!(broadcast(), (2, 1));
    let mut packs = ["c", "d", "e"].map(|id| connect(&hub, id));
    let _ = texts.each_mut().map(Link::take);
    assert_eq!(broadcast(), (5, 2));

    let one_buffer = |messages: &[Message]| {
        messages.iter().all(|message| message.payload().as_ptr() == messages[0].payload().as_ptr())
    };
    let texts = texts.each_mut().map(|link| link.take().expect("everybody hears it"));
    let packs = packs.each_mut().map(|link| link.take().expect("everybody hears it"));
    assert!(one_buffer(&texts) && one_buffer(&packs));
    assert_eq!(texts[0].payload(), (notification("hello") + "\u{1e}").as_bytes());
    assert_eq!(packs[0].payload(), framed(b"\x96\x01\x80\xc0\xa6Notify\x91\xa5hello\x90"));
}

#[test]
fn what_one_client_sends_undecoded_another_gets_in_its_own_protocol() {
    let (hub, _) = packed(HubOptions::default());
    let mut text = Link::dial(&hub).id("a").connect();
    text.say(invoke("1", "Pass", r#"[{"b":[1.50,null]}]"#));
    assert_eq!(text.heard(), [result("1", r#"{"b":[1.50,null]}"#)], "to the digit");
    let mut pack = connect(&hub, "b");
    let raw = Raw::new(HubProtocol::Json, &[1, 2]).expect("it has a form");
    everyone(&hub).send("Notify", &(&raw,));
    assert_eq!(heard(&mut pack), [b"\x96\x01\x80\xc0\xa6Notify\x91\x92\x01\x02\x90"]);
    assert_eq!(text.heard(), [crate::kit::send("Notify", "[[1,2]]")]);
    let raw = Raw::new(HubProtocol::MessagePack, &Binary::from(vec![1])).expect("it has a form");
    everyone(&hub).send("Notify", &(&raw,));
    assert_eq!(heard(&mut pack), [b"\x96\x01\x80\xc0\xa6Notify\x91\xc4\x01\x01\x90"]);
    assert_eq!(text.heard(), [crate::kit::send("Notify", r#"["AQ=="]"#)]);
}

#[test]
fn half_a_message_has_no_rest_on_another_socket() {
    let (hub, log) = packed(HubOptions::default());
    let mut link = Link::dial(&hub).stateful().open();
    link.deliver_bytes(b"{\"protocol\":\"messagepack\",\"version\":2}\x1e");
    assert_eq!(link.hear_one().as_deref(), Some("{}"));
    let call = framed(b"\x96\x01\x80\xa11\xa3Add\x92\x01\x02\x90");
    let sequence = framed(b"\x92\x09\x01");
    for half in [1, 5] {
        link.deliver_bytes(&call[..half]);
        link.reconnect();
        link.deliver_bytes(&[&sequence[..], &call].concat());
    }
    let answer = b"\x95\x03\x80\xa11\x03\x03".to_vec();
    let opening = b"\x92\x09\x01".to_vec();
    assert_eq!(heard(&mut link), [opening, answer]);
    assert_eq!(log.take(), [] as [&str; 0], "and the call was made once");
}
