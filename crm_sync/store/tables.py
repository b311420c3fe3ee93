"""Every table, once. Migrations create them; the modules beside this one own their statements.

Ids of the CRM are text and only unique within a connection. Times are ISO 8601 text in UTC, which
sorts, reads and compares the same in SQLite, PostgreSQL and Python; JSON columns hold canonical
JSON text, so that what is hashed is what is stored.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What was pulled; can be pulled again.
record = Table(
    "record",
    metadata,
    Column("connection", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("fields", Text, nullable=False),  # JSON, under the CRM's names
    Column("modified_at", String),  # as the CRM says
    Column("first_modified_at", String),  # the same, when we first saw the record
    Column("seen_at", String, nullable=False),  # the pull that last brought it
    Column("gone_at", String),
    Column("survivor", String),  # after a merge
    Column("missed_at", String),  # the whole pull that did not find it, until somebody says why
)

cursor = Table(
    "cursor",
    metadata,
    Column("connection", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("object", String, primary_key=True),  # the CRM's: an entity may come from several
    Column("cursor", Text, nullable=False),
    Column("scope", String, nullable=False),  # hash of object, fields and filter: other, start anew
    Column("complete", Boolean, nullable=False),
    Column("whole_since", String),  # when the whole pull in hand began; null in incremental ones
    Column("whole_at", String),  # when the last complete whole pull began
    Column("at", String, nullable=False),
)

# What a field said when we first saw it, or when we last verified our own write there. Sparse: a
# field without a row still says what it said at first.
baseline = Table(
    "baseline",
    metadata,
    Column("connection", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("field", String, primary_key=True),  # the CRM's name
    Column("value", Text),  # JSON scalar
    Column("basis", String, nullable=False),  # seen | verified
    Column("at", String, nullable=False),  # when an edit was first seen, else time of the write
    Column("edited_at", String),  # since when the live value is another
    Column("live", Text),  # that other value, JSON scalar
)

# Enrichment: one source's dated claim about one profile; immutable.
observation = Table(
    "observation",
    metadata,
    Column("id", String, primary_key=True),  # hash of source, profile, as_of and payload
    Column("source", String, nullable=False),
    Column("profile_id", String, nullable=False),
    Column("as_of", String),
    Column("payload", Text, nullable=False),  # JSON: names and employments
    Column("recorded_at", String, nullable=False),
    Index(None, "source", "profile_id"),
)

source_count = Table(
    "source_count",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("source", String, nullable=False),
    Column("profiles", Integer, nullable=False),
    Column("at", String, nullable=False),
)

# What an asked source answered about a contact; paid for, so asked again only when it is old.
answer = Table(
    "answer",
    metadata,
    Column("source", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("question", String, nullable=False),  # hash of what was asked with
    Column("asked_at", String, nullable=False),
    Column("status", String, nullable=False),  # found | absent | refused
    Column("document", Text),  # JSON, under the source's names
    Column("credits", Float, nullable=False),
    Column("message", Text, nullable=False),
)

# What was learned from the data of a source: trained parameters, a calibration. JSON documents.
learned = Table(
    "learned",
    metadata,
    Column("connection", String, primary_key=True),
    Column("kind", String, primary_key=True),  # parameters | calibration
    Column("source", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("document", Text, nullable=False),
)

# The latest verdict of the matching, one row per contact and profile that came into question.
match = Table(
    "match",
    metadata,
    Column("connection", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("profile_id", String, primary_key=True),
    Column("confidence", Float, nullable=False),
    Column("band", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON list
)

# The latest verdict on each contact's employment, one row per contact.
job_change = Table(
    "job_change",
    metadata,
    Column("connection", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("band", String, nullable=False),
    Column("since", String),
    Column("as_of", String),
    Column("from_title", String, nullable=False),
    Column("from_organisation", String, nullable=False),
    Column("to_title", String, nullable=False),
    Column("to_organisation", String, nullable=False),
    Column("source", String, nullable=False),
    Column("profile_id", String, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON list
    Column("rule", String, nullable=False, server_default=""),  # how the person was identified
    Column("direction", String, nullable=False, server_default=""),  # promoted | lateral | demoted
    Column("match_confidence", Float, nullable=False, server_default="0"),
    Column("change_confidence", Float, nullable=False, server_default="0"),
    Index(None, "connection", "kind"),
)

# Decisions and effects: never purged by accident.
plan = Table(
    "plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("guards", Text, nullable=False),
    Column("funnel", Text, nullable=False),
    Column("undo_of", Integer),
    Column("terms", String, nullable=False),
    Column("edition", Integer, nullable=False, server_default="1"),  # how `hash` is made
    sqlite_autoincrement=True,
)

change = Table(
    "change",
    metadata,
    Column("plan_id", Integer, ForeignKey("plan.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("operation", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("record_id", String, nullable=False),
    Column("contact_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("fields", Text, nullable=False),  # JSON list of FieldChange
    Column("watched", Text, nullable=False),  # the same, of fields that are only looked at
    Column("disposition", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("requires", String, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("owner_id", String, nullable=False),
    Column("rule", String, nullable=False),
    # Of the job change behind it: what a person's decision is counted for.
    Column("source", String, nullable=False, server_default=""),
    Column("identified_by", String, nullable=False, server_default=""),
    Column("band", String, nullable=False, server_default=""),
    # The due date of a task, which `fields` leaves out then; what the plan's hash is made from.
    Column("due_on", String, nullable=False, server_default=""),
    Column("digest", LargeBinary),
    # Where the texts are instead of `fields`, `watched` and `evidence`; null: they are here.
    Column("pack", Integer),
    Column("slot", Integer),
    # Few changes are links; `links.owed` asks for them at every apply.
    Index(
        "ix_change_links",
        "requires",
        "plan_id",
        "key",
        sqlite_where=text("operation = 'link'"),
        postgresql_where=text("operation = 'link'"),
    ),
)

# The texts of many changes, compressed; see `crm_sync.store.plan_rows`.
change_pack = Table(
    "change_pack",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", Integer, nullable=False),  # bytes before compression
    Column("data", LargeBinary, nullable=False),
)

# What the latest drafted plan of a connection was made from, contact by contact: where it is the
# same again, so are the changes.
planned = Table(
    "planned",
    metadata,
    Column("connection", String, primary_key=True),
    Column("contact_id", String, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),  # of all that went in
    Column("update_key", String, nullable=False),  # looked for among what is done or rejected
    Column("task_key", String, nullable=False),
    Column("account_id", String, nullable=False),  # looked up, as are the next two
    Column("owner_id", String, nullable=False),
    Column("company", String, nullable=False),
    Column("counts", String, nullable=False),  # what the tally and the funnel count
)

planned_in = Table(
    "planned_in",
    metadata,
    Column("connection", String, primary_key=True),
    Column("plan_id", Integer, nullable=False),
)

# A person's decision about a change of a plan, bound to the plan's hash.
approval = Table(
    "approval",
    metadata,
    Column("plan_id", Integer, ForeignKey("plan.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("decision", String, nullable=False),  # approved | rejected
    Column("plan_hash", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("at", String, nullable=False),
    Column("reason", Text, nullable=False),
)

# What a person's decisions say of the claims: right or wrong, by source and rule.
verdict = Table(
    "verdict",
    metadata,
    Column("connection", String, primary_key=True),
    Column("claim", String, primary_key=True),  # one job change: its update and task are one claim
    Column("plan_id", Integer, nullable=False),
    Column("contact_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("rule", String, nullable=False),  # how the person was identified
    Column("band", String, nullable=False),  # auto | review
    Column("confidence", Float, nullable=False),
    Column("decision", String, nullable=False),  # right | wrong
    Column("decided_by", String, nullable=False),
    Column("at", String, nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "connection", "source", "kind", "rule"),
)

# Keys that must not be proposed again: a person said no, or undid them.
rejected_key = Table(
    "rejected_key",
    metadata,
    Column("connection", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("why", String, nullable=False),  # rejected | undone
    Column("at", String, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),  # plan | apply | undo | run
    Column("plan_id", Integer),
    Column("started_at", String, nullable=False),
    Column("ended_at", String),
    Column("outcome", String),  # done | partial | refused | failed | later; null while running
    Column("counts", Text, nullable=False),  # JSON
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)

# The journal: one row per intended effect, committed before anything is sent.
intent = Table(
    "intent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("plan_id", Integer, nullable=False),
    Column("state", String, nullable=False),  # see crm_sync.store.states
    Column("operation", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("record_id", String, nullable=False),  # of a created record, once known
    Column("contact_id", String, nullable=False),
    Column("fields", Text, nullable=False),  # JSON list of FieldChange: before is the inverse
    Column("attempts", Integer, nullable=False),
    Column("sent_at", String),
    Column("settled_at", String),
    Column("code", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("verified", String),  # confirmed | drift; null until read back
    Column("verified_at", String),
    Column("modified_at", String),  # the CRM's own stamp on the record when it was verified
    UniqueConstraint("connection", "key"),
    Index(None, "connection", "state"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

# What happened to each intent, in order; append only.
intent_event = Table(
    "intent_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("intent_id", Integer, ForeignKey("intent.id"), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("at", String, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "intent_id"),
    sqlite_autoincrement=True,
)
