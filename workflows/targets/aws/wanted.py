"""What the policy wants of one connection to AWS, by name: what roles give, in which accounts, and who may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from workflows.core.identity import Address
from workflows.core.policy import Entitlement
from workflows.core.provider import TemplateRefused
from workflows.core.question import Question
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsConnection, AwsTerms, own_terms

# People who may ask for a role are looked up, so many of each role.
PEOPLE_OF_A_ROLE_MAX = 5
# Stands in where a name is wanted that is the same for everybody.
_ANYBODY = Address("nobody@example.com")
# And where it is not: no name of the policy's has this in it.
WHOEVER = "0.whoever.0"
SOMEBODY = Address(f"{WHOEVER}@example.com")


@dataclass(frozen=True)
class Wanted:
    """`entitlements`: of this connection. `holders`: who may ask for one, as far as is known."""

    connection: AwsConnection
    entitlements: tuple[Entitlement, ...]
    holders: Callable[[Entitlement], Iterable[Address]]

    @property
    def kinds(self) -> frozenset[AwsKind]:
        return frozenset(map(kind_of, self.entitlements))

    def names(self, kind: AwsKind, field: str) -> tuple[str, ...]:
        """What the roles of this kind name there, placeholders filled in."""
        found = (terms_of(one, _ANYBODY) for one in self.entitlements if kind_of(one) is kind)
        return tuple(dict.fromkeys(str(name) for terms in found if terms and (name := getattr(terms, field))))

    def patterns(self, kind: AwsKind, field: str, *, mark: bool = False) -> tuple[str, ...]:
        """As `names`, with a star for what differs from person to person: a pattern. `mark`: with `WHOEVER` in its place."""
        found = (terms_of(one, SOMEBODY) for one in self.entitlements if kind_of(one) is kind)
        names = (str(getattr(terms, field) or "") for terms in found if terms)
        return tuple(dict.fromkeys(name if mark else name.replace(WHOEVER, "*") for name in names if name))

    def accounts(self) -> dict[str, list[str]]:
        """Those in which permission sets are given -> the environments that name them."""
        found: dict[str, dict[str, None]] = {}
        for one in self.entitlements:
            if kind_of(one) is AwsKind.IDENTITY_CENTER and one.account is not None:
                found.setdefault(one.account, {})[one.environment] = None
        return {account: list(environments) for account, environments in found.items()}

    def may_ask(self) -> Iterator[tuple[Address, AwsTerms]]:
        """Some of those who may ask for each role, with what they would be given."""
        for entitlement in self.entitlements:
            for person in sorted(self.holders(entitlement))[:PEOPLE_OF_A_ROLE_MAX]:
                terms = terms_of(entitlement, person)
                if terms is not None:
                    yield person, terms

    def users(self) -> tuple[str, ...]:
        """IAM users on which a policy would be written."""
        found = (terms.user for _, terms in self.may_ask() if terms.kind is AwsKind.IAM_POLICY)
        return tuple(dict.fromkeys(user for user in found if user))


def entitlements_of(question: Question, connection: str) -> tuple[Entitlement, ...]:
    return tuple(one for one in question.entitlements if one.connection.name == connection)


def kind_of(entitlement: Entitlement) -> AwsKind:
    return AwsKind(entitlement.target.kind)


def terms_of(entitlement: Entitlement, person: Address) -> AwsTerms | None:
    """None where a value may not be used, which the policy's own check tells."""
    target, where = entitlement.target, entitlement.connection
    try:
        return own_terms(target.terms(where, entitlement.environment, entitlement.account, person))
    except TemplateRefused:
        return None
