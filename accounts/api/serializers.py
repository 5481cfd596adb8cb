from typing import Any

from rest_framework import serializers


class OwnOrganizationSerializer(serializers.Serializer[Any]):
    """The organization that a key acts for."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    legal_name = serializers.CharField()
    provides = serializers.BooleanField()
    buys = serializers.BooleanField()
    operates = serializers.BooleanField()
    audits = serializers.BooleanField()
    region_code = serializers.CharField()
    tax_country = serializers.CharField()
    state = serializers.CharField()


class OwnKeySerializer(serializers.Serializer[Any]):
    """The key that asks. Its secret is kept nowhere."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    meter = serializers.CharField()
    rate = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking."""

    organization = OwnOrganizationSerializer()
    api_key = OwnKeySerializer(source="*")
