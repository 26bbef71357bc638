"""Every setting of Omma, once, with its default and unit. Nothing else reads the environment."""

import secrets
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from omma import env
from omma.addresses import celery_address, database_settings, redis_address
from omma.embedded.running import running_addresses
from omma.hosts import accepted_hosts

BASE_DIR = Path(__file__).resolve().parents[3]

# --- Omma's own (DESIGN: README has the table) --------------------------------------------------------------
OMMA_VERSION = "0.1.0"
OMMA_DATA_DIR = env.read_path("OMMA_DATA_DIR", BASE_DIR / "var")
OMMA_HOST = env.read_text("OMMA_HOST", "127.0.0.1")
OMMA_PORT = env.read_int("OMMA_PORT", 8000)
OMMA_ALLOWED_HOSTS = env.read_list("OMMA_ALLOWED_HOSTS")
OMMA_SECRETS_DIR = env.read_path("OMMA_SECRETS_DIR", OMMA_DATA_DIR / "secrets")
OMMA_DEMO = env.read_bool("OMMA_DEMO", default=True)
OMMA_ADMIN_PASSWORD = env.read_text("OMMA_ADMIN_PASSWORD")  # of the first administrator; else made up
OMMA_CAMERAS = env.read_lines("OMMA_CAMERAS")  # addresses that `prepare` adds
OMMA_WORKER_LABELS = env.read_pairs("OMMA_WORKER_LABELS")  # site=north,… : capture only what asks for it
OMMA_EGRESS_ALLOW = env.read_list("OMMA_EGRESS_ALLOW")  # networks (CIDR)
OMMA_TRUSTED_PROXIES = env.read_networks("OMMA_TRUSTED_PROXIES")  # whose forwarding headers are believed
OMMA_RENEW_HOURS = env.read_int("OMMA_RENEW_HOURS", 24)  # after which a camera's process is renewed; 0: never
OMMA_STREAM_LOG_DAYS = env.read_int("OMMA_STREAM_LOG_DAYS", 30)  # how long what became of streams is kept
OMMA_MODELS_URL = env.read_text("OMMA_MODELS_URL")  # where `model pull` fetches from; none by default
OMMA_ONNX_PROVIDER = env.read_text("OMMA_ONNX_PROVIDER", "cpu")  # where models run: cpu, cuda or openvino
OMMA_HAS_PAGES = env.read_bool("OMMA_HAS_PAGES", default=True)  # off in workers, which show nothing
OMMA_HAS_TASKS = env.read_bool(
    "OMMA_HAS_TASKS", default=True
)  # off in commands that supervise without Celery
OMMA_COMPAT_CORS = env.read_bool("OMMA_COMPAT_CORS", default=False)  # where the address has a token
OMMA_SPECTRAX_TIME_ZONE = env.read_text("OMMA_SPECTRAX_TIME_ZONE", "UTC")  # of its times without an offset
OMMA_ROOT_DIALECTS = env.read_list("OMMA_ROOT_DIALECTS", "spectrax")  # which have their addresses at the root
OMMA_LUNA_STATUSES = env.read_pairs("OMMA_LUNA_STATUSES")  # done=1,in_progress=2: numbers that differ

if OMMA_HAS_PAGES:  # forms, views and the admin, which this loads, are a sixth of a worker's memory
    import django_stubs_ext

    django_stubs_ext.monkeypatch()  # lets `ModelAdmin[Camera]` and the like be written at run time

# `up` gives its children the embedded servers' addresses; commands beside it find them by themselves.
_found = running_addresses(OMMA_DATA_DIR, OMMA_SECRETS_DIR)
DATABASE_URL = env.read_text("DATABASE_URL", _found.get("DATABASE_URL", ""))
BUS_URL = env.read_text("BUS_URL") or env.read_text("REDIS_URL") or _found.get("BUS_URL", "")
REDIS_URL = env.read_text("REDIS_URL", _found.get("REDIS_URL", ""))

# --- Django -------------------------------------------------------------------------------------------------
_key_file = OMMA_SECRETS_DIR / "signing.key"
SECRET_KEY = (
    _key_file.read_text(encoding="ascii").strip() if _key_file.is_file() else secrets.token_urlsafe(50)
)
DEBUG = False
ALLOWED_HOSTS = accepted_hosts(OMMA_ALLOWED_HOSTS, OMMA_HOST)
ROOT_URLCONF = "omma.urls"
ASGI_APPLICATION = "omma.asgi.application"
_APPS = [
    "apps.core.admin_config.OmmaAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "lucide",
    "csp",
    "omma",
    "apps.core",
    "apps.accounts",
    "apps.cameras",
    "apps.catalog",
    "apps.streams",
    "apps.inference",
    "apps.recordings",
    "apps.rules",
    "apps.alerts",
    "apps.system",
    "apps.dialects",
]
_APPS_OF_PAGES = {  # workers load none of these, nor what they load
    "apps.core.admin_config.OmmaAdminConfig",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "lucide",
    "csp",
}
INSTALLED_APPS = [app for app in _APPS if OMMA_HAS_PAGES or app not in _APPS_OF_PAGES]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.SecureCookiesMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.OmmaErrorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.system.pages.navigation.places",
            ],
        },
    },
]
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/app/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.password_rules.PaddedPasswordValidator"},
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # one language at a time: a page half translated is worse than none
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = OMMA_DATA_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "omma.static_files.HashedStaticFilesStorage"},
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False  # they are for our own pages
APPEND_SLASH = False

# --- Security -----------------------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = f"omma_session_{OMMA_PORT}"  # browsers share cookies over ports: two Ommas on one host
CSRF_COOKIE_NAME = f"omma_csrf_{OMMA_PORT}"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.core.error_views.csrf_refused"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}

# --- Data stores --------------------------------------------------------------------------------------------
OMMA_DATABASE_POOL = env.read_int("OMMA_DATABASE_POOL", 0)  # connections; set for the web process only
DATABASES = {"default": database_settings(DATABASE_URL, pool_size=OMMA_DATABASE_POOL)}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_address(REDIS_URL),
        "KEY_PREFIX": "omma",
        "TIMEOUT": 300,
    },
    "process": {  # what must not leave this process: digests of right passwords
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [redis_address(REDIS_URL)], "prefix": "omma"},
    },
}

# --- Celery -------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = celery_address(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # else a worker gives up after about 46 min, and capture with it
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
CELERY_TASK_SOFT_TIME_LIMIT = 180  # seconds
CELERY_TASK_TIME_LIMIT = 225  # seconds; a quarter of the visibility timeout
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 2  # seconds; less than `up` waits for a worker
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "apps.core.beat:PeriodicJobScheduler"

# --- API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api.authentication.TokenAuthentication",
        "apps.accounts.api.authentication.PasswordAuthentication",
        "apps.accounts.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "apps.core.api.renderers.PageRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "apps.core.api.parsers.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": [
        "apps.core.api.filtering.StrictFilterBackend",
        "apps.core.api.ordering.StableOrderingFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "apps.core.api.schema.OmmaAutoSchema",
    "EXCEPTION_HANDLER": "apps.core.api.errors.handle_exception",
    "DEFAULT_VERSIONING_CLASS": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Omma",
    "DESCRIPTION": "One platform for every camera.",
    "VERSION": OMMA_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",  # groups and operation names begin after it
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Closed groups and no list of models: with everything open, a browser is busy for half a minute.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",
        "defaultModelsExpandDepth": -1,
        "filter": True,
        "persistAuthorization": False,
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SourceStatusEnum": "apps.streams.models.SourceStatus",
        "StreamLifeEnum": "apps.streams.life.Life",
        "NoticeKindEnum": "apps.alerts.models.NoticeKind",
        "TargetKindEnum": "apps.alerts.models.TargetKind",
        "VolumeKindEnum": "apps.streams.models.VolumeKind",
        "UploadKindEnum": "apps.catalog.models.UploadKind",
        "AnalyticKindEnum": "apps.inference.models.AnalyticKind",
        "AnalysisModeEnum": "apps.inference.analyses.models.AnalysisMode",
        "ModeEnum": "apps.streams.models.Mode",
    },
}

# --- Logging ------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "refusal": {"()": "apps.core.redaction.RefusalFilter"},
        "redact": {"()": "apps.core.redaction.RedactingFilter"},
    },
    "formatters": {"plain": {"format": "%(asctime)s %(levelname).1s %(name)s: %(message)s"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["refusal", "redact"],
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "daphne": {"level": "WARNING"}},
}
