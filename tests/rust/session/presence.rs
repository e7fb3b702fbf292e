//! Who is there: members of groups and connections of users, asked from anywhere.

use hubwire::prelude::*;

use crate::kit::{HANDSHAKE, Link, Page, Task, invoke, result};

struct Lobby;

#[hub(client = Page)]
impl Lobby {
    async fn join(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    async fn leave(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.leave_group(&group).await?)
    }

    async fn count(&self, cx: &CallerContext<Self>, group: String) -> HubResult<usize> {
        Ok(cx.groups().count(&group).await?)
    }
}

/// What a hub of one server tells is there at once, and no failure.
#[track_caller]
fn at_once<T, E: std::fmt::Debug>(answer: impl Future<Output = Result<T, E>> + 'static) -> T {
    Task::new(answer).run().expect("one server asks nobody").expect("one server never fails")
}

/// The members of a group by name, in order.
#[track_caller]
fn members(hub: &Hub<Lobby>, group: &'static str) -> String {
    let groups = hub.groups();
    let asked = groups.clone();
    let counted = at_once(async move { asked.count(group).await });
    let members = at_once(async move { groups.members(group).await });
    assert_eq!(members.len(), counted);
    sorted(members)
}

/// The connections of a user by name, in order.
#[track_caller]
fn connections(hub: &Hub<Lobby>, user: &'static str) -> String {
    let users = hub.users();
    let asked = users.clone();
    let is_online = at_once(async move { asked.is_online(user).await });
    let connections = at_once(async move { users.connections(user).await });
    assert_eq!(!connections.is_empty(), is_online);
    sorted(connections)
}

fn sorted(ids: Vec<ConnectionId>) -> String {
    let mut ids: Vec<_> = ids.iter().map(ConnectionId::as_str).collect();
    ids.sort_unstable();
    ids.concat()
}

#[test]
fn a_group_tells_who_is_in_it() {
    let hub = Hub::new(Lobby).build();
    assert_eq!(members(&hub, "tea"), "");
    let mut a = Link::dial(&hub).id("a").connect();
    let mut b = Link::dial(&hub).id("b").connect();
    for link in [&mut a, &mut b] {
        link.say_all(&[invoke("1", "Join", r#"["tea"]"#), invoke("2", "Count", r#"["tea"]"#)]);
    }
    assert_eq!(a.heard(), [result("1", "null"), result("2", 1)]);
    assert_eq!(b.heard(), [result("1", "null"), result("2", 2)]);
    assert_eq!(members(&hub, "tea"), "ab");
    assert_eq!(members(&hub, "Tea"), "", "names are case-sensitive");
    a.say(invoke("3", "Leave", r#"["tea"]"#));
    assert_eq!(members(&hub, "tea"), "b");
    b.hang_up();
    assert_eq!(members(&hub, "tea"), "");
}

#[test]
fn a_user_is_online_as_long_as_one_connection_is_there() {
    let hub = Hub::new(Lobby).build();
    let mut early = Link::dial(&hub).id("a").user("ada").open();
    assert_eq!(connections(&hub, "ada"), "", "nobody is there before the handshake");
    early.say(HANDSHAKE);
    let mut late = Link::dial(&hub).id("b").user("ada").connect();
    let _other = Link::dial(&hub).id("c").user("grace").connect();
    let _nobody = Link::dial(&hub).id("d").connect();
    assert_eq!(connections(&hub, "ada"), "ab");
    early.hang_up();
    assert_eq!(connections(&hub, "ada"), "b");
    late.hang_up();
    assert_eq!(connections(&hub, "ada"), "");
    assert_eq!(connections(&hub, "grace"), "c");
}
