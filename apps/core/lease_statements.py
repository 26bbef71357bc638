"""The statements of the lease store. All times are the database's."""

# The liveness lock of a worker: two halves of its key, so that no single-key lock meets it.
TAKE_LIVENESS = (
    "SELECT pg_try_advisory_lock((%(key)s::bigint >> 31)::int, (%(key)s::bigint & 2147483647)::int)"
)

IS_ALIVE = """EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid::bigint = lease.owner_key >> 31 AND objid::bigint = lease.owner_key & 2147483647
)"""

ANNOUNCE = """
INSERT INTO core_node
    (id, created_at, updated_at, name, kind, boot_id, pid, slots, labels, is_draining, seen_at, facts)
VALUES (%(id)s, now(), now(), %(name)s, %(node_kind)s, %(boot_id)s, %(pid)s, %(slots)s, %(labels)s, false,
        clock_timestamp(), '{}')
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, boot_id = excluded.boot_id, pid = excluded.pid, slots = excluded.slots,
    labels = excluded.labels, is_draining = false, seen_at = excluded.seen_at, updated_at = now()
"""

RENEW = """
WITH node AS (UPDATE core_node SET seen_at = clock_timestamp() WHERE name = %(name)s)
UPDATE core_lease
SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), seen_at = clock_timestamp()
WHERE kind = %(kind)s AND owner_key = %(key)s AND object_id = ANY(%(ids)s)
RETURNING object_id, epoch
"""

# In one order everywhere: two workers that make rows at once must not wait for each other.
MAKE_ROWS = """
INSERT INTO core_lease (object_id, kind, owner, epoch)
SELECT id, %(kind)s, '', 0 FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id
ON CONFLICT (object_id) DO NOTHING
"""

# Free; or its owner is gone (ran out, or the liveness lock is free); or an earlier life of this worker held
# it; or its owner is draining, and two may work at once while it hands over.
CLAIM = f"""
WITH free AS (
    SELECT object_id FROM core_lease AS lease
    WHERE kind = %(kind)s AND object_id = ANY(%(ids)s) AND (
        owner = ''
        OR (
            %(may_steal)s
            AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %(no_steal_s)s)
            AND (
                lease_until < clock_timestamp()
                OR (seen_at < clock_timestamp() - make_interval(secs => %(unseen_s)s) AND NOT {IS_ALIVE})
            )
        )
        OR (owner = %(name)s AND owner_key <> %(key)s AND NOT {IS_ALIVE})
        OR (
            object_id <> ALL(%(exclusive)s::uuid[])
            AND EXISTS (SELECT 1 FROM core_node WHERE name = lease.owner AND is_draining AND name <> %(name)s)
        )
    )
    ORDER BY array_position(%(ids)s, object_id)
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE core_lease AS lease
SET owner = %(name)s, owner_key = %(key)s, epoch = ((lease.epoch >> 20) + 1) << 20,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), seen_at = clock_timestamp()
FROM free WHERE lease.object_id = free.object_id
RETURNING lease.object_id, lease.epoch
"""  # noqa: S608 - constants only

RELEASE = """
WITH released AS (
    UPDATE core_lease SET owner = '', owner_key = NULL, lease_until = NULL
    WHERE kind = %(kind)s AND owner_key = %(key)s AND object_id = ANY(%(ids)s)
    RETURNING 1
)
SELECT pg_notify(%(channel)s, %(kind)s) FROM released LIMIT 1
"""

DRAIN = """
WITH node AS (UPDATE core_node SET is_draining = true WHERE name = %(name)s AND NOT is_draining RETURNING 1)
SELECT pg_notify(%(channel)s, %(kind)s) FROM node
"""

# A successor takes what this worker takes: one without labels for one without, else one with the same.
FREE_SLOTS = """
SELECT EXISTS (
    SELECT 1 FROM core_node AS node
    WHERE node.kind = %(node_kind)s AND node.name <> %(name)s AND NOT node.is_draining
      AND node.labels @> %(labels)s AND (node.labels = '{}') = (%(labels)s = '{}'::jsonb)
      AND node.seen_at > clock_timestamp() - interval '3 seconds'
      AND node.slots > (SELECT count(*) FROM core_lease WHERE kind = %(kind)s AND owner = node.name)
)
"""

# A worker cut off in the middle of a transaction holds its locks until its server notices, and what is locked
# nobody can claim: such a transaction ends by itself, well within a lease's time.
HOLD_BRIEFLY = "SET LOCAL idle_in_transaction_session_timeout = '4s'"

FENCE = """
SELECT object_id, epoch >> 20 FROM core_lease WHERE object_id = ANY(%(ids)s) ORDER BY object_id FOR SHARE
"""
