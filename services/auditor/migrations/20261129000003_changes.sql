-- Changes by hand are few rows among millions of others: they are found by indexes of their own.

-- migrate:up

-- Rather fail than have everybody wait behind a lock that we wait for. No row of these streams is
-- there yet, so the indexes are made empty; what is waited for is one reading of the trail.
SET LOCAL lock_timeout = '10s';

-- Newest first, and of each key what stood there before.
CREATE INDEX audit_event_change ON audit_event (stored_at DESC, stream DESC, seq DESC)
WHERE stream IN ('KV_routes', 'KV_accounts', 'KV_secrets', 'KV_controls');
CREATE INDEX audit_event_change_before ON audit_event (subject, stored_at DESC, seq DESC)
WHERE stream IN ('KV_routes', 'KV_accounts', 'KV_secrets', 'KV_controls');

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
