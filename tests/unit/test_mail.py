"""Mail over SMTP, against a real server."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from atoll.errors import MailRefused, MailUnavailable
from atoll.mail import Mail, SmtpSender
from atoll.testing.mail_server import MailServer, mail_server, text_of

pytestmark = pytest.mark.anyio
HELLO = Mail("kim@example.com", "Grüße, 世界", "Ein Text\nmit Umlaut: ü", html="<p>ü</p>")


def plain_sender(server: MailServer) -> SmtpSender:
    return SmtpSender(server.host, server.port, sender="Atoll <atoll@example.com>", security="none")


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server with a certificate of its own, and for a client that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path / "server.pem"
    plain_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(plain_key + certificate.public_bytes(Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


async def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as server:
        await plain_sender(server).send(HELLO)
        [(to, mail)] = server.mails
    assert (to, mail["To"]) == ("kim@example.com", "kim@example.com")
    assert mail["From"] == "Atoll <atoll@example.com>"
    assert mail["Subject"] == HELLO.subject
    assert text_of(mail).replace("\r\n", "\n").strip() == HELLO.text
    html = mail.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == HELLO.html
    assert mail["Message-ID"].endswith("@example.com>")


async def test_encryption_and_sign_in(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    ours, theirs = contexts
    with mail_server(tls=ours, account=("atoll", "s3cret")) as server:

        def sender(password: str, context: ssl.SSLContext | None) -> SmtpSender:
            return SmtpSender(
                "localhost",
                server.port,
                sender="a@example.com",
                user="atoll",
                password=password,
                context=context,
            )

        await sender("s3cret", theirs).send(HELLO)
        assert len(server.mails) == 1
        with pytest.raises(MailRefused, match="SMTP_PASSWORD") as refused:
            await sender("wrong", theirs).send(HELLO)
        assert "wrong" not in refused.value.detail
        with pytest.raises(MailUnavailable):
            await sender("s3cret", None).send(HELLO)  # a certificate that nobody vouches for
        assert len(server.mails) == 1


async def test_a_server_without_encryption_gets_nothing_when_it_is_insisted_on() -> None:
    with mail_server() as server:
        with pytest.raises(MailUnavailable):
            await SmtpSender(server.host, server.port, sender="a@example.com").send(HELLO)
        assert server.mails == []


@pytest.mark.parametrize(("answer", "error"), [("451 later", MailUnavailable), ("550 no", MailRefused)])
async def test_refusals_are_told_apart(answer: str, error: type[Exception]) -> None:
    with mail_server() as server:
        server.answer = answer
        with pytest.raises(error):
            await plain_sender(server).send(HELLO)


async def test_nobody_there() -> None:
    with mail_server() as server:
        sender = plain_sender(server)
    with pytest.raises(MailUnavailable, match="SMTP_HOST"):
        await sender.send(HELLO)


async def test_nothing_adds_a_header() -> None:
    with mail_server() as server:
        for mail in (
            Mail("kim@example.com", "x\r\nBcc: lee@example.com", "t"),
            Mail("kim@example.com\nBcc: lee@example.com", "x", "t"),
        ):
            with pytest.raises(MailRefused):
                await plain_sender(server).send(mail)
        assert server.mails == []


async def test_many_at_once() -> None:
    with mail_server() as server:
        mails = [Mail(f"u{number}@example.com", "x", "t") for number in range(8)]
        await asyncio.gather(*(plain_sender(server).send(mail) for mail in mails))
        assert {to for to, _ in server.mails} == {mail.to for mail in mails}
