//! In which order calls run, and which of them still run when the connection ends.

use hubwire::prelude::*;

use crate::kit::{Gates, Link, Log, failure, invoke, result, send};

const GOODBYE: &str = r#"{"type":7}"#;

struct Steps {
    log: Log,
    gates: Gates,
}

#[hub]
impl Steps {
    fn on_disconnected(&self) {
        self.log.add("disconnected");
    }

    /// Runs from its beginning to its end when the test says so.
    async fn step(&self, name: String) -> String {
        self.log.add(format_args!("{name} begins"));
        self.gates.pass(&name).await;
        self.log.add(format_args!("{name} ends"));
        name
    }

    fn note(&self, name: String) {
        self.log.add(name);
    }

    fn abort(&self, cx: &CallerContext<Self>) {
        cx.abort();
        self.log.add("aborts");
    }

    async fn until_aborted(&self, cx: &CallerContext<Self>) {
        cx.aborted().await;
        self.log.add(format_args!("aborted: {}", cx.is_aborted()));
    }
}

struct Walk {
    link: Link,
    log: Log,
    gates: Gates,
}

fn walk(parallel: usize) -> Walk {
    let (log, gates) = (Log::default(), Gates::default());
    let options = HubOptions::default().maximum_parallel_invocations_per_client(parallel);
    let steps = Steps { log: log.clone(), gates: gates.clone() };
    let hub = Hub::new(steps).options(options).build();
    Walk { link: Link::connect(&hub), log, gates }
}

fn step(name: &str) -> String {
    invoke(name, "Step", format_args!(r#"["{name}"]"#))
}

fn note(name: &str) -> String {
    send("Note", format_args!(r#"["{name}"]"#))
}

fn done(name: &str) -> String {
    result(name, format_args!(r#""{name}""#))
}

impl Walk {
    /// Opens a step's gate; what the client then hears.
    fn open(&mut self, name: &str) -> Vec<String> {
        self.gates.open(name);
        self.link.heard()
    }

    #[track_caller]
    fn check_log(&self, entries: &[&str]) {
        assert_eq!(self.log.take(), entries);
    }
}

#[test]
fn calls_run_one_after_another() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), step("b"), step("c")]);
    walk.check_log(&["a begins"]);
    // Whoever comes last is still last when its gate opens first.
    assert!(walk.open("c").is_empty());
    assert_eq!(walk.open("a"), [done("a")]);
    walk.check_log(&["a ends", "b begins"]);
    assert_eq!(walk.open("b"), [done("b"), done("c")]);
    walk.check_log(&["b ends", "c begins", "c ends"]);
}

#[test]
fn refusals_wait_for_their_turn() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), invoke("x", "Step", "[]"), step("b")]);
    assert!(walk.link.heard().is_empty());
    let error = failure("x", "Failed to invoke 'Step' due to an error on the server.");
    assert_eq!(walk.open("a"), [done("a"), error]);
    walk.check_log(&["a begins", "a ends", "b begins"]);
}

#[test]
fn as_many_run_at_once_as_the_options_say() {
    let mut walk = walk(3);
    walk.link.say_all(&[step("a"), step("b"), step("c"), step("d"), note("e")]);
    walk.check_log(&["a begins", "b begins", "c begins"]);
    assert_eq!(walk.open("b"), [done("b")]);
    walk.check_log(&["b ends", "d begins"]);
    assert_eq!(walk.open("c"), [done("c")]);
    walk.check_log(&["c ends", "e"]);
    assert_eq!([walk.open("d"), walk.open("a")], [[done("d")], [done("a")]]);
}

#[test]
fn calls_over_payloads_keep_their_order() {
    let mut walk = walk(1);
    let notes: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let payload: String = notes.iter().map(|name| note(name) + "\u{1e}").collect();
    for chunk in payload.as_bytes().chunks(7) {
        walk.link.deliver(&String::from_utf8_lossy(chunk));
    }
    assert_eq!(walk.log.take(), notes);
}

#[test]
fn what_came_before_the_clients_goodbye_still_runs() {
    let mut walk = walk(1);
    walk.link.say_all(&[&step("a"), &step("b"), &note("c"), GOODBYE, &note("d")]);
    walk.link.say(note("e"));
    walk.check_log(&["a begins"]);
    walk.open("a");
    walk.check_log(&["a ends", "b begins"]);
    walk.open("b");
    walk.check_log(&["b ends", "c", "disconnected"]);
    assert!(walk.link.is_over());
}

#[test]
fn what_came_before_the_network_went_away_still_runs() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), note("b")]);
    walk.link.say(note("c"));
    walk.link.deliver("{\"type\":1,");
    walk.link.hang_up();
    walk.check_log(&["a begins"]);
    walk.open("a");
    walk.check_log(&["a ends", "b", "c", "disconnected"]);
    assert!(walk.link.is_over());
}

#[test]
fn parallel_calls_all_end_before_on_disconnected() {
    let mut walk = walk(2);
    walk.link.say_all(&[step("a"), step("b"), step("c")]);
    walk.link.hang_up();
    for name in ["b", "c"] {
        walk.open(name);
    }
    walk.check_log(&["a begins", "b begins", "b ends", "c begins", "c ends"]);
    walk.open("a");
    walk.check_log(&["a ends", "disconnected"]);
}

#[test]
fn calls_that_wait_when_the_server_ends_the_connection_do_not_run() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), note("b")]);
    walk.link.close(DisconnectReason::Kicked);
    walk.link.say(note("c"));
    assert_eq!(walk.open("a"), [GOODBYE], "nothing follows the Close");
    walk.check_log(&["a begins", "a ends", "disconnected"]);
}

#[test]
fn calls_that_wait_when_one_aborts_do_not_run() {
    // However many may run at once: a method that does not wait is over before the next message is looked at.
    for parallel in [1, 2] {
        let mut walk = walk(parallel);
        walk.link.say_all(&[send("Abort", "[]"), note("b"), note("c")]);
        walk.link.say(note("d"));
        assert_eq!(walk.link.heard(), [GOODBYE]);
        walk.check_log(&["aborts", "disconnected"]);
    }
}

#[test]
fn calls_before_a_bad_message_still_run() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), note("b"), "garbage".to_owned(), note("c")]);
    walk.open("a");
    walk.check_log(&["a begins", "a ends", "b", "disconnected"]);
}

#[test]
fn a_call_that_hangs_does_not_keep_its_client_here() {
    let mut walk = walk(1);
    walk.link.say_all(&[step("a"), note("b")]);
    walk.link.hang_up();
    walk.link.tick(2);
    walk.check_log(&["a begins"]);
    walk.link.tick(1);
    walk.check_log(&["disconnected"]);
    assert!(!walk.link.is_over(), "the call is not stopped halfway");
    walk.open("a");
    walk.check_log(&["a ends"]);
    assert!(walk.link.is_over());
}

#[test]
fn a_running_method_can_wait_for_the_end() {
    for end in [Link::hang_up, |link: &mut Link| link.close(DisconnectReason::Kicked)] {
        let mut walk = walk(1);
        walk.link.say(send("UntilAborted", "[]"));
        assert!(walk.log.take().is_empty());
        end(&mut walk.link);
        walk.check_log(&["aborted: true", "disconnected"]);
    }
}
