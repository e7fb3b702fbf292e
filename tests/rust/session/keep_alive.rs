//! Pings to the client, and how long its silence is borne.

use std::time::Duration;

use hubwire::prelude::*;

use crate::kit::{Gates, HANDSHAKE, Link, PING, Page, invoke, notification, result, send};

struct Patient {
    gates: Gates,
    is_slow_to_connect: bool,
}

#[hub(client = Page)]
impl Patient {
    async fn on_connected(&self) {
        if self.is_slow_to_connect {
            self.gates.pass("door").await;
        }
    }

    async fn long(&self) {
        self.gates.pass("long").await;
    }

    fn short(&self) {}
}

fn patient(options: HubOptions) -> (Hub<Patient>, Gates) {
    let gates = Gates::default();
    let patient = Patient { gates: gates.clone(), is_slow_to_connect: false };
    (Hub::new(patient).options(options).build(), gates)
}

fn pings(at: &[u64]) -> Vec<(u64, String)> {
    at.iter().map(|at| (*at, PING.to_owned())).collect()
}

fn every(seconds: u64) -> HubOptions {
    HubOptions::default().keep_alive_interval(Duration::from_secs(seconds))
}

#[test]
fn pings_come_every_15_seconds() {
    let (hub, _) = patient(HubOptions::default());
    let mut link = Link::connect(&hub);
    assert_eq!(link.listen(60), pings(&[15, 30, 45, 60]));
}

#[test]
fn or_as_often_as_the_options_say() {
    let (hub, _) = patient(every(1));
    assert_eq!(Link::connect(&hub).listen(5), pings(&[1, 2, 3, 4, 5]));
    let (hub, _) = patient(HubOptions::default().keep_alive_interval(Duration::from_millis(1500)));
    assert_eq!(Link::connect(&hub).listen(5), pings(&[2, 4]));
}

#[test]
fn the_rhythm_begins_with_the_handshake() {
    let (hub, _) = patient(every(3));
    let mut link = Link::open(&hub);
    link.tick(10);
    link.say(HANDSHAKE);
    assert_eq!(link.heard(), ["{}"]);
    assert_eq!(link.listen(6), pings(&[13, 16]));
}

#[test]
fn other_traffic_does_not_postpone_them() {
    let (hub, _) = patient(every(3));
    let mut link = Link::connect(&hub);
    let mut at = Vec::new();
    for second in 1..=9 {
        link.say(invoke("1", "Short", "[]"));
        hub.clients().all().notify("x");
        assert_eq!(link.heard(), [result("1", "null"), notification("x")]);
        at.extend(link.listen(1).iter().map(|_| second));
    }
    assert_eq!(at, [3, 6, 9]);
}

#[test]
fn who_has_not_taken_the_last_message_is_not_pinged() {
    let (hub, _) = patient(every(3));
    let mut link = Link::connect(&hub);
    hub.clients().all().notify("x");
    link.tick(4);
    assert_eq!(link.heard(), [notification("x")]);
    // The rhythm stays.
    assert_eq!(link.listen(3), pings(&[6]));
}

#[test]
fn a_client_that_never_pinged_may_stay_silent() {
    let (hub, _) = patient(every(1000));
    let mut link = Link::connect(&hub);
    link.say(send("Short", "[]"));
    link.tick(900);
    assert_eq!((link.heard(), link.reason()), (vec![], None));
}

#[test]
fn whatever_a_client_sends_is_a_sign_of_life() {
    let signs =
        [PING, r#"{"type":5,"invocationId":"1"}"#, r#"{"type":1,"target":"Short","arguments":[]}"#];
    for sign in signs {
        let (hub, _) = patient(every(1000));
        let mut link = Link::connect(&hub);
        link.say(PING);
        link.tick(30);
        link.say(sign);
        link.tick(30);
        link.deliver("{\"type\"");
        link.tick(30);
        assert_eq!(link.reason(), None, "after {sign}");
        link.tick(1);
        assert_eq!(link.reason(), Some(DisconnectReason::ClientTimeout));
    }
}

#[test]
fn a_call_that_runs_is_no_sign_of_life() {
    let (hub, gates) = patient(HubOptions::default());
    let mut link = Link::connect(&hub);
    // Pings are heard while it runs, so whoever sends none is gone.
    link.say_all(&[PING, &send("Long", "[]")]);
    link.listen(30);
    assert_eq!(link.reason(), None);
    link.listen(1);
    assert_eq!(link.reason(), Some(DisconnectReason::ClientTimeout));
    gates.open("long");
    link.run();
    assert!(link.is_over());
}

#[test]
fn pings_are_heard_while_a_call_runs() {
    let (hub, _) = patient(every(1000));
    let mut link = Link::connect(&hub);
    link.say(send("Long", "[]"));
    for _ in 0..10 {
        link.say(PING);
        link.listen(20);
    }
    assert_eq!(link.reason(), None);
}

#[test]
fn silence_counts_from_the_end_of_on_connected() {
    let gates = Gates::default();
    let hub = Hub::new(Patient { gates: gates.clone(), is_slow_to_connect: true }).build();
    let mut link = Link::open(&hub);
    link.say_all(&[HANDSHAKE, PING]);
    link.listen(40);
    gates.open("door");
    link.run();
    link.listen(30);
    assert_eq!(link.reason(), None, "nobody listened before");
    link.listen(1);
    assert_eq!(link.reason(), Some(DisconnectReason::ClientTimeout));
}
