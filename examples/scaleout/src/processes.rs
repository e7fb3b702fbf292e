//! The processes: a Redis, three servers, and an nginx in front of them.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use hubwire::ConnectionId;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::signal;
use tokio::time::{sleep, timeout};

const SERVERS: usize = 3;

/// Everything that was started; it ends with this.
pub struct Site {
    redis_url: String,
    secret: String,
    servers: Vec<Server>,
    /// What others have in a folder of their own.
    folder: PathBuf,
    _redis: Child,
    _nginx: Child,
}

struct Server {
    name: String,
    port: u16,
    process: Option<Child>,
}

impl Site {
    pub async fn start() -> io::Result<Self> {
        let redis_port = free_port()?;
        let redis_url = format!("redis://127.0.0.1:{redis_port}/");
        let number = redis_port.to_string();
        let options =
            ["--port", &number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let redis = start(Command::new("redis-server").args(options))?;
        listens(redis_port).await?;

        // As good a secret as any that nobody has seen.
        let secret = ConnectionId::random().to_string();
        let mut servers = Vec::new();
        for number in 1..=SERVERS {
            let (name, port) = (format!("server {number}"), free_port()?);
            servers.push(Server { name, port, process: None });
        }
        for server in &mut servers {
            server.start(&redis_url, &secret).await?;
        }

        let folder = std::env::temp_dir().join(format!("hubwire-scaleout-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let port = match std::env::var("PORT").as_deref() {
            Err(_) => 5200,
            Ok("0") => free_port()?,
            Ok(port) => port.parse().map_err(io::Error::other)?,
        };
        let configuration = folder.join("nginx.conf");
        let ports: Vec<_> = servers.iter().map(|server| server.port).collect();
        fs::write(&configuration, nginx(&folder.display().to_string(), port, &ports))?;
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(&folder).arg("-c").arg(&configuration).args(["-e", "stderr"]);
        // Debian puts it where only root's PATH leads.
        nginx.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        let nginx = start(&mut nginx)?;
        listens(port).await?;
        println!("open http://127.0.0.1:{port} in several tabs");
        println!("a number and Enter kill that server, or start it again; Ctrl+C ends all");
        Ok(Self { redis_url, secret, servers, folder, _redis: redis, _nginx: nginx })
    }

    /// Does what is typed until it is told to end.
    pub async fn run(mut self) -> io::Result<()> {
        let mut lines = BufReader::new(stdin()).lines();
        let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        let mut is_typed = true;
        loop {
            tokio::select! {
                line = lines.next_line(), if is_typed => match line? {
                    Some(line) => self.toggle(line.trim()).await?,
                    None => is_typed = false,
                },
                _ = signal::ctrl_c() => return Ok(()),
                _ = terminated.recv() => return Ok(()),
            }
        }
    }

    async fn toggle(&mut self, number: &str) -> io::Result<()> {
        let number = number.parse().ok().and_then(|number: usize| number.checked_sub(1));
        let Some(server) = number.and_then(|number| self.servers.get_mut(number)) else {
            println!("there are servers 1 to {SERVERS}");
            return Ok(());
        };
        match server.process.take() {
            Some(mut process) => {
                process.kill().await?;
                println!("{} is dead", server.name);
                Ok(())
            }
            None => server.start(&self.redis_url, &self.secret).await,
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What is left there is the configuration, which nobody misses.
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Server {
    async fn start(&mut self, redis_url: &str, secret: &str) -> io::Result<()> {
        let process = start(
            Command::new(std::env::current_exe()?)
                .arg("server")
                .env("NAME", &self.name)
                .env("PORT", self.port.to_string())
                .env("REDIS_URL", redis_url)
                .env("TOKEN_SECRET", secret),
        )?;
        listens(self.port).await?;
        println!("{} runs as process {}", self.name, process.id().unwrap_or_default());
        self.process = Some(process);
        Ok(())
    }
}

/// Starts a process that ends with this one.
fn start(command: &mut Command) -> io::Result<Child> {
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn();
    started.map_err(|error| {
        let program = command.as_std().get_program().display().to_string();
        io::Error::new(error.kind(), format!("{program} cannot be started: {error}"))
    })
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits until somebody listens at a port.
async fn listens(port: u16) -> io::Result<()> {
    let connected = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let late = |_| io::Error::other(format!("nobody listens at port {port}"));
    timeout(Duration::from_secs(10), connected).await.map_err(late)
}

/// Requests of one connection go to one server, by the token in their `id`; those that have none go to any.
fn nginx(folder: &str, port: u16, servers: &[u16]) -> String {
    let servers: String =
        servers.iter().map(|port| format!("server 127.0.0.1:{port} fail_timeout=1s;\n")).collect();
    let temporary: String = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .collect();
    format!(
        r#"
daemon off;
# One process, which is all that has to be ended.
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    {temporary}
    map $arg_id $sticky {{
        "" $request_id;
        default $arg_id;
    }}
    map $http_upgrade $connection_upgrade {{
        "" "";
        default upgrade;
    }}
    upstream chat {{
        hash $sticky consistent;
        {servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://chat;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 75s;
            proxy_buffering off;
        }}
    }}
}}
"#
    )
}
