"""From Luna's `analytics` to Omma's: which model, what it looks for, where, how often and when."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from apps.accounts.access import Action, visible
from apps.accounts.models import Account
from apps.catalog.builtins import builtin_version
from apps.catalog.models import Model, ModelVersion
from apps.dialects.luna.bodies import invalid
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.errors import NO_ANALYTIC, LunaError
from apps.inference.models import AnalyticKind

PEOPLE_COUNT = "people_count"
PEOPLE_TARGETS = ("coordinates", "overview")
DEFAULT_FRAME_PERIOD = 10  # every tenth picture is analysed unless told otherwise
ASSUMED_FPS = 25.0  # of a stream that has not been seen yet
LOWEST_FPS, HIGHEST_FPS = 0.1, 60.0
_POLYGON = re.compile(r"\s*POLYGON\s*\(\((?P<points>[^()]+)\)\)\s*", re.IGNORECASE)
_PARTS = {"percent", "percents"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An analytic as `apps.inference.services` takes it."""

    model_version: ModelVersion
    name: str
    values: Mapping[str, Any]


def models_for(caller: Caller, account: Account | None = None) -> QuerySet[Model]:
    """Return the models that a caller may use, those of everybody and of the account."""
    rows = visible(caller.actor, Action.VIEW, Model.objects.all(), camera_path=None)
    rows = rows | Model.objects.filter(account=None)
    if account is not None:
        rows = rows.filter(Q(account=None) | Q(account=account))
    return rows.order_by("slug", "id")


def wanted_analytics(
    caller: Caller, account: Account, given: Sequence[Mapping[str, Any]], data: Mapping[str, Any]
) -> list[Wanted]:
    """Return what has to run for these analytics, in their order; raise a `LunaError` when one cannot."""
    by_slug = {model.slug: model for model in models_for(caller, account)}
    return [_wanted(one, number, by_slug, data) for number, one in enumerate(given)]


def parameters_of(analytic: Mapping[str, Any]) -> dict[str, Any]:
    """Return an analytic's parameters with its targets and callbacks, wherever a client puts them.

    The reference manual of an analytic has `targets`, `callbacks` and `parameters` side by side, and says
    that all of that goes into `parameters`.
    """
    outer = dict(analytic.get("parameters") or {})
    inner = outer.pop("parameters", None)
    found = {**outer, **(inner if isinstance(inner, Mapping) else {})}
    for name in ("targets", "callbacks"):
        if analytic.get(name) is not None:
            found[name] = analytic[name]
    return found


def _wanted(
    analytic: Mapping[str, Any], number: int, by_slug: Mapping[str, Model], data: Mapping[str, Any]
) -> Wanted:
    name, parameters = analytic["analytic_name"], parameters_of(analytic)
    where = f"analytics.{number}"
    values: dict[str, Any] = {
        "label": analytic.get("label") or "",
        "schedule": analytic.get("schedules") or [],
        "rate_fps": _rate(parameters, data),
        "regions": _regions(parameters, data, where),
    }
    if "min_confidence" in parameters:
        values["min_confidence"] = parameters["min_confidence"]
    if name == PEOPLE_COUNT:
        values |= {"kind": AnalyticKind.PEOPLE_COUNT.value, "counting": _counting(parameters, where)}
        return Wanted(builtin_version("people"), name, values)
    if name not in by_slug:
        raise LunaError(
            NO_ANALYTIC, f"Failed to find agent that supports all analytics: {where} is {name[:64]!r}"
        )
    if "labels" in parameters:
        values["labels"] = parameters["labels"]
    version = by_slug[name].versions.order_by("-version").first()
    if version is None:
        raise LunaError(NO_ANALYTIC, f"Failed to find agent that supports all analytics: {name!r} is empty")
    return Wanted(version, name, values)


def _rate(parameters: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    """Return how many pictures a second are analysed."""
    fps = float(data.get("fps") or ASSUMED_FPS)
    rate = parameters.get("rate") or {"period": DEFAULT_FRAME_PERIOD, "unit": "frame"}
    period = float(rate.get("period", 1))
    wanted = 1 / period if rate.get("unit", "frame") == "second" else fps / period
    return min(max(wanted, LOWEST_FPS), HIGHEST_FPS)


def _counting(parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what `people_count` counts, of both versions of its parameters."""
    targets = parameters.get("targets") or []
    unknown = next((target for target in targets if target not in PEOPLE_TARGETS), None)
    if unknown is not None:
        raise invalid(f"{where}.targets", f"{unknown!r} is not one of {', '.join(PEOPLE_TARGETS)}")
    policy = parameters.get("event_policy") or {}
    found: dict[str, Any] = {
        "trigger": policy.get("trigger", "period"),
        "period_s": float(policy.get("interval", 1)),
        "probes": parameters.get("probe_count", 3),
        "delay_s": float(parameters.get("event_delay") or 0),
        "at_least": parameters.get("people_count__gte", parameters.get("people_count_threshold")),
        "at_most": parameters.get("people_count__lte"),
        "coordinates": "coordinates" in targets,
        "overview": "overview" in targets,
    }
    return found | _picture(parameters.get("image_retain_policy") or {})


def _picture(policy: Mapping[str, Any]) -> dict[str, Any]:
    names = {"quality": "image_quality", "max_size": "image_max_px"}
    found = {ours: policy[theirs] for theirs, ours in names.items() if theirs in policy}
    if "mimetype" in policy:
        found["image_format"] = policy["mimetype"].lower()
    return found


def _regions(parameters: Mapping[str, Any], data: Mapping[str, Any], where: str) -> list[Any]:
    """Return where it looks: `droi`, which lies inside `roi`, else that, else the stream's own."""
    for values, path in ((parameters, f"{where}.parameters"), (data, "data")):
        for name in ("droi", "roi"):
            if values.get(name):
                return [_region(values[name], f"{path}.{name}")]
    return []


def _region(value: Any, path: str) -> Any:
    if isinstance(value, str):
        return {"points": _points_in(value, path), "unit": "pixels"}
    is_parts = value.get("mode", "abs") in _PARTS
    scale = 100 if is_parts else 1
    left, top, width, height = (value[name] / scale for name in ("x", "y", "width", "height"))
    if is_parts and (left + width > 1 or top + height > 1):
        raise invalid(path, "the rectangle reaches beyond the picture")
    corners = [
        [left, top], [left + width, top], [left + width, top + height], [left, top + height],
    ]  # fmt: skip
    return corners if is_parts else {"points": corners, "unit": "pixels"}


def _points_in(text: str, path: str) -> list[list[float]]:
    """Return the corners of a WKT polygon, in pixels; the last one repeats the first and is left out."""
    match = _POLYGON.fullmatch(text)
    try:
        pairs = [part.split() for part in match["points"].split(",")] if match else []
        points = [[float(x), float(y)] for x, y in pairs]
    except ValueError:
        points = []
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        raise invalid(path, "expected a rectangle, or POLYGON((x y, x y, x y, x y))")
    return points
