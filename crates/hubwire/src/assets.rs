//! Hubwire's own JavaScript client, for servers that want to serve it themselves.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, Resource,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ETag, EntityTag, IfNoneMatch},
    },
    web,
};

/// The client as one script: ES5, no dependencies, names of `@microsoft/signalr` under the global `hubwire`.
pub const CLIENT_JS: &str = include_str!("../assets/hubwire.min.js");

/// MessagePack for the client, as a script that is loaded behind it: `hubwire.MessagePackHubProtocol`.
pub const MESSAGEPACK_JS: &str = include_str!("../assets/msgpack.min.js");

/// An actix-web service that serves [`CLIENT_JS`] at `path`.
///
/// Browsers ask again each time whether it has changed, so that page and server never disagree after an update,
/// and are answered 304 as long as it has not.
///
/// ```
/// use actix_web::App;
///
/// let app = App::new().service(hubwire::assets::client_js("/hubwire.js"));
/// ```
pub fn client_js(path: &str) -> Resource {
    script(path, CLIENT_JS)
}

/// The same for [`MESSAGEPACK_JS`].
///
/// ```
/// use actix_web::App;
/// use hubwire::assets;
///
/// let app = App::new()
///     .service(assets::client_js("/hubwire.js"))
///     .service(assets::messagepack_js("/hubwire-messagepack.js"));
/// ```
pub fn messagepack_js(path: &str) -> Resource {
    script(path, MESSAGEPACK_JS)
}

fn script(path: &str, body: &'static str) -> Resource {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    // Weak, because a middleware may compress what it stands for.
    let tag = EntityTag::new_weak(format!("{:016x}", hasher.finish()));
    web::resource(path).get(move |request: HttpRequest| {
        let tag = tag.clone();
        async move {
            let is_known = is_known(&request, &tag);
            let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            let mut answer = HttpResponse::build(status);
            answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header(ETag(tag));
            if is_known {
                return answer.finish();
            }
            answer.content_type("text/javascript; charset=utf-8").body(body)
        }
    })
}

/// Whether the browser has what `tag` stands for.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, body::MessageBody, dev::ServiceResponse, http::header, test};

    use super::*;

    fn header(answer: &ServiceResponse<impl MessageBody>, name: header::HeaderName) -> String {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    }

    #[actix_web::test]
    async fn a_script_is_sent_once_and_then_found_unchanged() {
        let app = test::init_service(App::new().service(client_js("/hubwire.js"))).await;
        let ask = |tag: &str| {
            let request = test::TestRequest::get().uri("/hubwire.js");
            request.insert_header((header::IF_NONE_MATCH, tag)).to_request()
        };
        let answer = test::call_service(&app, ask("\"other\"")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, CACHE_CONTROL), "no-cache");
        let tag = header(&answer, header::ETAG);
        assert!(tag.starts_with("W/\""), "{tag}");
        assert_eq!(test::read_body(answer).await, CLIENT_JS);

        for known in [tag.as_str(), "*"] {
            let answer = test::call_service(&app, ask(known)).await;
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(header(&answer, header::ETAG), tag);
            assert!(test::read_body(answer).await.is_empty());
        }
    }

    #[actix_web::test]
    async fn what_stands_for_a_script_stands_for_no_other() {
        let scripts = App::new().service(client_js("/one.js")).service(messagepack_js("/two.js"));
        let app = test::init_service(scripts).await;
        let ask = |path| test::TestRequest::get().uri(path).to_request();
        let one = test::call_service(&app, ask("/one.js")).await;
        let two = test::call_service(&app, ask("/two.js")).await;
        assert_ne!(header(&one, header::ETAG), header(&two, header::ETAG));
    }
}
