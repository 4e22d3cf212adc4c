//! The use cases on both databases.

mod consent;
mod import;
mod issue_marker;
mod newsletter;
mod observation;
mod races;
mod touch;
mod types;

use std::collections::BTreeMap;

use rapport_core::{Caller, Context, CustomerId};
use rapport_db::{Database, DatabaseSettings, Location};
use rapport_testkit::{Backend, TestDatabase, TestWorld, world};

use crate::{
    app::{
        Outcome,
        customer::{CreateCustomer, create_customer},
        resolve::{ResolveCustomer, Resolved, resolve_customer},
    },
    domain::{ContactPoint, ContactPointKind, Customer, CustomerKind, Profile},
    store,
};

/// A database of this service, empty, and a world in the test's hand.
struct Bench {
    database: Database,
    world: TestWorld,
    _place: TestDatabase,
}

async fn bench(backend: Backend) -> Bench {
    let place = backend.database().await;
    let location = match place.postgres() {
        Some(postgres) => Location::Postgres { url: postgres.url().to_owned(), schema: "customer".to_owned() },
        None => Location::File(place.file("customer")),
    };
    let database = Database::open(&DatabaseSettings::new(location), store::MIGRATIONS).await.expect("it opens");
    Bench { database, world: world(), _place: place }
}

impl Bench {
    fn cx(&self) -> Context {
        self.world.world.context(Caller::new("ada", [rapport_core::Role::Agent]))
    }

    async fn create(&self, profile: Profile) -> Outcome<Customer> {
        let cx = self.cx();
        let command = CreateCustomer { id: cx.fresh(), kind: CustomerKind::Person, profile, customer_type: None, allow_duplicate: false };
        self.database.write(async |conn| create_customer(conn, &cx, command.clone()).await).await
    }

    async fn resolve(&self, contact_points: Vec<ContactPoint>) -> Outcome<Resolved> {
        let cx = self.cx();
        let command = by(contact_points);
        self.database.write(async |conn| resolve_customer(conn, &cx, command.clone()).await).await
    }

    async fn find(&self, id: CustomerId) -> Customer {
        let found = self.database.read(async |conn| -> Outcome<_> { Ok(store::customer::find(conn, id).await?) }).await;
        found.expect("it can be read").expect("it is there")
    }
}

fn by(contact_points: Vec<ContactPoint>) -> ResolveCustomer {
    let profile = Profile::named("");
    ResolveCustomer { contact_points, external_ids: BTreeMap::new(), kind: CustomerKind::Person, profile, customer_type: None }
}

fn mail(address: &str) -> ContactPoint {
    ContactPoint::parse(ContactPointKind::Email, address).expect("an address")
}

fn profile(name: &str, address: &str) -> Profile {
    let mut profile = Profile::named(name);
    profile.contact_points.push(mail(address));
    profile
}
