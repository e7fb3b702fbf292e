//! The hub: what a page may call, and what it is called with.

use hubwire::prelude::*;
use serde::Serialize;
use sqlx::SqlitePool;

use crate::tasks::{self, Place, Task};
use crate::users::{self, SignIn, User};

const TITLE_MAX: usize = 120;

/// The furthest that a task may be due: a year, in seconds.
const DUE_MAX: u32 = 365 * 24 * 60 * 60;

#[hub_client]
pub trait BoardPage {
    /// A task is new or has changed. Of two changes the one with the larger version is the later one, whichever comes first.
    fn task_changed(task: &Task);
    fn task_removed(id: i64);
    /// A task of the page's user is due.
    fn reminder(task: &Task);
}

pub struct Board {
    db: SqlitePool,
}

/// The board as somebody finds it.
#[derive(Serialize)]
struct Opened {
    you: Option<String>,
    people: Vec<User>,
    tasks: Vec<Task>,
}

#[hub(client = BoardPage)]
impl Board {
    /// Whoever signed out while this connection was on its way here was not there to be disconnected.
    async fn on_connected(&self, cx: &CallerContext<Self>) -> HubResult<()> {
        let is_current = match cx.request().identity.get::<SignIn>() {
            Some(sign_in) => sign_in.is_current(&self.db).await?,
            None => false,
        };
        if is_current { Ok(()) } else { Err(HubError::new("you have signed out")) }
    }

    async fn open(&self, cx: &CallerContext<Self>) -> HubResult<Opened> {
        Ok(Opened {
            you: cx.user_id().map(ToString::to_string),
            people: users::all(&self.db).await?,
            tasks: tasks::all(&self.db).await?,
        })
    }

    async fn add_task(
        &self,
        cx: &CallerContext<Self>,
        title: String,
        assignee: String,
        due_in_seconds: Option<u32>,
    ) -> HubResult<()> {
        let title = title.trim();
        match title.chars().count() {
            0 => return Err(HubError::new("say what is to be done")),
            1..=TITLE_MAX => {}
            _ => return Err(HubError::new(format!("a title has at most {TITLE_MAX} characters"))),
        }
        if !users::all(&self.db).await?.iter().any(|user| user.id == assignee) {
            return Err(HubError::new("choose somebody who has an account"));
        }
        let due_in = due_in_seconds.map(|seconds| seconds.min(DUE_MAX));
        let added = tasks::add(&self.db, title, &assignee, due_in).await?;
        let task = added.ok_or_else(|| HubError::new("the board is full"))?;
        cx.clients().all().task_changed(&task);
        Ok(())
    }

    async fn move_task(&self, cx: &CallerContext<Self>, id: i64, to: Place) -> HubResult<()> {
        let moved = tasks::move_to(&self.db, id, to).await?;
        let task = moved.ok_or_else(|| HubError::new("somebody has removed this task"))?;
        cx.clients().all().task_changed(&task);
        Ok(())
    }

    async fn remove_task(&self, cx: &CallerContext<Self>, id: i64) -> HubResult<()> {
        tasks::remove(&self.db, id).await?;
        cx.clients().all().task_removed(id);
        Ok(())
    }
}

impl Board {
    pub fn new(db: SqlitePool) -> Self {
        Self { db }
    }
}
