from django.urls import URLPattern, URLResolver, path

from settlement.portal import (
    contracts,
    disputes,
    equipment,
    handover,
    journal,
    money,
    projects,
    statement_files,
    statements,
    traces,
)

HANDOVER = "contracts/<slug:public_id>/handover/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", contracts.contract_list, name="contract_list"),
    path("contracts/<slug:public_id>/", contracts.contract_detail, name="contract_detail"),
    path(HANDOVER, handover.contract_handover, name="contract_handover"),
    path(f"{HANDOVER}assign/", handover.device_assign, name="device_assign"),
    path(f"{HANDOVER}unassign/", handover.device_unassign, name="device_unassign"),
    path(f"{HANDOVER}note/", handover.note_write, name="note_write"),
    path(f"{HANDOVER}note/read/", handover.note_read, name="note_read"),
    path("equipment/", equipment.equipment, name="equipment"),
    path("equipment/meters/new/", equipment.meter_new, name="meter_new"),
    path("equipment/meters/<slug:public_id>/revoke/", equipment.meter_revoke, name="meter_revoke"),
    path("equipment/devices/new/", equipment.device_new, name="device_new"),
    path(
        "equipment/devices/<slug:public_id>/revoke/", equipment.device_revoke, name="device_revoke"
    ),
    path("contracts/<slug:public_id>/confirm/", contracts.confirm, name="contract_confirm_page"),
    path("contracts/<slug:public_id>/reclaim/", contracts.reclaim, name="contract_reclaim_page"),
    path("contracts/<slug:public_id>/hours/<slug:hour>/", traces.hour_detail, name="hour_detail"),
    path("transfers/<uuid:transfer_id>/", traces.transfer_detail, name="transfer_detail"),
    path("contracts/<slug:public_id>/dispute/", disputes.dispute_new, name="dispute_new"),
    path("disputes/", disputes.dispute_list, name="dispute_list"),
    path("disputes/<slug:public_id>/", disputes.dispute_detail, name="dispute_detail"),
    path("disputes/<slug:public_id>/withdraw/", disputes.dispute_withdraw, name="dispute_withdraw"),
    path("money/", money.money, name="money"),
    path("money/journal.beancount", journal.journal_file, name="journal_file"),
    path("money/payouts/", money.payout_new, name="payout_new"),
    path("money/payouts/<slug:public_id>/cancel/", money.payout_cancel, name="payout_cancel"),
    path("projects/", projects.project_list, name="project_list"),
    path("projects/new/", projects.project_new, name="project_new"),
    path("projects/<slug:public_id>/budget/", projects.project_budget, name="project_budget"),
    path("projects/<slug:public_id>/close/", projects.project_close, name="project_close"),
    path("statements/", statements.statement_list, name="statement_list"),
    path("statements/<slug:public_id>/lines.csv", statement_files.lines_file, name="lines_file"),
    path("statements/<slug:public_id>/focus.csv", statement_files.focus_file, name="focus_file"),
    path("statements/<slug:public_id>/proof.json", statement_files.proof_file, name="proof_file"),
    path("statements/<slug:public_id>/statement.pdf", statement_files.pdf_file, name="pdf_file"),
    path(
        "statements/<slug:public_id>/credit_note.pdf",
        statement_files.credit_note_file,
        name="credit_note_file",
    ),
    path("statements/<slug:public_id>/", statements.statement_detail, name="statement_detail"),
]
