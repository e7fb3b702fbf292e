//! What runs when a connection begins, and that it decides whether it does.

use hubwire::prelude::*;

use crate::kit::{
    Act, Gates, HANDSHAKE, Link, Log, PING, Page, Task, invoke, notification, result,
};

struct Door {
    welcome: Welcome,
    goodbye: Goodbye,
    log: Log,
    gates: Gates,
}

#[derive(Clone, Copy)]
enum Welcome {
    Abort,
    Ask,
    AwaitEnd,
    Fail,
    Greet,
    Panic,
    PanicLater,
    Refuse,
    Wait,
}

#[derive(Clone, Copy, Default)]
enum Goodbye {
    Fail,
    Panic,
    #[default]
    Tell,
    Wait,
}

#[hub(client = Page)]
impl Door {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        match self.welcome {
            Welcome::Abort => cx.abort(),
            Welcome::Ask => {
                cx.clients().caller().confirm("sure?").await?;
            }
            Welcome::AwaitEnd => cx.aborted().await,
            Welcome::Fail => drop("x".parse::<u8>()?),
            Welcome::Greet => drop(cx.clients().caller().notify("welcome")),
            Welcome::Panic => panic!("as wished"),
            Welcome::PanicLater => {
                self.gates.pass("door").await;
                panic!("as wished");
            }
            Welcome::Refuse => return Err(HubError::new("full")),
            Welcome::Wait => self.gates.pass("door").await,
        }
        self.log.add("connected");
        Ok(())
    }

    async fn on_disconnected(
        &self,
        cx: &CallerContext<Self>,
        reason: &DisconnectReason,
    ) -> HubResult<()> {
        self.log.add(format_args!("disconnected: {reason}"));
        match self.goodbye {
            Goodbye::Fail => return Err(HubError::new("no goodbye")),
            Goodbye::Panic => panic!("as wished"),
            Goodbye::Tell => drop(cx.clients().all().notify("somebody left")),
            Goodbye::Wait => self.gates.pass("back door").await,
        }
        Ok(())
    }

    fn note(&self, text: String) {
        self.log.add(text);
    }
}

struct House {
    hub: Hub<Door>,
    log: Log,
    gates: Gates,
}

fn house(welcome: Welcome) -> House {
    house_with(welcome, Goodbye::default(), HubOptions::default())
}

fn house_with(welcome: Welcome, goodbye: Goodbye, options: HubOptions) -> House {
    let (log, gates) = (Log::default(), Gates::default());
    let door = Door { welcome, goodbye, log: log.clone(), gates: gates.clone() };
    House { hub: Hub::new(door).options(options).build(), log, gates }
}

/// A handshake with a call right behind it.
fn enter(house: &House) -> Link {
    let mut link = Link::open(&house.hub);
    link.say_all(&[HANDSHAKE, &invoke("1", "Note", r#"["called"]"#)]);
    link
}

#[test]
fn the_answer_to_the_handshake_comes_first() {
    let house = house(Welcome::Greet);
    let mut link = enter(&house);
    assert_eq!(link.heard(), ["{}".to_owned(), notification("welcome"), result("1", "null")]);
    assert_eq!(house.log.take(), ["connected", "called"]);
}

#[test]
fn messages_wait_until_on_connected_returns() {
    let house = house(Welcome::Wait);
    let mut link = enter(&house);
    link.say(invoke("2", "Note", r#"["called again"]"#));
    assert_eq!(link.heard(), ["{}"]);
    assert_eq!(house.hub.connection_count(), 1, "it can be sent to already");
    assert!(house.log.take().is_empty());
    house.gates.open("door");
    assert_eq!(link.heard(), [result("1", "null"), result("2", "null")]);
    assert_eq!(house.log.take(), ["connected", "called", "called again"]);
}

#[test]
fn clients_are_pinged_while_on_connected_runs() {
    let house = house(Welcome::Wait);
    let mut link = Link::connect(&house.hub);
    assert_eq!(link.listen(30), [(15, PING.to_owned()), (30, PING.to_owned())]);
}

/// `on_connected` fails and the client is told so; the rest of the hub does not hear of it.
#[track_caller]
fn check_refused(welcome: Welcome, options: HubOptions, error: &str, detail: &str) {
    let house = house_with(welcome, Goodbye::Tell, options);
    let mut link = enter(&house);
    house.gates.open("door");
    assert_eq!(link.heard(), ["{}".to_owned(), format!(r#"{{"type":7,"error":"{error}"}}"#)]);
    assert_eq!(link.reason(), Some(DisconnectReason::Refused { detail: detail.to_owned() }));
    assert!(link.is_over());
    assert!(house.log.take().is_empty(), "neither the call nor on_disconnected runs");
    assert_eq!(house.hub.connection_count(), 0);
}

#[test]
fn a_refusal_is_for_the_client_to_read() {
    let text = "Connection closed with an error. HubException: full";
    check_refused(Welcome::Refuse, HubOptions::default(), text, "full");
}

#[test]
fn a_failure_is_not() {
    let sentence = "Connection closed with an error.";
    let detail = "invalid digit found in string";
    check_refused(Welcome::Fail, HubOptions::default(), sentence, detail);
    let detailed = HubOptions::default().enable_detailed_errors(true);
    let text = format!("{sentence} ParseIntError: {detail}");
    check_refused(Welcome::Fail, detailed, &text, detail);
}

#[test]
fn a_panic_is_a_failure() {
    for welcome in [Welcome::Panic, Welcome::PanicLater] {
        let sentence = "Connection closed with an error.";
        check_refused(welcome, HubOptions::default(), sentence, "on_connected panicked: as wished");
    }
}

#[test]
fn a_client_that_leaves_meanwhile_was_connected() {
    let house = house(Welcome::Wait);
    let mut link = enter(&house);
    link.hang_up();
    assert!(!link.is_over() && house.log.take().is_empty(), "on_connected is not stopped");
    house.gates.open("door");
    link.run();
    // What a client said before it left counts.
    assert_eq!(house.log.take(), ["connected", "called", "disconnected: network lost"]);
    assert!(link.is_over());
}

#[test]
fn one_that_is_thrown_out_meanwhile_is_not_listened_to() {
    let house = house(Welcome::Wait);
    let mut link = enter(&house);
    link.say(invoke("2", "Note", r#"["called again"]"#));
    link.close(DisconnectReason::Kicked);
    house.gates.open("door");
    assert_eq!(link.heard(), ["{}", r#"{"type":7}"#]);
    assert_eq!(house.log.take(), ["connected", "disconnected: kicked"]);
}

#[test]
fn one_that_on_connected_aborts_is_not_listened_to() {
    let house = house(Welcome::Abort);
    let mut link = enter(&house);
    assert_eq!(link.heard(), ["{}", r#"{"type":7}"#]);
    assert_eq!(house.log.take(), ["connected", "disconnected: kicked"]);
}

#[test]
fn on_connected_can_wait_for_the_end() {
    for lose in [Link::hang_up, |link: &mut Link| link.close(DisconnectReason::Kicked)] {
        let house = house(Welcome::AwaitEnd);
        let mut link = Link::connect(&house.hub);
        assert!(!link.is_over());
        lose(&mut link);
        assert!(link.is_over(), "{:?} ends what waits for the end", link.reason());
        assert_eq!(house.log.take().first().map(String::as_str), Some("connected"));
    }
}

#[test]
fn a_client_cannot_be_asked_before_it_is_listened_to() {
    let house = house(Welcome::Ask);
    let mut link = Link::connect(&house.hub);
    link.heard();
    assert!(link.is_over(), "waiting for an answer that nobody reads would be for ever");
    assert_eq!(house.hub.connection_count(), 0);
    let reason = link.reason().map(|reason| reason.to_string()).unwrap_or_default();
    assert!(reason.contains("Client results inside on_connected are not allowed"), "{reason}");
}

#[test]
fn those_who_stay_can_be_told() {
    let house = house(Welcome::Greet);
    let mut stays = Link::dial(&house.hub).id("stays").connect();
    let mut leaves = Link::dial(&house.hub).id("leaves").connect();
    stays.heard();
    leaves.hang_up();
    assert_eq!(stays.heard(), [notification("somebody left")]);
}

#[test]
fn an_on_disconnected_that_fails_changes_nothing() {
    for goodbye in [Goodbye::Fail, Goodbye::Panic] {
        let house = house_with(Welcome::Greet, goodbye, HubOptions::default());
        let mut link = Link::connect(&house.hub);
        link.hang_up();
        assert!(link.is_over());
        assert_eq!(house.log.take(), ["connected", "disconnected: network lost"]);
        assert_eq!(house.hub.connection_count(), 0);
    }
}

#[test]
fn a_connection_is_in_its_groups_until_on_disconnected_returns() {
    let house = house_with(Welcome::Greet, Goodbye::Wait, HubOptions::default());
    let mut link = Link::connect(&house.hub);
    link.hang_up();
    let join = Task::new({
        let hub = house.hub.clone();
        async move { hub.groups().add(&"a".into(), "lobby").await.is_ok() }
    });
    assert_eq!((house.hub.connection_count(), { join }.run()), (1, Some(true)));
    house.gates.open("back door");
    link.run();
    assert!(link.is_over());
    assert_eq!(house.hub.connection_count(), 0);
}

#[test]
fn a_session_that_is_dropped_leaves_nobody_behind() {
    let idle = |_: &mut Link| {};
    let parting = |link: &mut Link| link.hang_up();
    let stages: [(Welcome, Act); 3] =
        [(Welcome::Wait, idle), (Welcome::Greet, idle), (Welcome::Greet, parting)];
    for (welcome, reach) in stages {
        let house = house_with(welcome, Goodbye::Wait, HubOptions::default());
        let mut link = Link::connect(&house.hub);
        reach(&mut link);
        assert_eq!(house.hub.connection_count(), 1);
        link.abandon();
        assert_eq!(house.hub.connection_count(), 0);
        assert_eq!(house.hub.clients().all().notify("x").receivers(), 0);
    }
    let house = house(Welcome::Greet);
    Link::open(&house.hub).abandon();
    assert_eq!(house.hub.connection_count(), 0);
}
