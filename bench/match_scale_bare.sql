-- The baseline of match_scale.py: load, normalise, join by the keys.

CREATE MACRO plain(t) AS nullif(trim(regexp_replace(strip_accents(lower(t)), '[^a-z0-9]+', ' ', 'g')), '');
CREATE MACRO company(t) AS nullif(regexp_replace(plain(t), ' (sas|sa|sarl|inc|llc|ltd|gmbh)$', ''), '');
CREATE MACRO page(t) AS nullif(regexp_extract(lower(t), 'linkedin\.com/in/([^/?#]+)', 1), '');
CREATE MACRO address(t) AS nullif(lower(trim(t)), '');

CREATE TABLE one AS
SELECT c.id, plain(v[1]) AS first, plain(v[2]) AS last, address(v[3]) AS email, page(v[4]) AS page,
    company(w[1]) AS company, regexp_extract(lower(w[2]), '([a-z0-9-]+\.[a-z]+)/?$', 1) AS domain
FROM (SELECT id, json_extract_string(fields, ['$.FirstName', '$.LastName', '$.Email',
    '$.LinkedIn_URL__c', '$.AccountId']) AS v FROM contact) c
LEFT JOIN (SELECT id, json_extract_string(fields, ['$.Name', '$.Website']) AS w FROM account) a ON a.id = v[5];

CREATE TABLE other AS
SELECT id, plain(first_name) AS first, plain(last_name) AS last, address(work_email) AS email,
    list_transform(personal_emails, lambda e: address(e)) AS emails, page(linkedin_url) AS page,
    list_transform(experience, lambda e: company(e.company.name)) AS companies,
    list_transform(experience, lambda e: lower(e.company.website)) AS domains
FROM read_parquet(getvariable('delivery'));

CREATE TABLE linked AS
SELECT one.id AS contact_id, other.id AS profile_id FROM one JOIN other USING (page)
UNION
SELECT one.id, o.id FROM one JOIN (
    SELECT id, email FROM other UNION ALL SELECT id, unnest(emails) FROM other) o USING (email)
UNION
SELECT one.id, o.id FROM one JOIN (
    SELECT id, first, last, unnest(companies) AS company FROM other) o USING (first, last, company)
UNION
SELECT one.id, o.id FROM one JOIN (
    SELECT id, first, last, unnest(domains) AS domain FROM other) o USING (first, last, domain);
