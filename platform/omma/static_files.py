"""How static files are kept: compressed, and under names that hold their hash."""

from servestatic.storage import CompressedManifestStaticFilesStorage

_ADDRESS = r"""["'](?P<url>\./[^"']+)["']\s*;)"""
_IMPORTS = (
    (r"""(?P<matched>import(?P<what>\s[^'"]*?)\s*from\s*""" + _ADDRESS, """import%(what)s from "%(url)s";"""),
    (r"""(?P<matched>import\s*""" + _ADDRESS, """import "%(url)s";"""),
)


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Our modules import each other by their hashes too.

    Else a browser may mix modules of two versions for a minute after an update, and asks for each of them
    again on every page after that minute. What others have made is left as it is: it may name what it lacks.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", _IMPORTS),
    )
