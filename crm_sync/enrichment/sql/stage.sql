-- What was found, from source_newest, into the tables of the judgement.

INSERT INTO hit
SELECT getvariable('stage_source'), profile_id, key FROM source_hit;

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
