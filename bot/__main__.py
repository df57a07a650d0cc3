"""`prodaccess ...`, which is `python -m bot ...`.

What a command needs is imported when it runs, so that `--help` is quick and a broken part breaks its own command only.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli import (
    activity,
    audit,
    aws,
    boundaries,
    certify,
    check,
    complete,
    docs,
    doctor,
    drift,
    explain,
    gate,
    health,
    init,
    look,
    operate,
    policy,
    report,
    slack,
    teams,
    terminal,
)
from bot.cli.program import LEDGER, POLICY, add, program, told

if TYPE_CHECKING:
    from bot.settings import Process, Settings

FAILED, USAGE = 1, 2

app = program(name="prodaccess")
CHAT = {
    "SLACK_BOT_TOKEN": "for Slack: the app's bot token",
    "TEAMS_APP_ID": "for Teams, with TEAMS_APP_PASSWORD and TEAMS_TENANT_ID; one of the two chats, or both",
}
_WITHOUT_POLICY = frozenset({"up", "health", "gate", "request", "approve", "end", "break-glass"})
STOPPED = {FAILED: "it was stopped by an error: the log has it, under the number that is said"}


def _version(wanted: bool) -> None:
    if wanted:
        from bot import __version__

        print(f"prodaccess {__version__}")
        raise typer.Exit


@app.callback()
@told(
    examples={
        "prodaccess check config": "Whether the policy folder is in order.",
        "prodaccess status": "What runs, what is open, and what needs a hand.",
        "prodaccess report --html review.html": "Who had what in the last 90 days, as a page.",
    },
)
def options(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Temporary production access, asked for and approved in chat, that ends by itself."""
    if context.invoked_subcommand not in _WITHOUT_POLICY:
        from bot.providers import know_providers

        know_providers()


@told(
    examples={"prodaccess web": ""},
    needs={**LEDGER, **CHAT, "SLACK_APP_TOKEN": "for Slack: Socket Mode; or SLACK_SIGNING_SECRET, for HTTP"},
    uses=POLICY,
    codes=STOPPED,
)
def web() -> None:
    """Listen to chat, and answer /healthz, /readyz and /metrics."""
    _serve("web")


@told(
    examples={
        "prodaccess worker": "",
        "prodaccess worker --queue seal": "Signs the audit log and does nothing else: no other process needs the key.",
    },
    needs={**LEDGER, **CHAT},
    uses={
        **POLICY,
        "AWS_REGION": "and all else that boto3 reads",
        "PRODACCESS_AUDIT_KEY": "the key of the audit log: a worker that has it seals",
        "PRODACCESS_AUDIT_BUCKET": "where sealed entries are kept: a bucket or a folder",
    },
    codes=STOPPED,
)
def worker(
    queue: Annotated[str, typer.Option(metavar="seal", help="Only seal the audit log; needs no chat.")] = "",
) -> None:
    """Give access and take it away. The only process with cloud credentials."""
    if queue not in ("", "seal"):
        _refuse(["--queue takes seal, and nothing else: without it a worker sees to all queues."])
    _serve("worker", seals_alone=bool(queue))


add(app, web)
add(app, worker)
clock_app = program(invoke_without_command=True, no_args_is_help=False)
app.add_typer(clock_app, name="clock")


@clock_app.callback()
@told(examples={"prodaccess clock": ""}, needs=LEDGER, uses=POLICY, codes=STOPPED)
def clock(context: typer.Context) -> None:
    """Find what is due. Any number may run; one leads."""
    if context.invoked_subcommand is None:
        _serve("clock")


@told(
    examples={"prodaccess up": "With the variables of .env.", "prodaccess up --workers 4": ""},
    needs=CHAT,
    uses={**LEDGER, **POLICY, "PRODACCESS_DATA": "where a Valkey of its own keeps its files"},
    codes=STOPPED,
)
def up(
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many worker processes.")] = 1,
    env_file: Annotated[Path, typer.Option(help="Variables; those of the environment come first.")] = Path(".env"),
) -> None:
    """Run web, worker and clock together, with a Valkey where REDIS_URL is not set."""
    from bot import cloud_credentials as cloud
    from bot import settings
    from bot.runtime.up import up as run_all

    _assert_one_root()
    environ = settings.with_env_file(settings.process_environ(), env_file)
    if isinstance(environ, tuple):
        _refuse(environ)
    # Each process is handed what it may have; a server that we start inherits ours.
    cloud.scrub_cloud_credentials(settings.process_environ())
    result = run_all(environ, workers=workers)
    if isinstance(result, tuple):
        _refuse(result)
    raise typer.Exit(result)


add(app, up)
_PORT = Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; a free one unless said.")]


sandbox_app = program(invoke_without_command=True, no_args_is_help=False)


@sandbox_app.callback()
@told(
    examples={
        "prodaccess sandbox": "Ctrl-C stops it, and nothing is left running.",
        "prodaccess sandbox --playground": "Dana's Teams as Microsoft draws it, too.",
    }
)
def sandbox(
    context: typer.Context,
    port: _PORT = 0,
    playground: Annotated[
        bool, typer.Option("--playground", help="Start Microsoft's agentsplayground, too; wants Node.")
    ] = False,
) -> None:
    """Open a page on this machine where you play everybody, without Slack, Teams or AWS."""
    if context.invoked_subcommand is None:
        _play("bot.sandbox.page.command", "--port", str(port), *(["--playground"] if playground else []))


@told(examples={'eval "$(prodaccess sandbox env)"': "Then prodaccess report, and all else that reads the record."})
def sandbox_env() -> None:
    """Print what another terminal needs to speak of the sandbox that runs: eval "$(prodaccess sandbox env)"."""
    _play("bot.sandbox.installation.terminal")


@told(
    examples={"prodaccess demo": "", "TOUR=1 prodaccess demo": "The tour first, then the page."},
    uses={"TOUR": "1: at a terminal, a tour before the page"},
)
def demo(
    port: _PORT = 0,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="How long the access of the tour lasts.")] = 20,
) -> None:
    """At a terminal the sandbox's page (TOUR=1: after a tour), elsewhere the tour alone, as text."""
    _play("bot.sandbox.demo", "--port", str(port), "--seconds", str(seconds))


def _play(name: str, *arguments: str) -> NoReturn:
    _assert_one_root()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"bot", "workflows"}:
            raise
        _refuse([f"The demo needs {error.name}: install it with pip install 'prodaccess[sandbox]'."])
    raise typer.Exit(module.main(arguments))


add(sandbox_app, sandbox_env, "env")
app.add_typer(sandbox_app, name="sandbox")
add(app, demo)
init.register(app)
check.register(app)
doctor.register(app)
policy.register(app)
explain.register(app)
look.register(app)
operate.register(app)
drift.register(app)
certify.register(app)
activity.register(app)
audit.register(app)
aws.register(app)
add(clock_app, operate.accept_clock, "accept")
report.register(app)
slack.register(app)
teams.register(app)
docs.register(app)
gate.register(app)
terminal.register(app)
boundaries.register(app)
health.register(app)
complete.register(app)


def main() -> NoReturn:
    """The console script. Expected trouble is a sentence and exit code 2, the rest a log line with an error number."""
    try:
        # Not `app()`, which installs a hook that prints local variables, secrets among them.
        typer.main.get_command(app)(prog_name="prodaccess")
    except Exception as error:  # the last line of defence between a traceback and a person
        _fail(error)
    sys.exit(0)


def _serve(process: Process, *, seals_alone: bool = False) -> None:
    from bot import cloud_credentials as cloud
    from bot import settings
    from bot.observability import log, tracing

    _assert_one_root()
    environ = settings.process_environ()
    credentials = cloud.cloud_secrets(environ)
    if process != "worker":
        cloud.scrub_cloud_credentials(environ)
    found = settings.for_sealing_worker(environ) if seals_alone else settings.for_process(process, environ)
    if isinstance(found, tuple):
        _refuse(found)
    hide = (*found.secret_values(), *credentials, *tracing.secrets(environ))
    log.configure(process, level=found.log_level, format_=found.log_format, secrets=hide)
    found.secrets.watch(log.hide, log.warn)
    _run(process, found, "run_sealing" if seals_alone else "run")


def _run(process: Process, settings: Settings, entry: str) -> None:
    from bot.observability import log, tracing
    from bot.settings import process_environ

    try:
        if process != "clock":  # which only finds what is due
            tracing.turn_on(process, process_environ())
        getattr(importlib.import_module(f"bot.{process}"), entry)(settings)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:  # logged where all else is logged, with what is known to be secret hidden
        number = log.log_failure("the process ends by an exception that nobody caught", error)
        print(f"prodaccess {process} stopped by an error of its own: error {number} in the log.", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    finally:
        tracing.turn_off()


def _assert_one_root() -> None:
    """`bot` and `workflows` are common names; half of us from somewhere else would fail late and in odd ways."""
    ours = Path(__file__).resolve().parent.parent
    for name in ("bot", "workflows"):
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
        if place != ours / name:
            _refuse([f"The package {name} comes from {place or 'nowhere'}, not from {ours}: remove the other one."])


def _refuse(sentences: Iterable[str]) -> NoReturn:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    raise typer.Exit(USAGE)


def _fail(error: Exception) -> NoReturn:
    """One sentence. Where it happened is for whoever asks for it."""
    from bot import settings
    from bot.observability import log

    expected = _expected(error)
    if expected:
        print(expected, file=sys.stderr)
        sys.exit(FAILED)
    number = log.error_number(error)
    if settings.process_environ().get("LOG_LEVEL", "").lower() == "debug":
        log.configure("command", stream=sys.stderr)
        log.log_failure("a command ended by an exception that nobody caught", error)
    print(
        f"prodaccess stopped by an error of its own ({type(error).__name__}, {number}): "
        "LOG_LEVEL=debug shows where, for a report.",
        file=sys.stderr,
    )
    sys.exit(FAILED)


def _expected(error: Exception) -> str:
    """What a bad day of Redis, or a file that cannot be read, is called; empty for everything else."""
    from redis.exceptions import RedisError

    from workflows.ports import LedgerUnreachable

    if isinstance(error, LedgerUnreachable):
        return f"{str(error).rstrip('.')}. Please try again."
    if isinstance(error, RedisError):
        return f"Redis does not answer as it should ({type(error).__name__}): look at REDIS_URL, and try again."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return ""


if __name__ == "__main__":
    main()
