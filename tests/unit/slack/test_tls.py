"""Slack's certificate is checked, and the machine's authorities are read once for that."""

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from slack_sdk import WebClient

from bot.chat.message import Message
from bot.chat.rich import ours
from bot.chat.surface import NotDone
from bot.settings import Settings, load_settings
from bot.slack.build import build_client
from bot.slack.telling import respond
from bot.slack.tls import _checking


@pytest.fixture
def signed_by_itself(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server over TLS, and its certificate, which no authority has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slack.test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    certificate, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    class Quiet(WSGIServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever does not trust it hangs up."""

    def answer(_environ: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"ok": true}']

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    with make_server("127.0.0.1", 0, answer, server_class=Quiet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/", certificate
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def made_anew() -> Iterator[None]:
    _checking.cache_clear()
    yield
    _checking.cache_clear()


def client_of(url: str) -> WebClient:
    found = load_settings({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": url})
    assert isinstance(found, Settings)
    return build_client(found)


def test_the_machines_authorities_are_read_once(
    signed_by_itself: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = signed_by_itself
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    read, looks = ssl.SSLContext.load_default_certs, []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self, *way: looks.append(way) or read(self, *way))
    client = client_of(url)
    assert client.api_test()["ok"]
    assert client.api_test()["ok"]
    respond(url, Message(ours("told")))
    assert len(looks) == 1


def test_a_certificate_that_no_authority_signed_is_refused(signed_by_itself: tuple[str, Path]) -> None:
    url, _ = signed_by_itself
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        client_of(url).api_test()
    with pytest.raises(NotDone):
        respond(url, Message(ours("told")))


def test_a_certificate_of_another_name_is_refused(
    signed_by_itself: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = signed_by_itself
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        client_of(url.replace("127.0.0.1", "localhost")).api_test()
