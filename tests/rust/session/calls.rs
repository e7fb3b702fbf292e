//! What a call is answered with.

use std::collections::HashMap;

use futures_util::StreamExt;
use hubwire::prelude::*;
use serde::Serialize;

use crate::kit::{Gates, Link, failure, invoke, result, send};

struct Answers {
    gates: Gates,
}

#[hub]
impl Answers {
    fn on_connected(&self) {}

    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }

    async fn add_later(&self, a: i32, b: i32) -> i32 {
        self.gates.pass("add").await;
        a + b
    }

    fn nothing(&self) {}

    fn maybe(&self, there: bool) -> Option<&'static str> {
        there.then_some("there")
    }

    fn refuse(&self, text: String) -> HubResult<()> {
        Err(HubError::new(text))
    }

    fn parse(&self, number: String) -> HubResult<u8> {
        Ok(number.parse()?)
    }

    fn panic(&self) {
        panic!("as wished");
    }

    async fn panic_later(&self) {
        self.gates.pass("panic").await;
        panic!("as {}", "wished");
    }

    fn fragile(&self) -> Fragile {
        Fragile
    }

    fn fragile_error(&self) -> Result<(), Fragile> {
        Err(Fragile)
    }

    fn fragile_stream(&self) -> impl Stream<Item = u8> + use<> {
        let fragile = Fragile;
        futures_util::stream::iter([1]).inspect(move |_| _ = &fragile)
    }

    fn unwritable(&self) -> HashMap<Vec<u8>, u8> {
        HashMap::from([(vec![1], 1)])
    }

    #[hub(rename = "named-otherwise")]
    fn renamed(&self) -> u8 {
        1
    }
}

/// What an answer is made of, and panics once that is done.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("fragile")]
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

const ADD: &str = "Failed to invoke 'Add' due to an error on the server.";

fn answers(options: HubOptions) -> (Hub<Answers>, Gates) {
    let gates = Gates::default();
    (Hub::new(Answers { gates: gates.clone() }).options(options).build(), gates)
}

fn detailed() -> HubOptions {
    HubOptions::default().enable_detailed_errors(true)
}

/// A message is answered so, and the connection goes on.
#[track_caller]
fn check_with(options: HubOptions, message: &str, answer: Option<&str>) {
    let (hub, _) = answers(options);
    let mut link = Link::connect(&hub);
    link.say_all(&[message, &invoke("next", "Add", "[1,2]")]);
    let next = result("next", "3");
    let expected: Vec<_> = answer.into_iter().chain([next.as_str()]).collect();
    assert_eq!(link.heard(), expected, "answers {message}");
    assert_eq!(link.reason(), None);
}

#[track_caller]
fn check(message: &str, answer: impl Into<Option<&'static str>>) {
    check_with(HubOptions::default(), message, answer.into());
}

#[track_caller]
fn check_error(target: &str, arguments: &str, error: &str) {
    let answer = failure("1", error);
    check_with(HubOptions::default(), &invoke("1", target, arguments), Some(&answer));
}

#[track_caller]
fn check_detailed(target: &str, arguments: &str, error: &str) {
    check_with(detailed(), &invoke("1", target, arguments), Some(&failure("1", error)));
}

fn unexpected(target: &str) -> String {
    format!("An unexpected error occurred invoking '{target}' on the server.")
}

#[test]
fn a_value_is_the_result() {
    check(&invoke("1", "Add", "[1,2]"), r#"{"type":3,"invocationId":"1","result":3}"#);
    check(&invoke("x y", "Maybe", "[true]"), r#"{"type":3,"invocationId":"x y","result":"there"}"#);
    check(&invoke("1", "named-otherwise", "[]"), r#"{"type":3,"invocationId":"1","result":1}"#);
}

#[test]
fn a_value_may_come_later() {
    let (hub, gates) = answers(HubOptions::default());
    let mut link = Link::connect(&hub);
    link.say(invoke("1", "AddLater", "[1,2]"));
    assert!(link.heard().is_empty());
    gates.open("add");
    assert_eq!(link.heard(), [result("1", "3")]);
}

#[test]
fn nothing_is_null() {
    check(&invoke("1", "Nothing", "[]"), r#"{"type":3,"invocationId":"1","result":null}"#);
    check(&invoke("1", "Maybe", "[false]"), r#"{"type":3,"invocationId":"1","result":null}"#);
}

#[test]
fn without_an_id_there_is_no_answer() {
    let calls = [
        ("Add", "[1,2]"),
        ("Add", "[1]"),
        ("Add", r#"["a","b"]"#),
        ("Refuse", r#"["no"]"#),
        ("Parse", r#"["x"]"#),
        ("Panic", "[]"),
        ("Unwritable", "[]"),
        ("Unknown", "[]"),
    ];
    for (target, arguments) in calls {
        check(&send(target, arguments), None);
        check(&invoke("", target, arguments), None);
    }
}

#[test]
fn names_match_without_regard_to_case() {
    for target in ["add", "ADD", "aDD"] {
        check(&invoke("1", target, "[1,2]"), r#"{"type":3,"invocationId":"1","result":3}"#);
    }
    check_error("REFUSE", r#"["no"]"#, &format!("{} HubException: no", unexpected("REFUSE")));
}

#[test]
fn a_hub_error_is_for_the_client_to_read() {
    check_error("Refuse", r#"["no"]"#, &format!("{} HubException: no", unexpected("Refuse")));
}

#[test]
fn any_other_error_is_not() {
    check_error("Parse", r#"["x"]"#, &unexpected("Parse"));
    let detail = "ParseIntError: invalid digit found in string";
    check_detailed("Parse", r#"["x"]"#, &format!("{} {detail}", unexpected("Parse")));
}

#[test]
fn a_panic_behind_an_answer_is_no_second_one() {
    check(&invoke("1", "Fragile", "[]"), r#"{"type":3,"invocationId":"1","result":null}"#);
    check_error("FragileError", "[]", &unexpected("FragileError"));
    let (hub, _) = answers(HubOptions::default());
    let mut link = Link::connect(&hub);
    link.say(r#"{"type":4,"invocationId":"1","target":"FragileStream","arguments":[]}"#);
    let item = r#"{"type":2,"invocationId":"1","item":1}"#;
    assert_eq!(link.heard(), [item, r#"{"type":3,"invocationId":"1"}"#]);
}

#[test]
fn a_panic_is_an_error_of_its_caller() {
    check_error("Panic", "[]", &unexpected("Panic"));
    check_detailed("Panic", "[]", &format!("{} Panic: as wished", unexpected("Panic")));
}

#[test]
fn also_a_late_one() {
    let (hub, gates) = answers(detailed());
    let mut link = Link::connect(&hub);
    link.say_all(&[invoke("1", "PanicLater", "[]"), invoke("2", "Add", "[1,2]")]);
    assert!(link.heard().is_empty());
    gates.open("panic");
    let error = format!("{} Panic: as wished", unexpected("PanicLater"));
    assert_eq!(link.heard(), [failure("1", &error), result("2", "3")]);
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    check_error("Unwritable", "[]", &unexpected("Unwritable"));
}

#[test]
fn arguments_must_be_as_many_as_parameters() {
    for arguments in ["[]", "[1]", "[1,2,3]"] {
        check_error("Add", arguments, ADD);
    }
    let detail = "Invocation provides 1 argument(s) but target expects 2.";
    check_detailed("Add", "[1]", &format!("{ADD} InvalidDataException: {detail}"));
    let nothing = "Failed to invoke 'Nothing' due to an error on the server.";
    check_error("Nothing", "[1]", nothing);
    check_error("Nothing", "[null]", nothing);
}

#[test]
fn arguments_must_fit() {
    for arguments in [r#"["a",2]"#, "[1,null]", "[1,2.5]", "[1,4294967296]"] {
        check_error("Add", arguments, ADD);
    }
    let detail = "Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.";
    check_detailed("Add", r#"[1,"b"]"#, &format!("{ADD} InvalidDataException: {detail}"));
}

#[test]
fn an_unknown_method_does_not_exist() {
    for target in ["Nope", "OnConnected", "renamed"] {
        let error = format!(
            "Failed to invoke '{target}' due to an error on the server. HubException: Method does not exist."
        );
        check_error(target, "[]", &error);
    }
}

#[test]
fn a_stream_is_not_what_a_plain_method_gives() {
    let call = r#"{"type":4,"invocationId":"1","target":"Add","arguments":[1,2]}"#;
    let error = "The client attempted to invoke the non-streaming 'Add' method with a streaming invocation.";
    check_with(HubOptions::default(), call, Some(&failure("1", error)));
    let unknown = r#"{"type":4,"invocationId":"1","target":"Nope","arguments":[]}"#;
    let error = "Failed to invoke 'Nope' due to an error on the server. HubException: Method does not exist.";
    check_with(HubOptions::default(), unknown, Some(&failure("1", error)));
}

#[test]
fn a_stream_is_not_what_a_plain_method_takes() {
    let call =
        r#"{"type":1,"invocationId":"1","target":"Add","arguments":[1,2],"streamIds":["s"]}"#;
    let error = format!(
        "{} HubException: Client sent 1 stream(s), Hub method expects 0.",
        unexpected("Add")
    );
    check_with(HubOptions::default(), call, Some(&failure("1", &error)));
}

#[test]
fn messages_that_concern_nothing_are_ignored() {
    let messages = [
        r#"{"type":2,"invocationId":"1","item":1}"#,
        r#"{"type":3,"invocationId":"s1","result":1}"#,
        r#"{"type":3,"invocationId":"1","error":"no"}"#,
        r#"{"type":5,"invocationId":"1"}"#,
        r#"{"type":6}"#,
        r#"{"type":8,"sequenceId":1}"#,
        r#"{"type":9,"sequenceId":1}"#,
        r#"{"type":99,"something":"new"}"#,
    ];
    for message in messages {
        check(message, None);
    }
}

#[test]
fn a_call_may_be_torn_at_any_byte() {
    let (hub, _) = answers(HubOptions::default());
    let mut link = Link::connect(&hub);
    let call = invoke("é", "Add", "[1,2]") + "\u{1e}";
    for (at, _) in call.char_indices() {
        link.deliver(&call[..at]);
        assert!(link.heard().is_empty());
        link.deliver(&call[at..]);
        assert_eq!(link.heard(), [result("é", "3")]);
    }
}
