-- Indexes for the list of alerts by symbol and by status, so that neither reads further than its
-- page. Each holds few rows of the trail. The auditor waits while they are made, and readers do not.

-- migrate:up

SET LOCAL lock_timeout = '10s';

-- An alert's id begins with its time, so these go from the newest to the oldest.
CREATE INDEX audit_event_symbol ON audit_event (symbol, alert_id) INCLUDE (route)
WHERE stage IN ('intent.accepted', 'intent.denied');
CREATE INDEX audit_event_ticker ON audit_event ((doc -> 'order' ->> 'ticker'), alert_id)
INCLUDE (route)
WHERE stage = 'alert.received';
CREATE INDEX audit_event_end ON audit_event (stage, alert_id) INCLUDE (route)
WHERE stage IN (
    'alert.refused', 'intent.denied', 'execution.rejected', 'execution.canceled',
    'execution.unknown', 'dead'
);
CREATE INDEX audit_event_withheld ON audit_event (alert_id) INCLUDE (route)
WHERE stage = 'order.planned' AND doc ? 'withheld';

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
