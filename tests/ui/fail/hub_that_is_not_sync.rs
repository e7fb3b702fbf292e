use std::rc::Rc;

use hubwire::prelude::*;

struct Chat {
    names: Rc<Vec<String>>,
}

#[hub]
impl Chat {
    fn names(&self) -> Vec<String> {
        self.names.to_vec()
    }
}

fn main() {}
