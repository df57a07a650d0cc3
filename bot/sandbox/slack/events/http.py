"""Signed requests to the app's URL (docs: "Verifying requests from Slack")."""

import hashlib
import hmac
import http.client
import json
from urllib.parse import urlencode, urlsplit

from bot.sandbox.clock import system_clock
from bot.sandbox.slack.events.courier import Ack, Delivery, Tampering
from bot.sandbox.slack.workspace import Workspace

_FORM = "application/x-www-form-urlencoded"
_USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The v0 signature over `v0:timestamp:body`."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """The body and its content type: commands are forms, interactions a form with one `payload`, events JSON."""
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), _FORM
    content = json.dumps(delivery.payload, ensure_ascii=False)
    if delivery.kind == "interactive":
        return urlencode({"payload": content}).encode(), _FORM
    return content.encode(), "application/json"


class HttpDelivery:
    """POSTs to `AppSettings.request_url`, one connection a request, as Slack does.

    Signed with real time whatever the workspace's clock says: the app compares it with its own.
    """

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def send(self, delivery: Delivery, tampering: Tampering, timeout_s: float) -> Ack:
        body, content_type = encoded(delivery)
        headers = self._headers(body, tampering) | {"Content-Type": content_type}
        try:
            return self._post(body, headers, timeout_s)
        except TimeoutError:
            return Ack(error="operation_timeout")
        except (OSError, http.client.HTTPException):
            return Ack(error="dispatch_failed")

    def _headers(self, body: bytes, tampering: Tampering) -> dict[str, str]:
        timestamp = str(int(system_clock() + tampering.timestamp_shift_s))
        secret = "not the secret" if tampering.bad_signature else self._ws.app.signing_secret
        headers = {
            "User-Agent": _USER_AGENT,
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(secret, timestamp, body),
        }
        if tampering.retry_num is not None:
            headers["X-Slack-Retry-Num"] = str(tampering.retry_num)
            headers["X-Slack-Retry-Reason"] = tampering.retry_reason
        return headers

    def _post(self, body: bytes, headers: dict[str, str], timeout_s: float) -> Ack:
        url = urlsplit(str(self._ws.app.request_url))
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=timeout_s)
        try:
            connection.request("POST", url.path or "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            return Ack(error="dispatch_failed", status=response.status)
        return _read(content, response.headers.get("Content-Type", ""))


def _read(content: bytes, content_type: str) -> Ack:
    text = content.decode("utf-8", "replace")
    if not text.strip():
        return Ack(status=200)
    if "json" not in content_type:
        return Ack(text, status=200)
    try:
        return Ack(json.loads(text), status=200)
    except ValueError:
        return Ack(text, status=200)
