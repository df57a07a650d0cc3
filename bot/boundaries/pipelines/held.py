"""What a job of GitHub holds: secrets, tokens for clouds, machines of one's own, and what its environment may give it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bot.boundaries.model import Place
from bot.boundaries.pipelines.job import Held, Named, What, deploying_in
from bot.boundaries.pipelines.matrix import instead_of
from bot.boundaries.pipelines.yaml_look import below, field, listed, text, texts
from bot.boundaries.reading.node import Fields, Node, Scalar

_SECRET = re.compile(r"\bsecrets\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_-]*)|\[\s*'([^']+)'\s*\])", re.IGNORECASE)
_ALL_SECRETS = re.compile(r"\bsecrets\s*(?:\[(?!\s*')|\)|\})|\btoJSON\(\s*secrets\b", re.IGNORECASE)
# Of AWS, Google, Azure and Kubernetes, by the names that their tools and actions give them.
_KEY = re.compile(
    r"AWS_(?:\w+_)?(?:ACCESS_KEY|SECRET_KEY|SECRET_ACCESS_KEY)|(?:GCP|GOOGLE)_(?:SA_KEY|CREDENTIALS|SERVICE_ACCOUNT_KEY)|GCLOUD_SERVICE_KEY"
    r"|CREDENTIALS_JSON|AZURE_CREDENTIALS|(?:AZURE|ARM)_CLIENT_SECRET|KUBE_?CONFIG",
    re.IGNORECASE,
)
# https://docs.github.com/en/actions/reference/runners/github-hosted-runners
_HOSTED = re.compile(
    r"(?:ubuntu|windows|macos)-(?:latest|slim|[0-9]+(?:\.[0-9]+)?)(?:-(?:large|xlarge|arm|arm64|intel|vs[0-9]+))*"
)


def held_of(
    file: str, job: Node, everything: Iterable[Named], permissions: Node | None, environment: Node | None
) -> tuple[Held, ...]:
    return tuple(dict.fromkeys(_held(file, job, everything, permissions, environment)))


def _held(
    file: str, job: Node, everything: Iterable[Named], permissions: Node | None, environment: Node | None
) -> Iterator[Held]:
    if environment is not None:
        yield Held("what its environment holds", Place(file, environment.line), What.ENVIRONMENT)
    if may_ask_for_tokens(permissions):
        place = Place(file, permissions.line if permissions else job.line)
        yield Held("a token for clouds (id-token: write)", place, What.TOKEN)
    for one in everything:
        for name in _secrets(one.text):
            yield Held(f"the secret {name}", one.place, What.SECRET)
        if _ALL_SECRETS.search(one.text):
            yield Held("all secrets", one.place, What.SECRET)
    if text(field(job, "secrets")) == "inherit":
        yield Held("all secrets (secrets: inherit)", Place(file, job.line), What.SECRET)
    if (uses := text(field(job, "uses"))) is not None:
        yield Held(f"what {uses} takes, which is not read here", Place(file, job.line), What.UNSEEN)
    runs_on = field(job, "runs-on")
    if runs_on is not None and not _is_hosted(job, runs_on):
        words = "a machine that is not GitHub's, with whatever stands there"
        yield Held(words, Place(file, runs_on.line), What.UNSEEN)


def _secrets(words: str) -> Iterator[str]:
    for found in _SECRET.finditer(words):
        name = found[1] or found[2]
        if name.upper() != "GITHUB_TOKEN":
            yield name


def _is_hosted(job: Node, node: Node) -> bool:
    names = texts(node)
    if not names or isinstance(node, Fields):
        return False
    found = [instead_of(job, name) for name in names]
    return all(values and all(_HOSTED.fullmatch(value) for value in values) for values in found)


def may_ask_for_tokens(permissions: Node | None) -> bool:
    """Whoever says nothing gets none."""
    if isinstance(permissions, Scalar):
        return permissions.text == "write-all"
    return text(field(permissions, "id-token")) == "write" or (
        permissions is not None and not isinstance(permissions, Fields | Scalar)
    )


def may_write(permissions: Node | None) -> bool:
    """Whether its token may write to the repository. Where nothing is said the repository's settings say."""
    if permissions is None:
        return True
    if isinstance(permissions, Scalar):
        return permissions.text not in ("read-all", None)
    return any(text(field(permissions, name)) == "write" for name in ("contents", "actions", "deployments"))


def roles_of(file: str, job: Node) -> tuple[Named, ...]:
    """Of steps that take on a role of AWS."""
    found = (field(step, "with", "role-to-assume") for step in listed(field(job, "steps")))
    return tuple(one for node in found for one in below(file, node))


def keys_of(pairs: Iterable[tuple[str, Named]]) -> tuple[Named, ...]:
    """Secrets that are keys of a cloud by their name, or by what they are handed on as: they last until they are taken away."""
    return tuple(
        dict.fromkeys(
            Named(name, one.place)
            for key, one in pairs
            for name in _secrets(one.text)
            if any(map(_KEY.search, (name, key.replace("-", "_"), one.text)))
        )
    )


def strong_of(file: str, job: Node) -> Iterator[Named]:
    """What says for what a job is: its title, the role that it takes on, the folder that it works in, what it hands on."""
    for node in (field(job, "name"), field(job, "defaults", "run", "working-directory"), field(job, "with")):
        yield from below(file, node)
    for step in listed(field(job, "steps")):
        yield from below(file, field(step, "with", "role-to-assume"))
        yield from below(file, field(step, "working-directory"))
        yield from deploying_in(below(file, field(step, "run")))
