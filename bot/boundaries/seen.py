"""What a look at a checkout has found, before anything is judged; and how it is gathered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.boundaries.limits import STANZAS_MAX, STATES_MAX
from bot.boundaries.model import Evidence, Place, unknown
from bot.boundaries.owners.codeowners import Owners, owners_in
from bot.boundaries.owners.own_policy import FOLDERS_MAX, OwnPolicy, own_policies, policy_files
from bot.boundaries.pipelines.gitlab import GITLAB, GitLab
from bot.boundaries.pipelines.job import Job, Role
from bot.boundaries.pipelines.workflows import GITHUB, Workflows, workflows_of
from bot.boundaries.production import Production
from bot.boundaries.reading.checkout import Checkout, Left, Refusal, folder_of, read_checkout
from bot.boundaries.reading.kinds import GITHUB_OWNERS, GITLAB_OWNERS, Kind, kind_of
from bot.boundaries.reading.node import Node
from bot.boundaries.reading.parser import ChildParser, Parser, Unread
from bot.boundaries.rules import Rules
from bot.boundaries.terraform.files import Stanza, Terraform
from bot.boundaries.terraform.identities import Identity, identities_of
from bot.boundaries.terraform.live import Live
from bot.boundaries.terraform.states import State, states_of

# Folders whose Terraform shows how something is written, and is applied by nobody.
_EXAMPLES = frozenset({"example", "examples", "testdata", "fixture", "fixtures", "sample", "samples"})
_TESTS = frozenset({"test", "tests"})
_BACKEND = re.compile(
    r"^[ \t]*(?:backend[ \t]+\"|cloud[ \t]*\{)|terraform[ \t]*\{[ \t]*(?:backend|cloud)\b", re.MULTILINE
)
_TERRAFORM = frozenset({Kind.TERRAFORM, Kind.TERRAFORM_OVERRIDE, Kind.TERRAFORM_JSON, Kind.TERRAGRUNT})
_PIPELINES = frozenset({Kind.WORKFLOW, Kind.GITLAB, Kind.OTHER_PIPELINE})


@dataclass(frozen=True, slots=True)
class Seen:
    """`regions`: those that somebody allowed; none: production's own. `rules`: what each forge that was asked says, by name."""

    checkout: Checkout
    production: Production
    terraform: Terraform
    states: tuple[State, ...]
    identities: tuple[Identity, ...]
    workflows: Workflows
    gitlab: GitLab
    owners: Owners | None
    policies: tuple[OwnPolicy, ...]
    production_states: tuple[State, ...]
    other_states: tuple[State, ...]
    left: tuple[Left, ...]
    regions: tuple[str, ...] = ()
    rules: Mapping[str, Rules] = field(default_factory=dict)
    # What AWS says of a bucket and of who may write there; empty: it was not asked.
    live: Mapping[str, Live] = field(default_factory=dict)

    @property
    def jobs(self) -> tuple[Job, ...]:
        return (*self.workflows.jobs, *self.gitlab.jobs)

    @property
    def production_jobs(self) -> tuple[Job, ...]:
        return tuple(each for each in self.jobs if each.role is Role.PRODUCTION)

    @property
    def production_environments(self) -> frozenset[str]:
        """Those of the forge that its jobs name."""
        return frozenset(name for job in self.production_jobs for name in job.environments or ())

    @property
    def is_at_gitlab(self) -> bool:
        return ".gitlab-ci.yml" in self.checkout.names

    @property
    def forge(self) -> str:
        """Whose rules hold for the files of this checkout."""
        return GITLAB if self.is_at_gitlab else GITHUB

    def doubts_of_terraform(self) -> Iterator[Evidence]:
        """What keeps an answer that rests on all of Terraform from being a yes."""
        yield from self._doubts(_TERRAFORM)

    def doubts_of_pipelines(self) -> Iterator[Evidence]:
        yield from self._doubts(_PIPELINES)
        if self.workflows.cut:
            yield unknown("There are more jobs here than are read: name a folder, or split the repository.")

    def doubts_of_owners(self) -> Iterator[Evidence]:
        yield from self._doubts(frozenset({Kind.CODEOWNERS, Kind.POLICY}))

    def doubts_of_policies(self) -> Iterator[Evidence]:
        yield from self._doubts(frozenset({Kind.POLICY}))

    def _doubts(self, kinds: frozenset[Kind]) -> Iterator[Evidence]:
        for left in self.left:
            if left.kind is None or left.kind in kinds:
                yield unknown(f"It {left.why}: what it says is not known.", Place(left.path))


def look(folder: Path, production: Production, regions: tuple[str, ...] = (), parser: Parser | None = None) -> Seen:
    """Raises `Refusal` of `reading.checkout`. Nothing is run and nobody is asked."""
    checkout = read_checkout(folder)
    if parser is not None:
        return _seen(checkout, production, regions, parser)
    with ChildParser() as own:
        return _seen(checkout, production, regions, own)


def _seen(checkout: Checkout, production: Production, regions: tuple[str, ...], parser: Parser) -> Seen:
    more = policy_files(checkout, shows)[FOLDERS_MAX:]
    left = [*checkout.left, *_only_named(checkout)]
    left += [
        Left(name, f"is of one policy folder more than the {FOLDERS_MAX} that are read", Kind.POLICY) for name in more
    ]
    terraform = _terraform(checkout, parser, left)
    workflows = workflows_of(_yaml(checkout, Kind.WORKFLOW, parser, left), production)
    states = states_of(terraform)
    if len(states) > STATES_MAX:
        raise Refusal(f"There are more than {STATES_MAX:,} states of Terraform here: name a folder of it.")
    ours = [state.is_production(production) for state in states]
    gitlab = GitLab(dict(_yaml(checkout, Kind.GITLAB, parser, left)), production).read()
    return Seen(
        checkout,
        production,
        terraform,
        states,
        identities_of(terraform),
        workflows,
        gitlab,
        _owners(checkout),
        own_policies(checkout, shows),
        tuple(state for state, is_ours in zip(states, ours, strict=True) if is_ours),
        tuple(state for state, is_ours in zip(states, ours, strict=True) if not is_ours),
        tuple(left),
        regions,
    )


def _only_named(checkout: Checkout) -> Iterator[Left]:
    """What is there and is not read by anybody here."""
    for name in sorted(checkout.names):
        kind = kind_of(name)
        if kind in (Kind.TERRAFORM_OVERRIDE, Kind.TERRAFORM_JSON, Kind.TERRAGRUNT, Kind.OTHER_PIPELINE):
            yield Left(name, f"is {kind.value}, which is not read", kind)


def shown_only(checkout: Checkout) -> frozenset[str]:
    """Files of Terraform that nobody applies. An environment may be called `test`: what names a backend there is none of them."""
    shown = [(path, text) for path, text in checkout.of(Kind.TERRAFORM) if shows(path)]
    applied = {folder_of(path) for path, text in shown if _BACKEND.search(text) and not _folders(path) & _EXAMPLES}
    return frozenset(path for path, _ in shown if folder_of(path) not in applied)


def shows(path: str) -> bool:
    """Whether it stands in a folder of examples or tests."""
    return bool(_folders(path) & (_EXAMPLES | _TESTS))


def _folders(path: str) -> set[str]:
    return set(path.lower().split("/")[:-1])


def _terraform(checkout: Checkout, parser: Parser, left: list[Left]) -> Terraform:
    stanzas: list[Stanza] = []
    workspaced = set()
    shown = shown_only(checkout)
    for path, text in checkout.of(Kind.TERRAFORM):
        if path in shown:
            continue
        if "terraform.workspace" in text:
            workspaced.add(folder_of(path))
        try:
            stanzas += (Stanza(path, block) for block in parser.hcl(text).blocks)
        except Unread as why:
            left.append(Left(path, str(why), Kind.TERRAFORM))
    doubtful = frozenset(folder_of(each.path) for each in left if each.kind in _TERRAFORM)
    if len(stanzas) > STANZAS_MAX:
        raise Refusal(f"There are more than {STANZAS_MAX:,} blocks of Terraform here: name a folder of it.")
    return Terraform.of(tuple(stanzas), doubtful, frozenset(workspaced))


def _yaml(checkout: Checkout, kind: Kind, parser: Parser, left: list[Left]) -> Iterator[tuple[str, Node]]:
    for path, text in checkout.of(kind):
        try:
            documents = parser.yaml(text)
        except Unread as why:
            left.append(Left(path, str(why), kind))
            continue
        if len(documents) > 1 and kind is Kind.WORKFLOW:
            left.append(Left(path, "has more than one document", kind))
        elif documents:
            # GitLab's own has a head about inputs before it.
            yield path, documents[-1]


def _owners(checkout: Checkout) -> Owners | None:
    """The file that counts: the first one that is there."""
    at_gitlab = ".gitlab-ci.yml" in checkout.names
    at_github = not at_gitlab or any(kind_of(name) is Kind.WORKFLOW for name in checkout.names)
    firsts = [
        next((name for name in names if name in checkout.names), None)
        for names, here in ((GITHUB_OWNERS, at_github), (GITLAB_OWNERS, at_gitlab))
        if here
    ]
    file = firsts[0] or firsts[-1]
    if file is None:
        return None
    if len({*firsts}) > 1:
        return Owners(file, (), "GitHub and GitLab, which both have pipelines here, look for it in different places")
    text = checkout.texts.get(file)
    return owners_in(file, text) if text is not None else Owners(file, (), "it was not read")
