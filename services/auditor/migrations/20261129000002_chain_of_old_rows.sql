-- Chains the rows of an older release, and makes the index that the chain is walked by. Readers go
-- on meanwhile; a million rows take a minute or two, during which the auditor waits.

-- migrate:up

SET LOCAL lock_timeout = '10s';

CREATE INDEX audit_event_chain ON audit_event (stream, seq);

LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows;

DO $$
DECLARE
    old record;
    chain text;
    head bytea;
BEGIN
    FOR old IN
        SELECT
            stream, seq, stored_at,
            audit_canonical(
                stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route,
                account, symbol, client_order_id, intent_id, traceparent, made_by, body
            ) AS canonical
        FROM audit_event
        ORDER BY stream, seq, stored_at
    LOOP
        IF chain IS DISTINCT FROM old.stream THEN
            chain := old.stream;
            head := decode(repeat('00', 32), 'hex');
        END IF;
        head := sha256(head || old.canonical);
        UPDATE audit_event SET hash = head
        WHERE stored_at = old.stored_at AND stream = old.stream AND seq = old.seq;
    END LOOP;
END
$$;

ALTER TABLE audit_event ENABLE TRIGGER audit_event_only_grows;
ALTER TABLE audit_event VALIDATE CONSTRAINT audit_event_hash;

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
