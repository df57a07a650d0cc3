"""`prodaccess request`, `approve`, `end`, `break-glass`: for when chat is down, by whoever AWS says signs it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot.cli.program import GOOD, PROBLEMS, USAGE, add, end, say, told

UNREACHABLE = 5

Profile = Annotated[str | None, typer.Option(metavar="NAME", help="A profile of your AWS configuration.")]
Region = Annotated[str | None, typer.Option(metavar="REGION", help="Whose AWS vouches for you; yours unless said.")]
Words = Annotated[
    list[str], typer.Argument(metavar="WORDS...", help="ENV ROLE [DURATION] REASON, as they are typed in chat.")
]

_NEEDS = {"PRODACCESS_URL": "where web is, exactly as web itself is told"}
_USES = {"AWS_PROFILE": "and all else that boto3 reads: your credentials sign, and stay on this machine"}
_CODES = {
    GOOD: "it is on the record; what came of it is printed",
    PROBLEMS: "refused; a sentence says why",
    USAGE: "it was typed wrongly, or a variable or your credentials are missing",
    UNREACHABLE: "prodaccess did not take it, or did not answer in time",
}


def register(app: typer.Typer) -> None:
    add(app, request)
    add(app, approve)
    add(app, take_back, "end")
    add(app, break_glass, "break-glass")


@told(
    examples={"prodaccess request payments-prod read-only 1h INC-42 checkout errors": "As /prodaccess in chat."},
    needs=_NEEDS,
    uses=_USES,
    codes=_CODES,
)
def request(words: Words, profile: Profile = None, region: Region = None) -> None:
    """Ask for access from a terminal. The same people are asked, by the same rules."""
    _do("request", words, profile, region)


@told(examples={"prodaccess approve PA-1042": ""}, needs=_NEEDS, uses=_USES, codes=_CODES)
def approve(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Like PA-1042.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="You have read what it is: do not show it, and do not ask.")
    ] = False,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Agree to a request from a terminal, after you have read it. It counts once, and never for your own."""
    if not yes:
        _do("show", [id_], profile, region)
        if not typer.confirm(f"Approve {id_}?"):
            end("Nothing was approved.")
    _do("approve", [id_], profile, region)


@told(examples={"prodaccess end PA-1042 not an incident of ours": ""}, needs=_NEEDS, uses=_USES, codes=_CODES)
def take_back(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="ID [REASON]: like PA-1042, and why.")],
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Take access back from a terminal, or give yours back early. As in chat: the owners, security, and who holds it."""
    _do("end", words, profile, region)


@told(
    examples={"prodaccess break-glass payments-prod read-only 30m INC-42 checkout is down": "While no chat answers."},
    needs=_NEEDS,
    uses=_USES,
    codes=_CODES,
)
def break_glass(words: Words, profile: Profile = None, region: Region = None) -> None:
    """Let yourself in in an emergency, while chat is down and where the policy allows it. A review is owed."""
    _do("break-glass", words, profile, region)


def _do(verb: str, words: list[str], profile: str | None, region: str | None) -> None:
    from bot.cli.gate import address
    from bot.settings import process_environ
    from bot.terminal_access.client import Refused, Terminal, signer

    environ = process_environ()
    base = address(environ, verb)
    try:
        said = Terminal(base, signer(profile, region, environ)).do(" ".join((verb, *words)))
    except Refused as refused:
        print(str(refused), file=sys.stderr, flush=True)
        raise typer.Exit(refused.code) from None
    say(said)
