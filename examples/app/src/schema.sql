CREATE TABLE IF NOT EXISTS users (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    password   TEXT NOT NULL,
    -- Moves on when the user signs out: cookies and tokens that carry an older one are void.
    generation INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE IF NOT EXISTS tasks (
    -- Never used again, so that a page which hears of a change late does not take it for another task.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    title    TEXT NOT NULL,
    assignee TEXT NOT NULL REFERENCES users (id),
    place    TEXT NOT NULL DEFAULT 'todo' CHECK (place IN ('todo', 'doing', 'done')),
    -- Seconds since 1970.
    due      INTEGER,
    reminded INTEGER NOT NULL DEFAULT 0,
    -- Counts the changes, so that a page knows which of two is the later one.
    version  INTEGER NOT NULL DEFAULT 1
) STRICT;
