"""`prodaccess aws guardrails`: what an organisation keeps everybody in production from, whatever a role of theirs allows."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.aws.asked import BUCKET, PATH, PRINCIPAL, all_checked, checked, policy_of
from bot.cli.aws.printed import Format, as_text, note, print_json, write_files
from bot.cli.program import POLICY, PROBLEMS, USAGE, Folder, end, say, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.core.policy import Entitlement, Policy
    from workflows.targets.aws.role_rights.organisation import Asked, State

_REGION = re.compile(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]+")
_SERVICE = re.compile(r"[a-z0-9-]{2,40}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_PIPELINE_LIKE = "arn:aws:iam::111122223333:role/orders-pipeline"
_NAME = "prodaccess-production"


class Which(StrEnum):
    SCP = "scp"
    BUCKET = "bucket"


@told(
    examples={
        "prodaccess aws guardrails --regions eu-central-1,eu-west-1 --deny-services lightsail,gamelift": "",
        f"prodaccess aws guardrails --state-bucket s3://acme-state/production --pipeline-role {_PIPELINE_LIKE}": (
            "Production's Terraform state is written by this pipeline, and by grants of the policy."
        ),
    },
    uses=POLICY,
    codes={PROBLEMS: "the policy folder has problems, or a document would be too long for AWS"},
)
def guardrails(
    folder: Folder = Path("config"),
    *,
    regions: Annotated[str, typer.Option(metavar="LIST", help="Where production may be; a comma between two.")] = "",
    global_services: Annotated[
        str, typer.Option(metavar="LIST", help="Services without a region that are used beside the usual ones.")
    ] = "",
    deny_services: Annotated[str, typer.Option(metavar="LIST", help="What production does not use: lightsail.")] = "",
    state_bucket: Annotated[
        str, typer.Option(metavar="BUCKET", help="Production's Terraform state: s3://B/PREFIX.")
    ] = "",
    pipeline_role: Annotated[
        list[str] | None, typer.Option(metavar="ARN", help="Who writes it. Repeat it for several.")
    ] = None,
    lock_table: Annotated[str, typer.Option(metavar="NAME", help="The table in DynamoDB that locks it.")] = "",
    state_role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="A role of the policy whose grants write it, too. Repeat it for several."),
    ] = None,
    administrator: Annotated[
        list[str] | None, typer.Option(metavar="ARN", help="Who may change settings of the bucket. Repeat it.")
    ] = None,
    user_path: Annotated[
        str, typer.Option(metavar="PATH", help="The IAM path of people's users, with a slash at its end.")
    ] = "",
    user_account: Annotated[str, typer.Option(metavar="ID", help="The account of people's IAM users.")] = "",
    part: Annotated[
        Which | None, typer.Option(metavar="PART", help="Only scp, the control policies, or bucket.")
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", metavar="json|terraform", help="How it is written.")
    ] = Format.JSON,
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a file for each document there.")] = None,
) -> None:
    """Print guardrails for production: its regions, services that it does not use, and who writes its Terraform state.

    A service control policy for production's organisational unit, and a policy for the state's bucket. Nothing is changed in AWS.
    """
    from workflows.targets.aws.role_rights.organisation import Asked

    asked = Asked(
        regions=_listed("--regions", regions, _REGION, "eu-central-1,eu-west-1"),
        services=_listed("--deny-services", deny_services, _SERVICE, "lightsail,gamelift"),
        global_services=_listed("--global-services", global_services, _SERVICE, "chatbot,artifact"),
        path=checked("--user-path", user_path, PATH, "people/")[0],
        users_in=checked("--user-account", user_account, _ACCOUNT, "111122223333")[0] if user_account else "",
        state=_state(state_bucket, pipeline_role or (), administrator or (), lock_table),
    )
    if not (asked.regions or asked.services or asked.state):
        end("Say what it shall hold: --regions, --deny-services, or --state-bucket with --pipeline-role.", USAGE)
    known = policy_of(folder)
    asked = _with_grants(known, replace(asked, partition=_partition(known)), tuple(state_role or ()))
    _print(known, asked, part, format_, into)


def _listed(option: str, text: str, shape: re.Pattern[str], example: str) -> tuple[str, ...]:
    words = (word.strip() for word in text.split(","))
    return tuple(dict.fromkeys(checked(option, word, shape, example)[0] for word in words if word))


def _state(bucket: str, pipelines: Sequence[str], administrators: Sequence[str], locks: str) -> State | None:
    from workflows.targets.aws.role_rights.organisation import State

    if not bucket:
        if pipelines or locks:
            end("--pipeline-role and --lock-table say who writes the state: say where it is, --state-bucket.", USAGE)
        return None
    if not pipelines:
        end(f"Say which role of the pipeline writes the state: --pipeline-role {_PIPELINE_LIKE}", USAGE)
    name, prefix = checked("--state-bucket", bucket, BUCKET, "s3://acme-state/production").groups()
    return State(
        bucket=name,
        prefix=f"{prefix.strip('/')}/" if prefix else "",
        pipelines=all_checked("--pipeline-role", pipelines, PRINCIPAL, _PIPELINE_LIKE),
        administrators=all_checked(
            "--administrator", administrators, PRINCIPAL, "arn:aws:iam::111122223333:role/admin"
        ),
        locks=checked("--lock-table", locks, _TABLE, "terraform-locks")[0] if locks else "",
    )


def _production(policy: Policy) -> list[Entitlement]:
    from workflows.core.policy import Tier

    environments = (one for one in policy.environments.values() if one.tier is Tier.PRODUCTION)
    return [role for one in environments for role in one.given]


def _partition(policy: Policy) -> str:
    """All of an organisation's accounts are in one."""
    from workflows.targets.aws.terms import AwsConnection

    found = {one.partition for one in policy.connections.values() if isinstance(one, AwsConnection)}
    return min(found, default="aws")


def _with_grants(policy: Policy, asked: Asked, named: tuple[str, ...]) -> Asked:
    from workflows.targets.aws.role_rights.organisation import grants_that_write

    if asked.state is None:
        if named:
            end("--state-role says whose grants write the state: say where it is, --state-bucket.", USAGE)
        return asked
    production = _production(policy)
    unknown = sorted(set(named) - {one.role for one in production})
    if unknown:
        end(f"No environment of tier production has a role {unknown[0]!r}.", USAGE)
    found = grants_that_write(production, asked, named)
    if found.homeless:
        end(
            f"{found.homeless[0]} is given to IAM users, and the policy does not say in which account these are: "
            "--user-account 111122223333.",
            USAGE,
        )
    note(
        f"Whether {role} writes the state the policy does not say: --state-role {role} where it shall."
        for role in found.unsure
        if role not in named
    )
    note(
        f"Who holds {role} is not told by who they are in AWS, so its grants do not write the state."
        for role in found.unsure
        if role in named
    )
    return replace(asked, state=replace(asked.state, grants=found.principals))


def _print(policy: Policy, asked: Asked, part: Which | None, format_: Format, into: Path | None) -> None:
    from workflows.targets.aws.role_rights import hcl
    from workflows.targets.aws.role_rights.organisation import bucket_policy, control_policies, too_long
    from workflows.targets.aws.role_rights.statement import CONTROL_MAX

    long = too_long(asked)
    if long:
        end(f"{long[0]} has more than the {CONTROL_MAX:,} characters of a service control policy: name less at a time.")
    control = control_policies(asked) if part is not Which.BUCKET else ()
    names = [_NAME if number == 1 else f"{_NAME}-{number}" for number in range(1, len(control) + 1)]
    own = bucket_policy(asked) if part is not Which.SCP else None
    if part is Which.BUCKET and own is None:
        end("There is no policy for a bucket without one: --state-bucket.", USAGE)
    _tell(policy, asked, bool(control), own is not None)
    if format_ is Format.TERRAFORM:
        blocks = [
            hcl.control_policy(name, content, "Production: regions, services, state.")
            for name, content in zip(names, control, strict=True)
        ]
        if own is not None and asked.state is not None:
            blocks.append(hcl.bucket_policy(asked.state.bucket, own))
        text = "\n".join(blocks).rstrip()
        if into is None:
            say(text)
        else:
            write_files(into, {f"{_NAME}.tf": text})
        return
    named = {name: as_text(content, CONTROL_MAX) for name, content in zip(names, control, strict=True)}
    if own is not None:
        named[f"{_NAME}-state-bucket"] = as_text(own)
    if into is None:
        print_json(named)
    else:
        write_files(into, {f"{name}.json": text for name, text in named.items()})


def _tell(policy: Policy, asked: Asked, control: bool, bucket: bool) -> None:
    accounts = sorted({one.account for one in _production(policy) if one.account})
    found = []
    if control and accounts:
        found.append(f"The control policies are for the unit of production: account {', '.join(accounts)}.")
    if control:
        found.append("They do not bind the organisation's management account.")
    if bucket and asked.state is not None:
        found.append(f"A bucket has one policy: where {asked.state.bucket} has one, add these statements to it.")
        if not asked.state.grants:
            found.append("No grant of the policy writes the state: the pipeline alone does.")
    note(found)
