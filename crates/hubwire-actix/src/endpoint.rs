//! Where an application is mounted.

use std::fmt;
use std::future::ready;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::header::{CacheControl, CacheDirective};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Route, web};
use hubwire_transport::negotiate::Negotiation;
use hubwire_transport::{
    Access, Authentication, Boundaries, EndpointOptions, Found, Identity, Mount, Runner,
};

use crate::admission::{Mounted, no_connection};
use crate::handshake::SubProtocol;
use crate::hook::{Hook, IntoHookResult};
use crate::meter::Meter;
use crate::negotiate::{negotiate, text};
use crate::{event_stream, handshake, linger, misuse, origin, poll, post, supervisor, websocket};

/// Mounts applications: `chat.at("/chat")`.
pub trait MountExt: Mount {
    /// The endpoint of this application at `path`, to be handed to `App::service`.
    ///
    /// Below a `web::scope` the path is relative to it. Paths match without regard to case and to a slash at their end, as in ASP.NET Core.
    /// Guards go on a scope of its own: `web::scope("/chat").guard(…).service(chat.at("/"))`.
    fn at(&self, path: &str) -> Endpoint {
        Endpoint::new(self.runner(), path)
    }

    /// A route that says whether this server takes new connections: 200, or 503 from the moment that it goes down.
    ///
    /// ```no_run
    /// use actix_web::App;
    /// use hubwire_actix::MountExt;
    /// # fn example(chat: impl hubwire_transport::Mount) {
    /// let app = App::new().route("/ready", chat.readiness()).service(chat.at("/chat"));
    /// # }
    /// ```
    fn readiness(&self) -> Route {
        let runner = self.runner();
        web::get().to(move || {
            let (status, text) = match runner.connections().is_draining() {
                true => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
                false => (StatusCode::OK, "ready"),
            };
            ready(
                HttpResponse::build(status)
                    .insert_header(CacheControl(vec![CacheDirective::NoStore]))
                    .body(text),
            )
        })
    }
}

impl<M: Mount + ?Sized> MountExt for M {}

/// An application at a path: an actix-web service.
#[must_use = "an endpoint does nothing until it is handed to `App::service`"]
pub struct Endpoint {
    runner: Arc<dyn Runner>,
    path: String,
    options: EndpointOptions,
    identity: Option<Hook<Identity>>,
    negotiation: Option<Hook<Negotiation>>,
    sub_protocol: Option<SubProtocol>,
}

impl Endpoint {
    fn new(runner: Arc<dyn Runner>, path: &str) -> Self {
        let path = format!("/{}", path.trim_matches('/'));
        Self {
            runner,
            path,
            options: EndpointOptions::default(),
            identity: None,
            negotiation: None,
            sub_protocol: None,
        }
    }

    /// Sets the endpoint's options.
    ///
    /// # Panics
    ///
    /// When an option makes no sense.
    pub fn options(mut self, options: EndpointOptions) -> Self {
        if let Err(error) = options.validate() {
            panic!("{} cannot be mounted at {}: {error}", self.runner.name(), self.path);
        }
        self.options = options;
        self
    }

    /// Sets the hook that says who connects: an async function that takes actix-web extractors and returns an
    /// [`Identity`] or a `Result` of one. Its error is the response to whoever is refused.
    ///
    /// It runs for every request of a client: `negotiate`, the transport, each poll, POST and DELETE.
    pub fn identity<F, Args>(mut self, hook: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: IntoHookResult<Identity>,
    {
        self.identity = Some(Hook::new(hook));
        self
    }

    /// Sets the hook that sends clients elsewhere or refuses them when they negotiate: an async function that takes actix-web extractors and returns a
    /// [`Negotiation`] or a `Result` of one.
    ///
    /// A client that skips the negotiation does not meet it.
    ///
    /// ```
    /// use hubwire_actix::MountExt;
    /// use hubwire_transport::negotiate::Negotiation;
    /// # use hubwire_transport::{Application, Connection, Connections, Payload};
    /// # struct Chat;
    /// # impl Application for Chat {
    /// #     async fn payload(&self, _: &Connection, _: Payload) {}
    /// # }
    /// # let chat = Connections::new(Chat).build();
    ///
    /// async fn nearest(request: actix_web::HttpRequest) -> Negotiation {
    ///     match request.headers().contains_key("x-from-europe") {
    ///         true => Negotiation::Redirect {
    ///             url: "https://eu.example.com/chat".to_owned(),
    ///             access_token: None,
    ///         },
    ///         false => Negotiation::Accept,
    ///     }
    /// }
    ///
    /// let endpoint = chat.at("/chat").negotiation(nearest);
    /// ```
    pub fn negotiation<F, Args>(mut self, hook: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: IntoHookResult<Negotiation>,
    {
        self.negotiation = Some(Hook::new(hook));
        self
    }

    /// Sets which of the subprotocols that a WebSocket client offers (`Sec-WebSocket-Protocol`) is selected and told to it; SignalR's `SubProtocolSelector`.
    ///
    /// Default: none is. The hook is asked where something is offered, in the client's order of preference, and must return one of these; `None` goes on without one.
    /// An application that has to know it looks at the headers of [`ConnectRequest`](hubwire_transport::ConnectRequest) in the same way.
    ///
    /// ```
    /// use hubwire_actix::MountExt;
    /// # use hubwire_transport::{Application, Connection, Connections, Payload};
    /// # struct Chat;
    /// # impl Application for Chat {
    /// #     async fn payload(&self, _: &Connection, _: Payload) {}
    /// # }
    /// # let chat = Connections::new(Chat).build();
    /// let endpoint = chat.at("/chat").sub_protocol(|offered| {
    ///     offered.iter().copied().find(|name| matches!(*name, "chat.v2" | "chat.v1"))
    /// });
    /// ```
    pub fn sub_protocol(
        mut self,
        select: impl for<'a> Fn(&[&'a str]) -> Option<&'a str> + 'static,
    ) -> Self {
        self.sub_protocol = Some(Rc::new(select));
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        self.runner.connections().reopen();
        misuse::look(
            &self.runner,
            &self.path,
            self.options.transports,
            config.config().local_addr(),
        );
        supervisor::supervise(&self.runner);
        let pattern = any_case(&self.path);
        let lets_anybody_in = self.options.authentication == Authentication::Optional
            && self.runner.access(&Identity::anonymous()) == Access::Granted;
        assert!(
            lets_anybody_in || self.identity.is_some(),
            "{} cannot be mounted at {}: only users may connect, and no identity hook says who anybody is",
            self.runner.name(),
            self.path,
        );
        let mut options = self.options;
        if self.runner.boundaries() == Boundaries::Kept {
            // Nobody else sends such a client a sign of life.
            options.web_socket_ping_interval.get_or_insert(options.heartbeat_interval);
        }
        let endpoint = format!("{} {}", self.runner.name(), self.path);
        let mounted = Rc::new(Mounted {
            census: self.runner.connections().census(&endpoint),
            meter: Meter::new(self.runner.name(), options.transports),
            endpoint,
            runner: self.runner,
            options: Arc::new(options),
            identity: self.identity,
            negotiation: self.negotiation,
            sub_protocol: self.sub_protocol,
        });
        let negotiation = {
            let mounted = mounted.clone();
            move |request: HttpRequest| {
                let mounted = mounted.clone();
                async move {
                    let answer = pin!(negotiate(&mounted, &request));
                    origin::guard(&mounted, &request, answer).await
                }
            }
        };
        let connection = move |request: HttpRequest, payload: web::Payload| {
            let mounted = mounted.clone();
            async move {
                // Pinned, or the future would have room for it twice, and a poll that waits would keep it.
                let answer = pin!(connect(&mounted, &request, payload));
                origin::guard(&mounted, &request, answer).await
            }
        };
        if let Some(path) = exact(&self.path) {
            // Nearly every client comes by the path that it was given, and comparing costs next to nothing beside matching.
            web::resource(format!("{path}/negotiate")).to(negotiation.clone()).register(config);
            web::resource(path).to(connection.clone()).register(config);
        }
        let negotiate = format!("{pattern}/{{_:(?i)negotiate}}");
        web::resource(with_or_without_slash(negotiate)).to(negotiation).register(config);
        web::resource(with_or_without_slash(pattern)).to(connection).register(config);
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("runner", &self.runner.name())
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Every request to the endpoint's own path.
async fn connect(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    if handshake::is_wanted(request) {
        mounted.authenticate(request).await?;
        return websocket::accept(mounted, request, payload).await;
    }
    let mut payload = payload;
    let answer = exchange(mounted, request, &mut payload).await;
    linger::answer(request, payload, answer).await
}

/// Every request that is one, with an answer that is.
async fn exchange(
    mounted: &Mounted,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> actix_web::Result<HttpResponse> {
    mounted.authenticate(request).await?;
    let is_known = matches!(*request.method(), Method::GET | Method::POST | Method::DELETE);
    if !is_known {
        return Ok(HttpResponse::MethodNotAllowed().finish());
    }
    let Some(token) = mounted.shown(request) else {
        return Ok(text(StatusCode::BAD_REQUEST, "Connection ID required"));
    };
    match (request.method(), mounted.find(&token)) {
        (&Method::GET, _) if event_stream::is_wanted(request) => {
            event_stream::accept(mounted, request, &token).await
        }
        (&Method::GET, found) => {
            poll::answer(mounted, request, &token, found, poll::kind(request)).await
        }
        (&Method::POST, Found::Live(connection)) => {
            post::receive(mounted, request, payload, &connection).await
        }
        (&Method::POST, Found::Fresh { .. }) => post::open(mounted, request, payload, &token).await,
        (_, Found::Live(connection)) => poll::delete(mounted, request, &connection).await,
        (_, _) => Ok(no_connection()),
    }
}

/// A pattern that matches `path` whatever the case of its letters; a path with dynamic segments stays as it is.
fn any_case(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    let rest = path.trim_start_matches('/');
    if rest.is_empty() || !rest.chars().all(plain) {
        return path.trim_end_matches('/').to_owned();
    }
    format!("/{{__hubwire_path:(?i){}}}", rest.replace('.', "\\."))
}

/// A path that has to match as it is; none where it has dynamic segments.
fn exact(path: &str) -> Option<&str> {
    let is_exact = !path.contains(['{', '*']);
    is_exact.then(|| path.trim_end_matches('/'))
}

/// Clients keep the slash of the path that they are given, and `NormalizePath` may add one.
fn with_or_without_slash(pattern: String) -> [String; 2] {
    [format!("{pattern}/"), pattern]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_match_in_any_case() {
        assert_eq!(any_case("/chat"), "/{__hubwire_path:(?i)chat}");
        assert_eq!(any_case("/a/b-c"), "/{__hubwire_path:(?i)a/b-c}");
        assert_eq!(any_case("/v1.0/x"), "/{__hubwire_path:(?i)v1\\.0/x}");
        assert_eq!(any_case("/rooms/{id}"), "/rooms/{id}");
        assert_eq!(any_case("/"), "");
    }

    #[test]
    fn only_paths_without_segments_match_as_they_are() {
        assert_eq!(exact("/chat"), Some("/chat"));
        assert_eq!(exact("/"), Some(""));
        assert_eq!(exact("/rooms/{id}"), None);
        assert_eq!(exact("/files*"), None);
    }
}
