"""Every setting: one table of variables, and the only place that reads the process environment.

A setting is one field of `Settings`; its metadata gives the variable's name, the kind of value and the help
text. `load` returns the settings or raises one `SettingsError` that lists every problem, one line each.
The reference page in the documentation is generated from this table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atoll.errors import SettingsError
from atoll.worker_mode import WorkerMode

Mode = Literal["standalone", "supervisor", "worker"]
SmtpSecurity = Literal["starttls", "tls", "none"]
MASK = "••••"
# As long as what HMAC-SHA256 makes: a shorter key is its weakest part (RFC 7518, 3.2).
ENOUGH_KEY_BYTES = 32
MOST_PROCESSES = 256
# Spelled like this in NocoBase's own documents; both are accepted.
ALIASES = {"APP_COMMAND_ADAPTER": "APP_COMMAND_ADPATER"}
PLUGIN_PREFIXES = ("@nocobase/plugin-",)
# Documented names whose features are part of the core: accepted, and they change nothing.
BUILT_IN_PLUGINS = frozenset(
    {
        "app-supervisor",
        "multi-app-manager",
        "lock-adapter-redis",
        "pubsub-adapter-redis",
        "queue-adapter-redis",
    }
)


class InvalidValue(ValueError):
    """A value that does not fit; the text says what is expected."""


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not low <= int(text) <= high:
            raise InvalidValue(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def duration(low: float, high: float) -> Callable[[str], float]:
    """A duration in seconds."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not low <= float(text) <= high:
            raise InvalidValue(f"seconds from {low:g} to {high:g}")
        return float(text)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """A number, with a fraction or without."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not low <= float(text) <= high:
            raise InvalidValue(f"a number from {low:g} to {high:g}")
        return float(text)

    return parse


def one_of(*values: str) -> Callable[[str], str]:
    """One of the given words."""

    def parse(text: str) -> str:
        if text not in values:
            raise InvalidValue("one of " + ", ".join(values))
        return text

    return parse


def boolean(text: str) -> bool:
    """true/false."""
    if text.lower() in {"true", "1", "on", "yes"}:
        return True
    if text.lower() in {"false", "0", "off", "no"}:
        return False
    raise InvalidValue("true or false")


def process_count(text: str) -> int:
    """A number of processes, from the processors this process may use where the text says so."""
    if text == "max" or re.fullmatch(r"-[1-9]\d?", text):
        return max(1, processors() + (0 if text == "max" else int(text)))
    if not re.fullmatch(r"[1-9]\d{0,2}", text) or int(text) > MOST_PROCESSES:
        raise InvalidValue(f"max, a negative number like -1, or a number from 1 to {MOST_PROCESSES}")
    return int(text)


def processors() -> int:
    """Processors this process may use: those of its affinity, and no more than its control group allows."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(allowed, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no such control group, or no limit in it
        return allowed


def address(*schemes: str) -> Callable[[str], str]:
    """An absolute URL with one of the given schemes and a host."""

    def parse(text: str) -> str:
        expected = f"an address like {schemes[0]}://host:port"
        if not re.match(r"[a-z][a-z0-9+.-]*://[^/]", text):
            raise InvalidValue(expected + " (two slashes, then the host)")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise InvalidValue(expected) from None
        if parts.scheme not in schemes or not parts.hostname or port == 0:
            raise InvalidValue(expected)
        return text

    return parse


SENTINELS = re.compile(
    r"rediss?\+sentinel://([^@/]*@)?[^@:/,?]+(:\d+)?(,[^@:/,?]+(:\d+)?)*/[^/?]+(/\d+)?(\?.*)?"
)


def redis_address(text: str) -> str:
    """A Redis address: redis://, rediss:// (TLS), unix://, or that of its sentinels."""
    if text.startswith("unix://"):
        return text
    if "+sentinel:" in text:
        if not SENTINELS.fullmatch(text):
            raise InvalidValue("an address like redis+sentinel://host:26379,host:26379/master-name/0")
        return text
    return address("redis", "rediss")(text)


def hex_key(text: str) -> str:
    """64 hex digits."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise InvalidValue("64 hex digits (32 bytes), for example from: openssl rand -hex 32")
    return text.lower()


def zone(text: str) -> str:
    """An IANA time zone name."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("a time zone name like UTC or Asia/Shanghai") from None
    return text


def identifier(text: str) -> str:
    """The identifier of an environment."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", text):
        raise InvalidValue("a letter, then letters, digits, _ or -, at most 63 characters")
    return text


def byte_size(text: str) -> int:
    """A size in bytes: a number with an optional b, kb, mb or gb."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmg]?)b?)", text.lower())
    if match is None:
        raise InvalidValue("a size like 10mb")
    return int(float(match[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2]])


def minutes(low: float, high: float) -> Callable[[str], float]:
    """A time like 90s or 10m, in seconds."""

    def parse(text: str) -> float:
        match = re.fullmatch(r"(\d{1,6})(s|m)", text)
        found = int(match[1]) * (60 if match[2] == "m" else 1) if match else 0
        if not low <= found <= high:
            raise InvalidValue(
                f"a time from {low / 60:g}m to {high / 60:g}m, like {low:g}s or {high / 60:g}m"
            )
        return float(found)

    return parse


def folders(text: str) -> tuple[Path, ...]:
    """A comma list of absolute folders."""
    found = tuple(Path(part) for part in word_list(text))
    if any(not path.is_absolute() or ".." in path.parts for path in found):
        raise InvalidValue("absolute folders, comma separated, without ..")
    return found


def service_share(text: str) -> WorkerMode:
    """What an instance does."""
    try:
        return WorkerMode.parse(text)
    except ValueError as error:
        raise InvalidValue(str(error)) from None


def word_list(text: str) -> tuple[str, ...]:
    """A comma list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def transports(text: str) -> tuple[str, ...]:
    """A comma list of places for log lines."""
    found = word_list(text)
    if not found or not set(found) <= {"console", "file", "dailyRotateFile"}:
        raise InvalidValue("console, file or dailyRotateFile, comma separated")
    if {"file", "dailyRotateFile"} <= set(found):
        raise InvalidValue("either file or dailyRotateFile, not both")
    return found


def network_list(text: str) -> tuple[str, ...]:
    """A comma list of addresses and networks."""
    entries = word_list(text)
    for entry in entries:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise InvalidValue("addresses or networks like 10.0.0.7 or 10.0.0.0/8, comma separated") from None
    return entries


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """A text of a given form."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise InvalidValue(expected)
        return text

    return parse


def password_hash(text: str) -> str:
    """An argon2id hash in its usual text form."""
    if not text.startswith("$argon2id$"):
        raise InvalidValue("an argon2id hash, which starts with $argon2id$")
    return text


def any_text(text: str) -> str:
    """Any text."""
    return text


def location(text: str) -> Path:
    """A folder or file, made absolute."""
    return Path(text).expanduser().absolute()


def variable(
    name: str, default: Any, parse: Callable[[str], Any], about: str, *, secret: bool = False, shown: str = ""
) -> Any:
    """One setting; `shown` is the default as the documentation shows it when it is computed."""
    return field(
        default=default,
        repr=not secret,
        metadata={"name": name, "parse": parse, "help": about, "secret": secret, "shown": shown},
    )


LANGUAGE = matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language like en-US or zh-CN")
# As people may choose it when they sign up.
USER_NAME = matching(
    r"""[^@<>"'/\x00-\x1f]{1,50}""", "1 to 50 characters without @ < > \" ' / and control characters"
)
EMAIL = matching(r"[^@\s<>\"']+@[^@\s<>\"']+", "an e-mail address like admin@example.com")
MAIL_SENDER = matching(
    r"[^<>\r\n]*<[^@\s<>\"']+@[^@\s<>\"']+>|[^@\s<>\"']+@[^@\s<>\"']+",
    "an address like atoll@example.com or Atoll <atoll@example.com>",
)
TABLE_PREFIX = matching(r"[A-Za-z_][A-Za-z0-9_]{0,15}", "a letter, then letters, digits or _, at most 16")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one server, checked and complete."""

    # fmt: off
    # The server
    app_env: str = variable("APP_ENV", "production", one_of("production", "development"), "Kind of installation; development writes readable logs.")
    app_host: str = variable("APP_HOST", "0.0.0.0", any_text, "Address to listen on.")
    app_port: int = variable("APP_PORT", 13000, whole(1, 65535), "Port to listen on.")
    storage_path: Path = variable("STORAGE_PATH", None, location, "Folder for files, keys and SQLite databases.", shown="./storage")
    timezone: str = variable("TZ", "UTC", zone, "Time zone of the server; local date texts are read in it.")
    app_lang: str = variable("INIT_APP_LANG", "en-US", LANGUAGE, "Language of newly installed apps.")
    request_body_limit: int = variable("REQUEST_BODY_LIMIT", 10 << 20, byte_size, "Largest JSON, form or text body of a request.", shown="10mb")
    import_file_limit: int = variable("IMPORT_FILE_LIMIT", 100 << 20, byte_size, "Largest file that can be imported.", shown="100mb")
    export_limit: int = variable("EXPORT_LIMIT", 2000, whole(1, 1_000_000), "Rows of an export that is answered at once; tasks export all.")
    async_task_max_concurrency: int = variable("ASYNC_TASK_MAX_CONCURRENCY", 3, whole(1, 100), "Tasks (imports, exports, bulk changes) that a process works on at a time.")
    async_task_concurrency_mode: str = variable("ASYNC_TASK_CONCURRENCY_MODE", "app", one_of("app", "process"), "Whether that number counts for each app or for all apps of a process.")
    async_task_keep_days: float = variable("ASYNC_TASK_KEEP_DAYS", 7.0, number(0, 3650), "Days for which finished tasks and their files are kept.")
    local_storage_allowed_roots: tuple[Path, ...] = variable("LOCAL_STORAGE_ALLOWED_ROOTS", (), folders, "Folders that local file storages may use beside the app's own, comma separated; each app gets a folder of its name in them.")
    temporary_file_access_expires_in: float = variable("TEMPORARY_FILE_ACCESS_EXPIRES_IN", 600.0, minutes(300, 600), "How long a temporary address of a file works.", shown="10m")
    default_storage_type: str = variable("DEFAULT_STORAGE_TYPE", "local", one_of("local", "s3"), "The default file storage of newly installed apps; s3 needs the variables AWS_*.")
    aws_access_key_id: str | None = variable("AWS_ACCESS_KEY_ID", None, any_text, "Key of the S3 storage of newly installed apps.")
    aws_secret_access_key: str | None = variable("AWS_SECRET_ACCESS_KEY", None, any_text, "Its secret.", secret=True)
    aws_s3_bucket: str | None = variable("AWS_S3_BUCKET", None, any_text, "Its bucket; newly installed apps have an S3 storage when it is set.")
    aws_s3_region: str | None = variable("AWS_S3_REGION", None, any_text, "Its region.")
    aws_endpoint_url_s3: str | None = variable("AWS_ENDPOINT_URL_S3", None, address("http", "https"), "Address of an S3 service other than Amazon's.")
    aws_s3_storage_base_url: str | None = variable("AWS_S3_STORAGE_BASE_URL", None, address("http", "https"), "Public address of the bucket.")
    trusted_proxies: tuple[str, ...] = variable("TRUSTED_PROXIES", (), network_list, "Addresses or networks whose X-Forwarded-* headers are believed, comma separated.")
    shutdown_seconds: float = variable("SHUTDOWN_SECONDS", 20.0, duration(0, 3600), "How long a stop waits for running requests.")
    logger_transport: tuple[str, ...] = variable("LOGGER_TRANSPORT", None, transports, "Where log lines go: console (standard error), file (numbered files) or dailyRotateFile (a file per day), comma separated. Request lines go to files only.", shown="console,dailyRotateFile; console in development")
    logger_base_path: Path = variable("LOGGER_BASE_PATH", None, location, "Folder of log files; each app has a folder in it.", shown="<STORAGE_PATH>/logs")
    logger_level: str = variable("LOGGER_LEVEL", None, one_of("error", "warn", "info", "debug", "trace"), "Least severity that is logged.", shown="info; debug in development")
    logger_format: str = variable("LOGGER_FORMAT", None, one_of("json", "console", "logfmt", "delimiter"), "Form of log lines. Files have JSON where the console has `console`.", shown="json; console in development")
    logger_max_files: str | None = variable("LOGGER_MAX_FILES", None, matching(r"[1-9]\d{0,3}d?", "a number of files like 10, or of days like 14d"), "How many log files stay, or files of how many days.", shown="14d; 10 for file")
    logger_max_size: int | None = variable("LOGGER_MAX_SIZE", None, byte_size, "Size at which another log file is begun.", shown="no limit; 20971520 for file")
    logger_silent: bool = variable("LOGGER_SILENT", False, boolean, "Log nothing.")

    # Keys and the first account
    app_key: str | None = variable("APP_KEY", None, any_text, "Secret that signs tokens. Must be equal on all instances of one app.", secret=True, shown="generated into the storage folder")
    app_aes_secret_key: str | None = variable("APP_AES_SECRET_KEY", None, hex_key, "Key that encrypts secrets in the database. Must be equal on all instances.", secret=True, shown="generated into the storage folder")
    init_root_username: str = variable("INIT_ROOT_USERNAME", "admin", USER_NAME, "User name of the first account.")
    init_root_email: str = variable("INIT_ROOT_EMAIL", "admin@example.com", EMAIL, "E-mail of the first account.")
    init_root_nickname: str = variable("INIT_ROOT_NICKNAME", "Administrator", any_text, "Display name of the first account.")
    init_root_password: str | None = variable("INIT_ROOT_PASSWORD", None, any_text, "Password of the first account.", secret=True, shown="generated and printed once")
    init_root_password_hash: str | None = variable("INIT_ROOT_PASSWORD_HASH", None, password_hash, "Argon2id hash of the first account's password, where the password itself must not lie.", secret=True)

    # Database
    db_dialect: str = variable("DB_DIALECT", "sqlite", one_of("sqlite", "postgres", "mysql", "mariadb"), "Kind of database. This version runs on sqlite and postgres.")
    db_storage: Path = variable("DB_STORAGE", None, location, "SQLite file of the main app; files of other apps lie beside it.", shown="<STORAGE_PATH>/db/atoll.sqlite")
    db_host: str = variable("DB_HOST", "localhost", any_text, "Database server.")
    db_port: int = variable("DB_PORT", 5432, whole(1, 65535), "Port of the database server.")
    db_database: str | None = variable("DB_DATABASE", None, any_text, "Database of the main app.")
    db_user: str | None = variable("DB_USER", None, any_text, "Database user.")
    db_password: str | None = variable("DB_PASSWORD", None, any_text, "Password of the database user.", secret=True)
    db_schema: str | None = variable("DB_SCHEMA", None, any_text, "Schema of the main app's tables (PostgreSQL).")
    db_table_prefix: str = variable("DB_TABLE_PREFIX", "", TABLE_PREFIX, "Put in front of each table name.")
    db_pool_max: int = variable("DB_POOL_MAX", 10, whole(1, 1000), "Most connections of one database pool.")

    # Mail
    smtp_host: str | None = variable("SMTP_HOST", None, any_text, "Mail server. Without one, nothing that needs mail is offered.")
    smtp_port: int = variable("SMTP_PORT", 587, whole(1, 65535), "Port of the mail server.")
    smtp_security: SmtpSecurity = variable("SMTP_SECURITY", "starttls", one_of("starttls", "tls", "none"), "Encryption: asked for and insisted on (usual on 587), from the first byte (usual on 465), or none.")
    smtp_user: str | None = variable("SMTP_USER", None, any_text, "User at the mail server.")
    smtp_password: str | None = variable("SMTP_PASSWORD", None, any_text, "Password at the mail server.", secret=True)
    mail_from: str | None = variable("MAIL_FROM", None, MAIL_SENDER, "Where mails come from, like Atoll <atoll@example.com>.")
    public_url: str | None = variable("PUBLIC_URL", None, address("http", "https"), "Where people reach this installation; links in mails lead there. On an environment behind a Supervisor: the Supervisor's address.", shown="ENVIRONMENT_URL")

    # Apps and environments
    app_mode: Mode = variable("APP_MODE", "standalone", one_of("standalone", "supervisor", "worker"), "Role of this server: supervisor manages, worker hosts apps, unset does both in one process.", shown="one process")
    app_discovery_adapter: str = variable("APP_DISCOVERY_ADAPTER", None, one_of("local", "remote"), "Where apps and environments are known: this process or Redis.", shown="remote with APP_MODE, else local")
    app_process_adapter: str = variable("APP_PROCESS_ADAPTER", None, one_of("local", "remote"), "Where apps run: this process or other environments.", shown="remote on a supervisor, else local")
    app_command_adapter: str = variable("APP_COMMAND_ADAPTER", None, one_of("local", "redis"), "How commands travel to environments.", shown="redis with APP_MODE, else local")
    app_supervisor_redis_url: str | None = variable("APP_SUPERVISOR_REDIS_URL", None, redis_address, "Redis that carries app and environment configuration.", secret=True, shown="REDIS_URL")
    app_command_redis_url: str | None = variable("APP_COMMAND_REDIS_URL", None, redis_address, "Redis that carries commands.", secret=True, shown="REDIS_URL")
    app_supervisor_aes_secret_key: str | None = variable("APP_SUPERVISOR_AES_SECRET_KEY", None, hex_key, "Shared key that encrypts and authenticates what travels between Supervisor and environments.", secret=True, shown="key pairs, trusted on first use")
    redis_namespace: str = variable("REDIS_NAMESPACE", "atoll", identifier, "First part of every Redis key; two installations on one Redis need two.")
    environment_name: str | None = variable("ENVIRONMENT_NAME", None, identifier, "Identifier of this environment.")
    environment_url: str | None = variable("ENVIRONMENT_URL", None, address("http", "https"), "Where people reach this environment.")
    environment_proxy_url: str | None = variable("ENVIRONMENT_PROXY_URL", None, address("http", "https"), "Where the Supervisor's proxy reaches this environment.", shown="ENVIRONMENT_URL")
    environment_heartbeat_seconds: float = variable("ENVIRONMENT_HEARTBEAT_SECONDS", 120.0, duration(1, 86400), "Time between two heartbeats of an environment.")
    environment_lease_seconds: float = variable("ENVIRONMENT_LEASE_SECONDS", 10.0, duration(2, 3600), "How long an environment counts as alive without a sign of life.")
    app_hold_seconds: float = variable("APP_HOLD_SECONDS", 30.0, duration(0, 600), "How long a request waits for an app that is starting.")
    subapp_bootstrap_concurrency: int = variable("SUBAPP_BOOTSTRAP_CONCURRENCY", 4, whole(1, 1000), "How many apps an environment starts at the same time.")
    use_db_schema_in_subapp: bool = variable("USE_DB_SCHEMA_IN_SUBAPP", False, boolean, "Set on the Supervisor: new apps get a schema of their environment's database when nothing else is chosen (PostgreSQL).")
    append_preset_built_in_plugins: tuple[str, ...] = variable("APPEND_PRESET_BUILT_IN_PLUGINS", (), word_list, "Plugin names of the documents; their features are built in, so known names change nothing.")

    # Cluster parts
    redis_url: str | None = variable("REDIS_URL", None, redis_address, "Redis used by every part that has no address of its own.", secret=True)
    pubsub_adapter_redis_url: str | None = variable("PUBSUB_ADAPTER_REDIS_URL", None, redis_address, "Redis that carries messages between instances of one app.", secret=True, shown="REDIS_URL, then APP_SUPERVISOR_REDIS_URL")
    lock_adapter_default: str = variable("LOCK_ADAPTER_DEFAULT", None, one_of("local", "redis"), "Kind of lock; with redis, an app's start is serialised among all environments.", shown="redis with APP_MODE, else local")
    lock_adapter_redis_url: str | None = variable("LOCK_ADAPTER_REDIS_URL", None, redis_address, "Redis that carries locks; the same for all environments.", secret=True, shown="REDIS_URL, then APP_SUPERVISOR_REDIS_URL")
    cache_default_store: str = variable("CACHE_DEFAULT_STORE", None, one_of("memory", "redis"), "Where the caches of apps lie; what several instances share needs redis.", shown="redis with APP_MODE or CLUSTER_MODE, else memory")
    cache_redis_url: str | None = variable("CACHE_REDIS_URL", None, redis_address, "Redis of the cache.", secret=True, shown="REDIS_URL, then APP_SUPERVISOR_REDIS_URL")
    cache_memory_max: int = variable("CACHE_MEMORY_MAX", 2000, whole(1, 10_000_000), "Most values that one app's cache keeps in memory, in front of Redis too.")
    queue_adapter: str = variable("QUEUE_ADAPTER", None, one_of("memory", "redis", "rabbitmq"), "Kind of message queue.", shown="memory; redis with several processes")
    queue_adapter_redis_url: str | None = variable("QUEUE_ADAPTER_REDIS_URL", None, redis_address, "Redis of the queue.", secret=True, shown="REDIS_URL, then APP_SUPERVISOR_REDIS_URL")
    queue_adapter_rabbitmq_url: str | None = variable("QUEUE_ADAPTER_RABBITMQ_URL", None, address("amqp", "amqps"), "RabbitMQ of the queue.", secret=True)
    worker_id_bits: int = variable("WORKER_ID_BITS", 5, whole(5, 10), "Width of worker ids: 5 for 32 instances, as documented, up to 10 for 1024. Ids of records then have fewer numbers per second. The same on all instances; change it only while all are stopped.")
    worker_id_lease_seconds: float = variable("WORKER_ID_LEASE_SECONDS", 60.0, duration(2, 3600), "How long the worker id of a killed instance stays taken. The same on all instances.")
    processes: int = variable("CLUSTER_MODE", 1, process_count, "Number of processes that serve this address: a number, max for one per processor, -1 for one less. More than one need a Redis.")
    worker_mode: WorkerMode = variable("WORKER_MODE", WorkerMode(), service_share, "What this instance does: ! requests only, * all background services only, a comma list of service keys (with ! for requests too), - neither.", shown="requests and all services")

    # fmt: on

    @property
    def worker_id_redis_url(self) -> str | None:
        """The Redis that gives worker ids: REDIS_URL, else any that instances of this server share."""
        shared = self.app_supervisor_redis_url if self.remote else self.pubsub_adapter_redis_url
        return self.redis_url or shared

    @property
    def remote(self) -> bool:
        """Whether this server is part of a multi-environment installation."""
        return self.app_mode != "standalone"


@dataclass(frozen=True)
class Loaded:
    """Settings and what should be said about them at start."""

    settings: Settings
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class VariableInfo:
    """One variable as `atoll settings` and the documentation show it."""

    name: str
    value: str
    source: Literal["environment", "default"]
    default: str
    help: str
    secret: bool


def read_environment(folder: Path | None = None) -> dict[str, str]:
    """The process environment, over the values of `.env` (or the file named by APP_ENV_PATH) in `folder`.

    Raises:
        SettingsError: the file cannot be read, or APP_ENV_PATH names none.
    """
    named = os.environ.get("APP_ENV_PATH", "")
    file = (folder or Path.cwd()) / (named or ".env")
    values: dict[str, str] = {}
    if named or file.exists():
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SettingsError([f"APP_ENV_PATH={file}: expected a text file; {why}"]) from error
        for line in text.splitlines():
            match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*", line)
            if match is not None:
                quoted = re.fullmatch(r"""(["'])(.*)\1(?:\s+#.*)?""", match[2])
                values[match[1]] = quoted[2] if quoted else re.sub(r"\s+#.*$", "", match[2])
    return {**values, **os.environ}


def load(environ: Mapping[str, str]) -> Loaded:
    """Reads and checks all settings.

    Raises:
        SettingsError: with one line per problem: variable, value, what is expected.
    """
    problems: list[str] = []
    warnings: list[str] = []
    values: dict[str, Any] = {}
    given: set[str] = set()
    for item in fields(Settings):
        name = item.metadata["name"]
        text = environ.get(name, "")
        if not text and (alias := ALIASES.get(name)) is not None and environ.get(alias):
            text = environ[alias]
            warnings.append(f"{alias} is read as {name}; please write {name}")
        if not text:
            values[item.name] = None if item.default is MISSING else item.default
            continue
        given.add(item.name)
        try:
            values[item.name] = item.metadata["parse"](text)
        except InvalidValue as error:
            values[item.name] = item.default
            problems.append(f"{name}={MASK if item.metadata['secret'] else text}: expected {error}")
    _derive(values)
    if not problems:
        problems += _contradictions(values, given)
        warnings += _remarks(values, given)
    if problems:
        raise SettingsError(problems)
    return Loaded(Settings(**values), tuple(warnings))


def describe(environ: Mapping[str, str]) -> list[VariableInfo]:
    """Each variable with its present value (masked when secret), source, default and help."""
    rows = []
    for item in fields(Settings):
        name, secret = item.metadata["name"], item.metadata["secret"]
        text = environ.get(name) or environ.get(ALIASES.get(name, ""), "")
        default = _shown(item)
        value = (MASK if secret else text) if text else default
        rows.append(
            VariableInfo(
                name, value, "environment" if text else "default", default, item.metadata["help"], secret
            )
        )
    return rows


def _shown(item: Field[Any]) -> str:
    shown: str = item.metadata["shown"]
    if shown:
        return shown
    default = item.default
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def _derive(values: dict[str, Any]) -> None:
    """Fills the settings whose default depends on others."""
    remote = values["app_mode"] != "standalone"
    values["storage_path"] = values["storage_path"] or Path("storage").absolute()
    values["db_storage"] = values["db_storage"] or values["storage_path"] / "db" / "atoll.sqlite"
    development = values["app_env"] == "development"
    values["logger_base_path"] = values["logger_base_path"] or values["storage_path"] / "logs"
    values["logger_format"] = values["logger_format"] or ("console" if development else "json")
    values["logger_level"] = values["logger_level"] or ("debug" if development else "info")
    values["logger_transport"] = values["logger_transport"] or (
        ("console",) if development else ("console", "dailyRotateFile")
    )
    values["app_discovery_adapter"] = values["app_discovery_adapter"] or ("remote" if remote else "local")
    values["app_process_adapter"] = values["app_process_adapter"] or (
        "remote" if values["app_mode"] == "supervisor" else "local"
    )
    values["app_command_adapter"] = values["app_command_adapter"] or ("redis" if remote else "local")
    values["environment_proxy_url"] = values["environment_proxy_url"] or values["environment_url"]
    values["public_url"] = values["public_url"] or values["environment_url"]
    general = values["redis_url"]
    values["app_supervisor_redis_url"] = values["app_supervisor_redis_url"] or general
    values["lock_adapter_default"] = values["lock_adapter_default"] or (
        "redis" if remote or values["processes"] > 1 else "local"
    )
    values["lock_adapter_redis_url"] = (
        values["lock_adapter_redis_url"] or general or values["app_supervisor_redis_url"]
    )
    values["cache_default_store"] = values["cache_default_store"] or (
        "redis" if remote or values["processes"] > 1 else "memory"
    )
    values["cache_redis_url"] = values["cache_redis_url"] or general or values["app_supervisor_redis_url"]
    values["app_command_redis_url"] = (
        values["app_command_redis_url"] or general or values["app_supervisor_redis_url"]
    )
    values["queue_adapter"] = values["queue_adapter"] or ("redis" if values["processes"] > 1 else "memory")
    values["queue_adapter_redis_url"] = (
        values["queue_adapter_redis_url"] or general or values["app_supervisor_redis_url"]
    )
    values["pubsub_adapter_redis_url"] = (
        values["pubsub_adapter_redis_url"]
        or general
        or (values["app_supervisor_redis_url"] if remote else None)
    )


def _contradictions(values: dict[str, Any], given: set[str]) -> list[str]:
    """Settings that do not go together."""
    problems = []
    mode = values["app_mode"]
    expected = {
        "standalone": ("local", "local", "local"),
        "supervisor": ("remote", "remote", "redis"),
        "worker": ("remote", "local", "redis"),
    }[mode]
    adapters = ("app_discovery_adapter", "app_process_adapter", "app_command_adapter")
    for name, wanted in zip(adapters, expected, strict=True):
        if values[name] != wanted:
            role = "without APP_MODE" if mode == "standalone" else f"with APP_MODE={mode}"
            problems.append(f"{name.upper()}={values[name]}: expected {wanted} {role}")
    if mode != "standalone":
        for name in ("app_supervisor_redis_url", "app_command_redis_url"):
            if not values[name]:
                problems.append(
                    f"{name.upper()}=: expected an address like redis://host:6379 with APP_MODE={mode} (or REDIS_URL for all parts)"
                )
    if mode == "worker":
        for name, example in (("environment_name", "env_a"), ("environment_url", "http://host:15000")):
            if not values[name]:
                problems.append(f"{name.upper()}=: expected a value like {example} with APP_MODE=worker")
    if values["db_dialect"] in {"mysql", "mariadb"}:
        problems.append(
            f"DB_DIALECT={values['db_dialect']}: expected sqlite or postgres; this version has no driver for it yet"
        )
    if values["db_dialect"] == "postgres":
        for name in ("db_database", "db_user"):
            if not values[name]:
                problems.append(f"{name.upper()}=: expected a value with DB_DIALECT=postgres")
    elif values["use_db_schema_in_subapp"] or values["db_schema"]:
        problems.append(
            "DB_SCHEMA/USE_DB_SCHEMA_IN_SUBAPP: expected DB_DIALECT=postgres; SQLite has no schemas"
        )
    if values["lock_adapter_default"] == "local" and mode != "standalone":
        problems.append(f"LOCK_ADAPTER_DEFAULT=local: expected redis with APP_MODE={mode}")
    if (
        values["lock_adapter_default"] == "redis"
        and mode == "standalone"
        and values["processes"] == 1
        and not values["lock_adapter_redis_url"]
    ):
        problems.append(
            "LOCK_ADAPTER_REDIS_URL=: expected an address like redis://host:6379 with LOCK_ADAPTER_DEFAULT=redis"
        )
    if (
        values["queue_adapter"] == "redis"
        and values["processes"] == 1
        and not values["queue_adapter_redis_url"]
    ):
        problems.append(
            "QUEUE_ADAPTER_REDIS_URL=: expected an address like redis://host:6379 with QUEUE_ADAPTER=redis"
        )
    if values["queue_adapter"] == "rabbitmq" and not values["queue_adapter_rabbitmq_url"]:
        problems.append(
            "QUEUE_ADAPTER_RABBITMQ_URL=: expected an address like amqp://user:password@host:5672 with QUEUE_ADAPTER=rabbitmq"
        )
    if (
        values["cache_default_store"] == "redis"
        and values["processes"] == 1
        and not values["cache_redis_url"]
        and mode == "standalone"
    ):
        problems.append(
            "CACHE_REDIS_URL=: expected an address like redis://host:6379 with CACHE_DEFAULT_STORE=redis"
        )
    if values["default_storage_type"] == "s3":
        for name in ("aws_s3_bucket", "aws_access_key_id", "aws_secret_access_key"):
            if not values[name]:
                problems.append(f"{name.upper()}=: expected a value with DEFAULT_STORAGE_TYPE=s3")
    if values["processes"] > 1:
        problems += _alone(values)
    if values["smtp_host"]:
        for name, example in (("mail_from", "atoll@example.com"), ("public_url", "https://apps.example.com")):
            if not values[name]:
                problems.append(f"{name.upper()}=: expected a value like {example} with SMTP_HOST")
    if "init_root_password" in given and len(values["init_root_password"]) < 8:
        problems.append(f"INIT_ROOT_PASSWORD={MASK}: expected at least 8 characters")
    return problems


def _alone(values: dict[str, Any]) -> list[str]:
    """What several processes cannot do with: each would have a memory of its own."""
    wanted = {
        "PUBSUB_ADAPTER_REDIS_URL": bool(values["pubsub_adapter_redis_url"]),
        "LOCK_ADAPTER_DEFAULT=redis": values["lock_adapter_default"] == "redis"
        and bool(values["lock_adapter_redis_url"]),
        "QUEUE_ADAPTER=redis": values["queue_adapter"] == "rabbitmq"
        or (values["queue_adapter"] == "redis" and bool(values["queue_adapter_redis_url"])),
        "CACHE_DEFAULT_STORE=redis": values["cache_default_store"] == "redis"
        and bool(values["cache_redis_url"]),
    }
    missing = [name for name, there in wanted.items() if not there]
    if not missing:
        return []
    expected = "REDIS_URL=redis://host:6379 beside it, so that the processes know of each other"
    return [f"CLUSTER_MODE={values['processes']}: expected {expected}; missing is {', '.join(missing)}"]


def _remarks(values: dict[str, Any], given: set[str]) -> list[str]:
    """Settings that are accepted but deserve a word."""
    remarks = []
    if "app_key" in given and len(values["app_key"].encode()) < ENOUGH_KEY_BYTES:
        remarks.append(
            f"APP_KEY is shorter than {ENOUGH_KEY_BYTES} bytes, so that tokens could be forged by trying; "
            "take one from: openssl rand -hex 32"
        )
    if values["worker_mode"].stray_star:
        remarks.append(
            "WORKER_MODE names * beside others, where it has no effect; for all services write * alone, or "
            "nothing at all for requests too"
        )
    for plugin in values["append_preset_built_in_plugins"]:
        short = plugin
        for prefix in PLUGIN_PREFIXES:
            short = short.removeprefix(prefix)
        if short not in BUILT_IN_PLUGINS:
            remarks.append(
                f"APPEND_PRESET_BUILT_IN_PLUGINS names {plugin}, which this version does not have; it is left out"
            )
    return remarks
