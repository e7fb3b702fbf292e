//! What a test can do and see.

use std::time::Duration;

use futures_executor::block_on;
use hubwire::prelude::*;
use hubwire::testing::{CallError, TestHub};
use hubwire::{HubProtocol, Transport};

use crate::hub::{heard, kitchen};

type Outcome = Result<(), CallError>;

#[test]
fn clients_call_and_are_called() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().user("ada").await;
        let bob = kitchen.connect().user("bob").await;
        ada.invoke::<()>("Join", ("tea",)).await?;
        bob.send("Join", ("tea",)).await;
        assert_eq!(bob.pending_calls().await, ["Joined"]);
        assert_eq!(ada.invoke::<usize>("Say", ("tea", "hi")).await?, 2);
        // Out of the order in which they came, and each once.
        assert_eq!(bob.expect::<(String, String)>("Heard").await, heard("ada", "hi"));
        assert_eq!(bob.expect::<(String,)>("Joined").await.0, "tea");
        bob.expect_nothing().await;
        ada.skip_calls().await;
        ada.expect_nothing().await;
        ada.invoke::<()>("Ping", ()).await?;
        let () = ada.expect("Pong").await;
        Ok(())
    })
}

#[test]
fn errors_are_those_that_clients_get() {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let error = ada.invoke::<usize>("Say", ("tea", "")).await.unwrap_err();
        assert_eq!(error.message(), Some("say something"));
        assert_eq!(
            error.text(),
            "An unexpected error occurred invoking 'Say' on the server. HubException: say something"
        );
        let error = ada.invoke::<()>("Sai", ()).await.unwrap_err();
        assert_eq!(error.message(), Some("Method does not exist."));
    });
}

#[test]
fn who_connects_and_how() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen
            .connect()
            .user("ada")
            .claim("role", "chef")
            .header("X-Color", "red")
            .query("page=2")
            .transport(Transport::ServerSentEvents)
            .await;
        let seen: (Option<String>, Option<String>, bool) = ada.invoke("Whoami", ()).await?;
        assert_eq!(seen, (Some("\"chef\"".to_owned()), Some("2".to_owned()), true));
        assert_eq!(kitchen.hub().connection_count(), 1);
        kitchen.hub().clients().user("ada").heard("hub", "hello");
        assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("hub", "hello"));
        Ok(())
    })
}

#[test]
fn messagepack_is_spoken_too() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().protocol(HubProtocol::MessagePack).await;
        ada.invoke::<()>("Join", ("tea",)).await?;
        assert_eq!(ada.expect::<(String,)>("Joined").await.0, "tea");
        assert_eq!(ada.stream::<u32>("Count", (3,)).await.items().await?, [0, 1, 2]);
        Ok(())
    })
}

#[test]
fn clients_are_refused() {
    block_on(async {
        let kitchen = kitchen();
        let refused = kitchen.connect().header("x-banned", "1").expect_refusal().await;
        assert_eq!(
            refused.error(),
            Some("Connection closed with an error. HubException: you are banned")
        );
        assert!(matches!(refused.reason, DisconnectReason::Refused { .. }));
        let json = HubOptions::default().supported_protocols([HubProtocol::Json]);
        let json = Hub::new(crate::hub::Kitchen::default()).options(json).build();
        let json = TestHub::from(json);
        let refused = json.connect().protocol(HubProtocol::MessagePack).expect_refusal().await;
        assert_eq!(refused.error(), Some("The protocol 'messagepack' is not supported."));
    });
}

#[test]
fn streams_come_to_their_end() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        assert_eq!(ada.stream::<u32>("Count", (3,)).await.items().await?, [0, 1, 2]);
        let mut breaks = ada.stream::<u32>("Breaks", ()).await;
        assert_eq!(breaks.next().await, Some(Ok(1)));
        let error = breaks.next().await.expect("an error is an item").unwrap_err();
        assert_eq!(error.message(), Some("burnt"));
        assert_eq!(breaks.next().await, None);
        let mut endless = ada.stream::<u32>("Endless", ()).await;
        assert_eq!(endless.next().await, Some(Ok(1)));
        endless.cancel().await;
        // The hub has dropped it.
        kitchen.run_until(kitchen.hub().definition().door.notified()).await;
        drop(ada.stream::<u32>("Endless", ()).await);
        kitchen.run_until(kitchen.hub().definition().door.notified()).await;
        Ok(())
    })
}

#[test]
fn streams_go_to_the_hub() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let mut upload = ada.upload("Sum", (100,)).await;
        upload.item(&1).await;
        upload.item(&2).await;
        assert_eq!(upload.finish::<i64>().await?, 103);
        let upload = ada.upload("Sum", (100,)).await;
        let error = upload.fail::<i64>("no more").await.unwrap_err();
        assert_eq!(error.message(), Some("no more"));
        Ok(())
    })
}

#[test]
fn clients_answer() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let call = ada.start("Ask", ()).await;
        let question = ada.expect_question::<(String,)>("Confirm").await;
        assert_eq!(question.arguments().0, "sure?");
        assert!(!call.is_answered());
        question.answer(&true).await;
        assert!(call.is_answered());
        assert!(call.result::<bool>().await?);

        let call = ada.start("Ask", ()).await;
        ada.expect_question::<(String,)>("Confirm").await.fail("gone fishing").await;
        assert!(call.result::<bool>().await.is_err());

        let mut asked = 0;
        ada.answer("Confirm", move |(_,): (String,)| {
            asked += 1;
            asked == 1
        });
        assert!(ada.invoke::<bool>("Ask", ()).await?);
        assert!(!ada.invoke::<bool>("Ask", ()).await?);
        let asked = kitchen.hub().clients().client(ada.connection_id()).confirm("really?");
        assert!(!kitchen.run_until(asked).await.expect("it was answered"));
        Ok(())
    })
}

#[test]
fn calls_are_cancelled() -> Outcome {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let call = ada.start("Wait", ()).await;
        // Nobody waits for a call that is known to run.
        let bob = kitchen.connect().await;
        bob.expect_nothing().await;
        call.cancel().await;
        assert!(!call.result::<bool>().await?);
        Ok(())
    })
}

#[test]
fn connections_end() {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let bob = kitchen.connect().await;
        let eve = kitchen.connect().await;
        ada.send("Leave", ()).await;
        let end = ada.expect_disconnect().await;
        assert_eq!(end.reason, DisconnectReason::Kicked);
        assert_eq!(end.close.as_ref().map(|close| close.allow_reconnect), Some(false));
        assert_eq!(eve.expect::<(String, String)>("Heard").await, heard("door", "client-1"));
        bob.disconnect().await;
        assert_eq!(eve.expect::<(String, String)>("Heard").await, heard("door", "client-2"));
        assert_eq!(kitchen.hub().connection_count(), 1);
        let fay = kitchen.connect().await;
        drop(fay);
        assert_eq!(eve.expect::<(String, String)>("Heard").await, heard("door", "client-4"));
        let gil = kitchen.connect().await;
        gil.lose_network().await;
        assert_eq!(eve.pending_calls().await, ["Heard"]);
    });
}

#[test]
fn time_passes_when_the_test_says_so() {
    block_on(async {
        let kitchen = kitchen();
        let ada = kitchen.connect().await;
        let bob = kitchen.connect().await;
        // Clients ping, so nothing happens in an hour.
        kitchen.advance(Duration::from_secs(3600)).await;
        assert_eq!(kitchen.hub().connection_count(), 2);
        bob.fall_silent();
        kitchen.advance(Duration::from_secs(45)).await;
        assert_eq!(kitchen.hub().connection_count(), 1);
        assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("door", "client-2"));
    });
}

#[test]
fn options_are_those_of_the_hub() {
    block_on(async {
        let impatient = HubOptions::default().client_timeout_interval(Duration::from_secs(20));
        let kitchen =
            TestHub::from(Hub::new(crate::hub::Kitchen::default()).options(impatient).build())
                .endpoint_options(EndpointOptions::default().max_backlog(10_000));
        let ada = kitchen.connect().await;
        kitchen.advance(Duration::from_secs(15)).await;
        ada.fall_silent();
        kitchen.advance(Duration::from_secs(21)).await;
        assert_eq!(ada.expect_disconnect().await.reason, DisconnectReason::ClientTimeout);
        let bob = kitchen.connect().await;
        bob.fall_silent();
        for _ in 0..2 {
            kitchen.hub().clients().all().heard("hub", &"x".repeat(20_000));
        }
        let reason = bob.expect_disconnect().await.reason;
        assert!(matches!(reason, DisconnectReason::SlowConsumer { .. }), "{reason}");
    });
}
