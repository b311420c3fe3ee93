"""Loading files and seeding worlds: what comes in is what clients then see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_sync.errors import InputError, UsageError
from crm_sync.sandbox.world import World
from crm_sync.yamlfile import load_yaml
from crm_sync_salesforce.sandbox import SalesforceSandbox
from crm_sync_salesforce.sandbox.queries import Caller, run_query

CONGRESS = Path(__file__).parents[3] / "shared" / "realdata" / "congress"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox.open(tmp_path / "sandbox.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def rows(sandbox: SalesforceSandbox, text: str, *, deleted: bool = False) -> list[Any]:
    answer = run_query(sandbox.org, Caller(""), text, deleted=deleted, page=2000)
    return list(answer["records"])  # type: ignore[call-overload]


def test_files_refer_to_each_other_by_name_id_and_key(
    sandbox: SalesforceSandbox, folder: Path
) -> None:
    (folder / "User.csv").write_text(
        "Id,FirstName,LastName,Email,IsActive,LanguageLocaleKey\n"
        "005000000000001AAA,Ana,Roy,ana@us.example,true,fr\n"
    )
    (folder / "Account.csv").write_text("Name,Owner.Email\nAcme,ana@us.example\n")
    (folder / "Contact.csv").write_text(
        "External_Id__c,LastName,Account.Name,ReportsTo.External_Id__c,OwnerId,Loyalty__c\n"
        "1,Junior,Acme,2,005000000000001,gold\n"
        '2,"Senior, ""the"" boss",acme,,,\n'
    )
    (folder / "Opportunity.csv").write_text(
        "Name,StageName,CloseDate,Account.Name,Amount\nDeal,Closed Won,2026-01-31,Acme,1000.5\n"
    )
    (folder / "OpportunityContactRole.csv").write_text(
        "Opportunity.Name,Contact.External_Id__c,IsPrimary\nDeal,1,TRUE\n"
    )
    (folder / "Task.csv").write_text(
        "Subject,Status,ActivityDate,Who.External_Id__c,What.Name\n"
        "Call,Completed,2026-01-01,1,Deal\nMail,,2026-01-02,1,Acme\n"
    )
    (folder / "notes.csv").write_text("not,ours\n")
    assert sandbox.load(folder) == {
        "User": 1,
        "Account": 1,
        "Contact": 2,
        "Opportunity": 1,
        "OpportunityContactRole": 1,
        "Task": 2,
    }
    junior, senior = rows(
        sandbox,
        "SELECT LastName, Account.Owner.Name, ReportsTo.LastName, Owner.LanguageLocaleKey,"
        " Loyalty__c FROM Contact ORDER BY External_Id__c",
    )
    assert junior["Account"]["Owner"]["Name"] == "Ana Roy"
    assert junior["ReportsTo"]["LastName"] == 'Senior, "the" boss'
    assert junior["Owner"]["LanguageLocaleKey"] == "fr"
    assert (junior["Loyalty__c"], senior["Loyalty__c"]) == ("gold", None)
    assert senior["Owner"]["LanguageLocaleKey"] == "en_US"
    (deal,) = rows(sandbox, "SELECT Amount, IsWon, IsClosed FROM Opportunity")
    assert (deal["Amount"], deal["IsWon"], deal["IsClosed"]) == (1000.5, True, True)
    (role,) = rows(sandbox, "SELECT Contact.LastName, IsPrimary FROM OpportunityContactRole")
    assert (role["Contact"]["LastName"], role["IsPrimary"]) == ("Junior", True)
    call, mail = rows(
        sandbox, "SELECT IsClosed, Status, What.Type, Account.Name FROM Task ORDER BY ActivityDate"
    )
    assert (call["IsClosed"], call["What"]["Type"], call["Account"]["Name"]) == (
        True,
        "Opportunity",
        "Acme",
    )
    assert (mail["IsClosed"], mail["Status"], mail["What"]["Type"]) == (
        False,
        "Not Started",
        "Account",
    )


def test_given_ids_and_times_are_kept_and_new_ids_avoid_them(
    sandbox: SalesforceSandbox, folder: Path
) -> None:
    (folder / "Contact.csv").write_text(
        "\ufeffId,LastName,CreatedDate,LastModifiedDate\n"
        "003Sb0000000005IAA,Own,2017-02-01T10:00:00+01:00,2018-02-01T09:00:00.123Z\n"
        "0033000000abcde,Foreign,2017-02-01,\n"
        ",New,,\n",
        encoding="utf-8",
    )
    sandbox.load(folder)
    text = "SELECT Id, LastName, CreatedDate, SystemModstamp FROM Contact"
    by_name = {record["LastName"]: record for record in rows(sandbox, text)}
    assert by_name["Own"]["CreatedDate"] == "2017-02-01T09:00:00.000+0000"
    assert by_name["Own"]["SystemModstamp"] == "2018-02-01T09:00:00.000+0000"
    assert by_name["Foreign"]["Id"].startswith("0033000000abcde")
    assert by_name["Foreign"]["CreatedDate"] == "2017-02-01T00:00:00.000+0000"
    assert len({record["Id"] for record in by_name.values()}) == 3


@pytest.mark.parametrize(
    ("name", "content", "line", "says"),
    [
        ("Contact.csv", "LastName,Account.Name\nA,\nB,Nowhere\n", 3, "no Account `Nowhere`"),
        ("Contact.csv", "LastName,Account.Name\nA,Twin\n", 2, "names 2 records"),
        ("Contact.csv", "LastName,Titel\nA,B\n", 1, "Did you mean `Title`"),
        ("Contact.csv", "LastName,Name\nA,B\n", 1, "Give FirstName and LastName"),
        ("Contact.csv", "LastName,lastname\nA,B\n", 1, "there twice"),
        ("Contact.csv", "LastName,AccountId,Account.Name\nA,,\n", 1, "both fill AccountId"),
        ("Contact.csv", 'LastName\n"two\nlines"\n,\n', 4, "2 cells"),
        ("Contact.csv", 'LastName,Title\n"two\nlines",x\n,y\n', 4, "LastName is required"),
        ("Contact.csv", "LastName,Email\nA,nobody\n", 2, "invalid email address"),
        ("Contact.csv", "LastName,Birthdate\nA,31/01/1980\n", 2, "Birthdate"),
        ("Contact.csv", f"LastName\n{'x' * 81}\n", 2, "max length=80"),
        ("Contact.csv", "LastName,External_Id__c\nA,1\nB,2\nC,1\n", 4, "`1` is there already"),
        ("Contact.csv", "Id,LastName\n001Sb0000000001IAA,A\n", 2, "begin with 003"),
        ("Contact.csv", "Id,LastName\nnonsense,A\n", 2, "Id"),
        ("Contact.csv", 'LastName\nA\n"open\n', 3, "is not CSV"),
        ("Contact.csv", "LastName\nA\x00\n", 2, "NUL byte"),
        ("Contact.csv", "", 1, "is empty"),
        ("Task.csv", "Subject,Nowhere.Name\nA,B\n", 1, "no field `Nowhere.Name`"),
    ],
)
def test_a_mistake_names_file_and_line_and_nothing_is_loaded(
    sandbox: SalesforceSandbox, folder: Path, name: str, content: str, line: int, says: str
) -> None:
    (folder / "Account.csv").write_text("Name,New__c\nTwin,a\nTwin,b\n")
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as problem:
        sandbox.load(folder)
    assert problem.value.place == f"{folder / name}:{line}"
    assert says in str(problem.value)
    assert sandbox.counts()["Account"] == 0
    assert sandbox.org.object("Account").field("New__c") is None


def test_bytes_that_are_no_text_are_found(sandbox: SalesforceSandbox, folder: Path) -> None:
    (folder / "Account.csv").write_bytes(b"Name\n" + b"Acme\n" * 5000 + b"Caf\xe9\n")
    with pytest.raises(InputError, match="UTF-8") as problem:
        sandbox.load(folder)
    assert problem.value.place.endswith(":5002")


def test_a_folder_without_anything_to_load_is_refused(
    sandbox: SalesforceSandbox, folder: Path
) -> None:
    with pytest.raises(InputError, match=r"Contact\.csv"):
        sandbox.load(folder)
    with pytest.raises(InputError, match="no such folder"):
        sandbox.load(folder / "absent")


@pytest.mark.skipif(not CONGRESS.is_dir(), reason="../shared/realdata is not beside the checkout")
def test_a_real_directory_loads_as_it_was_typed(sandbox: SalesforceSandbox) -> None:
    assert sandbox.load(CONGRESS) == {"Account": 3, "Contact": 256}
    text = "SELECT Account.Name, CreatedDate FROM Contact WHERE External_Id__c = 'K000367'"
    (contact,) = rows(sandbox, text)
    assert contact["Account"]["Name"] == "United States Senate"
    assert contact["CreatedDate"] == "2017-02-01T09:00:00.000+0000"


def test_a_world_is_seeded_with_its_ties(sandbox: SalesforceSandbox) -> None:
    world = World(seed=3, contacts=300)
    counts = sandbox.seed(world)
    assert counts["Contact"] == 300
    assert counts["Account"] == len(world.accounts())
    found = rows(
        sandbox,
        "SELECT External_Id__c, FirstName, LastName, Title, Email, MobilePhone, LinkedIn_URL__c,"
        " MailingPostalCode, LastActivityDate, CreatedDate, SystemModstamp,"
        " Account.External_Id__c, Account.Website, Owner.Email, Owner.LanguageLocaleKey"
        " FROM Contact ORDER BY External_Id__c",
    )
    accounts = {account.id: account for account in world.accounts()}
    owners = {colleague.id: colleague for colleague in world.colleagues()}
    for record, contact in zip(found, world.contacts(), strict=True):
        assert record["External_Id__c"] == contact.id
        assert (record["FirstName"] or "") == contact.first_name
        assert record["LastName"] == contact.last_name
        assert (record["Title"] or "") == contact.title
        assert (record["Email"] or "") == contact.email
        assert (record["MobilePhone"] or "") == contact.mobile
        assert (record["LinkedIn_URL__c"] or "") == contact.linkedin_url
        assert (record["MailingPostalCode"] or "") == contact.postal_code
        seen = contact.last_activity
        assert record["LastActivityDate"] == (seen.isoformat() if seen else None)
        assert record["CreatedDate"] == f"{contact.created_at:%Y-%m-%dT%H:%M:%S}.000+0000"
        assert record["SystemModstamp"] == f"{contact.modified_at:%Y-%m-%dT%H:%M:%S}.000+0000"
        assert record["Account"]["External_Id__c"] == contact.account_id
        website = f"https://www.{accounts[contact.account_id].domain}"
        assert record["Account"]["Website"] == website
        owner = owners[contact.owner_id]
        language = "fr" if owner.language == "fr" else "en_US"
        assert record["Owner"]["Email"] == owner.email
        assert record["Owner"]["LanguageLocaleKey"] == language


def test_a_world_is_seeded_once(sandbox: SalesforceSandbox) -> None:
    sandbox.seed(World(contacts=20))
    with pytest.raises(UsageError, match="seeded world already"):
        sandbox.seed(World(contacts=20))
    assert sandbox.counts()["Contact"] == 20


def test_the_connection_block_is_yaml_that_names_the_sandbox(
    sandbox: SalesforceSandbox, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("connections:\n" + sandbox.connection_block("http://127.0.0.1:1"))
    block = load_yaml(path).data["connections"]["sandbox"]
    assert block["connector"] == "salesforce"
    assert block["instance_url"] == "http://127.0.0.1:1"
    assert block["auth"]["flow"] == "client_credentials"
