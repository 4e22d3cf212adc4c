//! Limits of senders, as the people who set them meet them.

use std::time::Duration;

use rapport_core::Clock;
use rapport_proto::newsletter::v1 as pb;
use rapport_testkit::{both_databases, smtp::Phase};
use tonic::Code;

use crate::newsletter::Newsletter;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Newsletter {
    async fn sender_of(&self, publication_id: &str) -> String {
        let request = pb::GetPublicationRequest { publication_id: publication_id.to_owned() };
        self.publications.clone().get_publication(request).await.expect("it").into_inner().publication.expect("it").sender_id
    }

    async fn limit(&self, sender_id: &str, limits: pb::SendingLimits) -> Result<pb::SendingPace, tonic::Status> {
        let request = pb::SetSendingLimitsRequest { sender_id: sender_id.to_owned(), limits: Some(limits), ..Default::default() };
        Ok(self.publications.clone().set_sending_limits(request).await?.into_inner().pace.expect("it"))
    }

    async fn pace(&self, sender_id: &str) -> pb::SendingPace {
        let request = pb::GetSenderRequest { sender_id: sender_id.to_owned() };
        self.publications.clone().get_sender(request).await.expect("it").into_inner().pace.expect("it")
    }
}

both_databases! {
    async fn an_issue_waits_for_the_next_day_and_who_subscribes_does_not(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        for number in 0..5 {
            house.subscribe(&publication, &format!("reader{number}@example.test")).await;
        }
        // The first second of a day, so that no midnight comes in between.
        let past = house.clock.now().micros().rem_euclid(DAY.as_micros() as i64) as u64;
        house.clock.advance(DAY - Duration::from_micros(past));
        let sender = house.sender_of(&publication).await;
        let warm_up = pb::WarmUp { first_day: 2, growth_percent: 50, days: 2 };
        let pace = house.limit(&sender, pb::SendingLimits { per_day: 4, warm_up: Some(warm_up), ..Default::default() }).await.expect("sound");
        assert_eq!((pace.today, pace.allowed_today), (0, Some(2)));
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "sent to two", |it| it.accepted == 2 && it.in_flight == 0).await;
        // A single message goes all the same, and after it still nothing of the issue: the dispatcher has looked again.
        house.ask(&publication, "new@example.test").await;
        house.smtp.until_mail("new@example.test").await;
        assert_eq!(house.account(&issue).await.accepted, 2, "the day is over for issues");
        assert_eq!(house.pace(&sender).await.today, 3, "the message counts");
        house.clock.advance(DAY);
        house.until_account(&issue, "sent to three more", |it| it.accepted == 5).await;
        let pace = house.pace(&sender).await;
        assert_eq!((pace.today, pace.allowed_today), (3, Some(3)));
        house.stop().await;
    }

    async fn lifted_limits_let_the_rest_go_at_once_and_wrong_ones_are_all_told(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let publication = house.publication("relay").await;
        for number in 0..3 {
            house.subscribe(&publication, &format!("reader{number}@example.test")).await;
        }
        let sender = house.sender_of(&publication).await;
        house.limit(&sender, pb::SendingLimits { per_day: 1, ..Default::default() }).await.expect("sound");
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "sent to one", |it| it.accepted == 1).await;
        let pace = house.limit(&sender, pb::SendingLimits::default()).await.expect("sound");
        assert_eq!(pace.allowed_today, None);
        house.until_account(&issue, "sent to all", |it| it.accepted == 3).await;
        assert_eq!(house.smtp.attempts("reader0@example.test", Phase::Dot), 2, "the confirmation and the issue");

        let wrong = pb::WarmUp { first_day: 0, growth_percent: 901, days: 366 };
        let refused = house.limit(&sender, pb::SendingLimits { per_second: 10_001, per_day: 0, warm_up: Some(wrong) }).await.expect_err("wrong");
        assert_eq!(refused.code(), Code::InvalidArgument);
        for field in ["per_second", "warm_up.first_day", "warm_up.growth_percent", "warm_up.days"] {
            assert!(refused.message().contains(field), "{field}: {}", refused.message());
        }
        let nobody = house.limit(&uuid::Uuid::nil().to_string(), pb::SendingLimits::default()).await.expect_err("nobody");
        assert!(matches!(nobody.code(), Code::NotFound | Code::InvalidArgument), "{nobody:?}");
        house.stop().await;
    }
}
