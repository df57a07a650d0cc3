"""The proxy's HTTP control, under `/_proxy/`, for tests and benches in another process. Everything is JSON.

- `GET  health`: `{"ok": true}`
- `POST faults`: a fault's fields (see `faults.Fault`); gives `{"id"}`.  `DELETE faults`: end all
- `GET  faults/ID?wait_s=5`: `{"arrived", "played"}`, after waiting for the first call held there
- `POST faults/ID/release`: `{"drop": false}`.  `DELETE faults/ID`: end this one
- `POST operations/plan`: a plan's fields, with `action`, `where`, `times`, or `"default": true`
- `POST operations/release`: `{"id": null, "status": "SUCCEEDED", "reason": ""}`; gives `{"released"}`
- `POST operations/settings`: `{"missing_delete": ..., "conflicts": ...}`.  `GET operations`: all
- `POST quota`: `{"calls_per_second": 20, "outstanding_max": 10}`.  `DELETE quota`: off
- `POST trail`: what was done, for CloudTrail: `tell`'s arguments (see `trail.Trail`), with `at` in ISO 8601; gives `{"id"}`
- `GET  log?pattern=iam:*&since=0`: `{"now_s", "counts", "calls"}`.  `DELETE log`: forget
- `GET  world`: what is true now.  `POST world`: `{"do": "assign", "with": [...]}` (see `world.World`)
- `GET  spec`: the seed.  `POST reset`: calm, and seed again, from the seed in the body if there is one
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

from bot.sandbox.aws.answers import Answer
from bot.sandbox.aws.calls import Environ
from bot.sandbox.aws.faults import Fault
from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.proxy import Proxy
from bot.sandbox.aws.spec import WorldSpec
from bot.sandbox.aws.world import World

PREFIX = "/_proxy/"

_CHANGES = frozenset({"assign", "unassign", "join", "leave", "remove_person"})


@dataclass(frozen=True)
class Ask:
    """One control request: the path after its first word, the JSON body, and the query."""

    controlled: "Controllable"
    path: list[str]
    data: dict[str, Any]
    query: dict[str, str]


def control(controlled: "Controllable", environ: Environ, body: bytes) -> Answer:
    """Answers a control request: 200 with JSON, 404 for an unknown route, 400 with `{"error"}` for a wrong one."""
    parts = environ["PATH_INFO"].removeprefix(PREFIX).strip("/").split("/")
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    route = _ROUTES.get((environ["REQUEST_METHOD"], parts[0]))
    if route is None:
        return _json(404, {"error": "no such route"})
    try:
        return _json(200, route(Ask(controlled, parts[1:], json.loads(body) if body else {}, query)))
    except (KeyError, TypeError, ValueError) as problem:
        return _json(400, {"error": f"{type(problem).__name__}: {problem}"})


def _json(status: int, payload: Any) -> Answer:
    return Answer(status, json.dumps(payload, default=str).encode(), [("Content-Type", "application/json")])


def _add_fault(ask: Ask) -> Any:
    proxy = ask.controlled.proxy
    if not ask.path:
        return {"id": proxy.faults.add(Fault(**ask.data)).id}
    proxy.faults.get(int(ask.path[0])).release(drop=bool(ask.data.get("drop")))
    return {}


def _fault(ask: Ask) -> Any:
    fault = ask.controlled.proxy.faults.get(int(ask.path[0]))
    fault.gate.wait_arrived(float(ask.query.get("wait_s", 0)))
    return {"arrived": fault.gate.arrived, "played": fault.played}


def _end_faults(ask: Ask) -> Any:
    if ask.path:
        ask.controlled.proxy.faults.remove(ask.controlled.proxy.faults.get(int(ask.path[0])))
    else:
        ask.controlled.proxy.faults.clear()
    return {}


def _operations(ask: Ask) -> Any:
    operations, what = ask.controlled.proxy.operations, ask.path[0]
    with ask.controlled.proxy.lock:
        if what == "release":
            return {"released": operations.release(ask.data.pop("id", None), **ask.data)}
        if what == "settings":
            operations.missing_delete = ask.data.get("missing_delete", operations.missing_delete)
            operations.conflicts = ask.data.get("conflicts", operations.conflicts)
        elif ask.data.pop("default", False):
            operations.default = Plan(**ask.data)
        else:
            which = {name: ask.data.pop(name) for name in ("action", "where", "times") if name in ask.data}
            operations.plan(Plan(**ask.data), **which)
    return {}


def _operation_list(ask: Ask) -> Any:
    with ask.controlled.proxy.lock:
        ask.controlled.proxy.operations.settle()
        return {"operations": ask.controlled.proxy.operations.listed()}


def _quota(ask: Ask) -> Any:
    ask.controlled.proxy.quota.set(**ask.data)
    return {}


def _quota_off(ask: Ask) -> Any:
    ask.controlled.proxy.quota.off()
    return {}


def _trail(ask: Ask) -> Any:
    at = datetime.fromisoformat(ask.data.pop("at"))
    with ask.controlled.proxy.lock:
        return {"id": ask.controlled.proxy.trail.tell(at=at, **ask.data)}


def _log(ask: Ask) -> Any:
    log, since = ask.controlled.proxy.log, float(ask.query.get("since", 0))
    calls = [record.as_json() for record in log.calls(ask.query.get("pattern", "*"), since)]
    return {"now_s": time.monotonic(), "counts": log.counts(since), "calls": calls}


def _log_reset(ask: Ask) -> Any:
    ask.controlled.proxy.log.reset()
    return {}


def _world(ask: Ask) -> Any:
    return ask.controlled.world.as_json()


def _change_world(ask: Ask) -> Any:
    if ask.data["do"] not in _CHANGES:
        raise ValueError(f"unknown change {ask.data['do']}")
    getattr(ask.controlled.world, ask.data["do"])(*ask.data["with"])
    return {}


def _spec(ask: Ask) -> Any:
    return json.loads(ask.controlled.world.spec.to_json())


def _reset(ask: Ask) -> Any:
    ask.controlled.reset(WorldSpec.from_json(json.dumps(ask.data)) if ask.data else None)
    return {}


def _health(_ask: Ask) -> Any:
    return {"ok": True}


_ROUTES: dict[tuple[str, str], Callable[[Ask], Any]] = {
    ("GET", "health"): _health,
    ("POST", "faults"): _add_fault,
    ("GET", "faults"): _fault,
    ("DELETE", "faults"): _end_faults,
    ("POST", "operations"): _operations,
    ("GET", "operations"): _operation_list,
    ("POST", "quota"): _quota,
    ("DELETE", "quota"): _quota_off,
    ("POST", "trail"): _trail,
    ("GET", "log"): _log,
    ("DELETE", "log"): _log_reset,
    ("GET", "world"): _world,
    ("POST", "world"): _change_world,
    ("GET", "spec"): _spec,
    ("POST", "reset"): _reset,
}


class Controllable(Protocol):
    """What the control routes may touch."""

    proxy: Proxy
    world: World

    def reset(self, spec: WorldSpec | None = None) -> None:
        """Ends all faults and seeds again."""
