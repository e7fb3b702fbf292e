//! What happens when Redis or what is in it is not as it should be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hubwire::prelude::*;
use hubwire::{BackplaneError, BuildError, GroupError, InvokeError};
use hubwire_redis::{ConnectError, Publisher, Redis, RedisOptions};

use crate::house::{House, Square, connect, hub, wait_for};
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
fn a_redis_that_is_not_there_is_an_error_or_waited_for() {
    let Some(mut server) = RedisServer::start() else { return };
    server.kill();
    let refused = wait_for(Redis::connect(server.url()));
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "{refused:?}");
    assert!(matches!(Redis::connect_later("nowhere"), Err(ConnectError::Address(_))));
    let options = RedisOptions::new(server.url()).reconnect_delay(Duration::from_millis(50));
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

/// Publishes as any client of Redis does; how many servers heard it.
fn publish(server: &RedisServer, channel: &str, payload: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head =
        format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n", channel.len(), payload.len());
    stream.write_all(&[head.as_bytes(), payload, b"\r\n"].concat()).unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).trim_end().to_owned()
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
        publish(&site.server, "hubwire:Square:user:grace", garbage);
    }
    assert_eq!(publish(&site.server, "hubwire:Square:user:grace", &payload), ":1");
    assert_eq!(site.house.hears("c"), notification("hi"));
    assert_eq!(publish(&site.server, "hubwire:Square:all", &payload), ":2");
    for id in ["a", "b", "c"] {
        assert_eq!(site.house.hears(id), notification("hi"));
    }
    assert_eq!(publish(&site.server, "hubwire:Square:user:nobody", &payload), ":0");
    assert_eq!(site.redis[1].status().unreadable, 4);
    assert_eq!(site.redis[0].status().unreadable, 0, "what does not concern it does not reach it");
}
