-- What `alertwire audit` asks of the trail, as its owner (audit_trail.py loads them by name).

-- name: streams
SELECT stream FROM audit_streams() AS chain (stream);

-- name: boundaries
-- Where months of a stream were retired, oldest first.
SELECT before_seq, before_hash, last_seq, hash
FROM audit_checkpoint
WHERE stream = $1
ORDER BY last_seq;

-- name: first_seq
SELECT seq FROM audit_event
WHERE stream = $1 AND seq >= $2
ORDER BY seq LIMIT 1;

-- name: before
-- The last row before a sequence.
SELECT seq, hash FROM audit_event
WHERE stream = $1 AND seq < $2
ORDER BY seq DESC, stored_at DESC LIMIT 1;

-- name: rows
SELECT
    stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route, account,
    symbol, client_order_id, intent_id, traceparent, made_by, body, doc::text AS doc, hash
FROM audit_event
WHERE stream = $1 AND seq > $2
ORDER BY seq, stored_at;

-- name: month_rows
-- %s is the month's partition, attached or not; $1 is a stream where not null.
SELECT
    stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route, account,
    symbol, client_order_id, intent_id, traceparent, made_by, body, doc::text AS doc, hash
FROM %s
WHERE $1::text IS NULL OR stream = $1
ORDER BY stream, seq, stored_at;

-- name: month_extent
WITH extent AS (
    SELECT
        stream,
        count(*) AS rows,
        min(seq) AS first_seq,
        max(seq) AS last_seq,
        max(stored_at) AS last_stored_at
    FROM %s
    GROUP BY stream
)
SELECT
    extent.*,
    (
        SELECT last.hash FROM %s AS last
        WHERE last.stream = extent.stream AND last.seq = extent.last_seq
        ORDER BY last.stored_at DESC LIMIT 1
    ) AS hash
FROM extent
ORDER BY extent.stream;

-- name: takes
-- Whether jsonb takes a document.
SELECT $1::text::jsonb IS NOT NULL;

-- name: partition
-- A month's table: whether it is there, attached, and on its way to be detached; and the oldest
-- month that is attached.
SELECT
    to_regclass('public.' || $1::text) IS NOT NULL AS there,
    coalesce(bool_or(inhrelid = to_regclass('public.' || $1::text)), false) AS attached,
    coalesce(
        bool_or(inhrelid = to_regclass('public.' || $1::text) AND inhdetachpending), false
    ) AS pending,
    min(pg_class.relname) AS oldest
FROM pg_inherits
INNER JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
WHERE inhparent = 'public.audit_event'::regclass;

-- name: this_month
SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date;

-- name: retired
-- What is recorded of a retired month.
SELECT stream, last_seq, hash, rows, file, file_sha256
FROM audit_checkpoint
WHERE month = $1
ORDER BY stream;

-- name: hold_appends
-- Until the transaction ends nothing is appended. Readers go on.
LOCK TABLE ONLY audit_event IN SHARE ROW EXCLUSIVE MODE;

-- name: month_ends
SELECT stream, max(seq) AS last_seq FROM %s GROUP BY stream ORDER BY stream;

-- name: retire
INSERT INTO audit_checkpoint (
    stream, last_seq, hash, last_stored_at, month, before_seq, before_hash, first_seq, rows,
    file, file_sha256
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
