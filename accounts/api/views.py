from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import MeSerializer
from accounts.models import ApiKey
from accounts.web.caller import caller_of


class MeView(APIView):
    """Tells a key whose it is and what it may do."""

    scopes = {"GET": ""}

    @extend_schema(operation_id="me", responses=MeSerializer, tags=["accounts"])
    def get(self, request: Request) -> Response:
        """Return the caller's organization and key."""
        caller = caller_of(request)
        keys = ApiKey.objects.visible_to(caller).select_related("organization")
        return Response(MeSerializer(get_object_or_404(keys, pk=caller.api_key_id)).data)
