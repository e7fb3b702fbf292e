//! Who connects: the hook that an application gives an endpoint.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, Handler, HttpRequest};
use hubwire_transport::Identity;

/// What an identity hook may return: an [`Identity`], or a `Result` of one whose error becomes the response.
pub trait IntoIdentity {
    /// The identity, or the error that refuses the connection.
    ///
    /// # Errors
    ///
    /// What the hook failed with.
    fn into_identity(self) -> Result<Identity, Error>;
}

impl IntoIdentity for Identity {
    fn into_identity(self) -> Result<Identity, Error> {
        Ok(self)
    }
}

impl<E: Into<Error>> IntoIdentity for Result<Identity, E> {
    fn into_identity(self) -> Result<Identity, Error> {
        self.map_err(Into::into)
    }
}

type IdentityFuture = Pin<Box<dyn Future<Output = Result<Identity, Error>>>>;

/// An application's hook with its extractors hidden.
#[derive(Clone)]
pub(crate) struct IdentityHook(Rc<dyn Fn(HttpRequest) -> IdentityFuture>);

impl IdentityHook {
    pub(crate) fn new<F, Args>(hook: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: IntoIdentity,
    {
        Self(Rc::new(move |request| {
            let hook = hook.clone();
            Box::pin(async move {
                // The body belongs to the transport.
                let arguments = Args::from_request(&request, &mut Payload::None);
                let arguments = arguments.await.map_err(Into::into)?;
                hook.call(arguments).await.into_identity()
            })
        }))
    }

    pub(crate) async fn identify(&self, request: &HttpRequest) -> Result<Identity, Error> {
        (self.0)(request.clone()).await
    }
}
