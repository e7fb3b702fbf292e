//! Whom a call on clients reaches: everyone, some, groups and users.

use hubwire::prelude::*;
use hubwire::{Clients, GroupError};

use crate::kit::{HANDSHAKE, Link, Page, Task, invoke, notification, result};

struct Square;

#[hub(client = Page)]
impl Square {
    async fn join(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.join_group(&group).await?)
    }

    async fn leave(&self, cx: &CallerContext<Self>, group: String) -> HubResult<()> {
        Ok(cx.leave_group(&group).await?)
    }

    fn tell(&self, cx: &CallerContext<Self>, whom: String) {
        let clients = cx.clients();
        match whom.as_str() {
            "caller" => clients.caller().notify("x"),
            "others" => clients.others().notify("x"),
            group => clients.others_in_group(group).notify("x"),
        };
    }

    fn who_am_i(&self, cx: &CallerContext<Self>) -> (String, Option<String>) {
        (cx.connection_id().to_string(), cx.user_id().map(ToString::to_string))
    }
}

/// Connections "a", "b" and "c"; "a" and "b" are the user ada, "c" is grace.
struct Crowd {
    hub: Hub<Square>,
    links: Vec<(&'static str, Link)>,
}

fn crowd() -> Crowd {
    let hub = Hub::new(Square).build();
    let links = [("a", "ada"), ("b", "ada"), ("c", "grace")]
        .map(|(id, user)| (id, Link::dial(&hub).id(id).user(user).connect()))
        .into();
    Crowd { hub, links }
}

impl Crowd {
    fn link(&mut self, id: &str) -> &mut Link {
        let found = self.links.iter_mut().find(|(other, _)| *other == id);
        &mut found.expect("every test names connections that are there").1
    }

    /// "a", "b" and "c" in these groups, one text for each.
    fn in_groups(groups: [&str; 3]) -> Self {
        let mut crowd = crowd();
        for (id, groups) in ["a", "b", "c"].into_iter().zip(groups) {
            for group in groups.split_whitespace() {
                crowd.call(id, "Join", group);
            }
        }
        crowd
    }

    #[track_caller]
    fn call(&mut self, id: &str, target: &str, argument: &str) {
        let link = self.link(id);
        link.say(invoke("1", target, format_args!(r#"["{argument}"]"#)));
        let answered = link.heard();
        assert_eq!(answered.last(), Some(&result("1", "null")), "{id} calls {target}");
    }

    /// Who has heard "x", each once.
    #[track_caller]
    fn reached(&mut self) -> String {
        let mut reached = String::new();
        for (id, link) in &mut self.links {
            let heard = link.heard();
            if !heard.is_empty() {
                assert_eq!(heard, [notification("x")], "{id} hears it once");
                reached.push_str(id);
            }
        }
        reached
    }

    /// Whom this reaches, by name, and that the delivery says the same.
    #[track_caller]
    fn check(&mut self, send: impl Fn(&Clients<Square>) -> hubwire::Delivery, reached: &str) {
        let receivers = send(&self.hub.clients()).receivers();
        assert_eq!((self.reached().as_str(), receivers), (reached, reached.len()));
    }

    fn add(&self, id: &str, group: &str) -> Result<(), GroupError> {
        let (groups, id, group) = (self.hub.groups(), ConnectionId::from(id), group.to_owned());
        let mut task = Task::new(async move { groups.add(&id, &group).await });
        task.run().expect("joining does not wait on one server")
    }
}

fn ids(ids: &str) -> Vec<ConnectionId> {
    ids.split_whitespace().map(ConnectionId::from).collect()
}

#[test]
fn everyone_and_everyone_but() {
    let mut crowd = crowd();
    crowd.check(|clients| clients.all().notify("x"), "abc");
    crowd.check(|clients| clients.all_except([]).notify("x"), "abc");
    crowd.check(|clients| clients.all_except(ids("b")).notify("x"), "ac");
    crowd.check(|clients| clients.all_except(ids("a c unknown")).notify("x"), "b");
}

#[test]
fn single_connections() {
    let mut crowd = crowd();
    crowd.check(|clients| clients.client(&"b".into()).notify("x"), "b");
    crowd.check(|clients| clients.client(&"unknown".into()).notify("x"), "");
    crowd.check(|clients| clients.clients(ids("c a")).notify("x"), "ac");
    crowd.check(|clients| clients.clients(ids("b b unknown b")).notify("x"), "b");
    crowd.check(|clients| clients.clients([]).notify("x"), "");
}

#[test]
fn users_with_all_their_connections() {
    let mut crowd = crowd();
    crowd.check(|clients| clients.user("ada").notify("x"), "ab");
    crowd.check(|clients| clients.user("Ada").notify("x"), "");
    crowd.check(|clients| clients.users(["grace", "ada", "ada"]).notify("x"), "abc");
    crowd.check(|clients| clients.users(["unknown", "grace"]).notify("x"), "c");
    crowd.link("a").hang_up();
    crowd.check(|clients| clients.user("ada").notify("x"), "b");
    crowd.link("b").hang_up();
    crowd.check(|clients| clients.user("ada").notify("x"), "");
}

#[test]
fn a_method_knows_who_calls() {
    let mut crowd = crowd();
    crowd.link("b").say(invoke("1", "WhoAmI", "[]"));
    assert_eq!(crowd.link("b").heard(), [result("1", r#"["b","ada"]"#)]);
    let mut nobody = Link::dial(&crowd.hub).id("d").connect();
    nobody.say(invoke("1", "WhoAmI", "[]"));
    assert_eq!(nobody.heard(), [result("1", r#"["d",null]"#)]);
}

#[test]
fn whom_a_caller_can_choose() {
    let mut crowd = Crowd::in_groups(["one", "one", "two"]);
    for (whom, reached) in [("caller", "b"), ("others", "ac"), ("one", "a"), ("two", "c")] {
        crowd.link("b").say(format_args!(r#"{{"type":1,"target":"Tell","arguments":["{whom}"]}}"#));
        assert_eq!(crowd.reached(), reached, "b tells {whom}");
    }
}

#[test]
fn groups_and_groups_but() {
    let mut crowd = Crowd::in_groups(["one", "one two", "two"]);
    crowd.check(|clients| clients.group("one").notify("x"), "ab");
    crowd.check(|clients| clients.group("two").notify("x"), "bc");
    crowd.check(|clients| clients.group("One").notify("x"), "");
    crowd.check(|clients| clients.group_except("one", ids("a c")).notify("x"), "b");
}

#[test]
fn a_member_of_several_groups_hears_once() {
    let mut crowd = Crowd::in_groups(["one", "one two", "two three"]);
    crowd.check(|clients| clients.groups(["one", "two"]).notify("x"), "abc");
    crowd.check(|clients| clients.groups(["two", "three", "two"]).notify("x"), "bc");
    crowd.check(|clients| clients.groups(["unknown"]).notify("x"), "");
    crowd.check(|clients| clients.groups([""; 0]).notify("x"), "");
}

#[test]
fn joining_twice_is_joining_once() {
    let mut crowd = Crowd::in_groups(["one one", "", ""]);
    crowd.check(|clients| clients.group("one").notify("x"), "a");
    crowd.call("a", "Leave", "one");
    crowd.check(|clients| clients.group("one").notify("x"), "");
    crowd.call("a", "Leave", "one");
    crowd.call("a", "Join", "one");
    crowd.check(|clients| clients.group("one").notify("x"), "a");
}

#[test]
fn leaving_a_group_leaves_that_one_alone() {
    let mut crowd = Crowd::in_groups(["one two", "one", ""]);
    crowd.call("a", "Leave", "one");
    crowd.check(|clients| clients.group("one").notify("x"), "b");
    crowd.check(|clients| clients.group("two").notify("x"), "a");
}

#[test]
fn whoever_is_gone_is_in_no_group() {
    let mut crowd = Crowd::in_groups(["one", "one", ""]);
    crowd.link("a").hang_up();
    crowd.check(|clients| clients.group("one").notify("x"), "b");
    // The same id again is another connection.
    crowd.links[0].1 = Link::connect(&crowd.hub);
    crowd.check(|clients| clients.group("one").notify("x"), "b");
    crowd.link("b").hang_up();
    crowd.check(|clients| clients.group("one").notify("x"), "");
}

#[test]
fn others_can_be_put_into_groups() {
    let mut crowd = crowd();
    assert_eq!(crowd.add("c", "one"), Ok(()));
    crowd.check(|clients| clients.group("one").notify("x"), "c");
}

#[test]
fn whoever_is_not_there_cannot_join() {
    let mut crowd = crowd();
    let unknown = |id: &str| Err(GroupError::UnknownConnection { connection_id: id.into() });
    assert_eq!(crowd.add("unknown", "one"), unknown("unknown"));
    crowd.link("a").hang_up();
    assert_eq!(crowd.add("a", "one"), unknown("a"));
    let error = GroupError::UnknownConnection { connection_id: "a".into() };
    assert_eq!(error.to_string(), "connection a does not exist");
    crowd.check(|clients| clients.group("one").notify("x"), "");
}

#[test]
fn a_choice_is_looked_up_when_something_is_sent() {
    let mut crowd = crowd();
    let group = crowd.hub.clients().group("one");
    assert_eq!(group.notify("x").receivers(), 0);
    crowd.call("b", "Join", "one");
    assert_eq!((group.notify("x").receivers(), crowd.reached().as_str()), (1, "b"));
}

#[test]
fn the_handle_works_before_the_first_and_after_the_last_connection() {
    let hub = Hub::new(Square).build();
    assert_eq!((hub.connection_count(), hub.clients().all().notify("x").receivers()), (0, 0));
    let mut link = Link::connect(&hub);
    assert_eq!((hub.connection_count(), hub.clients().all().notify("x").receivers()), (1, 1));
    assert_eq!(link.heard(), [notification("x")]);
    link.hang_up();
    assert_eq!((hub.connection_count(), hub.clients().all().notify("x").receivers()), (0, 0));
}

#[test]
fn the_handle_works_from_other_threads() {
    let mut crowd = crowd();
    let hub = crowd.hub.clone();
    let sent = std::thread::spawn(move || hub.clients().user("ada").notify("x").receivers());
    assert_eq!(sent.join().expect("sending does not panic"), 2);
    assert_eq!(crowd.reached(), "ab");
}

#[test]
fn what_was_sent_before_the_handshake_is_not_heard() {
    let mut crowd = crowd();
    let mut late = Link::dial(&crowd.hub).id("late").open();
    crowd.check(|clients| clients.all().notify("x"), "abc");
    late.say(HANDSHAKE);
    assert_eq!(late.heard(), ["{}"]);
    crowd.check(|clients| clients.all_except(ids("late")).notify("x"), "abc");
    assert!(late.heard().is_empty());
}

#[test]
fn what_a_method_sends_comes_before_its_answer() {
    let mut crowd = crowd();
    crowd.link("a").say(invoke("1", "Tell", r#"["caller"]"#));
    assert_eq!(crowd.link("a").heard(), [notification("x"), result("1", "null")]);
}

#[test]
fn sends_from_one_place_keep_their_order_whatever_their_addresses() {
    let mut crowd = Crowd::in_groups(["one", "", ""]);
    let clients = crowd.hub.clients();
    clients.all().notify("1");
    clients.client(&"a".into()).notify("2");
    clients.group("one").notify("3");
    clients.user("ada").notify("4");
    clients.all().notify("5");
    let heard: Vec<_> = ["1", "2", "3", "4", "5"].map(notification).into();
    assert_eq!(crowd.link("a").heard(), heard);
}
