"""Playback: what clients ask for, made from segment files without re-encoding."""
