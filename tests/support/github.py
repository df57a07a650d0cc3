"""GitHub as an App with a deployment protection rule sees it, over HTTP: logins, runs, branches, deployments and reviews.

Strict: a login is proved with the App's public key and ends within ten minutes; a token is good for the repositories and with the
permissions that it was asked for; a review is taken once, of what waits. What is not here is 404.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bot.forge import app_login
from bot.sandbox.made_once import made_once
from tests.support.http_stand_in import Asked, Query, StandIn, serving
from tests.support.pipelines import COMMIT

APP_ID = "424242"
INSTALLATION = 777
SECRET = "webhook-secret-of-thirty-two-and-more"
REPOSITORY_ID, OWNER_ID = 1296269, 583231
NAME = "acme/orders"
# Seconds that GitHub grants.
LOGIN_S_MAX = 600


# The same keys are read in hundreds of tests, and each time OpenSSL would look for a twentieth of a second whether their primes
# are any.
app_login.load_pem_private_key = cache(load_pem_private_key)


@made_once
def app_key(name: str) -> rsa.RSAPrivateKey:
    """One for each name, made once."""
    del name
    return rsa.generate_private_key(65537, 2048)


def write_app_key(file: Path, name: str = "app") -> Path:
    file.write_bytes(app_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def user(number: int, name: str, kind: str = "User") -> dict[str, Any]:
    return {"login": name, "id": number, "type": kind, "site_admin": False}


DANA, OLU, PAT = user(1001, "dana-gh"), user(1002, "olu-gh"), user(1003, "pat-gh")
BOT = user(41898282, "github-actions[bot]", "Bot")


@dataclass
class Run:
    """`waits`: environment -> number of the deployment that waits for us."""

    id: int
    actor: dict[str, Any] = field(default_factory=lambda: DANA)
    again_by: dict[str, Any] | None = None
    attempt: int = 1
    commit: str = COMMIT
    branch: str = "main"
    event: str = "push"
    repository_id: int = REPOSITORY_ID
    owner_id: int = OWNER_ID
    name: str = NAME
    home_id: int | None = None
    path: str = ".github/workflows/deploy.yml"
    title: str = "Faster checkout"
    status: str = "waiting"
    conclusion: str | None = None
    waits: dict[str, int] = field(default_factory=dict)


class GitHub(StandIn):
    """`reviews`: what was taken, `(run, environment, state, comment)`."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__()
        self.url, self.now_s = "", now_s
        self.public = app_key("app").public_key()
        self.suspended = False
        self.granted = {"actions": "read", "contents": "read", "deployments": "write", "metadata": "read"}
        self.events = ["deployment_protection_rule"]
        self.installed: set[int] = {REPOSITORY_ID}
        self.runs: dict[int, Run] = {}
        # Name -> commit at its tip, and whether it is protected.
        self.branches: dict[str, tuple[str, bool]] = {"main": (COMMIT, True)}
        # Tip -> commits that it leads to.
        self.behind: dict[str, set[str]] = {}
        self.authors: dict[str, tuple[Any, Any]] = {COMMIT: (DANA, DANA)}
        self.statuses: dict[int, list[str]] = {}
        self.reviews: list[tuple[int, str, str, str]] = []
        # As the repository is called now.
        self.name = NAME
        self.deliveries: list[dict[str, Any]] = []
        # GUIDs of which the app wanted another delivery.
        self.repeats: list[str] = []
        self._tokens: dict[str, tuple[frozenset[int], dict[str, str], float]] = {}
        self._next = 5000

    # ------------------------------------------------------------ what happens there

    def waits(self, environment: str = "production", run: Run | None = None, **changes: Any) -> Run:
        """A run has come to a job with this environment."""
        self._next += 1
        found = run or Run(22259804000 + self._next, **changes)
        self.runs[found.id] = found
        found.waits[environment] = self._next
        self.statuses[self._next] = ["waiting"]
        return found

    def run_again(self, run: Run, by: dict[str, Any]) -> Run:
        """The whole of it: another attempt, with deployments of its own."""
        run.attempt, run.again_by, run.status, run.conclusion = run.attempt + 1, by, "waiting", None
        for environment in tuple(run.waits):
            self.waits(environment, run)
        return run

    def cancel(self, run: Run) -> None:
        run.status, run.conclusion = "completed", "cancelled"
        run.waits.clear()

    def message(self, run: Run, environment: str = "production", **changed: Any) -> dict[str, Any]:
        """As GitHub sends it when a deployment waits; what is changed to None is not there."""
        own = {
            "action": "requested",
            "environment": environment,
            "event": run.event,
            "deployment_callback_url": f"{self.url}/repos/{run.name}/actions/runs/{run.id}/deployment_protection_rule",
            "deployment": {
                "url": f"{self.url}/repos/{run.name}/deployments/{run.waits[environment]}",
                "id": run.waits[environment],
                "sha": run.commit,
                "ref": run.branch,
                "task": "deploy",
                "environment": environment,
                "creator": BOT,
            },
            "pull_requests": [],
            "repository": self._repository(run.name, run.repository_id, run.owner_id),
            "installation": {"id": INSTALLATION, "node_id": "MDIz"},
            "sender": run.actor,
        }
        return {name: value for name, value in (own | changed).items() if value is not None}

    # ------------------------------------------------------------ what it answers

    def answered(self, asked: Asked) -> tuple[int, Any]:
        method, path, query, bearer, body = asked.method, asked.path, asked.query, asked.bearer, asked.body
        if (method, path) == ("GET", "/app"):
            app = {"id": int(APP_ID), "slug": "prodaccess", "permissions": self.granted, "events": self.events}
            return (200, app) if self._is_app(bearer) else (401, {"message": "A JSON web token could not be decoded"})
        if path.startswith("/app/hook/"):
            return self._hook(method, path, query) if self._is_app(bearer) else (401, {"message": "Bad credentials"})
        if found := re.fullmatch(r"/app/installations/(\d+)/access_tokens", path):
            return self._token(int(found[1]), bearer, body) if method == "POST" else (404, _NOT_FOUND)
        known = self._tokens.get(bearer)
        if known is None or known[2] <= self.now_s():
            return 401, {"message": "Bad credentials"}
        by_id = re.fullmatch(rf"/repositories/({REPOSITORY_ID})/(.+)", path)
        found = by_id or re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
        if found is None or (by_id is None and found[1] not in (NAME, self.name)):
            return 404, _NOT_FOUND
        if by_id is None and found[1] != self.name:
            moved = {"message": "Moved Permanently", "url": "https://elsewhere.example.com/stolen"}
            return (301 if method == "GET" else 307), moved
        return self._of_repository(method, found[2], query, known, body)

    def _of_repository(self, method: str, rest: str, query: Query, known: Any, body: Any) -> tuple[int, Any]:
        routes: list[tuple[str, str, str, str, Callable[..., tuple[int, Any]]]] = [
            ("GET", r"actions/runs/(\d+)", "actions", "read", self._run),
            ("POST", r"actions/runs/(\d+)/deployment_protection_rule", "deployments", "write", self._review),
            ("GET", r"branches/([^/]+)", "contents", "read", self._branch),
            ("GET", r"compare/([^/]+)\.\.\.([^/]+)", "contents", "read", self._compare),
            ("GET", r"commits", "contents", "read", self._commits),
            ("GET", r"deployments/(\d+)/statuses", "deployments", "read", self._statuses),
        ]
        for verb, pattern, permission, level, act in routes:
            found = re.fullmatch(pattern, rest)
            if found is None or verb != method:
                continue
            if known[1].get(permission) not in (level, "write"):
                return 403, {"message": "Resource not accessible by integration"}
            if REPOSITORY_ID not in known[0]:
                return 404, _NOT_FOUND
            return act(*map(unquote, found.groups()), query=query, body=body)
        return 404, _NOT_FOUND

    def _hook(self, method: str, path: str, query: Query) -> tuple[int, Any]:
        if (method, path) == ("GET", "/app/hook/deliveries") and query.get("per_page") == ["100"]:
            begins = _cursor(query)
            return 200, list(reversed(self.deliveries))[begins : begins + 100]
        again = re.fullmatch(r"/app/hook/deliveries/(\d+)/attempts", path)
        known = [one for one in self.deliveries if again is not None and one["id"] == int(again[1])]
        if method != "POST" or not known:
            return 404, _NOT_FOUND
        self.repeats.append(known[0]["guid"])
        return 202, {}

    def more(self, asked: Asked) -> Mapping[str, str]:
        """The cursor of the page that follows, as GitHub names it."""
        follows = _cursor(asked.query) + 100
        if asked.path != "/app/hook/deliveries" or follows >= len(self.deliveries):
            return {}
        place = f"{self.url}{asked.path}"
        return {"Link": f'<{place}?per_page=100&cursor=v1_{follows}>; rel="next", <{place}>; rel="first"'}

    def delivered(self, guid: str, status: int, event: str = "deployment_protection_rule") -> None:
        """That it was, and what it was answered; 0: nobody was there."""
        self._next += 1
        at = datetime.fromtimestamp(self.now_s(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        again = any(one["guid"] == guid for one in self.deliveries)
        one = {"id": self._next, "guid": guid, "delivered_at": at, "redelivery": again, "status_code": status}
        self.deliveries.append(
            {**one, "status": "OK" if status < 300 else "failed", "event": event, "action": "requested"}
        )

    def _is_app(self, bearer: str) -> bool:
        try:
            claims = jwt.decode(bearer, self.public, ["RS256"], options={"verify_exp": False, "verify_iat": False})
        except jwt.PyJWTError:
            return False
        now_s, begins, ends = self.now_s(), claims.get("iat", 2**40), claims.get("exp", 0)
        return claims.get("iss") == APP_ID and begins <= now_s < ends and ends - now_s <= LOGIN_S_MAX

    def _token(self, installation: int, bearer: str, body: Any) -> tuple[int, Any]:
        if not self._is_app(bearer):
            return 401, {"message": "A JSON web token could not be decoded"}
        now_s = self.now_s()
        if installation != INSTALLATION:
            return 404, _NOT_FOUND
        if self.suspended:
            return 403, {"message": "This installation has been suspended"}
        wanted, repositories = (
            body.get("permissions", self.granted),
            frozenset(body.get("repository_ids", self.installed)),
        )
        ranks = {"read": 1, "write": 2}
        more = [name for name, level in wanted.items() if ranks[level] > ranks.get(self.granted.get(name, ""), 0)]
        if more or not repositories or not repositories <= self.installed:
            return 422, {"message": "The permissions or repositories requested are not granted to this installation."}
        token = f"ghs_{secrets.token_hex(18)}"
        self._tokens[token] = repositories, wanted, now_s + 3600
        return 201, {"token": token, "permissions": wanted}

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def _run(self, number: str, **_: Any) -> tuple[int, Any]:
        run = self.runs.get(int(number))
        if run is None:
            return 404, _NOT_FOUND
        home = run.repository_id if run.home_id is None else run.home_id
        return 200, {
            "id": run.id,
            "name": "deploy",
            "head_branch": run.branch,
            "head_sha": run.commit,
            "path": run.path,
            "display_title": run.title,
            "run_number": 42,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "run_attempt": run.attempt,
            "actor": run.actor,
            "triggering_actor": run.again_by or run.actor,
            "repository": self._repository(run.name, run.repository_id, run.owner_id),
            "head_repository": self._repository(run.name, home, run.owner_id),
        }

    def _review(self, number: str, *, body: Any, **_: Any) -> tuple[int, Any]:
        run, environment = self.runs.get(int(number)), body.get("environment_name")
        if run is None:
            return 404, _NOT_FOUND
        if body.get("state") not in ("approved", "rejected") or not isinstance(body.get("comment", ""), str):
            return 422, {"message": "Validation Failed"}
        if run.status == "completed" or environment not in run.waits:
            return 422, {"message": "No pending deployment requests to approve or reject"}
        deployment = run.waits.pop(environment)
        self.reviews.append((run.id, environment, body["state"], body.get("comment", "")))
        if body["state"] == "approved":
            self.statuses[deployment] += ["queued", "in_progress"]
            run.status = "in_progress"
        else:
            self.statuses[deployment] += ["failure"]
            run.status, run.conclusion = "completed", "failure"
        return 204, None

    def _branch(self, name: str, **_: Any) -> tuple[int, Any]:
        if name not in self.branches:
            return 404, {"message": "Branch not found"}
        tip, protected = self.branches[name]
        return 200, {"name": name, "commit": {"sha": tip}, "protected": protected}

    def _compare(self, base: str, head: str, **_: Any) -> tuple[int, Any]:
        if base == head:
            return 200, {"status": "identical"}
        return 200, {"status": "ahead" if base in self.behind.get(head, ()) else "diverged"}

    def _commits(self, *, query: Query, **_: Any) -> tuple[int, Any]:
        commit = query.get("sha", [""])[0]
        if commit not in self.authors or query.get("per_page") != ["1"]:
            return 404, _NOT_FOUND
        author, committer = self.authors[commit]
        return 200, [{"sha": commit, "author": author, "committer": committer}]

    def _statuses(self, number: str, **_: Any) -> tuple[int, Any]:
        found = self.statuses.get(int(number))
        return (404, _NOT_FOUND) if found is None else (200, [{"state": state} for state in reversed(found)])

    def _repository(self, name: str, number: int, owner: int) -> dict[str, Any]:
        login = name.partition("/")[0]
        return {
            "id": number,
            "full_name": name,
            "private": True,
            "owner": {"login": login, "id": owner, "type": "User"},
        }


_NOT_FOUND = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}


def signed(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def heads(
    body: bytes, secret: str = SECRET, event: str = "deployment_protection_rule", delivery: str = ""
) -> dict[str, str]:
    """Of one delivery."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": signed(body, secret),
    }


def written(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode()


@contextmanager
def running(now_s: Callable[[], float]) -> Iterator[GitHub]:
    """`now_s`: what time it is there, in seconds since the epoch."""
    found = GitHub(now_s)
    with serving(found.answer) as found.url:
        yield found


def _cursor(query: Query) -> int:
    return int(query.get("cursor", ["v1_0"])[0].removeprefix("v1_"))
