"""The timeline's statements: spans are joined in the database, so that answers stay small.

`joined` is how far two spans may miss each other and still be one; all ranges are half-open.
"""

_ISLANDS = """
), flagged AS (
    SELECT *, CASE WHEN span_start <= max(span_end) OVER earlier + %(joined)s THEN 0 ELSE 1 END AS is_first
    FROM found
    WINDOW earlier AS (
        PARTITION BY {group} ORDER BY span_start, span_end
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
), islands AS (
    SELECT *, sum(is_first) OVER (
        PARTITION BY {group} ORDER BY span_start, span_end ROWS UNBOUNDED PRECEDING
    ) AS island
    FROM flagged
)
SELECT {group}, min(span_start), max(span_end), sum(span_end - span_start), count(*)
FROM islands GROUP BY {group}, island ORDER BY {group}, min(span_start)
"""

# The index `segment_timeline` has all that this needs; the lower bound of `start` keeps it to the range.
COVERAGE = """
WITH found AS (
    SELECT stream_id, GREATEST(start, %(start)s) AS span_start, LEAST("end", %(end)s) AS span_end
    FROM streams_segment
    WHERE stream_id = ANY(%(streams)s) AND start < %(end)s AND "end" > %(start)s AND "end" > start
      AND start >= %(earliest)s AND state <> 'garbage' AND id >= %(first_id)s AND id < %(last_id)s
""" + _ISLANDS.format(group="stream_id")  # noqa: S608 - constants only

# An open gap goes on until now.
GAPS = """
WITH found AS (
    SELECT stream_id, cause, GREATEST(start, %(start)s) AS span_start,
           LEAST(COALESCE("end", %(now)s), %(end)s) AS span_end
    FROM streams_gap
    WHERE stream_id = ANY(%(streams)s) AND start < LEAST(%(end)s, %(now)s)
      AND ("end" > %(start)s OR "end" IS NULL)
""" + _ISLANDS.format(group="stream_id, cause")  # noqa: S608 - constants only

_BUCKET = "to_timestamp(floor(extract(epoch FROM minute) / %(bucket_s)s) * %(bucket_s)s)"
_MINUTES = "stream_id = ANY(%(streams)s) AND minute >= %(first_minute)s AND minute < %(end)s"

# Hundreds of buckets leave the database as the answer shows them, one row for each stream.
BUCKETS = f"""
WITH minute AS MATERIALIZED (
    SELECT stream_id, {_BUCKET} AS bucket, motion, labels FROM inference_minute_summary WHERE {_MINUTES}
), moved AS (
    SELECT stream_id, bucket, max(motion) AS most, avg(motion) AS mean FROM minute GROUP BY 1, 2
), counted AS (
    SELECT stream_id, bucket, label.key, sum(label.value::bigint) AS count
    FROM minute, jsonb_each_text(labels) AS label GROUP BY 1, 2, 3
), labelled AS (
    SELECT stream_id, bucket, json_object_agg(key, count ORDER BY key) AS labels FROM counted GROUP BY 1, 2
)
SELECT stream_id, json_agg(json_build_object(
    'start', to_char(bucket AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'motion', round(most::numeric, 4), 'mean_motion', round(mean::numeric, 4),
    'labels', COALESCE(labels, '{{}}')
) ORDER BY bucket)
FROM moved LEFT JOIN labelled USING (stream_id, bucket) GROUP BY stream_id
"""  # noqa: S608 - constants only
