from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Scope
from accounts.models.callers import Caller
from accounts.web.words import WORDS

ROLES = [(role, WORDS[role]) for role in Role.values]
DAYS = [(30, _("30 days")), (90, _("90 days")), (365, _("1 year"))]


class KeyForm(forms.Form):
    """A new API key; it offers only what the member may do itself."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("what will use it"))
    scopes = forms.MultipleChoiceField(
        label=_("It may"), widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    )
    days = forms.TypedChoiceField(label=_("It expires after"), coerce=int, choices=DAYS, initial=90)

    def __init__(self, *args: Any, caller: Caller, **options: Any) -> None:
        super().__init__(*args, **options)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [
            (value, f"{WORDS[value]} ({value})")
            for value in Scope.values
            if caller.has_scope(value)
        ]

    def expires_at(self) -> datetime:
        """Return the moment from which the key opens nothing."""
        return timezone.now() + timedelta(days=self.cleaned_data["days"])


class MemberForm(forms.Form):
    """Somebody new for the organization."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.VIEWER)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLES)
