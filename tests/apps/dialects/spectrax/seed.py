"""The two clients printed in SpectraX's document, their indentation restored and nothing else."""

SEED_NAME = "002_72adb9523e0fd1c1.txt"
DEFAULT_BASE = "http://localhost:8080"
_STEP = "    "


def python_client(text: str) -> str:
    """Return the Python client with its usage example."""
    return indented(text[text.index("import requests") : text.index("class SpectraXClient {")])


def javascript_client(text: str) -> str:
    """Return the JavaScript client with its usage example; its braces need no indentation."""
    begin = text.index("class SpectraXClient {")
    return text[begin : text.index("# Get system status\ncurl", begin)]


def indented(text: str) -> str:
    """Return Python text with the indentation that its meaning tells.

    Methods follow the class, up to the usage example. Inside a method a block holds the next line, which may
    open another block; below the example a block goes on to the end.
    """
    lines: list[str] = []
    body, depth = 0, 0  # where the present method's or example's lines begin, and the blocks open in it
    is_in_class = is_in_signature = False
    for line in text.splitlines():
        if line.startswith(("class ", "# Usage")):
            is_in_class, body, depth = line.startswith("class "), 0, 0
        is_in_signature = is_in_signature or (is_in_class and line.startswith("def "))
        lines.append(_STEP * (1 if is_in_signature else body + depth) + line)
        if is_in_signature:
            is_in_signature, body, depth = not line.endswith(":"), 2, 0
        elif line.endswith(":") and not line.startswith("class "):
            depth += 1
        elif is_in_class:
            depth = 0
    return "\n".join(lines) + "\n"
