from django.urls import URLPattern, URLResolver, path

from accounts.portal import api_keys, arriving, members, notices, organizations, time_zone, webhooks

WEBHOOK = "organization/webhooks/<str:public_id>"
DELIVERY = "organization/webhook-deliveries/<str:public_id>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("organization", organizations.choose_organization, name="choose_organization"),
    path("organization/keys", api_keys.key_list, name="api_keys"),
    path("organization/keys/new", api_keys.key_new, name="api_key_new"),
    path("organization/keys/<str:public_id>/revoke", api_keys.key_revoke, name="api_key_revoke"),
    path("organization/members", members.member_list, name="members"),
    path("organization/members/new", members.member_new, name="member_new"),
    path("organization/members/<str:public_id>/role", members.member_role, name="member_role"),
    path(
        "organization/members/<str:public_id>/remove", members.member_remove, name="member_remove"
    ),
    path("organization/webhooks", webhooks.endpoint_list, name="webhooks"),
    path("organization/webhooks/new", webhooks.endpoint_new, name="webhook_new"),
    path(WEBHOOK, webhooks.endpoint_detail, name="webhook"),
    path(f"{WEBHOOK}/edit", webhooks.endpoint_edit, name="webhook_edit"),
    path(f"{WEBHOOK}/rotate", webhooks.endpoint_rotate, name="webhook_rotate"),
    path(f"{WEBHOOK}/test", webhooks.endpoint_test, name="webhook_test"),
    *(
        path(f"{WEBHOOK}/{verb}", webhooks.endpoint_move, {"verb": verb}, name=f"webhook_{verb}")
        for verb in ("enable", "disable", "remove")
    ),
    path(DELIVERY, webhooks.delivery_detail, name="webhook_delivery"),
    path(f"{DELIVERY}/replay", webhooks.delivery_replay, name="webhook_replay"),
    path(
        "organization/invitations/<str:public_id>/withdraw",
        members.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path("apply", arriving.apply, name="apply"),
    path("invitations/<str:token>", arriving.invitation, name="invitation"),
    path("time-zone", time_zone.time_zone, name="time_zone"),
    path("notices", notices.notice_list, name="notices"),
    path("notices/read", notices.notices_read, name="notices_read"),
    path("notices/choices", notices.notices_choose, name="notices_choose"),
]
