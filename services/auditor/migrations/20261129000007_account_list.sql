-- An index for the list of alerts by account, as the one by symbol is. It holds one or two rows of an
-- alert. The auditor waits while it is made, and readers do not.

-- migrate:up

SET LOCAL lock_timeout = '10s';

CREATE INDEX audit_event_account ON audit_event (account, alert_id) INCLUDE (route)
WHERE stage IN ('intent.accepted', 'intent.denied');

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
