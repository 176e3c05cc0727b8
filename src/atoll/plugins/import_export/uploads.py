"""Files that wait to be imported: received, looked at, and found again by the task."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from atoll.application.api.files import receive_upload
from atoll.application.context import Context
from atoll.application.fields.cells import shown
from atoll.errors import AtollError, BadRequest
from atoll.plugins.import_export.sheets import inspect
from atoll.plugins.import_export.sheets.opening import Inspection

if TYPE_CHECKING:
    from atoll.application.app import Application

KEPT_SECONDS: Final = 7 * 86_400.0


def upload_path(app: Application, user: int, upload: Any) -> Path:
    """Where an upload of a person is; raises BadRequest for what cannot be one."""
    try:
        name = str(UUID(str(upload)))
    except ValueError:
        raise BadRequest("`upload` must be the id of a file that was sent to `inspectImport`") from None
    return app.storage / "uploads" / str(user) / name


async def found_upload(app: Application, user: int, upload: Any) -> Path:
    """The same for one that is there."""
    path = upload_path(app, user, upload)
    if not await asyncio.to_thread(path.is_file):
        raise BadRequest("The uploaded file is not there (any more). Send it again.")
    return path


async def inspect_import(ctx: Context, file_limit: int) -> object:
    """Receives a file (multipart), or looks at a received one with other settings; tells what is in it.

    `{"upload", "filename", "layout", "titles", "samples"}`; the settings are `sheet`, `encoding`, `delimiter`
    and `headerRow`.
    """
    user = ctx.user.id if ctx.user is not None else 0
    upload = ctx.params.get("upload")
    name = str(ctx.params.get("filename") or "")
    given: dict[str, Any] = {key: ctx.params.get(key) for key in ("sheet", "encoding", "delimiter")}
    if ctx.params.get("headerRow"):
        try:
            given["headerRow"] = int(ctx.params["headerRow"])
        except ValueError:
            raise BadRequest("`headerRow` must be a whole number from 1") from None
    if upload is None:
        upload = str(uuid4())
        path = upload_path(ctx.app, user, upload)
        name = (await receive_upload(ctx, path, file_limit)).name
        await asyncio.to_thread(_forget_old, path.parent)
    else:
        path = await found_upload(ctx.app, user, upload)
    try:
        found = await asyncio.to_thread(inspect, path, given)
    except AtollError:
        if not ctx.params.get("upload"):
            await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return {"upload": upload, "filename": name, **described(found)}


def described(found: Inspection) -> dict[str, Any]:
    """An inspection as the API gives it."""
    layout = asdict(found.layout)
    layout["headerRow"] = layout.pop("header_row")
    return {
        "layout": layout,
        "titles": [shown(cell) for cell in found.titles],
        "samples": [[shown(cell) for cell in row] for row in found.samples],
    }


def _forget_old(folder: Path) -> None:
    limit = time.time() - KEPT_SECONDS
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
