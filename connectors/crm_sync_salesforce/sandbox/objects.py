"""The standard objects: the fields that matter to contacts, activities and deals.

Lengths, flags and required fields are those of a plain org; fields that nobody here reads are left
out.
"""

from __future__ import annotations

from crm_sync_salesforce.sandbox.fields import Field, Kind, ObjectType, object_type

INTEGRATION_USER_NUMBER = 1
"""The built-in user is the first row of User."""


def _system(*, owner: bool = True) -> list[Field]:
    """The audit fields that Salesforce keeps itself."""
    fields = [
        _reference("CreatedById", "User", relation="CreatedBy", readonly=True),
        Field("CreatedDate", Kind.DATETIME, "Created Date", createable=False, updateable=False),
        _reference("LastModifiedById", "User", relation="LastModifiedBy", readonly=True),
        Field(
            "LastModifiedDate",
            Kind.DATETIME,
            "Last Modified Date",
            createable=False,
            updateable=False,
        ),
        Field(
            "SystemModstamp", Kind.DATETIME, "System Modstamp", createable=False, updateable=False
        ),
        Field("IsDeleted", Kind.BOOLEAN, "Deleted", createable=False, updateable=False, default=0),
    ]
    if owner:
        fields.insert(0, _reference("OwnerId", "User", label="Owner ID", relation="Owner"))
    return fields


def _id() -> Field:
    return Field("Id", Kind.ID, "Record ID", 18, createable=False, updateable=False)


def _text(name: str, length: int, label: str = "", *, required: bool = False) -> Field:
    return Field(name, Kind.STRING, label or name, length, required=required)


def _picklist(name: str, *values: str, label: str = "", default: str | None = None) -> Field:
    return Field(name, Kind.PICKLIST, label or name, 255, values=values, default=default)


def _flag(name: str, label: str = "", *, default: int = 0) -> Field:
    return Field(name, Kind.BOOLEAN, label or name, default=default)


def _reference(
    name: str,
    *targets: str,
    relation: str = "",
    label: str = "",
    readonly: bool = False,
    required: bool = False,
) -> Field:
    return Field(
        name,
        Kind.REFERENCE,
        label or name,
        18,
        createable=not readonly,
        updateable=not readonly,
        required=required,
        targets=targets,
        relation=relation or name.removesuffix("Id"),
    )


def _computed(name: str, kind: Kind, sql: str, *, label: str = "", length: int = 0) -> Field:
    return Field(name, kind, label or name, length, False, False, computed=sql)


def _read_only(name: str, kind: Kind, label: str = "") -> Field:
    return Field(name, kind, label or name, createable=False, updateable=False)


def _full_name(length: int) -> Field:
    sql = """trim(coalesce("FirstName" || ' ', '') || coalesce("LastName", ''))"""
    return _computed("Name", Kind.STRING, sql, label="Full Name", length=length)


def _address(kind: str) -> list[Field]:
    return [
        Field(f"{kind}Street", Kind.TEXTAREA, f"{kind} Street", 255),
        _text(f"{kind}City", 40),
        _text(f"{kind}State", 80),
        _text(f"{kind}PostalCode", 20),
        _text(f"{kind}Country", 80),
        Field(f"{kind}Address", Kind.ADDRESS, f"{kind} Address", 0, False, False),
    ]


ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")

_ACCOUNT = object_type(
    "Account",
    "001",
    _id(),
    _text("Name", 255, "Account Name", required=True),
    _picklist("Type", "Prospect", "Customer - Direct", "Partner", "Competitor", "Other"),
    _reference("ParentId", "Account", relation="Parent"),
    Field("Website", Kind.URL, "Website", 255),
    Field("Phone", Kind.PHONE, "Account Phone", 40),
    _picklist("Industry"),
    Field("AnnualRevenue", Kind.CURRENCY, "Annual Revenue"),
    Field("NumberOfEmployees", Kind.INTEGER, "Employees"),
    _text("AccountNumber", 40),
    Field("Description", Kind.TEXTAREA, "Account Description", 32_000),
    *_address("Billing"),
    *_address("Shipping"),
    _read_only("LastActivityDate", Kind.DATE),
    _reference("MasterRecordId", "Account", relation="MasterRecord", readonly=True),
    *_system(),
)

_CONTACT = object_type(
    "Contact",
    "003",
    _id(),
    _reference("AccountId", "Account", label="Account ID"),
    Field("LastName", Kind.STRING, "Last Name", 80, required=True),
    _text("FirstName", 40, "First Name"),
    _picklist("Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof."),
    _full_name(121),
    _text("Title", 128),
    _text("Department", 80),
    Field("Email", Kind.EMAIL, "Email", 80),
    Field("Phone", Kind.PHONE, "Business Phone", 40),
    Field("MobilePhone", Kind.PHONE, "Mobile Phone", 40),
    Field("HomePhone", Kind.PHONE, "Home Phone", 40),
    Field("OtherPhone", Kind.PHONE, "Other Phone", 40),
    Field("Fax", Kind.PHONE, "Business Fax", 40),
    _text("AssistantName", 40),
    _reference("ReportsToId", "Contact", relation="ReportsTo"),
    _picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
    Field("Birthdate", Kind.DATE, "Birthdate"),
    Field("Description", Kind.TEXTAREA, "Contact Description", 32_000),
    _flag("HasOptedOutOfEmail", "Email Opt Out"),
    _flag("DoNotCall", "Do Not Call"),
    *_address("Mailing"),
    *_address("Other"),
    _read_only("LastActivityDate", Kind.DATE, "Last Activity"),
    _read_only("EmailBouncedDate", Kind.DATETIME),
    _reference("MasterRecordId", "Contact", relation="MasterRecord", readonly=True),
    *_system(),
)

_USER = object_type(
    "User",
    "005",
    _id(),
    _text("Username", 80, required=True),
    Field("LastName", Kind.STRING, "Last Name", 80, required=True),
    _text("FirstName", 40, "First Name"),
    _full_name(121),
    Field("Email", Kind.EMAIL, "Email", 128, required=True),
    _text("Alias", 8),
    _text("Title", 80),
    _text("Department", 80),
    Field("Phone", Kind.PHONE, "Phone", 40),
    _reference("ManagerId", "User"),
    _flag("IsActive", "Active", default=1),
    _picklist("UserType", "Standard", "PowerPartner", "Guest", default="Standard"),
    _picklist("LanguageLocaleKey", "en_US", "fr", "de", "es", "it", default="en_US"),
    _picklist("LocaleSidKey", "en_US", "fr_FR", "de_DE", default="en_US"),
    _picklist("TimeZoneSidKey", "UTC", "Europe/Paris", "America/New_York", default="UTC"),
    _read_only("LastLoginDate", Kind.DATETIME),
    *_system(owner=False),
)

_OPPORTUNITY = object_type(
    "Opportunity",
    "006",
    _id(),
    _reference("AccountId", "Account", label="Account ID"),
    _text("Name", 120, "Opportunity Name", required=True),
    Field(
        "StageName",
        Kind.PICKLIST,
        "Stage",
        255,
        required=True,
        values=("Prospecting", "Qualification", "Proposal", "Closed Won", "Closed Lost"),
    ),
    Field("CloseDate", Kind.DATE, "Close Date", required=True),
    Field("Amount", Kind.CURRENCY, "Amount"),
    Field("Probability", Kind.PERCENT, "Probability (%)"),
    _picklist("Type", "New Business", "Existing Business"),
    _picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Other"),
    _text("NextStep", 255),
    Field("Description", Kind.TEXTAREA, "Description", 32_000),
    _computed("IsClosed", Kind.BOOLEAN, """coalesce("StageName" LIKE 'Closed%', 0)"""),
    _computed("IsWon", Kind.BOOLEAN, """coalesce("StageName" = 'Closed Won', 0)"""),
    _read_only("LastActivityDate", Kind.DATE),
    *_system(),
)

_CONTACT_ROLE = object_type(
    "OpportunityContactRole",
    "00K",
    _id(),
    _reference("OpportunityId", "Opportunity", required=True),
    _reference("ContactId", "Contact", required=True),
    _picklist("Role", "Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other"),
    _flag("IsPrimary", "Primary"),
    *_system(owner=False),
)

_TASK = object_type(
    "Task",
    "00T",
    _id(),
    _reference("WhoId", "Contact", label="Name ID"),
    _reference("WhatId", "Account", "Opportunity", label="Related To ID"),
    Field("Subject", Kind.PICKLIST, "Subject", 255, values=("Call", "Email", "Other")),
    Field("ActivityDate", Kind.DATE, "Due Date Only"),
    _picklist("Status", "Not Started", "In Progress", "Completed", default="Not Started"),
    _picklist("Priority", "High", "Normal", "Low", default="Normal"),
    _computed("IsClosed", Kind.BOOLEAN, """coalesce("Status" = 'Completed', 0)"""),
    _computed("IsHighPriority", Kind.BOOLEAN, """coalesce("Priority" = 'High', 0)"""),
    Field("Description", Kind.TEXTAREA, "Description", 32_000),
    _picklist("Type", "Call", "Email", "Meeting", "Other"),
    _picklist("TaskSubtype", "Task", "Call", "Email", "ListEmail", default="Task"),
    _picklist("CallType", "Internal", "Inbound", "Outbound"),
    Field("CallDurationInSeconds", Kind.INTEGER, "Call Duration"),
    _flag("IsReminderSet"),
    Field("ReminderDateTime", Kind.DATETIME, "Reminder Date/Time"),
    _reference("AccountId", "Account", readonly=True),
    _read_only("CompletedDateTime", Kind.DATETIME),
    Field("IsArchived", Kind.BOOLEAN, "Archived", 0, False, False, default=0),
    *_system(),
)

_EVENT = object_type(
    "Event",
    "00U",
    _id(),
    _reference("WhoId", "Contact", label="Name ID"),
    _reference("WhatId", "Account", "Opportunity", label="Related To ID"),
    Field("Subject", Kind.PICKLIST, "Subject", 255, values=("Call", "Email", "Meeting", "Other")),
    _text("Location", 255),
    Field("ActivityDate", Kind.DATE, "Due Date Only"),
    Field("ActivityDateTime", Kind.DATETIME, "Due Date Time"),
    Field("StartDateTime", Kind.DATETIME, "Start Date Time"),
    Field("EndDateTime", Kind.DATETIME, "End Date Time"),
    Field("DurationInMinutes", Kind.INTEGER, "Duration"),
    _flag("IsAllDayEvent", "All-Day Event"),
    Field("Description", Kind.TEXTAREA, "Description", 32_000),
    _picklist("Type", "Call", "Email", "Meeting", "Other"),
    _picklist("EventSubtype", "Event", default="Event"),
    _picklist("ShowAs", "Busy", "OutOfOffice", "Free", default="Busy"),
    _reference("AccountId", "Account", readonly=True),
    Field("IsArchived", Kind.BOOLEAN, "Archived", 0, False, False, default=0),
    *_system(),
)

_ORGANIZATION = object_type(
    "Organization",
    "00D",
    _id(),
    _text("Name", 80),
    _flag("IsSandbox", default=1),
    _text("InstanceName", 5),
    _text("OrganizationType", 40),
    _text("LanguageLocaleKey", 40),
    _text("TimeZoneSidKey", 40),
    *_system(owner=False),
    writable=False,
)

STANDARD: tuple[ObjectType, ...] = (
    _USER,
    _ACCOUNT,
    _CONTACT,
    _OPPORTUNITY,
    _CONTACT_ROLE,
    _TASK,
    _EVENT,
    _ORGANIZATION,
)
"""Every object in the order in which files are loaded: what is referred to comes first."""

ACTIVITIES = ("Task", "Event")
"""A custom field of one is a custom field of both: they share the Activity object."""
