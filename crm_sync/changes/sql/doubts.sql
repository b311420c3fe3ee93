-- What makes a claim doubtful by itself. Local to one contact and one profile; the words stand in
-- phrases.py. A view: nothing of it is kept.

CREATE OR REPLACE TEMP VIEW doubted AS
WITH beside AS (
    SELECT *,
        kind = 'retitled' AND NOT has_held_before AS is_title_new,
        -- at the CRM's employer only by what companies.sql found
        CASE kind WHEN 'retitled' THEN NOT job_surely_there WHEN 'unchanged' THEN FALSE
            WHEN 'unknown' THEN FALSE ELSE NOT last_surely_there END AS is_found_otherwise,
        CASE kind WHEN 'retitled' THEN job_there_by_id ELSE last_there_by_id END AS is_found_by_id
    FROM change_found
)
SELECT
    match_no, contact_no, contact_id, source, profile_id, kind, finding, band, rule, strength, confidence,
    as_of, since, job_title_key, job_company_key, job_domain, has_job, current_there,
    CASE
        WHEN kind = 'unknown' THEN []
        WHEN kind = 'unchanged' THEN list_filter([
            CASE WHEN as_of IS NULL THEN 'undated' END,
            CASE WHEN as_of <= changed_on THEN 'not_newer' END
        ], lambda d: d IS NOT NULL)
        ELSE list_filter([
            CASE WHEN as_of IS NULL THEN 'undated' END,
            CASE WHEN as_of <= changed_on THEN 'not_newer' END,
            CASE WHEN is_known_since AND happened_on < changed_on THEN 'before_edit'
                WHEN happened_on + getvariable('slack_days') < changed_on THEN 'before_record' END,
            CASE WHEN kind <> 'left' AND since IS NULL THEN 'no_start' END,
            CASE WHEN kind = 'retitled' AND titles_there > 1 THEN 'several_titles' END,
            CASE WHEN is_title_new THEN 'title_not_in_history' END,
            CASE WHEN is_title_new AND (
                list_has_all(words(title_key), words(job_title_key))
                OR list_has_all(words(job_title_key), words(title_key))) THEN 'similar_title' END,
            CASE WHEN kind <> 'retitled' AND last_ending = 'undated' THEN 'no_end' END,
            CASE WHEN CASE kind WHEN 'retitled' THEN job_other_domain ELSE last_other_domain END
                THEN 'other_domain' END,
            CASE WHEN is_found_otherwise AND is_found_by_id THEN 'renamed' END,
            CASE WHEN is_found_otherwise AND NOT is_found_by_id THEN 'employer_inferred' END,
            CASE WHEN kind = 'left' AND pauses > 0 THEN 'pause' END,
            CASE WHEN kind = 'moved' AND employers_elsewhere > 1 THEN 'several_employers' END,
            CASE WHEN kind <> 'retitled' AND by_city_only THEN 'city_only' END,
            CASE WHEN rule = 'probabilistic' AND band = 'auto' THEN 'probabilistic' END,
            CASE WHEN kind = 'moved' AND since + 180 < last_end_on THEN 'long_overlap' END,
            CASE WHEN kind = 'moved' AND NOT are_told_apart THEN 'company_by_name' END,
            CASE WHEN kind = 'moved' AND same_group THEN 'same_group' END
        ], lambda d: d IS NOT NULL)
    END AS doubts
FROM beside;
