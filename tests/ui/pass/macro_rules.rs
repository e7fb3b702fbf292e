//! Hubs and clients that a macro of the user's writes.

use hubwire::prelude::*;

macro_rules! echo {
    ($hub:ident, $client:ident, $($name:ident($parameter:ident: $ty:ty)),*) => {
        #[hub_client]
        trait $client {
            $(fn $name($parameter: $ty) -> $ty;)*
            fn own(own: u8);
        }

        struct $hub;

        #[hub(client = $client)]
        impl $hub {
            $(fn $name(&self, $parameter: $ty) -> $ty { $parameter })*

            async fn own(&self, cx: &CallerContext<$hub>, own: u8) -> HubResult<()> {
                cx.clients().all().own(own);
                $(let _ = cx.clients().caller().$name(<$ty>::default()).await?;)*
                Ok(())
            }
        }
    };
}

echo!(Echo, EchoClient, number(value: u32), texts(values: Vec<String>));

#[test]
fn a_macro_may_write_a_hub() {
    assert_eq!(crate::names::<Echo>(), ["Number", "Texts", "Own"]);
    assert_eq!(crate::parameters::<Echo>(), ["value: u32", "values: Vec<String>", "own: u8"]);
}
