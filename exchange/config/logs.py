"""Structured logs: one line an event, JSON in production, readable on a laptop.

Lines of our own, of Django, Celery and uvicorn all pass the same chain, so that each says when, how
grave, and for which request, task and auction (whatever is bound in structlog's context).
"""

from typing import Any

import structlog
from environs import Env

_env = Env()

render = (
    structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if _env.bool("LOG_JSON", _env.bool("PRODUCTION", False))
    else structlog.dev.ConsoleRenderer(colors=False)
)
shared: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
