#![allow(unused_variables)]

use std::borrow::Cow;

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    fn send_message(&self, text: Option<&str>) {}

    fn send_all(&self, texts: Vec<Cow<'_, str>>) {}
}

fn main() {}
