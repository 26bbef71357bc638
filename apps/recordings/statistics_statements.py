"""The statements of statistics. Rows are found by stream, as the tables are indexed, and cut to the range.

`day_starts` and `day_ends` are the days that the range touches: where those begin is the place's business.
Sums are either of a camera, without a day, or of a day, without a camera.

Segments are about a minute long, and counted on the day they begin; gaps can last for days, and are split.
Footage and labels come from the sums by the hour (`hour_sums`) wherever those are true.
"""

_STREAMS = "(SELECT id FROM streams_stream WHERE camera_id = ANY(%(cameras)s))"
_DAY = "width_bucket(start, %(day_starts)s::timestamptz[])"

# What is looked at row by row: hours that changed since they were summed, and those at the range's edges.
_COUNTED = """
WITH stream AS MATERIALIZED (
    SELECT id, camera_id FROM streams_stream WHERE camera_id = ANY(%(cameras)s)
), counted AS MATERIALIZED (
    SELECT stream_id, hour FROM recordings_changed_hour
    WHERE kind = '{kind}' AND hour >= %(first_hour)s AND hour < %(end)s
      AND stream_id IN (SELECT id FROM stream)
    UNION
    SELECT stream.id, edge.hour FROM stream, unnest(%({edges})s::timestamptz[]) AS edge (hour)
)
"""
_IS_SUMMED = """
    hour >= %(start)s AND hour < %(end)s AND stream_id IN (SELECT id FROM stream)
    AND NOT EXISTS (
        SELECT FROM counted WHERE counted.stream_id = summed.stream_id AND counted.hour = summed.hour
    )
"""

# Sums hold finished segments; the few open ones are found by an index of their own.
STORED = f"""
{_COUNTED.format(kind="stored", edges="edges")}
, found AS (
    SELECT stream_id, width_bucket(hour, %(day_starts)s::timestamptz[]) AS day, sum(segments) AS count,
           sum(stored_bytes) AS size, sum(recorded) AS recorded
    FROM recordings_stored_hour AS summed WHERE {_IS_SUMMED} GROUP BY 1, 2
    UNION ALL
    SELECT counted.stream_id, each.*
    FROM counted CROSS JOIN LATERAL (
        SELECT {_DAY}, count(*), sum(durable_bytes), sum(LEAST("end", %(end)s) - GREATEST(start, %(start)s))
        FROM streams_segment
        WHERE stream_id = counted.stream_id
          AND start >= counted.hour AND start < counted.hour + interval '1 hour'
          AND start >= %(earliest)s AND start < %(end)s AND "end" > %(start)s
          AND id >= %(first_id)s AND id < %(last_id)s AND state <> 'garbage'
        GROUP BY 1
    ) AS each
    UNION ALL
    SELECT stream_id, {_DAY}, count(*), sum(durable_bytes), sum("end" - start)
    FROM (
        SELECT *, date_trunc('hour', start, 'UTC') AS hour FROM streams_segment
        WHERE state = 'open' AND "end" > %(start)s
    ) AS summed WHERE {_IS_SUMMED} GROUP BY 1, 2
)
SELECT stream.camera_id, found.day, sum(found.count), sum(found.size), sum(found.recorded)
FROM found JOIN stream ON stream.id = found.stream_id
GROUP BY GROUPING SETS (stream.camera_id, found.day)
"""  # noqa: S608 - constants only

# An open gap goes on until now. Most begin and end on one day; the others are there once for each they touch.
MISSING = f"""
SELECT missing.camera_id, day.number, missing.cause,
       count(*) FILTER (WHERE missing.first >= (%(day_starts)s::timestamptz[])[day.number]),
       sum(LEAST(missing.last, (%(day_ends)s::timestamptz[])[day.number])
           - GREATEST(missing.first, (%(day_starts)s::timestamptz[])[day.number]))
FROM (
    SELECT camera_id, cause, GREATEST(start, %(start)s) AS first,
           LEAST(COALESCE("end", %(now)s), %(end)s) AS last
    FROM streams_gap
    WHERE stream_id IN {_STREAMS} AND start < LEAST(%(end)s, %(now)s)
      AND ("end" > %(start)s OR "end" IS NULL)
) AS missing
CROSS JOIN LATERAL generate_series(
    width_bucket(missing.first, %(day_starts)s::timestamptz[]),
    width_bucket(GREATEST(missing.last - interval '1 microsecond', missing.first),
                 %(day_starts)s::timestamptz[])
) AS day (number)
GROUP BY GROUPING SETS ((missing.camera_id, missing.cause), (day.number, missing.cause))
"""  # noqa: S608 - constants only

RECORDINGS = f"""
SELECT camera_id, {_DAY}, count(*), sum(LEAST("end", %(end)s) - GREATEST(start, %(start)s))
FROM recordings_recording
WHERE stream_id IN {_STREAMS} AND start < %(end)s AND "end" > %(start)s AND start > %(earliest_recording)s
GROUP BY GROUPING SETS (camera_id, {_DAY})
"""  # noqa: S608 - constants only

SEEN = f"""
{_COUNTED.format(kind="seen", edges="minute_edges")}
SELECT label, sum(sightings), sum(minutes)
FROM (
    SELECT label, sum(sightings) AS sightings, sum(minutes) AS minutes
    FROM recordings_seen_hour AS summed WHERE {_IS_SUMMED} GROUP BY 1
    UNION ALL
    SELECT each.*
    FROM counted CROSS JOIN LATERAL (
        SELECT label.key, sum(label.value::bigint), count(*)
        FROM inference_minute_summary, jsonb_each_text(labels) AS label
        WHERE stream_id = counted.stream_id
          AND minute >= counted.hour AND minute < counted.hour + interval '1 hour'
          AND minute >= %(start)s AND minute < %(end)s
        GROUP BY 1
    ) AS each
) AS found
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
