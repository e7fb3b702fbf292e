//! Who has an account, and who is signed in.

use actix_web::web;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;

/// The people of the demo: id, name, password.
const DEMO: [(&str, &str, &str); 2] =
    [("ada", "Ada Lovelace", "lovelace"), ("grace", "Grace Hopper", "hopper")];

/// Somebody with an account.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    pub id: String,
    pub name: String,
}

/// What a cookie or a token says about whoever brings it. It is void once the user has signed out, wherever that was.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct SignIn {
    #[serde(rename = "sub")]
    pub user: String,
    pub generation: i64,
}

/// Adds the people of the demo to a database that has nobody.
pub async fn seed(db: &SqlitePool) -> Result<(), sqlx::Error> {
    if !all(db).await?.is_empty() {
        return Ok(());
    }
    for (id, name, password) in DEMO {
        let hash = hash(password).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let insert = sqlx::query("INSERT INTO users (id, name, password) VALUES (?, ?, ?)");
        insert.bind(id).bind(name).bind(hash).execute(db).await?;
    }
    Ok(())
}

/// Everybody with an account.
pub async fn all(db: &SqlitePool) -> Result<Vec<User>, sqlx::Error> {
    let query = sqlx::query_as("SELECT id, name FROM users ORDER BY name");
    let rows: Vec<(String, String)> = query.fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, name)| User { id, name }).collect())
}

/// Signs somebody in who knows the password.
pub async fn sign_in(
    db: &SqlitePool,
    user: String,
    password: String,
) -> Result<Option<SignIn>, sqlx::Error> {
    let query = sqlx::query_as("SELECT password, generation FROM users WHERE id = ?");
    let (hash, generation): (Option<String>, i64) =
        query.bind(&user).fetch_optional(db).await?.unwrap_or_default();
    // Hashing takes long on purpose, and the worker has others to serve meanwhile.
    let checked = web::block(move || is_right(&password, hash.as_deref())).await;
    Ok(checked.is_ok_and(|is_right| is_right).then_some(SignIn { user, generation }))
}

/// Makes every cookie and token void that the user has.
pub async fn sign_out(db: &SqlitePool, user: &str) -> Result<(), sqlx::Error> {
    let update = sqlx::query("UPDATE users SET generation = generation + 1 WHERE id = ?");
    update.bind(user).execute(db).await?;
    Ok(())
}

impl SignIn {
    /// Whether the user has not signed out since.
    pub async fn is_current(&self, db: &SqlitePool) -> Result<bool, sqlx::Error> {
        let query =
            sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE id = ? AND generation = ?");
        let found: i64 = query.bind(&self.user).bind(self.generation).fetch_one(db).await?;
        Ok(found > 0)
    }
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

fn is_right(password: &str, hash: Option<&str>) -> bool {
    let Some(hash) = hash else {
        // Whoever has no account waits as long, so that nobody learns who has one.
        let _ = self::hash(password);
        return false;
    };
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}
