"""Which offers a provider looks at."""

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.web.portal import caller_of
from accounts.web.words import WORDS
from exchange.models import Accelerator, Offer, OfferState, Site


def own_sites(request: HttpRequest | None) -> QuerySet[Site]:
    """Return the sites of the member's organization."""
    sites = Site.objects.visible_to(None)
    if request is None:
        return sites.none()
    return sites.filter(provider_id=caller_of(request).organization_id)


def own_accelerators(request: HttpRequest | None) -> QuerySet[Accelerator]:
    """Return the accelerators that stand at the sites of the member's organization."""
    chips = Accelerator.objects.visible_to(None)
    return chips.filter(capacities__site__in=own_sites(request)).distinct()


class OfferFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """By state, site and accelerator; what is not known filters nothing."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[(state, WORDS[state]) for state in OfferState.values],
        empty_label=_("all"),
    )
    site = django_filters.ModelChoiceFilter(
        label=_("Site"), queryset=own_sites, to_field_name="code", empty_label=_("all")
    )
    accelerator = django_filters.ModelChoiceFilter(
        label=_("Accelerator"),
        queryset=own_accelerators,
        to_field_name="code",
        empty_label=_("all"),
    )

    class Meta:
        model = Offer
        fields = ["state", "site", "accelerator"]
