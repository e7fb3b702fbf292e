//! The database: opened, laid out, and with somebody in it who can sign in.

use std::str::FromStr;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use crate::users;

/// Opens the database at `url`, `sqlite::memory:` or `sqlite:board.db`, and creates what is missing.
///
/// Keep the connection beside the pool: a database in memory is gone with its last one, and a request that is dropped while it asks takes the pool's along.
pub async fn open(url: &str) -> Result<(SqlitePool, SqliteConnection), sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).foreign_keys(true);
    let kept = options.connect().await?;
    // SQLite writes one thing at a time anyway.
    let db = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&db).await?;
    users::seed(&db).await?;
    Ok((db, kept))
}
