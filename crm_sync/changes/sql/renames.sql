-- Moves that may be a company's new name or a merger: what only several people together tell.

-- Several contacts of one employer at the same other employer since the same month: a merger or a
-- new name is likelier than that they all changed job.
CREATE OR REPLACE TEMP TABLE many_moved AS
WITH going AS (
    SELECT match_no, contact_no, source, company_no, job_company_no, date_trunc('month', since) AS month
    FROM change_found WHERE kind = 'moved' AND since IS NOT NULL
)
SELECT match_no FROM going
SEMI JOIN (
    SELECT source, company_no, job_company_no, month FROM going
    WHERE company_no IS NOT NULL AND job_company_no IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT contact_no) >= 3
) USING (source, company_no, job_company_no, month);

-- The same work, at another name, without a gap. From dates and titles alone nobody can tell a move
-- and a new name apart for one person. What can: somebody else who is still at the old company under
-- its old name, said after the change.
CREATE OR REPLACE MACRO without_rank(key) AS
    list_filter(words(key), lambda w: NOT list_contains(getvariable('rank_words'), w));

CREATE OR REPLACE TEMP TABLE seamless AS
WITH dated AS (
    SELECT f.match_no, f.source, f.profile_id, f.last_company_no, f.last_domain_no, f.job_company_no,
        f.since, f.last_end_on,
        latest_day(f.since, f.start_precision) AS since_latest,
        latest_day(f.last_end_on, f.last_end_precision) AS last_end_latest,
        without_rank(j.title_key) AS job_work, without_rank(l.title_key) AS last_work,
        without_rank(c.title_key) AS crm_work
    FROM change_found f
    LEFT JOIN job_title c USING (title_no)
    LEFT JOIN job_title j ON j.title_no = f.job_title_no
    LEFT JOIN job_title l ON l.title_no = f.last_title_no
    WHERE f.kind = 'moved'
)
SELECT match_no, source, profile_id, last_company_no, last_domain_no, job_company_no, last_end_latest
FROM dated
WHERE since <= last_end_latest + getvariable('seamless_days')
    AND last_end_on <= since_latest + getvariable('seamless_days')
    AND (job_work IS NULL OR coalesce(last_work, crm_work) IS NULL OR job_work = last_work OR job_work = crm_work);

-- Who is still there, of the profiles that were staged: until when that is known, from the day on
-- which the record was verified or the job began. A date of the whole delivery says nothing, since
-- records in it may be old. The latest two, so that one of them is not the mover's own duplicate.
CREATE OR REPLACE TEMP TABLE asked_after AS
SELECT organisation, company_no FROM organisation_words
WHERE company_no IN (SELECT last_company_no FROM seamless);

CREATE OR REPLACE TEMP TABLE still_there AS
WITH staying AS (
    SELECT
        e.source, e.company_no, s.domain_no,
        fold(coalesce(p.full_name, concat_ws(' ', p.first_name, p.last_name))) AS person,
        max(greatest(e.start_on, CASE WHEN p.is_dated_itself THEN p.as_of END)) AS until
    FROM (
        SELECT * FROM employment JOIN asked_after USING (organisation) WHERE ending IN ('open', 'dated')
    ) e
    JOIN profile p ON p.profile_id = e.profile_id AND p.source = e.source
    LEFT JOIN job_title t ON t.title = e.title
    LEFT JOIN job_site s ON s.host = e.domain
    WHERE (e.ending = 'open' OR e.end_on > p.as_of)
        AND NOT coalesce(t.is_seat OR t.is_pause, FALSE)
        AND (p.as_of IS NULL OR e.start_on IS NULL OR e.start_on <= p.as_of)
    GROUP BY ALL
)
SELECT source, company_no, domain_no,
    unnest(max_by({'person': person, 'until': until}, until, 2), recursive := TRUE)
FROM staying WHERE until IS NOT NULL
GROUP BY source, company_no, domain_no;

-- Where two people went the same way, a new name is likelier again, whoever is said to be still there.
CREATE OR REPLACE TEMP TABLE perhaps_renamed AS
WITH went_together AS (
    SELECT source, last_company_no, job_company_no FROM seamless
    GROUP BY ALL HAVING count(DISTINCT profile_id) > 1
),
-- Materialised: else the engine folds the names of all profiles.
witnessed AS MATERIALIZED (
    SELECT m.match_no, w.person, coalesce(p.full_name, concat_ws(' ', p.first_name, p.last_name)) AS name
    FROM seamless m
    JOIN still_there w ON w.source = m.source AND w.company_no = m.last_company_no
        AND coalesce(w.domain_no = m.last_domain_no, TRUE)
        AND w.until > m.last_end_latest + getvariable('seamless_days')
    ANTI JOIN went_together g ON g.source = m.source AND g.last_company_no = m.last_company_no
        AND g.job_company_no = m.job_company_no
    JOIN profile p ON p.source = m.source AND p.profile_id = m.profile_id
),
lasting AS (SELECT match_no FROM witnessed WHERE person <> fold(name))
SELECT match_no FROM seamless ANTI JOIN lasting USING (match_no);

DROP TABLE seamless;
DROP TABLE still_there;
DROP TABLE asked_after;
