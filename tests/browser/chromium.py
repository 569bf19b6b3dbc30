"""Find Chrome or Chromium; as a script, install Chromium if there is none."""

import os
import shutil
import sys

from tests import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
MISSING = (
    "The browser tests need Chrome or Chromium and found none: install one (Debian and Ubuntu: "
    "sudo apt-get install chromium) or run `make unit`, which needs no browser."
)
# Root needs --no-sandbox; the others prevent requests of the browser to other hosts.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Return the path of an installed browser, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return MAC if os.path.exists(MAC) else None


def main() -> int:
    """Install Chromium where there is no browser; return the exit code."""
    if not find():
        debian.install("chromium", "fonts-liberation")
    if find():
        return 0
    print(MISSING, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
