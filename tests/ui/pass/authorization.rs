//! Who may call what, in every shape.

use hubwire::prelude::*;
use hubwire::{HubDefinition, HubInvocation};

pub mod policies {
    pub async fn odd<H: super::HubDefinition>(_: &H, call: &super::HubInvocation<H>) -> bool {
        call.argument::<u32>(0).is_ok_and(|number| number % 2 == 1)
    }
}

struct Everything;

#[hub(authorize, authorize(claim = "tenant"), name = "everything")]
impl Everything {
    #[hub(authorize)]
    fn users(&self) {}

    #[hub(authorize(roles = "a,b , c", claim = "x=y"), rename = "Named", authorize(roles = "d"))]
    fn roles(&self) {}

    #[hub(authorize(policy = Self::own, policy = policies::odd))]
    async fn policies(&self, _number: u32) {}
}

impl Everything {
    async fn own(&self, call: &HubInvocation<Self>) -> bool {
        call.context().user_id().is_some()
    }
}

#[test]
fn what_was_written_is_what_is_asked() {
    assert_eq!(Everything::authorization().len(), 2);
    let asked: Vec<_> = Everything::methods()
        .iter()
        .flat_map(|method| method.authorization)
        .map(|asked| (asked.roles, asked.claims, asked.policies.len()))
        .collect();
    let none: &[&str] = &[];
    assert_eq!(asked[0], (none, &[][..], 0));
    assert_eq!(asked[1], (&["a", "b", "c"][..], &[("x", Some("y"))][..], 0));
    assert_eq!(asked[2], (&["d"][..], &[][..], 0));
    assert_eq!(asked[3], (none, &[][..], 2));
}
