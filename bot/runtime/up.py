"""`prodaccess up`: web, workers and clock under one roof, and a Valkey where no Redis is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from bot.cloud_credentials import cloud_secrets, scrub_cloud_credentials
from bot.observability.redaction import Redactor
from bot.runtime.supervisor import Program, Service, Supervisor
from bot.settings import PROCESSES, Settings, for_process, load_settings, without_workers_keys
from bot.shipped import checkout


def up(environ: Mapping[str, str], *, workers: int = 1, output: TextIO | None = None) -> int | tuple[str, ...]:
    """Runs everything until it is told to stop and returns 0, or returns what stands in the way as sentences."""
    settings = load_settings(environ)
    if isinstance(settings, tuple):
        return settings
    if problems := _problems(environ, embedded=settings.redis_url is None):
        return problems
    if settings.redis_url is not None:
        return _run(environ, settings, workers, None, output)
    from bot.runtime.embedded_redis import EmbeddedError, EmbeddedValkey  # noqa: PLC0415 - takes 0.1 s, and most have a Redis

    server = EmbeddedValkey(settings.data)
    try:
        server.start()
    except EmbeddedError as error:
        return (str(error),)
    for sentence in server.passed_over:
        print(sentence, file=output or sys.stdout, flush=True)
    try:
        return _run({**environ, "REDIS_URL": server.url}, settings, workers, server, output)
    finally:
        server.stop()


def programs(environ: Mapping[str, str], *, workers: int) -> list[Program]:
    """The processes of an installation. Only workers get cloud credentials, and the key that signs the audit log."""
    ours = {**environ, **same_code(environ), "PYTHONUNBUFFERED": "1"}
    plain = without_workers_keys(ours)
    scrub_cloud_credentials(plain)

    def program(name: str, command: str, given: Mapping[str, str]) -> Program:
        return Program(name, (sys.executable, "-P", "-m", "bot", command), given)

    names = ["worker"] if workers == 1 else [f"worker.{number}" for number in range(1, workers + 1)]
    return [
        program("web", "web", plain),
        *(program(name, "worker", ours) for name in names),
        program("clock", "clock", plain),
    ]


def same_code(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables with which a Python that we start (with -P) finds the code that we are, whatever folder it stands in.

    From a checkout. Where we are installed, it looks where we were found, and a path of ours would go before Python's own.
    """
    top = checkout()
    return {} if top is None else {"PYTHONPATH": os.pathsep.join(filter(None, (str(top), environ.get("PYTHONPATH"))))}


def _problems(environ: Mapping[str, str], *, embedded: bool) -> tuple[str, ...]:
    """What any of the processes would refuse, before the first is started."""
    later = {"REDIS_URL": "redis://127.0.0.1/0"} if embedded else {}
    given = {**environ, **later}
    plain = without_workers_keys(given)
    found = [for_process(process, given if process == "worker" else plain) for process in PROCESSES]
    return tuple(dict.fromkeys(problem for each in found if isinstance(each, tuple) for problem in each))


def _run(
    environ: Mapping[str, str], settings: Settings, workers: int, service: Service | None, output: TextIO | None
) -> int:
    output = output or sys.stdout
    if output.isatty() and not environ.get("LOG_FORMAT"):
        environ = {**environ, "LOG_FORMAT": "console"}  # a person is looking
    passwords = (environ["REDIS_URL"],) if service is not None else ()
    redactor = Redactor((*settings.secret_values(), *cloud_secrets(environ), *passwords))
    # What is wrong with a file its processes say.
    settings.secrets.watch(redactor.hide, lambda _sentence: None)
    return Supervisor(programs(environ, workers=workers), service=service, redactor=redactor, output=output).run()
