#![allow(unused_variables)]

use hubwire::prelude::*;

struct News;

#[hub]
impl News {}

struct Chat;

#[hub]
impl Chat {
    fn send_message(&self, cx: &CallerContext<News>, text: String) {}
}

fn main() {}
