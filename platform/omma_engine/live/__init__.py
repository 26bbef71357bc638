"""Encoded packets as fragmented MP4 for a browser, one fragment a picture, as soon as the picture is there."""
