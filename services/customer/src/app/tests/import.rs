//! Imports on both databases: nothing doubles, nothing stops the rest.

use rapport_testkit::both_databases;

use super::{Bench, bench, mail};
use crate::{
    app::{
        Outcome,
        import::{ImportRow, RowOutcome, import_customers, preview_import},
    },
    domain::{CustomerKind, LifecycleStage, Profile, Thresholds, import::ImportResult},
};

fn row(number: usize, email: &str, crm: &str) -> ImportRow {
    let mut profile = Profile::named(format!("Customer {number}"));
    if !email.is_empty() {
        profile.contact_points.push(mail(email));
    }
    if !crm.is_empty() {
        profile.external_ids.insert("crm".to_owned(), crm.to_owned());
    }
    ImportRow { import: "test".to_owned(), row_id: number.to_string(), kind: CustomerKind::Person, profile, customer_type: None }
}

impl Bench {
    async fn import(&self, rows: &[ImportRow]) -> Vec<RowOutcome> {
        let cx = self.cx();
        self.database.write(async |conn| import_customers(conn, &cx, &Thresholds::USUAL, rows).await).await.expect("imported")
    }
    async fn preview(&self, rows: &[ImportRow]) -> Vec<RowOutcome> {
        let cx = self.cx();
        self.database.bulk_read(async |conn| preview_import(conn, &cx, rows).await).await.expect("previewed")
    }
    async fn count(&self) -> usize {
        let all = self.database.read(async |conn| -> Outcome<_> {
            Ok(crate::store::customer::after(conn, rapport_core::CustomerId::from_uuid(uuid::Uuid::nil()), 10_000).await?)
        });
        all.await.expect("it can be read").len()
    }
}

fn results(outcomes: &[RowOutcome]) -> Vec<ImportResult> {
    outcomes.iter().map(|outcome| outcome.result).collect()
}

use ImportResult::{Created, Duplicate, Rejected, Updated};

both_databases! {
    async fn a_repeated_import_doubles_nothing(backend: Backend) {
        let bench = bench(backend).await;
        let rows = [row(1, "ada@example.com", "1"), row(2, "byron@example.com", ""), row(3, "", ""), row(4, "ada@example.com", "")];
        assert_eq!(results(&bench.preview(&rows).await), [Created, Created, Created, Duplicate]);
        assert_eq!(bench.count().await, 0, "a dry run stores nothing");
        let first = bench.import(&rows).await;
        assert_eq!(results(&first), [Created, Created, Created, Duplicate]);
        let second = bench.import(&rows).await;
        assert_eq!(results(&second), [Duplicate; 4]);
        let ids = |outcomes: &[RowOutcome]| outcomes.iter().map(|outcome| outcome.customer).collect::<Vec<_>>();
        assert_eq!(ids(&first), ids(&second));
        assert_eq!(bench.count().await, 3);
    }

    async fn who_is_imported_as_a_customer_is_potential_no_more(backend: Backend) {
        let bench = bench(backend).await;
        let prospect = bench.import(&[row(1, "ada@example.com", "1")]).await[0].customer.expect("an id");
        assert_eq!(bench.find(prospect).await.types.len(), 1);
        let mut customer = row(1, "ada@example.com", "1");
        customer.profile.lifecycle_stage = Some(LifecycleStage::Customer);
        assert_eq!(results(&bench.import(&[customer]).await), [Updated]);
        assert_eq!(bench.find(prospect).await.types, []);
    }

    async fn a_row_changes_what_it_names_and_keeps_the_rest(backend: Backend) {
        let bench = bench(backend).await;
        let first = bench.import(&[row(1, "ada@example.com", "1")]).await;
        let mut changed = row(1, "ada@example.org", "1");
        changed.profile.display_name = "Ada Lovelace".to_owned();
        let second = bench.import(&[changed]).await;
        assert_eq!((results(&second), second[0].customer), (vec![Updated], first[0].customer));
        let stored = bench.find(first[0].customer.expect("an id")).await;
        assert_eq!((stored.version, stored.profile.display_name.as_str(), stored.profile.contact_points.len()), (2, "Ada Lovelace", 2));
        let found = bench.resolve(vec![mail("ada@example.org")]).await.expect("found");
        assert_eq!(found.customer.id, stored.id);
    }

    async fn rows_of_one_group_see_each_other(backend: Backend) {
        let bench = bench(backend).await;
        // One household: two customers at one address, told apart by the ids of the other system.
        let rows = [row(1, "home@example.com", "1"), row(2, "home@example.com", "2"), row(3, "other@example.com", "2")];
        let outcomes = bench.import(&rows).await;
        assert_eq!(results(&outcomes), [Created, Created, Updated]);
        assert_ne!(outcomes[0].customer, outcomes[1].customer);
        assert_eq!(outcomes[1].customer, outcomes[2].customer);
        assert_eq!(bench.count().await, 2);
        let stored = bench.find(outcomes[1].customer.expect("an id")).await;
        assert_eq!((stored.version, stored.profile.contact_points.len()), (1, 2));
    }

    async fn a_row_that_means_two_customers_is_refused_alone(backend: Backend) {
        let bench = bench(backend).await;
        bench.import(&[row(1, "", "1"), row(2, "", "2")]).await;
        let mut both = row(3, "", "1");
        both.profile.external_ids.insert("erp".to_owned(), "7".to_owned());
        bench.import(&[{
            let mut erp = row(4, "", "2");
            erp.profile.external_ids.insert("erp".to_owned(), "7".to_owned());
            erp
        }]).await;
        let mut lost = row(5, "", "5");
        lost.profile.organization = Some(bench.cx().fresh());
        let outcomes = bench.import(&[both, lost, row(6, "", "6")]).await;
        assert_eq!(results(&outcomes), [Rejected, Rejected, Created]);
        assert_eq!(outcomes[1].violations.iter().next().expect("why").field, "customer.organization_id");
    }

    async fn two_imports_of_the_same_file_at_once_double_nothing(backend: Backend) {
        let bench = std::sync::Arc::new(bench(backend).await);
        let rows: std::sync::Arc<Vec<ImportRow>> =
            std::sync::Arc::new((0..200).map(|number| row(number, &format!("c{number}@example.com"), &number.to_string())).collect());
        let tasks: Vec<_> = (0..4).map(|_| {
            let (bench, rows) = (std::sync::Arc::clone(&bench), std::sync::Arc::clone(&rows));
            tokio::spawn(async move {
                let mut created = 0;
                for group in rows.chunks(50) {
                    created += bench.import(group).await.iter().filter(|outcome| outcome.result == Created).count();
                }
                created
            })
        }).collect();
        let mut created = 0;
        for task in tasks {
            created += task.await.expect("no panic");
        }
        assert_eq!((created, bench.count().await), (200, 200));
    }
}
