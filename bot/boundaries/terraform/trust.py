"""Which runs of a pipeline a role of AWS trusts: the `sub` and `aud` of their tokens, exactly or by a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.boundaries.model import Evidence, Place, Verdict, no, unknown, yes
from bot.boundaries.terraform.files import HOLE
from bot.boundaries.terraform.identities import Identity
from bot.boundaries.terraform.policies import Condition, Policy, Statement

# Tests that a token without the claim passes as well, or that hold where nothing is there.
_LOOSE = ("ifexists", "forallvalues:")
_ACTION = "sts:AssumeRoleWithWebIdentity"
_EXACT = ("stringequals", "foranyvalue:stringequals")
_LIKE = ("stringlike", "foranyvalue:stringlike")
# One run's kind: an environment, a branch or a tag of one repository. `pull_request` is anybody's who may open one.
# https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
_ONE_AT_GITHUB = re.compile(
    r"repo:[\w.-]+(?:@[0-9]+)?/[\w.-]+(?:@[0-9]+)?:(?:environment:[^*?]+|ref:refs/(?:heads|tags)/[^*?]+)"
)
# https://docs.gitlab.com/ci/cloud_services/#configure-a-conditional-role-with-oidc-claims
_ONE_AT_GITLAB = re.compile(r"project_path:[\w./-]+:ref_type:(?:branch|tag):ref:[^*?]+")


def trusts_of(identity: Identity) -> Iterator[Evidence]:
    """What its trust policy says, a line for each statement that lets in by a token; nothing where none does."""
    if identity.trust is None:
        return
    if not identity.trust.complete:
        yield unknown(f"Whom {identity.title} trusts is worked out by a run.", identity.trust.place)
        return
    found = [
        _judged(identity, statement, identity.trust.place)
        for statement in identity.trust.statements
        if statement.allows and _takes_tokens(statement)
    ]
    yield from found
    if found:
        yield from _others(identity, identity.trust)


def subjects_of(identity: Identity) -> tuple[str, ...]:
    """Each `sub` that is let in, where those are named exactly."""
    if identity.trust is None or any(one.verdict is not Verdict.YES for one in trusts_of(identity)):
        return ()
    return tuple(
        dict.fromkeys(
            value
            for statement in identity.trust.statements
            if statement.allows and _takes_tokens(statement)
            for condition in statement.conditions
            if condition.key.lower().endswith(":sub")
            for value in condition.values
        )
    )


def _others(identity: Identity, trust: Policy) -> Iterator[Evidence]:
    """Who takes it on beside runs: people, or roles that people may take on."""
    for statement in trust.statements:
        if not statement.allows or statement.takes("sts:AssumeRole") is Verdict.NO:
            continue
        for principal in statement.principals:
            if principal.startswith(("Service:", "Federated:")):
                continue
            words = f"{identity.title} lets {principal.removeprefix('AWS:').replace(HOLE, '...')[:120]} take it on, too"
            wide = principal in ("*", "AWS:*") or re.search(r":(?:root|user/.*)\Z|:[0-9]{12}\Z", principal)
            if wide and not statement.conditions:
                yield no(f"{words}: that is no run.", trust.place)
            else:
                yield unknown(f"{words}: who that is is not told here.", trust.place)


def _takes_tokens(statement: Statement) -> bool:
    by_token = any(
        each in ("*", "AWS:*", "*:*") or (each.startswith("Federated:") and ":saml-provider/" not in each)
        for each in statement.principals
    )
    return (by_token or statement.not_principals) and statement.takes(_ACTION) is not Verdict.NO


def _judged(identity: Identity, statement: Statement, place: Place) -> Evidence:
    if any(HOLE in each.test + each.key for each in statement.conditions):
        return unknown(f"Whom {identity.title} trusts is worked out by a run.", place)
    named = [each for each in statement.conditions if each.key.lower().endswith(":sub")]
    if not named:
        return no(f"{identity.title} trusts every repository of the forge: nothing is asked of `sub`.", place)
    words = [_subject(identity, each, place) for each in named]
    # Conditions all hold: one that is exact is enough.
    best = min(words, key=lambda one: ("yes", "not known", "no").index(one.verdict.value))
    if best.verdict.value != "yes":
        return best
    audience = [each for each in statement.conditions if each.key.lower().endswith(":aud")]
    if not any(each.test.lower() in _EXACT and each.values for each in audience):
        return no(f"{identity.title} takes tokens that were made for somebody else: nothing is asked of `aud`.", place)
    return best


def _subject(identity: Identity, condition: Condition, place: Place) -> Evidence:
    test = condition.test.lower()
    if any(word in test for word in _LOOSE):
        return no(f"{identity.title} takes tokens without `sub`, too: {condition.test}.", place)
    if test not in (*_EXACT, *_LIKE):
        return unknown(f"{identity.title} asks something of `sub` that is not read here: {condition.test}.", place)
    if not condition.values or any(HOLE in value for value in condition.values):
        return unknown(f"Which `sub` {identity.title} trusts is worked out by a run.", place)
    for value in condition.values:
        if test in _LIKE and re.search(r"[*?]", value):
            return no(f"{identity.title} trusts more than one: {value}.", place)
        if value.endswith(":pull_request"):
            return no(f"{identity.title} trusts runs of pull requests: {value}.", place)
        if not (_ONE_AT_GITHUB.fullmatch(value) or _ONE_AT_GITLAB.fullmatch(value)):
            return unknown(f"What {identity.title} trusts is not told by `sub` alone: {value}.", place)
    return yes(f"{identity.title} trusts {' and '.join(condition.values)} alone.", place)
