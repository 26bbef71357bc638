"""Analytics on recorded footage: the same detectors, gate, trackers and rules, as fast as it goes."""
