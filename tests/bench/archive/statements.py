"""The statements that fill an archive. A column that is not named takes the value of the template row.

`no` is a stream's number and `at` a minute; what a minute has of something follows from a hash of both, so
that the same archive is made each time.
"""


def chance(salt: int) -> str:
    """Return an expression that is even over `[0, 1)`."""
    return f"((hashint8extended(epoch_s * 1000 + no, {salt}) & 1048575) / 1048576::float8)"


_MINUTES = """
FROM generate_series(%(first_s)s::bigint, %(last_s)s::bigint, 60) AS minute (epoch_s)
CROSS JOIN LATERAL (SELECT to_timestamp(epoch_s) AS at, clock_timestamp() AS now) AS moment
CROSS JOIN bench_stream
"""
_ID = "uuidv7({at} - now)"
_OWNERS = {name: f"bench_stream.{name}" for name in ("account_id", "camera_id", "stream_id")}
IS_GAP = f"{chance(1)} < 0.01"

SEGMENT = {
    **_OWNERS,
    "id": _ID.format(at="at"),
    "sequence": "epoch_s / 60",
    "start": "at",
    "end": "at + interval '1 minute'",
    "path": "'segments/' || bench_stream.stream_id || '/' || epoch_s || '-1-0.mp4'",
}
GAP = {
    **_OWNERS,
    "id": _ID.format(at="at"),
    "start": "at",
    "end": "at + interval '1 minute'",
    "cause": f"(ARRAY['camera', 'network', 'worker', 'disk', 'policy'])[1 + floor({chance(2)} * 5)::int]",
}
MINUTE = {
    **_OWNERS,
    "minute": "at",
    "motion": chance(3),
    "labels": f"CASE WHEN {chance(4)} < 0.5 THEN '{{\"person\": 1}}'::jsonb ELSE '{{}}'::jsonb END",
}
_LABEL = f"""
CASE WHEN {chance(5)} < 0.5 THEN 'person' WHEN {chance(5)} < 0.8 THEN 'car' WHEN {chance(5)} < 0.94 THEN 'cat'
     WHEN {chance(5)} < 0.999 THEN 'bicycle' ELSE 'bear' END
"""
_BEGAN = f"at + {chance(6)} * interval '1 minute'"
TRACK = {
    **_OWNERS,
    "id": _ID.format(at=f"({_BEGAN})"),
    "analytic_id": "bench_stream.stream_id",
    "number": "epoch_s / 60",
    "label": _LABEL,
    "confidence": f"0.4 + 0.6 * {chance(7)}",
    "start": _BEGAN,
    "end": f"{_BEGAN} + {chance(8)} * interval '2 minutes'",
    "best_at": _BEGAN,
    "hits": f"floor({chance(9)} * 300)::int",
}
RECORDING = {
    **_OWNERS,
    "id": _ID.format(at="at"),
    "number": "epoch_s / 60 %% 1000000 * 1000 + no",
    "wanted_start": "at",
    "start": "at",
    "end": f"at + interval '20 seconds' + {chance(10)} * interval '5 minutes'",
    "cause_id": f"(ARRAY[%(rules)s]::uuid[])[1 + floor({chance(11)} * 20)::int]",
    "cause_name": f"'Rule ' || (1 + floor({chance(11)} * 20))::int",
    "name": f"CASE WHEN {chance(12)} < 0.05 THEN 'Parcel ' || no ELSE '' END",
    "labels": f"jsonb_build_array({_LABEL})",
    "confidence": f"0.4 + 0.6 * {chance(13)}",
    "is_held": f"{chance(14)} < 0.002",
    "created_at": "at",
    "updated_at": "at",
}
IS_RECORDED = f"{chance(15)} < 0.01"
IS_SEEN = f"{chance(16)} < 0.3"  # a minute has a summary where something moved

CLIPS = """
INSERT INTO dialects_spectrax_clip (recording_id, account_id, camera_id, objects_detected, classes,
                                    confidence, size_bytes)
SELECT id, account_id, camera_id,
       (SELECT jsonb_agg(jsonb_build_object(
            'class', label, 'confidence', 0.9, 'bbox', '[10, 20, 90, 99]'::jsonb,
            'tracker_id', number %% 5000 + n
        ))
        FROM jsonb_array_elements_text(labels) AS label, generate_series(1, 3) AS n),
       labels, confidence, 3000000
FROM recordings_recording ORDER BY start DESC LIMIT %(most)s
"""


def insert(table: str, columns: list[str], values: dict[str, str], where: str = "") -> str:
    """Return the statement that adds a row for each minute and stream that `where` lets through."""
    shown = ", ".join(values.get(name, f'template."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {shown} {_MINUTES}, bench_template_{table} AS template "
        f"{where and 'WHERE ' + where}"
    )
