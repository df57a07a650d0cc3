"""`prodaccess aws policy`: what the worker's role needs for the policy in force, its boundary, and a guardrail round it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.aws.asked import PATH, PRINCIPAL, ROLE, all_checked, checked, policy_of
from bot.cli.aws.own_role import ROLE_LIKE, OwnRole, archive_of, ids_for, key_of
from bot.cli.aws.printed import Format, as_text, note, print_json, write_files
from bot.cli.program import POLICY, PROBLEMS, Folder, say, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.targets.aws.role_rights.documents import Document
    from workflows.targets.aws.role_rights.scope import Scope


class Which(StrEnum):
    WORKER = "worker"
    GUARDRAIL = "guardrail"
    BOUNDARY = "boundary"


@told(
    examples={
        f"prodaccess aws policy --role {ROLE_LIKE} --into rights": "All three, each in a file of its own.",
        f"prodaccess aws policy --role {ROLE_LIKE} --part worker": "What the worker's role may, to attach to it.",
        "prodaccess aws policy --connection shop --part worker": "For the role in another account that a connection names.",
        f"prodaccess aws policy --role {ROLE_LIKE} --format terraform": "",
    },
    uses={
        **POLICY,
        "PRODACCESS_AUDIT_BUCKET": "the archive",
        "PRODACCESS_AUDIT_RETENTION": "for how long",
        "PRODACCESS_AUDIT_KEY": "its key",
        "AWS_PROFILE": "who may read names",
    },
    codes={PROBLEMS: "something that AWS's documents need is not known: a sentence each says what"},
)
def policy(
    folder: Folder = Path("config"),
    *,
    role: Annotated[str, typer.Option(metavar="ARN", help="The worker's own role.")] = "",
    connection: Annotated[
        str,
        typer.Option(metavar="NAME", help="For the role that this connection takes on, in place of the worker's own."),
    ] = "",
    part: Annotated[
        Which | None, typer.Option(metavar="PART", help="Only the worker, the boundary or the guardrail.")
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", metavar="json|terraform", help="How it is written.")
    ] = Format.JSON,
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a file for each document there.")] = None,
    ids: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ids that --keep-ids wrote, in place of asking AWS.")
    ] = None,
    keep_ids: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the ids that AWS said there.")] = None,
    user_path: Annotated[
        str, typer.Option(metavar="PATH", help="The IAM path of people's users, with a slash at its end.")
    ] = "",
    pipeline_path: Annotated[str, typer.Option(metavar="PATH", help="The same of pipelines' own roles.")] = "",
    no_user_boundary: Annotated[
        bool, typer.Option("--no-user-boundary", help="Inline policies also on users outside prodaccess-boundary.")
    ] = False,
    administrator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARN", help="Who may change the worker's role, and settings of bucket and key. Repeat it."
        ),
    ] = None,
    sealing_role: Annotated[
        str, typer.Option(metavar="ARN", help="The role of the worker that seals, where it has one of its own.")
    ] = "",
    activity: Annotated[bool, typer.Option("--activity", help="With the right to look at CloudTrail.")] = False,
    no_doctor: Annotated[bool, typer.Option("--no-doctor", help="Without what only prodaccess doctor uses.")] = False,
    audit_bucket: Annotated[
        str,
        typer.Option(
            metavar="BUCKET", envvar="PRODACCESS_AUDIT_BUCKET", show_envvar=False, help="The archive of the audit log."
        ),
    ] = "",
    audit_retention: Annotated[
        str,
        typer.Option(
            metavar="DAYS",
            envvar="PRODACCESS_AUDIT_RETENTION",
            show_envvar=False,
            help="What each object is kept for: 2555d.",
        ),
    ] = "",
    audit_key: Annotated[
        str,
        typer.Option(
            metavar="ARN",
            envvar="PRODACCESS_AUDIT_KEY",
            show_envvar=False,
            help="The key of KMS that signs the audit log.",
        ),
    ] = "",
) -> None:
    """Print what the worker's role needs for the policy in force, the boundary that bounds it, and a guardrail round it.

    Exactly the instances, accounts, permission sets, users and groups that the policy names. AWS's documents want ids, so
    names are looked up in AWS, or in a file. Nothing is changed there.
    """
    from workflows.targets.aws.role_rights.documents import Part, rendered

    found = policy_of(folder)
    own = OwnRole(found, role, connection)
    frame = own.frame(
        checked("--user-path", user_path, PATH, "people/")[0],
        archive_of(audit_bucket, audit_retention),
        key_of(audit_key),
        bounded=not no_user_boundary,
        pipeline_path=checked("--pipeline-path", pipeline_path, PATH, "ci/")[0],
        sealer=checked("--sealing-role", sealing_role, ROLE, ROLE_LIKE)[0] if sealing_role else "",
        activity=activity,
        doctor=not no_doctor,
    )
    known = ids_for(own.through, ids, keep_ids)
    scope = own.scope(frame, known)
    administrators = all_checked(
        "--administrator", administrator or (), PRINCIPAL, "arn:aws:iam::111122223333:role/admin"
    )
    made = rendered(scope, administrators)
    note((*own.notes(), *made.notes))
    _print(scope, made.of(Part(part)) if part else made.documents, format_, into)


def _print(scope: Scope, documents: Sequence[Document], format_: Format, into: Path | None) -> None:
    from workflows.targets.aws.role_rights.documents import Part
    from workflows.targets.aws.role_rights.hcl import terraform
    from workflows.targets.aws.role_rights.statement import CONTROL_MAX

    if format_ is Format.TERRAFORM:
        text = terraform(scope, documents).rstrip()
        if into is None:
            say(text)
        else:
            write_files(into, {f"{scope.role_name}.tf": text})
        return
    named = {one.name: as_text(one.content, CONTROL_MAX if one.part is Part.GUARDRAIL else 0) for one in documents}
    if into is None:
        print_json(named)
    else:
        write_files(into, {f"{name}.json": text for name, text in named.items()})
