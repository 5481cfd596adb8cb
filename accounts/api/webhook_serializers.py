"""Webhooks as the API takes and prints them."""

from typing import Any

from rest_framework import serializers

from accounts.models import DeliveryState, EndpointState, EventType, Outcome
from accounts.models.webhooks import TYPES_MAX, URL_LENGTH_MAX
from accounts.web.serializers import StrictSerializer


class EndpointRequestSerializer(StrictSerializer):
    """Where to send events, and of which types; none named means all."""

    url = serializers.CharField(max_length=URL_LENGTH_MAX, help_text="https://...")
    description = serializers.CharField(max_length=100, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices),
        max_length=TYPES_MAX,
        required=False,
    )


class EndpointEditSerializer(EndpointRequestSerializer):
    """What to change; the rest stays."""

    url = serializers.CharField(max_length=URL_LENGTH_MAX, required=False)


class EndpointSerializer(serializers.Serializer[Any]):
    """An endpoint. Its secret is told once, when it is made or rotated."""

    id = serializers.CharField(source="public_id")
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(choices=EndpointState.choices)
    reason = serializers.CharField(help_text="why it is disabled")
    failures = serializers.IntegerField(help_text="one after another, until now")
    failing_since = serializers.DateTimeField(allow_null=True)
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="until then the secret before the last rotation signs too"
    )
    created_at = serializers.DateTimeField()


class EndpointWithSecretSerializer(EndpointSerializer):
    """An endpoint with the secret that its receiver verifies signatures with."""

    secret = serializers.CharField(help_text="whsec_...; shown this once")


class DeliverySerializer(serializers.Serializer[Any]):
    """One event for one endpoint, and what became of it."""

    id = serializers.CharField(source="public_id")
    endpoint = serializers.CharField(source="endpoint.public_id")
    event = serializers.CharField(source="event.public_id", help_text="sent as webhook-id")
    event_type = serializers.ChoiceField(source="event.type", choices=EventType.choices)
    about = serializers.CharField(source="event.about")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(help_text="means something while it is pending")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AttemptSerializer(serializers.Serializer[Any]):
    """One request to the receiver."""

    number = serializers.IntegerField()
    attempted_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    status = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField(help_text="how the receiver's answer began")


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with what was sent and every attempt."""

    data = serializers.JSONField(source="event.data")  # type: ignore[assignment]
    tries = AttemptSerializer(many=True)
