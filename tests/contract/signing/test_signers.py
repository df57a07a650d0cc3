"""Whoever signs: a key file, Ed25519 in KMS (a strict stand-in), P-256 in KMS (moto). All pass the same tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.support.kms import ARN, Kms
from workflows.core.seal.public_key import Algorithm, PublicKey
from workflows.ports import Signer, SignerUnavailable
from workflows.signing import signer_of, verify
from workflows.signing.keys import make_key, public_from_pem, public_pem
from workflows.signing.kms import KmsSigner


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def kms(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    with Kms() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", found.url)
        yield found


@pytest.fixture
def p256(aws: None) -> Iterator[str]:
    with mock_aws():
        made = boto3.client("kms", region_name="eu-west-1").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        yield made["KeyMetadata"]["Arn"]


@pytest.fixture(params=["file", "kms", "kms-p256"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    if request.param == "file":
        make_key(tmp_path / "key.pem")
        return signer_of(str(tmp_path / "key.pem"))
    if request.param == "kms":
        request.getfixturevalue("kms")
        return signer_of(f"awskms:{ARN}")
    return signer_of(f"awskms:{request.getfixturevalue('p256')}")


def test_what_is_signed_is_verified_and_nothing_else_is(signer: Signer, tmp_path: Path) -> None:
    signature = signer.sign(b"head 1042")
    assert verify(signer.public, b"head 1042", signature)
    assert not verify(signer.public, b"head 1043", signature)
    assert not verify(signer.public, b"head 1042", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not verify(signer.public, b"head 1042", b"")
    assert not verify(make_key(tmp_path / "other.pem"), b"head 1042", signature)


def test_a_public_key_is_the_same_after_its_way_through_pem(signer: Signer) -> None:
    assert public_from_pem(public_pem(signer.public)) == signer.public
    assert len(signer.public.fingerprint) == 64


def test_a_key_of_another_kind_verifies_nothing(signer: Signer) -> None:
    signature = signer.sign(b"x")
    assert not verify(PublicKey(signer.public.algorithm, b"no key"), b"x", signature)
    rsa = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "PEM"],
        capture_output=True,
        check=True,
    ).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=rsa, capture_output=True, check=True).stdout
    assert public_from_pem(public.decode()) is None
    assert public_from_pem("no key at all") is None


# --- a file


def test_a_made_key_is_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    os.umask(os.umask(0))
    made = make_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert made.algorithm is Algorithm.ED25519
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "key.pem")
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "link.pem")
    assert (tmp_path / "key.pem").read_bytes() == before
    assert not (tmp_path / "elsewhere.pem").exists()


def test_a_key_of_openssl_is_taken_and_its_fingerprint_is_openssls(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    der = subprocess.run(
        ["openssl", "pkey", "-in", str(path), "-pubout", "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert signer_of(str(path)).public == PublicKey(Algorithm.ED25519, der)


def test_what_is_no_key_is_one_sentence_without_the_key(tmp_path: Path) -> None:
    def said(content: bytes | None) -> str:
        path = tmp_path / "key.pem"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SignerUnavailable) as caught:
            signer_of(str(path))
        assert str(path) in caught.value.words
        return caught.value.words

    p256 = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        capture_output=True,
        check=True,
    ).stdout
    assert "cannot be read" in said(None)
    assert "is no private key in PEM" in said(b"")
    assert "is no private key in PEM" in said(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "is no Ed25519 key" in said(p256)
    assert "is too long for a key" in said(b"x" * 20_000)
    locked = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-passout", "pass:word"], input=p256, capture_output=True, check=True
    ).stdout
    assert "is protected by a password" in said(locked)


# --- KMS


def test_a_file_may_name_a_key_in_kms(kms: Kms, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"awskms:{ARN}\n")
    signer = signer_of(str(tmp_path / "key"))
    assert verify(signer.public, b"x", signer.sign(b"x"))


def test_the_public_key_is_asked_for_once(kms: Kms) -> None:
    signer = KmsSigner(ARN)
    assert kms.calls == []
    signer.sign(b"one")
    signer.sign(b"two")
    assert kms.calls == ["GetPublicKey", "Sign", "Sign"]


def test_what_kms_refuses_is_one_sentence(kms: Kms) -> None:
    client = boto3.client("kms", region_name="eu-west-1")

    def said(arn: str = ARN, message: bytes = b"x") -> str:
        with pytest.raises(SignerUnavailable) as caught:
            KmsSigner(arn, lambda _region: client).sign(message)
        return caught.value.words

    assert "there is no such key" in said(ARN[:-1] + "0")
    assert "signs 4096 bytes at most" in said(message=b"x" * 4097)
    kms.state = "Disabled"
    assert "the key is disabled" in said()
    kms.state, kms.denied = "Enabled", True
    assert "must allow kms:GetPublicKey and kms:Sign" in said()
    kms.denied, kms.usage = False, "ENCRYPT_DECRYPT"
    assert "neither ECC_NIST_EDWARDS25519 nor ECC_NIST_P256" in said()
    kms.usage, kms.wrong = "SIGN_VERIFY", True
    assert "gave a signature that" in said()


def test_a_kms_that_is_not_there_is_one_sentence(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    with pytest.raises(SignerUnavailable, match="was not reached"):
        _ = KmsSigner(ARN).public


def test_another_curve_in_kms_is_refused(aws: None) -> None:
    with mock_aws():
        made = boto3.client("kms", region_name="eu-west-1").create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")
        with pytest.raises(SignerUnavailable, match="neither ECC_NIST_EDWARDS25519 nor ECC_NIST_P256"):
            KmsSigner(made["KeyMetadata"]["Arn"]).sign(b"x")
