"""A stand-in for AWS KMS, over HTTP: `GetPublicKey` and `Sign` of an Ed25519 key, as strict as KMS is said to be.

moto refuses ECC_NIST_EDWARDS25519. What is checked here is in KMS's API reference: which algorithm a key takes, which
message type an algorithm takes, how long a message may be, and a key that is disabled.
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RAW_BYTES_MAX = 4096


class Refusal(Exception):
    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(words)
        self.code = code


class Kms:
    """One Ed25519 key at `ARN`. `state`: as KMS calls it. `wrong`: whether it signs with another key. `calls`: method names."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.state = "Enabled"
        self.usage = "SIGN_VERIFY"
        self.denied = False
        self.wrong = False
        self.calls: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(method)
        if self.denied:
            raise Refusal("AccessDeniedException", "User is not authorized")
        if given.get("KeyId") != ARN:
            raise Refusal("NotFoundException", "Key does not exist")
        if self.state != "Enabled":
            raise Refusal("DisabledException", f"{ARN} is disabled.")
        return self._public_key() if method == "GetPublicKey" else self._sign(given)

    def _public_key(self) -> dict[str, Any]:
        der = self.key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
        return {
            "KeyId": ARN,
            "KeySpec": "ECC_NIST_EDWARDS25519",
            "KeyUsage": self.usage,
            "PublicKey": base64.b64encode(der).decode(),
            "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        }

    def _sign(self, given: dict[str, Any]) -> dict[str, Any]:
        message = base64.b64decode(given["Message"])
        algorithm, kind = given["SigningAlgorithm"], given.get("MessageType", "RAW")
        if algorithm not in ("ED25519_SHA_512", "ED25519_PH_SHA_512"):
            raise Refusal("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with the key spec")
        if (algorithm, kind) not in (("ED25519_SHA_512", "RAW"), ("ED25519_PH_SHA_512", "DIGEST")):
            raise Refusal("ValidationException", f"Message type {kind} is incompatible with {algorithm}")
        if not 1 <= len(message) <= RAW_BYTES_MAX:
            raise Refusal("ValidationException", "1 validation error detected: length of 'message'")
        key = Ed25519PrivateKey.generate() if self.wrong else self.key
        signature = base64.b64encode(key.sign(message)).decode()
        return {"KeyId": ARN, "Signature": signature, "SigningAlgorithm": algorithm}


def _handler(kms: Kms) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, body = 200, kms.answer(self.headers["X-Amz-Target"].removeprefix("TrentService."), given)
            except Refusal as refusal:
                status, body = 400, {"__type": refusal.code, "message": str(refusal)}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
