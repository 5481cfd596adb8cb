"""The Caller under the name that doors look for it."""

from accounts.models.callers import Caller

__all__ = ["Caller"]
