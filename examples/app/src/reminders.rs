//! The job in the background that tells people what is due.

use std::time::Duration;

use hubwire::prelude::*;
use sqlx::SqlitePool;
use tokio::time::{MissedTickBehavior, interval};

use crate::board::Board;
use crate::tasks;

const EVERY: Duration = Duration::from_secs(1);

/// Reminds people for as long as it is polled.
pub async fn run(board: Hub<Board>, db: SqlitePool) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = remind(&board, &db).await {
            log::error!("nobody was reminded: {error}");
        }
    }
}

/// Reminds everybody of what is due, on each of their devices. Whoever is not here is reminded when they come.
async fn remind(board: &Hub<Board>, db: &SqlitePool) -> Result<(), sqlx::Error> {
    for task in tasks::due(db).await? {
        let delivery = board.clients().user(task.assignee.as_str()).reminder(&task);
        if delivery.receivers() > 0 {
            tasks::set_reminded(db, task.id).await?;
        }
    }
    Ok(())
}
