"""Session descriptions (RFC 8866), as far as recording needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from omma_engine.sources.interleaved.messages import number

_STATIC = {0: ("PCMU", 8000), 8: ("PCMA", 8000)}  # RFC 3551, 6


@dataclass(slots=True)
class Medium:
    """One medium: `encoding` in upper case, `parameters` those of its format, names in lower case."""

    kind: str
    payload_type: int
    encoding: str = ""
    clock_hz: int = 90_000
    channels: int = 1
    control: str = ""
    frame_rate: Fraction = Fraction(0)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Description:
    """A session: its own control address, and its media in their order."""

    control: str
    media: list[Medium]

    def first(self, kind: str) -> Medium | None:
        return next((medium for medium in self.media if medium.kind == kind), None)


def parse_description(text: str) -> Description:
    """Return what a description says; lines that are not understood are left out."""
    description = Description("", [])
    for line in text.splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            medium = _medium(value)
            if medium is not None:
                description.media.append(medium)
        elif kind == "a":
            name, _, rest = value.partition(":")
            if description.media:
                _take(description.media[-1], name.lower(), rest.strip())
            elif name.lower() == "control":
                description.control = rest.strip()
    return description


def resolved(base: str, control: str) -> str:
    """Return the address of a control attribute.

    It is appended, not joined as RFC 3986 would have it: that is what cameras expect.

    >>> resolved("rtsp://cam/main?x=1", "trackID=1")
    'rtsp://cam/main?x=1/trackID=1'
    """
    if not control or control == "*":
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    return f"{base.rstrip('/')}/{control.lstrip('/')}"


def _medium(value: str) -> Medium | None:
    words = value.split()
    payload_type = number(words[3]) if len(words) > 3 else None
    if payload_type is None:
        return None
    encoding, clock_hz = _STATIC.get(payload_type, ("", 90_000))
    return Medium(words[0].lower(), payload_type, encoding, clock_hz)


def _take(medium: Medium, name: str, value: str) -> None:
    said_type, _, rest = value.partition(" ")
    match name:
        case "control":
            medium.control = value
        case "framerate":
            medium.frame_rate = _rate(value)
        case "rtpmap" if said_type == str(medium.payload_type):
            encoding, _, clock = rest.strip().partition("/")
            clock_hz, _, channels = clock.partition("/")
            medium.encoding = encoding.upper()
            medium.clock_hz = number(clock_hz) or 90_000
            medium.channels = number(channels) or 1
        case "fmtp" if said_type == str(medium.payload_type):
            pairs = (part.partition("=") for part in rest.split(";"))
            medium.parameters = {key.strip().lower(): text.strip() for key, _, text in pairs}


def _rate(value: str) -> Fraction:
    try:
        rate = Fraction(value).limit_denominator(1001)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
    return rate if 0 < rate <= 240 else Fraction(0)
