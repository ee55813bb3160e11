-- The trail: one row per message of the log, and nothing that ever changes one.

-- migrate:up

-- Roles belong to the whole server, so another database may have made them, even at this moment.
-- They cannot log in: an installation makes its own logins and grants them these.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['auditor', 'viewer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by somebody else since we looked
            END;
        END IF;
    END LOOP;
END
$$;

CREATE TABLE audit_event (
    stream text NOT NULL,
    seq bigint NOT NULL,
    -- When the log stored the message: part of the log, so a replay gives the same row.
    stored_at timestamptz NOT NULL,
    -- The message's own time, or `stored_at` where it tells none.
    at timestamptz NOT NULL,
    subject text NOT NULL,
    stage text NOT NULL,
    service text,
    event_id text,
    alert_id uuid,
    route text,
    account text,
    symbol text,
    client_order_id text,
    intent_id text,
    traceparent text,
    -- The message to the byte; `doc` is the same for queries, or null where jsonb cannot hold it.
    body bytea NOT NULL,
    doc jsonb,
    PRIMARY KEY (stored_at, stream, seq)
) PARTITION BY RANGE (stored_at);

CREATE INDEX audit_event_alert ON audit_event (alert_id);
CREATE INDEX audit_event_stage ON audit_event (stage, stored_at DESC);
-- The list of alerts, newest first: of all routes, and of one.
CREATE INDEX audit_event_newest ON audit_event (stored_at DESC, seq DESC)
WHERE stage IN ('alert.received', 'alert.refused');
CREATE INDEX audit_event_route ON audit_event (route, stored_at DESC, seq DESC)
WHERE stage IN ('alert.received', 'alert.refused');
CREATE INDEX audit_event_time ON audit_event USING brin (stored_at) WITH (autosummarize = on);

CREATE FUNCTION audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% only grows: % is refused', tg_table_name, tg_op
        USING ERRCODE = 'restrict_violation';
END
$$;

-- Partitions inherit the first one; the second is made for each of them.
CREATE TRIGGER audit_event_only_grows BEFORE UPDATE OR DELETE ON audit_event
FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_keeps_all BEFORE TRUNCATE ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- Attached, not merely there: a month that was detached to be exported is a table of that name too.
CREATE FUNCTION audit_has_partition(partition text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_inherits
        JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'public.audit_event'::regclass
            AND pg_class.relname = partition
    )
$$;

-- Makes the partitions of the months from one day's to another's (UTC) that are missing, and
-- returns their number. The writer may call it, and needs no right to make tables for that.
-- A partition is attached, not made in place: that blocks neither readers nor inserts.
CREATE FUNCTION audit_ensure_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month date := date_trunc('month', first_day::timestamp)::date;
    next_month date;
    partition text;
    made integer := 0;
BEGIN
    IF last_day IS NULL OR last_day < first_day OR last_day > first_day + 1100 THEN
        RAISE EXCEPTION 'partitions from % to % are not made', first_day, last_day
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WHILE month <= last_day LOOP
        next_month := (month + interval '1 month')::date;
        partition := 'audit_event_' || to_char(month, 'YYYY_MM');
        IF NOT public.audit_has_partition(partition) THEN
            PERFORM pg_advisory_xact_lock(hashtext('audit_ensure_partitions'));
            -- Somebody else may have made it while we waited.
            IF NOT public.audit_has_partition(partition) THEN
                EXECUTE format(
                    'CREATE TABLE public.%I (LIKE public.audit_event INCLUDING ALL)', partition);
                EXECUTE format(
                    'ALTER TABLE public.audit_event ATTACH PARTITION public.%I '
                    'FOR VALUES FROM (%L) TO (%L)',
                    partition, month || ' 00:00:00+00', next_month || ' 00:00:00+00');
                EXECUTE format(
                    'CREATE TRIGGER audit_event_keeps_all BEFORE TRUNCATE ON public.%I '
                    'FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change()', partition);
                made := made + 1;
            END IF;
        END IF;
        month := next_month;
    END LOOP;
    RETURN made;
END
$$;

-- The body as text, or null where the bytes are no UTF-8.
CREATE FUNCTION audit_text(bytes bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN convert_from(bytes, 'UTF8');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN NULL;
END
$$;

CREATE VIEW journey_event AS
SELECT
    stream,
    seq,
    stored_at,
    at,
    subject,
    stage,
    service,
    event_id,
    alert_id,
    route,
    account,
    symbol,
    client_order_id,
    intent_id,
    traceparent,
    audit_text(body) AS body,
    body AS body_bytes,
    doc
FROM audit_event;

REVOKE ALL ON FUNCTION audit_ensure_partitions(date, date) FROM public;
REVOKE ALL ON FUNCTION audit_has_partition(text) FROM public;
GRANT USAGE ON SCHEMA public TO auditor, viewer;
GRANT INSERT, SELECT ON audit_event TO auditor;
GRANT EXECUTE ON FUNCTION audit_ensure_partitions(date, date) TO auditor;
GRANT SELECT ON journey_event TO viewer;
GRANT EXECUTE ON FUNCTION audit_text(bytea) TO viewer;

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
