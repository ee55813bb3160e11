-- What the console asks of the trail. It reads the view `journey_event` and nothing else.

-- name: probe
SELECT 1 FROM journey_event LIMIT 0;

-- name: alerts
-- Newest first; $1 is the position to continue before, $2 to $3 are filters where not null. A
-- symbol is the exchange's, known once the router mapped it, or the ticker as the alert wrote it.
-- The order is the log's and that of the partitions' indexes.
SELECT a.seq, a.alert_id
FROM journey_event AS a
WHERE a.stage IN ('alert.received', 'alert.refused')
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
LIMIT $4;

-- name: events
-- All events of some alerts, in the order of the log.
SELECT seq, stage, service, at, stored_at, alert_id, body_bytes
FROM journey_event
WHERE alert_id = ANY($1)
ORDER BY stored_at, seq;
