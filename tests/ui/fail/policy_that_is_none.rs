#![allow(unused_variables)]

use hubwire::HubInvocation;
use hubwire::prelude::*;

struct Wiki;

#[hub]
impl Wiki {
    #[hub(authorize(policy = Self::may_write))]
    fn write(&self, page: String) {}

    #[hub(authorize(policy = Self::may_read))]
    fn read(&self, page: String) {}
}

impl Wiki {
    async fn may_write(&self, user: &str) -> bool {
        true
    }

    async fn may_read(&self, call: &HubInvocation<Self>) -> HubResult<bool> {
        Ok(true)
    }
}

fn main() {}
