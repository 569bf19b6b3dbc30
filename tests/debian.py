"""Installs packages of Debian and Ubuntu, where the tests may."""

import os
import shutil
import subprocess


def install(*packages: str) -> None:
    """Install packages, if this is root on a system with apt-get."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet"], check=False)
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    subprocess.run(command, check=False, env=environment)
