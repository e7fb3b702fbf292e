//! Values that the server asks a client for.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hubwire::prelude::*;
use hubwire::{ClientResult, InvokeError};

use crate::kit::{Act, Link, Page, Task, failure, invoke, result};

struct Asking;

#[hub(client = Page)]
impl Asking {
    async fn ask_me(&self, cx: &CallerContext<Self>) -> HubResult<bool> {
        Ok(cx.clients().caller().confirm("sure?").await?)
    }

    /// Polls only the question that was answered.
    async fn ask_twice(&self, cx: &CallerContext<Self>) -> HubResult<u32> {
        let caller = cx.clients().caller();
        let mut answers: FuturesUnordered<_> = (0..2).map(|_| caller.confirm("sure?")).collect();
        let mut yes = 0;
        while let Some(answer) = answers.next().await {
            yes += u32::from(answer?);
        }
        Ok(yes)
    }

    fn plain(&self) {}

    async fn ask(&self, cx: &CallerContext<Self>, whom: String) -> HubResult<bool> {
        Ok(cx.clients().client(&whom.into()).confirm("sure?").await?)
    }
}

type Answer = Task<Result<bool, InvokeError>>;

fn ask(hub: &Hub<Asking>, whom: &str) -> Answer {
    Task::new(question(hub, whom))
}

fn question(hub: &Hub<Asking>, whom: &str) -> ClientResult<bool> {
    hub.clients().client(&whom.into()).confirm("sure?")
}

fn confirm(id: &str) -> String {
    invoke(id, "Confirm", r#"["sure?"]"#)
}

fn error(answer: &mut Answer) -> Option<String> {
    answer.run().map(|outcome| match outcome {
        Ok(value) => panic!("the client's value is {value}"),
        Err(error) => error.to_string(),
    })
}

/// A client that answers so gives this to whoever asked.
#[track_caller]
fn check(answer: &str, outcome: Result<bool, &str>) {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    let mut asked = ask(&hub, "a");
    assert!(asked.run().is_none());
    assert_eq!(link.heard(), [confirm("s1")]);
    link.say(answer);
    let given = asked.run().expect("an answer is an end");
    assert_eq!(given.map_err(|error| error.to_string()), outcome.map_err(ToOwned::to_owned));
    assert_eq!(link.reason(), None, "whatever the answer, the connection goes on");
}

/// A method that asks its caller is answered so by it, and answers so itself.
#[track_caller]
fn check_call(answer: &str, expected: &str) {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "AskMe", "[]"));
    assert_eq!(link.heard(), [confirm("s1")]);
    link.say(answer);
    assert_eq!(link.heard(), [expected]);
}

#[test]
fn a_value_is_the_result() {
    check(&result("s1", "true"), Ok(true));
    check(&result("s1", "false"), Ok(false));
    check_call(&result("s1", "true"), &result("1", "true"));
}

#[test]
fn an_error_goes_on_to_the_caller() {
    check(&failure("s1", "not now"), Err("not now"));
    let text = "An unexpected error occurred invoking 'AskMe' on the server. HubException: not now";
    check_call(&failure("s1", "not now"), &failure("1", text));
}

#[test]
fn no_value_is_an_error() {
    check(r#"{"type":3,"invocationId":"s1"}"#, Err("Client didn't provide a result."));
}

#[test]
fn a_value_of_another_type_is_an_error_of_the_server() {
    for value in ["1", r#""true""#, "null"] {
        check(&result("s1", value), Err("the client's result does not fit"));
    }
    let text = "An unexpected error occurred invoking 'AskMe' on the server.";
    check_call(&result("s1", "1"), &failure("1", text));
}

#[test]
fn nobody_is_there_to_be_asked() {
    let hub = Hub::new(Asking).build();
    let unknown = "Connection 'b' does not exist.";
    assert_eq!(error(&mut ask(&hub, "b")).as_deref(), Some(unknown));
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "Ask", r#"["b"]"#));
    let text = "An unexpected error occurred invoking 'Ask' on the server.";
    assert_eq!(link.heard(), [failure("1", text)]);
    link.hang_up();
    assert_eq!(error(&mut ask(&hub, "a")).as_deref(), Some("Connection 'a' does not exist."));
}

#[test]
fn a_client_that_leaves_gives_no_answer() {
    let ends: [Act; 3] = [
        Link::hang_up,
        |link| link.close(DisconnectReason::Kicked),
        |link| link.say(r#"{"type":7}"#),
    ];
    for end in ends {
        let hub = Hub::new(Asking).build();
        let mut link = Link::connect(&hub);
        let mut asked = ask(&hub, "a");
        link.say(invoke("1", "AskMe", "[]"));
        assert!(asked.run().is_none());
        end(&mut link);
        assert_eq!(error(&mut asked).as_deref(), Some("Connection 'a' disconnected."));
        assert!(link.is_over(), "the method that asked is not stuck");
    }
}

#[test]
fn a_client_whose_session_is_dropped_gives_no_answer() {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    let mut asked = ask(&hub, "a");
    assert!(asked.run().is_none());
    link.abandon();
    assert_eq!(error(&mut asked).as_deref(), Some("Connection 'a' disconnected."));
}

#[test]
fn answers_find_their_questions() {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    let (mut first, mut second) = (ask(&hub, "a"), ask(&hub, "a"));
    assert_eq!(link.heard(), [confirm("s1"), confirm("s2")]);
    link.say(result("s2", "false"));
    assert!(first.run().is_none());
    assert!(matches!(second.run(), Some(Ok(false))));
    link.say(result("s1", "true"));
    assert!(matches!(first.run(), Some(Ok(true))));
}

#[test]
fn nobody_answers_for_another() {
    let hub = Hub::new(Asking).build();
    let mut asked = Link::dial(&hub).id("asked").connect();
    let mut other = Link::dial(&hub).id("other").connect();
    let mut answer = ask(&hub, "asked");
    other.say(result("s1", "false"));
    assert!(answer.run().is_none());
    asked.say(result("s1", "true"));
    assert!(matches!(answer.run(), Some(Ok(true))));
}

#[test]
fn a_method_may_ask_another_client() {
    let hub = Hub::new(Asking).build();
    let mut caller = Link::dial(&hub).id("caller").connect();
    let mut other = Link::dial(&hub).id("other").connect();
    caller.say(invoke("1", "Ask", r#"["other"]"#));
    assert_eq!(other.heard(), [confirm("s1")]);
    other.say(result("s1", "true"));
    assert_eq!(caller.heard(), [result("1", "true")]);
}

#[test]
fn answers_that_nobody_waits_for_are_ignored() {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    drop(question(&hub, "a"));
    let mut asked = ask(&hub, "a");
    assert_eq!(link.heard(), [confirm("s1"), confirm("s2")]);
    link.say_all(&[
        result("s1", "true"),
        result("2", "true"),
        result("s", "true"),
        result("s99", "true"),
        result("s18446744073709551616", "true"),
    ]);
    assert!(asked.run().is_none());
    link.say_all(&[result("s2", "false"), result("s2", "true")]);
    assert!(matches!(asked.run(), Some(Ok(false))), "the first answer counts");
    assert_eq!(link.reason(), None);
}

#[test]
fn a_question_that_cannot_be_sent_is_not_open() {
    let hub = Hub::new(Asking).build();
    let options = EndpointOptions::default().transport_max_buffer_size(1).max_backlog(1);
    let mut link = Link::dial(&hub).options(options).connect();
    let mut sent = ask(&hub, "a");
    let mut refused = ask(&hub, "a");
    assert!(sent.run().is_none());
    assert_eq!(error(&mut refused).as_deref(), Some("Connection 'a' disconnected."));
    link.run();
    assert_eq!(error(&mut sent).as_deref(), Some("Connection 'a' disconnected."));
    assert!(matches!(link.reason(), Some(DisconnectReason::SlowConsumer { .. })));
}

#[test]
fn a_call_waits_for_its_client_as_long_as_one_question_is_open() {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "AskTwice", "[]"));
    assert_eq!(link.heard(), [confirm("s1"), confirm("s2")]);
    link.say(result("s1", "true"));
    link.say(invoke("2", "Plain", "[]"));
    assert_eq!(
        link.heard(),
        [result("2", "null")],
        "the client may have to call before it answers"
    );
    link.say(result("s2", "true"));
    assert_eq!(link.heard(), [result("1", "2")]);
}

#[test]
fn a_client_that_calls_and_never_answers_does_not_pile_up_calls() {
    let hub = Hub::new(Asking).build();
    let mut link = Link::connect(&hub);
    for id in 0..100 {
        link.say(invoke(&id.to_string(), "AskMe", "[]"));
    }
    // One has its turn, and sixteen more wait beside it.
    assert_eq!(link.heard().len(), 17);
    link.say(result("s1", "true"));
    assert_eq!(link.heard().len(), 2, "an answer, and the next question");
}

#[test]
fn a_client_that_takes_too_long_gives_no_result() {
    let limited = HubOptions::default().client_result_timeout(Some(Duration::from_secs(2)));
    let hub = Hub::new(Asking).options(limited).build();
    let mut link = Link::connect(&hub);
    let mut short = ask(&hub, "a");
    let mut long = Task::new(question(&hub, "a").timeout(Duration::from_secs(4)));
    assert_eq!(link.heard(), [confirm("s1"), confirm("s2")]);
    link.tick(2);
    assert!(short.run().is_none(), "the second that had begun does not count");
    link.tick(1);
    let late = "Connection 'a' gave no result in time.";
    assert_eq!(error(&mut short).as_deref(), Some(late));
    link.say_all(&[result("s1", "true"), r#"{"type":6}"#.to_owned()]);
    link.tick(1);
    assert!(long.run().is_none());
    link.tick(1);
    assert_eq!(error(&mut long).as_deref(), Some(late));
    assert_eq!(link.reason(), None, "its connection goes on");
}

#[test]
fn a_call_that_asked_too_long_is_answered() {
    let limited = HubOptions::default().client_result_timeout(Some(Duration::from_secs(2)));
    let hub = Hub::new(Asking).options(limited).build();
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "AskMe", "[]"));
    link.heard();
    link.tick(3);
    let text = "An unexpected error occurred invoking 'AskMe' on the server.";
    assert_eq!(link.heard(), [failure("1", text)]);
}
