"""Run the tree, and say in one line why it cannot."""

import argparse

from omma.embedded.errors import EmbeddedServerError
from omma.env import SettingError
from omma.tree.console import Console
from omma.tree.listening import PortError
from omma.tree.options import add_arguments, read_options
from omma.tree.tree import StartError, Tree


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="manage.py up")
    add_arguments(parser)
    console = Console()
    try:
        return Tree(read_options(parser.parse_args()), console).run()
    except (EmbeddedServerError, PortError, SettingError, StartError) as error:
        console.say(f"Omma cannot start: {error}")
        return 1
    except OSError as error:
        console.say(f"Omma cannot start: {error}")
        return 1
