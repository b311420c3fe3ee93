-- What happened, per match: the kind, why it is unknown if it is, and every doubt.
-- See detect.py for the reasons.

CREATE OR REPLACE TEMP TABLE kind_found AS
SELECT
    *,
    CASE
        WHEN NOT employer_known THEN 'employer_missing'
        WHEN as_of < changed_on AND changed_basis IN ('history', 'first_pull') THEN 'older_than_crm'
        WHEN jobs_there IS NULL THEN 'no_jobs'
        WHEN current_there > 0 AND (same_there IS NOT NULL OR from_title_key IS NULL) THEN 'unchanged'
        WHEN current_there > 0 AND newest_there IS NULL THEN 'seat_there'
        WHEN current_there > 0 AND newest_there.title_key IS NULL THEN 'untitled_there'
        -- a title that the source never knew, typed when the role had long begun: other words
        WHEN current_there > 0 AND held_before IS NULL
            AND coalesce(newest_there.start_on + CASE WHEN changed_basis IN ('history', 'first_pull')
                THEN 0 ELSE getvariable('slack_days') END, DATE '0001-01-01') < coalesce(changed_on, DATE '9999-01-01')
            THEN 'wording'
        WHEN current_there > 0 THEN 'retitled'
        WHEN unclear_there > 0 THEN 'unclear'
        WHEN jobs_there = 0 THEN 'not_in_history'
        WHEN last_there IS NULL OR from_seat THEN 'seat_ended'
        -- the CRM's own title, at what may be the CRM's employer under another name
        WHEN newest_elsewhere IS NOT NULL AND newest_elsewhere.same_title
            AND list_has_any(newest_elsewhere.marks, from_marks) THEN 'other_company_name'
        WHEN newest_elsewhere IS NOT NULL THEN 'moved'
        WHEN seats_elsewhere > 0 THEN 'only_seats'
        WHEN unclear > 0 THEN 'unclear'
        WHEN current_jobs = 0 THEN 'left'
        ELSE 'unclear'
    END AS finding
FROM compared;

CREATE OR REPLACE TEMP TABLE change_found AS
SELECT
    *,
    CASE WHEN finding IN ('unchanged', 'retitled', 'moved', 'left') THEN finding ELSE 'unknown' END AS kind,
    CASE finding
        WHEN 'unchanged' THEN coalesce(same_there, newest_there)
        WHEN 'retitled' THEN newest_there
        WHEN 'moved' THEN newest_elsewhere
        WHEN 'left' THEN last_there
    END AS job,
    CASE finding WHEN 'left' THEN last_there.end_on
        WHEN 'moved' THEN newest_elsewhere.start_on
        WHEN 'retitled' THEN newest_there.start_on
        WHEN 'unchanged' THEN coalesce(same_there, newest_there).start_on END AS since
FROM kind_found;

-- Several contacts of one employer at the same other employer since the same month: a merger or a
-- new name is likelier than that they all changed job.
CREATE OR REPLACE TEMP TABLE transfer AS
SELECT source, from_company_key, job.company_key AS to_company_key,
    date_trunc('month', since) AS month, count(DISTINCT contact_id) AS contacts
FROM change_found WHERE finding = 'moved' AND since IS NOT NULL
GROUP BY ALL
HAVING count(DISTINCT contact_id) >= 3;

CREATE OR REPLACE MACRO domain_label(d) AS split_part(d, '.', 1);

CREATE OR REPLACE TEMP TABLE doubted AS
SELECT
    f.*,
    list_filter([
        CASE WHEN f.as_of IS NULL THEN 'undated' END,
        CASE WHEN f.as_of <= f.changed_on THEN 'not_newer' END,
        CASE WHEN f.finding = 'retitled' AND f.since IS NULL THEN 'no_start' END,
        CASE WHEN f.finding = 'retitled' AND f.since + getvariable('slack_days') < f.changed_on THEN 'before_record' END,
        CASE WHEN f.finding = 'retitled' AND f.titles_there > 1 THEN 'several_titles' END,
        CASE WHEN f.finding = 'retitled' AND (
            list_has_all(words(f.from_title_key), words(f.job.title_key))
            OR list_has_all(words(f.job.title_key), words(f.from_title_key))) AND f.held_before IS NULL
            THEN 'similar_title' END,
        CASE WHEN f.finding IN ('moved', 'left') AND f.last_there.end_on + getvariable('slack_days') < f.changed_on
            THEN 'before_record' END,
        CASE WHEN f.finding IN ('moved', 'left') AND f.last_there.ending = 'undated' THEN 'no_end' END,
        CASE WHEN f.finding IN ('moved', 'left') AND f.last_there.other_domain THEN 'other_domain' END,
        CASE WHEN f.finding = 'moved' AND f.since IS NULL THEN 'no_start' END,
        CASE WHEN f.finding = 'moved' AND f.employers_elsewhere > 1 THEN 'several_employers' END,
        CASE WHEN f.finding = 'moved' AND f.by_city_only THEN 'city_only' END,
        CASE WHEN f.finding = 'moved' AND f.since + 180 < f.last_there.end_on THEN 'long_overlap' END,
        CASE WHEN f.finding = 'moved' AND NOT (
            coalesce(f.job.domain <> coalesce(f.from_domain, f.last_there.domain), FALSE)
            OR coalesce(f.job.organisation_id <> f.last_there.organisation_id, FALSE))
            THEN 'company_by_name' END,
        CASE WHEN f.finding = 'moved' AND (
            list_has_any(f.job.marks, list_concat(f.from_marks, f.last_there.marks))
            OR coalesce(domain_label(f.job.domain) = domain_label(coalesce(f.from_domain, f.last_there.domain)), FALSE)
            OR coalesce(f.job.domain = f.mail_domain, FALSE)
            OR coalesce(f.job.domain = f.last_there.domain, FALSE)
            OR coalesce(f.job.organisation_id = f.last_there.organisation_id, FALSE)
            OR coalesce(starts_with(f.job.company_key, f.from_company_key), FALSE)
            OR coalesce(starts_with(f.from_company_key, f.job.company_key), FALSE))
            THEN 'same_group' END,
        CASE WHEN t.contacts IS NOT NULL THEN 'many_moved' END
    ], lambda d: d IS NOT NULL) AS doubts
FROM change_found f
LEFT JOIN transfer t ON f.finding = 'moved' AND t.source = f.source
    AND t.from_company_key = f.from_company_key AND t.to_company_key = f.job.company_key
    AND t.month = date_trunc('month', f.since);
