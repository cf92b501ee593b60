"""The command: `python -m mage_project.demo DIR PORT`."""

import sys
from pathlib import Path

from mage_project.demo import main

if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except OSError as error:
        sys.exit(f"The demo cannot be written to {sys.argv[1]}: {error.strerror}.")
