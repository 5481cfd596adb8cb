from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now

from exchange.foundation.ids import LENGTH_MAX, new_id


def new_user_id() -> str:
    """Return a fresh public id of a user."""
    return new_id("usr")


class UserManager(BaseUserManager["User"]):
    """People are known by their e-mail address, kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who signs in with ``email``; without a password only by a reset."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person with this address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in to the portal or the admin."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_user_id, editable=False
    )
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="whose clock they read times by; empty: not chosen"
    )
    is_staff = models.BooleanField(default=False, help_text="may sign in to the admin")
    is_active = models.BooleanField(default=True, help_text="clear this instead of deleting")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return what to call this person on a page."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return what to call this person where room is short."""
        return self.name or self.email.partition("@")[0]

    def clean(self) -> None:
        """Bring the address into the one shape it is kept in."""
        super().clean()
        self.email = self.email.strip().lower()
