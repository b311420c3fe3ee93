-- What makes a claim doubtful by itself. Local to one contact and one profile; the words stand in
-- phrases.py. A view: nothing of it is kept.

CREATE OR REPLACE TEMP VIEW doubted AS
WITH beside AS (
    SELECT f.*,
        f.kind = 'retitled' AND NOT f.has_held_before AS is_title_new,
        -- at the CRM's employer only by what companies.sql found
        CASE f.kind WHEN 'retitled' THEN NOT f.job_surely_there ELSE NOT f.last_surely_there END
            AS is_found_otherwise,
        CASE f.kind WHEN 'retitled' THEN f.job_there_by_id ELSE f.last_there_by_id END AS is_found_by_id,
        n.match_no IS NOT NULL AS is_named_otherwise,
        words(c.title_key) AS title_words,
        words(j.title_key) AS job_title_words
    FROM change_found f
    LEFT JOIN named_otherwise n ON n.match_no = f.match_no
    LEFT JOIN job_title c ON c.title_no = f.title_no AND f.kind = 'retitled'
    LEFT JOIN job_title j ON j.title_no = f.job_title_no AND f.kind = 'retitled'
    WHERE f.kind IN ('retitled', 'moved', 'left')
)
SELECT match_no, list_filter([
        CASE WHEN as_of IS NULL THEN 'undated' END,
        CASE WHEN as_of + getvariable('stale_days') < getvariable('today')::DATE THEN 'stale' END,
        CASE WHEN changed_on IS NULL THEN 'crm_undated' END,
        CASE WHEN as_of <= changed_on THEN 'not_newer' END,
        CASE WHEN is_known_since AND happened_on < changed_on THEN 'before_edit'
            WHEN happened_on + getvariable('slack_days') < changed_on THEN 'before_record' END,
        CASE WHEN kind <> 'left' AND since IS NULL THEN 'no_start' END,
        CASE WHEN kind = 'retitled' AND has_several_titles THEN 'several_titles' END,
        CASE WHEN is_title_new THEN 'title_not_in_history' END,
        CASE WHEN is_title_new AND (list_has_all(title_words, job_title_words)
            OR list_has_all(job_title_words, title_words)) THEN 'similar_title' END,
        CASE WHEN kind <> 'retitled' AND last_ending = 'undated' THEN 'no_end' END,
        CASE WHEN CASE kind WHEN 'retitled' THEN job_other_domain ELSE last_other_domain END
            THEN 'other_domain' END,
        CASE WHEN is_found_otherwise THEN CASE WHEN is_found_by_id THEN 'renamed' ELSE 'employer_inferred' END END,
        CASE WHEN kind = 'left' AND last_end_latest > as_of THEN 'not_yet_ended' END,
        CASE WHEN is_named_otherwise THEN 'site_only' END,
        CASE WHEN kind = 'left' AND has_pause THEN 'pause' END,
        CASE WHEN kind = 'moved' AND has_planned THEN 'planned' END,
        CASE WHEN kind = 'moved' AND has_nameless_job THEN 'employer_unnamed' END,
        CASE WHEN kind = 'moved' AND has_several_employers THEN 'several_employers' END,
        CASE WHEN kind <> 'retitled' AND by_city_only THEN 'city_only' END,
        -- a profile that another key found, of somebody who never had the contact's title there
        CASE WHEN kind <> 'retitled' AND strength < 4 AND key_no IS NOT NULL AND NOT has_held_before
            THEN 'title_never_held' END,
        CASE WHEN rule = 'probabilistic' AND band = 'auto' THEN 'probabilistic' END,
        CASE WHEN kind = 'moved' AND since + 180 < last_end_on THEN 'long_overlap' END,
        CASE WHEN kind = 'moved' AND NOT are_told_apart THEN 'company_by_name' END,
        CASE WHEN kind = 'moved' AND same_group THEN 'same_group' END
    ], lambda d: d IS NOT NULL) AS doubts
FROM beside
UNION ALL
SELECT match_no, CASE WHEN as_of IS NULL THEN ['undated'] ELSE ['not_newer'] END
FROM change_found WHERE kind = 'unchanged' AND (as_of IS NULL OR as_of <= changed_on);
