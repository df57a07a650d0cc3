"""STS as far as `GetCallerIdentity` goes, over HTTP, with signatures that are really checked: the sandbox's own does not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACTION = b"Action=GetCallerIdentity&Version=2011-06-15"
_SIGNS = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/([0-9]{8})/([a-z0-9-]+)/sts/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
# What every SDK asks for.
_XML = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{key.arn}</Arn><UserId>{key.user_id}</UserId><Account>{key.account}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
_VALID_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Key:
    """`token`: of temporary credentials. `user_id`, `arn`: what AWS says of whoever has it."""

    secret: str
    account: str
    arn: str
    user_id: str
    token: str = ""


@dataclass
class StsServer:
    """`keys`: by access key id. `instead`: answers in place of it, for tests: status, headers, body."""

    keys: dict[str, Key] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: TID251 - it plays AWS, which has a clock of its own
    instead: Callable[[], tuple[int, Mapping[str, str], bytes]] | None = None
    asked: int = 0

    def __enter__(self) -> StsServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer(*outer.answer(self.path, list(self.headers.items()), body))

            def do_GET(self) -> None:
                self._answer(*_no("MissingAuthenticationToken"))

            def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        self.asked += 1
        if self.instead is not None:
            return self.instead()
        given = {name.lower(): " ".join(value.split()) for name, value in headers}
        key = self._signed_by(path, given, body) if len(given) == len(headers) else None
        if key is None or body != ACTION:
            return _no("SignatureDoesNotMatch" if key is None else "InvalidAction")
        if given.get("accept") != "application/json":
            return 200, {"Content-Type": "text/xml"}, _XML.format(key=key).encode()
        result = {"Account": key.account, "Arn": key.arn, "UserId": key.user_id}
        said = {
            "GetCallerIdentityResponse": {"GetCallerIdentityResult": result, "ResponseMetadata": {"RequestId": "1"}}
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def _signed_by(self, path: str, given: Mapping[str, str], body: bytes) -> Key | None:
        found = _SIGNS.fullmatch(given.get("authorization", ""))
        key = self.keys.get(found[1]) if found else None
        if found is None or key is None:
            return None
        _, day, region, names, signature = found.groups()
        signed = names.split(";")
        # As AWS has it: the host and whatever begins with x-amz- is signed.
        must = {"host", *(name for name in given if name.startswith("x-amz-"))}
        if not must <= set(signed) or any(name not in given for name in signed):
            return None
        if given.get("x-amz-security-token", "") != key.token or not self._is_now(given.get("x-amz-date", ""), day):
            return None
        lines = "".join(f"{name}:{given[name]}\n" for name in signed)
        canonical = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
        scope = f"{day}/{region}/sts/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256", given["x-amz-date"], scope, hashed))
        made = f"AWS4{key.secret}".encode()
        for part in (day, region, "sts", "aws4_request"):
            made = hmac.new(made, part.encode(), hashlib.sha256).digest()
        return (
            key if hmac.compare_digest(hmac.new(made, text.encode(), hashlib.sha256).hexdigest(), signature) else None
        )

    def _is_now(self, date: str, day: str) -> bool:
        try:
            at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return False
        return date.startswith(day) and abs(self.now() - at) <= _VALID_FOR


def _no(code: str) -> tuple[int, Mapping[str, str], bytes]:
    return 403, {"Content-Type": "application/json"}, json.dumps({"Error": {"Code": code}}).encode()
