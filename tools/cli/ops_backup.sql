-- What `alertwire ops backup` and `restore` ask of the trail, as its owner.

-- name: heads
-- Where each chain ends.
SELECT chain.stream, head.seq
FROM audit_streams() AS chain (stream), audit_head(chain.stream) AS head
ORDER BY chain.stream;

-- name: has_schema
SELECT to_regclass('public.audit_event') IS NOT NULL;

-- name: has_rows
SELECT exists(SELECT FROM audit_event) OR exists(SELECT FROM audit_checkpoint);

-- name: server_version
SHOW server_version;

-- name: rows_after
SELECT seq, stored_at, subject, stage, service, alert_id, traceparent, made_by, body
FROM audit_event
WHERE stream = $1 AND seq > $2
ORDER BY seq, stored_at;

-- name: last_row
SELECT seq, stored_at, subject, stage, service, alert_id, traceparent, made_by, body
FROM audit_event
WHERE stream = $1 AND seq <= $2
ORDER BY seq DESC LIMIT 1;
