-- Moves that may be a company's new name or a merger: what only several people together tell.

-- Several contacts of one employer at the same other employer since the same month: a merger or a
-- new name is likelier than that they all changed job.
CREATE OR REPLACE TEMP TABLE many_moved AS
WITH going AS (
    SELECT match_no, contact_no, source, company_key, job_company_key, date_trunc('month', since) AS month
    FROM change_found WHERE kind = 'moved' AND since IS NOT NULL
)
SELECT match_no FROM going
SEMI JOIN (
    SELECT source, company_key, job_company_key, month FROM going
    WHERE company_key IS NOT NULL AND job_company_key IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT contact_no) >= 3
) USING (source, company_key, job_company_key, month);

-- The same work, at another name, without a gap. From dates and titles alone nobody can tell a move
-- and a new name apart for one person. What can: somebody else who is still at the old company under
-- its old name, said after the change.
CREATE OR REPLACE MACRO without_rank(key) AS
    list_filter(words(key), lambda w: NOT list_contains(getvariable('rank_words'), w));

CREATE OR REPLACE TEMP TABLE seamless AS
WITH dated AS (
    SELECT *,
        latest_day(since, start_precision) AS since_latest,
        latest_day(last_end_on, last_end_precision) AS last_end_latest
    FROM change_found
    WHERE kind = 'moved'
)
SELECT match_no, source, profile_id, last_company_key, last_domain, job_company_key, last_end_latest
FROM dated
WHERE since <= last_end_latest + getvariable('seamless_days')
    AND last_end_on <= since_latest + getvariable('seamless_days')
    AND (job_title_key IS NULL OR coalesce(last_title_key, title_key) IS NULL
        OR without_rank(job_title_key) = without_rank(last_title_key)
        OR without_rank(job_title_key) = without_rank(title_key));

-- Who is still there, of the profiles that were staged: until when that is known, from the day on
-- which the record was verified or the job began. A date of the whole delivery says nothing, since
-- records in it may be old. The latest two, so that one of them is not the mover's own duplicate.
CREATE OR REPLACE TEMP TABLE asked_after AS
SELECT organisation, company_key FROM organisation_words
WHERE company_key IN (SELECT last_company_key FROM seamless);

CREATE OR REPLACE TEMP TABLE still_there AS
WITH staying AS (
    SELECT
        e.source, e.company_key, s.domain,
        fold(coalesce(p.full_name, concat_ws(' ', p.first_name, p.last_name))) AS person,
        max(greatest(e.start_on, CASE WHEN p.is_dated_itself THEN p.as_of END)) AS until
    FROM (
        SELECT * FROM employment JOIN asked_after USING (organisation) WHERE ending IN ('open', 'dated')
    ) e
    JOIN profile p ON p.profile_id = e.profile_id AND p.source = e.source
    LEFT JOIN job_title t ON t.title = e.title
    LEFT JOIN site s ON s.host = e.domain
    WHERE (e.ending = 'open' OR e.end_on > p.as_of)
        AND NOT coalesce(t.is_seat OR t.is_pause, FALSE)
        AND (p.as_of IS NULL OR e.start_on IS NULL OR e.start_on <= p.as_of)
    GROUP BY ALL
)
SELECT source, company_key, domain,
    unnest(max_by({'person': person, 'until': until}, until, 2), recursive := TRUE)
FROM staying WHERE until IS NOT NULL
GROUP BY source, company_key, domain;

-- Where two people went the same way, a new name is likelier again, whoever is said to be still there.
CREATE OR REPLACE TEMP TABLE perhaps_renamed AS
WITH went_together AS (
    SELECT source, last_company_key, job_company_key FROM seamless
    GROUP BY ALL HAVING count(DISTINCT profile_id) > 1
),
lasting AS (
    SELECT m.match_no
    FROM seamless m
    JOIN profile p USING (source, profile_id)
    JOIN still_there w ON w.source = m.source AND w.company_key = m.last_company_key
        AND coalesce(w.domain = m.last_domain, TRUE)
        AND w.until > m.last_end_latest + getvariable('seamless_days')
        AND w.person <> fold(coalesce(p.full_name, concat_ws(' ', p.first_name, p.last_name)))
    ANTI JOIN went_together g ON g.source = m.source AND g.last_company_key = m.last_company_key
        AND g.job_company_key = m.job_company_key
)
SELECT match_no FROM seamless ANTI JOIN lasting USING (match_no);

DROP TABLE seamless;
DROP TABLE still_there;
DROP TABLE asked_after;
