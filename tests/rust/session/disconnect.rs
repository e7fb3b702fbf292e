//! Ending connections by address: from anywhere, and from a call.

use hubwire::prelude::*;
use hubwire::{ClientProxy, Clients, Close, Many};

use crate::kit::{Gates, HANDSHAKE, Link, Log, Page, invoke, notification, result, send};

const GOODBYE: &str = r#"{"type":7}"#;

#[derive(Default)]
struct Door {
    log: Log,
    gates: Gates,
}

#[hub(client = Page)]
impl Door {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        if cx.user_id().is_some_and(|user| user.as_str() == "slow") {
            self.gates.pass("in").await;
        }
        Ok(())
    }

    fn on_disconnected(&self, cx: &CallerContext<Self>, reason: &DisconnectReason) {
        self.log.add(format_args!("{} {reason}", cx.connection_id()));
    }

    async fn join(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    fn end(&self, cx: &CallerContext<Self>, whom: String) -> usize {
        let clients = cx.clients();
        match whom.as_str() {
            "caller" => clients.caller().disconnect(),
            "caller, for a while" => {
                let error = Some("come back".to_owned());
                clients.caller().disconnect_with(Close { error, allow_reconnect: true })
            }
            "others" => clients.others().disconnect(),
            group => clients.others_in_group(group).disconnect(),
        }
    }

    async fn wait(&self) -> &'static str {
        self.gates.pass("call").await;
        self.log.add("waited");
        "done"
    }
}

/// Connections "a" and "b" of ada, both in "one", and "c" of grace in "two".
struct House {
    hub: Hub<Door>,
    links: Vec<Link>,
}

fn house() -> House {
    let hub = Hub::new(Door::default()).build();
    let links = [("a", "ada", "one"), ("b", "ada", "one"), ("c", "grace", "two")]
        .map(|(id, user, group)| {
            let mut link = Link::dial(&hub).id(id).user(user).connect();
            link.say(invoke("1", "Join", format_args!(r#"["{group}"]"#)));
            assert_eq!(link.heard(), [result("1", "null")]);
            link
        })
        .into();
    House { hub, links }
}

impl House {
    /// Who was told to go, by name, and that the hub knows of it; the others heard nothing.
    #[track_caller]
    fn gone(&mut self) -> String {
        let mut gone = String::new();
        for link in &mut self.links {
            let heard = link.heard();
            if link.is_over() {
                assert_eq!(heard, [GOODBYE]);
                assert_eq!(link.reason(), Some(DisconnectReason::Kicked));
                gone.push_str(link.connection.id().as_str());
            } else {
                assert!(heard.is_empty(), "{heard:?}");
            }
        }
        let told: String =
            self.hub.definition().log.take().iter().flat_map(|line| line.chars().next()).collect();
        assert_eq!(told, gone, "on_disconnected runs once for each");
        assert_eq!(self.hub.connection_count(), self.links.len() - gone.len());
        gone
    }
}

#[track_caller]
fn check(disconnect: impl Fn(&Clients<Door>) -> usize, gone: &str) {
    let mut house = house();
    let clients = house.hub.clients();
    let ended = disconnect(&clients);
    assert_eq!(disconnect(&clients), 0, "they end already");
    assert_eq!((house.gone().as_str(), ended), (gone, gone.len()));
    assert_eq!(disconnect(&clients), 0, "they are gone");
}

#[test]
fn every_address_can_be_sent_away() {
    let ids = |ids: &[&str]| ids.iter().map(|id| ConnectionId::from(*id)).collect::<Vec<_>>();
    check(|clients| clients.all().disconnect(), "abc");
    check(|clients| clients.all_except(ids(&["b"])).disconnect(), "ac");
    check(|clients| clients.client(&"b".into()).disconnect(), "b");
    check(|clients| clients.client(&"unknown".into()).disconnect(), "");
    check(|clients| clients.clients(ids(&["c", "a", "c", "unknown"])).disconnect(), "ac");
    check(|clients| clients.group("one").disconnect(), "ab");
    check(|clients| clients.group_except("one", ids(&["a"])).disconnect(), "b");
    check(|clients| clients.groups(["one", "two", "three"]).disconnect(), "abc");
    check(|clients| clients.user("ada").disconnect(), "ab");
    check(|clients| clients.users(["grace", "nobody"]).disconnect(), "c");
    check(|clients| ClientProxy::<Many>::from(clients.user("grace")).disconnect(), "c");
}

#[test]
fn whom_a_caller_can_send_away() {
    for (whom, gone) in [("others", "ac"), ("one", "a"), ("two", "c")] {
        let mut house = house();
        house.links[1].say(invoke("2", "End", format_args!(r#"["{whom}"]"#)));
        assert_eq!(house.links[1].heard(), [result("2", gone.len())], "b ends {whom}");
        assert_eq!(house.gone(), gone);
    }
}

#[test]
fn who_sends_itself_away_still_hears_the_answer() {
    let hub = Hub::new(Door::default()).build();
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "End", r#"["caller"]"#));
    assert_eq!(link.heard(), [result("1", 1), GOODBYE.to_owned()]);
    assert!(link.is_over());
}

#[test]
fn who_is_sent_away_is_told_why() {
    let hub = Hub::new(Door::default()).build();
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "End", r#"["caller, for a while"]"#));
    let goodbye = r#"{"type":7,"error":"come back","allowReconnect":true}"#;
    assert_eq!(link.heard(), [result("1", 1), goodbye.to_owned()]);
    assert_eq!(hub.definition().log.take(), ["a kicked"]);
}

#[test]
fn the_first_word_counts() {
    let hub = Hub::new(Door::default()).build();
    let mut link = Link::connect(&hub);
    let clients = ClientProxy::<Many>::from(hub.clients().all());
    assert_eq!(clients.disconnect_with(Close { error: None, allow_reconnect: true }), 1);
    assert_eq!(clients.disconnect(), 0);
    assert_eq!(link.heard(), [r#"{"type":7,"allowReconnect":true}"#]);
}

#[test]
fn what_was_sent_before_comes_before_the_goodbye() {
    let mut house = house();
    let ada = house.hub.clients().user("ada");
    ada.notify("signed out");
    assert_eq!(ada.disconnect(), 2);
    assert_eq!(ada.notify("too late").receivers(), 2, "what comes meanwhile is not lost");
    let expected = [notification("signed out"), notification("too late"), GOODBYE.to_owned()];
    assert_eq!(house.links[0].heard(), expected);
    assert_eq!(ada.notify("nobody hears").receivers(), 1);
}

#[test]
fn calls_that_run_end_and_those_that_wait_do_not_start() {
    let hub = Hub::new(Door::default()).build();
    let mut link = Link::connect(&hub);
    link.say_all(&[send("Wait", "[]"), send("Wait", "[]")]);
    assert_eq!(hub.clients().all().disconnect(), 1);
    assert_eq!(link.heard(), [GOODBYE]);
    assert!(!link.is_over());
    for _ in 0..2 {
        hub.definition().gates.open("call");
    }
    link.run();
    assert!(link.is_over());
    assert_eq!(hub.definition().log.take(), ["waited", "a kicked"]);
}

#[test]
fn who_is_just_connecting_is_reached_and_who_has_not_shaken_hands_is_not() {
    let hub = Hub::new(Door::default()).build();
    let mut early = Link::dial(&hub).id("early").user("slow").open();
    let mut late = Link::dial(&hub).id("late").user("slow").connect();
    assert_eq!(hub.clients().user("slow").disconnect(), 1);
    for _ in 0..2 {
        hub.definition().gates.open("in");
    }
    assert_eq!(late.heard(), [GOODBYE]);
    assert!(late.is_over());
    early.say(HANDSHAKE);
    assert_eq!(early.heard(), ["{}"]);
    assert_eq!(early.reason(), None);
}
