-- One source: source_row (its records) joined with wanted(key).

-- Companies are written the same way again and again: each spelling is normalised once, and only
-- those that some contact's employer has are looked for in the records.
CREATE OR REPLACE TEMP TABLE wanted_employer AS
SELECT DISTINCT split_part(key, '|', 2) AS employer FROM wanted WHERE starts_with(key, 'o:');

CREATE OR REPLACE TEMP TABLE source_employer AS
WITH employer_as_written AS (
    SELECT DISTINCT e.organisation, e.domain
    FROM (SELECT unnest(employments) AS e FROM source_row)
),
spelt AS (
    SELECT DISTINCT 'n' || organisation AS spelling, 'n:' || company_key(organisation) AS employer
    FROM employer_as_written
    UNION ALL
    SELECT 'd' || domain, unnest(host_keys(host(domain)))
    FROM (SELECT DISTINCT domain FROM employer_as_written WHERE domain IS NOT NULL)
)
SELECT spelling, employer FROM spelt SEMI JOIN wanted_employer USING (employer);

CREATE OR REPLACE TEMP TABLE source_hit AS
WITH record AS (
    SELECT
        profile_id, version, last_parts,
        flatten(list_transform(
            employments, lambda e: ['n' || e.organisation, 'd' || e.domain])) AS spellings,
        list_concat(
            list_transform(linkedin_urls, lambda u: 'l:' || linkedin_slug(u)),
            list_transform(emails, lambda e: 'e:' || address_key(e)),
            list_transform(phones, lambda p: 'p:' || phone_key(p, country)),
            flatten(list_transform(last_parts, lambda l: list_transform(
                firsts, lambda f: 'f:' || f || '|' || l)))) AS keys
    FROM named('source_row')
    WHERE profile_id IS NOT NULL AND coalesce(full_name, first_name, last_name) IS NOT NULL
),
said AS (
    SELECT profile_id, version, unnest(list_concat(
        list_transform(keys, lambda k: {'last': NULL, 'text': k}),
        flatten(list_transform(last_parts, lambda l: list_transform(
            spellings, lambda s: {'last': l, 'text': s}))))) AS item
    FROM record
),
keyed AS (
    SELECT s.profile_id, s.version,
        CASE WHEN s.item.last IS NULL THEN s.item.text
            ELSE 'o:' || s.item.last || '|' || e.employer END AS key
    FROM said s
    LEFT JOIN source_employer e ON s.item.last IS NOT NULL AND e.spelling = s.item.text
)
SELECT DISTINCT profile_id, version, key FROM keyed SEMI JOIN wanted USING (key);

CREATE OR REPLACE TEMP TABLE source_newest AS
SELECT * REPLACE (partial_date(verified_on) AS verified_on)
FROM source_row
WHERE profile_id IN (SELECT profile_id FROM source_hit WHERE NOT starts_with(key, 'f:'))
    AND coalesce(full_name, first_name, last_name) IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY profile_id ORDER BY partial_date(verified_on) DESC NULLS LAST, version) = 1;

-- A key held only by an older version of a profile is no key of it; a name alone is only counted.
INSERT INTO hit
SELECT DISTINCT getvariable('stage_source'), h.profile_id, h.key
FROM source_hit h
LEFT JOIN source_newest n ON n.profile_id = h.profile_id
WHERE n.version = h.version OR (n.profile_id IS NULL AND starts_with(h.key, 'f:'));

INSERT INTO profile
SELECT
    getvariable('stage_source'), profile_id, full_name, first_name, last_name,
    emails, linkedin_urls, phones, city, country,
    CASE getvariable('stage_dated')
        WHEN 'by_record' THEN CASE WHEN verified_on IS NOT NULL
            THEN least(verified_on, getvariable('stage_latest')) END
        WHEN 'by_delivery' THEN getvariable('stage_latest')
    END,
    getvariable('stage_dated') = 'by_record' AND verified_on IS NOT NULL
FROM source_newest;

INSERT INTO employment
WITH listed AS (
    SELECT profile_id, unnest(employments) AS e, generate_subscripts(employments, 1) AS position
    FROM source_newest
)
SELECT
    getvariable('stage_source'), profile_id, min(position),
    e.organisation, host(e.domain), lower(e.organisation_id), e.title,
    partial_date(e.start_on), date_precision(e.start_on),
    partial_date(e.end_on), date_precision(e.end_on),
    CASE
        -- Over, and still there: the source contradicts itself.
        WHEN e.state = 'present' AND NOT says_still_there(e.end_on) THEN 'unclear'
        WHEN partial_date(e.end_on) IS NOT NULL THEN 'dated'
        WHEN e.state = 'ended' THEN 'undated'
        WHEN says_still_there(e.end_on) THEN 'open'
        ELSE 'unclear'
    END,
    bool_or(coalesce(lower(e.is_primary) IN ('true', '1', 'yes'), false))
FROM listed
WHERE coalesce(e.organisation, e.domain, e.title) IS NOT NULL
GROUP BY ALL;

DROP TABLE source_hit;
DROP TABLE source_employer;
DROP TABLE wanted_employer;
DROP TABLE source_newest;
