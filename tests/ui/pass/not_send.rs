//! What a method holds while it waits need not be `Send`.

use std::cell::RefCell;
use std::rc::Rc;

use hubwire::prelude::*;

struct Chat;

#[hub]
impl Chat {
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        let local = Rc::new("lobby".to_owned());
        cx.join_group(&local).await?;
        drop(local);
        Ok(())
    }

    async fn collect(&self, cx: &CallerContext<Self>, groups: Vec<String>) -> HubResult<usize> {
        let joined = Rc::new(RefCell::new(Vec::new()));
        for group in &groups {
            cx.join_group(group).await?;
            joined.borrow_mut().push(group);
        }
        let count = joined.borrow().len();
        Ok(count)
    }
}

#[test]
fn the_hub_itself_is_shared() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    shared(&Hub::new(Chat).build());
    assert_eq!(crate::names::<Chat>(), ["Collect"]);
}
