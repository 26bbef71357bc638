"""Analytics over footage that is already there: a stream's past, or a video that somebody sent.

`services` begins, cancels and deletes analyses, `progress` says how far one is, `results` what it found. The
work is a `core.Task` that the inference worker leases (`hosting`), in a process of its own.
"""
