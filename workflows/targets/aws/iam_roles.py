"""IAM roles that belong to a pipeline: found by name, at a gate's disposal by the tag `prodaccess:gate`, taken on by no person.

The tag is set by whoever owns the account, so a policy that names somebody else's role gives nothing. Who may take on a role, its
trust policy says; a role that people can is theirs as much as the pipeline's, and what a gate gives would be access of people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.core.refusal import Code, Refused
from workflows.ports import TargetRefused
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Missing
from workflows.targets.aws.lacking import missing
from workflows.targets.aws.rights import identity
from workflows.targets.aws.terms import AwsTerms

TAG = "prodaccess:gate"
# Roles of Identity Center and of AWS's own services.
_RESERVED = ("/aws-reserved/", "/aws-service-role/")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/(?!aws-reserved/)(?!.*AWSReservedSSO_)[\w+=,.@/-]+")
_OIDC = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/(.+)")
_DEMANDS = frozenset(f"{how}{what}" for how in ("", "foranyvalue:") for what in ("stringequals", "stringlike"))
# Without a pattern in it, or with a whole first name before that: `repo:acme/*`, and neither `repo:*` nor `repo:acme*`.
_SUBJECT = re.compile(r"[^*?$]+|[^*?$:]+:[^*?$:/]+[:/][^$]*")
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
_TAKING_ON = frozenset({"sts:assumerole", "sts:assumerolewithwebidentity", "sts:tagsession", "sts:setsourceidentity"})


@dataclass(frozen=True, slots=True)
class IamRole:
    """`id`: `AROA...`. `gate`: what the tag says; None without it. `trust`: its trust policy."""

    name: str
    id: str
    arn: str
    account: str
    path: str
    gate: str | None
    trust: Mapping[str, Any]


def role_named(link: Link, name: str) -> IamRole | None:
    """One call. None where there is no such role. Raises as `Door.read` does."""
    try:
        role = link.iam.read("iam GetRole", lambda client: _role(client.get_role(RoleName=name)["Role"]))
    except Missing:
        return None
    link.remember_account(role.account)
    return role


def doubt_of_role(link: Link, account: str, role: str) -> str | None:
    """As `iam_users.doubt_of`: why it is not proved that something is gone which IAM does not know."""
    try:
        if link.known_account() is None:
            role_named(link, role)
        asked = link.known_account() or link.account()
    except TargetRefused as refused:
        return refused.words
    return None if asked == account else f"That was asked in account {asked}, and the access is in {account}."


def of_pipeline(link: Link, terms: AwsTerms) -> IamRole | Refused:
    """The role of the terms, if it is in their account, at this gate's disposal, and nobody's but a pipeline's. One call."""
    where = f"AWS IAM (connection {link.place.connection})"
    if terms.role is None or terms.account is None:
        return missing("role of the pipeline, or account", "the policy")
    role = role_named(link, terms.role)
    if role is None:
        return missing(f"IAM role {terms.role}", where)
    problem = problem_of(role, terms) or _own(link, role)
    return Refused(Code.TARGET_REFUSED, {"words": problem}) if problem else role


def _own(link: Link, role: IamRole) -> str | None:
    """Whoever gives must not be able to give to themselves."""
    own = link.place.role_arn or identity(link).source or ""
    mine = own.split(":")[4:5] == [role.account] and own.rpartition("/")[2] == role.name
    return f"{role.name} is the worker's own role." if mine else None


def problem_of(role: IamRole, terms: AwsTerms) -> str | None:
    """Why this role is given nothing, in a sentence; None where it may be."""
    if role.account != terms.account:
        return f"The role {role.name} is in account {role.account}, and the environment is in {terms.account}."
    if role.path.startswith(_RESERVED):
        return f"{role.name} is a role of people or of AWS: its path is {role.path}."
    if role.gate != terms.gate:
        return f"The role {role.name} does not carry the tag {TAG} = {terms.gate}: set it where that is meant."
    return next(_who_else(role), None)


def still_the_pipelines(link: Link, terms: AwsTerms, ids: Mapping[str, str]) -> None:
    """Raises TargetRefused where the name now means another role, or one that may be given nothing any more."""
    role = role_named(link, ids["role"])
    if role is None or role.id != ids["user_id"]:
        name = ids["role"]
        raise TargetRefused(
            f"The IAM role {name} is not the one that was approved: it was deleted or made anew. Ask again."
        )
    problem = problem_of(role, terms)
    if problem:
        raise TargetRefused(problem)


# ---------------------------------------------------------------- who may take it on


def _who_else(role: IamRole) -> Iterator[str]:
    """Whoever may take it on and is, or may be, a person. What cannot be read may be one."""
    found = role.trust.get("Statement")
    statements = found if isinstance(found, list) else [found]
    allowed = [one for one in statements if isinstance(one, dict) and one.get("Effect") != "Deny"]
    if not allowed or any(not isinstance(one, dict) for one in statements):
        yield f"Who may take on {role.name} cannot be read from its trust policy."
    for one in allowed:
        if who := _person_in(one):
            yield f"People may take on {role.name}: its trust policy names {who}. A gate gives to a pipeline's role alone."


def _person_in(statement: Mapping[str, Any]) -> str:
    """Of one statement; empty where it names pipelines and machines alone."""
    actions = {str(one).casefold() for one in _listed(statement.get("Action"))}
    principal = statement.get("Principal")
    if not isinstance(principal, dict) or "NotPrincipal" in statement or not actions:
        return "everybody"
    if odd := sorted(actions - _TAKING_ON):
        return odd[0]
    named = [(kind, str(who)) for kind, several in principal.items() for who in _listed(several)]
    return next((who for kind, who in named if not _is_machine(kind, who, statement)), "")


def _is_machine(kind: str, who: str, statement: Mapping[str, Any]) -> bool:
    """Another role, a service, or whom a forge vouches for by name. An account, a user, SAML, `*`: people."""
    if kind == "AWS":
        return _ROLE.fullmatch(who) is not None
    if kind == "Service":
        return _SERVICE.fullmatch(who) is not None
    oidc = _OIDC.fullmatch(who) if kind == "Federated" else None
    return oidc is not None and _demands_a_subject(statement, f"{oidc[1]}:sub")


def _demands_a_subject(statement: Mapping[str, Any], key: str) -> bool:
    """Whoever has an account at the forge has a token of it: the condition says whose is meant. What only keeps some out, or asks
    for nothing where there is nothing to look at, lets the others in.
    """
    conditions = statement.get("Condition")
    blocks = conditions.items() if isinstance(conditions, dict) else ()
    asked = [
        _listed(value)
        for operator, block in blocks
        if str(operator).casefold() in _DEMANDS and isinstance(block, dict)
        for name, value in block.items()
        if str(name).casefold() == key.casefold()
    ]
    return any(subjects and all(_SUBJECT.fullmatch(str(one)) for one in subjects) for subjects in asked)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _role(found: Any) -> IamRole:
    tags = [tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == TAG]
    trust = found.get("AssumeRolePolicyDocument")
    return IamRole(
        name=found["RoleName"],
        id=found["RoleId"],
        arn=found["Arn"],
        account=found["Arn"].split(":")[4],
        path=found.get("Path", "/"),
        gate=tags[0] if tags else None,
        trust=trust if isinstance(trust, Mapping) else {},
    )
