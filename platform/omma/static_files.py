"""How static files are kept: compressed, and under names that hold their hash."""

from servestatic.storage import CompressedManifestStaticFilesStorage

_IMPORT = r"""(?P<matched>import(?P<what>\s[^'"]*?)\s*from\s*["'](?P<url>\./[^"']+)["']\s*;)"""


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Our modules import each other by their hashes too.

    Else a browser may mix modules of two versions for a minute after an update, and asks for each of them
    again on every page after that minute. What others have made is left as it is: it may name what it lacks.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((_IMPORT, """import%(what)s from "%(url)s";"""),)),
    )
