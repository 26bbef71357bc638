"""Footage that leaves the house: files with a manifest that proves them, anywhere and without a database."""
