-- Every doubt about what happened. See detect.py for their words.

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
        t.month IS NOT NULL AS many_moved,
        r.contact_id IS NOT NULL AS is_perhaps_renamed
    FROM change_found f
    JOIN contact_person c USING (contact_id)
    LEFT JOIN transfer t ON f.kind = 'moved' AND t.source = f.source
        AND t.from_company_key = c.company_key AND t.job_company_key = f.job_company_key
        AND t.month = date_trunc('month', f.since)
    LEFT JOIN perhaps_renamed r ON r.contact_id = f.contact_id AND r.source = f.source
        AND r.profile_id = f.profile_id
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
        CASE WHEN kind = 'left' AND pauses > 0 THEN 'pause' END,
        CASE WHEN is_perhaps_renamed THEN 'perhaps_renamed' END,
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
