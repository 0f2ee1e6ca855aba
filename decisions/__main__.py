"""``python -m decisions COMMAND``: see ``python -m decisions --help``."""

import sys

from decisions.command import main

if __name__ == "__main__":
    sys.exit(main())
