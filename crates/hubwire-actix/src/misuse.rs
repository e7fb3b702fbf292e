//! The line that says where an application is mounted, and the one that says it was built in the wrong place.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::thread::ThreadId;

use hubwire_transport::{Runner, Transports};

/// What is mounted in this process, by address and path. Servers come and go in tests, so only what still lives counts.
static MOUNTED: LazyLock<Mutex<HashMap<Place, Vec<Mounting>>>> = LazyLock::new(Mutex::default);

type Place = (SocketAddr, String);

/// One application at one place.
struct Mounting {
    runner: Weak<dyn Runner>,
    /// The worker that built the application and mounted it: set when it is the same.
    built_here: Option<ThreadId>,
}

/// Looks at an endpoint that a worker registers.
///
/// Workers of one server share an application that was built before the server.
/// Where two workers have each built one, a broadcast of either reaches the clients of one worker only.
pub(crate) fn look(
    runner: &Arc<dyn Runner>,
    path: &str,
    transports: Transports,
    address: SocketAddr,
) {
    let here = std::thread::current().id();
    let built_here = (runner.built_on() == here).then_some(here);
    let mut mounted = MOUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    mounted.retain(|_, mountings| {
        mountings.retain(|mounting| mounting.runner.strong_count() > 0);
        !mountings.is_empty()
    });
    let mountings = mounted.entry((address, path.to_owned())).or_default();
    let is = |mounting: &Mounting| mounting.runner.ptr_eq(&Arc::downgrade(runner));
    if mountings.iter().any(is) {
        return;
    }
    let elsewhere = |mounting: &Mounting| {
        mounting.built_here.is_some_and(|other| other != here)
            && mounting.runner.upgrade().is_some_and(|other| other.name() == runner.name())
    };
    let others = mountings.iter().filter(|mounting| elsewhere(mounting)).count();
    // Said with the second worker, and not once more for each after it.
    if built_here.is_some() && others == 1 {
        tracing::error!(
            hub = runner.name(),
            path,
            "built inside the closure of HttpServer::new, so every worker has one of its own and a broadcast reaches the clients of one worker only: build it before the closure and clone the handle into it"
        );
    } else if built_here.is_none() || others == 0 {
        tracing::info!(
            hub = runner.name(),
            path,
            %address,
            %transports,
            offers = runner.summary(),
            "hub mounted"
        );
    }
    mountings.push(Mounting { runner: Arc::downgrade(runner), built_here });
}
