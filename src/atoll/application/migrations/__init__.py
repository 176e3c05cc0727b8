"""How an app's database comes from one version's tables to the next while the app is being used."""

from atoll.application.migrations.base import Migration, Step
from atoll.application.migrations.m0002_instances import INSTANCES
from atoll.application.migrations.m0003_user_preferences import USER_PREFERENCES
from atoll.application.migrations.m0004_outbox import OUTBOX
from atoll.application.migrations.m0005_schedule import SCHEDULE
from atoll.application.migrations.m0006_role_rules import ROLE_RULES
from atoll.application.migrations.m0007_views import VIEWS
from atoll.application.migrations.m0009_sign_ins import SIGN_INS
from atoll.application.migrations.m0010_screens import SCREENS
from atoll.application.migrations.m0011_password_resets import PASSWORD_RESETS
from atoll.application.migrations.m0013_second_factors import SECOND_FACTORS
from atoll.application.migrations.m0019_identities import IDENTITIES
from atoll.application.migrations.schema import FIRST, Schema

MIGRATIONS: tuple[Migration, ...] = (
    INSTANCES,
    USER_PREFERENCES,
    OUTBOX,
    SCHEDULE,
    ROLE_RULES,
    VIEWS,
    SIGN_INS,
    SCREENS,
    PASSWORD_RESETS,
    SECOND_FACTORS,
    IDENTITIES,
)
"""The migrations of the application, oldest first. New ones are added at the end; none is ever changed."""

__all__ = ["FIRST", "MIGRATIONS", "Migration", "Schema", "Step"]
