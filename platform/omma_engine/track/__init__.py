"""Tracking: boxes of one frame after another become objects with a number, a path and a best moment."""
