from django.urls import URLPattern, URLResolver, path

from accounts.portal import api_keys, members, organizations

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
]
