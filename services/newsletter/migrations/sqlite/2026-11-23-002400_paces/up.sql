-- The limits of senders that have some, and what was used of them: slots are given away under the lock of this row.
CREATE TABLE paces (
    sender BLOB PRIMARY KEY REFERENCES senders (id),
    per_second INTEGER NOT NULL,
    per_day INTEGER NOT NULL,
    warm_up_first_day INTEGER NOT NULL,
    warm_up_growth_percent INTEGER NOT NULL,
    warm_up_days INTEGER NOT NULL,
    next_slot INTEGER NOT NULL,
    day BIGINT NOT NULL,
    today BIGINT NOT NULL,
    warm_up_began BIGINT
);
