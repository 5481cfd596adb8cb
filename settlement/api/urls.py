from django.urls import URLPattern, URLResolver, path

from settlement.api import disputes, handover, resales
from settlement.api.contracts import (
    ContractConfirm,
    ContractDetail,
    ContractList,
    ContractReclaim,
)
from settlement.api.journal import JournalView
from settlement.api.ledger import BalancesView, TransferList
from settlement.api.meter import MeterView
from settlement.api.payouts import PayoutCancel, PayoutDetail, PayoutList
from settlement.api.projects import ProjectClose, ProjectDetail, ProjectList
from settlement.api.readings import ReadingsView
from settlement.api.statement_files import (
    CreditNotePdf,
    StatementCsv,
    StatementFocus,
    StatementPdf,
    StatementProof,
)
from settlement.api.statements import StatementDetail, StatementLines, StatementList
from settlement.api.traces import HourDetail, HourReadings, TransferDetail

urlpatterns: list[URLPattern | URLResolver] = [
    path("balances", BalancesView.as_view(), name="balances"),
    path("contracts", ContractList.as_view(), name="contracts"),
    path("contracts/<str:public_id>/confirm", ContractConfirm.as_view(), name="contract_confirm"),
    path("contracts/<str:public_id>/reclaim", ContractReclaim.as_view(), name="contract_reclaim"),
    path("contracts/<str:public_id>", ContractDetail.as_view(), name="contract"),
    path(
        "contracts/<str:public_id>/hours/<str:hour>/readings",
        HourReadings.as_view(),
        name="hour_readings",
    ),
    path("contracts/<str:public_id>/hours/<str:hour>", HourDetail.as_view(), name="hour"),
    path("disputes", disputes.DisputeList.as_view(), name="disputes"),
    path("disputes/<str:public_id>", disputes.DisputeDetail.as_view(), name="dispute"),
    path("disputes/<str:public_id>/evidence", disputes.DisputeEvidenceList.as_view()),
    path("disputes/<str:public_id>/withdraw", disputes.DisputeWithdraw.as_view()),
    path("payouts", PayoutList.as_view(), name="payouts"),
    path("payouts/<str:public_id>", PayoutDetail.as_view(), name="payout"),
    path("payouts/<str:public_id>/cancel", PayoutCancel.as_view(), name="payout_cancelling"),
    path("projects", ProjectList.as_view(), name="projects"),
    path("projects/<str:public_id>", ProjectDetail.as_view(), name="project"),
    path("projects/<str:public_id>/close", ProjectClose.as_view(), name="project_closing"),
    path("journal.beancount", JournalView.as_view(), name="journal"),
    path("contracts/<str:public_id>/devices", handover.ContractDevicesView.as_view()),
    path("contracts/<str:public_id>/devices/unassign", handover.UnassignDeviceView.as_view()),
    path("contracts/<str:public_id>/access_note", handover.AccessNoteView.as_view()),
    path("contracts/<str:public_id>/access_note/reads", handover.AccessNoteReadsView.as_view()),
    path("meter", MeterView.as_view(), name="meter_watch"),
    path("meters", handover.MetersView.as_view(), name="api_meters"),
    path("meters/<str:public_id>/revoke", handover.RevokeMeterView.as_view()),
    path("devices", handover.DevicesView.as_view(), name="api_devices"),
    path("devices/<str:public_id>/revoke", handover.RevokeDeviceView.as_view()),
    path("readings", ReadingsView.as_view(), name="readings"),
    path("resales", resales.ResaleList.as_view(), name="resales"),
    path("resales/<str:public_id>", resales.ResaleDetail.as_view(), name="resale"),
    path("resales/<str:public_id>/accept", resales.ResaleAccept.as_view()),
    path("resales/<str:public_id>/decline", resales.ResaleDecline.as_view()),
    path("resales/<str:public_id>/withdraw", resales.ResaleWithdraw.as_view()),
    path("statements", StatementList.as_view(), name="statements"),
    path("statements/<str:public_id>.focus.csv", StatementFocus.as_view(), name="statement_focus"),
    path("statements/<str:public_id>.pdf", StatementPdf.as_view(), name="statement_pdf"),
    path(
        "statements/<str:public_id>/credit_note.pdf",
        CreditNotePdf.as_view(),
        name="credit_note_pdf",
    ),
    path("statements/<str:public_id>.json", StatementProof.as_view(), name="statement_proof"),
    path("statements/<str:public_id>.csv", StatementCsv.as_view(), name="statement_csv"),
    path("statements/<str:public_id>/lines", StatementLines.as_view(), name="statement_lines"),
    path("statements/<str:public_id>", StatementDetail.as_view(), name="statement"),
    path("transfers", TransferList.as_view(), name="transfers"),
    path("transfers/<uuid:transfer_id>", TransferDetail.as_view(), name="transfer"),
]
