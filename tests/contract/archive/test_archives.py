"""Where sealed entries go: a folder, a bucket, a dictionary. All pass the same tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.strict_s3 import BUCKET, StrictS3, strict_s3
from workflows.archive import archive_of, is_folder
from workflows.archive.folder import FolderArchive
from workflows.archive.memory import MemoryArchive
from workflows.archive.s3 import S3Archive
from workflows.ports import Archive, ArchiveConflict, ArchiveUnavailable

LOG = "0123456789abcdef" * 2
RUN, HEAD = f"{LOG}/runs/0000000000000001-0000000000000009.jsonl", f"{LOG}/heads/0000000000000009.json"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictS3]:
    with strict_s3(monkeypatch) as found:
        yield found


@pytest.fixture(params=["memory", "folder", "s3", "s3-prefix"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "memory":
        return MemoryArchive()
    if request.param == "folder":
        return FolderArchive(tmp_path / "archive")
    server = request.getfixturevalue("s3")
    server.bucket()
    return S3Archive(BUCKET, "prodaccess/eu" if request.param == "s3-prefix" else "", client=server.client)


def test_what_was_put_is_there_and_nothing_else(archive: Archive) -> None:
    assert archive.get(RUN) is None
    archive.put(RUN, b"one\n")
    assert archive.get(RUN) == b"one\n"
    assert archive.get(f"{RUN}.more") is None
    assert archive.get(HEAD) is None
    assert archive.problem() == ""


def test_the_same_again_is_fine_and_other_content_is_refused(archive: Archive) -> None:
    archive.put(HEAD, b"a head")
    archive.put(HEAD, b"a head")
    for other in (b"another", b"", b"a hea", b"a head "):
        with pytest.raises(ArchiveConflict):
            archive.put(HEAD, other)
    assert archive.get(HEAD) == b"a head"


def test_names_come_in_order_and_from_anywhere_on(archive: Archive) -> None:
    names = [f"{LOG}/heads/{number:016}.json" for number in (1, 20, 3, 100, 7)] + [
        RUN,
        f"{LOG}/keys/1.json",
        "zz/heads/1.json",
    ]
    for name in names:
        archive.put(name, name.encode())
    heads = sorted(name for name in names if name.startswith(f"{LOG}/heads/"))
    assert list(archive.names(f"{LOG}/heads/")) == heads
    assert list(archive.names(f"{LOG}/heads/", heads[1])) == heads[2:]
    assert list(archive.names(f"{LOG}/heads/", heads[-1])) == []
    assert list(archive.names(f"{LOG}/heads/0000000000000", f"{LOG}/heads/0000000000000002.json")) == heads[1:]
    assert list(archive.names("")) == sorted(names)
    assert list(archive.names(LOG, f"{LOG}/keys/")) == sorted(
        name for name in names if name > f"{LOG}/keys/" and LOG in name
    )
    assert list(archive.names("nothing/")) == []


def test_a_name_that_leads_elsewhere_is_an_error_of_ours(archive: Archive) -> None:
    for name in ("../x", "/x", "a//b", "a/./b", ".hidden", "a/", "", "a\nb", "a" * 200):
        with pytest.raises(ValueError, match="no object"):
            archive.put(name, b"x")
        with pytest.raises(ValueError, match="no object"):
            archive.get(name)


def test_of_two_that_write_one_name_at_once_one_wins(archive: Archive) -> None:
    refused: list[bytes] = []
    start = threading.Barrier(2)

    def write(content: bytes) -> None:
        start.wait()
        try:
            archive.put(HEAD, content)
        except ArchiveConflict:
            refused.append(content)

    threads = [threading.Thread(target=write, args=(content,)) for content in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [archive.get(HEAD)] == [content for content in (b"one", b"two") if content not in refused]


def test_what_a_setting_names(tmp_path: Path) -> None:
    assert isinstance(archive_of(str(tmp_path)), FolderArchive)
    assert isinstance(archive_of("./archive"), FolderArchive)
    assert isinstance(archive_of("audit.example"), S3Archive)
    assert isinstance(archive_of("s3://audit.example/prodaccess/"), S3Archive)
    assert [is_folder(each) for each in ("/a", "./a", "a-bucket", "s3://a/b")] == [True, True, False, False]


# --- a folder


def test_a_written_file_can_only_be_read_and_nothing_half_written_stays(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put(RUN, b"one")
    assert (tmp_path / RUN).stat().st_mode & 0o777 == 0o440
    with pytest.raises(ArchiveConflict):
        archive.put(RUN, b"two")
    assert [path.name for path in (tmp_path / RUN).parent.iterdir()] == [Path(RUN).name]


def test_what_a_crash_left_half_written_is_no_object(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path)
    archive.put(HEAD, b"one")
    ((tmp_path / HEAD).parent / ".half-0123").write_bytes(b"o")
    assert list(archive.names("")) == [HEAD]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_bytes(b"not ours")
    archive = FolderArchive(tmp_path / "archive")
    archive.put(HEAD, b"x")
    heads = (tmp_path / "archive" / HEAD).parent
    (heads / "0000000000000010.json").symlink_to(outside / "secret.json")
    (tmp_path / "archive" / LOG / "runs").symlink_to(outside)
    assert list(archive.names("")) == [HEAD]
    with pytest.raises(ArchiveUnavailable, match="stands in it"):
        archive.get(f"{LOG}/heads/0000000000000010.json")
    with pytest.raises(ArchiveUnavailable, match="stands in it"):
        archive.put(RUN, b"x")
    with pytest.raises(ArchiveUnavailable, match="stands in it"):
        archive.put(f"{LOG}/heads/0000000000000010.json", b"x")
    assert [path.name for path in outside.iterdir()] == ["secret.json"]


def test_what_nobody_of_ours_put_there_is_passed_over_and_not_waited_for(tmp_path: Path) -> None:
    """A pipe that never ends, a name that no object has, a file without an end."""
    archive = FolderArchive(tmp_path / "archive")
    archive.put(HEAD, b"x")
    heads = (tmp_path / "archive" / HEAD).parent
    os.mkfifo(heads / "0000000000000010.json")
    (heads / "a name.json").write_bytes(b"x")
    with (heads / "0000000000000011.json").open("wb") as endless:
        endless.truncate(10**12)
    assert list(archive.names("")) == [HEAD, f"{LOG}/heads/0000000000000011.json"]
    for number in (10, 11):
        with pytest.raises(ArchiveUnavailable, match="no folder or file of ours stands in it"):
            archive.get(f"{LOG}/heads/{number:016d}.json")
    with pytest.raises(ArchiveUnavailable, match="no folder or file of ours stands in it"):
        archive.put(f"{LOG}/heads/0000000000000010.json", b"x")


def test_names_that_no_object_of_ours_has_are_passed_over_in_a_bucket(s3: StrictS3) -> None:
    s3.bucket()
    archive = S3Archive(BUCKET, client=s3.client)
    archive.put(HEAD, b"x")
    s3.client().put_object(Bucket=BUCKET, Key=f"{LOG}/heads/a name.json", Body=b"x", ChecksumAlgorithm="SHA256")
    assert list(archive.names("")) == [HEAD]


def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = FolderArchive(tmp_path / "file" / "archive")
    assert "is in its way" in blocked.problem()
    with pytest.raises(ArchiveUnavailable):
        blocked.put(HEAD, b"x")
    assert FolderArchive(tmp_path / "made" / "later").problem() == ""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert "can be written by everybody" in FolderArchive(tmp_path / "open").problem()


def test_a_folder_of_somebody_else_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o555)
    # Root may write everywhere: what the kernel tells anybody else is played.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != theirs)
    assert "does not let this user" in FolderArchive(theirs).problem()


# --- a bucket


def test_the_oldest_version_is_the_object_whatever_is_put_on_top(s3: StrictS3) -> None:
    """Who has the worker's rights can add versions and marks; what is locked below them stays."""
    s3.bucket()
    archive = S3Archive(BUCKET, "", client=s3.client)
    for number in range(4):
        archive.put(f"{LOG}/heads/{number}.json", b"true")
    name = f"{LOG}/heads/1.json"
    for _ in range(5):
        s3.raw.put_object(Bucket=BUCKET, Key=name, Body=b"forged")
    s3.raw.delete_object(Bucket=BUCKET, Key=name)
    assert archive.get(name) == b"true"
    assert list(archive.names(f"{LOG}/heads/")) == [f"{LOG}/heads/{number}.json" for number in range(4)]
    with pytest.raises(ArchiveConflict):
        archive.put(name, b"forged")
    archive.put(name, b"true")


def test_a_retention_that_was_asked_for_is_on_each_object(s3: StrictS3) -> None:
    s3.bucket(mode="")
    assert "no default retention" in S3Archive(BUCKET, client=s3.client).problem()
    now = datetime.now(UTC)
    archive = S3Archive(BUCKET, retention=timedelta(days=400), now=lambda: now, client=s3.client)
    assert archive.problem() == ""
    archive.put(HEAD, b"x")
    found = s3.raw.head_object(Bucket=BUCKET, Key=HEAD)
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert abs(found["ObjectLockRetainUntilDate"] - now - timedelta(days=400)) < timedelta(seconds=1)


def test_a_bucket_that_does_not_keep_what_is_written_is_told(s3: StrictS3) -> None:
    def said(retention: timedelta | None = None) -> str:
        return S3Archive(BUCKET, retention=retention, now=lambda: datetime.now(UTC), client=s3.client).problem()

    assert said() == f"S3 was asked about the bucket {BUCKET}, and there is no such bucket."
    s3.bucket(lock=False)
    assert "has no Object Lock" in said(timedelta(days=1))


def test_a_mode_that_some_may_bypass_is_told(s3: StrictS3) -> None:
    s3.bucket(mode="GOVERNANCE")
    assert "GOVERNANCE mode, which some people may bypass" in S3Archive(BUCKET, client=s3.client).problem()


def test_what_s3_refuses_is_one_sentence_and_can_be_tried_again(s3: StrictS3) -> None:
    s3.bucket()
    archive = S3Archive(BUCKET, client=s3.client)
    s3.errors = {"PutObject": ["AccessDenied", "ConditionalRequestConflict", "SlowDown", "InternalError"]}
    for words in ("deploy/aws", "somebody else writes the same name", "too much to do", "it said InternalError"):
        with pytest.raises(ArchiveUnavailable, match=words):
            archive.put(HEAD, b"x")
    archive.put(HEAD, b"x")
    assert archive.get(HEAD) == b"x"


def test_a_bucket_that_is_not_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(ArchiveUnavailable, match="was not reached"):
        S3Archive(BUCKET).get(HEAD)


def test_a_write_and_a_look_at_it_are_two_calls(s3: StrictS3) -> None:
    s3.bucket()
    archive = S3Archive(BUCKET, client=s3.client)
    archive.put(HEAD, b"x")
    assert s3.calls == ["PutObject", "ListObjectVersions"]
