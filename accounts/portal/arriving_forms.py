from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User

KINDS = [("provides", _("provide capacity")), ("buys", _("buy capacity"))]
PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class ApplicationForm(forms.Form):
    """An organization that wants to take part."""

    name = forms.CharField(label=_("Organization"), max_length=200)
    legal_name = forms.CharField(label=_("Its legal name"), max_length=300)
    tax_country = forms.RegexField(
        r"^[A-Za-z]{2}$", label=_("Country"), help_text=_("two letters, such as CN")
    )
    kinds = forms.MultipleChoiceField(
        label=_("It wants to"),
        choices=KINDS,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    person = forms.CharField(label=_("Your name"), max_length=200)
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    message = forms.CharField(
        label=_("What the operator should know"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def said(self) -> dict[str, Any]:
        """Return what an application keeps."""
        said = dict(self.cleaned_data)
        kinds = said.pop("kinds")
        said |= {"provides": "provides" in kinds, "buys": "buys" in kinds}
        return said | {
            "tax_country": said["tax_country"].upper(),
            "email": said["email"].strip().lower(),
        }


class NewPersonForm(forms.Form):
    """Somebody who has no account yet and accepts an invitation."""

    name = forms.CharField(label=_("Your name"), max_length=200)
    password1 = forms.CharField(label=_("Password"), strip=False, widget=PASSWORD)
    password2 = forms.CharField(label=_("Password again"), strip=False, widget=PASSWORD)

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Refuse passwords that differ or are easily guessed."""
        said = super().clean() or {}
        first, second = said.get("password1"), said.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two are not the same."))
        elif first:
            try:
                validate_password(first, User(email=self.email, name=said.get("name", "")))
            except ValidationError as wrong:
                self.add_error("password1", wrong)
        return said
