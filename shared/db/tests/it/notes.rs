//! A small service to test with: notes, with an event for each change.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rapport_core::{Caller, Channel, Context, Failure, Id, Never, SubjectId, Time, World};
use rapport_db::{Conn, Database, DatabaseSettings, Fault, Json, Location, Migrations, on, outbox};
use rapport_testkit::{Backend, TestDatabase};

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable};
    use rapport_db::sql_types::{Json, Moment, Uuid, Word};
    notes (id) {
        id -> Uuid,
        channel -> Nullable<Word>,
        time -> Moment,
        body -> Json,
        version -> BigInt,
        filling -> Binary,
    }
}

#[derive(Clone, Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = notes, treat_none_as_default_value = false)]
pub struct Note {
    pub id: SubjectId,
    pub channel: Option<Channel>,
    pub time: Time,
    pub body: Json<Vec<String>>,
    pub version: i64,
    pub filling: Vec<u8>,
}

const SQLITE: EmbeddedMigrations = embed_migrations!("tests/migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("tests/migrations/postgres");

pub fn migrations() -> Migrations {
    Migrations { sqlite: SQLITE, postgres: POSTGRES }
}

pub fn note(id: u128) -> Note {
    Note { id: Id::from_uuid(uuid::Uuid::from_u128(id)), channel: None, time: Time::EPOCH, body: Json(vec![]), version: 1, filling: vec![] }
}

pub fn settings(place: &TestDatabase) -> DatabaseSettings {
    DatabaseSettings::new(match place.backend() {
        Backend::Sqlite => Location::File(place.file("notes")),
        Backend::Postgres => Location::Postgres { url: place.url(), schema: "notes".to_owned() },
    })
}

pub async fn open(place: &TestDatabase) -> Database {
    Database::open(&settings(place), migrations()).await.expect("the database opens")
}

pub fn context(world: &World) -> Context {
    world.context(Caller::local())
}

pub async fn insert(conn: &mut Conn<'_>, note: &Note) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(notes::table).values(note).execute(c).await)?;
    Ok(())
}

pub async fn find(conn: &mut Conn<'_>, id: SubjectId) -> Result<Option<Note>, Fault> {
    Ok(on!(conn, |c| notes::table.find(id).select(Note::as_select()).first(c).await.optional())?)
}

/// All ids there are.
pub async fn ids(database: &Database) -> Vec<SubjectId> {
    database
        .read(async |conn| -> Result<_, Failure<Never>> {
            let found: Result<Vec<SubjectId>, _> = on!(conn, |c| notes::table.select(notes::id).order(notes::id).load(c).await);
            Ok(found.map_err(Fault::from)?)
        })
        .await
        .expect("notes can be listed")
}

/// Raises the version of a note, and tells.
pub async fn touch(conn: &mut Conn<'_>, cx: &Context, id: SubjectId) -> Result<i64, Failure<Never>> {
    let touched: Result<Vec<i64>, _> = on!(conn, |c| diesel::update(notes::table.find(id))
        .set(notes::version.eq(notes::version + 1))
        .returning(notes::version)
        .get_results(c)
        .await);
    let version = touched.map_err(Fault::from)?.into_iter().next().ok_or_else(|| Failure::not_found("note", id))?;
    tell(conn, cx, "note.touched", id, version).await?;
    Ok(version)
}

pub async fn tell(conn: &mut Conn<'_>, cx: &Context, kind: &'static str, subject: SubjectId, version: i64) -> Result<(), Fault> {
    outbox::append(conn, cx, outbox::Draft { kind, subject, version, journey: None, payload: &version }).await?;
    Ok(())
}
