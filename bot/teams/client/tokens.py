"""The app's own tokens: for the connector and for Graph, by the app's secret, kept by msal until they are nearly over.

While the secret is rotated the newest value that Microsoft takes is used; another one starts anew, without the tokens of the one
before."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
import structlog

from bot.chat.surface import NO_ANSWER, Means
from bot.cloud_credentials import is_loopback
from bot.settings import Secret
from bot.teams.client.answers import MEANS
from bot.teams.client.session import session, within
from workflows.core.calls import timed

log = structlog.get_logger()

TIMEOUT_S = 5.0
GRAPH = "https://graph.microsoft.com"
# Of each login, what the connector of its cloud is called ("Configure a bot for US Government", learn.microsoft.com).
_CONNECTOR = {
    "login.microsoftonline.us": "https://api.botframework.us",
    "login.partner.microsoftonline.cn": "https://api.botframework.azure.cn",
}
_USUAL_CONNECTOR = "https://api.botframework.com"
ANSWER_BYTES_MAX = 256 * 1024
# What a login says of a secret that it does not take (RFC 6749, section 5.2).
_OF_THE_SECRET = frozenset({"invalid_client", "unauthorized_client"})


class TokensUnavailable(Exception):
    """`word`: the login's own (`invalid_client`), or `no_answer`. `means`: whether it passes. Holds no secret."""

    def __init__(self, word: str, means: Means) -> None:
        super().__init__(word)
        self.word = word
        self.means = means


class Tokens:
    """For any thread. `login_url`: without the tenant; plain http on this machine alone. `graph_url`: of which cloud."""

    def __init__(
        self,
        login_url: str,
        tenant: str,
        app_id: str,
        secret: Secret,
        graph_url: str = GRAPH,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._login_url = login_url.rstrip("/")
        self._tenant = tenant
        self._app_id = app_id
        self._secret = secret
        self._timeout_s = timeout_s
        self._connector = _CONNECTOR.get(urlsplit(login_url).hostname or "", _USUAL_CONNECTOR)
        self._graph = GRAPH if is_loopback(graph_url) else "{0.scheme}://{0.netloc}".format(urlsplit(graph_url))
        self._lock = threading.Lock()
        self._app: Any = None
        # What `_app` was made with.
        self._shown = ""

    def bot(self) -> str:
        """For what is sent to the connector. Raises TokensUnavailable."""
        return self._token(f"{self._connector}/.default")

    def graph(self) -> str:
        """For Microsoft Graph. Raises TokensUnavailable."""
        return self._token(f"{self._graph}/.default")

    def forget(self) -> None:
        """Of those that were refused: the next one is asked for anew."""
        with self._lock:
            self._app = None

    def _token(self, scope: str) -> str:
        return self._secret.presented(lambda value: self._token_by(value, scope), _of_the_secret)

    def _token_by(self, value: str, scope: str) -> str:
        try:
            found = self._client(value).acquire_token_for_client([scope])
        except (requests.RequestException, msal.exceptions.MsalError, ValueError, TypeError, KeyError) as problem:
            # No answer, or one that msal cannot read. Its words may hold what was sent.
            log.warning("the login for Teams did not answer", error=type(problem).__name__)
            raise TokensUnavailable(NO_ANSWER, Means.LATER) from None
        token = found.get("access_token") if isinstance(found, dict) else None
        if isinstance(token, str) and token:
            return token
        word = found.get("error") if isinstance(found, dict) else None
        word = word if isinstance(word, str) and word in MEANS else NO_ANSWER
        raise TokensUnavailable(word, MEANS[word])

    def _client(self, value: str) -> Any:
        with self._lock:
            if self._app is None or self._shown != value:
                self._shown = value
                # It writes down whatever a login answers that it cannot read.
                logging.getLogger("msal").setLevel(logging.CRITICAL)
                self._app = msal.ConfidentialClientApplication(
                    self._app_id,
                    client_credential=value,
                    authority=f"{_as_https(self._login_url)}/{self._tenant}",
                    # The address is set by whoever runs this: nobody is asked whether it is a known one.
                    instance_discovery=False,
                    http_client=_Login(self._login_url, self._tenant, self._timeout_s),
                )
            return self._app


def _of_the_secret(problem: Exception) -> bool:
    return isinstance(problem, TokensUnavailable) and problem.word in _OF_THE_SECRET


def _as_https(url: str) -> str:
    """As msal wants it, also where the login is plain http on this machine."""
    return f"https://{url.partition('://')[2]}"


def beginning(answer: requests.Response, bytes_max: int) -> bytes:
    """So much of an answer; what is longer is none that we know. Raises requests.RequestException."""
    found = bytearray()
    for piece in answer.iter_content(16 * 1024):
        found += piece
        if len(found) >= bytes_max:
            break
    return bytes(found[:bytes_max])


class _Answer:
    """What msal reads of an answer."""

    def __init__(self, status_code: int, text: str, headers: dict[str, str]) -> None:
        self.status_code = status_code
        self.text = text
        self.headers = headers

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise requests.HTTPError(f"status {self.status_code}")


class _Login:
    """msal's way out: one address, no redirects, and a time-out."""

    def __init__(self, login_url: str, tenant: str, timeout_s: float) -> None:
        self._url = f"{login_url}/{tenant}/oauth2/v2.0/token"
        self._timeout_s = timeout_s
        self._plain = urlsplit(login_url).scheme == "http" and is_loopback(login_url)

    def get(self, *_: Any, **__: Any) -> _Answer:
        """The discovery, which would say nothing else: where tokens come from is known, and https to msal."""
        here = _as_https(self._url)
        said = {"token_endpoint": here, "authorization_endpoint": here.replace("/token", "/authorize"), "issuer": here}
        return _Answer(200, json.dumps(said), {})

    def post(self, _url: str, *, data: Any = None, headers: Any = None, **_: Any) -> _Answer:
        to = self._url if self._plain else _as_https(self._url)
        given = {"data": data, "headers": headers, "timeout": self._timeout_s}
        with (
            timed("microsoft", "token") as call,
            within(self._timeout_s) as deadline,
            session() as http,
            http.post(to, **given, allow_redirects=False, stream=True) as answer,
        ):
            body = beginning(answer, ANSWER_BYTES_MAX).decode("utf-8", "replace")
            call.error = "" if answer.ok else f"http_{answer.status_code}"
        if deadline.passed:
            raise requests.Timeout
        return _Answer(answer.status_code, body, dict(answer.headers))

    def close(self) -> None:
        pass
