-- What happened, per match: the kind, why it is unknown if it is, and the jobs that it is about.
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
        WHEN f.leaves_there > 0 THEN 'on_leave'
        WHEN f.jobs_there = 0 THEN 'not_in_history'
        WHEN f.last_there IS NULL OR c.is_seat THEN 'seat_ended'
        -- the CRM's own title, at what may be the CRM's employer under another name
        WHEN elsewhere.same_title AND list_has_any(elsewhere.marks, c.company_marks) THEN 'other_company_name'
        WHEN f.newest_elsewhere IS NOT NULL THEN 'moved'
        WHEN f.seats_elsewhere > 0 THEN 'only_seats'
        WHEN f.nameless_jobs > 0 THEN 'employer_unnamed'
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
    l.title AS last_title, l.title_key AS last_title_key, l.company_key AS last_company_key,
    l.end_on AS last_end_on, l.end_precision AS last_end_precision,
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
