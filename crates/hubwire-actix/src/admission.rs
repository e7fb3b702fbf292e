//! Who may come in: every check that a request passes before anything is stored for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use hubwire_transport::negotiate::Negotiation;
use hubwire_transport::token::{Claims, TokenError};
use hubwire_transport::{
    Access, Authentication, Boundaries, Census, ClientAddress, ConnectRequest, Connection,
    ConnectionId, EndpointOptions, Found, Full, Identity, MessageLimit, Registration, Runner, Seat,
    Transport,
};

use crate::clock::{self, unix_seconds};
use crate::handshake::SubProtocol;
use crate::hide_tokens::connection_token;
use crate::hook::Hook;
use crate::meter::Meter;
use crate::negotiate::text;
use crate::request::snapshot;

/// What became of a request that opens a connection.
pub(crate) enum Admission {
    Admitted(Box<Admitted>),
    /// Another request with its token was faster, and it goes on as one for a connection that exists; only those that polls carry can.
    Late(Connection),
    Refused(HttpResponse),
}

/// What a connection is opened with.
pub(crate) struct Admitted {
    pub(crate) id: ConnectionId,
    pub(crate) request: ConnectRequest,
    /// Whether its client wants it to outlive its sockets.
    pub(crate) is_stateful: bool,
    /// When its token stops opening it.
    pub(crate) expires: Option<u32>,
    pub(crate) seat: Seat,
}

/// The connection token that a request shows, verified once: what it leads to may change while the request waits.
pub(crate) struct Shown(Result<Claims, TokenError>);

/// What the hook said of a request, until that is needed.
struct Identified(Identity);

/// An endpoint as its routes see it.
pub(crate) struct Mounted {
    pub(crate) runner: Arc<dyn Runner>,
    /// What its tokens are good for. Servers that share a key tell their hubs apart by name, since the path is only the part below a scope.
    pub(crate) endpoint: String,
    pub(crate) options: Arc<EndpointOptions>,
    pub(crate) census: Arc<Census>,
    pub(crate) meter: Meter,
    pub(crate) identity: Option<Hook<Identity>>,
    pub(crate) negotiation: Option<Hook<Negotiation>>,
    pub(crate) sub_protocol: Option<SubProtocol>,
}

impl Mounted {
    /// The answer to a new client that there is no place for.
    pub(crate) fn refuse_newcomer(&self) -> Option<HttpResponse> {
        let is_draining = self.runner.connections().is_draining();
        is_draining.then(|| {
            self.meter.refused("draining");
            let refusal = text(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down");
            come_back_later(refusal)
        })
    }

    /// The longest WebSocket message: never shorter than what the application takes.
    pub(crate) fn max_frame_size(&self) -> Option<usize> {
        match self.runner.message_limit() {
            MessageLimit::AtLeast(bytes) => Some(bytes.max(self.options.max_frame_size)),
            MessageLimit::Endpoint => Some(self.options.max_frame_size),
            MessageLimit::Unlimited => None,
        }
    }

    /// Whether what is received and sent is whole messages.
    pub(crate) fn keeps_boundaries(&self) -> bool {
        self.runner.boundaries() == Boundaries::Kept
    }

    /// Whether a request may open a connection over `transport`.
    pub(crate) async fn admit(
        &self,
        request: &HttpRequest,
        token: Option<&Shown>,
        transport: Transport,
    ) -> actix_web::Result<Admission> {
        let refused = |response| Ok(Admission::Refused(response));
        if let Some(refusal) = self.refuse_newcomer() {
            return refused(refusal);
        }
        let identity = self.identify(request).await?;
        let mut is_stateful = false;
        let (id, expires) = match (token.map(|token| self.find(token)), transport) {
            // A WebSocket may skip the negotiation.
            (None, Transport::WebSockets) if self.options.transports.contains(transport) => {
                (ConnectionId::random(), None)
            }
            (None, Transport::WebSockets) => return refused(self.refuse_change(transport)),
            (None, _) => return refused(text(StatusCode::BAD_REQUEST, "Connection ID required")),
            (Some(Found::Fresh { .. }), _) if !self.options.transports.contains(transport) => {
                return refused(self.refuse_change(transport));
            }
            (Some(Found::Fresh { connection_id, expires, is_stateful: wish }), _) => {
                is_stateful = wish;
                (connection_id, Some(expires))
            }
            (Some(Found::Live(connection)), Transport::LongPolling | Transport::ShortPolling) => {
                return Ok(match self.refuse_other_identity(&identity, &connection) {
                    Some(refusal) => Admission::Refused(refusal),
                    None => Admission::Late(connection),
                });
            }
            (
                Some(Found::Live(connection)),
                Transport::ServerSentEvents | Transport::WebSockets,
            ) => {
                return refused(self.refuse_second(&connection, transport));
            }
            (Some(_), _) => return refused(no_connection()),
        };
        let seat = match self.seat(request) {
            Ok(seat) => seat,
            Err(full) => return refused(self.refuse_full(full)),
        };
        let request = snapshot(request, transport, identity);
        Ok(Admission::Admitted(Box::new(Admitted { id, request, is_stateful, expires, seat })))
    }

    /// The answer to a second socket or stream of one connection, or to one for a connection of another transport.
    fn refuse_second(&self, connection: &Connection, transport: Transport) -> HttpResponse {
        match connection.request().transport == transport {
            true => HttpResponse::Conflict().finish(),
            false => self.refuse_change(transport),
        }
    }

    /// The same where another request with its token was faster, after this one was admitted.
    pub(crate) fn refuse_late(&self, late: &Connection) -> HttpResponse {
        match self.runner.connections().get(late.id()) {
            Some(earlier) => self.refuse_second(&earlier, late.request().transport),
            None => no_connection(),
        }
    }

    /// The answer to a request over a transport that is not offered, or not the connection's.
    pub(crate) fn refuse_change(&self, transport: Transport) -> HttpResponse {
        if self.options.transports.contains(transport) {
            return text(StatusCode::BAD_REQUEST, "Cannot change transports mid-connection");
        }
        let name = transport.as_str();
        text(
            StatusCode::NOT_FOUND,
            format!("{name} transport not supported by this end point type"),
        )
    }

    fn seat(&self, request: &HttpRequest) -> Result<Seat, Full> {
        let address = match self.options.client_address {
            ClientAddress::Forwarded => forwarded_for(request).or_else(|| peer(request)),
            ClientAddress::Peer => peer(request),
        };
        let EndpointOptions { max_connections, max_connections_per_address, .. } = *self.options;
        self.census.take_seat(address, max_connections, max_connections_per_address)
    }

    /// The answer to a client for which there is no place now.
    pub(crate) fn refuse_full(&self, full: Full) -> HttpResponse {
        tracing::warn!(hub = self.runner.name(), %full, "refused a client");
        let (status, option) = match full {
            Full::Address { .. } => (StatusCode::TOO_MANY_REQUESTS, "max_connections_per_address"),
            Full::Connections { .. } => (StatusCode::SERVICE_UNAVAILABLE, "max_connections"),
            Full::Negotiations { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "max_pending_negotiations")
            }
        };
        self.meter.refused(option);
        come_back_later(text(status, "There is no place for another connection now"))
    }

    /// Gives a connection that was admitted its place; `None` when another request was faster with its token.
    pub(crate) fn enter(
        &self,
        connection: &Connection,
        expires: Option<u32>,
    ) -> Option<Registration> {
        self.watch_expiry(connection, &connection.request().identity);
        let registration = self.runner.connections().enter(connection, expires)?;
        // Only now: of the requests that race for a token, one is the client's coming.
        if let Some(expires) = expires {
            self.census.client_came(expires);
            self.runner.opened(connection, expires);
        }
        Some(registration)
    }

    /// The answer to a request for a connection that belongs to somebody else.
    pub(crate) async fn refuse_other_user(
        &self,
        request: &HttpRequest,
        connection: &Connection,
    ) -> actix_web::Result<Option<HttpResponse>> {
        let identity = self.identify(request).await?;
        Ok(self.refuse_other_identity(&identity, connection))
    }

    /// The same for a request whose sender is known already.
    pub(crate) fn refuse_other_identity(
        &self,
        identity: &Identity,
        connection: &Connection,
    ) -> Option<HttpResponse> {
        if identity.user_id() == connection.user_id() {
            self.watch_expiry(connection, identity);
            return None;
        }
        self.meter.refused("other_user");
        tracing::warn!(
            hub = self.runner.name(),
            id = %connection.id(),
            "refused a request of another user for a connection"
        );
        Some(text(StatusCode::FORBIDDEN, "The connection belongs to another user"))
    }

    /// The token of a request, if it has one.
    pub(crate) fn shown(&self, request: &HttpRequest) -> Option<Shown> {
        let token = connection_token(request)?;
        Some(Shown(self.runner.connections().verify(&self.endpoint, &token)))
    }

    /// What a token leads to now.
    pub(crate) fn find(&self, token: &Shown) -> Found {
        match &token.0 {
            Ok(claims) => self.runner.connections().find(claims, unix_seconds()),
            Err(_) => Found::Unknown,
        }
    }

    /// Has a connection end with the identity that it was last used with, where the options say so.
    fn watch_expiry(&self, connection: &Connection, identity: &Identity) {
        if self.options.close_on_authentication_expiration {
            let expiry = identity.expiry();
            connection
                .expire_in(expiry.map(|at| at.duration_since(clock::now()).unwrap_or_default()));
        }
    }

    /// Answers strangers before anything else is looked at, where the endpoint wants none: they learn nothing else of it.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> actix_web::Result<()> {
        if self.access(&Identity::anonymous()) != Access::Granted {
            let identity = self.ask_identity(request).await?;
            request.extensions_mut().insert(Identified(identity));
        }
        Ok(())
    }

    /// Whether somebody may come in.
    pub(crate) fn access(&self, identity: &Identity) -> Access {
        match self.options.authentication {
            Authentication::Required if identity.user_id().is_none() => Access::Unauthorized,
            Authentication::Optional | Authentication::Required => self.runner.access(identity),
        }
    }

    /// Who sends a request. The hook is asked once for each.
    pub(crate) async fn identify(&self, request: &HttpRequest) -> actix_web::Result<Identity> {
        let known = request.extensions_mut().remove();
        match known {
            Some(Identified(identity)) => Ok(identity),
            None => self.ask_identity(request).await,
        }
    }

    async fn ask_identity(&self, request: &HttpRequest) -> actix_web::Result<Identity> {
        let identity = match &self.identity {
            Some(hook) => {
                hook.ask(request).await.inspect_err(|_| self.meter.refused("identity"))?
            }
            None => Identity::anonymous(),
        };
        let (refused, response) = match self.access(&identity) {
            Access::Granted => return Ok(identity),
            Access::Forbidden => ("unauthorized", text(StatusCode::FORBIDDEN, "Forbidden")),
            Access::Unauthorized => {
                let mut response = text(StatusCode::UNAUTHORIZED, "Unauthorized");
                let bearer = header::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
                ("anonymous", response)
            }
        };
        self.meter.refused("identity");
        Err(InternalError::from_response(refused, response).into())
    }
}

fn peer(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip())
}

/// The last address of `X-Forwarded-For`: a proxy puts it behind what its client sent, which may be anything.
fn forwarded_for(request: &HttpRequest) -> Option<IpAddr> {
    let header = request.headers().get_all("x-forwarded-for").last()?.to_str().ok()?;
    let last = header.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().map(|address| address.ip());
    last.parse().or_else(|_| with_port()).ok()
}

/// How many seconds a client that was refused for want of a place, or by a server that goes down, is told to stay away.
const RETRY_AFTER: u16 = 5;

fn come_back_later(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER.into());
    response
}

/// The answer to a token that leads nowhere, or not any more.
pub(crate) fn no_connection() -> HttpResponse {
    text(StatusCode::NOT_FOUND, "No Connection with that ID")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[track_caller]
    fn check(headers: &[&str], address: Option<&str>) {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header(("x-forwarded-for", *header));
        }
        let found = forwarded_for(&request.to_http_request()).map(|address| address.to_string());
        assert_eq!(found.as_deref(), address, "{headers:?}");
    }

    #[test]
    fn the_address_that_the_proxy_appended_counts() {
        check(&["10.0.0.1"], Some("10.0.0.1"));
        check(&["1.2.3.4, 10.0.0.1"], Some("10.0.0.1"));
        check(&["1.2.3.4", "5.6.7.8,10.0.0.1:4711"], Some("10.0.0.1"));
        check(&["2001:db8::1"], Some("2001:db8::1"));
        check(&["1.2.3.4, unknown"], None);
        check(&[], None);
    }
}
