"""
The operator's desk: all that can be seen and changed while the gateway runs, for every front end.

Each drawer is a class of its own; each method takes who asks, checks the role, and writes to the
database in one transaction with its line in the audit log. Errors are those of gateway.core.errors.
"""

from __future__ import annotations

from gateway.admin.admin_keys import AdminKeys
from gateway.admin.content_policies import ContentPolicies
from gateway.admin.keys import Keys
from gateway.admin.office import Office
from gateway.admin.playground import Playground
from gateway.admin.provider_keys import ProviderKeys
from gateway.admin.reports import Reports
from gateway.admin.rules import Rules
from gateway.admin.tenants import Projects, Tenants
from gateway.admin.webhooks import Webhooks


class Desk:
    """Front ends call ``await desk.keys.create(who, KeyDraft(...))`` and so on."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.tenants = Tenants(office)
        self.projects = Projects(office)
        self.keys = Keys(office)
        self.provider_keys = ProviderKeys(office)
        self.rules = Rules(office)
        self.content_policies = ContentPolicies(office)
        self.webhooks = Webhooks(office)
        self.admin_keys = AdminKeys(office)
        self.reports = Reports(office)
        self.playground = Playground(office)
