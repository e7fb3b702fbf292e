//! What pages see of the chat, without a browser or a server.

use hubwire::testing::{ArgumentList, TestClient, TestHub};

use super::*;

type Chatting = TestHub<Chat>;

/// Somebody who has entered a room.
async fn enter(chat: &Chatting, name: &str, room: &str) -> TestClient {
    let page = chat.connect().user(name).await;
    page.invoke::<Entered>("Join", (room, name)).await.expect("everyone may come in");
    page
}

async fn joined(page: &TestClient) -> (String, Member) {
    page.expect("MemberJoined").await
}

async fn left(page: &TestClient) -> (String, Member) {
    page.expect("MemberLeft").await
}

/// Why a call is refused.
async fn refused<A: ArgumentList>(page: &TestClient, method: &str, arguments: A) -> String {
    let error = page.invoke::<Option<Entered>>(method, arguments).await.unwrap_err();
    error.message().expect("the page is told").to_owned()
}

#[actix_web::test]
async fn what_is_said_is_heard_in_the_room() {
    let chat = TestHub::new(Chat::default());
    let ada = enter(&chat, "Ada", "tea").await;
    let bob = enter(&chat, "Bob", "tea").await;
    let eve = enter(&chat, "Eve", "garden").await;
    eve.skip_calls().await;

    ada.invoke::<()>("Say", (" hello ",)).await.unwrap();
    for page in [&ada, &bob] {
        let (room, message): (String, Message) = page.expect("MessageReceived").await;
        assert_eq!((room.as_str(), message.text.as_str()), ("tea", "hello"));
        assert_eq!(message.from.name, "Ada");
    }
    eve.expect_nothing().await;
}

#[actix_web::test]
async fn who_comes_and_goes_is_seen() {
    let chat = TestHub::new(Chat::default());
    let ada = enter(&chat, "Ada", "tea").await;
    let bob = enter(&chat, "Bob", "tea").await;
    assert_eq!(joined(&ada).await.1.name, "Bob");

    // Into another room, and out of the house without a word.
    bob.invoke::<Entered>("Join", ("garden", "Bob")).await.unwrap();
    assert_eq!(left(&ada).await.1.name, "Bob");
    let eve = enter(&chat, "Eve", "tea").await;
    assert_eq!(joined(&ada).await.1.name, "Eve");
    eve.lose_network().await;
    let (room, member) = left(&ada).await;
    assert_eq!((room.as_str(), member.name.as_str()), ("tea", "Eve"));
}

#[actix_web::test]
async fn everyone_sees_which_rooms_there_are() {
    let chat = TestHub::new(Chat::default());
    let ada = chat.connect().await;
    let bob = enter(&chat, "Bob", "tea").await;
    let (rooms,): (Vec<RoomSummary>,) = ada.expect("RoomsChanged").await;
    assert_eq!(rooms, [RoomSummary { name: "tea".to_owned(), members: 1 }]);
    assert_eq!(ada.invoke::<Vec<RoomSummary>>("Rooms", ()).await.unwrap(), rooms);
    bob.disconnect().await;
    assert_eq!(ada.expect::<(Vec<RoomSummary>,)>("RoomsChanged").await.0, []);
}

#[actix_web::test]
async fn the_others_see_who_is_typing() {
    let chat = TestHub::new(Chat::default());
    let ada = enter(&chat, "Ada", "tea").await;
    let bob = enter(&chat, "Bob", "tea").await;
    ada.skip_calls().await;
    bob.skip_calls().await;
    ada.send("Typing", (true,)).await;
    let (_, member, is_typing): (String, Member, bool) = bob.expect("MemberTyping").await;
    assert_eq!((member.name.as_str(), is_typing), ("Ada", true));
    ada.expect_nothing().await;
}

#[actix_web::test]
async fn who_comes_late_finds_what_was_said() {
    let chat = TestHub::new(Chat::default());
    let ada = enter(&chat, "Ada", "tea").await;
    ada.invoke::<()>("Say", ("first",)).await.unwrap();
    ada.invoke::<()>("Say", ("second",)).await.unwrap();
    let bob = chat.connect().await;
    let found: Entered = bob.invoke("Join", ("tea", "Bob")).await.unwrap();
    let said: Vec<_> = found.history.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(said, ["first", "second"]);
    let here: Vec<_> = found.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!((here.as_slice(), found.you.name.as_str()), (["Ada", "Bob"].as_slice(), "Bob"));
}

#[actix_web::test]
async fn bad_input_is_refused_with_a_word() {
    let chat = TestHub::new(Chat::default());
    let ada = chat.connect().await;
    assert_eq!(refused(&ada, "Say", ("hello",)).await, "join a room first");
    assert_eq!(refused(&ada, "Join", (" ", "Ada")).await, "give a room");
    let long = "x".repeat(NAME_MAX + 1);
    assert_eq!(refused(&ada, "Join", ("tea", long)).await, "a name has at most 40 characters");
    ada.invoke::<Entered>("Join", ("tea", "Ada")).await.unwrap();
    assert_eq!(refused(&ada, "Say", (" ",)).await, "say something");
    let long = "x".repeat(TEXT_MAX + 1);
    assert_eq!(refused(&ada, "Say", (long,)).await, "a message has at most 2000 characters");
}
