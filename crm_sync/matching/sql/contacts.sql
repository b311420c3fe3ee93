-- The CRM's side: contact_input (as the caller gave it) and site(host, domain).

CREATE OR REPLACE TEMP VIEW typed_title AS SELECT trim(title) AS title FROM contact_input;

CREATE OR REPLACE TEMP TABLE contact_title AS FROM titled('typed_title');

CREATE OR REPLACE MACRO is_at(host, domain) AS
    coalesce(host = domain OR ends_with(host, '.' || domain), FALSE);

CREATE OR REPLACE TEMP TABLE contact AS
WITH bare AS MATERIALIZED (
    SELECT
        contact_id,
        nullif(trim(name), '') AS full_name,
        nullif(trim(first_name), '') AS first_name,
        nullif(trim(last_name), '') AS last_name,
        coalesce(nullif(trim(title), ''), '') AS title,
        coalesce(nullif(trim(organisation), ''), '') AS organisation,
        host(organisation_domain) AS organisation_host,
        [email_parts(email), email_parts(personal_email)] AS mail,
        CASE WHEN mobile IS NOT NULL THEN phone_key(mobile, country) END AS typed_mobile,
        -- a fixed line is an office's or a family's, in whatever field it stands
        CASE WHEN NOT is_fixed_line(typed_mobile) THEN typed_mobile END AS mobile_key,
        CASE WHEN phone IS NOT NULL THEN phone_key(phone, country) END AS phone_key,
        linkedin_slug(linkedin_url) AS slug,
        city,
        city_key(city) AS city_key,
        changed_at,
        changed_basis
    FROM contact_input
)
SELECT
    bare.* EXCLUDE (organisation_host, mail, phone_key, typed_mobile, mobile_key),
    company_key(organisation) AS company_key,
    CASE WHEN NOT list_contains(getvariable('no_employer'), company_key) THEN company_key END AS employer_key,
    company_marks(organisation) AS company_marks,
    t.title_key,
    t.title_letters,
    coalesce(t.is_seat, FALSE) AS is_seat,
    site.domain AS domain,
    mail_site.domain AS mail_domain,
    email_key_of(mail[1]) AS email_key,
    is_free_mail(mail[1].domain) AND NOT is_at(mail[1].domain, coalesce(site.domain, organisation_host)) AS email_is_personal,
    email_key_of(mail[2]) AS personal_email_key,
    NOT is_at(mail[2].domain, coalesce(site.domain, organisation_host))
        AND (is_free_mail(mail[2].domain) OR mail[2].domain IS DISTINCT FROM mail[1].domain) AS personal_is_personal,
    list_filter(
        [mobile_key, CASE WHEN is_mobile_number(phone_key) THEN phone_key END],
        lambda k: k IS NOT NULL) AS phone_keys
FROM bare
LEFT JOIN contact_title t USING (title)
LEFT JOIN site ON site.host = organisation_host
LEFT JOIN site mail_site ON mail_site.host = mail[1].domain;

-- The same with its name taken apart, and the other forms of its first names.
CREATE OR REPLACE TEMP TABLE contact_parsed AS FROM named('contact');

CREATE OR REPLACE TEMP TABLE contact_person AS
WITH familiar AS (
    SELECT contact_id, list_distinct(flatten(list(k.others))) AS nicknames
    FROM (SELECT contact_id, unnest(firsts) AS name FROM contact_parsed) JOIN nickname k USING (name)
    GROUP BY contact_id
)
SELECT
    n.*,
    coalesce(nullif(concat_ws(' ', n.first_name, n.last_name), ''), n.full_name, '') AS shown_name,
    coalesce(f.nicknames, []) AS nicknames
FROM contact_parsed n
LEFT JOIN familiar f USING (contact_id);

-- What can identify a contact. A work address is one at the account's domain, in whatever field; or
-- one in the CRM's e-mail field that is no free mail, and what else is at its domain. Everything else is
-- the person's own. What people write who have no employer, or name none, is no key (`no_employer`).
CREATE OR REPLACE TEMP TABLE contact_key AS
SELECT contact_id, 'linkedin' AS kind, 'l:' || slug AS key
FROM contact_person WHERE slug IS NOT NULL
UNION ALL
SELECT contact_id, CASE WHEN email_is_personal THEN 'personal_email' ELSE 'work_email' END, 'e:' || email_key
FROM contact_person WHERE email_key IS NOT NULL
UNION ALL
SELECT contact_id, CASE WHEN personal_is_personal THEN 'personal_email' ELSE 'work_email' END, 'e:' || personal_email_key
FROM contact_person
WHERE personal_email_key IS NOT NULL AND personal_email_key IS DISTINCT FROM email_key
UNION ALL
SELECT DISTINCT contact_id, 'phone', 'p:' || unnest(phone_keys) FROM contact_person
UNION ALL
SELECT contact_id, 'employer', 'o:' || last_part || '|n:' || employer_key
FROM (SELECT contact_id, employer_key, unnest(last_parts) AS last_part FROM contact_person)
WHERE employer_key IS NOT NULL
UNION ALL
SELECT contact_id, 'employer', 'o:' || last_part || '|d:' || domain
FROM (SELECT contact_id, domain, unnest(last_parts) AS last_part FROM contact_person)
WHERE domain IS NOT NULL;

-- How often a full name occurs in a source is asked for as well: it tells namesakes.
CREATE OR REPLACE TEMP TABLE contact_name AS
SELECT contact_id, 'f:' || unnest(firsts) || '|' || last_key AS key
FROM contact_person WHERE last_key IS NOT NULL;

CREATE OR REPLACE TEMP TABLE wanted AS
SELECT key FROM contact_key UNION SELECT key FROM contact_name;

DROP TABLE contact;
DROP TABLE contact_parsed;
DROP TABLE contact_title;
DROP TABLE contact_input;
