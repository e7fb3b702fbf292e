//! How connections end: what the client is told, what the hub is told, and that both are told once.

use hubwire::prelude::*;
use hubwire_transport::Payload;
use hubwire_transport::websocket::FrameError;

use crate::kit::{HANDSHAKE, Link, Log, PING, Page, invoke, notification, send};

const GOODBYE: &str = r#"{"type":7}"#;
const COME_BACK: &str = r#"{"type":7,"allowReconnect":true}"#;
const WITH_ERROR: &str =
    r#"{"type":7,"error":"Connection closed with an error.","allowReconnect":true}"#;

struct Ends {
    log: Log,
}

#[hub(client = Page)]
impl Ends {
    fn on_disconnected(&self, cx: &CallerContext<Self>, reason: &DisconnectReason) {
        self.log.add(reason);
        let reached = cx.clients().caller().notify("after the end").receivers();
        self.log.add(format_args!("reached {reached}"));
    }

    fn abort(&self, cx: &CallerContext<Self>) {
        cx.clients().caller().notify("before the end");
        cx.abort();
        cx.clients().caller().notify("last");
    }
}

fn ends(options: HubOptions) -> (Hub<Ends>, Log) {
    let log = Log::default();
    (Hub::new(Ends { log: log.clone() }).options(options).build(), log)
}

/// `end` ends the connection for `reason`: the client hears `last`, the hub of it once, and nothing comes after.
#[track_caller]
fn check_with(options: HubOptions, end: impl Fn(&mut Link), last: &[&str], reason: &str) {
    let (hub, log) = ends(options);
    let mut link = Link::connect(&hub);
    end(&mut link);
    assert_eq!(link.heard(), last);
    assert_eq!(link.reason().map(|reason| reason.to_string()).as_deref(), Some(reason));
    assert_eq!(log.take(), [reason, "reached 0"]);
    assert!(link.is_over());
    assert_eq!(hub.connection_count(), 0);

    link.close(DisconnectReason::Shutdown);
    link.say(invoke("1", "Abort", "[]"));
    link.tick(100);
    assert_eq!(hub.clients().all().notify("x").receivers(), 0);
    assert!(link.heard().is_empty());
    link.hang_up();
    assert!(log.take().is_empty(), "on_disconnected runs once");
    assert_eq!(link.reason().map(|reason| reason.to_string()).as_deref(), Some(reason));
}

#[track_caller]
fn check(end: impl Fn(&mut Link), last: &[&str], reason: &str) {
    check_with(HubOptions::default(), end, last, reason);
}

#[track_caller]
fn check_detailed(end: impl Fn(&mut Link), detail: &str, reason: &str) {
    let last = format!(
        r#"{{"type":7,"error":"Connection closed with an error. {detail}","allowReconnect":true}}"#
    );
    check_with(HubOptions::default().enable_detailed_errors(true), end, &[&last], reason);
}

#[test]
fn the_client_says_goodbye() {
    check(|link| link.say(GOODBYE), &[], "client closed");
    check(|link| link.say(COME_BACK), &[], "client closed");
    check(|link| link.say(r#"{"type":7,"error":"bye"}"#), &[], "client closed: bye");
    let close_frame = DisconnectReason::ClientClosed { error: None };
    check(|link| link.close(close_frame.clone()), &[], "client closed");
}

#[test]
fn the_network_goes_away() {
    check(Link::hang_up, &[], "network lost");
    check(
        |link| {
            link.connection.receive(Payload::text("{\"type\":7}\u{1e}"));
            link.hang_up();
        },
        &[],
        "client closed",
    );
}

#[test]
fn a_method_aborts() {
    let last = [notification("before the end"), notification("last"), GOODBYE.to_owned()];
    let last = [last[0].as_str(), &last[1], &last[2]];
    check(|link| link.say(send("Abort", "[]")), &last, "kicked");
}

#[test]
fn the_server_ends_it() {
    check(|link| link.close(DisconnectReason::Kicked), &[GOODBYE], "kicked");
    check(|link| link.close(DisconnectReason::Shutdown), &[COME_BACK], "shutdown");
    check(|link| link.close(DisconnectReason::TokenExpired), &[COME_BACK], "token expired");
}

#[test]
fn a_message_is_bad() {
    let cases = [
        ("garbage", "the message is not JSON at byte 0"),
        ("", "the message is empty"),
        ("[]", "Unexpected JSON Token Type 'Array'. Expected a JSON Object."),
        ("{}", "Missing required property 'type'."),
        (r#"{"type":1,"target":"Abort"}"#, "Missing required property 'arguments'."),
    ];
    for (message, rule) in cases {
        let reason = format!("bad message: {rule}");
        check(|link| link.say(message), &[WITH_ERROR], &reason);
        check_detailed(|link| link.say(message), &format!("InvalidDataException: {rule}"), &reason);
    }
}

#[test]
fn a_message_is_too_big() {
    let size = 32 * 1024;
    let reason = "message too big: 32769 bytes, the limit is 32768";
    let detail = "InvalidDataException: The maximum message size of 32768B was exceeded.";
    // As soon as it is certain, before its end has come.
    let piecewise = |link: &mut Link| {
        link.deliver(&"x".repeat(size - 1));
        assert_eq!(link.reason(), None);
        link.deliver("x");
    };
    check(piecewise, &[WITH_ERROR], reason);
    check_detailed(piecewise, detail, reason);
    let frame = |link: &mut Link| {
        let error = FrameError::TooLarge { size: 1 << 40, limit: 1 << 20 };
        link.receiver().refuse_frame(error);
        link.run();
    };
    check(frame, &[WITH_ERROR], "message too big: 1099511627776 bytes, the limit is 1048576");
}

#[test]
fn a_message_of_just_the_limit_passes() {
    let (hub, _) = ends(HubOptions::default());
    let mut link = Link::connect(&hub);
    let mut message = PING.to_owned();
    message.push_str(&" ".repeat(32 * 1024 - 1 - message.len()));
    link.say(&message);
    assert_eq!(link.reason(), None);
    link.say(message + " ");
    assert!(matches!(link.reason(), Some(DisconnectReason::MessageTooBig { .. })));
}

#[test]
fn the_client_falls_silent() {
    let silence = |link: &mut Link| {
        link.say(PING);
        assert_eq!(link.listen(30), [(15, PING.to_owned()), (30, PING.to_owned())]);
        assert_eq!(link.reason(), None);
        link.tick(1);
    };
    check(silence, &[WITH_ERROR], "client timeout");
    let detail = "OperationCanceledException: Client hasn't sent a message/ping within the configured ClientTimeoutInterval (30s).";
    check_detailed(silence, detail, "client timeout");
}

#[test]
fn only_the_first_reason_counts() {
    let twice = |link: &mut Link| {
        link.connection.close(DisconnectReason::TokenExpired);
        link.connection.close(DisconnectReason::Kicked);
        link.say("garbage");
    };
    check(twice, &[COME_BACK], "token expired");
    // The goodbye was handled before the network went away.
    let goodbye = |link: &mut Link| {
        link.say(GOODBYE);
        link.hang_up();
    };
    check(goodbye, &[], "client closed");
}

#[test]
fn an_end_right_behind_the_handshake_is_an_end_all_the_same() {
    let (hub, log) = ends(HubOptions::default());
    let mut link = Link::open(&hub);
    link.say_all(&[HANDSHAKE, "garbage"]);
    assert_eq!(link.heard(), ["{}", WITH_ERROR]);
    assert_eq!(log.take(), ["bad message: the message is not JSON at byte 0", "reached 0"]);
}
