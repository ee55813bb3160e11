-- What the console asks of the trail. It reads the view `journey_event` and nothing else.

-- name: probe
SELECT 1 FROM journey_event LIMIT 0;

-- name: alerts
-- Alerts, and the halts that closed something. Newest first; $1 is the position to continue before, $2 to $3 are filters where not null. A
-- symbol is the exchange's, known once the router mapped it, or the ticker as the alert wrote it.
-- The order is the log's and that of the partitions' indexes.
WITH alerts AS (
    SELECT a.stored_at, a.seq, a.alert_id
    FROM journey_event AS a
    WHERE a.stage IN ('alert.received', 'alert.refused')
        -- An alert that was put into the log again stands once.
        AND NOT EXISTS (
            SELECT 1 FROM journey_event AS f
            WHERE f.alert_id = a.alert_id AND f.stage = a.stage AND f.seq < a.seq
        )
        AND ($1::bigint IS NULL OR a.seq < $1)
        AND ($2::text IS NULL OR a.route = $2)
        AND (
            $3::text IS NULL
            OR a.doc -> 'order' ->> 'ticker' = $3
            OR EXISTS (
                SELECT 1 FROM journey_event AS i
                WHERE i.alert_id = a.alert_id AND i.symbol = $3
            )
        )
    ORDER BY a.stored_at DESC, a.seq DESC
    LIMIT $4
),

-- A halt has a row for each account, and stands once.
halts AS (
    SELECT h.stored_at, h.seq, h.alert_id
    FROM journey_event AS h
    WHERE h.stage = 'intent.flattened'
        AND ($1::bigint IS NULL OR h.seq < $1)
        AND ($2::text IS NULL OR h.route = $2)
        AND NOT EXISTS (
            SELECT 1 FROM journey_event AS e
            WHERE e.alert_id = h.alert_id AND e.stage = 'intent.flattened' AND e.seq < h.seq
        )
        AND (
            $3::text IS NULL
            OR EXISTS (
                SELECT 1 FROM journey_event AS l
                WHERE l.alert_id = h.alert_id
                    AND l.doc -> 'lanes' @> jsonb_build_array(jsonb_build_object('symbol', $3::text))
            )
        )
    ORDER BY h.stored_at DESC, h.seq DESC
    LIMIT $4
)

SELECT seq, alert_id
FROM (SELECT * FROM alerts UNION ALL SELECT * FROM halts) AS found
ORDER BY stored_at DESC, seq DESC
LIMIT $4;

-- name: events
-- All events of some alerts, in the order of the log.
SELECT seq, stage, service, at, stored_at, alert_id, body_bytes
FROM journey_event
WHERE alert_id = ANY($1)
ORDER BY stored_at, seq;

-- name: changes
-- What was changed by hand, newest first, each with the revision of its key before it. $1 are the
-- stages, $2 to $4 filters where not null, $5 to $7 the place to continue before. Sequences of a
-- bucket begin anew where it was made anew, so that time comes first. The streams are named, since
-- the indexes for this hold no others.
SELECT
    c.stored_at,
    c.stream,
    c.seq,
    c.stage,
    c.subject,
    c.made_by,
    c.body_bytes,
    b.stage AS stage_before,
    b.body_bytes AS body_before
FROM (
    SELECT stored_at, stream, seq, stage, subject, made_by, body_bytes
    FROM journey_event
    WHERE stream IN ('KV_routes', 'KV_accounts', 'KV_secrets', 'KV_controls')
        AND stage = ANY($1::text[])
        AND ($2::text IS NULL OR route = $2 OR account = $2)
        AND ($3::text IS NULL OR route = $3)
        AND ($4::text IS NULL OR account = $4)
        AND ($5::timestamptz IS NULL OR (stored_at, stream, seq) < ($5, $6::text, $7::bigint))
    ORDER BY stored_at DESC, stream DESC, seq DESC
    LIMIT $8
) AS c
LEFT JOIN LATERAL (
    SELECT p.stage, p.body_bytes
    FROM journey_event AS p
    WHERE p.stream IN ('KV_routes', 'KV_accounts', 'KV_secrets', 'KV_controls')
        AND p.subject = c.subject
        AND p.stored_at <= c.stored_at
        AND (p.stored_at, p.seq) < (c.stored_at, c.seq)
    ORDER BY p.stored_at DESC, p.seq DESC
    LIMIT 1
) AS b ON true
ORDER BY c.stored_at DESC, c.stream DESC, c.seq DESC;
