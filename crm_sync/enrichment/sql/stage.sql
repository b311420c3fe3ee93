-- What was found, from source_newest, into the tables of the judgement.

INSERT INTO hit
SELECT getvariable('stage_source'), profile_id, key FROM source_hit;

INSERT INTO profile
SELECT
    getvariable('stage_source'), profile_id, full_name, first_name, last_name,
    emails, linkedin_urls, phones, city, country,
    CASE
        WHEN is_contradicted THEN NULL
        WHEN getvariable('stage_dated') = 'by_record'
            THEN CASE WHEN verified_on IS NOT NULL THEN least(verified_on, getvariable('stage_latest')) END
        WHEN getvariable('stage_dated') = 'by_delivery' THEN getvariable('stage_latest')
    END,
    getvariable('stage_dated') = 'by_record' AND verified_on IS NOT NULL AND NOT is_contradicted
FROM source_newest;

CREATE OR REPLACE TEMP TABLE source_job AS
SELECT profile_id, unnest(employments) AS e, generate_subscripts(employments, 1) AS position
FROM source_newest;

-- Few dates and sites are written in very many records: each spelling is read once.
CREATE OR REPLACE TEMP TABLE date_read AS
SELECT written, partial_date(written) AS day, date_precision(written) AS of_precision,
    says_still_there(written) AS still_there
FROM (
    SELECT DISTINCT e.start_on AS written FROM source_job
    UNION SELECT e.end_on FROM source_job
) WHERE written IS NOT NULL;

CREATE OR REPLACE TEMP TABLE site_read AS
SELECT written, host(written) AS host
FROM (SELECT DISTINCT e.domain AS written FROM source_job) WHERE written IS NOT NULL;

INSERT INTO employment
SELECT
    getvariable('stage_source'), profile_id, min(position),
    e.organisation, s.host, lower(e.organisation_id), e.title,
    b.day, b.of_precision, d.day, d.of_precision,
    CASE
        -- Over, and still there: the source contradicts itself.
        WHEN e.state = 'present' AND NOT coalesce(d.still_there, TRUE) THEN 'unclear'
        WHEN d.day IS NOT NULL THEN 'dated'
        WHEN e.state = 'ended' THEN 'undated'
        WHEN coalesce(d.still_there, TRUE) THEN 'open'
        ELSE 'unclear'
    END,
    bool_or(coalesce(lower(e.is_primary) IN ('true', '1', 'yes'), false))
FROM source_job j
LEFT JOIN date_read b ON b.written = j.e.start_on
LEFT JOIN date_read d ON d.written = j.e.end_on
LEFT JOIN site_read s ON s.written = j.e.domain
-- An entry that says little says that there is a job.
WHERE coalesce(e.organisation, e.domain, e.organisation_id, e.title, e.start_on, e.end_on) IS NOT NULL
    OR e.state = 'present'
GROUP BY ALL;

-- Dates that nobody can read.
CREATE OR REPLACE TEMP TABLE source_unread AS
WITH unread AS (SELECT written FROM date_read WHERE day IS NULL AND NOT still_there)
SELECT
    (SELECT count(*) FROM source_newest WHERE is_unread)
    + (SELECT count(*) FROM source_job j SEMI JOIN unread u ON u.written = j.e.start_on)
    + (SELECT count(*) FROM source_job j SEMI JOIN unread u ON u.written = j.e.end_on) AS dates;

DROP TABLE source_job;
DROP TABLE date_read;
DROP TABLE site_read;
DROP TABLE source_newest;
DROP TABLE source_strong;
DROP TABLE source_hit;
DROP TABLE source_employer;
DROP TABLE wanted_name;
DROP TABLE wanted_work;
DROP VIEW first_spelt;
DROP VIEW last_spelt;
DROP VIEW source_once;
DROP TABLE IF EXISTS source_twice;
