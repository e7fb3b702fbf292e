use hubwire::prelude::*;

struct Wiki;

#[hub(authorize(roles = "editor,"))]
impl Wiki {
    #[hub(authorize(roles = "editor,, admin"))]
    fn write(&self) {}

    #[hub(authorize(claim = "= 7"), authorize(claim = "tenant ="))]
    fn rename(&self) {}

    #[hub(authorize(roles = " ", claim = " "))]
    fn delete(&self) {}
}

fn main() {}
