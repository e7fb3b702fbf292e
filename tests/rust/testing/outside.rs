//! Hubs that wait for something outside of them.

use std::time::Duration;

use crate::hub::{Kitchen, heard, kitchen};
use hubwire::testing::TestHub;

#[actix_web::test]
async fn a_method_waits_for_something_outside() {
    let kitchen = kitchen();
    let ada = kitchen.connect().await;
    let bell = kitchen.hub().definition().bell.clone();
    ada.send("Cook", ()).await;
    let thread = std::thread::spawn(move || bell.notify_one());
    assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("cook", "done"));
    thread.join().unwrap();
}

#[actix_web::test]
async fn tasks_that_are_ready_have_their_turn() {
    let kitchen = kitchen();
    let ada = kitchen.connect().await;
    ada.invoke::<()>("Delegate", (0,)).await.unwrap();
    assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("task", "done"));
}

#[actix_web::test]
async fn tasks_that_take_their_time_are_given_it() {
    let kitchen = TestHub::new(Kitchen::default()).task_timeout(Duration::from_secs(10));
    let ada = kitchen.connect().await;
    ada.invoke::<()>("Delegate", (5,)).await.unwrap();
    assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("task", "done"));
}

#[test]
fn a_plain_thread_may_call() {
    let kitchen = TestHub::new(Kitchen::default()).task_timeout(Duration::from_secs(10));
    futures_executor::block_on(async {
        let ada = kitchen.connect().await;
        let hub = kitchen.hub().clone();
        let thread = std::thread::spawn(move || hub.clients().all().heard("thread", "hi"));
        assert_eq!(ada.expect::<(String, String)>("Heard").await, heard("thread", "hi"));
        thread.join().unwrap();
    });
}
