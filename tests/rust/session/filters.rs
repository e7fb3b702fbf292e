//! Code around calls, and around the beginning and end of connections.

use hubwire::prelude::*;
use hubwire::{HubDefinition, HubFilter, HubInvocation, Next, Reply};

use crate::kit::{HANDSHAKE, Link, Log, Page, failure, invoke, result};

#[derive(Default)]
struct Around {
    log: Log,
}

#[hub(client = Page)]
impl Around {
    fn on_connected(&self) {
        self.log.add("on_connected");
    }

    fn on_disconnected(&self) {
        self.log.add("on_disconnected");
    }

    fn double(&self, number: u32) -> u32 {
        self.log.add(format_args!("double {number}"));
        number * 2
    }

    fn nothing(&self) {}

    fn fail(&self) -> HubResult<()> {
        Err(HubError::new("no"))
    }

    async fn panic(&self) {
        panic!("on purpose");
    }

    fn count(&self) -> impl Stream<Item = HubResult<u8>> + use<> {
        futures_util::stream::iter([Ok(1), Err(HubError::new("enough"))])
    }

    async fn sum(&self, mut numbers: ClientStream<u32>) -> HubResult<u32> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }
}

/// Writes down all that it sees; for every hub.
struct Witness {
    log: Log,
    name: &'static str,
}

impl<H: HubDefinition> HubFilter<H> for Witness {
    async fn invoke(&self, call: &HubInvocation<H>, next: Next<'_, Reply>) -> HubResult<Reply> {
        self.log.add(format_args!("{} before {} ({:?})", self.name, call.target(), call.method()));
        let reply = next.run().await;
        let outcome = match &reply {
            Ok(reply) if reply.is_stream() => "a stream".to_owned(),
            Ok(reply) => match reply.decode::<u32>() {
                Ok(number) => number.to_string(),
                Err(_) => "something".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        self.log.add(format_args!("{} after {}: {outcome}", self.name, call.target()));
        reply
    }

    async fn connected(&self, _: &CallerContext<H>, next: Next<'_>) -> HubResult<()> {
        self.log.add(format_args!("{} before connected", self.name));
        next.run().await?;
        self.log.add(format_args!("{} after connected", self.name));
        Ok(())
    }

    async fn disconnected(
        &self,
        _: &CallerContext<H>,
        reason: &DisconnectReason,
        next: Next<'_>,
    ) -> HubResult<()> {
        self.log.add(format_args!("{} before disconnected: {reason}", self.name));
        next.run().await
    }
}

fn hub(filters: impl FnOnce(HubBuilder, Log) -> HubBuilder) -> (Hub<Around>, Log) {
    let log = Log::default();
    let hub = filters(Hub::new(Around { log: log.clone() }), log.clone());
    (hub.build(), log)
}

type HubBuilder = hubwire::HubBuilder<Around>;

fn witnessed() -> (Hub<Around>, Log) {
    hub(|hub, log| {
        let witness = |name| Witness { log: log.clone(), name };
        hub.filter(witness("outer")).filter(witness("inner"))
    })
}

#[test]
fn the_first_filter_is_outermost() {
    let (hub, log) = witnessed();
    let mut link = Link::connect(&hub);
    let connected = [
        "outer before connected",
        "inner before connected",
        "on_connected",
        "inner after connected",
        "outer after connected",
    ];
    assert_eq!(log.take(), connected);
    link.say(invoke("1", "double", "[4]"));
    assert_eq!(link.heard(), [result("1", 8)]);
    let called = [
        r#"outer before double (Some("Double"))"#,
        r#"inner before double (Some("Double"))"#,
        "double 4",
        "inner after double: 8",
        "outer after double: 8",
    ];
    assert_eq!(log.take(), called);
    link.hang_up();
    let left = [
        "outer before disconnected: network lost",
        "inner before disconnected: network lost",
        "on_disconnected",
    ];
    assert_eq!(log.take(), left);
}

#[test]
fn calls_of_unknown_methods_are_seen() {
    let (hub, log) = witnessed();
    let mut link = Link::connect(&hub);
    log.take();
    link.say(invoke("1", "Duoble", "[]"));
    let text = "Failed to invoke 'Duoble' due to an error on the server.";
    let whole = format!("{text} HubException: Method does not exist.");
    assert_eq!(link.heard(), [failure("1", &whole)]);
    let seen = log.take();
    assert_eq!(seen[0], "outer before Duoble (None)");
    assert_eq!(seen.len(), 4);
}

#[test]
fn answers_are_the_same_with_filters() {
    let (filtered, _) = witnessed();
    let (plain, _) = hub(|hub, _| hub);
    let stream = r#"{"type":4,"invocationId":"5","target":"Count","arguments":[]}"#;
    let upload = r#"{"type":1,"invocationId":"6","target":"Sum","arguments":[],"streamIds":["7"]}"#;
    let calls = [
        invoke("1", "Double", "[4]"),
        invoke("2", "Nothing", "[]"),
        invoke("3", "Fail", "[]"),
        invoke("4", "Panic", "[]"),
        stream.to_owned(),
        upload.to_owned(),
        r#"{"type":2,"invocationId":"7","item":3}"#.to_owned(),
        r#"{"type":3,"invocationId":"7"}"#.to_owned(),
        invoke("8", "Double", r#"["x"]"#),
        invoke("9", "Double", "[]"),
        r#"{"type":4,"invocationId":"10","target":"Double","arguments":[1]}"#.to_owned(),
        r#"{"type":1,"target":"Double","arguments":[5]}"#.to_owned(),
    ];
    let answers = |hub: &Hub<Around>| {
        let mut link = Link::connect(hub);
        let mut answers = Vec::new();
        for call in &calls {
            link.say(call);
            answers.extend(link.heard());
        }
        answers
    };
    let expected = answers(&plain);
    assert_eq!(expected.len(), 10, "{expected:?}");
    assert_eq!(answers(&filtered), expected);
}

/// Answers in the place of some methods.
struct Answering;

impl HubFilter<Around> for Answering {
    async fn invoke(
        &self,
        call: &HubInvocation<Around>,
        next: Next<'_, Reply>,
    ) -> HubResult<Reply> {
        match call.target() {
            "Cached" => call.reply(&"from a filter"),
            "Double" if call.argument::<u32>(0)? > 1000 => Err(HubError::new("too much")),
            "Double" => {
                let doubled: u32 = next.run().await?.decode()?;
                call.reply(&(doubled + 1))
            }
            "Ask" => {
                let caller = call.context().clients().caller();
                call.reply(&caller.confirm("from a filter?").await?)
            }
            "Header" => call.reply(&call.headers().get("trace")),
            "Count" => call.reply(&"no stream"),
            "Panic" => panic!("in the filter"),
            _ => next.run().await,
        }
    }

    async fn connected(&self, context: &CallerContext<Around>, next: Next<'_>) -> HubResult<()> {
        match context.user_id().map(|user| user.as_str()) {
            Some("eve") => Err(HubError::new("not you")),
            Some("mallory") => panic!("in the filter"),
            _ => next.run().await,
        }
    }
}

#[test]
fn a_filter_answers_refuses_and_changes() {
    let (hub, log) = hub(|hub, _| hub.filter(Answering));
    let mut link = Link::connect(&hub);
    let header =
        r#"{"type":1,"headers":{"trace":"7"},"invocationId":"4","target":"Header","arguments":[]}"#;
    link.say_all(&[
        invoke("1", "Cached", "[]"),
        invoke("2", "Double", "[1001]"),
        invoke("3", "Double", "[4]"),
        header.to_owned(),
        r#"{"type":4,"invocationId":"5","target":"Count","arguments":[]}"#.to_owned(),
        invoke("6", "Panic", "[]"),
    ]);
    let failed =
        |method: &str| format!("An unexpected error occurred invoking '{method}' on the server.");
    let expected = [
        result("1", r#""from a filter""#),
        failure("2", &format!("{} HubException: too much", failed("Double"))),
        result("3", 9),
        result("4", r#""7""#),
        r#"{"type":3,"invocationId":"5"}"#.to_owned(),
        failure("6", &failed("Panic")),
    ];
    assert_eq!(link.heard(), expected);
    assert_eq!(log.take(), ["on_connected", "double 4"]);
}

#[test]
fn a_filter_may_ask_its_client() {
    let (hub, _) = hub(|hub, _| hub.filter(Answering));
    let mut link = Link::connect(&hub);
    link.say_all(&[invoke("1", "Ask", "[]"), invoke("2", "Nothing", "[]")]);
    let question = invoke("s1", "Confirm", r#"["from a filter?"]"#);
    assert_eq!(link.heard(), [question, result("2", "null")], "and gives its turn back");
    link.say(result("s1", "true"));
    assert_eq!(link.heard(), [result("1", "true")]);
}

#[test]
fn a_filter_refuses_connections() {
    for (user, error) in [
        ("eve", "Connection closed with an error. HubException: not you"),
        ("mallory", "Connection closed with an error."),
    ] {
        let (hub, log) = hub(|hub, _| hub.filter(Answering));
        let mut link = Link::dial(&hub).user(user).open();
        link.say(HANDSHAKE);
        let close = format!(r#"{{"type":7,"error":"{error}"}}"#);
        assert_eq!(link.heard(), ["{}".to_owned(), close]);
        assert_eq!(log.take(), [] as [&str; 0], "the hub is not asked");
    }
}

#[test]
fn values_are_kept_with_a_connection() {
    struct Clicks;

    #[derive(Clone, Copy)]
    struct Count(u32);

    #[hub]
    impl Clicks {
        fn click(&self, cx: &CallerContext<Self>) -> u32 {
            let count = cx.items().get().unwrap_or(Count(0)).0 + 1;
            cx.items().insert(Count(count));
            count
        }
    }

    let hub = Hub::new(Clicks).build();
    let (mut a, mut b) = (Link::dial(&hub).id("a").connect(), Link::dial(&hub).id("b").connect());
    for link in [&mut a, &mut b] {
        link.say_all(&[invoke("1", "Click", "[]"), invoke("2", "Click", "[]")]);
        assert_eq!(link.heard(), [result("1", 1), result("2", 2)]);
    }
}
