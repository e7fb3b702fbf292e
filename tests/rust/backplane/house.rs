//! Two servers with a few connections, and a hub that both have.

use std::fmt::Debug;
use std::thread;
use std::time::Duration;

use hubwire::InProcess;
use hubwire::prelude::*;
use hubwire_redis::{Redis, RedisOptions, SameNames};

use crate::kit::{Gates, Link, Page, Task, invoke, notification, result};
use crate::redis_server::RedisServer;
use crate::time::within;

/// How long something may take on a machine that is busy.
const BOUND: Duration = Duration::from_secs(20);

#[derive(Clone, Default)]
pub struct Square {
    pub gates: Gates,
}

#[hub(client = Page)]
impl Square {
    async fn join(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    async fn ask(&self, cx: &CallerContext<Self>, whom: String) -> HubResult<bool> {
        let client = cx.hub().clients().client(&ConnectionId::from(whom));
        client.confirm("sure?").await.map_err(|error| HubError::new(error.to_string()))
    }

    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        if cx.user_id().is_some_and(|user| user.as_str() == "slow") {
            self.gates.pass("in").await;
        }
        Ok(())
    }
}

/// Two servers of one hub; "a" and "b" of the user ada and "c" of grace, "a" on the first and the others on the second server.
pub struct House {
    pub hubs: [Hub<Square>; 2],
    pub links: Vec<(String, Link)>,
    /// Lets a second pass on the backplane.
    tick: Box<dyn Fn()>,
}

pub fn one_server() -> House {
    let hub = Hub::new(Square::default()).build();
    House::open([hub.clone(), hub], || {})
}

pub fn in_process() -> House {
    let backplane = InProcess::default();
    let hub = || Hub::new(Square::default()).backplane(&backplane).build();
    House::open([hub(), hub()], move || backplane.tick())
}

/// Two servers over a Redis of their own; none where that is not installed.
pub fn redis() -> Option<House> {
    let server = RedisServer::start()?;
    let hubs = [&server, &server].map(|server| hub(&connect(server)));
    // The time of a Redis is real.
    Some(House::open(hubs, move || {
        let _ = &server;
        thread::sleep(Duration::from_secs(1));
    }))
}

/// The hub of one server.
pub fn hub(redis: &Redis) -> Hub<Square> {
    Hub::new(Square::default()).backplane(redis).build()
}

/// A connection to Redis that is ready.
#[track_caller]
pub fn connect(server: &RedisServer) -> Redis {
    wait_for(Redis::connect(options(server))).unwrap()
}

/// What it is connected with: servers of this process are servers to each other.
pub fn options(server: &RedisServer) -> RedisOptions {
    RedisOptions::new(server.url())
        .reconnect_delay(Duration::from_millis(100))
        .same_names(SameNames::OtherServers)
}

/// Waits for something that needs nobody's help.
#[track_caller]
pub fn wait_for<T>(answer: impl IntoFuture<Output = T, IntoFuture: 'static>) -> T {
    let (mut task, mut answered) = (Task::new(answer), None);
    within(BOUND, "an answer", || {
        answered = task.run();
        answered.is_some()
    });
    answered.expect("it was waited for")
}

impl House {
    pub fn open(hubs: [Hub<Square>; 2], tick: impl Fn() + 'static) -> Self {
        let mut house = Self { hubs, links: Vec::new(), tick: Box::new(tick) };
        house.enter(0, "a", "ada");
        house.enter(1, "b", "ada");
        house.enter(1, "c", "grace");
        house
    }

    /// Connects to a server; others can reach it then.
    pub fn enter(&mut self, server: usize, id: &str, user: &str) {
        let link = Link::dial(&self.hubs[server]).id(id).user(user).connect();
        self.links.push((id.to_owned(), link));
        // What it calls runs once others can reach it.
        self.link(id).say(invoke("0", "Join", r#"["everyone"]"#));
        assert_eq!(self.hears(id), result("0", "null"));
    }

    /// A second passes everywhere.
    pub fn second(&mut self) {
        (self.tick)();
        self.links.iter_mut().for_each(|(_, link)| link.tick(1));
    }

    pub fn link(&mut self, id: &str) -> &mut Link {
        let found = self.links.iter_mut().find(|(other, _)| other == id);
        &mut found.expect("every test names connections that are there").1
    }

    /// Waits for an answer, while all connections live.
    #[track_caller]
    pub fn wait<T: 'static>(
        &mut self,
        answer: impl IntoFuture<Output = T, IntoFuture: 'static>,
    ) -> T {
        let mut task = Task::new(answer);
        let mut answered = None;
        self.until("an answer", |house| {
            house.links.iter_mut().for_each(|(_, link)| link.run());
            answered = task.run();
            answered.is_some()
        });
        answered.expect("it was waited for")
    }

    /// Waits until something is the case.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        within(BOUND, what, || is_so(self));
    }

    /// What a connection hears next, once it does.
    #[track_caller]
    pub fn hears(&mut self, id: &str) -> String {
        let mut heard = None;
        self.until(&format!("something for {id}"), |house| {
            let link = house.link(id);
            link.run();
            heard = link.hear_one();
            heard.is_some()
        });
        heard.expect("it was waited for")
    }

    /// Sends "x" from each server, and then something to everyone behind which nothing more of it comes: who heard "x", each once.
    #[track_caller]
    pub fn check<R: Debug>(
        &mut self,
        send: impl Fn(&hubwire::Clients<Square>) -> R,
        reached: &str,
    ) {
        for server in [0, 1] {
            let clients = self.hubs[server].clients();
            send(&clients);
            clients.all().notify("end");
            let mut heard_by = String::new();
            for id in ["a", "b", "c"] {
                let mut heard = vec![self.hears(id)];
                while heard.last() != Some(&notification("end")) {
                    heard.push(self.hears(id));
                }
                match heard.len() {
                    1 => {}
                    2 => {
                        assert_eq!(heard[0], notification("x"));
                        heard_by.push_str(id);
                    }
                    _ => panic!("{id} hears more than it should: {heard:?}"),
                }
            }
            assert_eq!(heard_by, reached, "from server {server}");
        }
    }

    #[track_caller]
    pub fn add(&mut self, server: usize, id: &str, group: &str) -> Result<(), hubwire::GroupError> {
        let (groups, id) = (self.hubs[server].groups(), ConnectionId::from(id));
        let group = group.to_owned();
        self.wait(async move { groups.add(&id, &group).await })
    }
}

pub fn ids(ids: &str) -> Vec<ConnectionId> {
    ids.split_whitespace().map(ConnectionId::from).collect()
}
