"""`python -m omma.tree`: what `manage.py up` becomes."""

import signal
import sys

if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # until the tree listens, nothing runs that had to be stopped
    from omma.tree.command import main

    sys.exit(main())
