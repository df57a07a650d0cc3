"""Whether pipelines' roles can be given what gates give, found by what happens when a pipeline asks. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from workflows.core.finding import Finding, ok
from workflows.core.identity import Address
from workflows.targets.aws.asking import SEE, attempt
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.wanted import Wanted, kind_of, terms_of

# Of a request that there never was, and of nobody: it only names what would be written.
_REQUEST, _NOBODY = "PA-0", Address("")


def pipeline_roles(targets: AwsTargets, wanted: Wanted) -> Iterator[Finding]:
    """Each once, for each environment whose gates name it."""
    asked: set[tuple[str, str]] = set()
    for one in wanted.entitlements:
        terms = terms_of(one, _NOBODY) if kind_of(one) is AwsKind.IAM_ROLE_POLICY else None
        if terms is None or (one.environment, str(terms.role)) in asked:
            continue
        asked.add((one.environment, str(terms.role)))
        what = f"role {terms.role} ({one.environment})"
        mend = f"correct the gate's target, or the role: its tag, its trust policy, its account; {SEE}"
        ask = partial(targets.for_terms(terms).resolve, terms, _NOBODY, _REQUEST)
        found = attempt("targets.pipeline-role", what, ask, mend)
        yield (
            found
            if isinstance(found, Finding)
            else ok("targets.pipeline-role", what, "a gate can give it what it names")
        )
