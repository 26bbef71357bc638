"""Errors of the embedded servers."""


class EmbeddedServerError(Exception):
    """A server cannot be started; the message says what to do about it."""


class AlreadyRunningError(EmbeddedServerError):
    """Another Omma holds the data folder."""
