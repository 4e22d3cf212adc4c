-- When customers are to be turned to, and whether that was told.
CREATE TABLE touches (
    customer_id     UUID NOT NULL PRIMARY KEY REFERENCES customers (id),
    version         BIGINT NOT NULL,
    cadence_days    INTEGER NOT NULL,
    next_touch_time TIMESTAMPTZ,
    told            BOOLEAN NOT NULL,
    told_id         UUID,
    update_time     TIMESTAMPTZ NOT NULL
);
CREATE INDEX touches_untold ON touches (told, next_touch_time);
CREATE INDEX touches_due ON touches (next_touch_time, customer_id);
