"""`prodaccess boundaries`: how the boundaries round production stand, as far as a checkout and those who are asked tell."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.program import GOOD, PROBLEMS, USAGE, add, end, say, told, width

if TYPE_CHECKING:
    from bot.boundaries.cloud.aws import AwsLook
    from bot.boundaries.model import Report
    from bot.boundaries.rules import Rules

_HERE = Path()


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    HTML = "html"


def register(app: typer.Typer) -> None:
    add(app, boundaries)


@told(
    examples={
        "prodaccess boundaries": "The checkout that one stands in. Nothing of it is run, and nobody is asked.",
        "prodaccess boundaries --github larkspur/orders": "GitHub is asked for its environments and branches, too.",
        "prodaccess boundaries --gitlab larkspur/orders": "The same of GitLab; either, or both.",
        "prodaccess boundaries --strict --format sarif": "In CI: exit code 1 unless all twelve are yes.",
    },
    uses={
        "AWS_REGION": "for --aws, with all that boto3 reads",
        "GITHUB_TOKEN": "for --github: may read administration and actions",
        "GITHUB_API_URL": "for a server of your own",
        "GITHUB_APP_ID": "our App",
        "GITLAB_TOKEN": "for --gitlab: read_api, a Maintainer's",
        "GITLAB_API_URL": "for a server of your own",
    },
    codes={
        GOOD: "it was looked at; without --strict also where something is not in order",
        PROBLEMS: "with --strict: an answer is no, or not known",
        USAGE: "it was typed wrongly, or the folder cannot be looked at",
    },
)
def boundaries(
    folder: Annotated[
        Path, typer.Argument(metavar="PATH", help="A checkout; the folder that one stands in unless said.")
    ] = _HERE,
    *,
    github: Annotated[
        str, typer.Option(metavar="OWNER/NAME", help="Ask GitHub about this repository, too; else nobody is asked.")
    ] = "",
    gitlab: Annotated[
        str, typer.Option(metavar="GROUP/NAME", help="Ask GitLab about this project, too; else nobody is asked.")
    ] = "",
    aws: Annotated[
        bool, typer.Option("--aws", help="Ask AWS about the buckets of production's states, with what boto3 finds.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 where an answer is no, or not known.")] = False,
    form: Annotated[Format, typer.Option("--format", metavar="FORM", help="text, json, sarif or html.")] = Format.TEXT,
    production: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="A further word that means production here, as in orders-WORD."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Where the state of production may stand; its own region unless said."),
    ] = None,
) -> None:
    """Answer twelve questions about the boundaries round production, each with file and line: yes, no, or not known.

    Terraform, workflows, code owners and policy folders of the checkout are read. docs/boundaries.md says what each answer means.
    """
    asked = _Asked(tuple(production or ()), tuple(region or ()), _rules(github, gitlab))
    report = _report(folder, asked, _aws() if aws else None)
    say(_written(report, form))
    if strict and not _all_yes(report):
        raise typer.Exit(PROBLEMS)


@dataclass(frozen=True, slots=True)
class _Asked:
    production: tuple[str, ...]
    regions: tuple[str, ...]
    rules: Mapping[str, Rules]


def _rules(repository: str, project: str) -> Mapping[str, Rules]:
    """Of each forge of which somebody named something, by its name."""
    from bot.boundaries.pipelines.gitlab import GITLAB
    from bot.boundaries.pipelines.workflows import GITHUB

    found: dict[str, Rules] = {}
    if repository:
        found[GITHUB] = _of_github(repository)
    if project:
        found[GITLAB] = _of_gitlab(project)
    return found


def _of_github(repository: str) -> Rules:
    from bot.boundaries.forge.client import GitHubClient
    from bot.boundaries.forge.github import GitHubRules
    from bot.settings import process_environ

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+", repository):
        end(f"--github takes OWNER/NAME, as larkspur/orders, not {repository!r}.", USAGE)
    base, token = _address_and_token("GITHUB", "https://api.github.com")
    app_id = process_environ().get("GITHUB_APP_ID", "")
    return GitHubRules(GitHubClient(base, repository, token), repository, app_id)


def _of_gitlab(project: str) -> Rules:
    from bot.boundaries.forge.client import GitLabClient
    from bot.boundaries.forge.gitlab import GitLabRules

    part = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
    if not re.fullmatch(rf"{part}(?:/{part})+", project):
        end(f"--gitlab takes GROUP/NAME, as larkspur/orders, not {project!r}.", USAGE)
    base, token = _address_and_token("GITLAB", "https://gitlab.com/api/v4")
    return GitLabRules(GitLabClient(base, project, token), project)


def _address_and_token(forge: str, usual: str) -> tuple[str, str | None]:
    """Of the variables of this forge; the token travels to that address alone."""
    from bot.directory.one_answer import may_carry_secrets
    from bot.settings import commands_secret, process_environ

    environ = process_environ()
    base = environ.get(f"{forge}_API_URL") or usual
    if not may_carry_secrets(base):
        end(f"{forge}_API_URL must be an https:// address, because the token travels to it.", USAGE)
    token = commands_secret(f"{forge}_TOKEN", environ)
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        end(f"{forge}_TOKEN is not one word: look at it.", USAGE)
    return base, token


def _aws() -> AwsLook:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from bot.boundaries.cloud.aws import AwsLook

    patient = Config(connect_timeout=5, read_timeout=15, retries={"max_attempts": 3, "mode": "standard"})
    try:
        session = boto3.Session()
        account = session.client("sts", config=patient).get_caller_identity()["Account"]
        return AwsLook(session.client("s3", config=patient), session.client("iam", config=patient), account)
    except (BotoCoreError, ClientError) as problem:
        end(f"--aws: AWS cannot be asked ({type(problem).__name__}): give boto3 credentials and AWS_REGION.", USAGE)


def _report(folder: Path, asked: _Asked, aws: AwsLook | None) -> Report:
    from bot.boundaries.answers.every import report_of
    from bot.boundaries.cloud.ask import live_of
    from bot.boundaries.limits import THINK_S_MAX
    from bot.boundaries.production import Production
    from bot.boundaries.reading.checkout import Refusal
    from bot.boundaries.reading.parser import NotInstalled, look_for_parsers
    from bot.boundaries.seen import look
    from bot.boundaries.thinking import at_most

    try:
        look_for_parsers()
        with at_most(THINK_S_MAX):
            seen = look(folder, Production(asked.production), asked.regions)
            live = {} if aws is None else live_of(seen, aws)
            return report_of(replace(seen, rules=asked.rules, live=live), str(folder))
    except (NotInstalled, Refusal) as problem:
        end(str(problem), USAGE)


def _written(report: Report, form: Format) -> str:
    from bot.boundaries.writing.as_json import as_json
    from bot.boundaries.writing.sarif import as_sarif
    from bot.boundaries.writing.text import lines
    from bot.cli.pages.boundaries import page

    if form in (Format.JSON, Format.SARIF):
        return json.dumps(as_json(report) if form is Format.JSON else as_sarif(report), indent=2, ensure_ascii=False)
    if form is Format.HTML:
        return "".join(page(report))
    return "\n".join(lines(report, width()))


def _all_yes(report: Report) -> bool:
    from bot.boundaries.model import Verdict

    return all(answer.verdict is Verdict.YES for answer in report.answers)
