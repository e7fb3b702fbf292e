//! Under the runtimes that tests have, many beside each other.

use std::time::Duration;

use futures_util::future::join;

use crate::hub::{heard, kitchen};

/// Tea for two, with a bit of everything that waits.
async fn scene() {
    let kitchen = kitchen();
    let ada = kitchen.connect().user("ada").await;
    let bob = kitchen.connect().user("bob").await;
    ada.invoke::<()>("Join", ("tea",)).await.unwrap();
    bob.invoke::<()>("Join", ("tea",)).await.unwrap();
    // In one task, whichever is looked at first.
    let (heard_by_bob, said) =
        join(bob.expect::<(String, String)>("Heard"), ada.invoke::<usize>("Say", ("tea", "hi")))
            .await;
    assert_eq!((heard_by_bob, said), (heard("ada", "hi"), Ok(2)));
    ada.answer("Confirm", |(_,): (String,)| true);
    assert_eq!(ada.invoke("Ask", ()).await, Ok(true));
    kitchen.advance(Duration::from_secs(60)).await;
    bob.skip_calls().await;
    ada.disconnect().await;
    assert_eq!(bob.expect::<(String, String)>("Heard").await, heard("door", "client-1"));
}

/// What needs a runtime of tokio.
async fn timers() {
    let kitchen = kitchen();
    let ada = kitchen.connect().query("slow=5").await;
    assert_eq!(ada.expect::<(String,)>("Joined").await.0, "late");
    ada.invoke::<()>("Nap", (5,)).await.unwrap();
    ada.send("Nap", (5,)).await;
    ada.expect::<(String, String)>("Heard").await;
    // What still runs is waited for before nothing is said to come.
    assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("nap", "over"));
    ada.send("Nap", (5,)).await;
    assert_eq!(ada.pending_calls().await, ["Heard"]);
}

#[test]
fn without_a_runtime() {
    futures_executor::block_on(scene());
}

#[test]
fn a_hundred_at_a_time() {
    std::thread::scope(|threads| {
        for _ in 0..100 {
            threads.spawn(|| futures_executor::block_on(scene()));
        }
    });
}

#[actix_web::test]
async fn under_actix() {
    scene().await;
    timers().await;
}

#[tokio::test]
async fn under_tokio() {
    scene().await;
    timers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_tokio_with_many_threads() {
    scene().await;
    timers().await;
}

#[tokio::test(start_paused = true)]
async fn timers_of_a_paused_runtime_cost_nothing() {
    scene().await;
    timers().await;
    let kitchen = kitchen().io_timeout(Duration::from_secs(1));
    let ada = kitchen.connect().await;
    ada.invoke::<()>("Nap", (3_600_000,)).await.unwrap();
}
