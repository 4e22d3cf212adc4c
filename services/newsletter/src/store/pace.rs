//! Rows of paces: the limits of senders, and what was used of them.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{SenderId, Time};
use rapport_db::{Conn, Fault, Prepared, on};

use super::schema::{paces, site_paces};
use crate::domain::{
    Pace,
    pace::{Limits, SitePace, WarmUp},
};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = paces, primary_key(sender), treat_none_as_default_value = false, treat_none_as_null = true)]
struct PaceRow {
    sender: SenderId,
    per_second: i32,
    per_day: i32,
    warm_up_first_day: i32,
    warm_up_growth_percent: i32,
    warm_up_days: i32,
    next_slot: Time,
    day: i64,
    today: i64,
    warm_up_began: Option<i64>,
}

impl From<Pace> for PaceRow {
    fn from(pace: Pace) -> Self {
        let Pace { sender, limits: Limits { per_second, per_day, warm_up }, next_slot, day, today, warm_up_began } = pace;
        let WarmUp { first_day, growth_percent, days } = warm_up.unwrap_or(WarmUp { first_day: 0, growth_percent: 0, days: 0 });
        Self {
            sender,
            per_second,
            per_day,
            warm_up_first_day: first_day,
            warm_up_growth_percent: growth_percent,
            warm_up_days: days,
            next_slot,
            day,
            today,
            warm_up_began,
        }
    }
}

impl From<PaceRow> for Pace {
    fn from(row: PaceRow) -> Self {
        let PaceRow { sender, per_second, per_day, warm_up_first_day, warm_up_growth_percent, warm_up_days, .. } = row;
        let PaceRow { next_slot, day, today, warm_up_began, .. } = row;
        let warm_up = WarmUp { first_day: warm_up_first_day, growth_percent: warm_up_growth_percent, days: warm_up_days };
        let limits = Limits { per_second, per_day, warm_up: (warm_up_days > 0).then_some(warm_up) };
        Self { sender, limits, next_slot, day, today, warm_up_began }
    }
}

/// The pace of a sender; none when it was never limited.
pub async fn find(conn: &mut Conn<'_>, sender: SenderId) -> Result<Option<Pace>, Fault> {
    let row: Option<PaceRow> = on!(conn, |c| paces::table.find(sender).select(PaceRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The paces of these senders, to be changed in this transaction: whoever else gives their slots away waits.
pub async fn list_for_update(conn: &mut Conn<'_>, senders: &[SenderId]) -> Result<Vec<Pace>, Fault> {
    macro_rules! theirs {
        () => {
            paces::table.filter(paces::sender.eq_any(senders)).order(paces::sender.asc()).select(PaceRow::as_select())
        };
    }
    let rows: Vec<PaceRow> = match conn {
        Conn::Postgres(c) => theirs!().for_update().load(c).await?,
        Conn::Sqlite(c) => theirs!().load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Saves one that was read for update.
pub async fn update(conn: &mut Conn<'_>, pace: Pace) -> Result<(), Fault> {
    let row = PaceRow::from(pace);
    on!(conn, |c| diesel::update(paces::table.find(row.sender)).set(&row).execute(c).await)?;
    Ok(())
}

/// Sets the limits of a sender; what it used of the ones before stays counted.
pub async fn set_limits(conn: &mut Conn<'_>, sender: SenderId, limits: Limits) -> Result<Pace, Fault> {
    let row = PaceRow::from(Pace::new(sender, limits));
    let saved: PaceRow = on!(conn, |c| diesel::insert_into(paces::table)
        .values(&row)
        .on_conflict(paces::sender)
        .do_update()
        .set((
            paces::per_second.eq(row.per_second),
            paces::per_day.eq(row.per_day),
            paces::warm_up_first_day.eq(row.warm_up_first_day),
            paces::warm_up_growth_percent.eq(row.warm_up_growth_percent),
            paces::warm_up_days.eq(row.warm_up_days),
        ))
        .returning(PaceRow::as_returning())
        .get_result(c)
        .await)?;
    Ok(saved.into())
}

/// The sites that have no slot before this time.
pub async fn list_closed_sites(conn: &mut Conn<'_>, before: Time) -> Result<Vec<String>, Fault> {
    Ok(on!(conn, |c| site_paces::table.filter(site_paces::next_slot.ge(before)).select(site_paces::site).load(c).await)?)
}

/// The paces of these sites, to be changed in this transaction; those that have none yet get one.
pub async fn list_sites_for_update(conn: &mut Conn<'_>, sites: &[String]) -> Result<Vec<SitePace>, Fault> {
    // In one order, so that two that meet here wait for each other only once.
    let mut sites = sites.to_vec();
    sites.sort_unstable();
    for site in &sites {
        on!(conn, |c| Prepared(
            diesel::insert_into(site_paces::table)
                .values((site_paces::site.eq(site), site_paces::next_slot.eq(Time::EPOCH)))
                .on_conflict_do_nothing()
        )
        .execute(c)
        .await)?;
    }
    let query = || {
        let all = site_paces::table.filter(site_paces::site.eq_any(&sites)).order(site_paces::site.asc());
        all.select((site_paces::site, site_paces::next_slot))
    };
    let rows: Vec<(String, Time)> = match conn {
        Conn::Postgres(c) => query().for_update().load(c).await?,
        Conn::Sqlite(c) => query().load(c).await?,
    };
    Ok(rows.into_iter().map(|(site, next_slot)| SitePace { site, next_slot }).collect())
}

/// Saves the pace of a site that was read for update.
pub async fn update_site(conn: &mut Conn<'_>, pace: &SitePace) -> Result<(), Fault> {
    on!(conn, |c| Prepared(diesel::update(site_paces::table.find(&pace.site)).set(site_paces::next_slot.eq(pace.next_slot)))
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets sites whose last slot was before this time: they begin as new ones do.
pub async fn forget_sites(conn: &mut Conn<'_>, before: Time) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(site_paces::table.filter(site_paces::next_slot.lt(before))).execute(c).await)?;
    Ok(())
}
