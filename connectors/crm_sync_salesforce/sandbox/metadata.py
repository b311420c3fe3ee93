"""What the org tells about itself: versions, objects, fields, limits."""

from __future__ import annotations

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_salesforce.sandbox.fields import NUMBERS, TEXTS, Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.org import INTEGRATION_USER, ORGANIZATION, Org

VERSIONS = range(40, 68)
BASE = r"(?P<base>/services/data/v\d\d\.\d)"
_SOAP = {
    Kind.ID: "tns:ID",
    Kind.REFERENCE: "tns:ID",
    Kind.BOOLEAN: "xsd:boolean",
    Kind.INTEGER: "xsd:int",
    Kind.DATE: "xsd:date",
    Kind.DATETIME: "xsd:dateTime",
    Kind.ADDRESS: "urn:address",
    **dict.fromkeys(NUMBERS - {Kind.INTEGER}, "xsd:double"),
}
_PATHS = ("sobjects", "query", "queryAll", "limits", "composite")


def metadata_routes(org: Org) -> list[Route]:
    """Their end points."""
    about = _Metadata(org)
    one_object = rf"{BASE}/sobjects/(?P<object>\w+)"
    return [
        route("GET", "/services/data", "versions", about.versions, public=True),
        route("GET", BASE, "resources", about.resources),
        route("GET", f"{BASE}/sobjects", "objects", about.objects),
        route("GET", one_object, "object", about.object),
        route("GET", f"{one_object}/describe", "describe", about.describe),
        route("GET", f"{BASE}/limits", "limits", about.limits),
        route("GET", "/services/oauth2/userinfo", "identity", about.identity),
        route("GET", r"/id/\w+/\w+", "identity", about.identity),
    ]


class _Metadata:
    def __init__(self, org: Org) -> None:
        self._org = org

    def versions(self, _: Request) -> Response:
        known = [
            {"label": f"API {one}.0", "url": f"/services/data/v{one}.0", "version": f"{one}.0"}
            for one in VERSIONS
        ]
        return json_response(known)

    def resources(self, request: Request) -> Response:
        base = request.args["base"]
        return json_response({name: f"{base}/{name}" for name in _PATHS})

    def objects(self, request: Request) -> Response:
        known = [_object(one, request.args["base"]) for one in self._org.catalog.values()]
        return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": known})

    def object(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        about = _object(target, request.args["base"])
        return json_response({"objectDescribe": about, "recentItems": []})

    def describe(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        return json_response(
            {
                **_object(target, request.args["base"]),
                "fields": [_field(target, field) for field in target.visible()],
                "childRelationships": [],
                "recordTypeInfos": [],
            }
        )

    def limits(self, _: Request) -> Response:
        allowance = self._org.allowance
        left = max(0, allowance.daily - allowance.used)
        return json_response({"DailyApiRequests": {"Max": allowance.daily, "Remaining": left}})

    def identity(self, request: Request) -> Response:
        return json_response(
            {
                "id": f"{request.base_url}/id/{ORGANIZATION}/{INTEGRATION_USER}",
                "user_id": INTEGRATION_USER,
                "organization_id": ORGANIZATION,
                "username": "integration@sandbox.invalid",
                "display_name": "Integration User",
                "active": True,
                "urls": {},
            }
        )


def _object(target: ObjectType, base: str) -> dict[str, object]:
    path = f"{base}/sobjects/{target.name}"
    return {
        "name": target.name,
        "label": target.label,
        "labelPlural": f"{target.label}s",
        "keyPrefix": target.prefix,
        "custom": False,
        "createable": target.writable,
        "updateable": target.writable,
        "deletable": target.writable,
        "queryable": True,
        "retrieveable": True,
        "mergeable": target.field("MasterRecordId") is not None,
        "replicateable": True,
        "urls": {
            "sobject": path,
            "describe": f"{path}/describe",
            "rowTemplate": f"{path}/{{ID}}",
        },
    }


def _field(target: ObjectType, field: Field) -> dict[str, object]:
    text = field.kind in TEXTS
    return {
        "name": field.name,
        "label": field.label or field.name,
        "type": str(field.kind),
        "soapType": _SOAP.get(field.kind, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * (3 if text else 1),
        "digits": 9 if field.kind is Kind.INTEGER else 0,
        "precision": 18 if field.kind in NUMBERS - {Kind.INTEGER} else 0,
        "scale": 2 if field.kind in NUMBERS - {Kind.INTEGER} else 0,
        "custom": field.custom,
        "createable": field.createable,
        "updateable": field.updateable,
        "nillable": not field.required and field.kind not in (Kind.ID, Kind.BOOLEAN),
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId",
        "defaultValue": bool(field.default) if field.kind is Kind.BOOLEAN else field.default,
        "calculated": False,
        "compoundFieldName": _compound(target, field),
        "unique": field.unique,
        "externalId": field.external_id,
        "idLookup": field.key,
        "caseSensitive": field.case_sensitive,
        "nameField": field.name in {"Name", "Subject"},
        "filterable": field.filterable,
        "sortable": field.filterable,
        "groupable": field.filterable and field.kind is not Kind.DATETIME,
        "aggregatable": field.filterable,
        "permissionable": field.custom,
        "restrictedPicklist": field.restricted,
        "picklistValues": [
            {
                "active": True,
                "defaultValue": value == field.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in field.values
        ],
        "referenceTo": list(field.targets),
        "relationshipName": field.relation or None,
        "polymorphicForeignKey": len(field.targets) > 1,
        "inlineHelpText": field.help or None,
        "deprecatedAndHidden": False,
    }


def _compound(target: ObjectType, field: Field) -> str | None:
    if field.name in ("FirstName", "LastName"):
        return "Name"
    for other in target.visible():
        start = other.name.removesuffix("Address")
        if other.kind is Kind.ADDRESS and field is not other and field.name.startswith(start):
            return None if field.name == "OtherPhone" else other.name
    return None
