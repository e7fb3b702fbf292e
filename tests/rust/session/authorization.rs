//! Who may connect, and who may call what.

use hubwire::prelude::*;
use hubwire::{HubFilter, HubInvocation, Next, Reply};

use crate::kit::{HANDSHAKE, Link, Log, failure, invoke, result};

#[derive(Default)]
struct Wiki {
    log: Log,
}

#[hub(authorize, authorize(policy = Self::is_awake))]
impl Wiki {
    fn read(&self) -> &'static str {
        "text"
    }

    #[hub(authorize(roles = "editor, admin"))]
    fn write(&self, page: String) {
        self.log.add(page);
    }

    #[hub(authorize(claim = "tenant = 7", claim = "verified"), authorize(roles = "admin"))]
    fn rename(&self) {}

    #[hub(authorize(policy = Self::is_own), rename = "Erase")]
    fn delete(&self, page: String) {
        self.log.add(page);
    }

    #[hub(authorize(policy = Self::is_own))]
    fn history(&self, page: String) -> impl Stream<Item = String> + use<> {
        futures_util::stream::iter([page])
    }

    fn on_connected(&self) {
        self.log.add("connected");
    }
}

impl Wiki {
    /// A policy that waits.
    async fn is_own(&self, call: &HubInvocation<Self>) -> bool {
        tokio::task::yield_now().await;
        let user = call.context().user_id().expect("only users connect").as_str();
        call.argument::<String>(0).is_ok_and(|page| page.starts_with(user))
    }

    async fn is_awake(&self, call: &HubInvocation<Self>) -> bool {
        call.method() != Some("Rename") || call.argument_count() == 0
    }
}

fn hub() -> Hub<Wiki> {
    Hub::new(Wiki::default()).build()
}

fn refused(id: &str, method: &str) -> String {
    failure(id, &format!("Failed to invoke '{method}' because user is unauthorized"))
}

#[track_caller]
fn check(identity: Identity, method: &str, arguments: &str, is_allowed: bool) {
    let hub = hub();
    let mut link = Link::dial(&hub).identity(identity).connect();
    link.say(invoke("1", method, arguments));
    let answer = if is_allowed { result("1", "null") } else { refused("1", method) };
    assert_eq!(link.heard(), [answer]);
    link.say(invoke("2", "Read", "[]"));
    assert_eq!(link.heard(), [result("2", r#""text""#)], "a refusal ends nothing");
}

#[test]
fn a_role_is_one_of_those_that_are_named() {
    let page = r#"["x"]"#;
    for (role, is_allowed) in [("editor", true), ("admin", true), ("reader", false)] {
        check(Identity::user("ada").role(role), "Write", page, is_allowed);
    }
    check(Identity::user("ada"), "Write", page, false);
    check(Identity::user("ada").role("editor"), "wRITE", page, true);
}

#[test]
fn all_that_is_asked_must_hold() {
    let admin = || Identity::user("ada").role("admin");
    check(admin().claim("tenant", 7).claim("verified", true), "Rename", "[]", true);
    check(admin().claim("tenant", 8).claim("verified", true), "Rename", "[]", false);
    check(admin().claim("tenant", 7), "Rename", "[]", false);
    let nobody = Identity::user("ada").claim("tenant", 7).claim("verified", true);
    check(nobody, "Rename", "[]", false);
}

#[test]
fn a_policy_sees_the_user_and_the_arguments() {
    check(Identity::user("ada"), "Erase", r#"["ada/x"]"#, true);
    check(Identity::user("ada"), "Erase", r#"["bob/x"]"#, false);
}

#[test]
fn a_policy_stands_before_a_stream_too() {
    let hub = hub();
    let mut link = Link::dial(&hub).user("ada").connect();
    let stream = |id, page| {
        format!(r#"{{"type":4,"invocationId":"{id}","target":"History","arguments":["{page}"]}}"#)
    };
    link.say_all(&[stream(1, "bob"), stream(2, "ada")]);
    let item = r#"{"type":2,"invocationId":"2","item":"ada"}"#.to_owned();
    let end = r#"{"type":3,"invocationId":"2"}"#.to_owned();
    assert_eq!(link.heard(), [refused("1", "History"), item, end]);
}

#[test]
fn a_stranger_does_not_connect() {
    let hub = hub();
    let mut link = Link::dial(&hub).open();
    link.say(HANDSHAKE);
    let close =
        r#"{"type":7,"error":"Connection closed with an error. HubException: unauthorized"}"#;
    assert_eq!(link.heard(), ["{}", close]);
    assert!(link.is_over());
    assert_eq!(hub.definition().log.take(), [] as [&str; 0]);
}

/// Has answers of its own, to calls that the hub knows nothing of.
struct Answering;

impl HubFilter<Sleepy> for Answering {
    async fn invoke(
        &self,
        call: &HubInvocation<Sleepy>,
        next: Next<'_, Reply>,
    ) -> HubResult<Reply> {
        if call.method().is_none() { call.reply(&call.target()) } else { next.run().await }
    }
}

/// A hub without methods that is open as long as nobody asks for a secret.
struct Sleepy;

#[hub(authorize(policy = Self::is_public))]
impl Sleepy {}

impl Sleepy {
    async fn is_public(&self, call: &HubInvocation<Self>) -> bool {
        tokio::task::yield_now().await;
        call.method().is_none() && call.target() != "Secret"
    }
}

#[test]
fn the_policies_of_a_hub_stand_before_filters_that_answer_for_it() {
    let hub = Hub::new(Sleepy).filter(Answering).build();
    let mut link = Link::dial(&hub).identity(Identity::user("ada")).connect();
    link.say(invoke("1", "News", "[]"));
    assert_eq!(link.heard(), [result("1", r#""News""#)]);
    link.say(invoke("2", "Secret", "[]"));
    assert_eq!(link.heard(), [refused("2", "Secret")]);
}
