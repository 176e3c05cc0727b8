"""What must hold before anything of a new app is created."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from atoll.errors import AppNameInvalid, AppOptionsInvalid, AtollError
from atoll.supervisor.command.messages import Check, Checked
from atoll.supervisor.directory import Directory
from atoll.supervisor.dispatch import Dispatcher
from atoll.supervisor.model_writer import model_for
from atoll.supervisor.models import CallerAccount, ConnectionKind, Finding
from atoll.supervisor.options import new_record
from atoll.supervisor.routing import normal_host, reason_code
from atoll.supervisor.store.base import AppRecord

CHECK_SECONDS = 10.0


class Preflight:
    """Looks at a wish for a new app; changes nothing."""

    def __init__(
        self,
        directory: Directory,
        dispatcher: Dispatcher,
        default: tuple[str, ...],
        connection: ConnectionKind,
    ) -> None:
        self._directory, self._dispatcher, self._default = directory, dispatcher, default
        self._connection: ConnectionKind = connection

    async def look(
        self, values: Mapping[str, Any], caller: CallerAccount | None
    ) -> tuple[AppRecord | None, list[Finding]]:
        """The record to save, and what stands against it."""
        try:
            record = new_record(values, self._default_environments(), caller, self._connection)
        except AppNameInvalid as error:
            return None, [Finding(code=error.code, message=error.message, field="name")]
        except AppOptionsInvalid as error:
            return None, [Finding(code=error.code, message=error.message, field=error.field)]
        findings = [*self._names(record), *self._places(record), *self._draining(record.environments)]
        if findings:
            return record, findings
        findings, identity = await self._databases(record)
        return replace(record, identity=identity), findings

    def _default_environments(self) -> tuple[str, ...]:
        if self._default:
            return self._default
        draining = self._directory.draining
        known = [
            name
            for name, view in self._directory.environments.items()
            if view.available and name not in draining
        ]
        return tuple(known) if len(known) == 1 else ()

    def _names(self, record: AppRecord) -> list[Finding]:
        findings = []
        if self._directory.app(record.name) is not None:
            findings.append(
                Finding(
                    code="APP_NAME_TAKEN",
                    message=f"An app with the id {record.name!r} exists already.",
                    remedy="Choose another id, or leave it empty to get a generated one.",
                    field="name",
                )
            )
        if record.cname and self._directory.app_by_host(normal_host(record.cname)) is not None:
            findings.append(
                Finding(
                    code="CUSTOM_DOMAIN_TAKEN",
                    message=f"Another app has the custom domain {record.cname!r}.",
                    remedy="Choose another domain, or remove it from the other app first.",
                    field="cname",
                )
            )
        return findings

    def _places(self, record: AppRecord) -> list[Finding]:
        if not record.environments:
            return [
                Finding(
                    code="ENVIRONMENT_REQUIRED",
                    message="No environment was chosen for the app.",
                    remedy="Give one or several names in `environments`; `environments:list` has them.",
                    field="environments",
                )
            ]
        findings = []
        for name in record.environments:
            view = self._directory.environments.get(name)
            if view is None:
                known = ", ".join(sorted(self._directory.environments)) or "none"
                findings.append(
                    Finding(
                        code="ENVIRONMENT_UNKNOWN",
                        message=f"There is no environment {name!r}; known: {known}.",
                        remedy="Choose one of the known environments, or start the missing one.",
                        field="environments",
                    )
                )
            elif not view.available:
                text = (
                    view.reason.message
                    if view.reason is not None
                    else f"The environment {name!r} is offline."
                )
                findings.append(
                    Finding(
                        code="ENVIRONMENT_UNAVAILABLE",
                        message=text,
                        remedy="Start the environment, or choose another one.",
                        field="environments",
                    )
                )
        return findings

    async def modes(self, environments: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """What stands first against a new database, and against a new schema, in those environments."""

        async def first(kind: ConnectionKind) -> dict[str, Any] | None:
            values = {"environments": list(environments), "options": {"dbConnType": kind}}
            _, findings = await self.look(values, None)
            return msgspec.to_builtins(findings[0]) if findings else None

        kinds: tuple[ConnectionKind, ...] = ("new_database", "new_schema")
        return dict(zip(kinds, await asyncio.gather(*map(first, kinds)), strict=True))

    def _draining(self, names: Iterable[str]) -> list[Finding]:
        return [
            Finding(
                code="ENVIRONMENT_DRAINING",
                message=f"The environment {name!r} drains: it takes no new apps.",
                remedy="Choose another one, or bring it back into service (`environments:undrain`).",
                field="environments",
            )
            for name in names
            if name in self._directory.draining
        ]

    async def reach(self, record: AppRecord, more: Iterable[str]) -> list[Finding]:
        """What stands against the environments of an existing app: each has to reach the app's own
        database.

        Args:
            more: those among them where the app is not yet.
        """
        findings = [*self._places(record), *self._draining(more)]
        if findings:
            return findings
        findings, identity = await self._databases(record)
        if not findings and record.identity and identity != record.identity:
            findings = [
                Finding(
                    code="DATABASE_IS_ANOTHER",
                    message="That is not the database service the app's data lies on.",
                    remedy="Give a way to the same service, from all environments of the app.",
                    field="options.database",
                )
            ]
        return findings

    async def _databases(self, record: AppRecord) -> tuple[list[Finding], str]:
        """Asks each environment whether it can reach its database, and whether all reach the same one."""
        answers = await asyncio.gather(*(self._ask(record, name) for name in record.environments))
        findings: list[Finding] = []
        for name, answer in zip(record.environments, answers, strict=True):
            where = f" (environment {name})" if len(record.environments) > 1 else ""
            findings += [replace(finding, message=finding.message + where) for finding in answer.findings]
        identities = {answer.database_identity for answer in answers}
        if not findings and len(identities) > 1:
            findings.append(
                Finding(
                    code="DATABASE_NOT_SHARED",
                    message="The chosen environments do not reach the same database: "
                    + ", ".join(record.environments)
                    + ".",
                    remedy="Give a connection that is the same from all of them, or choose one environment.",
                    field="options.database",
                )
            )
        return findings, next(iter(identities), "")

    async def _ask(self, record: AppRecord, environment: str) -> Checked:
        view = self._directory.environments[environment]
        try:
            return await self._dispatcher.ask(
                environment, view.public_key, Check(model_for(record, environment)), Checked, CHECK_SECONDS
            )
        except AtollError as error:
            finding = Finding(
                code=reason_code(error),
                message=error.message,
                remedy="Nothing was created; try again when the cause is gone.",
                field="environments",
            )
            return Checked((finding,), "")
