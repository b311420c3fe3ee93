-- What happened, per match: the kind, why it is unknown if it is, and every doubt.
-- See detect.py for the reasons.

CREATE OR REPLACE TEMP TABLE finding AS
SELECT
    m.contact_id, m.source, m.profile_id, m.as_of, m.band, m.confidence, m.strength, m.by_city_only,
    c.changed_at::DATE AS changed_on,
    f.* EXCLUDE (contact_id, source, profile_id),
    CASE
        WHEN c.company_key IS NULL AND c.domain IS NULL THEN 'employer_missing'
        WHEN m.as_of < changed_on AND c.changed_basis IN ('history', 'first_pull') THEN 'older_than_crm'
        WHEN f.jobs_there IS NULL THEN 'no_jobs'
        WHEN f.current_there > 0 AND (f.same_there IS NOT NULL OR c.title_key IS NULL) THEN 'unchanged'
        WHEN f.current_there > 0 AND f.newest_there IS NULL THEN 'seat_there'
        WHEN f.current_there > 0 AND here.title_key IS NULL THEN 'untitled_there'
        -- a title that the source never knew, typed when the role had long begun: other words
        WHEN f.current_there > 0 AND f.held_before IS NULL AND (here.start_on IS NULL OR here.start_on
            + CASE WHEN c.changed_basis IN ('history', 'first_pull') THEN 0 ELSE getvariable('slack_days') END
            < changed_on) THEN 'wording'
        WHEN f.current_there > 0 THEN 'retitled'
        WHEN f.unclear_there > 0 THEN 'unclear'
        WHEN f.jobs_there = 0 THEN 'not_in_history'
        WHEN f.last_there IS NULL OR c.is_seat THEN 'seat_ended'
        -- the CRM's own title, at what may be the CRM's employer under another name
        WHEN elsewhere.same_title AND list_has_any(elsewhere.marks, c.company_marks) THEN 'other_company_name'
        WHEN f.newest_elsewhere IS NOT NULL THEN 'moved'
        WHEN f.seats_elsewhere > 0 THEN 'only_seats'
        WHEN f.unclear > 0 THEN 'unclear'
        WHEN f.current_jobs = 0 THEN 'left'
        ELSE 'unclear'
    END AS finding
FROM best_match m
JOIN contact_person c USING (contact_id)
LEFT JOIN found f USING (contact_id, source, profile_id)
LEFT JOIN job here ON here.contact_id = m.contact_id AND here.source = m.source
    AND here.profile_id = m.profile_id AND here.position = f.newest_there
LEFT JOIN job elsewhere ON elsewhere.contact_id = m.contact_id AND elsewhere.source = m.source
    AND elsewhere.profile_id = m.profile_id AND elsewhere.position = f.newest_elsewhere;

-- With the job that the claim is about, and the one that ended.
CREATE OR REPLACE TEMP TABLE change_found AS
WITH about AS (
    SELECT
        *,
        CASE WHEN finding IN ('unchanged', 'retitled', 'moved', 'left') THEN finding ELSE 'unknown' END AS kind,
        CASE finding
            WHEN 'unchanged' THEN coalesce(same_there, newest_there)
            WHEN 'retitled' THEN newest_there
            WHEN 'moved' THEN newest_elsewhere
            WHEN 'left' THEN last_there
        END AS about
    FROM finding
)
SELECT
    a.*,
    CASE WHEN a.kind = 'left' THEN j.end_on ELSE j.start_on END AS since,
    j.title AS job_title, j.title_key AS job_title_key, j.start_precision,
    j.organisation AS job_organisation, j.company_key AS job_company_key, j.marks AS job_marks,
    j.domain AS job_domain, j.organisation_id AS job_organisation_id,
    l.title AS last_title, l.end_on AS last_end_on, l.end_precision AS last_end_precision,
    l.ending AS last_ending, l.marks AS last_marks, l.domain AS last_domain,
    l.organisation_id AS last_organisation_id, l.other_domain AS last_other_domain
FROM about a
LEFT JOIN job j ON j.contact_id = a.contact_id AND j.source = a.source
    AND j.profile_id = a.profile_id AND j.position = a.about
LEFT JOIN job l ON a.kind IN ('moved', 'left') AND l.contact_id = a.contact_id
    AND l.source = a.source AND l.profile_id = a.profile_id AND l.position = a.last_there;

DROP TABLE found;
DROP TABLE job;
DROP TABLE finding;

-- Several contacts of one employer at the same other employer since the same month: a merger or a
-- new name is likelier than that they all changed job.
CREATE OR REPLACE TEMP TABLE transfer AS
SELECT f.source, c.company_key AS from_company_key, f.job_company_key,
    date_trunc('month', f.since) AS month
FROM change_found f JOIN contact_person c USING (contact_id)
WHERE f.kind = 'moved' AND f.since IS NOT NULL
GROUP BY ALL
HAVING count(DISTINCT f.contact_id) >= 3;

CREATE OR REPLACE MACRO domain_label(d) AS split_part(d, '.', 1);

CREATE OR REPLACE TEMP TABLE doubted AS
WITH compared AS (
    SELECT
        f.*,
        c.title AS from_title,
        c.organisation AS from_organisation,
        c.title_key AS from_title_key,
        c.company_key AS from_company_key,
        c.company_marks AS from_marks,
        coalesce(c.domain, f.last_domain) AS from_domain,
        c.mail_domain,
        CASE WHEN f.kind = 'retitled' THEN f.since ELSE f.last_end_on END AS happened_on,
        t.month IS NOT NULL AS many_moved
    FROM change_found f
    JOIN contact_person c USING (contact_id)
    LEFT JOIN transfer t ON f.kind = 'moved' AND t.source = f.source
        AND t.from_company_key = c.company_key AND t.job_company_key = f.job_company_key
        AND t.month = date_trunc('month', f.since)
)
SELECT
    * EXCLUDE (job_marks, last_marks, from_marks),
    list_filter([
        CASE WHEN as_of IS NULL THEN 'undated' END,
        CASE WHEN as_of <= changed_on THEN 'not_newer' END,
        CASE WHEN happened_on + getvariable('slack_days') < changed_on THEN 'before_record' END,
        CASE WHEN kind IN ('retitled', 'moved') AND since IS NULL THEN 'no_start' END,
        CASE WHEN kind = 'retitled' AND titles_there > 1 THEN 'several_titles' END,
        CASE WHEN kind = 'retitled' AND held_before IS NULL THEN 'title_not_in_history' END,
        CASE WHEN kind = 'retitled' AND held_before IS NULL AND (
            list_has_all(words(from_title_key), words(job_title_key))
            OR list_has_all(words(job_title_key), words(from_title_key))) THEN 'similar_title' END,
        CASE WHEN last_ending = 'undated' THEN 'no_end' END,
        CASE WHEN last_other_domain THEN 'other_domain' END,
        CASE WHEN kind = 'moved' AND employers_elsewhere > 1 THEN 'several_employers' END,
        CASE WHEN kind IN ('moved', 'left') AND by_city_only THEN 'city_only' END,
        CASE WHEN kind = 'moved' AND since + 180 < last_end_on THEN 'long_overlap' END,
        CASE WHEN kind = 'moved' AND NOT (
            coalesce(job_domain <> from_domain, FALSE)
            OR coalesce(job_organisation_id <> last_organisation_id, FALSE)) THEN 'company_by_name' END,
        CASE WHEN kind = 'moved' AND (
            list_has_any(job_marks, list_concat(from_marks, last_marks))
            OR coalesce(domain_label(job_domain) = domain_label(from_domain), FALSE)
            OR coalesce(job_domain IN (mail_domain, last_domain), FALSE)
            OR coalesce(job_organisation_id = last_organisation_id, FALSE)
            OR coalesce(starts_with(job_company_key, from_company_key), FALSE)
            OR coalesce(starts_with(from_company_key, job_company_key), FALSE)) THEN 'same_group' END,
        CASE WHEN many_moved THEN 'many_moved' END
    ], lambda d: d IS NOT NULL) AS doubts
FROM compared;

DROP TABLE change_found;
