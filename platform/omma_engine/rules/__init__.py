"""Conditions on frames: frozen values, and the evaluator that turns tracked objects into matches."""

from omma_engine.rules.evaluator import Match, MatchPhase, RuleEvaluator, SeenObject
from omma_engine.rules.frame_rule import FrameRule, decode_rule, encode_rule
from omma_engine.rules.polygon import Point, Polygon, contains, polygon_problem

__all__ = [
    "FrameRule",
    "Match",
    "MatchPhase",
    "Point",
    "Polygon",
    "RuleEvaluator",
    "SeenObject",
    "contains",
    "decode_rule",
    "encode_rule",
    "polygon_problem",
]
