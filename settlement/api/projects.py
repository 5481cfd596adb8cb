"""Projects: an organization says how much each of its undertakings may spend."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.fields import InstantField, MoneyField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from settlement.models import BudgetAlert, Project
from settlement.models.projects import NAME_LENGTH_MAX
from settlement.services.projects import (
    BUDGET_MAX_MICROS,
    close_project,
    open_project,
    set_budget,
)

NAME = r"^[\w.:/@+#-]([\w .:/@+#-]*[\w.:/@+#-])?$"


class ProjectRequestSerializer(StrictSerializer):
    """A project by the name that bids will say, and what they may commit in all."""

    name = serializers.RegexField(NAME, max_length=NAME_LENGTH_MAX)
    budget = MoneyField(minimum=0, maximum=BUDGET_MAX_MICROS)


class BudgetRequestSerializer(StrictSerializer):
    """Another budget."""

    budget = MoneyField(minimum=0, maximum=BUDGET_MAX_MICROS)


class AlertSerializer(serializers.Serializer[BudgetAlert]):
    """A budget came near its end."""

    threshold_ppm = serializers.IntegerField()
    budget = MoneyField(source="budget_micros")
    committed = MoneyField(source="committed_micros")
    raised_at = InstantField()


class ProjectSerializer(serializers.Serializer[Project]):
    """A project, what its bids have frozen or paid, and what is left."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    budget = MoneyField(source="budget_micros")
    committed = MoneyField(source="committed_micros")
    spent = MoneyField(source="spent_micros", help_text="of what is committed")
    left = MoneyField(source="left_micros")
    created_at = InstantField()
    closed_at = InstantField(allow_null=True)
    alerts = AlertSerializer(many=True)


def _projects(request: Request) -> QuerySet[Project]:
    rows = Project.objects.visible_to(caller_of(request))
    return rows.with_spent().prefetch_related("alerts")


def _printed(request: Request, project: Project) -> dict[str, Any]:
    return dict(ProjectSerializer(_projects(request).get(pk=project.pk)).data)


class ProjectList(GenericAPIView[Project]):
    """The caller's projects."""

    scopes = {"GET": Scope.BALANCES_READ, "POST": Scope.PROJECTS_WRITE}
    queryset = Project.objects.none()
    serializer_class = ProjectSerializer
    sorts = ("created_at", "name")

    @extend_schema(operation_id="projects_list", tags=["settlement"])
    def get(self, request: Request) -> Response:
        """List projects, the newest first."""
        page = self.paginate_queryset(_projects(request)) or []
        return self.get_paginated_response([ProjectSerializer(row).data for row in page])

    @extend_schema(
        operation_id="projects_open",
        request=ProjectRequestSerializer,
        responses={201: ProjectSerializer},
        tags=["settlement"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Open a project that bids can name."""
        asked = ProjectRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        project = open_project(
            said["name"], budget_micros=said["budget"], caller=caller_of(request)
        )
        where = {"Location": f"/api/v1/projects/{project.public_id}"}
        return Response(_printed(request, project), status=201, headers=where)


class ProjectDetail(APIView):
    """One project."""

    scopes = {"GET": Scope.BALANCES_READ, "PATCH": Scope.PROJECTS_WRITE}

    @extend_schema(
        operation_id="projects_retrieve", responses=ProjectSerializer, tags=["settlement"]
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the project, or 404 if it is another's."""
        project = get_object_or_404(_projects(request), public_id=public_id)
        return Response(ProjectSerializer(project).data)

    @extend_schema(
        operation_id="projects_budget",
        request=BudgetRequestSerializer,
        responses=ProjectSerializer,
        tags=["settlement"],
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Set another budget; below what is committed nothing new is taken on."""
        asked = BudgetRequestSerializer(data=request.data)
        caller = caller_of(request)
        own = _projects(request).filter(organization_id=caller.organization_id)
        get_object_or_404(own, public_id=public_id)  # A stranger learns nothing of its own faults.
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        project = set_budget(public_id, budget_micros=said["budget"], caller=caller)
        return Response(_printed(request, project))


class ProjectClose(APIView):
    """A project that is over."""

    scopes = {"POST": Scope.PROJECTS_WRITE}

    @extend_schema(
        operation_id="projects_close",
        request=None,
        responses=ProjectSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Let no further bid name it; what it has bought goes on."""
        project = close_project(public_id, caller=caller_of(request))
        return Response(_printed(request, project))
