"""``python -m access COMMAND``: see ``python -m access --help``."""

import sys

from access.command import main

if __name__ == "__main__":
    sys.exit(main())
