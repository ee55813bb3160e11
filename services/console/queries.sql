-- What the console asks of the trail. It reads the view `journey_event` and nothing else.

-- name: probe
SELECT 1 FROM journey_event LIMIT 0;

-- name: alerts
-- Alerts, and the halts that closed something, newest first; $1 is the position to continue before,
-- $2 a route where not null. The order is the log's and that of the partitions' indexes.
-- Where the last page has ended is found by its time: the log's times grow with its positions.
WITH edge AS (
    SELECT coalesce(
        (
            SELECT e.stored_at FROM journey_event AS e
            WHERE e.stream = 'PIPELINE' AND e.seq <= $1
            ORDER BY e.seq DESC LIMIT 1
        ),
        'infinity'::timestamptz
    ) AS stored_at
),

alerts AS (
    SELECT a.stored_at, a.seq, a.alert_id
    FROM journey_event AS a
    WHERE a.stage IN ('alert.received', 'alert.refused')
        -- What nobody can read has no id; it stands among the dead letters.
        AND a.alert_id IS NOT NULL
        -- An alert that was put into the log again stands once.
        AND NOT EXISTS (
            SELECT 1 FROM journey_event AS f
            WHERE f.alert_id = a.alert_id AND f.stage = a.stage AND f.seq < a.seq
        )
        AND a.stored_at <= (SELECT edge.stored_at FROM edge)
        AND ($1::bigint IS NULL OR a.seq < $1)
        AND ($2::text IS NULL OR a.route = $2)
    ORDER BY a.stored_at DESC, a.seq DESC
    LIMIT $3
),

-- A halt has a row for each account, and stands once.
halts AS (
    SELECT h.stored_at, h.seq, h.alert_id
    FROM journey_event AS h
    WHERE h.stage = 'intent.flattened'
        AND h.stored_at <= (SELECT edge.stored_at FROM edge)
        AND ($1::bigint IS NULL OR h.seq < $1)
        AND ($2::text IS NULL OR h.route = $2)
        AND NOT EXISTS (
            SELECT 1 FROM journey_event AS e
            WHERE e.alert_id = h.alert_id AND e.stage = 'intent.flattened' AND e.seq < h.seq
        )
    ORDER BY h.stored_at DESC, h.seq DESC
    LIMIT $3
)

SELECT seq, alert_id, true AS is_listed
FROM (SELECT * FROM alerts UNION ALL SELECT * FROM halts) AS found
ORDER BY stored_at DESC, seq DESC
LIMIT $3;

-- name: alerts_of_symbol
-- As `alerts`, of symbol $4: the exchange's name, known once the router mapped it, or the ticker as
-- the alert wrote it. In the order of the ids, which begin with the time, as its indexes are.
WITH edge AS (
    SELECT coalesce(
        (
            SELECT e.alert_id FROM journey_event AS e
            WHERE e.stream = 'PIPELINE' AND e.seq <= $1 AND e.alert_id IS NOT NULL
            ORDER BY e.seq DESC LIMIT 1
        ),
        'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
    ) AS alert_id
),

found AS (
    (
        SELECT DISTINCT i.alert_id FROM journey_event AS i
        WHERE i.stage IN ('intent.accepted', 'intent.denied')
            AND i.symbol = $4
            AND i.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR i.route = $2)
        ORDER BY i.alert_id DESC LIMIT $3
    )
    UNION
    (
        SELECT DISTINCT a.alert_id FROM journey_event AS a
        WHERE a.stage = 'alert.received'
            AND a.doc -> 'order' ->> 'ticker' = $4
            AND a.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR a.route = $2)
        ORDER BY a.alert_id DESC LIMIT $3
    )
    UNION
    (
        SELECT DISTINCT h.alert_id FROM journey_event AS h
        WHERE h.stage = 'intent.flattened'
            AND h.doc -> 'lanes' @> jsonb_build_array(jsonb_build_object('symbol', $4::text))
            AND h.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR h.route = $2)
        ORDER BY h.alert_id DESC LIMIT $3
    )
)

SELECT first_event.seq, found.alert_id, first_event.is_listed
FROM found
CROSS JOIN LATERAL (
    SELECT
        min(f.seq) AS seq,
        -- What a halt has closed has ids of its own, and stands in the halt's journey.
        bool_or(f.stage IN ('alert.received', 'alert.refused', 'intent.flattened')) AS is_listed
    FROM journey_event AS f
    WHERE f.alert_id = found.alert_id
) AS first_event
ORDER BY found.alert_id DESC
LIMIT $3;

-- name: alerts_of_account
-- As `alerts_of_symbol`, of account $4: what was wanted or denied of it, and the halts that closed
-- something there.
WITH edge AS (
    SELECT coalesce(
        (
            SELECT e.alert_id FROM journey_event AS e
            WHERE e.stream = 'PIPELINE' AND e.seq <= $1 AND e.alert_id IS NOT NULL
            ORDER BY e.seq DESC LIMIT 1
        ),
        'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
    ) AS alert_id
),

found AS (
    (
        SELECT DISTINCT i.alert_id FROM journey_event AS i
        WHERE i.stage IN ('intent.accepted', 'intent.denied')
            AND i.account = $4
            AND i.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR i.route = $2)
        ORDER BY i.alert_id DESC LIMIT $3
    )
    UNION
    (
        SELECT DISTINCT h.alert_id FROM journey_event AS h
        WHERE h.stage = 'intent.flattened'
            AND h.account = $4
            AND h.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR h.route = $2)
        ORDER BY h.alert_id DESC LIMIT $3
    )
)

SELECT first_event.seq, found.alert_id, first_event.is_listed
FROM found
CROSS JOIN LATERAL (
    SELECT
        min(f.seq) AS seq,
        -- What a halt has closed has ids of its own, and stands in the halt's journey.
        bool_or(f.stage IN ('alert.received', 'alert.refused', 'intent.flattened')) AS is_listed
    FROM journey_event AS f
    WHERE f.alert_id = found.alert_id
) AS first_event
ORDER BY found.alert_id DESC
LIMIT $3;

-- name: alerts_of_end
-- As `alerts_of_symbol`, of those alerts that may have come to a rare end: with an event of one of
-- the stages $4, or where $5 a plan that left something out. Which of them have is for the reader
-- of their events to say.
WITH edge AS (
    SELECT coalesce(
        (
            SELECT e.alert_id FROM journey_event AS e
            WHERE e.stream = 'PIPELINE' AND e.seq <= $1 AND e.alert_id IS NOT NULL
            ORDER BY e.seq DESC LIMIT 1
        ),
        'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
    ) AS alert_id
),

found AS (
    (
        SELECT candidate.alert_id
        FROM unnest($4::text[]) AS wanted (stage)
        CROSS JOIN LATERAL (
            SELECT DISTINCT i.alert_id FROM journey_event AS i
            WHERE i.stage = wanted.stage
                -- The index's own words.
                AND i.stage IN (
                    'alert.refused', 'intent.denied', 'execution.rejected', 'execution.canceled',
                    'execution.unknown', 'dead'
                )
                AND i.alert_id < (SELECT edge.alert_id FROM edge)
                -- A dead letter does not tell its route.
                AND ($2::text IS NULL OR i.route = $2 OR i.stage = 'dead')
            ORDER BY i.alert_id DESC LIMIT $3
        ) AS candidate
    )
    UNION
    (
        SELECT DISTINCT p.alert_id FROM journey_event AS p
        WHERE $5::boolean AND p.stage = 'order.planned' AND p.doc ? 'withheld'
            AND p.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR p.route = $2)
        ORDER BY p.alert_id DESC LIMIT $3
    )
    UNION
    (
        SELECT DISTINCT h.alert_id FROM journey_event AS h
        WHERE h.stage = 'intent.flattened'
            AND h.alert_id < (SELECT edge.alert_id FROM edge)
            AND ($2::text IS NULL OR h.route = $2)
        ORDER BY h.alert_id DESC LIMIT $3
    )
)

SELECT first_event.seq, found.alert_id, first_event.is_listed
FROM found
CROSS JOIN LATERAL (
    SELECT
        min(f.seq) AS seq,
        -- What a halt has closed has ids of its own, and stands in the halt's journey.
        bool_or(f.stage IN ('alert.received', 'alert.refused', 'intent.flattened')) AS is_listed
    FROM journey_event AS f
    WHERE f.alert_id = found.alert_id
) AS first_event
ORDER BY found.alert_id DESC
LIMIT $3;

-- name: events
-- All events of some alerts, in the order of the log.
SELECT seq, stage, service, at, stored_at, alert_id, body_bytes
FROM journey_event
WHERE alert_id = ANY($1)
ORDER BY stored_at, seq;

-- name: last_seq
-- The place of the last event of some alerts.
SELECT coalesce(max(seq), 0) AS seq
FROM journey_event
WHERE alert_id = ANY($1);

-- name: changes
-- What was changed by hand, newest first, each with the revision of its key before it. $1 are the
-- stages, $2 to $4 and $9 filters where not null ($9 a part of who made it), $5 to $7 the place to
-- continue before. Sequences of a bucket begin anew where it was made anew, so that time comes
-- first. The streams are named, since the indexes for this hold no others.
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
        AND ($9::text IS NULL OR strpos(lower(made_by), lower($9)) > 0)
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

-- name: newest
-- Where the trail of the log ends: from the index of stream and place.
SELECT seq, stored_at FROM journey_event WHERE stream = 'PIPELINE' ORDER BY seq DESC LIMIT 1;

-- name: arrivals
-- How many messages of the stages $1 came from $2 to $3, of route $4 where not null. Of all routes the
-- index of stage and time alone is read; of one, where that names no route, the rows as well.
SELECT e.stage, count(*) AS messages
FROM journey_event AS e
WHERE e.stage = ANY($1::text[]) AND e.stored_at >= $2 AND e.stored_at < $3
    AND ($4::text IS NULL OR e.route = $4)
GROUP BY e.stage;

-- name: fates
-- What became of the alerts from $1 to $2, of route $3 where not null, in stretches of $4; of each
-- stretch the newest $5 alerts are looked at. One line for each stretch with alerts, and one with no
-- time for all of them. An alert's status is told by its stages, and by whether its plan had nothing
-- to do or left something out; the journey knows better where it has several accounts. What comes a
-- week after the alert is not looked for, so that few partitions are.
WITH looked_at AS (
    SELECT stretch.at AS stretch_at, a.alert_id, min(a.at) AS at, min(a.stored_at) AS stored_at
    FROM generate_series(
        $1::timestamptz, $2::timestamptz - interval '1 microsecond', $4::interval
    ) AS stretch (at)
    CROSS JOIN LATERAL (
        SELECT e.alert_id, e.at, e.stored_at
        FROM journey_event AS e
        WHERE e.stage = 'alert.received'
            AND e.stored_at >= stretch.at AND e.stored_at < least(stretch.at + $4::interval, $2)
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.stored_at DESC
        LIMIT $5
    ) AS a
    GROUP BY stretch.at, a.alert_id
),

told AS (
    SELECT
        l.stretch_at,
        extract(EPOCH FROM j.sent_at - l.at) * 1000 AS order_ms,
        j.sent,
        j.filled,
        CASE
            WHEN j.dead > j.last THEN 'dead'
            WHEN j.unknown > j.answered THEN 'unknown'
            WHEN (j.done AND (j.stopped OR j.denied)) OR (j.withheld AND NOT j.stopped)
                THEN 'partial'
            WHEN j.done THEN 'executed'
            WHEN j.stopped THEN 'rejected'
            WHEN j.denied THEN 'denied'
            ELSE 'pending'
        END AS status
    FROM looked_at AS l
    CROSS JOIN LATERAL (
        SELECT
            min(e.at) FILTER (WHERE e.stage = 'execution.sent') AS sent_at,
            count(DISTINCT e.client_order_id) FILTER (WHERE e.stage = 'execution.sent') AS sent,
            count(DISTINCT e.client_order_id)
                FILTER (WHERE e.stage = 'execution.filled') AS filled,
            coalesce(
                bool_or(
                    e.stage IN ('execution.filled', 'execution.changed')
                    -- Everything is as it was wanted already.
                    OR (
                        e.stage = 'order.planned'
                        AND e.doc -> 'legs' = '[]' AND NOT e.doc ? 'changes'
                    )
                ), false
            ) AS done,
            coalesce(bool_or(e.stage = 'order.planned' AND e.doc ? 'withheld'), false) AS withheld,
            coalesce(bool_or(e.stage = 'intent.denied'), false) AS denied,
            coalesce(bool_or(e.stage IN ('execution.rejected', 'execution.canceled')), false)
                AS stopped,
            coalesce(max(e.seq) FILTER (WHERE e.stage = 'execution.unknown'), 0) AS unknown,
            coalesce(
                max(e.seq) FILTER (
                    WHERE e.stage LIKE 'execution.%'
                        AND e.stage NOT IN ('execution.unknown', 'execution.sent')
                ), 0
            ) AS answered,
            coalesce(max(e.seq) FILTER (WHERE e.stage = 'dead'), 0) AS dead,
            -- Behind a dead letter: its replay, or what came of it after all.
            coalesce(max(e.seq) FILTER (WHERE e.stage <> 'dead'), 0) AS last
        FROM journey_event AS e
        WHERE e.alert_id = l.alert_id
            AND e.stored_at >= l.stored_at AND e.stored_at < l.stored_at + interval '7 days'
    ) AS j
)

SELECT
    stretch_at,
    count(*) AS alerts,
    count(order_ms) AS with_order,
    sum(sent)::bigint AS orders_sent,
    sum(filled)::bigint AS orders_filled,
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY order_ms))::float8 AS p50_ms,
    (percentile_cont(0.99) WITHIN GROUP (ORDER BY order_ms))::float8 AS p99_ms,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'executed') AS executed,
    count(*) FILTER (WHERE status = 'partial') AS partial,
    count(*) FILTER (WHERE status = 'denied') AS denied,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE status = 'unknown') AS unknown,
    count(*) FILTER (WHERE status = 'dead') AS dead
FROM told
GROUP BY GROUPING SETS ((stretch_at), ())
ORDER BY stretch_at;

-- name: reasons
-- Why not, from $1 to $2, of route $3 where not null: of refusals, denials and rejections each the
-- newest $4 are opened. What was held back in the executor's queue is `execution.canceled` with our
-- reason, and what a plan has left out is `withheld`: both are denials.
WITH opened AS (
    (
        SELECT 'refused' AS kind, e.doc ->> 'reason' AS reason
        FROM journey_event AS e
        WHERE e.stage = 'alert.refused' AND e.stored_at >= $1 AND e.stored_at < $2
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.stored_at DESC LIMIT $4
    )
    UNION ALL
    (
        SELECT 'denied' AS kind, e.doc #>> '{denial,reason}' AS reason
        FROM journey_event AS e
        WHERE e.stage = 'intent.denied' AND e.stored_at >= $1 AND e.stored_at < $2
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.stored_at DESC LIMIT $4
    )
    UNION ALL
    (
        SELECT 'denied' AS kind, e.doc ->> 'reason' AS reason
        FROM journey_event AS e
        WHERE e.stage = 'execution.canceled' AND e.stored_at >= $1 AND e.stored_at < $2
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.stored_at DESC LIMIT $4
    )
    UNION ALL
    (
        -- An alert's id begins with its time, and the index of these has no other.
        SELECT 'denied' AS kind, e.doc #>> '{withheld,reason}' AS reason
        FROM journey_event AS e
        WHERE e.stage = 'order.planned' AND e.doc ? 'withheld'
            AND e.alert_id >= $5 AND e.alert_id < $6
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.alert_id DESC LIMIT $4
    )
    UNION ALL
    (
        SELECT 'rejected' AS kind, coalesce(e.doc ->> 'cause', e.doc ->> 'code') AS reason
        FROM journey_event AS e
        WHERE e.stage = 'execution.rejected' AND e.stored_at >= $1 AND e.stored_at < $2
            AND ($3::text IS NULL OR e.route = $3)
        ORDER BY e.stored_at DESC LIMIT $4
    )
)

SELECT kind, reason, count(*) AS messages
FROM opened
-- The exchange's own cancellation has no reason of ours.
WHERE reason IS NOT NULL
GROUP BY kind, reason
ORDER BY kind, messages DESC, reason;
