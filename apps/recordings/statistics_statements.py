"""The statements of statistics. Rows are found by stream, as the tables are indexed, and cut to the range.

`day_starts` and `day_ends` are the days that the range touches: where those begin is the place's business.
Segments are about a minute long, and counted on the day they begin; gaps can last for days, and are split.
"""

_STREAMS = "(SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))"
_DAY = "width_bucket(start, %(day_starts)s::timestamptz[])"

# The index `segment_timeline` has all that this needs.
STORED = f"""
SELECT stream.camera_id, stored.day, sum(stored.count), sum(stored.size), sum(stored.recorded)
FROM (
    SELECT stream_id, {_DAY} AS day, count(*), sum(durable_bytes) AS size,
           sum(LEAST("end", %(end)s) - GREATEST(start, %(start)s)) AS recorded
    FROM streams_segment
    WHERE stream_id IN {_STREAMS} AND start < %(end)s AND "end" > %(start)s AND start >= %(earliest)s
      AND state <> 'garbage'
    GROUP BY 1, 2
) AS stored
JOIN streams_stream AS stream ON stream.id = stored.stream_id
GROUP BY 1, 2
"""  # noqa: S608 - constants only

# An open gap goes on until now.
MISSING = f"""
SELECT missing.camera_id, missing.cause, day.number, count(*) FILTER (WHERE missing.first >= day.first),
       sum(LEAST(missing.last, day.last) - GREATEST(missing.first, day.first))
FROM (
    SELECT camera_id, cause, GREATEST(start, %(start)s) AS first,
           LEAST(COALESCE("end", %(now)s), %(end)s) AS last
    FROM streams_gap
    WHERE stream_id IN {_STREAMS} AND start < LEAST(%(end)s, %(now)s)
      AND ("end" > %(start)s OR "end" IS NULL)
) AS missing
JOIN unnest(%(day_starts)s::timestamptz[], %(day_ends)s::timestamptz[])
     WITH ORDINALITY AS day (first, last, number)
  ON missing.first < day.last AND missing.last > day.first
GROUP BY 1, 2, 3
"""  # noqa: S608 - constants only

RECORDINGS = f"""
SELECT camera_id, {_DAY}, count(*), sum(LEAST("end", %(end)s) - GREATEST(start, %(start)s))
FROM recordings_recording
WHERE stream_id IN {_STREAMS} AND start < %(end)s AND "end" > %(start)s AND start > %(earliest_recording)s
GROUP BY 1, 2
"""  # noqa: S608 - constants only

SEEN = f"""
SELECT label.key, sum(label.value::bigint), count(*)
FROM inference_minute_summary, jsonb_each_text(labels) AS label
WHERE stream_id IN {_STREAMS} AND minute >= %(start)s AND minute < %(end)s
GROUP BY 1
"""  # noqa: S608 - constants only

TRACKS = """
WITH newest AS MATERIALIZED (
    SELECT id, hits, start FROM inference_track
    WHERE camera_id = ANY(%(cameras)s) AND start < %(end)s AND start >= %(start)s
      AND id >= %(first_id)s AND id < %(last_id)s
    ORDER BY start DESC LIMIT %(ranked)s
), ranked AS (
    SELECT id FROM newest ORDER BY hits DESC, start DESC, id LIMIT %(most)s
)
SELECT (SELECT count(*) FROM newest), track.id, camera_id, stream_id, analytic_id, number, label, confidence,
       start, "end", hits
FROM ranked JOIN inference_track AS track ON track.id = ranked.id
ORDER BY hits DESC, start DESC, track.id
"""
