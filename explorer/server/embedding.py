"""The pages that may show the explorer in a frame, as the operator lists them."""

import os
import re

from explorer.errors import InputError, describe

EMBED = "EXPLORER_EMBED"  # environment variable: hosts whose pages may embed the explorer
_NAME = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
# A host-source of the content security policy, without a path.
_HOST = re.compile(
    rf"(https?://)?(\*\.)?{_NAME}(\.{_NAME})*(:(?P<port>[1-9][0-9]{{0,4}}))?",
    re.ASCII | re.IGNORECASE,
)


def embedding_hosts() -> tuple[str, ...]:
    """Return the hosts that `EXPLORER_EMBED` lists; none if it is not set.

    Raises:
        InputError: one of them is no host that a content security policy can name.
    """
    hosts = tuple(filter(None, re.split("[, ]+", os.environ.get(EMBED, ""))))
    for host in hosts:
        found = _HOST.fullmatch(host)
        if found is None or int(found["port"] or 0) > 65535:
            raise InputError(
                f"{EMBED} has {describe(host)}, which is no host; list hosts such as "
                "lms.example.org, *.example.org or https://lms.example.org:8443, separated by "
                "commas or spaces."
            )
    return hosts
