"""The shapes that bodies must have, as JSON Schema: for checking, and for the served documentation.

Keys that are not listed are taken, kept and given back: newer clients send more.
"""

from typing import Any

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"], "maxLength": 256}
RECTANGLE: Schema = {
    "type": "object",
    "required": ["x", "y", "width", "height"],
    "properties": {
        "x": {"type": "number", "minimum": 0},
        "y": {"type": "number", "minimum": 0},
        "width": {"type": "number", "exclusiveMinimum": 0},
        "height": {"type": "number", "exclusiveMinimum": 0},
        "mode": {"enum": ["abs", "percent", "percents"]},
    },
}
_REGION: Schema = {"anyOf": [RECTANGLE, {"type": "null"}]}
_WANTED_REGION: Schema = {"anyOf": [RECTANGLE, {"type": "string", "maxLength": 4000}, {"type": "null"}]}
CALLBACK: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["http", "luna-ws-notification", "luna-event"]},
        "url": {"type": "string", "minLength": 1, "maxLength": 2083},
        "enable": {"enum": [0, 1, True, False]},
        "authorization": {"type": ["object", "null"]},
        "params": {"type": ["object", "null"]},
    },
    "if": {"properties": {"type": {"const": "http"}}},
    "then": {"required": ["url"]},
}
CALLBACKS: Schema = {"type": "array", "maxItems": 10, "items": CALLBACK}
SCHEDULE: Schema = {
    "type": "object",
    "required": ["start", "end"],
    "properties": {
        "weekdays": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}},
        "start": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
        "end": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
        "timezone": {"type": "string", "maxLength": 64},
    },
}
PARAMETERS: Schema = {
    "type": "object",
    "properties": {
        "event_policy": {
            "type": "object",
            "properties": {
                "trigger": {"enum": ["period", "start", "end"]},
                "interval": {"type": "number", "minimum": 0.5, "maximum": 86400},
            },
        },
        "image_retain_policy": {
            "type": "object",
            "properties": {
                "mimetype": {"enum": ["PNG", "JPEG"]},
                "quality": {"type": "number", "minimum": 0, "maximum": 1},
                "max_size": {"type": "integer", "minimum": 16, "maximum": 4096},
                "ttl": {"type": "integer", "minimum": -1},
            },
        },
        "roi": _REGION,
        "droi": _WANTED_REGION,
        "rate": {
            "type": "object",
            "properties": {
                "period": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
                "unit": {"enum": ["frame", "second"]},
            },
        },
        "probe_count": {"type": "integer", "minimum": 1, "maximum": 1000},
        "people_count_threshold": {"type": "integer", "minimum": 0, "maximum": 100000},
        "people_count__gte": {"type": ["integer", "null"], "minimum": 0, "maximum": 100000},
        "people_count__lte": {"type": ["integer", "null"], "minimum": 0, "maximum": 100000},
        "event_delay": {"type": "number", "minimum": 0, "maximum": 86400},
        "min_confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "labels": {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": 500},
    },
}
_TARGETS: Schema = {"type": "array", "maxItems": 40, "items": {"type": "string", "maxLength": 64}}
ANALYTIC: Schema = {
    "type": "object",
    "required": ["analytic_name"],
    "properties": {
        "analytic_name": {"type": "string", "minLength": 1, "maxLength": 64},
        "parameters": PARAMETERS,
        "targets": _TARGETS,
        "callbacks": CALLBACKS,
        "schedules": {"type": ["array", "null"], "maxItems": 50, "items": SCHEDULE},
        "label": {"type": ["string", "null"], "maxLength": 128},
    },
}
DATA: Schema = {
    "type": "object",
    "required": ["type", "reference"],
    "properties": {
        "type": {"enum": ["tcp", "udp", "stream", "videofile", "images"]},
        "reference": {"type": "string", "minLength": 1, "maxLength": 2083},
        "orientation_strategy": {"enum": ["static", "videoinfo", "video_info"]},
        "rotation": {"enum": [0, 90, 180, 270]},
        "timeout": {"type": "number", "minimum": 0, "maximum": 3600000},
        "ffmpeg_kwargs": {"type": ["object", "null"]},
        "fps": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 60},
        "endless": {"type": "boolean"},
        "roi": _REGION,
        "droi": _WANTED_REGION,
        "preferred_program_stream_frame_width": {"type": "integer", "minimum": 1},
    },
}
LOCATION: Schema = {
    "type": ["object", "null"],
    "properties": {
        **dict.fromkeys(("city", "area", "district", "street", "house_number"), _TEXT_OR_NULL),
        "geo_position": {
            "type": ["object", "null"],
            "required": ["longitude", "latitude"],
            "properties": {
                "longitude": {"type": "number", "minimum": -180, "maximum": 180},
                "latitude": {"type": "number", "minimum": -90, "maximum": 90},
            },
        },
    },
}
AUTORESTART: Schema = {
    "type": ["object", "null"],
    "properties": {
        "restart": {"enum": [0, 1, True, False]},
        "attempt_count": {"type": "integer", "minimum": 1, "maximum": 10000},
        "delay": {"type": "number", "minimum": 0, "maximum": 86400},
    },
}
NOTIFICATION_POLICY: Schema = {
    "type": ["object", "null"],
    "properties": {"callbacks": CALLBACKS},
}
STREAM: Schema = {
    "type": "object",
    "required": ["data", "analytics"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": {"type": "string", "maxLength": 512},
        "data": DATA,
        "location": LOCATION,
        "event_source_group": {
            "type": ["string", "null"], "maxLength": 256, "pattern": r"^[a-zA-Z0-9_\-]+$",
            "not": {"pattern": "\n"},
        },
        "source": {"type": ["string", "null"], "maxLength": 128},
        "autorestart": AUTORESTART,
        "analytics": {"type": "array", "minItems": 1, "maxItems": 50, "items": ANALYTIC},
        "notification_policy": NOTIFICATION_POLICY,
        "groups": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 128}},
        "splittable": {"enum": [0, 1, True, False]},
    },
}  # fmt: skip
VIDEO: Schema = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "minLength": 1, "maxLength": 2083},
        "orientation": {
            "type": ["object", "null"],
            "properties": {
                "orientation_strategy": {"enum": ["static", "videoinfo", "video_info"]},
                "angle": {"enum": [0, 90, 180, 270]},
            },
        },
        "pts": {
            "type": ["object", "null"],
            "properties": {"start_time": {"type": "number", "minimum": 0}},
        },
        "error_handling": {"type": ["object", "null"]},
    },
}
VIDEO_ANALYTIC: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 64},
        "targets": _TARGETS,
        "parameters": PARAMETERS,
    },
}
VIDEOSDK: Schema = {
    "type": "object",
    "required": ["video", "analytics"],
    "properties": {
        "deferred_task": {
            "type": ["object", "null"],
            "properties": {
                "enabled": {"type": "boolean"},
                "notification_policy": NOTIFICATION_POLICY,
            },
        },
        "video": VIDEO,
        "analytics": {"type": "array", "minItems": 1, "maxItems": 10, "items": VIDEO_ANALYTIC},
    },
}
