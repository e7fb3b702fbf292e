//! A Redis of a test's own: started on a free port, ended with the test.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

pub struct RedisServer {
    scheme: &'static str,
    port: u16,
    child: Child,
}

impl RedisServer {
    /// A Redis; none where it is not installed, which is a failure where `CI` is set.
    pub fn start() -> Option<Self> {
        Self::launch("redis", |port| launch(&[("--port", &port.to_string())]))
    }

    /// One that speaks TLS, with these options.
    pub fn start_tls(options: &[(&str, &str)]) -> Option<Self> {
        Self::launch("rediss", |port| {
            let port = port.to_string();
            launch(&[&[("--port", "0"), ("--tls-port", &port)], options].concat())
        })
    }

    fn launch(
        scheme: &'static str,
        launch: impl Fn(u16) -> io::Result<Option<Child>>,
    ) -> Option<Self> {
        /// Another process may take a free port first.
        const ATTEMPTS: usize = 5;
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            match launch(port) {
                Ok(Some(child)) => return Some(Self { scheme, port, child }),
                Ok(None) => {}
                Err(error) => {
                    assert!(std::env::var_os("CI").is_none(), "redis-server: {error}");
                    // Past the test runner, which keeps what is printed by tests that pass.
                    let line = format!("skipped: redis-server cannot be started: {error}\n");
                    drop(io::stderr().write_all(line.as_bytes()));
                    return None;
                }
            }
        }
        panic!("no port was free for long enough");
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("{}://{}/", self.scheme, self.address())
    }

    /// Publishes as any client of Redis does; how many servers heard it.
    pub fn publish(&self, channel: &str, payload: &[u8]) -> String {
        self.send(&[b"PUBLISH", channel.as_bytes(), payload])
    }

    /// What Redis answers to a command.
    pub fn command(&self, words: &[&str]) -> String {
        self.send(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>())
    }

    fn send(&self, words: &[&[u8]]) -> String {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            command.extend_from_slice(word);
            command.extend_from_slice(b"\r\n");
        }
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(&command).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Stops it where it is.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Ends it as if its machine had lost power.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.child =
            launch(&[("--port", &self.port.to_string())]).unwrap().expect("its port is still free");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A Redis that accepts connections; none where it ended before.
fn launch(options: &[(&str, &str)]) -> io::Result<Option<Child>> {
    let memory_only = [("--bind", "127.0.0.1"), ("--save", ""), ("--appendonly", "no")];
    let options = options.iter().chain(&memory_only).flat_map(|(name, value)| [name, value]);
    let mut child = Command::new("redis-server")
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let is_ready =
        lines.by_ref().any(|line| line.is_ok_and(|line| line.contains("Ready to accept")));
    if !is_ready {
        child.wait()?;
        return Ok(None);
    }
    // What it writes later is read, so that it never waits for that.
    thread::spawn(move || lines.for_each(drop));
    Ok(Some(child))
}
