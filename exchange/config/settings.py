"""Settings. Every knob is an environment variable; the defaults run on a laptop."""

from decimal import Decimal
from pathlib import Path

import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONE, SELF
from environs import Env

from exchange.config import local

django_stubs_ext.monkeypatch()  # Lets us write ModelAdmin[Auction] at run time.

BASE_DIR = Path(__file__).resolve().parents[2]
env = Env()
_local = local.urls_from_file()

# --- where it runs -------------------------------------------------------------------------
PRODUCTION = env.bool("PRODUCTION", False)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", "laptop-only-" * 5)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "exchange.config.urls"
ASGI_APPLICATION = "exchange.config.asgi.application"

INSTALLED_APPS = [
    "accounts",
    "settlement",
    "exchange.foundation",
    "exchange",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "pgtrigger",
    "rest_framework",
]
MIDDLEWARE = [
    "exchange.config.counting.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "accounts.web.middleware.doorstep",
    "accounts.web.zones.reader_zones",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.web.portal.caller_in_templates",
            ],
            "libraries": {
                "showing": "accounts.web.showing",
                "market": "exchange.portal.market.words",
            },
        },
    }
]

# --- servers -------------------------------------------------------------------------------
# Commands that need no database (clear_book, check) also run where no server was ever started.
DATABASE_URL = env.str(
    "DATABASE_URL", _local.get("DATABASE_URL", "postgres://127.0.0.1:1/none-started")
)
REDIS_URL = env.str("REDIS_URL", _local.get("REDIS_URL", "redis://127.0.0.1:1/0"))
DATABASES = {"default": env.dj_db_url("DATABASE_URL", DATABASE_URL)}
DATABASES["default"]["TEST"] = {"NAME": env.str("EXCHANGE_TEST_DB", "test_exchange")}
DATABASES["default"]["OPTIONS"] = {
    # A pool in the web process only; Celery's children use plain connections.
    **({"pool": {"min_size": 2, "max_size": 20, "timeout": 10}} if env.bool("WEB", False) else {}),
    "options": (
        "-c timezone=UTC -c statement_timeout=120000 -c idle_in_transaction_session_timeout=60000"
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": DATABASES["default"]["NAME"],
    }
}

# --- who -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "accounts.web.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_RATE_LIMITS = {"login_failed": env.str("LOGIN_FAILURES", "10/m/ip,5/5m/key")}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up alone: an owner or operator lets people in
STAFF_NEEDS_TOTP = env.bool("STAFF_NEEDS_TOTP", PRODUCTION)
MFA_TOTP_ISSUER = "Compute Exchange"
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 20)
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", str(BASE_DIR / ".local" / "letters"))
PORTAL_URL = env.str("PORTAL_URL", "http://127.0.0.1:8000")  # as letters name it
SIGN_UP_RATE = env.str("SIGN_UP_RATE", "10/hour")  # applications and invitations, per address
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "exchange@localhost")
API_KEY_PEPPER = (
    env.str("API_KEY_PEPPER") if PRODUCTION else env.str("API_KEY_PEPPER", "laptop-pepper")
)
# Seals what we must read again (webhook secrets, access notes); the first seals, all open.
SEALING_KEYS: list[str] = (
    env.list("SEALING_KEYS") if PRODUCTION else env.list("SEALING_KEYS", ["laptop-sealing-key"])
)

# --- the web -------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # scraped from inside, past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "exchange.config.node_modules.NodeModulesFinder",
]
NODE_MODULES_DIR = BASE_DIR / "node_modules"
NODE_MODULES_FILES = {
    "tabler": ("@tabler/core/dist/css", ["tabler.min.css", "tabler.min.css.map"]),
    "echarts": ("echarts/dist", ["echarts.min.js"]),
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

# --- language and time ---------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
MARKET_TIME_ZONE = env.str("MARKET_TIME_ZONE", "Asia/Shanghai")
MARKET_CURRENCY = env.str("MARKET_CURRENCY", "CNY")
# Buyers with less free money than this, in units of the currency, are told (each may set its own).
LOW_MONEY_MICROS = env.int("LOW_MONEY", 1_000) * 1_000_000
MARKET_NAME = env.str("MARKET_NAME", "Compute Exchange")  # who issues statements
# The least share of renewable energy that the operator's policy asks for, shown beside what is.
# China asks 80 % of new data centres at its national hubs (action plan of July 2024).
RENEWABLE_SHARE_MIN_MICROS = int(env.decimal("RENEWABLE_SHARE_MIN", Decimal("0.8")) * 1_000_000)
MARKET_COUNTRY = env.str("MARKET_COUNTRY", "CN")  # ISO 3166-1; where the exchange pays tax

# --- the API -------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.web.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.web.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.web.throttling.KeyRate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.web.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.web.pages.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "accounts.web.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "accounts.web.problems.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "accounts.web.problems.ProblemFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
# exception -> (status, code); the domain's refusals stand in one table.
REFUSALS = "exchange.config.refusals.REFUSALS"
SPECTACULAR_SETTINGS = {
    "TITLE": "Compute Exchange",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "AcceleratorKindEnum": "exchange.models.chips.AcceleratorKind",
        "AuctionStateEnum": "exchange.models.auctions.AuctionState",
        "BidKindEnum": ["hourly", "block", "volume"],
        "BidStateEnum": [
            *("accepted", "standing", "filled", "partially_filled", "unfilled"),
            *("cancelled", "expired", "rejected"),
        ],
        "DeliveryStateEnum": "accounts.models.webhooks.DeliveryState",
        "EndpointStateEnum": "accounts.models.webhooks.EndpointState",
        "EventTypeEnum": "accounts.models.events.EventType",
        "ContractStateEnum": "settlement.models.contracts.ContractState",
        "DisputeStateEnum": "settlement.models.disputes.DisputeState",
        "LedgerAccountKindEnum": "settlement.models.ledger.AccountKind",
        "MeasureKindEnum": "exchange.models.halts.MeasureKind",
        "OfferStateEnum": "exchange.models.offers.OfferState",
        "PayoutStateEnum": "settlement.models.cash.PayoutState",
        "PeriodStateEnum": "settlement.models.delivery.PeriodState",
        "StatementLineKindEnum": "settlement.models.statements.LineKind",
        "StatementStateEnum": "settlement.models.statements.StatementState",
        "TransferKindEnum": "settlement.api.serializers.TRANSFER_KINDS",
    },
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
}
API_RATE = env.str("API_RATE", "600/minute")  # per key, unless the key has its own
OUTBOX_DAYS = env.int("OUTBOX_DAYS", 90)  # then events go, with their deliveries and notices
IDEMPOTENCY_DAYS = 35

# --- work ----------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 1_800
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3_600,  # above the longest task: a slow one must not run twice
    **env.dict("BROKER_OPTIONS", {}, subcast_values=int),
}
CELERY_TASK_DEFAULT_QUEUE = DATABASES["default"]["NAME"]  # several checkouts may share a Redis
TICK_SECONDS = env.float("TICK_SECONDS", 1.0)
# Every knock is idempotent: it asks a table who is waiting. An unheard knock is void after a while,
# so that a worker that is behind does not fall further behind.
KNOCK_HEARD_SECONDS = 10
COURIER_QUEUE = f"{CELERY_TASK_DEFAULT_QUEUE}-courier"  # served by a process of its own
CLEARING_QUEUE = f"{CELERY_TASK_DEFAULT_QUEUE}-clearing"  # likewise
CELERY_TASK_ROUTES = {
    "exchange.tasks.clear_one": {"queue": CLEARING_QUEUE},
    "accounts.tasks.deliver_webhooks": {"queue": COURIER_QUEUE},
    "accounts.tasks.write_to_members": {"queue": COURIER_QUEUE},
}
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": schedule, "options": {"expires": KNOCK_HEARD_SECONDS}}
    for name, task, schedule in (
        ("move-auctions", "exchange.tasks.move_auctions", TICK_SECONDS),
        ("settle-periods", "settlement.tasks.settle_due_periods", TICK_SECONDS * 5),
        ("deliver-webhooks", "accounts.tasks.deliver_webhooks", TICK_SECONDS),
        ("write-to-members", "accounts.tasks.write_to_members", TICK_SECONDS * 30),
        ("sweep-idempotency-keys", "accounts.tasks.sweep", crontab(minute="17")),
        ("audit-books", "settlement.tasks.audit_books", crontab(minute="7")),
    )
}
HEARTBEAT_MINUTES = env.int("HEARTBEAT_MINUTES", 30)  # silence after which a contract degrades
CELERY_BEAT_SCHEDULE_FILENAME = env.str("BEAT_FILE", str(BASE_DIR / ".local" / "beat"))
CLEARING_SECONDS_MAX = env.float("CLEARING_SECONDS_MAX", 300.0)
CLEARING_MEMORY_GIB = env.float("CLEARING_MEMORY_GIB", 4.0)  # of each process that clears
WEBHOOK_SECONDS_MAX = env.float("WEBHOOK_SECONDS_MAX", 15.0)  # one request to a receiver, whole
# host:port of receivers that may be on loopback and without TLS: for tests and the demo alone.
WEBHOOK_LOOPBACK_RECEIVERS: list[str] = env.list("WEBHOOK_LOOPBACK_RECEIVERS", [])
BOOK_DELAY_MINUTES = env.int("BOOK_DELAY_MINUTES", 60)  # from publication to the whole book
STREAMS_MAX = env.int("STREAMS_MAX", 500)  # readers of the live market in one web process
ARCHIVE_DIR = env.path("ARCHIVE_DIR", BASE_DIR / ".local" / "archive")  # books and results

# --- for who watches over it ---------------------------------------------------------------
METRICS_DIR = env.path("METRICS_DIR", BASE_DIR / ".local" / "metrics")  # one for all processes
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
METRICS_ALLOWED: list[str] = env.list("METRICS_ALLOWED", ["127.0.0.0/8", "::1/128"])

# --- logs ----------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": "ext://exchange.config.logs.render",
            "foreign_pre_chain": "ext://exchange.config.logs.shared",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "celery": {"level": "WARNING"},  # it tells every knock
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"handlers": [], "propagate": True},
        "django.security.DisallowedHost": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},  # tells every table of a font that it cuts
        "fpdf": {"level": "WARNING"},
    },
}
