use actix_web::{App, HttpServer, web};
use hubwire::prelude::*;

#[hub_client]
trait ChatClient {
    fn receive_message(user: &str, text: &str);
}

struct Chat;

#[hub(client = ChatClient)]
impl Chat {
    fn send_message(&self, cx: &CallerContext<Self>, user: String, text: String) {
        cx.clients().all().receive_message(&user, &text);
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let setting = |name, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let chat = Hub::new(Chat).build(); // outside the closure: one hub for all workers
    let hub = chat.clone();
    let server = HttpServer::new(move || {
        let page = web::get().to(|| async { web::Html::new(include_str!("page.html")) });
        let script = hubwire::assets::client_js("/hubwire.js");
        App::new().service(hub.at("/chat")).service(script).route("/", page)
    });
    let address = format!("{}:{}", setting("HOST", "127.0.0.1"), setting("PORT", "8080"));
    let server = server.hubwire(&[&chat]).bind(address)?;
    println!("http://{}", server.addrs()[0]);
    server.run().await
}
