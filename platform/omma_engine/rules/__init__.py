"""Conditions on frames: frozen values, and the evaluator that turns tracked objects into matches."""

from omma_engine.rules.conditions import Condition, ConditionKind, Direction, decode_condition
from omma_engine.rules.evaluator import Match, MatchPhase, RuleEvaluator
from omma_engine.rules.frame_rule import FrameRule, decode_rule, encode_rule
from omma_engine.rules.plane import GroundPlane, decode_plane, encode_plane, plane_problem
from omma_engine.rules.polygon import Point, Polygon, contains, polygon_problem
from omma_engine.rules.regions import Region, decode_region, encode_region, named, rectangle
from omma_engine.rules.seen import NO_TRACK, SeenObject

__all__ = [
    "NO_TRACK",
    "Condition",
    "ConditionKind",
    "Direction",
    "FrameRule",
    "GroundPlane",
    "Match",
    "MatchPhase",
    "Point",
    "Polygon",
    "Region",
    "RuleEvaluator",
    "SeenObject",
    "contains",
    "decode_condition",
    "decode_plane",
    "decode_region",
    "decode_rule",
    "encode_plane",
    "encode_region",
    "encode_rule",
    "named",
    "plane_problem",
    "polygon_problem",
    "rectangle",
]
