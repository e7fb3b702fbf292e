//! Hubwire's own JavaScript client, for servers that want to serve it themselves.

use actix_web::{HttpResponse, Resource, web};

/// The client as one script: ES5, no dependencies, names of `@microsoft/signalr` under the global `hubwire`.
pub const CLIENT_JS: &str = include_str!("../assets/hubwire.min.js");

/// An actix-web service that serves [`CLIENT_JS`] at `path`.
///
/// Browsers ask again each time whether it has changed, so that page and server never disagree after an update.
///
/// ```
/// use actix_web::App;
///
/// let app = App::new().service(hubwire::assets::client_js("/hubwire.js"));
/// ```
pub fn client_js(path: &str) -> Resource {
    web::resource(path).get(|| async {
        HttpResponse::Ok()
            .content_type("text/javascript; charset=utf-8")
            .insert_header(("cache-control", "no-cache"))
            .body(CLIENT_JS)
    })
}
