"""``python -m api COMMAND``: see ``python -m api --help``."""

import sys

from api.command import main

if __name__ == "__main__":
    sys.exit(main())
