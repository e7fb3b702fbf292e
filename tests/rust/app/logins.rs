//! A hub in an app with everything around it that apps have: guards, logins, sessions, state, CORS, compression, tidy paths and a log.

use actix_cors::Cors;
use actix_identity::IdentityMiddleware;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::middleware::{Compress, Logger, NormalizePath, TrailingSlash};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, Responder, guard, web};
use awc::http::StatusCode;
use awc::http::header::{self, HeaderMap};
use hubwire::prelude::*;
use hubwire::{AllowedOrigins, Cors as HubCors, HideTokens};
use serde_json::json;

use crate::client::{Client, Dial, Transport};
use crate::kit::{Chat, Outcome, Running, serve, within};

const PAGE: &str = "https://app.example";

/// State of the application that the identity hook asks.
struct Titles(&'static str);

/// Who is logged in, with a title; sessions remember what they are called here.
async fn identify(
    user: Option<actix_identity::Identity>,
    session: Session,
    titles: web::Data<Titles>,
) -> actix_web::Result<Identity> {
    let Some(user) = user else { return Ok(Identity::anonymous()) };
    let id = user.id().map_err(actix_web::error::ErrorUnauthorized)?;
    let nickname = session.get::<String>("nickname")?.unwrap_or_default();
    Ok(Identity::user(format!("{} {id} {nickname}", titles.0)))
}

async fn login(
    request: HttpRequest,
    session: Session,
    name: String,
) -> actix_web::Result<impl Responder> {
    session.insert("nickname", format!("the {name}"))?;
    actix_identity::Identity::login(&request.extensions(), name)
        .map_err(actix_web::error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok())
}

fn cors() -> Cors {
    Cors::default()
        .allowed_origin(PAGE)
        .allow_any_method()
        .allow_any_header()
        .supports_credentials()
}

/// Pages from elsewhere, let in by the endpoint and told so by `actix-cors`.
fn options() -> EndpointOptions {
    EndpointOptions::default().allowed_origins(AllowedOrigins::list([PAGE])).cors(HubCors::Off)
}

fn app(slashes: TrailingSlash) -> Outcome<Running> {
    let chat = Hub::new(Chat).build();
    let key = Key::generate();
    Ok(serve!(
        chat,
        App::new()
            .app_data(web::Data::new(Titles("Dame")))
            .route("/login", web::post().to(login))
            .route("/login/", web::post().to(login))
            .service(
                web::scope("/api")
                    .guard(guard::Host("127.0.0.1"))
                    .service(chat.at("/chat").options(options()).identity(identify)),
            )
            .wrap(IdentityMiddleware::default())
            .wrap(
                SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
                    .cookie_secure(false)
                    .build(),
            )
            .wrap(cors())
            .wrap(Compress::default())
            .wrap(NormalizePath::new(slashes))
            .wrap(Logger::default())
            .wrap(HideTokens)
    ))
}

/// A page that is logged in.
async fn logged_in(server: &Running, path: &str, name: &'static str) -> Outcome<Dial> {
    let login = awc::Client::new().post(server.url("/login")).send_body(name);
    let answer = within("a login", login).await??;
    let cookies = answer.headers().get_all(header::SET_COOKIE);
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let headers =
        vec![("origin", PAGE.to_owned()), ("cookie", cookies.collect::<Vec<_>>().join("; "))];
    Ok(Dial { url: server.url(path), headers, ..Dial::default() })
}

#[track_caller]
fn once(answer: &HeaderMap, name: header::HeaderName, value: &str) {
    let values: Vec<_> = answer.get_all(&name).collect();
    assert_eq!(values, [value], "{name} in {answer:?}");
}

/// Two pages that talk, over one transport.
async fn talk(server: &Running, path: &str, transport: Transport) -> Outcome {
    let mut ann = Client::connect(&logged_in(server, path, "ann").await?, transport).await?;
    let mut bob = Client::connect(&logged_in(server, path, "bob").await?, transport).await?;
    assert_eq!(ann.invoke("WhoAmI", json!([])).await?, "Dame ann the ann");
    // Compression is at work, and what lasts goes without.
    let encoding = |answer: &HeaderMap| answer.get(header::CONTENT_ENCODING).cloned();
    assert_eq!(encoding(&ann.answers[0]).ok_or("an encoding")?, "gzip");
    if transport != Transport::LongPolling {
        assert!(encoding(&ann.answers[1]).is_none_or(|encoding| encoding == "identity"));
    }
    // Shorter than what an encoder holds back, and longer.
    for text in ["hello".to_owned(), "na".repeat(4000)] {
        ann.invoke("Say", json!([text])).await?;
        assert_eq!(bob.next().await?["arguments"], json!(["Dame ann the ann", text]));
    }
    for answer in ann.answers.iter().chain(&bob.answers) {
        once(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, PAGE);
        once(answer, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    ann.close().await?;
    bob.close().await?;
    Ok(())
}

#[actix_web::test]
async fn a_hub_lives_in_an_app_with_everything_around_it() -> Outcome {
    let server = app(TrailingSlash::Trim)?;
    for transport in Transport::ALL {
        talk(&server, "/api/chat", transport).await?;
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn paths_may_end_in_a_slash() -> Outcome {
    for slashes in [TrailingSlash::Always, TrailingSlash::MergeOnly, TrailingSlash::Trim] {
        let server = app(slashes)?;
        for transport in Transport::ALL {
            talk(&server, "/api/chat/", transport).await?;
            talk(&server, "//api//Chat", transport).await?;
        }
        server.stop().await;
    }
    Ok(())
}

/// Who is anonymous is kept out.
async fn require(identity: Option<actix_identity::Identity>) -> actix_web::Result<Identity> {
    let user = identity.ok_or_else(|| actix_web::error::ErrorUnauthorized("log in first"))?;
    Ok(Identity::user(user.id().map_err(actix_web::error::ErrorUnauthorized)?))
}

#[actix_web::test]
async fn a_refusal_can_be_read_by_pages_from_elsewhere() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = serve!(
        chat,
        App::new()
            .service(chat.at("/off").options(options()).identity(require))
            .service(chat.at("/both").options(options().cors(HubCors::Automatic)).identity(require))
            .wrap(IdentityMiddleware::default())
            .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::generate()))
            .wrap(cors())
    );
    for path in ["/off/negotiate", "/both/negotiate"] {
        let request = awc::Client::new().post(server.url(path));
        let answer = request.insert_header((header::ORIGIN, PAGE)).send();
        let mut answer = within("a refusal", answer).await??;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        once(answer.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN, PAGE);
        assert_eq!(answer.body().await?, "log in first");
    }
    server.stop().await;
    Ok(())
}

#[actix_web::test]
async fn guards_choose_between_hubs_at_one_path() -> Outcome {
    let chat = Hub::new(Chat).build();
    let server = serve!(chat, {
        let of = |tenant: &'static str| {
            let hub = chat.at("/").identity(move || async move { Identity::user(tenant) });
            web::scope("/chat").guard(guard::Header("x-tenant", tenant)).service(hub)
        };
        App::new().service(of("a")).service(of("b"))
    });
    for transport in Transport::ALL {
        for tenant in ["a", "b"] {
            let headers = vec![("x-tenant", tenant.to_owned())];
            let dial = Dial { url: server.url("/chat"), headers, ..Dial::default() };
            let mut client = Client::connect(&dial, transport).await?;
            assert_eq!(client.invoke("WhoAmI", json!([])).await?, tenant);
            client.close().await?;
        }
        let nobody = Dial { url: server.url("/chat"), ..Dial::default() };
        assert!(Client::connect(&nobody, transport).await.is_err());
    }
    server.stop().await;
    Ok(())
}
