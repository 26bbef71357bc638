"""The development manual: the pages of `docs/design`, built into HTML as they are asked for."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.html import escape
from markdown_it import MarkdownIt

from apps.dialects.luna.errors import NO_MANUAL, LunaError

INDEX = "index"
_SOURCE_OF_INDEX = "README"
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title} · Omma</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><p><a href="index.html">Development manual</a></p>
{body}</body>
</html>
"""


def page(name: str) -> str:
    """Return a page of the manual; raise a `LunaError` where there is none."""
    source = _folder() / f"{_SOURCE_OF_INDEX if name == INDEX else name}.md"
    if not name.isidentifier() and not name.replace("-", "_").isidentifier():
        raise _absent(name)
    try:
        changed_ns = source.stat().st_mtime_ns
    except OSError as error:
        raise _absent(name) from error
    return _built(source, changed_ns)


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "docs" / "design"


@lru_cache(maxsize=64)
def _built(source: Path, changed_ns: int) -> str:
    """Build a page; once for each state of its file."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(source.read_text(encoding="utf-8"))
    title = source.stem
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[index + 1].content
            token.attrSet("id", anchor_of(words))
            title = words if token.tag == "h1" else title
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("href", _linked(str(child.attrGet("href"))))
    body = parser.renderer.render(tokens, parser.options, {})
    return _PAGE.format(title=escape(title), body=body)


def anchor_of(words: str) -> str:
    """Return what a heading is linked by.

    >>> anchor_of("Luna errors"), anchor_of("SpectraX (`apps/dialects/spectrax`)")
    ('luna-errors', 'spectrax-appsdialectsspectrax')
    """
    kept = "".join(one for one in words.lower() if one.isalnum() or one in " -")
    return kept.strip().replace(" ", "-")


def _linked(address: str) -> str:
    """Return where a link leads: pages of the manual are HTML here, and what lies outside is not served."""
    path, mark, anchor = address.partition("#")
    if "://" in address or "/" in path or not path.endswith(".md"):
        return address
    stem = path.removesuffix(".md")
    return f"{INDEX if stem == _SOURCE_OF_INDEX else stem}.html{mark}{anchor}"


def _absent(name: str) -> LunaError:
    return LunaError(NO_MANUAL, f"There is no page {name[:100]!r}")
