-- The trail as a chain: each row carries the hash of the one before it and of itself
-- (docs/trail.md), and where a month was retired the chain's boundary is kept.
-- Rows of an older release get their hashes by the next migration; until then nothing is appended.

-- migrate:up

-- Rather fail than have everybody wait behind a lock that we wait for.
SET LOCAL lock_timeout = '10s';

-- From here on a writer of an older release is refused, and waits: it knows no chain.
ALTER TABLE audit_event
ADD COLUMN made_by text,
ADD COLUMN hash bytea,
ADD CONSTRAINT audit_event_hash CHECK (hash IS NOT NULL AND octet_length(hash) = 32) NOT VALID;

-- Of each stream the place where a retired month ends: what comes behind it begins with this hash.
CREATE TABLE audit_checkpoint (
    stream text NOT NULL,
    last_seq bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    last_stored_at timestamptz NOT NULL,
    -- Of the month: what it begins behind, and how much it is.
    month date NOT NULL,
    before_seq bigint NOT NULL,
    before_hash bytea NOT NULL CHECK (octet_length(before_hash) = 32),
    first_seq bigint NOT NULL,
    rows bigint NOT NULL,
    -- The exported file, by name and digest.
    file text NOT NULL,
    file_sha256 bytea NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, last_seq)
);
CREATE TRIGGER audit_checkpoint_only_grows BEFORE UPDATE OR DELETE ON audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_keeps_all BEFORE TRUNCATE ON audit_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- The bytes of a row that its hash covers: what COPY ... (FORMAT binary) writes for these columns.
-- A number of columns, then each as its length and its bytes; the length of a null is -1. `doc` is
-- not among them: it follows from `body`. A later column comes last, and is left out where null.
CREATE FUNCTION audit_canonical(
    stream text, seq bigint, stored_at timestamptz, at timestamptz, subject text, stage text,
    service text, event_id text, alert_id uuid, route text, account text, symbol text,
    client_order_id text, intent_id text, traceparent text, made_by text, body bytea
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN
int2send(17::smallint)
|| int4send(octet_length(stream)) || convert_to(stream, 'UTF8')
|| int4send(8) || int8send(seq)
|| int4send(8) || timestamptz_send(stored_at)
|| int4send(8) || timestamptz_send(at)
|| int4send(octet_length(subject)) || convert_to(subject, 'UTF8')
|| int4send(octet_length(stage)) || convert_to(stage, 'UTF8')
|| coalesce(int4send(octet_length(service)) || convert_to(service, 'UTF8'), '\xffffffff')
|| coalesce(int4send(octet_length(event_id)) || convert_to(event_id, 'UTF8'), '\xffffffff')
|| coalesce(int4send(16) || uuid_send(alert_id), '\xffffffff')
|| coalesce(int4send(octet_length(route)) || convert_to(route, 'UTF8'), '\xffffffff')
|| coalesce(int4send(octet_length(account)) || convert_to(account, 'UTF8'), '\xffffffff')
|| coalesce(int4send(octet_length(symbol)) || convert_to(symbol, 'UTF8'), '\xffffffff')
|| coalesce(
    int4send(octet_length(client_order_id)) || convert_to(client_order_id, 'UTF8'), '\xffffffff'
)
|| coalesce(int4send(octet_length(intent_id)) || convert_to(intent_id, 'UTF8'), '\xffffffff')
|| coalesce(int4send(octet_length(traceparent)) || convert_to(traceparent, 'UTF8'), '\xffffffff')
|| coalesce(int4send(octet_length(made_by)) || convert_to(made_by, 'UTF8'), '\xffffffff')
|| int4send(octet_length(body)) || body;

-- As a window function: of each row the hash, going on from `head`.
CREATE FUNCTION audit_link(hash bytea, head bytea, canonical bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(coalesce(hash, head) || canonical);
END
$$;
CREATE AGGREGATE audit_chain (head bytea, canonical bytea) (SFUNC = audit_link, STYPE = bytea);

-- The end of a stream's chain: its last row, else where its last retired month ended, else the
-- beginning. Without sequential scans: a plan made while a month was empty would stay.
CREATE FUNCTION audit_head(
    chain text, OUT seq bigint, OUT hash bytea, OUT stored_at timestamptz
) RETURNS record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    SELECT event.seq, event.hash, event.stored_at INTO seq, hash, stored_at
    FROM public.audit_event AS event
    WHERE event.stream = chain ORDER BY event.seq DESC LIMIT 1;
    IF NOT found THEN
        SELECT edge.last_seq, edge.hash, edge.last_stored_at INTO seq, hash, stored_at
        FROM public.audit_checkpoint AS edge
        WHERE edge.stream = chain ORDER BY edge.last_seq DESC LIMIT 1;
    END IF;
    IF NOT found THEN
        seq := 0;
        hash := decode(repeat('00', 32), 'hex');
        stored_at := '-infinity';
    END IF;
END
$$;

-- The streams of which the trail has, or had, rows. From one name to the next by the index.
CREATE FUNCTION audit_streams() RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    chain text := '';
BEGIN
    LOOP
        SELECT least(
            (SELECT min(event.stream) FROM public.audit_event AS event WHERE event.stream > chain),
            (SELECT min(edge.stream) FROM public.audit_checkpoint AS edge WHERE edge.stream > chain)
        ) INTO chain;
        EXIT WHEN chain IS NULL;
        RETURN NEXT chain;
    END LOOP;
END
$$;

-- Appends rows behind the heads of their streams, and says how many. What stands at or below a head
-- was appended before; `absent` says how many of those are not there, which nobody but a tamperer
-- brings about. Needs the rights of its caller: INSERT and SELECT.
CREATE FUNCTION audit_append(
    streams text [], seqs bigint [], stored_ats timestamptz [], ats timestamptz [],
    subjects text [], stages text [], services text [], event_ids text [], alert_ids uuid [],
    routes text [], accounts text [], symbols text [], client_order_ids text [],
    intent_ids text [], traceparents text [], made_bys text [], bodies bytea [], docs text [],
    OUT appended integer, OUT absent integer
) RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chain text;
    head record;
    gone record;
    inserted integer;
    retired_until timestamptz;
BEGIN
    appended := 0;
    absent := 0;
    -- Retiring a month takes a lock against this one, so no row slips in behind its boundary.
    LOCK TABLE ONLY public.audit_event IN ROW EXCLUSIVE MODE;
    SELECT (max(edge.month) + interval '1 month') AT TIME ZONE 'UTC' INTO retired_until
    FROM public.audit_checkpoint AS edge;
    IF EXISTS (
        SELECT FROM unnest(streams, seqs, stored_ats) AS late (stream, seq, stored_at)
        WHERE late.stored_at < retired_until AND late.seq > (
            SELECT coalesce(max(edge.last_seq), 0) FROM public.audit_checkpoint AS edge
            WHERE edge.stream = late.stream
        )
    ) THEN
        RAISE EXCEPTION 'a message from before % came after that month was retired', retired_until
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    FOR chain IN SELECT DISTINCT name FROM unnest(streams) AS name ORDER BY name LOOP
        -- One appends at a time, or two rows would follow the same one. What is read below is read
        -- once the lock is ours, so it sees what the one before us has appended.
        PERFORM pg_advisory_xact_lock(hashtextextended('audit_chain ' || chain, 0));
        head := public.audit_head(chain);
        IF head.hash IS NULL THEN
            RAISE EXCEPTION 'the rows of % are not chained yet: migrate first', chain
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        IF head.seq >= ANY (seqs) THEN
            SELECT
                count(*) FILTER (WHERE fresh.seq > coalesce(edge.last_seq, 0)) AS rows,
                max(fresh.stored_at) AS stored_at
            INTO gone
            FROM unnest(streams, seqs, stored_ats) AS fresh (stream, seq, stored_at)
            LEFT JOIN LATERAL (
                SELECT max(audit_checkpoint.last_seq) AS last_seq
                FROM public.audit_checkpoint WHERE audit_checkpoint.stream = chain
            ) AS edge ON true
            WHERE fresh.stream = chain AND fresh.seq <= head.seq AND NOT EXISTS (
                SELECT FROM public.audit_event AS event
                WHERE event.stored_at = fresh.stored_at AND event.stream = chain
                    AND event.seq = fresh.seq
            );
            IF gone.stored_at > head.stored_at THEN
                RAISE EXCEPTION 'stream % begins anew below message % of the trail: another log '
                    'needs a trail of its own', chain, head.seq
                    USING ERRCODE = 'object_not_in_prerequisite_state';
            END IF;
            absent := absent + gone.rows;
        END IF;
        INSERT INTO public.audit_event (
            stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route,
            account, symbol, client_order_id, intent_id, traceparent, made_by, body, doc, hash
        )
        SELECT
            fresh.stream, fresh.seq, fresh.stored_at, fresh.at, fresh.subject, fresh.stage,
            fresh.service, fresh.event_id, fresh.alert_id, fresh.route, fresh.account,
            fresh.symbol, fresh.client_order_id, fresh.intent_id, fresh.traceparent,
            fresh.made_by, fresh.body, fresh.doc::jsonb,
            public.audit_chain(head.hash, public.audit_canonical(
                fresh.stream, fresh.seq, fresh.stored_at, fresh.at, fresh.subject, fresh.stage,
                fresh.service, fresh.event_id, fresh.alert_id, fresh.route, fresh.account,
                fresh.symbol, fresh.client_order_id, fresh.intent_id, fresh.traceparent,
                fresh.made_by, fresh.body
            )) OVER (ORDER BY fresh.seq)
        FROM (
            SELECT DISTINCT ON (one.seq) one.*
            FROM unnest(
                streams, seqs, stored_ats, ats, subjects, stages, services, event_ids, alert_ids,
                routes, accounts, symbols, client_order_ids, intent_ids, traceparents, made_bys,
                bodies, docs
            ) AS one (
                stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route,
                account, symbol, client_order_id, intent_id, traceparent, made_by, body, doc
            )
            WHERE one.stream = chain AND one.seq > head.seq
            ORDER BY one.seq
        ) AS fresh;
        GET DIAGNOSTICS inserted = ROW_COUNT;
        appended := appended + inserted;
    END LOOP;
END
$$;

CREATE OR REPLACE VIEW journey_event AS
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
    doc,
    made_by,
    hash
FROM audit_event;

CREATE VIEW retired_month AS
SELECT
    stream,
    month,
    first_seq,
    last_seq,
    rows,
    hash,
    file,
    file_sha256,
    retired_at
FROM audit_checkpoint;

REVOKE ALL ON FUNCTION audit_append(
    text [], bigint [], timestamptz [], timestamptz [], text [], text [], text [], text [],
    uuid [], text [], text [], text [], text [], text [], text [], text [], bytea [], text []
) FROM public;
REVOKE ALL ON FUNCTION audit_head(text) FROM public;
REVOKE ALL ON FUNCTION audit_streams() FROM public;
GRANT SELECT ON audit_checkpoint TO auditor;
GRANT EXECUTE ON FUNCTION audit_append(
    text [], bigint [], timestamptz [], timestamptz [], text [], text [], text [], text [],
    uuid [], text [], text [], text [], text [], text [], text [], text [], bytea [], text []
) TO auditor;
GRANT EXECUTE ON FUNCTION audit_head(text) TO auditor;
GRANT EXECUTE ON FUNCTION audit_streams() TO auditor;
GRANT SELECT ON retired_month TO viewer;

-- migrate:down

DO $$
BEGIN
    RAISE EXCEPTION 'the trail only goes forward: write a new migration';
END
$$;
