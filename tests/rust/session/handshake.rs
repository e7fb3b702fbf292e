//! The first exchange: which protocol, which version, and how long it may take.

use hubwire::prelude::*;

use crate::kit::{Act, HANDSHAKE, Link, Log, invoke, result};

struct Greeter {
    log: Log,
}

#[hub]
impl Greeter {
    fn on_connected(&self) {
        self.log.add("connected");
    }

    fn on_disconnected(&self) {
        self.log.add("disconnected");
    }

    fn echo(&self, text: String) -> String {
        text
    }
}

fn greeter(options: HubOptions) -> (Hub<Greeter>, Log) {
    let log = Log::default();
    (Hub::new(Greeter { log: log.clone() }).options(options).build(), log)
}

fn small_messages() -> HubOptions {
    HubOptions::default().maximum_receive_message_size(Some(100))
}

/// The payloads are a handshake that is accepted, and what follows it is answered so.
#[track_caller]
fn check_accepted(payloads: &[&str], answers: &[&str]) {
    let (hub, log) = greeter(HubOptions::default());
    let mut link = Link::open(&hub);
    for payload in payloads {
        link.deliver(payload);
    }
    let heard = link.heard();
    assert_eq!(heard.first().map(String::as_str), Some("{}"), "after {payloads:?}");
    assert_eq!(heard[1..], *answers, "after {payloads:?}");
    assert_eq!((link.reason(), hub.connection_count()), (None, 1));
    assert_eq!(log.take(), ["connected"]);
}

/// The payloads are refused with this error, and nobody learns of the connection.
#[track_caller]
fn check_refused(options: HubOptions, payloads: &[&str], error: &str, reason: DisconnectReason) {
    let (hub, log) = greeter(options);
    let mut link = Link::open(&hub);
    for payload in payloads {
        link.deliver(payload);
    }
    assert_eq!(link.heard(), [format!(r#"{{"error":"{error}"}}"#)]);
    assert_eq!(link.reason(), Some(reason));
    assert!(link.is_over(), "a refused connection has no session");
    assert_eq!(hub.connection_count(), 0);
    assert!(log.take().is_empty(), "the hub does not hear of a refused connection");
}

fn refused(text: &str) -> DisconnectReason {
    DisconnectReason::Refused { detail: text.to_owned() }
}

fn handshake(protocol: &str, version: i64) -> String {
    format!("{{\"protocol\":\"{protocol}\",\"version\":{version}}}\u{1e}")
}

#[test]
fn every_version_up_to_2_is_accepted() {
    for version in 0..=2 {
        check_accepted(&[&handshake("json", version)], &[]);
    }
}

#[test]
fn it_may_be_torn_at_any_byte() {
    let whole = handshake("json", 1);
    for at in 1..whole.len() {
        check_accepted(&[&whole[..at], &whole[at..]], &[]);
    }
    let bytes: Vec<_> = whole.split_inclusive(|_| true).collect();
    check_accepted(&bytes, &[]);
}

#[test]
fn messages_may_come_right_behind_it() {
    let call = invoke("1", "Echo", r#"["a"]"#);
    let answer = result("1", r#""a""#);
    let together = format!("{HANDSHAKE}\u{1e}{call}\u{1e}");
    check_accepted(&[&together], &[&answer]);
    let (first, second) = together.split_at(together.len() - 10);
    check_accepted(&[first, second], &[&answer]);
}

#[test]
fn an_unknown_protocol_is_refused() {
    let text = "The protocol 'smoke' is not supported.";
    check_refused(HubOptions::default(), &[&handshake("smoke", 1)], text, refused(text));
}

#[test]
fn a_version_from_the_future_is_refused() {
    let text = "The server does not support version 3 of the 'json' protocol.";
    check_refused(HubOptions::default(), &[&handshake("json", 3)], text, refused(text));
}

#[test]
fn garbage_is_refused() {
    let sentence = "An unexpected error occurred during connection handshake.";
    let cases = [
        ("garbage\u{1e}", "the message is not JSON at byte 0"),
        ("\u{1e}", "the message is empty"),
        ("{}\u{1e}", "Missing required property 'protocol'."),
        ("{\"type\":6}\u{1e}", "Missing required property 'protocol'."),
        ("{\"protocol\":\"json\"}\u{1e}", "Missing required property 'version'."),
    ];
    for (payload, rule) in cases {
        let reason = DisconnectReason::BadMessage { detail: format!("handshake: {rule}") };
        check_refused(HubOptions::default(), &[payload], sentence, reason.clone());
        let detailed = HubOptions::default().enable_detailed_errors(true);
        let text = format!("{sentence} InvalidDataException: {rule}");
        check_refused(detailed, &[payload], &text, reason);
    }
}

#[test]
fn a_handshake_over_the_limit_is_refused_before_its_end() {
    let reason = DisconnectReason::MessageTooBig { size: 101, limit: 100 };
    let piece = "x".repeat(50);
    check_refused(small_messages(), &[&piece, &piece], "Handshake was canceled.", reason.clone());
    let whole = format!("{{\"x\":\"{piece}\",{}", &handshake("json", 1)[1..]);
    let padded = whole.replace(&piece, &"x".repeat(100));
    check_refused(small_messages(), &[&padded], "Handshake was canceled.", reason);
}

#[test]
fn it_may_take_15_whole_seconds() {
    let (hub, log) = greeter(HubOptions::default());
    let mut link = Link::open(&hub);
    link.deliver("{\"protocol\":");
    // The first tick comes within the first second, so that 15 ticks may be little more than 14 s.
    link.tick(15);
    assert_eq!((link.heard(), link.reason()), (vec![], None));
    link.tick(1);
    assert_eq!(link.heard(), [r#"{"error":"Handshake was canceled."}"#]);
    assert_eq!(link.reason(), Some(DisconnectReason::HandshakeTimeout));
    assert!(link.is_over());
    assert!(log.take().is_empty());
}

#[test]
fn one_in_the_last_second_is_in_time() {
    let (hub, _) = greeter(HubOptions::default());
    let mut link = Link::open(&hub);
    link.tick(15);
    link.say(HANDSHAKE);
    assert_eq!(link.heard(), ["{}"]);
    link.tick(5);
    assert_eq!(link.reason(), None);
}

#[test]
fn a_client_that_leaves_before_it_leaves_nothing() {
    let close_frame = |link: &mut Link| link.close(DisconnectReason::ClientClosed { error: None });
    let ends: [(Act, &str); 2] = [(Link::hang_up, "network_lost"), (close_frame, "client_closed")];
    for (end, reason) in ends {
        let (hub, log) = greeter(HubOptions::default());
        let mut link = Link::open(&hub);
        link.deliver("{\"protocol\":");
        end(&mut link);
        assert!(link.heard().is_empty());
        assert_eq!(link.reason().map(|reason| reason.label()), Some(reason));
        assert!(link.is_over());
        assert!(log.take().is_empty());
    }
}

#[test]
fn one_that_arrived_before_the_network_went_away_counts() {
    let (hub, log) = greeter(HubOptions::default());
    let mut link = Link::open(&hub);
    link.connection.receive(hubwire_transport::Payload::text(&handshake("json", 1)));
    link.hang_up();
    assert!(link.is_over());
    assert_eq!(log.take(), ["connected", "disconnected"]);
}

#[test]
fn a_client_that_has_not_shaken_hands_is_not_there() {
    let (hub, _) = greeter(HubOptions::default());
    let mut link = Link::open(&hub);
    assert_eq!(hub.connection_count(), 0);
    assert_eq!(hub.clients().all().send("Notify", &("x",)).receivers(), 0);
    assert_eq!(hub.clients().client(&"a".into()).send("Notify", &("x",)).receivers(), 0);
    link.say(HANDSHAKE);
    assert_eq!(link.heard(), ["{}"]);
    assert_eq!(hub.connection_count(), 1);
}
