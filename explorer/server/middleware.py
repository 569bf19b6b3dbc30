"""The middleware of the page, from the outermost to the innermost."""

import sys

from starlette.middleware import Middleware

from explorer.errors import InputError
from explorer.server.early_scripts import EarlyScripts
from explorer.server.embedding import embedding_hosts
from explorer.server.message_rate import MessageRate
from explorer.server.origin_check import OriginCheck
from explorer.server.partitioned_cookies import PartitionedCookies
from explorer.server.security_headers import SecurityHeaders
from explorer.server.session_cap import SessionCap
from explorer.server.static_scripts import StaticScripts
from explorer.server.upload_quota import UploadQuota

# Refusals have the security headers too; a message that is too long never waits.
INNER = (
    PartitionedCookies,
    OriginCheck,
    SessionCap,
    MessageRate,
    UploadQuota,
    StaticScripts,
    EarlyScripts,
)


def middleware() -> list[Middleware]:
    """Return the middleware for `st.App`.

    Raises:
        SystemExit: `EXPLORER_EMBED` names what is no host; the message says so.
    """
    try:
        hosts = embedding_hosts()
    except InputError as error:
        sys.exit(str(error))
    return [Middleware(SecurityHeaders, hosts=hosts), *(Middleware(each) for each in INNER)]
