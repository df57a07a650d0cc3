"""The server: moto's application and the proxy behind one address, for `AWS_ENDPOINT_URL`."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, ClassVar, Self

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from bot.sandbox.aws.answers import Answer
from bot.sandbox.aws.calls import Environ
from bot.sandbox.aws.control import PREFIX, control
from bot.sandbox.aws.proxy import Dropped, Proxy
from bot.sandbox.aws.spec import EXAMPLE, WorldSpec
from bot.sandbox.aws.world import World

# Example credentials from AWS's own documentation; nothing checks them here.
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class SandboxAws:
    """AWS on a loopback port, as a context manager or with `start` and `stop`.

    One at a time in a process: moto's state is global, and whoever seeded it last has it (`is_ours`). `port` 0 takes a
    free one. `controlled`: whether other processes may play faults and change the world over HTTP. `torn_pages`: a seed,
    for lists with short and empty pages.
    """

    _holder: ClassVar["SandboxAws | None"] = None

    def __init__(
        self, spec: WorldSpec = EXAMPLE, *, port: int = 0, controlled: bool = True, torn_pages: int | None = None
    ) -> None:
        self.proxy = Proxy(spec, DomainDispatcherApplication(create_backend_app))
        self.world = World(self.proxy.state, self.proxy.lock, self.proxy.history.record, self.proxy.operations.settle)
        self.proxy.pages.tear(torn_pages)
        self.proxy.trail.tear(torn_pages)
        self._first = spec
        self._port = port
        self._controlled = controlled
        # One for all clients: each would read the descriptions of AWS's services anew.
        self._session, self._one_at_a_time = boto3.session.Session(), threading.Lock()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint of all services, for `AWS_ENDPOINT_URL`."""
        if self._server is None:
            raise RuntimeError("not started")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spec(self) -> WorldSpec:
        """What the world was seeded from."""
        return self.world.spec

    def start(self) -> None:
        """Seeds the world and serves it from a background thread."""
        self.world.seed(self._first)
        self.proxy.calm()
        server = make_server("127.0.0.1", self._port, self._app, threaded=True, request_handler=_Handler)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox-aws", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Drops what is held and stops serving."""
        self.proxy.faults.clear()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def reset(self, spec: WorldSpec | None = None) -> None:
        """Ends all faults, forgets the log, and seeds again: from `spec`, else from the first one."""
        SandboxAws._holder = self
        self.proxy.calm()
        self.world.seed(spec or self._first)
        self.proxy.calm()  # seeding counts as changes; no read may be answered from before it

    @property
    def is_ours(self) -> bool:
        """Whether what is true in AWS is what was seeded here, and not by another one in this process."""
        return SandboxAws._holder is self

    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to talk to this AWS and to no other."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": self.spec.region,
            "AWS_REGION": self.spec.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, *, read_timeout_s: float = 5.0, attempts: int = 1, **rest: Any) -> Any:
        """A boto3 client of this AWS, without retries unless asked; `rest` goes to boto3 (credentials, region)."""
        arguments: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": self.spec.region,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "config": Config(read_timeout=read_timeout_s, connect_timeout=5, retries={"total_max_attempts": attempts}),
        }
        factory: Any = self._session.client
        with self._one_at_a_time:
            return factory(service, **(arguments | rest))

    def _app(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # boto3 sends uploads in chunks; werkzeug decodes them only when it is read to the end.
        chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
        stream = environ["wsgi.input"]
        body: bytes = stream.read() if chunked else stream.read(int(environ.get("CONTENT_LENGTH") or 0))
        if self._controlled and environ["PATH_INFO"].startswith(PREFIX):
            return _send(control(self, environ, body), start_response)
        return _send(self.proxy.handle(environ, body), start_response)


class _Handler(MotoRequestHandler):
    """moto's handler, without a line on standard error for every request, and with connections that can be reset."""

    def connection_dropped(self, error: BaseException, environ: Environ | None = None) -> None:  # noqa: ARG002 - werkzeug's
        """Closes the connection; where the proxy wanted that, with RST in place of an orderly end."""
        self.close_connection = True
        if isinstance(error, Dropped):
            with contextlib.suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Says nothing."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Says nothing; the proxy has its own log."""


def _send(answer: Answer, start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    # A HEAD answer of S3 has the length of what it does not send.
    length = next((value for name, value in answer.headers if name.lower() == "content-length"), str(len(answer.body)))
    start_response(f"{answer.status} ", [*headers, ("Content-Length", length)])
    return [answer.body]
