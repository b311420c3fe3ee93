"""The properties that every portal has, as far as the sandbox knows them.

A line is: name, type, fieldType, marks, label, options. Marks: `r` read-only, `c` calculated,
`o` an owner's id, `!` wanted on create, `-` none. Options are `value=Label`, or the
value alone where HubSpot shows the value itself; they are separated by `;`.
"""
# ruff: noqa: E501 - a line is a property

from __future__ import annotations

from collections.abc import Mapping

from crm_sync_hubspot.sandbox.definitions import Definition
from crm_sync_hubspot.sandbox.types import TYPES

YES_NO = (("true", "Yes"), ("false", "No"))

_SHARED = """
hubspot_owner_id enumeration select o|Owner
hubspot_team_id enumeration select r|HubSpot team
hs_object_id number number r|Record ID
hs_object_source string text r|Record source
hs_merged_object_ids enumeration checkbox c|Merged record IDs
"""
_CONTACT = """
firstname string text -|First name
lastname string text -|Last name
email string text -|Email
hs_additional_emails enumeration checkbox r|Additional email addresses
jobtitle string text -|Job title
company string text -|Company name
phone string phonenumber -|Phone number
mobilephone string phonenumber -|Mobile phone number
fax string phonenumber -|Fax number
salutation string text -|Salutation
address string text -|Street address
city string text -|City
state string text -|State/Region
zip string text -|Postal code
country string text -|Country/Region
website string text -|Website URL
industry string text -|Industry
annualrevenue string text -|Annual revenue
hs_linkedin_url string text -|LinkedIn URL
hs_language enumeration select -|Preferred language|fr=French;en=English;de=German;es=Spanish;it=Italian;nl=Dutch;pt=Portuguese;fr-fr=French - France;en-us=English - United States;en-gb=English - United Kingdom
hs_email_optout bool booleancheckbox -|Unsubscribed from all email
lifecyclestage enumeration radio -|Lifecycle stage|subscriber=Subscriber;lead=Lead;marketingqualifiedlead=Marketing Qualified Lead;salesqualifiedlead=Sales Qualified Lead;opportunity=Opportunity;customer=Customer;evangelist=Evangelist;other=Other
hs_lead_status enumeration radio -|Lead status|NEW=New;OPEN=Open;IN_PROGRESS=In Progress;OPEN_DEAL=Open Deal;UNQUALIFIED=Unqualified;ATTEMPTED_TO_CONTACT=Attempted to Contact;CONNECTED=Connected;BAD_TIMING=Bad Timing
hs_buying_role enumeration checkbox -|Buying role|BLOCKER=Blocker;BUDGET_HOLDER=Budget Holder;CHAMPION=Champion;DECISION_MAKER=Decision Maker;END_USER=End User;EXECUTIVE_SPONSOR=Executive Sponsor;INFLUENCER=Influencer;LEGAL_AND_COMPLIANCE=Legal & Compliance;OTHER=Other
associatedcompanyid number number r|Primary associated company ID
hs_calculated_merged_vids enumeration checkbox c|Merged contact IDs
notes_last_contacted datetime date r|Last contacted
notes_last_updated datetime date r|Last activity date
notes_next_activity_date datetime date r|Next activity date
hs_last_sales_activity_timestamp datetime date r|Last engagement date
createdate datetime date r|Create date
lastmodifieddate datetime date r|Last modified date
"""
_COMPANY = """
name string text -|Company name
domain string text -|Company domain name
website string text -|Website URL
description string textarea -|Description
industry string text -|Industry
numberofemployees number number -|Number of employees
annualrevenue number number -|Annual revenue
phone string phonenumber -|Phone number
address string text -|Street address
city string text -|City
state string text -|State/Region
zip string text -|Postal code
country string text -|Country/Region
linkedin_company_page string text -|LinkedIn company page
hs_additional_domains enumeration checkbox -|Additional domains
hs_parent_company_id number number r|Parent company
lifecyclestage enumeration radio -|Lifecycle stage|subscriber=Subscriber;lead=Lead;marketingqualifiedlead=Marketing Qualified Lead;salesqualifiedlead=Sales Qualified Lead;opportunity=Opportunity;customer=Customer;evangelist=Evangelist;other=Other
type enumeration select -|Type|PROSPECT=Prospect;PARTNER=Partner;RESELLER=Reseller;VENDOR=Vendor;OTHER=Other
notes_last_contacted datetime date r|Last contacted
notes_last_updated datetime date r|Last activity date
hs_last_sales_activity_timestamp datetime date r|Last engagement date
createdate datetime date r|Create date
hs_createdate datetime date r|Object create date/time
hs_lastmodifieddate datetime date r|Last modified date
"""
_DEAL = """
dealname string text -|Deal name
amount number number -|Amount
closedate datetime date -|Close date
dealstage enumeration radio -|Deal stage|appointmentscheduled=Appointment Scheduled;qualifiedtobuy=Qualified To Buy;presentationscheduled=Presentation Scheduled;decisionmakerboughtin=Decision Maker Bought-In;contractsent=Contract Sent;closedwon=Closed Won;closedlost=Closed Lost
pipeline enumeration select -|Pipeline|default=Sales Pipeline
dealtype enumeration radio -|Deal type|newbusiness=New Business;existingbusiness=Existing Business
description string textarea -|Deal description
deal_currency_code enumeration select -|Currency|EUR=Euro;USD=US Dollar;GBP=Pound Sterling
hs_priority enumeration select -|Priority|low=Low;medium=Medium;high=High
hs_deal_stage_probability number number -|Deal probability
hs_is_closed bool booleancheckbox c|Is deal closed?
hs_is_closed_won bool booleancheckbox c|Is closed won
notes_last_contacted datetime date r|Last contacted
notes_last_updated datetime date r|Last activity date
createdate datetime date r|Create date
hs_createdate datetime date r|Object create date/time
hs_lastmodifieddate datetime date r|Last modified date
"""
_ENGAGEMENT = """
hs_timestamp datetime date !|Activity date
hs_createdate datetime date r|Create date
hs_lastmodifieddate datetime date r|Last modified date
hs_activity_type enumeration select -|Activity type
hs_attachment_ids enumeration checkbox -|Attached file IDs
"""
_EMAIL = """
hs_email_subject string text -|Email subject
hs_email_text string textarea -|Email body
hs_email_html string html -|Email HTML body
hs_email_direction enumeration select -|Email direction|EMAIL=Email;INCOMING_EMAIL=Incoming email;FORWARDED_EMAIL=Forwarded email;DRAFT_EMAIL=Draft email
hs_email_status enumeration select -|Email send status|BOUNCED=Bounced;FAILED=Failed;SCHEDULED=Scheduled;SENDING=Sending;SENT=Sent
hs_email_headers string text -|Email headers
hs_email_from_email string text -|Email from address
hs_email_from_firstname string text -|Email from first name
hs_email_from_lastname string text -|Email from last name
hs_email_to_email string text -|Email to address
hs_email_cc_email string text -|Email cc address
hs_email_sender_email string text -|Email sender address
hs_email_open_count number number r|Number of email opens
hs_email_reply_count number number r|Number of email replies
"""
_CALL = """
hs_call_title string text -|Call title
hs_call_body string html -|Call notes
hs_call_direction enumeration select -|Call direction|INBOUND=Inbound;OUTBOUND=Outbound
hs_call_duration number number -|Call duration
hs_call_disposition enumeration select -|Call outcome
hs_call_status enumeration select -|Call status|BUSY=Busy;CALLING_CRM_USER=Calling CRM user;CANCELED=Canceled;COMPLETED=Completed;CONNECTING=Connecting;FAILED=Failed;IN_PROGRESS=In progress;MISSED=Missed;NO_ANSWER=No answer;QUEUED=Queued;RINGING=Ringing
hs_call_from_number string text -|From number
hs_call_to_number string text -|To number
"""
_MEETING = """
hs_meeting_title string text -|Meeting name
hs_meeting_body string html -|Meeting description
hs_internal_meeting_notes string html -|Internal meeting notes
hs_meeting_location string text -|Meeting location
hs_meeting_external_url string text -|External URL
hs_meeting_start_time datetime date -|Meeting start time
hs_meeting_end_time datetime date -|Meeting end time
hs_meeting_outcome enumeration select -|Meeting outcome|SCHEDULED=Scheduled;COMPLETED=Completed;RESCHEDULED=Rescheduled;NO_SHOW=No show;CANCELED=Canceled
"""
_NOTE = """
hs_note_body string html -|Note body
"""
_TASK = """
hs_task_subject string text -|Task title
hs_task_body string html -|Notes
hs_task_status enumeration select -|Task status|NOT_STARTED=Not started;IN_PROGRESS=In progress;WAITING=Waiting;DEFERRED=Deferred;COMPLETED=Completed
hs_task_priority enumeration select -|Priority|NONE=None;LOW=Low;MEDIUM=Medium;HIGH=High
hs_task_type enumeration select -|Task type|TODO=To-do;CALL=Call;EMAIL=Email;LINKED_IN=LinkedIn;LINKED_IN_CONNECT=LinkedIn connect;LINKED_IN_MESSAGE=LinkedIn message
hs_task_reminders string text -|Reminders
hs_task_completion_date datetime date r|Completed at
hs_task_is_completed number number c|Is completed
"""
_GROUPS = {
    "contacts": ("contactinformation", "Contact information"),
    "companies": ("companyinformation", "Company information"),
    "deals": ("dealinformation", "Deal information"),
    "emails": ("email", "Email information"),
    "calls": ("call", "Call information"),
    "meetings": ("meeting", "Meeting information"),
    "notes": ("note", "Note information"),
    "tasks": ("task", "Task information"),
}
STANDARD_GROUPS: Mapping[str, tuple[str, str]] = _GROUPS
"""The group of each kind's standard properties: name and label."""


def _parse(kind: str, text: str) -> dict[str, Definition]:
    group = _GROUPS[kind][0]
    found: dict[str, Definition] = {}
    for order, line in enumerate(filter(None, text.splitlines())):
        head, label, *options = line.split("|")
        name, type_, field_type, marks = head.split()
        found[name] = Definition(
            name,
            type_,
            field_type,
            label,
            group,
            options=YES_NO if type_ == "bool" else _options("".join(options)),
            read_only="r" in marks or "c" in marks,
            calculated="c" in marks,
            required="!" in marks,
            unique=name in TYPES[kind].keys,
            owners="o" in marks,
            display_order=order,
        )
    return found


def _options(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return tuple((value, label or value) for value, _, label in pairs)


STANDARD: Mapping[str, Mapping[str, Definition]] = {
    kind: _parse(kind, text + _SHARED)
    for kind, text in {
        "contacts": _CONTACT,
        "companies": _COMPANY,
        "deals": _DEAL,
        "emails": _EMAIL + _ENGAGEMENT,
        "calls": _CALL + _ENGAGEMENT,
        "meetings": _MEETING + _ENGAGEMENT,
        "notes": _NOTE + _ENGAGEMENT,
        "tasks": _TASK + _ENGAGEMENT,
    }.items()
}
"""By kind of records, then by name."""
