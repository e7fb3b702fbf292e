//! The scenarios: what users rely on, wherever their connections are.

use std::time::Duration;

use hubwire::prelude::*;
use hubwire::{ClientProxy, Clients, Close, GroupError, InvokeError, Many, Target};
use hubwire_transport::FrameEncoding;

use crate::house::{House, Square, ids};
use crate::kit::{Link, Task, invoke, notification, result};

pub fn every_address_reaches_those_elsewhere(mut house: House) {
    for (id, group) in [("a", "one"), ("b", "one"), ("c", "two")] {
        house.add(0, id, group).unwrap();
    }
    let unknown = || ids("a b c unknown");
    house.check(|clients| clients.all().notify("x"), "abc");
    house.check(|clients| clients.all_except(ids("b")).notify("x"), "ac");
    house.check(|clients| clients.client(&"a".into()).notify("x"), "a");
    house.check(|clients| clients.client(&"c".into()).notify("x"), "c");
    house.check(|clients| clients.client(&"unknown".into()).notify("x"), "");
    house.check(|clients| clients.clients(unknown()).notify("x"), "abc");
    house.check(|clients| clients.clients(ids("c a c")).notify("x"), "ac");
    house.check(|clients| clients.group("one").notify("x"), "ab");
    house.check(|clients| clients.group_except("one", ids("a")).notify("x"), "b");
    house.check(|clients| clients.group("nobody").notify("x"), "");
    house.check(|clients| clients.groups(["two", "one"]).notify("x"), "abc");
    house.check(|clients| clients.user("ada").notify("x"), "ab");
    house.check(|clients| clients.users(["grace", "ada", "ada"]).notify("x"), "abc");
    house.check(|clients| clients.user("nobody").notify("x"), "");
}

pub fn a_member_of_several_groups_hears_once(mut house: House) {
    for id in ["a", "b"] {
        for group in ["one", "two", "three"] {
            house.add(1, id, group).unwrap();
        }
    }
    house.check(|clients| clients.groups(["one", "two", "three", "one"]).notify("x"), "ab");
    house.check(|clients| clients.groups(["three", "nobody"]).notify("x"), "ab");
}

pub fn connections_elsewhere_join_and_leave(mut house: House) {
    for (server, id) in [(1, "a"), (0, "b"), (0, "c")] {
        house.add(server, id, "tea").unwrap();
        house.add(server, id, "tea").unwrap();
    }
    house.check(|clients| clients.group("tea").notify("x"), "abc");
    for (server, id) in [(1, "a"), (0, "c")] {
        let groups = house.hubs[server].groups();
        house.wait(async move { groups.remove(&id.into(), "tea").await }).unwrap();
    }
    house.check(|clients| clients.group("tea").notify("x"), "b");
}

pub fn whoever_is_nowhere_cannot_join(mut house: House) {
    for server in [0, 1] {
        let expected = GroupError::UnknownConnection { connection_id: "unknown".into() };
        assert_eq!(house.add(server, "unknown", "tea"), Err(expected));
        let groups = house.hubs[server].groups();
        house.wait(async move { groups.remove(&"unknown".into(), "tea").await }).unwrap();
    }
}

pub fn everyone_knows_who_is_there(mut house: House) {
    for id in ["a", "c"] {
        house.add(0, id, "tea").unwrap();
    }
    let is_known = |house: &mut House, tea: &str, ada: &str| {
        for server in [0, 1] {
            assert_eq!(members(house, server, "tea"), tea);
            let users = house.hubs[server].users();
            let found = house.wait(async move { users.connections("ada").await }).unwrap();
            assert_eq!(sorted(&found), ada);
            for (user, is_there) in [("ada", !ada.is_empty()), ("grace", true), ("nobody", false)] {
                let users = house.hubs[server].users();
                let is_online = house.wait(async move { users.is_online(user).await });
                assert_eq!(is_online, Ok(is_there), "{user}");
            }
        }
    };
    is_known(&mut house, "ac", "ab");
    assert_eq!(members(&mut house, 0, "nobody"), "");
    house.link("a").hang_up();
    is_known(&mut house, "c", "b");
    house.link("b").hang_up();
    is_known(&mut house, "c", "");
}

pub fn everyone_is_counted(mut house: House) {
    for server in [0, 1] {
        let hub = house.hubs[server].clone();
        let count = house.wait(async move { hub.total_connection_count().await });
        assert_eq!(count, Ok(3));
        for (id, is_there) in [("a", true), ("c", true), ("nobody", false)] {
            let hub = house.hubs[server].clone();
            let is_connected = house.wait(async move { hub.is_connected(&id.into()).await });
            assert_eq!(is_connected, Ok(is_there), "{id}");
        }
    }
    house.link("a").hang_up();
    let hub = house.hubs[1].clone();
    house.until("the others", |house| {
        let hub = hub.clone();
        house.wait(async move { hub.total_connection_count().await }) == Ok(2)
    });
    assert_eq!(house.wait(async move { hub.is_connected(&"a".into()).await }), Ok(false));
}

/// The members of a group by name, in order.
fn members(house: &mut House, server: usize, group: &'static str) -> String {
    let groups = house.hubs[server].groups();
    let counted = house.wait(async move { groups.count(group).await }).unwrap();
    let groups = house.hubs[server].groups();
    let members = house.wait(async move { groups.members(group).await }).unwrap();
    assert_eq!(members.len(), counted);
    sorted(&members)
}

fn sorted(ids: &[ConnectionId]) -> String {
    let mut ids: Vec<_> = ids.iter().map(ConnectionId::as_str).collect();
    ids.sort_unstable();
    ids.concat()
}

pub fn every_address_can_be_sent_away(mut house: House) {
    let gone = |house: &mut House, disconnect: fn(&Clients<Square>) -> usize, id: &str| {
        disconnect(&house.hubs[0].clients());
        let expected = r#"{"type":7,"error":"bye","allowReconnect":true}"#;
        assert_eq!(house.hears(id), expected);
        house.until("the end", |house| {
            house.link(id).run();
            house.link(id).is_over()
        });
    };
    gone(&mut house, |clients| clients.client(&"b".into()).disconnect_with(bye()), "b");
    gone(&mut house, |clients| clients.user("grace").disconnect_with(bye()), "c");
    house.enter(1, "d", "grace");
    house.add(0, "d", "tea").unwrap();
    gone(&mut house, |clients| clients.group("tea").disconnect_with(bye()), "d");
    house.enter(1, "e", "grace");
    gone(&mut house, |clients| clients.all_except(ids("a")).disconnect_with(bye()), "e");
    assert!(house.link("a").heard().is_empty());
}

fn bye() -> Close {
    Close { error: Some("bye".to_owned()), allow_reconnect: true }
}

/// The id of a question that a client heard.
fn asked_with(question: &str) -> String {
    let (_, id) = question.split_once(r#""invocationId":""#).expect("a question has an id");
    id.split('"').next().expect("split gives something").to_owned()
}

pub fn clients_elsewhere_give_results(mut house: House) {
    for (server, id) in [(0, "c"), (1, "a")] {
        let client = house.hubs[server].clients().client(&id.into());
        for (answer, expected) in [
            (r#""result":true"#, "Ok(true)"),
            (r#""result":false"#, "Ok(false)"),
            (r#""error":"no idea""#, r#"Err(Client("no idea"))"#),
        ] {
            let asked = client.confirm("sure?");
            let question = house.hears(id);
            let reply =
                format!(r#"{{"type":3,"invocationId":"{}",{answer}}}"#, asked_with(&question));
            house.link(id).say(reply);
            assert_eq!(format!("{:?}", house.wait(asked)), expected);
        }
        let asked = client.confirm("sure?");
        let question = house.hears(id);
        house.link(id).say(result(&asked_with(&question), r#""what?""#));
        assert!(matches!(house.wait(asked), Err(InvokeError::Decode(_))));
    }
}

pub fn clients_that_are_gone_give_none(mut house: House) {
    for server in [0, 1] {
        let nobody = house.hubs[server].clients().client(&"unknown".into());
        let answer = house.wait(nobody.confirm("sure?"));
        assert!(matches!(answer, Err(InvokeError::NotFound { .. })), "{answer:?}");
    }
    let asked = house.hubs[0].clients().client(&"c".into()).confirm("sure?");
    house.hears("c");
    house.link("c").hang_up();
    let answer = house.wait(asked);
    assert!(matches!(answer, Err(InvokeError::Disconnected { .. })), "{answer:?}");
    let late = Link::dial(&house.hubs[1]).id("late").user("slow").connect();
    house.links.push(("late".to_owned(), late));
    house.until("the other server to know of it", |house| {
        let asked = house.hubs[0].clients().client(&"late".into()).confirm("sure?");
        match house.wait(asked) {
            Err(InvokeError::Connecting { .. }) => true,
            Err(InvokeError::NotFound { .. }) => false,
            answer => panic!("{answer:?}"),
        }
    });
}

pub fn clients_that_take_too_long_give_none(mut house: House) {
    for id in ["a", "c"] {
        let asked = house.hubs[0].clients().client(&id.into()).confirm("sure?");
        let mut task = Task::new(asked.timeout(Duration::from_secs(1)));
        let question = house.hears(id);
        let mut answer = None;
        house.until("the end of its time", |house| {
            house.second();
            answer = task.run();
            answer.is_some()
        });
        assert!(matches!(answer, Some(Err(InvokeError::TimedOut { .. }))), "{answer:?}");
        // What comes now is for nobody, and does no harm.
        house.link(id).say(result(&asked_with(&question), "true"));
        house.hubs[1].clients().client(&id.into()).notify("still here");
        assert_eq!(house.hears(id), notification("still here"));
    }
}

pub fn a_method_asks_a_client_elsewhere(mut house: House) {
    house.link("a").say_all(&[invoke("1", "Ask", r#"["b"]"#), invoke("2", "Join", r#"["x"]"#)]);
    let question = house.hears("b");
    // It gives its turn back while it waits.
    assert_eq!(house.hears("a"), result("2", "null"));
    house.link("b").say(result(&asked_with(&question), "true"));
    assert_eq!(house.hears("a"), result("1", "true"));
}

pub fn what_one_server_sends_keeps_its_order(mut house: House) {
    house.add(0, "c", "tea").unwrap();
    let clients = house.hubs[0].clients();
    for number in 0..600 {
        let text = number.to_string();
        match number % 4 {
            0 => clients.all().notify(&text),
            1 => clients.group("tea").notify(&text),
            2 => clients.client(&"c".into()).notify(&text),
            _ => clients.user("grace").notify(&text),
        };
    }
    for number in 0..600 {
        assert_eq!(house.hears("c"), notification(&number.to_string()));
    }
}

pub fn a_call_is_encoded_in_both_protocols(mut house: House) {
    let handshake = r#"{"protocol":"messagepack","version":1}"#;
    let mut binary = Link::dial(&house.hubs[1]).id("binary").open();
    binary.say(handshake);
    house.until("the handshake", |_| {
        binary.run();
        binary.take().is_some()
    });
    // Its first answer says that others can reach it.
    binary.deliver_bytes(b"\x10\x96\x01\x80\xa11\xa4Join\x91\xa3tea\x90");
    house.until("an answer", |_| {
        binary.run();
        binary.take().is_some()
    });
    house.hubs[0].clients().clients(ids("a binary")).notify("hi");
    let mut heard = None;
    house.until("the call", |_| {
        binary.run();
        heard = binary.take();
        heard.is_some()
    });
    let heard = heard.expect("it was waited for");
    assert_eq!(heard.payload(), b"\x10\x96\x01\x80\xc0\xa6Notify\x91\xa2hi\x90");
    assert_eq!(house.hears("a"), notification("hi"));
}

pub fn calls_count_and_keep_their_compression(mut house: House) {
    let everyone: ClientProxy<Many> = house.hubs[0].clients().all().into();
    let text = "long and long and long and long and long and long";
    everyone.send("Notify", &(text,));
    everyone.send(Target::uncompressed("Notify"), &(text,));
    let encoding = Some(FrameEncoding { window_bits: 15, threshold: 0 });
    for id in ["a", "c"] {
        for is_smaller in [true, false] {
            let mut message = None;
            house.until("a call", |house| {
                message = house.link(id).take();
                message.is_some()
            });
            let message = message.expect("it was waited for");
            assert!(message.is_counted());
            assert_eq!(message.frame_for(encoding).len() < message.frame().len(), is_smaller);
        }
    }
}
