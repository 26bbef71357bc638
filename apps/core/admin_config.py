"""Puts Omma's admin site in the place of Django's; a module apart, as it is loaded before the apps."""

from django.contrib.admin.apps import AdminConfig


class OmmaAdminConfig(AdminConfig):
    default_site = "apps.core.admin_site.OmmaAdminSite"
