"""The middleware of the page, from the outermost to the innermost."""

from starlette.middleware import Middleware

from explorer.server.message_rate import MessageRate
from explorer.server.origin_check import OriginCheck
from explorer.server.security_headers import SecurityHeaders
from explorer.server.session_cap import SessionCap
from explorer.server.upload_quota import UploadQuota

# Refusals have the security headers too; a message that is too long never waits.
ORDER = (SecurityHeaders, OriginCheck, SessionCap, MessageRate, UploadQuota)


def middleware() -> list[Middleware]:
    """Return the middleware for `st.App`."""
    return [Middleware(each) for each in ORDER]
