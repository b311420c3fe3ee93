-- What is compared: tail_wanted(contact_id) with what one source staged, in the columns that
-- tail.MODEL names.

CREATE OR REPLACE TEMP TABLE tail_pair AS
SELECT DISTINCT b.contact_id, h.profile_id, b.key
FROM contact_block b
JOIN tail_wanted USING (contact_id)
JOIN hit h ON h.key = b.key AND h.source = getvariable('tail_source')
SEMI JOIN profile_person p ON p.source = h.source AND p.profile_id = h.profile_id;

CREATE OR REPLACE TEMP TABLE tail_chosen AS
SELECT profile_id FROM tail_pair UNION SELECT profile_id FROM tail_more;

CREATE OR REPLACE TEMP TABLE tail_job AS
SELECT profile_id, organisation, domain, trim(title) AS title
FROM employment SEMI JOIN tail_chosen USING (profile_id) WHERE source = getvariable('tail_source');

CREATE OR REPLACE TEMP TABLE tail_title AS FROM titled('tail_job');

CREATE OR REPLACE TEMP TABLE tail_contact AS
WITH keyed AS (SELECT contact_id, list(DISTINCT key) AS keys FROM tail_pair GROUP BY contact_id)
SELECT
    c.contact_id AS id,
    c.last_key AS last,
    c.first_key AS first,
    list_distinct(list_concat(c.firsts, c.nicknames)) AS first_forms,
    list_distinct(list_filter(['n:' || c.employer_key, 'd:' || c.domain, 'd:' || c.mail_domain],
        lambda e: e IS NOT NULL)) AS employers,
    c.city_key AS city,
    list_filter([c.title_key], lambda t: t IS NOT NULL) AS titles,
    list_distinct(list_filter([mailbox_of(c.email_key), mailbox_of(c.personal_email_key)],
        lambda m: m IS NOT NULL)) AS mailboxes,
    c.middles AS middles,
    coalesce(k.keys, []) AS keys
FROM contact_person c
JOIN tail_wanted USING (contact_id)
LEFT JOIN keyed k USING (contact_id);

CREATE OR REPLACE TEMP TABLE tail_profile AS
WITH keyed AS (SELECT profile_id, list(DISTINCT key) AS keys FROM tail_pair GROUP BY profile_id),
organisation AS (
    SELECT organisation, company_key(organisation) AS company_key
    FROM (SELECT DISTINCT organisation FROM tail_job)
),
career AS (
    SELECT j.profile_id,
        list('n:' || o.company_key) FILTER (o.company_key IS NOT NULL) AS names,
        list('d:' || s.domain) FILTER (s.domain IS NOT NULL) AS domains,
        list(DISTINCT t.title_key) FILTER (t.title_key IS NOT NULL) AS titles
    FROM tail_job j
    LEFT JOIN organisation o ON o.organisation = j.organisation
    LEFT JOIN site s ON s.host = j.domain
    LEFT JOIN tail_title t ON t.title = j.title
    GROUP BY j.profile_id
)
SELECT
    p.profile_id AS id,
    p.last_key AS last,
    p.first_key AS first,
    p.firsts AS first_forms,
    list_distinct(list_concat(coalesce(r.names, []), coalesce(r.domains, []))) AS employers,
    p.city_key AS city,
    coalesce(r.titles, []) AS titles,
    list_distinct(list_filter(list_transform(f.emails, lambda e: mailbox_of(e)),
        lambda m: m IS NOT NULL)) AS mailboxes,
    p.middles AS middles,
    coalesce(k.keys, []) AS keys
FROM profile_person p
SEMI JOIN tail_chosen USING (profile_id)
JOIN profile f ON f.source = p.source AND f.profile_id = p.profile_id
LEFT JOIN career r ON r.profile_id = p.profile_id
LEFT JOIN keyed k ON k.profile_id = p.profile_id
WHERE p.source = getvariable('tail_source');

DROP TABLE tail_pair;
DROP TABLE tail_chosen;
DROP TABLE tail_job;
DROP TABLE tail_title;
