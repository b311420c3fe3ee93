-- An id that comes more than once: its newest version speaks. Where several are the newest and name
-- another person or other employments, nobody can tell which is right: one of them stands for all,
-- since leaving all out could make a namesake look like the only one, and nobody says as of when.
CREATE OR REPLACE TEMP TABLE source_twice AS
WITH named_row AS (
    FROM source_row WHERE profile_id IS NOT NULL AND coalesce(full_name, first_name, last_name) IS NOT NULL
),
again AS (SELECT profile_id FROM named_row GROUP BY profile_id HAVING count(*) > 1),
versions AS (
    SELECT profile_id, version, max(partial_date(verified_on)) AS verified_on,
        any_value(hash(full_name, first_name, last_name, list_sort(employments))) AS said
    FROM named_row SEMI JOIN again USING (profile_id)
    GROUP BY profile_id, version
),
newest AS (
    FROM versions
    QUALIFY rank() OVER (PARTITION BY profile_id ORDER BY verified_on DESC NULLS LAST) = 1
)
SELECT profile_id, min(version) AS version, count(DISTINCT said) > 1 AS is_contradicted
FROM newest GROUP BY profile_id;

CREATE OR REPLACE TEMP VIEW source_once AS
SELECT s.* FROM source_row s LEFT JOIN source_twice t USING (profile_id)
WHERE s.profile_id IS NOT NULL AND coalesce(s.full_name, s.first_name, s.last_name) IS NOT NULL
    AND (t.profile_id IS NULL OR t.version = s.version);
