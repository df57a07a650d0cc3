"""Every slip in the policy folder is said in one sentence with file, line and what to do."""

# ruff: noqa: E501 (a table of cases reads best with one case a line)

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.policy_file.policy_folder import FILES, SHOP, WORKSPACE, problems, write
from workflows.policy_file import read_policy
from workflows.targets.aws.templates import check_template

ROLES = "roles.yaml"
# (what, file, old, new, the sentence)
SLIPS = [
    ("group", SHOP, "[platform]", "[platfrom]", f"{SHOP}:5: no group 'platfrom'; did you mean 'platform'?"),
    ("person", SHOP, "[platform]", "[olu@example.com]", f"{SHOP}:5: 'olu@example.com' is a person, and a group is meant; put the address into a group of prodaccess.yaml"),
    ("reserved", SHOP, "[platform]", "[requesters]", f"{SHOP}:5: 'requesters' cannot stand here; name a group"),
    ("account", SHOP, '"111122223333"', "111122223333", f"{SHOP}:4: account: YAML reads '111122223333' as a number; put it in quotes: \"111122223333\""),
    ("octal", SHOP, '"111122223333"', "011122223333", f"{SHOP}:4: account: YAML reads '011122223333' as a number; put it in quotes: \"011122223333\""),
    ("digits", SHOP, "111122223333", "11112222", f"{SHOP}:4: '11112222' is not an account number; it has 12 digits and stands in quotes, like \"012345678901\""),
    ("no", SHOP, "[platform]", "[no]", f"{SHOP}:5: owners: YAML reads 'no' as true or false; put it in quotes: \"no\""),
    ("scalar", SHOP, "[platform]", "platform", f"{SHOP}:5: owners: must be a list; write [platform]"),
    ("tier", SHOP, "tier: production", "tier: prod", f"{SHOP}:3: tier: 'prod' is not possible here; did you mean 'production'?"),
    ("key", SHOP, "approvals_channel", "approval_channel", f"{SHOP}:7: no key 'approval_channel' here; did you mean 'approvals_channel'?"),
    ("missing", SHOP, "owners: [platform]\n", "", f"{SHOP}:1: 'owners' is missing"),
    ("empty", SHOP, "title: Shop", "title:", f"{SHOP}:2: 'title' has no value; fill it in, or take the key out"),
    ("channel", SHOP, "C0SHOP", "shop", f"{SHOP}:7: 'shop' is not a channel's id; in Slack it is C0..., from the channel's details; in Teams \"teams:19:...@thread.tacv2\", from the channel's link"),
    ("channel of a list", SHOP, "C0SHOP", "[C0SHOP, '#shop']", f"{SHOP}:7: '#shop' is not a channel's id; in Slack it is C0..., from the channel's details; in Teams \"teams:19:...@thread.tacv2\", from the channel's link"),
    ("channel without its chat", SHOP, "C0SHOP", "'19:abc@thread.tacv2'", f"{SHOP}:7: '19:abc@thread.tacv2' is not a channel's id; put teams: before it: \"teams:19:abc@thread.tacv2\""),
    ("channel of a link", SHOP, "C0SHOP", "teams:19%3Aabc%40thread.tacv2", f"{SHOP}:7: 'teams:19%3Aabc%40thread.tacv2' is not a channel's id; the link writes : as %3A and @ as %40; here they stand as they are: \"teams:19:...@thread.tacv2\""),
    ("channel of a chat in Teams", SHOP, "C0SHOP", "teams:19:abc@unq.gbl.spaces", f"{SHOP}:7: 'teams:19:abc@unq.gbl.spaces' is not a channel's id; in Slack it is C0..., from the channel's details; in Teams \"teams:19:...@thread.tacv2\", from the channel's link"),
    ("channel of another chat", SHOP, "C0SHOP", "discord:19:abc@thread.tacv2", f"{SHOP}:7: 'discord:19:abc@thread.tacv2' is not a channel's id; in Slack it is C0..., from the channel's details; in Teams \"teams:19:...@thread.tacv2\", from the channel's link"),
    ("channel twice", SHOP, "C0SHOP", "[C0SHOP, teams:19:a@thread.tacv2, teams:19:a@thread.tacv2]", f"{SHOP}:7: the channel 'teams:19:a@thread.tacv2' stands here twice; keep one of them"),
    ("no channel", SHOP, "C0SHOP", "[]", f"{SHOP}:7: approvals_channel: is empty; name at least one"),
    ("channel as a number", SHOP, "C0SHOP", "12", f"{SHOP}:7: approvals_channel: YAML reads '12' as a number; put it in quotes: \"12\""),
    ("role", SHOP, "  read-only: {}", "  read-onyl: {}", f"{SHOP}:9: no role 'read-onyl'; did you mean 'read-only'?"),
    ("glass role", SHOP, "roles: [read-only]", "roles: [admin]", f"{SHOP}:11: no role 'admin' in this environment; there is read-only, state-write"),
    ("verb", SHOP, "environment: shop-prod", "environment: approve", f"{SHOP}:1: 'approve' cannot be an environment's name, because it is a command; take another name"),
    ("file name", SHOP, "environment: shop-prod", "environment: shop", f"{SHOP}:1: the environment is called 'shop', and the file 'shop-prod'; rename the file to shop.yaml, or the environment"),
    ("twice", SHOP, "title: Shop", "title: Shop\ntitle: Shop", f"{SHOP}:3: the key 'title' stands here twice, first in line 2; keep one of them"),
    ("alias", SHOP, "[platform]", "*platform", f"{SHOP}:5: an alias ('*') stands here; write the value out: what applies must stand in its place"),
    ("anchor", SHOP, "[platform]", "&owners [platform]", f"{SHOP}:5: an anchor ('&') stands here; write the value out in each place that needs it"),
    ("merge", SHOP, "title: Shop", "<<: {title: Shop}", f"{SHOP}:2: a merge ('<<') stands here; write the keys out"),
    ("tag", SHOP, "title: Shop", "title: !!python/name:os.system x", f"{SHOP}:2: a tag ('!') stands here; take it out, and put text into quotes"),
    ("tab", SHOP, "tier:", "\ttier:", f"{SHOP}:3: a tab stands at the beginning of the line; YAML wants blanks there"),
    ("colon", SHOP, "title: Shop", "title: Shop: the", f"{SHOP}:2: a ': ' stands where none can be; put the text in quotes, or check the indentation"),
    ("documents", SHOP, "environment:", "environment: x\n---\nenvironment:", f"{SHOP}:2: a second document begins here ('---'); one file holds one document"),
    ("on", SHOP, "title: Shop", "on: Shop", f"{SHOP}:2: YAML reads the name 'on' as true or false; put it in quotes, or take another name"),
    ("unit", WORKSPACE, "request_expires_after: 1h", "request_expires_after: 60", f"{WORKSPACE}:7: 60 has no unit; write 60m for minutes, 60h for hours"),
    ("sexagesimal", WORKSPACE, "request_expires_after: 1h", "request_expires_after: 1:30", f"{WORKSPACE}:7: YAML reads '1:30' as a number; write a duration like 45s, 30m, 1h30m or 2d"),
    ("zero", WORKSPACE, "request_expires_after: 1h", "request_expires_after: 0m", f"{WORKSPACE}:7: '0m' cannot be; durations are longer than nothing and shorter than 366 d"),
    ("domain", WORKSPACE, "olu@example.com", "olu@exmaple.com", f"{WORKSPACE}:9: 'olu@exmaple.com' is outside of email_domains; did you mean 'example.com'?"),
    ("long s", WORKSPACE, "sid@example.com", "\u017fid@example.com", f"{WORKSPACE}:10: '\u017fid@example.com' is not an e-mail address; write it like dana@example.com"),
    ("renamed to", WORKSPACE, "email_domains: [example.com]", "email_domains: [example.com]\nformer_domains: {old.example: exmaple.com}", f"{WORKSPACE}:4: 'exmaple.com' is not one of email_domains; did you mean 'example.com'?"),
    ("not former", WORKSPACE, "email_domains: [example.com]", "email_domains: [example.com]\nformer_domains: {example.com: example.com}", f"{WORKSPACE}:4: 'example.com' is one of email_domains and a former one; take it out of one of the two"),
    ("zone", WORKSPACE, "Europe/Berlin", "Europe/Berln", f"{WORKSPACE}:2: no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    ("cron", WORKSPACE, "0 9 * * 1-5", "9 o'clock", f"{WORKSPACE}:21: '9 o'clock' is not a schedule; write five fields in quotes, like \"0 9 * * 1-5\" for weekdays at nine"),
    ("never", WORKSPACE, "0 9 * * 1-5", "0 9 30 2 *", f"{WORKSPACE}:21: '0 9 30 2 *' never comes; write five fields in quotes, like \"0 9 * * 1-5\" for weekdays at nine"),
    ("digest", WORKSPACE, "environments: [shop-prod]", "environments: [shop-prd]", f"{WORKSPACE}:21: no environment 'shop-prd'; did you mean 'shop-prod'?"),
    ("webhook", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: OPS_HOOK}, environments: [shop-prd]}\ndigests:", f"{WORKSPACE}:21: no environment 'shop-prd'; did you mean 'shop-prod'?"),
    ("two webhooks", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: OPS_HOOK}}\n  - {name: ops, url: {env: HOOK}}\ndigests:", f"{WORKSPACE}:21: two webhooks are called 'ops'; rename one of them"),
    ("webhook's kind", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: OPS_HOOK}, kinds: [receipt]}\ndigests:", f"{WORKSPACE}:21: kinds: 'receipt' is not possible here; did you mean 'receipts'?"),
    ("no kinds", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: OPS_HOOK}, kinds: []}\ndigests:", f"{WORKSPACE}:21: kinds: is empty; name at least one"),
    ("webhook's secret", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: SLACK_BOT_TOKEN}}\ndigests:", f"{WORKSPACE}:21: 'SLACK_BOT_TOKEN' is a variable of the bot's own; keep the webhook's address in another one, like OPS_WEBHOOK"),
    ("webhook's file", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: TEAMS_WEBHOOK_URL_FILE}}\ndigests:", f"{WORKSPACE}:21: 'TEAMS_WEBHOOK_URL_FILE' is a variable of the bot's own; keep the webhook's address in another one, like OPS_WEBHOOK"),
    ("the cloud's", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: {env: AWS_SESSION_TOKEN}}\ndigests:", f"{WORKSPACE}:21: 'AWS_SESSION_TOKEN' is a variable of the bot's own; keep the webhook's address in another one, like OPS_WEBHOOK"),
    ("webhook's address", WORKSPACE, "digests:", "webhooks:\n  - {name: ops, url: 'https://example.com/hook'}\ndigests:", f"{WORKSPACE}:21: url: must be a block of keys; write {{key: value}}"),
    ("report", WORKSPACE, "environments: [shop-prod]", "report: monthly", f"{WORKSPACE}:21: 'monthly' is not a duration; write it like 45s, 30m, 1h30m or 2d"),
    ("two digests", WORKSPACE, "environments: [shop-prod]", "report: 30d, only_if_active: true", f"{WORKSPACE}:21: 'only_if_active' means nothing beside 'report'; a report is posted each time; take it out"),
    ("pattern", WORKSPACE, "INC-[0-9]+", "INC-([0-9]+", f"{WORKSPACE}:17: the pattern 'INC-([0-9]+' is not a regular expression (missing ), unterminated subpattern at position 4); check its brackets"),
    ("example", WORKSPACE, "'INC-[0-9]+'", "{pattern: 'INC-[0-9]+', example: ORD-1}", f"{WORKSPACE}:17: the example 'ORD-1' is no ticket of this pattern; write one that the pattern matches"),
    ("ticket's host", WORKSPACE, "'INC-[0-9]+'", "{pattern: 'INC-[0-9]+', verify: {https: 'https://{ticket}.example.com/'}}", f"{WORKSPACE}:17: the address has no place for the ticket; write {{ticket}} in its path, or behind its question mark"),
    ("no ticket", WORKSPACE, "'INC-[0-9]+'", "{pattern: 'INC-[0-9]+', verify: {https: 'https://example.com/'}}", f"{WORKSPACE}:17: the address has no place for the ticket; write {{ticket}} in its path, or behind its question mark"),
    ("ticket in the clear", WORKSPACE, "'INC-[0-9]+'", "{pattern: 'INC-[0-9]+', verify: {https: 'http://example.com/{ticket}'}}", f"{WORKSPACE}:17: 'http://example.com/0' is not an https address; write it like https://example.com/path"),
    ("unknown tickets", WORKSPACE, "'INC-[0-9]+'", "{pattern: 'INC-[0-9]+', verify: {https: 'https://example.com/{ticket}', unknown: maybe}}", f"{WORKSPACE}:17: unknown: 'maybe' is not possible here; there is accept, refuse"),
    ("slow", WORKSPACE, "INC-[0-9]+", "([A-Z]+)+-[0-9]+", f"{WORKSPACE}:17: the pattern '([A-Z]+)+-[0-9]+' can take very long on some texts; write it without a repeat inside a repeat, like [A-Z]+-[0-9]+"),
    ("count", WORKSPACE, "security: 1}", "security: 0}", f"{WORKSPACE}:17: security: must be at least 1"),
    ("menu", WORKSPACE, "durations: [30m, 1h], max_duration: 1h", "durations: [30m, 2h], max_duration: 1h", f"{WORKSPACE}:17: durations has 2 h, but max_duration is 1 h ({WORKSPACE}:17); shorten it, or raise max_duration"),
    ("group name", WORKSPACE, "  devs: {", "  owners: {", f"{WORKSPACE}:11: 'owners' cannot be a group's name, because the word stands for the environment's own; rename it"),
    ("sources", WORKSPACE, "{identity_center_group: developers}", "{identity_center_group: developers, https: 'https://example.com/x'}", f"{WORKSPACE}:11: identity_center_group and https stand together; a group has one of members, identity_center_group, slack_usergroup, entra_group, pagerduty_schedule, https"),
    ("user group", WORKSPACE, "S0ONCALL", "oncall", f"{WORKSPACE}:12: 'oncall' is not a Slack user group's id; take the id from the group's menu in Slack; it begins with S"),
    ("entra group", WORKSPACE, "{identity_center_group: developers}", "{entra_group: developers}", f"{WORKSPACE}:11: 'developers' is not an Entra group's object id; take it from the group's overview in the Entra admin center; it looks like 01234567-89ab-cdef-0123-456789abcdef"),
    ("trusted", WORKSPACE, "{identity_center_group: developers}", "{identity_center_group: developers, trusted: true}", f"{WORKSPACE}:11: 'trusted' means nothing beside 'identity_center_group'; it belongs to slack_usergroup or entra_group; take it out"),
    ("incident in Teams", WORKSPACE, "rules:", "incident_channels: {teams: [C0INC]}\nrules:", f"{WORKSPACE}:14: 'C0INC' is not the id of a conversation in Teams; take it from the channel's link in Teams; it stands in quotes, like \"19:...@thread.tacv2\""),
    ("panic", WORKSPACE, "panic_group: security", "panic_group: securty", f"{WORKSPACE}:13: no group 'securty'; did you mean 'security'?"),
    ("version", WORKSPACE, "version: 1", "version: 2", f"{WORKSPACE}:1: version: must be 1"),
    ("kind", ROLES, "aws-iam-policy", "aws-iam-polcy", f"{ROLES}:9: kind: 'aws-iam-polcy' is not possible here; did you mean 'aws-iam-policy'?"),
    ("target key", ROLES, "permission_set: ", "permissionset: ", f"{ROLES}:5: 'permission_set' is missing in 'target'"),
    ("placeholder", ROLES, "{local_part}", "{localpart}", f"{ROLES}:9: no placeholder '{{localpart}}'; did you mean 'local_part'?"),
    ("template", ROLES, "policies/state.json", "policies/stat.json", f"{ROLES}:9: no template 'policies/stat.json'; did you mean 'policies/state.json'?"),
    ("outside", ROLES, "policies/state.json", "../state.json", f"{ROLES}:9: '../state.json' is not a template; templates are policies/NAME.json in the policy folder"),
    ("deny", "policies/state.json", '"Allow"', '"Deny"', 'policies/state.json: Statement 1: `Effect` must be "Allow"; a template only allows'),
    ("json", "policies/state.json", "]}", "]", "policies/state.json:4: It is no JSON: Expecting ',' delimiter in line 4, column 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"), [slip[1:] for slip in SLIPS], ids=[slip[0] for slip in SLIPS]
)
def test_each_slip_has_its_sentence(tmp_path: Path, file: str, old: str, new: str, sentence: str) -> None:
    assert sentence in problems(tmp_path, (file, old, new))


GROUP = "{kind: aws-identity-center-group, group: readers}"
SET = "{kind: aws-identity-center, permission_set: ReadOnlyAccess}"


def test_sessions_that_nobody_can_end_are_not_promised(tmp_path: Path) -> None:
    ends = ("roles.yaml", f"    target: {SET}", f"    end_sessions: true\n    target: {SET}")
    assert problems(tmp_path / "a", ends) == []
    assert problems(tmp_path / "b", ends, ("roles.yaml", SET, GROUP)) == [
        "roles.yaml:5: shop-prod read-only: what aws-identity-center-group gives is not written here, so that older sessions "
        "cannot be denied just that; take end_sessions out, or give it by aws-iam-policy or aws-identity-center"
    ]
    off = (SHOP, "read-only: {}", "read-only: {end_sessions: false}")
    assert problems(tmp_path / "c", ends, ("roles.yaml", SET, GROUP), off) == []


def test_what_denies_it_to_older_sessions_has_to_fit(tmp_path: Path) -> None:
    """A template may be as long as IAM lets it; what denies it has two characters more."""
    longest = max(
        n for n in range(1500, 2048) if not check_template(FILES["policies/state.json"].replace("state/*", "x" * n))
    )
    edit = ("policies/state.json", "state/*", "x" * longest)
    assert problems(tmp_path / "a", edit) == []
    assert problems(tmp_path / "b", edit, (SHOP, "state-write: {}", "state-write: {end_sessions: true}")) == [
        "environments/shop-prod.yaml:10: shop-prod state-write: what denies it to older sessions has 2050 characters, and 2048 "
        "are possible; shorten policies/state.json, or take end_sessions out"
    ]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        (SHOP, "[platform]", "[platfrom]"),
        (WORKSPACE, "S0ONCALL", "oncall"),
        (ROLES, "risk: read", "risk: low"),
    )
    assert [line.split(":")[0] for line in found] == [SHOP, WORKSPACE, ROLES]


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("xoxb-1234567890-abcdef", "a Slack token"),
        ("xapp-1-A0", "a Slack token"),
        ("AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        ("ghp_0123456789abcdefABCDEF0123456789abcd", "a GitHub token"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a random token"),
        ("https://bot:hunter2@example.com/", "an address with a password in it"),
    ],
)
def test_a_secret_is_refused_and_never_printed(tmp_path: Path, secret: str, kind: str) -> None:
    found = problems(tmp_path, (SHOP, "title: Shop", f'title: "{secret}"'))
    assert any(line.startswith(f"{SHOP}:2: this looks like {kind}; ") for line in found)
    assert not any(secret in line or "hidden" in line for line in found)


def test_a_secret_in_a_comment_and_in_a_template_is_found_too(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        (WORKSPACE, "version: 1", "version: 1  # xoxb-1-a"),
        ("policies/state.json", "state/*", "AKIAIOSFODNN7EXAMPLE"),
    )
    assert [line.split(";")[0] for line in found] == [
        "policies/state.json:2: this looks like an AWS access key",
        "prodaccess.yaml:1: this looks like a Slack token",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (WORKSPACE, ", trusted: true", "", "break glass in shop-prod"),
        (SHOP, "owners: [platform]", "owners: [chat]", "approve in shop-prod"),
        (
            SHOP,
            "  read-only: {}",
            "  read-only: {auto_approve: [{name: x, who: [chat]}]}",
            "be let into shop-prod by the rule 'x'",
        ),
        (SHOP, "title: Shop", "escalate: {after: 5m, to: [chat], may_approve: true}", "approve in shop-prod"),
    ],
)
def test_an_untrusted_slack_group_decides_nothing_in_production(
    tmp_path: Path, file: str, old: str, new: str, what: str
) -> None:
    chat = (WORKSPACE, "groups:\n", "groups:\n  chat: {slack_usergroup: S0CHAT}\n")
    found = problems(tmp_path, chat, (file, old, new))
    assert len(found) == 1
    assert all(
        f"may {what}" in line and "not marked as trusted" in line and "anybody can join" in line for line in found
    )


def test_an_untrusted_entra_group_decides_nothing_in_production(tmp_path: Path) -> None:
    public = (WORKSPACE, "groups:\n", "groups:\n  chat: {entra_group: 01234567-89ab-cdef-0123-456789abcdef}\n")
    (found,) = problems(tmp_path, public, (SHOP, "owners: [platform]", "owners: [chat]"))
    assert "'chat' may approve in shop-prod, but is an Entra group that is not marked as trusted" in found
    vouched = (WORKSPACE, "cdef}", "cdef, trusted: true}")
    assert problems(tmp_path, public, vouched, (SHOP, "owners: [platform]", "owners: [chat]")) == []


def test_an_untrusted_slack_group_may_ask_and_may_approve_elsewhere(tmp_path: Path) -> None:
    chat = (WORKSPACE, "groups:\n", "groups:\n  chat: {slack_usergroup: S0CHAT}\n")
    assert problems(tmp_path, chat, (SHOP, "requesters: [devs", "requesters: [chat, devs")) == []
    staging = (
        "environments/shop-staging.yaml",
        "",
        "environment: shop-staging\ntier: staging\naccount: '444455556666'\nowners: [chat]\nrequesters: [devs]\nroles:\n  read-only:\n",
    )
    assert problems(tmp_path, chat, staging) == []


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("environments/other.yml", "rename it to environments/other.yaml"),
        ("enviroments/other.yaml", "environments stand in environments/NAME.yaml; take other YAML out of the folder"),
        ("policies/other.yaml", "environments stand in environments/NAME.yaml; take other YAML out of the folder"),
    ],
)
def test_yaml_that_nobody_reads_is_reported(tmp_path: Path, name: str, help_: str) -> None:
    assert problems(tmp_path, (name, "", "a: 1")) == [f"{name}: nothing reads this file; {help_}"]


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "config")
    (tmp_path / "outside.yaml").write_text("environment: outside\n")
    (folder / "environments/outside.yaml").symlink_to(tmp_path / "outside.yaml")
    found = [str(problem) for problem in read_policy(folder).problems]
    assert found == [
        "environments/outside.yaml: the file is a link that leads out of the folder; put the file itself there"
    ]


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    """A mounted config map is made of them."""
    folder = write(tmp_path)
    (folder / "..data").mkdir()
    (folder / "roles.yaml").rename(folder / "..data/roles.yaml")
    (folder / "roles.yaml").symlink_to("..data/roles.yaml")
    assert read_policy(folder).problems == ()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = write(tmp_path)
    os.mkfifo(folder / "environments/pipe.yaml")
    assert "environments/pipe.yaml: this is not a file" in map(str, read_policy(folder).problems)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    found = problems(tmp_path, (SHOP, "title: Shop", "title: Shop" + " " * 300_000))
    assert any(
        line.startswith(f"{SHOP}: the file has 300,") and line.endswith("at most 262,144 are read") for line in found
    )


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = [str(problem) for problem in read_policy(tmp_path / "none").problems]
    assert found == [
        f"{tmp_path / 'none'}: there is no such folder; name the policy folder, set PRODACCESS_CONFIG, "
        "or let `prodaccess init` write a first one"
    ]


def test_files_that_are_missing_are_said(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "roles.yaml").unlink()
    (folder / SHOP).unlink()
    found = [str(problem) for problem in read_policy(folder).problems]
    assert found == [
        "environments: there is no environment; add environments/NAME.yaml",
        "prodaccess.yaml:21: no environment 'shop-prod'",
        "roles.yaml: the file is missing",
    ]


def test_text_that_is_not_utf8_is_said_with_its_line(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / SHOP).write_bytes(b"environment: shop-prod\ntitle: \xff\n")
    assert f"{SHOP}:2: this is not UTF-8 text; save the file as UTF-8" in map(str, read_policy(folder).problems)


def test_a_role_needs_an_account_where_its_target_does(tmp_path: Path) -> None:
    assert problems(tmp_path, (SHOP, 'account: "111122223333"\n', "")) == [
        f'{SHOP}:8: the role read-only needs an account, and the environment has none; add account: "012345678901"'
    ]


def test_a_role_without_any_duration_is_a_problem(tmp_path: Path) -> None:
    found = problems(tmp_path, (WORKSPACE, ", durations: [30m, 1h], max_duration: 2h", ""))
    assert found == [
        f"{SHOP}:9: nothing says how long shop-prod read-only may last; add max_duration here, or in a rule of prodaccess.yaml"
    ]


def test_a_freeze_says_its_time_zone(tmp_path: Path) -> None:
    found = problems(
        tmp_path, (SHOP, "title: Shop", "freezes: [{from: 2026-12-20, until: 2027-01-03T00:00:00Z, reason: x}]")
    )
    assert found == [
        f"{SHOP}:2: '2026-12-20' does not say of which time zone it is; write it like 2027-01-03T00:00:00Z or ...+01:00"
    ]
