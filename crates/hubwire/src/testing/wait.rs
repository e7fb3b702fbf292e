//! Waiting for something in a hub that runs inside the wait.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hubwire_hub::Work;

use super::world::{Ran, World};

/// How often other tasks of the runtime have their turn before a hub counts as quiet: what a method spawned may be about to send.
const YIELDS: usize = 16;

/// Why what is expected is given up.
const QUIET: &str = "Nothing of the hub is left to run, so it will not come. Time passes only with `advance`; for what tasks and threads of your own do, set `TestHub::task_timeout`.";
const LATE: &str = "The hub waited for something outside of it for as long as `TestHub::io_timeout` or `task_timeout` allow, in real time.";
const AWAITED_AGAIN: &str = "it was awaited again behind its end";

/// What a test waits for: awaiting it runs the hub until it has come, or until it cannot come any more.
///
/// It needs no particular runtime, and panics where it is awaited when it fails.
#[must_use = "nothing happens until it is awaited"]
pub struct Wait<'a, T> {
    world: Rc<World>,
    begin: Option<Begin<'a>>,
    look: Look<'a, T>,
    when_quiet: WhenQuiet<'a, T>,
    patience: Patience,
    yields: usize,
    timer: Option<Timer>,
}

/// What a look at the hub came to; a text is why the test fails.
pub(super) type Outcome<T> = Result<T, String>;

type Begin<'a> = Box<dyn FnOnce() + 'a>;
type Look<'a, T> = Box<dyn FnMut(&mut Context<'_>) -> Option<Outcome<T>> + 'a>;
type WhenQuiet<'a, T> = Box<dyn FnOnce(&str) -> Outcome<T> + 'a>;

/// For what a wait goes on when the hub is quiet, in real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// While calls run that nobody but the outside can bring to their end.
    Calls,
    /// While more calls run than so many: those that ran before may go on.
    CallsBeside(usize),
    /// While anything runs that may bring it.
    Expected,
    /// It comes from outside.
    Foreign,
    /// For nothing.
    None,
}

impl<'a, T> Wait<'a, T> {
    /// Waits until `look` finds something.
    pub(super) fn until(
        world: &Rc<World>,
        patience: Patience,
        look: impl FnMut(&mut Context<'_>) -> Option<Outcome<T>> + 'a,
        when_quiet: impl FnOnce(&str) -> Outcome<T> + 'a,
    ) -> Self {
        Self {
            world: world.clone(),
            begin: None,
            look: Box::new(look),
            when_quiet: Box::new(when_quiet),
            patience,
            yields: 0,
            timer: None,
        }
    }

    /// Waits until nothing is left to run, and then gives what `when_quiet` makes of it.
    pub(super) fn settled(
        world: &Rc<World>,
        patience: Patience,
        when_quiet: impl FnOnce() -> Outcome<T> + 'a,
    ) -> Self {
        Self::until(world, patience, |_| None, |_| when_quiet())
    }

    /// Does something first, when it is awaited.
    pub(super) fn after(mut self, begin: impl FnOnce() + 'a) -> Self {
        self.begin = Some(Box::new(begin));
        self
    }

    /// What follows from what it waits for.
    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U + 'a) -> Wait<'a, U>
    where
        T: 'a,
        U: 'a,
    {
        let Self { world, begin, mut look, when_quiet, patience, .. } = self;
        let map = Rc::new(Cell::new(Some(map)));
        let again = map.clone();
        let look = move |cx: &mut Context<'_>| look(cx).map(|found| mapped(&map, found));
        let when_quiet = move |why: &str| mapped(&again, when_quiet(why));
        Wait { begin, ..Wait::until(&world, patience, look, when_quiet) }
    }

    /// How long it may still take, in real time.
    fn bound(&self) -> Option<Duration> {
        let (io, tasks) = (self.world.io_timeout.get(), self.world.task_timeout.get());
        let Work { calls, streams, .. } = Work::here();
        let bound = match self.patience {
            // A call that waits for an answer of the test is as quiet as it gets, and one that the test has started is known to run.
            Patience::Calls if calls > self.world.started() && !self.world.is_asked() => io,
            Patience::CallsBeside(others) if calls > others && !self.world.is_asked() => io,
            Patience::Calls | Patience::CallsBeside(_) | Patience::None => Duration::ZERO,
            Patience::Expected if calls + streams == 0 => tasks,
            Patience::Expected | Patience::Foreign => io.max(tasks),
        };
        Some(bound).filter(|bound| !bound.is_zero())
    }

    /// More is left to run, and others have their turn first; what never comes to rest is given up too.
    fn poll_busy(&mut self, cx: &Context<'_>) -> Poll<&'static str> {
        self.yields = 0;
        if self.is_late(self.world.io_timeout.get()) {
            return Poll::Ready(LATE);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_quiet(&mut self, cx: &Context<'_>) -> Poll<&'static str> {
        if self.yields < YIELDS {
            self.yields += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.bound() {
            None => Poll::Ready(QUIET),
            Some(bound) if self.is_late(bound) => Poll::Ready(LATE),
            Some(_) => Poll::Pending,
        }
    }

    /// Whether so much real time has passed since this was first asked.
    fn is_late(&mut self, bound: Duration) -> bool {
        let start = || Timer::start(bound, self.world.wakers.clone());
        self.timer.get_or_insert_with(start).is_over()
    }
}

impl<T> Future for Wait<'_, T> {
    type Output = T;

    // So that a test that fails says at which of its lines.
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let wait = self.get_mut();
        wait.world.wakers.register(cx.waker());
        if let Some(begin) = wait.begin.take() {
            begin();
        }
        let ran = wait.world.run();
        if let Some(misuse) = wait.world.misuse.take() {
            panic!("{misuse}");
        }
        let found = (wait.look)(cx);
        let outcome = match (found, ran) {
            (Some(outcome), _) => outcome,
            (None, ran) => {
                let why = ready!(match ran {
                    Ran::Nothing => wait.poll_quiet(cx),
                    Ran::Something => wait.poll_busy(cx),
                });
                let when_quiet = &mut wait.when_quiet;
                std::mem::replace(when_quiet, Box::new(|_| Err(AWAITED_AGAIN.to_owned())))(why)
            }
        };
        match outcome {
            Ok(value) => Poll::Ready(value),
            Err(failure) => panic!("{failure}"),
        }
    }
}

impl<T> fmt::Debug for Wait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("patience", &self.patience).finish_non_exhaustive()
    }
}

fn mapped<T, U, F: FnOnce(T) -> U>(map: &Cell<Option<F>>, found: Outcome<T>) -> Outcome<U> {
    let map = map.take().ok_or_else(|| AWAITED_AGAIN.to_owned())?;
    found.map(map)
}

/// The tasks of the test that wait for the hub.
#[derive(Debug, Default)]
pub(super) struct Wakers(Mutex<Vec<Waker>>);

impl Wakers {
    fn register(&self, waker: &Waker) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|other| other.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Real time, on a thread of its own: a runtime need not have timers, and may have paused them.
struct Timer {
    is_over: Arc<AtomicBool>,
    /// Dropped with the timer, which ends the thread.
    _thread: SyncSender<()>,
}

impl Timer {
    fn start(time: Duration, wakers: Arc<Wakers>) -> Self {
        let (sender, receiver) = sync_channel(0);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        std::thread::spawn(move || {
            if receiver.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                over.store(true, Ordering::Release);
                wakers.wake();
            }
        });
        Self { is_over, _thread: sender }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}
