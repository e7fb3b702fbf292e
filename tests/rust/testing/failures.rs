//! What a test that fails says, and where.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_executor::block_on;
use hubwire::Disconnect;
use hubwire::testing::TestHub;

use crate::hub::{Kitchen, kitchen};

/// What a test says that fails.
#[track_caller]
fn failure(test: impl Future<Output = ()>) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(test))).expect_err("the test fails");
    *panic.downcast::<String>().expect("it says why")
}

#[track_caller]
fn check(test: impl Future<Output = ()>, lines: &[&str]) {
    assert_eq!(failure(test).lines().collect::<Vec<_>>(), lines);
}

const QUIET: &str = "Nothing of the hub is left to run, so it will not come. Time passes only with `advance`; for what tasks and threads of your own do, set `TestHub::task_timeout`.";
const LATE: &str = "The hub waited for something outside of it for as long as `TestHub::io_timeout` or `task_timeout` allow, in real time.";

#[test]
fn a_call_that_does_not_come() {
    check(
        async {
            let kitchen = kitchen();
            let ada = kitchen.connect().user("ada").await;
            ada.send("Join", ("tea",)).await;
            ada.send("Ping", ()).await;
            let () = ada.expect("Pong").await;
            let _: (String,) = ada.expect("Joint").await;
        },
        &[
            "ada expected a call of `Joint`",
            "Did you mean `Joined`?",
            "What the hub has called, in order:",
            "  Joined(\"tea\")",
            "  Pong(): taken by an earlier expectation",
            QUIET,
        ],
    );
}

#[test]
fn arguments_of_other_types() {
    let wrong = async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        ada.send("Join", ("tea",)).await;
        let _: (u32,) = ada.expect("Joined").await;
    };
    let said = failure(wrong);
    let first = "client-1 was called with `Joined`, but argument 1 is no u32: ";
    assert!(said.starts_with(first), "{said}");
    check(
        async {
            let kitchen = kitchen();
            let ada = kitchen.connect().await;
            ada.send("Join", ("tea",)).await;
            let () = ada.expect("Joined").await;
        },
        &[
            "client-1 was called with `Joined`, but it has 1 argument(s), and 0 were expected",
            "What the hub has called, in order:",
            "  Joined(\"tea\"): taken by an earlier expectation",
        ],
    );
}

#[test]
fn a_call_too_many() {
    check(
        async {
            let kitchen = kitchen();
            let ada = kitchen.connect().await;
            ada.send("Join", ("tea",)).await;
            ada.expect_nothing().await;
        },
        &[
            "client-1 expected no further call, and there is Joined",
            "What the hub has called, in order:",
            "  Joined(\"tea\")",
        ],
    );
}

#[test]
fn an_answer_that_waits_for_an_answer() {
    check(
        async {
            let kitchen = TestHub::new(Kitchen::default()).io_timeout(Duration::from_millis(1));
            let ada = kitchen.connect().await;
            let _ = ada.invoke::<bool>("Ask", ()).await;
        },
        &[
            "client-1 waited for `Ask`, which has not answered",
            "What the hub has called, in order:",
            "  Confirm(\"sure?\"): waits for an answer",
            LATE,
        ],
    );
}

#[test]
fn a_result_of_another_type() {
    let said = failure(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let _ = ada.invoke::<String>("Say", ("tea", "hi")).await;
    });
    assert!(said.starts_with("`Say` returned no alloc::string::String: "), "{said}");
}

#[test]
fn a_connection_that_ends_before_the_answer() {
    check(
        async {
            let kitchen = kitchen();
            let ada = kitchen.connect().await;
            let call = ada.start("Cook", ()).await;
            ada.send("Ping", ()).await;
            kitchen.hub().clients().all().disconnect();
            let _ = call.result::<()>().await;
        },
        &[
            "client-1 waited for `Cook`, which can no longer answer",
            "The hub has called nothing.",
            "The connection has ended: kicked",
        ],
    );
}

#[test]
fn a_connection_that_goes_on() {
    check(
        async {
            let kitchen = kitchen();
            let _ = kitchen.connect().await.expect_disconnect().await;
        },
        &["the connection of client-1 was expected to end, and goes on", QUIET],
    );
}

#[test]
fn a_client_that_is_refused_or_is_not() {
    check(
        async {
            let _ = kitchen().connect().header("x-banned", "1").await;
        },
        &[
            "client-1 was refused: refused: you are banned; it was told: Connection closed with an error. HubException: you are banned",
        ],
    );
    check(
        async {
            let _ = kitchen().connect().user("ada").expect_refusal().await;
        },
        &["ada was expected to be refused, and is connected"],
    );
}

#[test]
fn an_answer_to_another_question() {
    let said = failure(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        ada.answer("Confirm", |(_,): (u32,)| true);
        let _ = ada.invoke::<bool>("Ask", ()).await;
    });
    let first = "client-1: was asked `Confirm`, but argument 1 is no u32: ";
    assert!(said.starts_with(first), "{said}");
}

#[test]
fn a_stream_without_a_next_item() {
    check(
        async {
            let kitchen = TestHub::new(Kitchen::default()).io_timeout(Duration::from_millis(1));
            let ada = kitchen.connect().await;
            let mut stream = ada.stream::<u32>("Endless", ()).await;
            stream.next().await;
            stream.next().await;
        },
        &[
            "client-1 waited for `Endless`, which has not answered",
            "The hub has called nothing.",
            LATE,
        ],
    );
}

#[test]
fn a_method_that_never_comes_to_rest() {
    check(
        async {
            let kitchen = TestHub::new(Kitchen::default()).io_timeout(Duration::from_millis(1));
            let ada = kitchen.connect().await;
            ada.send("Spin", ()).await;
            let () = ada.expect("Pong").await;
        },
        &["client-1 expected a call of `Pong`", "The hub has called nothing.", LATE],
    );
}

#[test]
fn a_future_beside_the_hub() {
    check(
        async {
            let kitchen = TestHub::new(Kitchen::default()).io_timeout(Duration::from_millis(1));
            kitchen.run_until(std::future::pending::<()>()).await;
        },
        &["the future that was awaited beside the hub has not ended", LATE],
    );
}

#[test]
fn it_fails_where_it_is_awaited() {
    use std::sync::Mutex;
    static AT: Mutex<Option<(String, u32)>> = Mutex::new(None);
    let line = std::cell::Cell::new(0);
    let ours = std::thread::current().id();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == ours {
            let at = panic.location().map(|at| (at.file().to_owned(), at.line()));
            *AT.lock().unwrap() = at;
        }
        hook(panic);
    }));
    failure(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        line.set(line!() + 1);
        let () = ada.expect("Pong").await;
    });
    let at = AT.lock().unwrap().take();
    assert_eq!(at, Some((file!().to_owned(), line.get())));
}
