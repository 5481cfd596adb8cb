"""Hand-over: meters and devices join and leave, serve contracts, and notes say how to get in."""

from http import HTTPStatus
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.idempotency import SecretResponse, idempotent
from settlement.api.handover_serializers import (
    AssignmentRequestSerializer,
    AssignmentSerializer,
    DeviceSerializer,
    DevicesRequestSerializer,
    DevicesSerializer,
    MeterRequestSerializer,
    MeterSerializer,
    MeterWithTokenSerializer,
    NoteReadSerializer,
    NoteRequestSerializer,
    NoteSerializer,
    NoteTextSerializer,
    RevokeRequestSerializer,
    UnassignRequestSerializer,
)
from settlement.models import (
    AccessNoteRead,
    Contract,
    Device,
    DeviceAssignment,
    Meter,
    Party,
)
from settlement.queries.access import reader_shown
from settlement.queries.contracts import contracts_shown
from settlement.services import access_notes, handover

TAGS = ["hand-over"]
NO_STORE = {"Cache-Control": "no-store"}


class MeterFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Meters by site, and whether they still report."""

    site = django_filters.CharFilter("site_code")
    revoked = django_filters.BooleanFilter("revoked_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Meter
        fields: list[str] = []


class DeviceFilters(MeterFilters):
    """Devices by site, accelerator and serial number, and whether they are in service."""

    accelerator = django_filters.CharFilter("accelerator_code")
    serial = django_filters.CharFilter()

    class Meta:
        model = Device
        fields: list[str] = []


class MetersView(GenericAPIView[Meter]):
    """The caller's meters."""

    scopes = {"GET": Scope.METERS_READ, "POST": Scope.METERS_WRITE}
    queryset = Meter.objects.none()
    serializer_class = MeterSerializer
    filterset_class = MeterFilters
    sorts = ("enrolled_at",)

    @extend_schema(operation_id="list_meters", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List meters, the newest first."""
        rows = self.filter_queryset(Meter.objects.visible_to(caller_of(request)))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(MeterSerializer(page, many=True).data)

    @extend_schema(
        operation_id="enrol_meter",
        tags=TAGS,
        request=MeterRequestSerializer,
        responses={201: MeterWithTokenSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enrol a meter; the answer, and its repeats, hold its key."""
        said = _said(MeterRequestSerializer, request)
        meter, token = handover.add_meter(
            party=Party(said["party"]), site_code=said["site"], actor=caller_of(request)
        )
        return SecretResponse({**MeterSerializer(meter).data, "token": token}, HTTPStatus.CREATED)


class RevokeMeterView(APIView):
    """Ends a meter."""

    scopes = {"POST": Scope.METERS_WRITE}

    @extend_schema(
        operation_id="revoke_meter",
        tags=TAGS,
        request=RevokeRequestSerializer,
        responses=MeterSerializer,
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Take nothing more in from a meter; what it reported stays."""
        caller = caller_of(request)
        own = Meter.objects.visible_to(caller).filter(organization_id=caller.organization_id)
        meter = get_object_or_404(own, public_id=public_id)
        handover.end_meter(meter, reason=_reason(request), actor=caller)
        return Response(MeterSerializer(meter).data)


class DevicesView(GenericAPIView[Device]):
    """The caller's devices."""

    scopes = {"GET": Scope.METERS_READ, "POST": Scope.METERS_WRITE}
    queryset = Device.objects.none()
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilters
    sorts = ("enrolled_at",)

    @extend_schema(operation_id="list_devices", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List devices, the newest first."""
        rows = self.filter_queryset(Device.objects.visible_to(caller_of(request)))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(DeviceSerializer(page, many=True).data)

    @extend_schema(
        operation_id="enrol_devices",
        tags=TAGS,
        request=DevicesRequestSerializer,
        responses={201: DevicesSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enrol devices of one kind; those that are enrolled already are found."""
        said = _said(DevicesRequestSerializer, request)
        machines = handover.Machines(
            site_code=said["site"],
            accelerator_code=said["accelerator"],
            serials=said["serials"],
            capacity_lots=said["capacity"],
        )
        devices = handover.add_devices(machines, actor=caller_of(request))
        return Response({"devices": DeviceSerializer(devices, many=True).data}, HTTPStatus.CREATED)


class RevokeDeviceView(APIView):
    """Takes a device out of service."""

    scopes = {"POST": Scope.METERS_WRITE}

    @extend_schema(
        operation_id="revoke_device",
        tags=TAGS,
        request=RevokeRequestSerializer,
        responses=DeviceSerializer,
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """End a device and what it does for contracts."""
        caller = caller_of(request)
        own = Device.objects.visible_to(caller).filter(organization_id=caller.organization_id)
        device = get_object_or_404(own, public_id=public_id)
        handover.end_device(device, reason=_reason(request), actor=caller)
        return Response(DeviceSerializer(device).data)


class ContractDevicesView(GenericAPIView[DeviceAssignment]):
    """The devices that serve a contract."""

    scopes = {"GET": Scope.CONTRACTS_READ, "POST": Scope.CONTRACTS_WRITE}
    queryset = DeviceAssignment.objects.none()
    serializer_class = AssignmentSerializer
    sorts = ("starts_at",)

    @extend_schema(operation_id="list_contract_devices", tags=TAGS)
    def get(self, request: Request, public_id: str) -> Response:
        """List what serves a contract, served it, or will."""
        caller = caller_of(request)
        rows = DeviceAssignment.objects.visible_to(caller).filter(
            contract=_contract(request, public_id)
        )
        page = self.paginate_queryset(rows.select_related("device")) or []
        return self.get_paginated_response(AssignmentSerializer(page, many=True).data)

    @extend_schema(
        operation_id="assign_device",
        tags=TAGS,
        request=AssignmentRequestSerializer,
        responses={201: AssignmentSerializer},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Let a device serve the contract; it serves one at a time."""
        caller = caller_of(request)
        contract = _own_contract(request, public_id)
        said = _said(AssignmentRequestSerializer, request)
        device = get_object_or_404(Device.objects.visible_to(caller), public_id=said.pop("device"))
        assignment = handover.assign_device(contract, device, actor=caller, **said)
        return Response(AssignmentSerializer(assignment).data, HTTPStatus.CREATED)


class UnassignDeviceView(APIView):
    """Ends what a device does for a contract."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="unassign_device",
        tags=TAGS,
        request=UnassignRequestSerializer,
        responses={204: None},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """End the assignment now; one that has not begun never begins."""
        caller = caller_of(request)
        contract = _own_contract(request, public_id)
        said = _said(UnassignRequestSerializer, request)
        device = get_object_or_404(Device.objects.visible_to(caller), public_id=said["device"])
        handover.unassign_device(contract, device, reason=said["reason"], actor=caller)
        return Response(status=HTTPStatus.NO_CONTENT)


class AccessNoteView(APIView):
    """How a buyer reaches the machines of a contract."""

    scopes = {"GET": Scope.CONTRACTS_ACCESS, "PUT": Scope.CONTRACTS_WRITE}

    @extend_schema(operation_id="read_access_note", tags=TAGS, responses=NoteTextSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return the text to the buyer; each reading is on record and shown to both parties."""
        contract = _contract(request, public_id)
        text = access_notes.read_note(contract, actor=caller_of(request))
        return Response({"text": text}, headers=NO_STORE)

    @extend_schema(
        operation_id="write_access_note",
        tags=TAGS,
        request=NoteRequestSerializer,
        responses=NoteSerializer,
    )
    def put(self, request: Request, public_id: str) -> Response:
        """Write the note, or replace it; only the provider of the contract does."""
        contract = _own_contract(request, public_id)
        said = _said(NoteRequestSerializer, request)
        note = access_notes.write_note(contract, said["text"], actor=caller_of(request))
        return Response(NoteSerializer(note).data)


class AccessNoteReadsView(GenericAPIView[AccessNoteRead]):
    """Who was shown the note of a contract."""

    scopes = {"GET": Scope.CONTRACTS_READ}
    queryset = AccessNoteRead.objects.none()
    serializer_class = NoteReadSerializer
    sorts = ("read_at",)

    @extend_schema(operation_id="list_access_note_reads", tags=TAGS)
    def get(self, request: Request, public_id: str) -> Response:
        """List the readings, the newest first."""
        rows: QuerySet[AccessNoteRead] = AccessNoteRead.objects.visible_to(caller_of(request))
        page = self.paginate_queryset(rows.filter(note__contract=_contract(request, public_id)))
        for read in page or []:
            read.reader_name = reader_shown(read, caller_of(request))
        return self.get_paginated_response(NoteReadSerializer(page or [], many=True).data)


def _contract(request: Request, public_id: str) -> Contract:
    return get_object_or_404(contracts_shown(caller_of(request)), public_id=public_id)


def _own_contract(request: Request, public_id: str) -> Contract:
    """Return a contract that the caller provides; who does not is told so, whatever it sent."""
    contract = _contract(request, public_id)
    access_notes.refuse_non_provider(contract, caller_of(request))
    return contract


def _said(kind: type[Any], request: Request) -> dict[str, Any]:
    asked = kind(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _reason(request: Request) -> str:
    return str(_said(RevokeRequestSerializer, request)["reason"])
