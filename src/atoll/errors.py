"""Every error Atoll raises on purpose: one tree, stable codes, and a text that says what to do next.

The `code` crosses process borders and is part of the API; texts are for people and may change.
`status` is the HTTP status an API answers with. `detail` is for the log only and never reaches a client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AtollError(Exception):
    """Root of the tree.

    Args:
        message: what happened and what to do, for the person who sees it. Never contains secrets.
        detail: more for the log (driver texts, addresses). May be empty.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


# --- Settings and start -----------------------------------------------------------------------------


class SettingsError(AtollError):
    """One or more settings are wrong or contradict each other; the start is refused.

    Args:
        problems: one line each: variable, value (masked when secret), what is expected.
    """

    code = "INVALID_SETTINGS"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StorageUnusable(AtollError):
    """The storage folder, or a key in it, cannot be read or written."""

    code = "STORAGE_UNUSABLE"


class StorageOwned(AtollError):
    """A folder is in use by a server that cannot share it with this one."""

    code = "STORAGE_OWNED"


class UserInterfaceMissing(AtollError):
    """The built UI is not part of this installation."""

    code = "USER_INTERFACE_MISSING"


# --- Requests ---------------------------------------------------------------------------------------


class BadRequest(AtollError):
    """The request cannot be understood or breaks a rule."""

    code = "BAD_REQUEST"
    status = 400


class PayloadTooLarge(AtollError):
    """A request body above the configured limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class FileRefused(BadRequest):
    """A file that the rules of its storage do not allow."""

    code = "FILE_REFUSED"


class FileTooLarge(FileRefused):
    """A file with more bytes than its storage accepts."""

    code = "LIMIT_FILE_SIZE"


class UnexpectedFile(BadRequest):
    """A form with a file in another field than `file`."""

    code = "LIMIT_UNEXPECTED_FILE"


class TooManyFiles(BadRequest):
    """A form with several files."""

    code = "LIMIT_FILE_COUNT"


class Unauthenticated(AtollError):
    """No valid sign-in. Instances carry one of the documented 401 codes.

    Source: http-api.md 6.3 (EMPTY_TOKEN, INVALID_TOKEN, EXPIRED_SESSION, BLOCKED_TOKEN, NOT_EXIST_USER, ...).
    """

    code = "INVALID_TOKEN"
    status = 401

    def __init__(self, message: str, *, code: str | None = None, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.reason: str | None = code


class Forbidden(AtollError):
    """The caller has no right to do this."""

    code = "FORBIDDEN"
    status = 403


class RecordInUse(BadRequest):
    """A record cannot be destroyed because a relation with `onDelete: RESTRICT` leads to it."""

    code = "RECORD_IN_USE"


class SecretUnreadable(BadRequest):
    """A secret in an app's database was encrypted with another key than the app has now."""

    code = "SECRET_UNREADABLE"


class NotFound(AtollError):
    """The named thing does not exist."""

    code = "NOT_FOUND"
    status = 404


class PluginNotFound(NotFound):
    """There is no plugin of that name in this version."""

    code = "MODULE_NOT_FOUND"


class Conflict(AtollError):
    """The change contradicts the present state."""

    code = "CONFLICT"
    status = 409


class RecordChanged(Conflict):
    """The record is no longer as `If-Match` says: somebody changed it. The answer has it as it is now.

    Args:
        record: what the caller may see of it; goes out as `data` of the answer.
        version: its entity tag now, for the next `If-Match`.
    """

    code = "RECORD_CHANGED"

    def __init__(self, message: str, *, record: Mapping[str, Any], version: str | None) -> None:
        super().__init__(message)
        self.record = record
        self.version = version


# --- Database ---------------------------------------------------------------------------------------


class DatabaseError(AtollError):
    """The database refused a statement; `detail` has its own words."""

    code = "DATABASE_ERROR"


class DatabaseUnavailable(DatabaseError):
    """No connection to the database could be had within the limit."""

    code = "DATABASE_UNAVAILABLE"
    status = 503


class DatabaseSignInRefused(DatabaseUnavailable):
    """The database server refused user or password; trying again does not help."""

    code = "DATABASE_SIGN_IN_REFUSED"


class DatabaseMissing(DatabaseUnavailable):
    """The server answers, but the named database does not exist."""

    code = "DATABASE_MISSING"


class DatabaseRightsMissing(DatabaseError):
    """The database user may not do what is needed."""

    code = "DATABASE_RIGHTS_MISSING"
    status = 400


class DatabaseNameTaken(DatabaseError):
    """A database, schema or file of that name exists and belongs to something else."""

    code = "DATABASE_NAME_TAKEN"
    status = 409


class UniqueViolation(DatabaseError):
    """A row with the same unique value exists.

    Args:
        columns: the columns of the violated constraint, empty when the driver does not say.
    """

    code = "UNIQUE_VIOLATION"
    status = 400

    def __init__(self, message: str, *, columns: tuple[str, ...] = (), detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.columns = columns


class NotNullViolation(DatabaseError):
    """A required value is missing in `column`."""

    code = "NOT_NULL_VIOLATION"
    status = 400

    def __init__(self, message: str, *, column: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.column = column


class ForeignKeyViolation(DatabaseError):
    """The row is still referenced, or refers to a row that does not exist."""

    code = "FOREIGN_KEY_VIOLATION"
    status = 400


class UnknownColumn(DatabaseError):
    """A statement names a column or table that does not exist."""

    code = "UNKNOWN_COLUMN"
    status = 400


class InvalidValue(DatabaseError):
    """A value does not fit the type of its column: wrong kind, out of range, too long."""

    code = "INVALID_VALUE"
    status = 400


# --- Cluster ----------------------------------------------------------------------------------------


class RedisUnavailable(AtollError):
    """Redis cannot be reached within the limit."""

    code = "REDIS_UNAVAILABLE"
    status = 503


class RedisRefused(RedisUnavailable):
    """Redis does not accept the user, or the user may not do what is needed."""

    code = "REDIS_REFUSED"


class RedisEvictsKeys(AtollError):
    """Redis would throw away what must not be lost; the start is refused."""

    code = "REDIS_EVICTS_KEYS"


class RedisFull(RedisUnavailable):
    """Redis takes nothing more: its memory limit is reached."""

    code = "REDIS_FULL"


class RedisBelongsToAnother(AtollError):
    """The Redis database carries the marker of another installation."""

    code = "REDIS_BELONGS_TO_ANOTHER"
    status = 409


class LockNotAcquired(AtollError):
    """Somebody else holds the lock and did not release it in time."""

    code = "LOCK_NOT_ACQUIRED"
    status = 409


class LeaseLost(AtollError):
    """The lease expired or was taken over; whatever it protected must not be written."""

    code = "LEASE_LOST"
    status = 409


class QueueUnavailable(AtollError):
    """The broker of the queue cannot be reached, or the queue was closed."""

    code = "QUEUE_UNAVAILABLE"
    status = 503


class QueueItemRefused(AtollError):
    """Raised by a handler whose item can never be done: it becomes a dead letter without further tries."""

    code = "QUEUE_ITEM_REFUSED"
    status = 400


class QueueItemDone(AtollError):
    """A copy of the item was faster; what this one was about to write must be undone."""

    code = "QUEUE_ITEM_DONE"
    status = 409


class QueueItemNotUnderstood(AtollError):
    """Raised by a handler that does not know this kind of item: it waits for a consumer that does."""

    code = "QUEUE_ITEM_NOT_UNDERSTOOD"
    status = 400


class NoWorkerIdFree(AtollError):
    """All worker ids are in use; an instance without one is not started."""

    code = "NO_WORKER_ID_FREE"
    status = 503


class WorkerIdLayoutDiffers(AtollError):
    """Instances of one installation were given different widths of worker ids."""

    code = "WORKER_ID_LAYOUT_DIFFERS"
    status = 409


class WorkerIdLost(AtollError):
    """This instance has no worker id at the moment, so it can make no ids."""

    code = "WORKER_ID_LOST"
    status = 503


class BloomFilterMissing(AtollError):
    """The filter was never reserved, or was lost with the data of Redis; make it anew."""

    code = "BLOOM_FILTER_MISSING"
    status = 503


# --- Application ------------------------------------------------------------------------------------


class ApplicationNotInstalled(AtollError):
    """The app's database has no tables yet."""

    code = "APP_NOT_INSTALLED_ERROR"
    status = 503


class SchemaTooNew(AtollError):
    """The app's database was upgraded for a newer version, and older ones are shut out."""

    code = "SCHEMA_TOO_NEW"
    status = 503


class SchemaUpgradeNeeded(AtollError):
    """The app's database is of an older version, and its automatic upgrade is switched off."""

    code = "SCHEMA_UPGRADE_NEEDED"
    status = 503


class SchemaUpgradeBlocked(AtollError):
    """An upgrade must wait until instances of an older version have ended."""

    code = "SCHEMA_UPGRADE_BLOCKED"
    status = 503


# --- Apps and environments as the gateway reports them (http-api.md 2.3) ------------------------------


class AppNotFound(AtollError):
    """No app of that name."""

    code = "APP_NOT_FOUND"
    status = 404


class AppNotReady(AtollError):
    """The app exists but does not answer requests now. `reason` is the documented gateway code."""

    code = "APP_PREPARING"
    status = 503

    def __init__(self, message: str, *, code: str, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.reason = code


class InstanceNotCurrent(AtollError):
    """This instance could not compare what it keeps in memory with the database, so it gives no answer.

    Trying again helps as soon as the database answers; another instance may be well. `retry_after` is in
    seconds.
    """

    code = "INSTANCE_NOT_CURRENT"
    status = 503
    retry_after = 1


class RequestsNotServed(AtollError):
    """This instance only works in the background (`WORKER_MODE`); it answers questions about its health."""

    code = "REQUESTS_NOT_SERVED"
    status = 503


class EnvironmentUnavailable(AtollError):
    """No environment of the app can be reached."""

    code = "ENVIRONMENT_UNAVAILABLE"
    status = 503


# --- Supervisor and environments ----------------------------------------------------------------------


class AppNameInvalid(AtollError):
    """The app's id breaks the rule for ids or is reserved."""

    code = "APP_NAME_INVALID"
    status = 400


class AppNameTaken(AtollError):
    """Another app has that id or that custom domain."""

    code = "APP_NAME_TAKEN"
    status = 400


class AppOptionsInvalid(AtollError):
    """An option of the app is not understood or contradicts another.

    Args:
        field: which one, as a path such as `options.database.port`; "" for none in particular.
    """

    code = "APP_OPTIONS_INVALID"
    status = 400

    def __init__(self, message: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message, detail=detail)
        self.field = field


class AppNotPlaced(AtollError):
    """An app was to be started or stopped in an environment that it is not placed in."""

    code = "APP_NOT_PLACED"
    status = 400


class AppDataMissing(AtollError):
    """The database of an app that was installed has no tables."""

    code = "APP_DATA_MISSING"
    status = 503


class PreflightFailed(AtollError):
    """The app cannot be created as asked; nothing was created.

    Args:
        code: that of the first finding.
        problems: one entry per finding: `code`, `message`, `remedy`, `field` (which input it is about).
    """

    code = "APP_PREFLIGHT_FAILED"
    status = 400

    def __init__(self, message: str, *, code: str, problems: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.reason = code
        self.problems = problems


class EnvironmentUnknown(AtollError):
    """No environment of that name ever announced itself."""

    code = "ENVIRONMENT_UNKNOWN"
    status = 400


class EnvironmentNameTaken(AtollError):
    """A live environment at another address already has this name."""

    code = "ENVIRONMENT_NAME_TAKEN"
    status = 409


class SupervisorKeyChanged(AtollError):
    """A message carries another key than the one this environment trusted first."""

    code = "SUPERVISOR_KEY_CHANGED"
    status = 403


class EnvironmentKeyChanged(AtollError):
    """An environment announces another key than the one the Supervisor trusted first."""

    code = "ENVIRONMENT_KEY_CHANGED"
    status = 403


class MessageRefused(AtollError):
    """A message between Supervisor and environment is forged, altered, expired or not for us."""

    code = "MESSAGE_REFUSED"
    status = 403


class CommandExpired(AtollError):
    """The environment did not take up the command before its deadline; it will not be carried out."""

    code = "COMMAND_EXPIRED"
    status = 503


class AppStepTimedOut(AtollError):
    """A step of starting or stopping an app did not end before its deadline."""

    code = "APP_STEP_TIMED_OUT"
    status = 503


# --- Gateway and access proxy -------------------------------------------------------------------------


class AppOverloaded(AtollError):
    """The app has as many requests and sockets as it may have at the same time."""

    code = "APP_OVERLOADED"
    status = 503


class UpstreamClosed(AtollError):
    """The environment took the request and ended the connection without an answer. It is not sent again."""

    code = "UPSTREAM_CLOSED"
    status = 503


class UpstreamTimedOut(AtollError):
    """The environment took the request and did not answer in time."""

    code = "UPSTREAM_TIMED_OUT"
    status = 504


class UpstreamAnswerInvalid(AtollError):
    """What the environment answered is not HTTP."""

    code = "UPSTREAM_ANSWER_INVALID"
    status = 502


class HostUnknown(AtollError):
    """The request names a host that is neither this server's nor an app's custom domain."""

    code = "HOST_UNKNOWN"
    status = 404


class RequestTimedOut(AtollError):
    """The client did not send its request in time."""

    code = "REQUEST_TIMED_OUT"
    status = 408


class HeadTooLarge(AtollError):
    """The head of the request is longer than allowed."""

    code = "REQUEST_HEAD_TOO_LARGE"
    status = 431


class PageMethodNotAllowed(AtollError):
    """A page or a file of the UI can only be read."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class ServerFull(AtollError):
    """The server has as many connections as it may have; new ones are turned away until some end."""

    code = "SERVER_FULL"
    status = 503


class PortTaken(AtollError):
    """The address the server is to listen on is in use or not ours."""

    code = "PORT_TAKEN"


# --- Requests to an application ---------------------------------------------------------------------


class ValidationFailed(BadRequest):
    """Values break rules; a client gets one entry per problem.

    Args:
        problems: one text each.
    """

    code = "VALIDATION_FAILED"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NotSupported(BadRequest):
    """Something the wire format knows but this version of Atoll does not do yet."""

    code = "NOT_SUPPORTED"


class MailNotConfigured(BadRequest):
    """Something needs mail, and this server has no way to send it."""

    code = "MAIL_NOT_CONFIGURED"


class MailUnavailable(AtollError):
    """A mail cannot be handed over now."""

    code = "MAIL_UNAVAILABLE"
    status = 503


class MailRefused(AtollError):
    """A mail will not be taken as it is."""

    code = "MAIL_REFUSED"
    status = 502


class SignInFailed(AtollError):
    """Account or password wrong; the text is the same for both."""

    code = "SIGN_IN_FAILED"
    status = 401


class SignInProviderUnavailable(AtollError):
    """A provider that people sign in at does not answer as one."""

    code = "SIGN_IN_PROVIDER_UNAVAILABLE"
    status = 502


class SecondFactorRequired(AtollError):
    """The password was right; a code is needed, too."""

    code = "SECOND_FACTOR_REQUIRED"
    status = 401


class SecondFactorWrong(AtollError):
    """The code of a second factor is wrong or was used before."""

    code = "SECOND_FACTOR_WRONG"
    status = 401


class TooManyAttempts(AtollError):
    """Too many failed attempts. `retry_after` is in seconds."""

    code = "TOO_MANY_ATTEMPTS"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


# --- Files ------------------------------------------------------------------------------------------


class FileMissing(NotFound):
    """The file of a record, or the record itself, is not there."""

    code = "ENOENT"


class FileStorageUnavailable(AtollError):
    """A storage of files does not answer, or refuses this server."""

    code = "FILE_STORAGE_UNAVAILABLE"
    status = 503


class FileStorageFull(AtollError):
    """A storage of files has no room left."""

    code = "FILE_STORAGE_FULL"
    status = 507
