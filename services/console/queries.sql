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

-- name: checkups
-- Of each account $1 the checkup nearest to $2: the first one behind it, else the last before. What
-- was checked days apart says nothing. Each half is a walk along the index of stage and time.
SELECT nearest.body_bytes
FROM unnest($1::text[]) AS wanted (account)
CROSS JOIN LATERAL (
    (
        SELECT c.body_bytes, 1 AS choice
        FROM journey_event AS c
        WHERE c.stage = 'account.checked' AND c.account = wanted.account
            AND c.stored_at >= $2 AND c.stored_at < $2 + interval '1 day'
        ORDER BY c.stored_at
        LIMIT 1
    )
    UNION ALL
    (
        SELECT c.body_bytes, 2 AS choice
        FROM journey_event AS c
        WHERE c.stage = 'account.checked' AND c.account = wanted.account
            AND c.stored_at < $2 AND c.stored_at >= $2 - interval '7 days'
        ORDER BY c.stored_at DESC
        LIMIT 1
    )
    ORDER BY choice
    LIMIT 1
) AS nearest;
