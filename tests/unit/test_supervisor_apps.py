"""Apps from creation to removal, over memory and over Redis, with apps that are toys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from atoll.errors import AppNotFound, AppNotPlaced, AppNotReady, AppOptionsInvalid, PreflightFailed
from atoll.supervisor.models import CallerAccount, Finding
from atoll.supervisor.routing import Forward, Starting, Unavailable
from atoll.supervisor.store.base import AppRecord
from atoll.testing.supervisor_scene import PATIENCE, scene

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "redis"])
def way(request: pytest.FixtureRequest) -> str | None:
    """What lies between Supervisor and environments: None is memory, else the address of Redis."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else None


async def test_an_app_is_created_started_stopped_and_removed(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        row = await s.supervisor.create_app(
            {"name": "shop", "displayName": "Shop", "environments": ["env_a"]}
        )
        assert (row["status"], row["statuses"]) == ("preparing", {"env_a": "preparing"})
        await s.reaches("shop", "running")
        assert s.world.happened == ["env_a provision shop", "env_a install shop", "env_a start shop"]
        assert isinstance(s.router.route("shop", None), Forward)
        await s.supervisor.stop_app("shop")
        await s.reaches("shop", "stopped")
        route = s.router.route("shop", None)
        assert isinstance(route, Unavailable)
        assert isinstance(route.error, AppNotReady)
        assert route.error.reason == "APP_STOPPED"
        await s.supervisor.start_app("shop")
        await s.reaches("shop", "running")
        assert await s.supervisor.remove_app("shop")
        assert s.supervisor.get_app("shop") is None
        assert await s.store.apps() == []
        assert len(s.world.databases) == 1


async def test_an_app_on_two_environments_starts_one_after_another(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        gate = s.world.hold["start shop"] = asyncio.Event()
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a", "env_b"]})

        def queued() -> bool:
            row = s.supervisor.get_app("shop")
            return row is not None and bool((row["progress"] or {}).get("queue")) and bool(s.world.starting)

        await s.until(queued)
        row = s.supervisor.get_app("shop")
        assert row is not None
        assert row["progress"]["queue"]["position"] == 1
        assert row["progress"]["queue"]["since"]
        gate.set()
        await s.reaches("shop", "running")
        assert s.world.overlaps == []
        assert len([what for what in s.world.happened if "install" in what]) == 1
        row = s.supervisor.get_app("shop")
        assert row is not None
        assert row["statuses"] == {"env_a": "running", "env_b": "running"}
        assert await s.supervisor.remove_app("shop", remove_database=True)
        assert s.world.databases == {}
        assert [what for what in s.world.happened if "drop" in what]


async def test_one_environment_is_stopped_and_started_by_itself(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        control = s.supervisor
        await control.create_app({"name": "shop", "environments": ["env_a", "env_b"]})
        await s.reaches("shop", "running")

        async def become(**statuses: str) -> None:
            await s.until(lambda: (control.get_app("shop") or {})["statuses"] == statuses)

        await become(env_a="running", env_b="running")
        await control.stop_app("shop", where="env_b", by="ann")
        await become(env_a="running", env_b="stopped")
        assert isinstance(s.router.route("shop", None), Forward)
        refused = s.router.route("shop", "env_b")
        assert isinstance(refused, Unavailable)
        assert isinstance(refused.error, AppNotReady)
        assert refused.error.reason == "APP_STOPPED"
        await control.restart_app("shop", where="env_a")
        await s.until(lambda: s.world.count("env_a start shop") == 2)
        await become(env_a="running", env_b="stopped")
        await control.start_app("shop", where="env_b")
        await become(env_a="running", env_b="running")
        assert (s.world.count("env_a start shop"), s.world.count("env_b start shop")) == (2, 2)
        for where in ("env_a", "env_b"):
            row = await control.stop_app("shop", where=where)
        assert row["desired"] == "stopped"
        await become(env_a="stopped", env_b="stopped")
        await control.start_app("shop", where="env_b")
        await become(env_a="stopped", env_b="running")
        await control.start_app("shop")
        await become(env_a="running", env_b="running")
        with pytest.raises(AppNotPlaced, match="env_c"):
            await control.stop_app("shop", where="env_c")
        asked = [(event["action"], event["environment"]) for event in await control.app_events("shop")]
        assert {("stop", "env_b"), ("restart", "env_a"), ("start", "env_b"), ("start", "")} <= set(asked)


async def test_a_new_secret_for_tokens_leaves_stored_secrets_readable(
    tmp_path: Path, way: str | None
) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"]})
        await s.reaches("shop", "running")
        [first] = await s.store.apps()
        await s.supervisor.rotate_secret("shop", by="ann")
        [second] = await s.store.apps()
        assert second.secret not in ("", first.secret)
        assert second.storage_secret == first.secret
        await s.until(lambda: bool((s.supervisor.get_app("shop") or {})["restartNeeded"]))
        assert second.secret not in str(s.supervisor.get_app("shop"))
        await s.supervisor.rotate_secret("shop", restart=True)
        await s.until(lambda: s.world.count("env_a start shop") == 2)
        await s.until(lambda: not (s.supervisor.get_app("shop") or {})["restartNeeded"])
        [third] = await s.store.apps()
        assert third.secret != second.secret
        assert third.storage_secret == first.secret
        await s.supervisor.update_app("shop", {"options": {"authManager": {"jwt": {"secret": "x" * 32}}}})
        [fourth] = await s.store.apps()
        assert (fourth.secret, fourth.storage_secret) == ((b"x" * 32).hex(), first.secret)


async def test_many_first_visits_start_an_app_once(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"], "start": False})
        await s.reaches("shop", "initialized")
        assert s.world.count("env_a start shop") == 0
        route = s.router.route("shop", None)
        assert isinstance(route, Starting)
        results = await asyncio.gather(*(route.wait(PATIENCE) for _ in range(50)))
        assert all(isinstance(result, Forward) for result in results)
        assert s.world.count("env_a start shop") == 1
        row = s.supervisor.get_app("shop")
        assert row is not None
        assert row["desired"] == "running"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "main"}, "APP_NAME_INVALID"),
        ({"name": "Shop"}, "APP_NAME_INVALID"),
        ({"name": "../x"}, "APP_NAME_INVALID"),
        ({"name": "a" * 33}, "APP_NAME_INVALID"),
        ({"name": "taken"}, "APP_NAME_TAKEN"),
        ({"name": "ok", "environments": ["nowhere"]}, "ENVIRONMENT_UNKNOWN"),
        ({"name": "ok", "environments": []}, "ENVIRONMENT_REQUIRED"),
        ({"name": "ok", "cname": "no host!"}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "options": {"dbConnType": "cloud"}}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "options": {"admin": {"copyCaller": True}}}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "pinned": "yes"}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "bogus": 1}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "displayName": "a\x00b"}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "sort": 10**20}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "options": {"database": {"host": "db"}}}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "options": {"database": {"storage": "/etc/passwd"}}}, "APP_OPTIONS_INVALID"),
        ({"name": "ok", "options": {"database": {"port": "x"}}}, "APP_OPTIONS_INVALID"),
        (
            {"name": "ok", "options": {"admin": {"username": "a@b", "password": "long enough"}}},
            "APP_OPTIONS_INVALID",
        ),
        ({"name": "ok", "environments": ["env_a", "env_b"]}, "DATABASE_NOT_SHARED"),
        ({"name": "ok", "environments": ["env_b"]}, "DATABASE_RIGHTS_MISSING"),
    ],
)
async def test_what_stands_against_an_app_is_said_before_anything_is_created(
    tmp_path: Path, way: str | None, values: dict[str, object], code: str
) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        await s.running_app("env_a", name="taken")
        s.world.identity["env_b"] = "another"
        if code == "DATABASE_RIGHTS_MISSING":
            s.world.findings["env_b"] = [
                Finding(code=code, message="May not create databases.", remedy="Grant it.")
            ]
        happened = list(s.world.happened)
        with pytest.raises(PreflightFailed) as failure:
            await s.supervisor.create_app({"environments": ["env_a"], **values})
        assert failure.value.reason == code
        assert failure.value.message
        assert len(await s.store.apps()) == 1
        assert s.world.happened == happened


async def test_double_clicks_and_a_stop_during_start(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        name = await s.running_app("env_a")
        await asyncio.gather(s.supervisor.stop_app(name), s.supervisor.stop_app(name))
        await s.reaches(name, "stopped")
        gate = s.world.hold[f"start {name}"] = asyncio.Event()
        await asyncio.gather(s.supervisor.start_app(name), s.supervisor.start_app(name))
        await s.until(lambda: bool(s.world.starting))
        await s.supervisor.stop_app(name)
        await s.reaches(name, "stopped")
        assert not s.world.starting
        gate.set()
        await s.supervisor.start_app(name)
        await s.reaches(name, "running")
        assert s.world.count(f"env_a start {name}") == 3


async def test_removed_during_creation_leaves_nothing(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        gate = s.world.hold["install shop"] = asyncio.Event()
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"]})
        await s.until(lambda: "env_a install shop" in s.world.happened)
        removal = asyncio.create_task(s.supervisor.remove_app("shop"))

        def told() -> bool:
            app = s.environments["env_a"].app("shop")
            return app is None

        assert await s.environments["env_a"].changes.until(told, PATIENCE)
        gate.set()
        assert await removal
        assert s.world.databases == {}
        assert s.world.count("env_a start shop") == 0


async def test_an_app_that_never_starts_says_why_and_harms_no_other(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        s.world.failing["start broken"] = RuntimeError("no")
        await s.supervisor.create_app({"name": "broken", "environments": ["env_a"]})
        await s.reaches("broken", "error")
        row = s.supervisor.get_app("broken")
        assert row is not None
        assert row["reason"]["code"] == "APP_ERROR"
        assert "again" in row["reason"]["remedy"]
        await asyncio.gather(*(s.running_app("env_a") for _ in range(20)))
        del s.world.failing["start broken"]
        await s.supervisor.start_app("broken")
        await s.reaches("broken", "running")


async def test_environment_and_supervisor_restarts_keep_what_should_be(
    tmp_path: Path, way: str | None
) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        runs, stopped = await s.running_app("env_a"), await s.running_app("env_a")
        await s.supervisor.stop_app(stopped)
        await s.reaches(stopped, "stopped")
        await s.stop(s.environments["env_a"])
        await s.reaches(runs, "unknown")
        await s.environment("env_a")
        await s.reaches(runs, "running")
        await s.reaches(stopped, "stopped")
        starts = s.world.count(f"env_a start {runs}")
        await s.stop(s.supervisor)
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        await s.reaches(runs, "running")
        await s.reaches(stopped, "stopped")
        assert s.world.count(f"env_a start {runs}") == starts


async def test_the_caller_can_become_the_first_account(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        caller = CallerAccount(
            username="ann", email="ann@example.com", nickname="Ann", password_hash="$argon2id$x"
        )
        await s.supervisor.create_app(
            {"name": "shop", "environments": ["env_a"], "options": {"admin": {"copyCaller": True}}}, caller
        )
        await s.reaches("shop", "running")
        admin = s.world.admins["shop"]
        assert admin is not None
        assert (admin.username, admin.password_hash) == ("ann", "$argon2id$x")

        def erased() -> bool:
            record = s.supervisor.directory.app("shop")
            return record is not None and record.installed and record.admin is None

        await s.until(erased)


async def test_options_show_no_secrets_and_changes_ask_for_a_restart(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        row = await s.supervisor.create_app(
            {
                "name": "shop",
                "environments": ["env_a"],
                "options": {
                    "dbConnType": "new_connection",
                    "database": {"dialect": "postgres", "host": "db", "password": "very-secret"},
                    "authManager": {"jwt": {"secret": "jwt-secret"}},
                    "hidden": True,
                },
            }
        )
        assert "secret" not in str(row["options"]["database"]["password"])
        assert row["options"]["hidden"] is True
        stored = (tmp_path / "main.sqlite").read_bytes() + (tmp_path / "main.sqlite-wal").read_bytes()
        assert b"shop" in stored
        assert b"very-secret" not in stored
        assert b"jwt-secret" not in stored
        assert b"jwt-secret".hex().encode() not in stored
        await s.reaches("shop", "running")
        row = await s.supervisor.update_app("shop", {"options": {"hidden": False}, "pinned": True})
        assert row["pinned"] is True
        assert row["restartNeeded"] is False  # how it is shown is no matter of the app
        await s.supervisor.update_app("shop", {"options": {"autoUpgrade": False}})

        def needed() -> bool:
            now = s.supervisor.get_app("shop")
            return now is not None and now["restartNeeded"] is True

        await s.until(needed)
        await s.supervisor.restart_app("shop")
        await s.until(lambda: not needed() and s.status("shop") == "running")
        assert s.world.count("env_a start shop") == 2
        record = s.supervisor.directory.app("shop")
        assert record is not None
        assert record.database.password == "very-secret"


async def test_an_app_moves_to_another_environment(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=way) as s:
        name = await s.running_app("env_a")
        await s.supervisor.update_app(name, {"environments": ["env_b"]})
        await s.until(lambda: s.world.count(f"env_a destroy {name}") == 1)
        await s.reaches(name, "running")
        row = s.supervisor.get_app(name)
        assert row is not None
        assert row["environments"] == ["env_b"]
        assert len(s.world.databases) == 1


async def test_what_happened_can_be_read(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"]}, by="ann")
        await s.reaches("shop", "running")
        await s.supervisor.stop_app("shop", by="bob")
        await s.reaches("shop", "stopped")
        events = list(reversed(await s.supervisor.app_events("shop")))
        asked = [(event["action"], event["by"]) for event in events if not event["to"]]
        assert asked == [("create", "ann"), ("stop", "bob")]
        became = [event["to"] for event in events if event["to"]]
        # What passed too quickly to be published may be missing in between.
        assert [status for status in became if status in ("running", "stopped")] == ["running", "stopped"]
        assert all(event["environment"] == "env_a" for event in events if event["to"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"options": {"dbConnType": "new_schema"}}, "options.dbConnType"),
        ({"options": {"database": {"database": "elsewhere"}}}, "options.database.database"),
        ({"options": {"database": {"tablePrefix": "x_"}}}, "options.database.tablePrefix"),
        ({"options": {"database": {"port": "x"}}}, "options.database.port"),
        ({"options": {"autoStart": "perhaps"}}, "options.autoStart"),
        ({"name": "other"}, "name"),
        ({"environments": []}, "environments"),
        ({"environments": ["env_a", 7]}, "environments"),
        ({"cname": "no host"}, "cname"),
    ],
)
async def test_what_cannot_be_changed_is_said_with_the_field(
    tmp_path: Path, values: dict[str, object], field: str
) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        before = s.supervisor.directory.app(name)
        with pytest.raises(AppOptionsInvalid) as refused:
            await s.supervisor.update_app(name, values)
        assert refused.value.field == field
        assert field in refused.value.message
        record = s.supervisor.directory.app(name)
        assert before is not None
        assert record is not None
        assert (record.database, record.connection, record.generation) == (
            before.database,
            before.connection,
            record.generation,
        )
        row = s.supervisor.get_app(name)
        assert row is not None
        same = {"name": name, "options": row["options"], "displayName": "New", "status": "running"}
        assert (await s.supervisor.update_app(name, same))["displayName"] == "New"


async def test_another_way_to_the_database_must_lead_to_the_same_one(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a", "env_b") as s:
        database = {"dialect": "postgres", "host": "db", "database": "shop", "username": "u", "password": "p"}
        options = {"dbConnType": "new_connection", "database": database}
        await s.supervisor.create_app({"name": "shop", "environments": ["env_a"], "options": options})
        await s.reaches("shop", "running")
        for unknown in (["mars"], ["env_a", "mars"]):
            with pytest.raises(PreflightFailed) as refused:
                await s.supervisor.update_app("shop", {"environments": unknown})
            assert refused.value.reason == "ENVIRONMENT_UNKNOWN"
        moved = {"options": {"database": database | {"host": "db2"}}}
        s.world.identity = {"env_a": "another", "env_b": "another"}
        for change in (moved, {"environments": ["env_b"]}):
            with pytest.raises(PreflightFailed) as refused:
                await s.supervisor.update_app("shop", change)
            assert refused.value.reason == "DATABASE_IS_ANOTHER"
        s.world.identity = {}
        await s.supervisor.update_app("shop", moved)
        record = s.supervisor.directory.app("shop")
        assert record is not None
        assert record.database.host == "db2"


async def test_lost_data_is_not_replaced_by_an_empty_app(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        await s.supervisor.stop_app(name)
        await s.reaches(name, "stopped")
        s.world.databases.clear()
        await s.supervisor.start_app(name)
        await s.reaches(name, "error")
        row = s.supervisor.get_app(name)
        assert row is not None
        assert row["reason"]["code"] == "APP_DATA_MISSING"
        assert s.world.databases == {}
        assert await s.supervisor.remove_app(name, remove_database=True)


async def test_a_removal_that_has_to_wait_says_so_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path, "env_a") as s:
        name = await s.running_app("env_a")
        await s.stop(s.environments["env_a"])
        await s.reaches(name, "unknown")
        row = s.supervisor.get_environment("env_a")
        assert row is not None
        assert "was stopped" in row["reason"]["message"]
        async with asyncio.timeout(PATIENCE):
            assert not await s.supervisor.remove_app(name)
        waiting = s.supervisor.get_app(name)
        assert waiting is not None
        assert waiting["desired"] == "removed"
        assert "force" in waiting["reason"]["remedy"]
        await s.environment("env_a")
        await s.reaches(name, None)


async def test_a_template_is_a_step_of_its_own(tmp_path: Path, way: str | None) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        gate = s.world.hold["fill shop"] = asyncio.Event()
        await s.supervisor.create_app(
            {"name": "shop", "environments": ["env_a"], "options": {"template": "crm", "lang": "zh-CN"}}
        )

        def filling() -> bool:
            row = s.supervisor.get_app("shop")
            return row is not None and bool(row["progress"]) and row["progress"]["step"] == "template"

        await s.until(filling)
        gate.set()
        await s.reaches("shop", "running")
        assert [what.split()[1] for what in s.world.happened] == ["provision", "install", "fill", "start"]
        await s.supervisor.create_app({"name": "plain", "environments": ["env_a"]})
        await s.reaches("plain", "running")
        assert "env_a fill plain" not in s.world.happened
        with pytest.raises(AppOptionsInvalid) as late:
            await s.supervisor.update_app("shop", {"options": {"template": "tickets"}})
        assert late.value.field == "options.template"
        with pytest.raises(PreflightFailed) as unknown:
            await s.supervisor.create_app(
                {"name": "odd", "environments": ["env_a"], "options": {"template": "../crm"}}
            )
        assert "options.template" in str(unknown.value.problems)


async def test_a_picture_is_kept_and_shown_by_its_address(tmp_path: Path) -> None:
    picture = "data:image/png;base64,iVBORw0KGgoAAAAA"
    async with scene(tmp_path, "env_a") as s:
        row = await s.supervisor.create_app({"name": "shop", "environments": ["env_a"], "icon": picture})
        assert row["icon"].startswith("/api/applications:icon/shop?v=")
        kept = await s.supervisor.update_app("shop", {"icon": row["icon"], "displayName": "Shop"})
        assert kept["icon"] == row["icon"]
        shown = s.supervisor.app_picture("shop")
        assert shown is not None
        assert shown.media_type == "image/png"
        changed = await s.supervisor.update_app("shop", {"icon": "🦜"})
        assert (changed["icon"], s.supervisor.app_picture("shop")) == ("🦜", None)
        with pytest.raises(AppOptionsInvalid) as refused:
            await s.supervisor.update_app("shop", {"icon": "data:image/svg+xml;base64,AAAA"})
        assert refused.value.field == "icon"


async def test_an_app_made_while_the_store_is_being_read_is_not_taken_for_a_deleted_one(
    tmp_path: Path, way: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        versions, read, go = s.store.versions, asyncio.Event(), asyncio.Event()

        async def slow() -> dict[str, int]:
            """The first answer is under way for long."""
            monkeypatch.setattr(s.store, "versions", versions)
            found = await versions()
            read.set()
            await go.wait()
            return found

        monkeypatch.setattr(s.store, "versions", slow)
        await asyncio.wait_for(read.wait(), PATIENCE)  # the regular comparing asks
        name = await s.running_app("env_a")
        go.set()
        turns = s.supervisor.directory.changes
        assert not await turns.until(lambda: s.status(name) != "running", 2.5)
        assert s.world.count(f"env_a destroy {name}") == 0


async def test_a_removal_that_was_finished_meanwhile_is_no_error(
    tmp_path: Path, way: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, "env_a", redis_url=way) as s:
        name = await s.running_app("env_a")
        advance, beaten = s.supervisor._reconciler.advance, False

        async def late(record: AppRecord) -> None:
            nonlocal beaten
            if beaten or record.desired != "removed":
                await advance(record)
                return
            beaten = True
            await s.until(lambda: s.supervisor.directory.record(record.uid) is None)
            raise AppNotFound("The app does not exist any more.")

        monkeypatch.setattr(s.supervisor._reconciler, "advance", late)
        assert await s.supervisor.remove_app(name)
        assert beaten
