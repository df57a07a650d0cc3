"""What the documents tell people to type and to write works: commands are understood, and YAML is taken by `check`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.__main__ import app
from bot.chat.commands.model import Ask, AskFor, AskSeveral, BreakGlass, Extend
from bot.chat.commands.parser import VERBS, parse
from bot.providers import know_providers
from tests.support.build import DANA, NIA, OLU, SUE
from tests.support.spoken import Listener
from tests.support.world import World
from workflows.core.people import Membership, PersonId
from workflows.core.policy import Policy
from workflows.core.refusal import Code, Refused
from workflows.policy_file.cases import Table, run_table, understand_table
from workflows.policy_file.folder import Snapshot, read_folder
from workflows.policy_file.load import load_policy, understand
from workflows.policy_file.yaml_reader import read_yaml

ROOT = Path(__file__).resolve().parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GUIDE = ROOT / "docs" / "guide.md"
WORDS = {"ID": "PA-1042", "WHO": "@dana", "NAME": "nia", "ENV": "orders-prod", "ROLE": "read-only", "DURATION": "30m"}
ENVIRONMENT = "environments/orders-prod.yaml"
COMMANDS: Any = typer.main.get_command(app)


@pytest.fixture(scope="module")
def policy() -> Policy:
    know_providers()
    found = load_policy(ROOT / "config")
    assert isinstance(found, Policy), found
    return found


def in_words(text: str) -> str:
    """`[DURATION]` and `WHO` as somebody would type them."""
    filled = re.sub(r"\b(" + "|".join(WORDS) + r")\b", lambda found: WORDS[found[0]], text)
    return re.sub(r"[\[\]]", "", filled).replace("orders-prod or @dana", "orders-prod")


def code(page: Path) -> Iterator[str]:
    """Inline code, and the lines of blocks without what is explained at their right."""
    text = page.read_text(encoding="utf-8")
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        if fenced or re.match(r" {4,}\S", line):
            yield re.split(r"\s{3,}|\s+#", line.strip())[0]
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def typed_in_chat() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        if page.name == "sentences.md":  # the bot's own words, each checked where it is said
            continue
        for each in code(page):
            verb = each.split(" ")[0]
            if each.startswith("/prodaccess"):
                yield page.name, each.removeprefix("/prodaccess").strip()
            elif page == GUIDE and verb in VERBS and each != verb:  # a verb alone is its name
                yield page.name, each


def typed_in_a_terminal() -> Iterator[tuple[str, str]]:
    for page in (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"):
        for each in code(page):
            if each.startswith("prodaccess ") and each != "prodaccess NAME" and page.name != "sentences.md":
                yield page.name, each.removeprefix("prodaccess ")


IN_CHAT = sorted(set(typed_in_chat()))
IN_A_TERMINAL = sorted(set(typed_in_a_terminal()))


def test_there_is_something_to_look_at() -> None:
    assert len(IN_CHAT) > 30
    assert len(IN_A_TERMINAL) > 10


@pytest.mark.parametrize(("page", "line"), IN_CHAT)
def test_what_is_typed_in_chat_is_understood(policy: Policy, page: str, line: str) -> None:
    found = parse(in_words(line), tuple(policy.environments))
    assert not isinstance(found, Refused), (page, line, found.params)
    for environment, role in asked(found):
        assert role in policy.environments[environment].roles, (page, line)


def asked(command: object) -> tuple[tuple[str, str], ...]:
    if isinstance(command, AskFor):
        return asked(command.ask)
    if isinstance(command, AskSeveral):
        return command.places
    return ((command.environment, command.role),) if isinstance(command, Ask | BreakGlass) else ()


def test_a_command_that_is_not_understood_would_be_found(policy: Policy) -> None:
    for wrong in ("shwo PA-1", "orders-prod read-only 30 ORD-17", "aprove PA-1042"):
        assert isinstance(parse(wrong, tuple(policy.environments)), Refused)
    assert isinstance(parse("extend PA-1042 30m why", ()), Extend)


@pytest.mark.parametrize(("page", "line"), IN_A_TERMINAL)
def test_what_is_typed_in_a_terminal_is_a_command_with_these_options(page: str, line: str) -> None:
    command = COMMANDS
    # What follows is the shell's own.
    words = list(takewhile(lambda word: word not in {">", "|", "||", "&&"}, shlex.split(in_words(line))))
    name = "prodaccess"
    while hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            break
        name = words.pop(0)
        assert name in command.commands, (page, line)
        command = command.commands[name]
    if words:
        command.make_context(name, words, resilient_parsing="--help" in words or "--version" in words)


# ---------------------------------------------------------------- YAML


def yaml_blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)):
            for part, each in enumerate(alternatives(block)):
                yield f"{page.name}-{number}-{part}", each


def alternatives(block: str) -> Iterator[str]:
    """A block that shows one key in several forms as one text each; one for several files as one each."""
    parts: list[str] = [""]
    seen: set[str] = set()
    for line in block.splitlines(keepends=True):
        key = re.match(r"[a-z_-]+(?=:)", line)
        if line.startswith("# ") or (key and key[0] in seen):
            parts.append("")
            seen.clear()
        if key:
            seen.add(key[0])
        parts[-1] += line
    return (each for each in parts if re.search(r"^[a-z]", each, re.MULTILINE))


BLOCKS = dict(yaml_blocks())


def place(text: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The file an example belongs to, and how deep: it says so itself, or its keys do."""
    if file := re.match(r"# ((?:prodaccess|roles|environments/[\w-]+)\.yaml)", text):
        return file[1], data
    if {"groups", "digests", "rules", "connections", "webhooks", "pipelines", "receipts_channel"} & data.keys():
        return "prodaccess.yaml", data
    if "roles" in data and any("target" in role for role in data["roles"].values()):
        return "roles.yaml", data
    if {
        "ticket",
        "hours",
        "auto_approve",
        "durations",
        "break_glass",
        "environment",
        "roles",
        "freezes",
        "gates",
    } & data.keys():
        return ENVIRONMENT, data
    return ENVIRONMENT, {"roles": data}


def merged(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: merged(under.get(key), value) for key, value in over.items()}


def problems(text: str) -> list[str]:
    """What `check` would say of the example policy with this in it."""
    document, faults = read_yaml("example.yaml", text)
    data = yaml.safe_load(text)
    if faults or document is None:
        return [str(each) for each in faults]
    if "cases" in data:
        return problems_of_cases(text)
    snapshot = read_folder(ROOT / "config")
    file, data = place(text, data)
    whole = merged(yaml.safe_load(snapshot.files[file]), data)
    files = {**snapshot.files, file: yaml.safe_dump(whole, sort_keys=False)}
    return [str(each) for each in understand(Snapshot("example", files)).problems]


def problems_of_cases(text: str) -> list[str]:
    """What `policy test` would say of it and the example policy."""
    policy = load_policy(ROOT / "config")
    assert isinstance(policy, Policy), policy
    table = understand_table("example.yaml", text, policy)
    if not isinstance(table, Table):
        return [str(each) for each in table]
    return [str(wrong) for result in run_table(policy, table) for wrong in result.wrong]


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.usefixtures("policy")
def test_yaml_in_the_documents_is_taken_by_check(name: str) -> None:
    assert problems(BLOCKS[name]) == []


@pytest.mark.usefixtures("policy")
def test_yaml_that_check_refuses_would_be_found() -> None:
    assert len(BLOCKS) > 10
    for wrong in (
        "hours: {until: 17:00}\n",
        "break_glass: {whom: [oncall]}\n",
        "groups:\n  a: {members: [no]}\n",
        "cases: []\n",
    ):
        assert problems(wrong)


# ---------------------------------------------------------------- what is typed is done

# Nobody of these pages has asked for anything here, and who is on call is not known: that is no fault of the example.
_AS_IT_IS = frozenset(
    {
        Code.ID_UNKNOWN,
        Code.NOT_KNOWN_YET,
        Code.FACTS_STALE,
        Code.NO_REVIEW,
        Code.CERTIFICATION_OVER,
        Code.NOTHING_TO_LIFT,
        Code.NOTHING_TO_REVOKE,
        Code.NOTHING_TO_CONFIRM,
        Code.NOTHING_TO_REPEAT,
        Code.NOT_A_REQUESTER,
        Code.NOT_SECURITY,
        Code.NOT_YOURS,
        Code.BREAK_GLASS_NOT_ALLOWED,
        Code.DELEGATE_NOT_AN_OWNER,
        Code.DELEGATE_NONE,
        Code.PERSON_UNKNOWN,
        Code.OUTSIDE_HOURS,
        Code.START_PAST,
        Code.START_TOO_FAR,
        Code.DELEGATE_PAST,
        Code.DELEGATE_TOO_LONG,
    }
)


@pytest.fixture(scope="module")
def shop(policy: Policy) -> Listener:
    """The shop of the example, where nobody has asked for anything yet; nothing that is typed has an effect."""
    world = World(policy)
    for who in (DANA, OLU, SUE, NIA):
        world.knows(who)
    for group in policy.groups.values():
        if group.source:
            world.directory.put_members(group.source, Membership(frozenset({NIA}), world.clock.now()))
    return Listener(world)


@pytest.mark.parametrize(("page", "line"), [each for each in IN_CHAT if each[1]])
def test_what_the_documents_tell_people_to_type_is_answered(shop: Listener, page: str, line: str) -> None:
    who = next((each for each in (DANA, OLU, SUE, NIA) if not _refused(shop, each, line)), None)
    assert who is not None, (page, line, _refused(shop, DANA, line))


def _refused(shop: Listener, who: PersonId, line: str) -> Refused | None:
    said = shop.types(who, in_words(line))
    refused = said.refused if said else None
    return None if refused is None or {each.code for each in (refused, *refused.also)} <= _AS_IT_IS else refused


def test_an_example_that_the_policy_refuses_would_be_found(shop: Listener) -> None:
    for wrong in (
        "orders-prod read-only 99h ORD-17 all day",
        "orders-prod reader 1h ORD-17",
        "show",
        "orders-prod admin 1h",
    ):
        assert _refused(shop, DANA, wrong), wrong
