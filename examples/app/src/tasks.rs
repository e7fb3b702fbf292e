//! The tasks on the board, in the database.

use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqlitePool};

/// Tasks on the board at the same time.
const TASKS_MAX: i64 = 500;

#[derive(Clone, Debug, Serialize)]
pub struct Task {
    pub id: i64,
    pub title: String,
    pub assignee: String,
    pub place: Place,
    /// Seconds since 1970.
    pub due: Option<i64>,
    /// Grows with every change.
    pub version: i64,
}

/// A column of the board.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Todo,
    Doing,
    Done,
}

/// Everything on the board, as it was added.
pub async fn all(db: &SqlitePool) -> Result<Vec<Task>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM tasks ORDER BY id").fetch_all(db).await
}

/// Adds a task, due in so many seconds; `None` when the board is full.
pub async fn add(
    db: &SqlitePool,
    title: &str,
    assignee: &str,
    due_in: Option<u32>,
) -> Result<Option<Task>, sqlx::Error> {
    let insert = "INSERT INTO tasks (title, assignee, due) SELECT ?, ?, unixepoch() + ? \
                  WHERE (SELECT COUNT(*) FROM tasks) < ? RETURNING *";
    let query = sqlx::query_as(insert).bind(title).bind(assignee).bind(due_in).bind(TASKS_MAX);
    query.fetch_optional(db).await
}

/// Moves a task to another column; `None` when it is gone.
pub async fn move_to(db: &SqlitePool, id: i64, place: Place) -> Result<Option<Task>, sqlx::Error> {
    let update = "UPDATE tasks SET place = ?, version = version + 1 WHERE id = ? RETURNING *";
    sqlx::query_as(update).bind(place.as_str()).bind(id).fetch_optional(db).await
}

/// Takes a task off the board.
pub async fn remove(db: &SqlitePool, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM tasks WHERE id = ?").bind(id).execute(db).await?;
    Ok(())
}

/// What is due, not done, and nobody was reminded of.
pub async fn due(db: &SqlitePool) -> Result<Vec<Task>, sqlx::Error> {
    let query = "SELECT * FROM tasks \
                 WHERE due <= unixepoch() AND reminded = 0 AND place <> 'done' ORDER BY due";
    sqlx::query_as(query).fetch_all(db).await
}

/// Remembers that somebody was reminded.
pub async fn set_reminded(db: &SqlitePool, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tasks SET reminded = 1 WHERE id = ?").bind(id).execute(db).await?;
    Ok(())
}

impl Place {
    const ALL: [Self; 3] = [Self::Todo, Self::Doing, Self::Done];

    fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Doing => "doing",
            Self::Done => "done",
        }
    }
}

impl FromRow<'_, SqliteRow> for Task {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let place: &str = row.try_get("place")?;
        let known = Place::ALL.into_iter().find(|known| known.as_str() == place);
        Ok(Self {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            assignee: row.try_get("assignee")?,
            place: known.ok_or_else(|| sqlx::Error::Decode(place.into()))?,
            due: row.try_get("due")?,
            version: row.try_get("version")?,
        })
    }
}
