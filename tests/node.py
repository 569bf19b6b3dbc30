"""Make sure that there is Node.js with npm, which check the browser's modules."""

import shutil
import sys

from tests import debian

MISSING = (
    "`make lint` needs Node.js with npm and found none: install them (Debian and Ubuntu: "
    "sudo apt-get install nodejs npm)."
)


def main() -> int:
    """Install Node.js where it is missing; return the exit code."""
    if not shutil.which("npm"):
        debian.install("nodejs", "npm")
    if shutil.which("npm"):
        return 0
    print(MISSING, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
