"""Omma's media library: sources, capture, segments, time, detectors, tracks and frame rules.

It imports no web framework, no database and no broker; the applications hand it frozen values and
implement the small protocols of `omma_engine.ports`.
"""
