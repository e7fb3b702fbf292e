//! What happens when Redis or what is in it is not as it should be.

use std::time::Duration;

use hubwire::prelude::*;
use hubwire::{BackplaneError, BuildError, GroupError, InvokeError};
use hubwire_redis::{ConnectError, Publisher, Redis, RedisOptions, SameNames};

use crate::house::{House, Square, connect, hub, options, wait_for};
use crate::kit::notification;
use crate::redis_server::RedisServer;

/// Two servers and the Redis between them.
struct Site {
    server: RedisServer,
    redis: [Redis; 2],
    house: House,
}

fn site() -> Option<Site> {
    let server = RedisServer::start()?;
    let redis = [connect(&server), connect(&server)];
    let house = House::open(redis.each_ref().map(hub), || {});
    Some(Site { server, redis, house })
}

impl Site {
    /// Waits until both servers see Redis, or neither does.
    fn until_connected(&mut self, is_connected: bool) {
        let redis = self.redis.clone();
        self.house.until("Redis to come or go", |_| {
            redis.iter().all(|redis| redis.status().is_connected == is_connected)
        });
    }
}

#[test]
fn two_hubs_of_one_name_are_an_error() {
    let Some(server) = RedisServer::start() else { return };
    let redis = connect(&server);
    let first = hub(&redis);
    let second = Hub::new(Square::default()).backplane(&redis).try_build();
    assert!(matches!(second, Err(BuildError::Backplane(_))), "{second:?}");
    assert!(Publisher::new(&redis, "Square").is_err());
    Hub::new(Square::default()).name("Other").backplane(&redis).build();
    drop(first);
    hub(&redis);
}

#[test]
fn two_hubs_of_one_name_are_an_error_across_connections() {
    let Some(server) = RedisServer::start() else { return };
    let connect = |prefix| {
        let options = RedisOptions::new(server.url()).prefix(prefix);
        wait_for(Redis::connect(options.same_names(SameNames::Refused))).unwrap()
    };
    let first = hub(&connect("a"));
    let second = Hub::new(Square::default()).backplane(&connect("a")).try_build();
    assert!(matches!(second, Err(BuildError::Backplane(_))), "{second:?}");
    assert!(Publisher::new(&connect("a"), "Square").is_err());
    hub(&connect("b"));
    drop(first);
    hub(&connect("a"));
}

#[test]
fn a_redis_that_is_not_there_is_an_error_or_waited_for() {
    let Some(mut server) = RedisServer::start() else { return };
    server.kill();
    let refused = wait_for(Redis::connect(server.url()));
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "{refused:?}");
    assert!(matches!(Redis::connect_later("nowhere"), Err(ConnectError::Address(_))));
    let options = options(&server).reconnect_delay(Duration::from_millis(50));
    let invalid = Redis::connect_later(options.clone().queue_messages(0));
    assert!(matches!(invalid, Err(ConnectError::Options(_))), "{invalid:?}");

    let redis = [(); 2].map(|()| Redis::connect_later(options.clone()).unwrap());
    let mut house = House::open(redis.each_ref().map(hub), || {});
    house.hubs[0].clients().all().notify("alone");
    assert_eq!(house.hears("a"), notification("alone"));
    server.restart();
    let mut site = Site { server, redis, house };
    site.until_connected(true);
    site.house.hubs[0].clients().all().notify("together");
    for id in ["a", "b", "c"] {
        assert_eq!(site.house.hears(id), notification("together"), "{id}");
    }
}

#[test]
fn a_redis_that_restarts_leaves_a_gap_and_nothing_else() {
    let Some(mut site) = site() else { return };
    site.house.add(0, "c", "before").unwrap();
    let mut sent = 0;
    // What "c", elsewhere, hears; "a" hears all, always.
    let mut heard = Vec::new();
    let mut send_some = |site: &mut Site, heard: &mut Vec<String>| {
        for _ in 0..20 {
            site.house.hubs[0].clients().all().notify(&sent.to_string());
            assert_eq!(site.house.hears("a"), notification(&sent.to_string()));
            sent += 1;
        }
        heard.extend(site.house.link("c").heard());
    };
    send_some(&mut site, &mut heard);
    while heard.last() != Some(&notification("19")) {
        heard.push(site.house.hears("c"));
    }
    site.server.kill();
    send_some(&mut site, &mut heard);
    site.until_connected(false);
    send_some(&mut site, &mut heard);

    // Nothing waits for a Redis that is gone, and what needs none works.
    assert_eq!(site.house.add(0, "a", "during"), Ok(()));
    assert_eq!(site.house.add(1, "c", "during"), Ok(()));
    let unavailable = Err(GroupError::Backplane(BackplaneError::Unavailable));
    assert_eq!(site.house.add(0, "c", "during"), unavailable);
    let groups = site.house.hubs[0].groups();
    let members = site.house.wait(async move { groups.members("during").await });
    assert_eq!(members, Err(BackplaneError::Unavailable));
    let asked = site.house.hubs[0].clients().client(&"c".into()).confirm("?");
    let answer = site.house.wait(asked);
    assert!(matches!(answer, Err(InvokeError::Backplane(_))), "{answer:?}");
    site.house.wait(site.house.hubs[0].clients().all().notify("the caller does not wait")).unwrap();
    assert_eq!(site.house.hears("a"), notification("the caller does not wait"));

    site.server.restart();
    site.until_connected(true);
    send_some(&mut site, &mut heard);
    for group in ["before", "during"] {
        site.house.hubs[0].clients().group(group).notify(group);
        let expected = notification(group);
        let mut next = String::new();
        while next != expected {
            next = site.house.hears("c");
            heard.push(next.clone());
        }
    }
    // Each once, in order, with one gap.
    let numbers: Vec<u32> =
        heard.iter().filter_map(|call| call.split('"').nth_back(1)?.parse().ok()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(
        numbers.starts_with(&[0, 1, 2])
            && numbers.contains(&19)
            && numbers.ends_with(&[77, 78, 79]),
        "{numbers:?}"
    );
    for redis in &site.redis {
        assert!(redis.status().gaps > 0, "{redis:?}");
    }
    assert!(site.redis[0].status().dropped > 0, "{:?}", site.redis[0]);
}

#[test]
fn a_redis_that_stalls_holds_nobody_up() {
    let Some(server) = RedisServer::start() else { return };
    let options = options(&server)
        .timeout(Duration::from_secs(2))
        .reconnect_delay(Duration::from_millis(100))
        .queue_messages(1000);
    let redis = [(); 2].map(|()| wait_for(Redis::connect(options.clone())).unwrap());
    let house = House::open(redis.each_ref().map(hub), || {});
    let mut site = Site { server, redis, house };
    site.server.pause();
    // More than there is room for, and what those here hear of it.
    for number in 0..2000 {
        let text = number.to_string();
        let delivery = site.house.hubs[0].clients().all().notify(&text);
        assert_eq!(delivery.receivers(), 1);
        assert_eq!(site.house.hears("a"), notification(&text));
    }
    let status = site.redis[0].status();
    assert!(status.dropped >= 1000 - 512, "{status:?}");
    assert!(status.waiting > 0 && status.waiting_bytes > 0, "{status:?}");
    // A new client waits for Redis no longer than that counts as lost, nor does who awaits room.
    site.house.enter(0, "late", "ada");
    let delivery = site.house.hubs[0].clients().all().notify("end of wait");
    site.house.wait(delivery).unwrap();
    site.until_connected(false);

    site.server.resume();
    site.until_connected(true);
    site.house.hubs[1].clients().client(&"late".into()).notify("found");
    while site.house.hears("late") != notification("found") {}
}

#[test]
fn a_server_that_only_lost_its_ear_hears_again() {
    let Some(mut site) = site() else { return };
    site.house.add(0, "c", "tea").unwrap();
    site.server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let redis = site.redis.clone();
    site.house.until("both to notice", |_| redis.iter().all(|redis| redis.status().gaps > 0));
    site.until_connected(true);
    site.house.check(|clients| clients.group("tea").notify("x"), "c");
    let status = site.redis[0].status();
    assert_eq!((status.gaps, status.reconnects), (1, 1));
    assert!(status.published > 0 && status.received > 0, "{status:?}");
}

#[test]
fn a_process_without_connections_publishes() {
    let Some(mut site) = site() else { return };
    let redis = connect(&site.server);
    let publisher = Publisher::new(&redis, "Square").unwrap();
    publisher.clients().user("grace").send("Notify", &("to grace",));
    assert_eq!(site.house.hears("c"), notification("to grace"));
    let groups = publisher.groups();
    let added = async move { groups.add(&"b".into(), "tea").await };
    assert_eq!(site.house.wait(added), Ok(()));
    publisher.clients().groups(["tea", "milk"]).send("Notify", &("to tea",));
    assert_eq!(site.house.hears("b"), notification("to tea"));
    let users = publisher.users();
    assert_eq!(site.house.wait(async move { users.is_online("ada").await }), Ok(true));
    let asked = publisher.clients().client(&"a".into()).invoke::<bool, _>("Confirm", &("sure?",));
    assert!(site.house.hears("a").contains("sure?"));
    site.house.link("a").hang_up();
    let answer = site.house.wait(asked);
    assert!(matches!(answer, Err(InvokeError::Disconnected { .. })), "{answer:?}");
    publisher.clients().all().send("Notify", &("last words",));
    drop(publisher);
    drop(redis);
    assert_eq!(site.house.hears("b"), notification("last words"));
}

#[test]
fn other_languages_publish_and_garbage_harms_nobody() {
    let Some(mut site) = site() else { return };
    let call = br#"{"type":1,"target":"Notify","arguments":["hi"]}"#;
    // As docs/backplane.md has it.
    let mut payload =
        b"\x93\x01\xa6python\x81\xa4send\x95\x90\x90\x00\x00\x81\xa4json\xc4".to_vec();
    payload.push(u8::try_from(call.len() + 1).unwrap());
    payload.extend_from_slice(call);
    payload.push(0x1e);
    for garbage in [&b""[..], b"hello", b"\x93\x02\xa1x\xa5alive", &payload[..30]] {
        site.server.publish("hubwire:Square:user:grace", garbage);
    }
    assert_eq!(site.server.publish("hubwire:Square:user:grace", &payload), ":1");
    assert_eq!(site.house.hears("c"), notification("hi"));
    assert_eq!(site.server.publish("hubwire:Square:all", &payload), ":2");
    for id in ["a", "b", "c"] {
        assert_eq!(site.house.hears(id), notification("hi"));
    }
    assert_eq!(site.server.publish("hubwire:Square:user:nobody", &payload), ":0");
    assert_eq!(site.redis[1].status().unreadable, 4);
    assert_eq!(site.redis[0].status().unreadable, 0, "what does not concern it does not reach it");
}
