//! What an application adds to an endpoint: async functions that take extractors, as handlers do.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, Handler, HttpRequest};

/// What a hook may return: a `T`, or a `Result` of one whose error becomes the response.
pub trait IntoHookResult<T> {
    /// The value, or the error that becomes the response.
    ///
    /// # Errors
    ///
    /// What the hook failed with.
    fn into_hook_result(self) -> Result<T, Error>;
}

impl<T> IntoHookResult<T> for T {
    fn into_hook_result(self) -> Result<T, Error> {
        Ok(self)
    }
}

impl<T, E: Into<Error>> IntoHookResult<T> for Result<T, E> {
    fn into_hook_result(self) -> Result<T, Error> {
        self.map_err(Into::into)
    }
}

type HookFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// An application's hook with its extractors hidden.
pub(crate) struct Hook<T>(Rc<dyn Fn(HttpRequest) -> HookFuture<T>>);

impl<T> Hook<T> {
    pub(crate) fn new<F, Args>(hook: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: IntoHookResult<T>,
    {
        Self(Rc::new(move |request| {
            let hook = hook.clone();
            Box::pin(async move {
                // The body belongs to the transport.
                let arguments = Args::from_request(&request, &mut Payload::None);
                let arguments = arguments.await.map_err(Into::into)?;
                hook.call(arguments).await.into_hook_result()
            })
        }))
    }

    pub(crate) async fn ask(&self, request: &HttpRequest) -> Result<T, Error> {
        (self.0)(request.clone()).await
    }
}
