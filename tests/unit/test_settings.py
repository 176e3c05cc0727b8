"""What the environment may say, and what is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from atoll import settings
from atoll.errors import SettingsError

REDIS = "redis://127.0.0.1:6379"
WORKER = {
    "APP_MODE": "worker",
    "APP_DISCOVERY_ADAPTER": "remote",
    "APP_PROCESS_ADAPTER": "local",
    "APP_COMMAND_ADAPTER": "redis",
    "APP_SUPERVISOR_REDIS_URL": REDIS,
    "APP_COMMAND_REDIS_URL": REDIS,
    "ENVIRONMENT_NAME": "env_a",
    "ENVIRONMENT_URL": "http://localhost:15000",
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load(environ)
    return caught.value.problems


def test_nothing_set_is_one_process_on_sqlite() -> None:
    loaded = settings.load({})
    assert loaded.warnings == ()
    assert loaded.settings.app_mode == "standalone"
    assert loaded.settings.app_port == 13000
    assert loaded.settings.db_dialect == "sqlite"
    assert loaded.settings.db_storage.parent == loaded.settings.storage_path / "db"


def test_the_reference_worker_is_understood() -> None:
    loaded = settings.load(WORKER | {"APPEND_PRESET_BUILT_IN_PLUGINS": "@nocobase/plugin-app-supervisor"})
    assert loaded.warnings == ()
    assert loaded.settings.environment_proxy_url == "http://localhost:15000"


def test_the_documents_misspelling_is_read_with_a_warning() -> None:
    environ = {k: v for k, v in WORKER.items() if k != "APP_COMMAND_ADAPTER"} | {
        "APP_COMMAND_ADPATER": "redis"
    }
    loaded = settings.load(environ)
    assert loaded.settings.app_command_adapter == "redis"
    assert loaded.warnings == (
        "APP_COMMAND_ADPATER is read as APP_COMMAND_ADAPTER; please write APP_COMMAND_ADAPTER",
    )


def test_mail_needs_a_sender_and_an_address_for_links() -> None:
    assert problems({"SMTP_HOST": "mail.example.com"}) == [
        "MAIL_FROM=: expected a value like atoll@example.com with SMTP_HOST",
        "PUBLIC_URL=: expected a value like https://apps.example.com with SMTP_HOST",
    ]
    mail = {"SMTP_HOST": "mail.example.com", "MAIL_FROM": "Atoll <atoll@example.com>"}
    assert settings.load(WORKER | mail).settings.public_url == WORKER["ENVIRONMENT_URL"]
    assert len(problems(mail | {"PUBLIC_URL": "https://a.example", "MAIL_FROM": "nobody"})) == 1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"ENVIRONMENT_NAME": ""}, "ENVIRONMENT_NAME=: expected a value like env_a with APP_MODE=worker"),
        ({"ENVIRONMENT_NAME": "../x"}, "ENVIRONMENT_NAME=../x: expected"),
        (
            {"APP_SUPERVISOR_REDIS_URL": "redis:/redis-0"},
            "APP_SUPERVISOR_REDIS_URL=••••: expected an address like redis://",
        ),
        (
            {"APP_SUPERVISOR_REDIS_URL": "", "APP_COMMAND_REDIS_URL": ""},
            "APP_SUPERVISOR_REDIS_URL=: expected",
        ),
        (
            {"APP_PROCESS_ADAPTER": "remote"},
            "APP_PROCESS_ADAPTER=remote: expected local with APP_MODE=worker",
        ),
        ({"APP_PORT": "70000"}, "APP_PORT=70000: expected a whole number from 1 to 65535"),
        ({"TZ": "Mars/Base"}, "TZ=Mars/Base: expected a time zone name"),
        ({"DB_DIALECT": "postgres"}, "DB_DATABASE=: expected a value with DB_DIALECT=postgres"),
        ({"DB_DIALECT": "mariadb"}, "DB_DIALECT=mariadb: expected sqlite or postgres"),
        ({"QUEUE_ADAPTER": "rabbitmq"}, "QUEUE_ADAPTER_RABBITMQ_URL=: expected an address"),
        (
            {"LOCK_ADAPTER_DEFAULT": "local"},
            "LOCK_ADAPTER_DEFAULT=local: expected redis with APP_MODE=worker",
        ),
        ({"CLUSTER_MODE": "0"}, "CLUSTER_MODE=0: expected max"),
        ({"CLUSTER_MODE": "many"}, "CLUSTER_MODE=many: expected max"),
        ({"WORKER_MODE": "workflow process"}, "WORKER_MODE=workflow process: expected nothing, !, *, -"),
        (
            {"APP_SUPERVISOR_AES_SECRET_KEY": "abc"},
            "APP_SUPERVISOR_AES_SECRET_KEY=••••: expected 64 hex digits",
        ),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,nginx"}, "TRUSTED_PROXIES=10.0.0.0/8,nginx: expected addresses"),
        ({"INIT_ROOT_USERNAME": "a@b"}, "INIT_ROOT_USERNAME=a@b: expected 1 to 50 characters"),
        ({"INIT_ROOT_EMAIL": "nobody"}, "INIT_ROOT_EMAIL=nobody: expected an e-mail address"),
        ({"INIT_APP_LANG": "klingon"}, "INIT_APP_LANG=klingon: expected a language like en-US"),
        ({"DB_TABLE_PREFIX": 'a";'}, 'DB_TABLE_PREFIX=a";: expected a letter'),
        ({"INIT_ROOT_PASSWORD": "short"}, "INIT_ROOT_PASSWORD=••••: expected at least 8 characters"),
    ],
)
def test_a_wrong_value_is_one_line_with_variable_value_and_expectation(
    change: dict[str, str], line: str
) -> None:
    assert any(problem.startswith(line) for problem in problems(WORKER | change))


def test_several_processes_need_what_they_share() -> None:
    line = "CLUSTER_MODE=2: expected REDIS_URL=redis://host:6379 beside it"
    (problem,) = problems({"CLUSTER_MODE": "2"})
    assert problem.startswith(line)
    assert "PUBSUB_ADAPTER_REDIS_URL, LOCK_ADAPTER_DEFAULT=redis, QUEUE_ADAPTER=redis" in problem
    redis = {"CLUSTER_MODE": "2", "REDIS_URL": "redis://host:6379"}
    (problem,) = problems(redis | {"CACHE_DEFAULT_STORE": "memory"})
    assert problem.endswith("missing is CACHE_DEFAULT_STORE=redis")
    (problem,) = problems(redis | {"LOCK_ADAPTER_DEFAULT": "local"})
    assert problem.endswith("missing is LOCK_ADAPTER_DEFAULT=redis")
    chosen = settings.load(redis).settings
    assert (chosen.processes, chosen.lock_adapter_default, chosen.queue_adapter) == (2, "redis", "redis")


def test_processes_by_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "processors", lambda: 6)
    assert [settings.process_count(text) for text in ("max", "-1", "-9", "3")] == [6, 5, 1, 3]


def test_redis_adapters_without_an_address_are_refused() -> None:
    found = problems({"LOCK_ADAPTER_DEFAULT": "redis"})
    assert any(line.startswith("LOCK_ADAPTER_REDIS_URL=: expected an address") for line in found)
    (line,) = problems({"CACHE_DEFAULT_STORE": "redis"})
    assert line.startswith("CACHE_REDIS_URL=: expected an address")


def test_the_cache_is_shared_where_there_are_several() -> None:
    assert settings.load({}).settings.cache_default_store == "memory"
    assert settings.load({"REDIS_URL": REDIS}).settings.cache_default_store == "memory"
    worker = settings.load(WORKER).settings
    assert (worker.cache_default_store, worker.cache_redis_url) == ("redis", worker.app_supervisor_redis_url)
    chosen = settings.load(WORKER | {"CACHE_DEFAULT_STORE": "memory", "CACHE_MEMORY_MAX": "5"})
    assert (chosen.settings.cache_default_store, chosen.settings.cache_memory_max) == ("memory", 5)
    assert chosen.warnings == ()


def test_a_short_app_key_is_accepted_with_a_warning_that_does_not_show_it() -> None:
    (warning,) = settings.load({"APP_KEY": "hunter22"}).warnings
    assert warning.startswith("APP_KEY is shorter than 32 bytes")
    assert "hunter22" not in warning
    assert settings.load({"APP_KEY": "k" * 32}).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "redis+sentinel://one:26379,two,three:1/main",
        "rediss+sentinel://user:p%40ss@one:26379,two:26379/main/3?sentinel_password=x&ssl_ca_certs=/c",
    ],
)
def test_addresses_of_sentinels(text: str) -> None:
    assert settings.load({"REDIS_URL": text}).settings.redis_url == text


@pytest.mark.parametrize(
    "text",
    [
        "redis+sentinel://one:26379,two:26379",
        "redis+sentinel://one:x/main",
        "redis+sentinel:///main",
        "redis://one:6379,two:6379/0",
    ],
)
def test_addresses_that_are_none(text: str) -> None:
    assert problems({"REDIS_URL": text})


def test_all_problems_come_at_once() -> None:
    assert len(problems({"APP_PORT": "x", "DB_PORT": "y", "TZ": "z"})) == 3


def test_redis_url_is_the_fallback_of_every_part() -> None:
    loaded = settings.load(
        {**{k: v for k, v in WORKER.items() if "REDIS" not in k}, "REDIS_URL": REDIS}
    ).settings
    assert (
        loaded.app_supervisor_redis_url
        == loaded.app_command_redis_url
        == loaded.pubsub_adapter_redis_url
        == loaded.lock_adapter_redis_url
        == REDIS
    )
    assert loaded.lock_adapter_default == "redis"


def test_locks_may_have_a_redis_of_their_own() -> None:
    other = "redis://127.0.0.1:6380"
    assert settings.load(WORKER | {"LOCK_ADAPTER_REDIS_URL": other}).settings.lock_adapter_redis_url == other
    alone = {"LOCK_ADAPTER_DEFAULT": "redis", "LOCK_ADAPTER_REDIS_URL": other}
    assert settings.load(alone).warnings == ()
    assert settings.load({}).settings.lock_adapter_default == "local"


def test_secrets_are_never_shown() -> None:
    environ = {"APP_KEY": "hunter22", "INIT_ROOT_PASSWORD": "hunter22hunter22"}
    assert "hunter22" not in repr(settings.load(environ))
    assert all("hunter22" not in row.value for row in settings.describe(environ))


def test_every_setting_has_a_help_text_and_a_unique_name() -> None:
    names = [item.metadata["name"] for item in fields(settings.Settings)]
    assert len(names) == len(set(names))
    assert all(item.metadata["help"].endswith(".") for item in fields(settings.Settings))


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PORT", "14000")
    monkeypatch.delenv("APP_ENV_PATH", raising=False)
    (tmp_path / ".env").write_text('# comment\nAPP_PORT=1\nexport APP_HOST="127.0.0.1"\nTZ=UTC # zone\n')
    environ = settings.read_environment(tmp_path)
    assert (environ["APP_PORT"], environ["APP_HOST"], environ["TZ"]) == ("14000", "127.0.0.1", "UTC")
