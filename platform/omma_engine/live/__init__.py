"""Encoded packets as fragmented MP4 for a browser, one fragment a picture, without delay."""
