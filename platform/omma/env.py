"""Typed readers of the environment. They fail loudly, and secrets may come from a file named by `X_FILE`."""

import ipaddress
import os
from pathlib import Path


class SettingError(Exception):
    """A variable holds a value that cannot be used."""


def read_text(name: str, default: str = "") -> str:
    """Return the variable, or what stands in the file that `NAME_FILE` names."""
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        path = Path(file_name)
        if not path.is_file():
            raise SettingError(f"{name}_FILE: no file at {path}")
        return path.read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def read_int(name: str, default: int) -> int:
    """Return the variable as a whole number."""
    text = read_text(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise SettingError(f"{name}: expected a whole number, got {text!r}") from None


def read_bool(name: str, *, default: bool) -> bool:
    """Return the variable as a truth value (1, true, yes, on; 0, false, no, off)."""
    text = read_text(name).lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingError(f"{name}: expected 1 or 0, got {text!r}")


def read_list(name: str, default: str = "") -> list[str]:
    """Return the variable's comma-separated parts, without empty ones."""
    return [part.strip() for part in read_text(name, default).split(",") if part.strip()]


def read_lines(name: str) -> list[str]:
    """Return the variable's lines, without empty ones."""
    return [line.strip() for line in read_text(name).splitlines() if line.strip()]


def read_pairs(name: str) -> dict[str, str]:
    """Return the variable's comma-separated `name=value` parts."""
    pairs = [part.partition("=") for part in read_list(name)]
    if not all(key.strip() and value.strip() for key, _, value in pairs):
        raise SettingError(f"{name}: expected name=value,name=value, got {read_text(name)!r}")
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the variable's comma-separated networks (CIDR) or single addresses."""
    try:
        return [ipaddress.ip_network(part) for part in read_list(name)]
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from None


def read_path(name: str, default: Path) -> Path:
    """Return the variable as an absolute path."""
    text = read_text(name)
    return (Path(text) if text else default).expanduser().absolute()
