//! Names on the wire.

use hubwire::HubDefinition;
use hubwire::prelude::*;

struct Default;

#[hub]
impl Default {
    fn send_message(&self) {}
    #[hub(rename = "Send")]
    fn renamed(&self) {}
    #[hubwire::hub(rename = "say it")]
    fn renamed_by_path(&self) {}
    fn get_2fa(&self) {}
    fn _private(&self) {}
}

struct Camel;

#[hubwire::hub(rename_all = "camelCase", name = "camels")]
impl Camel {
    fn send_message(&self) {}
    #[hub(rename = "Exactly")]
    fn exactly(&self) {}
}

struct Snake;

#[hub(rename_all = "snake_case")]
impl Snake {
    fn send_message(&self) {}
}

struct AsWritten;

#[hub(rename_all = "none")]
impl AsWritten {
    fn send_message_(&self) {}
}

#[test]
fn names_are_pascal_case_unless_told_otherwise() {
    let expected = ["SendMessage", "Send", "say it", "Get2fa", "Private"];
    assert_eq!(crate::names::<Default>(), expected);
    assert_eq!(crate::names::<Camel>(), ["sendMessage", "Exactly"]);
    assert_eq!(crate::names::<Snake>(), ["send_message"]);
    assert_eq!(crate::names::<AsWritten>(), ["send_message_"]);
    assert_eq!((Default::NAME, Camel::NAME), ("Default", "camels"));
}
