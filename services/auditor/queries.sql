-- The auditor's statements, by name (store.py loads them).

-- name: append_rows
-- One transaction per batch: behind the heads of the rows' streams, and each row once.
SELECT appended, absent FROM audit_append(
    $1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[], $16::text[], $17::bytea[], $18::text[]
);

-- name: ensure_partitions
SELECT audit_ensure_partitions($1::date, $2::date);

-- name: last_partition
-- The first day of the latest month that has a partition; null where none has.
SELECT max(to_date(right(child.relname, 7), 'YYYY_MM'))
FROM pg_inherits
INNER JOIN pg_class AS child ON pg_inherits.inhrelid = child.oid
WHERE pg_inherits.inhparent = 'public.audit_event'::regclass;

-- name: heads
-- Of each stream the last row, with its hash.
SELECT chain.stream, head.seq, head.hash
FROM audit_streams() AS chain (stream), audit_head(chain.stream) AS head
ORDER BY chain.stream;

-- name: ping
SELECT true;
