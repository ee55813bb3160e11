-- The auditor's statements, by name (store.py loads them).

-- name: insert_rows
-- One statement, hence one transaction, per batch; a row that is there already stays as it is.
INSERT INTO audit_event (
    stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route, account,
    symbol, client_order_id, intent_id, traceparent, body, doc
)
SELECT
    fresh.stream, fresh.seq, fresh.stored_at, fresh.at, fresh.subject, fresh.stage, fresh.service,
    fresh.event_id, fresh.alert_id, fresh.route, fresh.account, fresh.symbol,
    fresh.client_order_id, fresh.intent_id, fresh.traceparent, fresh.body, fresh.doc::jsonb
FROM unnest(
    $1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[], $16::bytea[], $17::text[]
) AS fresh (
    stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route, account,
    symbol, client_order_id, intent_id, traceparent, body, doc
)
ON CONFLICT DO NOTHING;

-- name: ensure_partitions
SELECT audit_ensure_partitions($1::date, $2::date);

-- name: last_partition
-- The first day of the latest month that has a partition; null where none has.
SELECT max(to_date(right(child.relname, 7), 'YYYY_MM'))
FROM pg_inherits
INNER JOIN pg_class AS child ON pg_inherits.inhrelid = child.oid
WHERE pg_inherits.inhparent = 'public.audit_event'::regclass;

-- name: ping
SELECT true;
