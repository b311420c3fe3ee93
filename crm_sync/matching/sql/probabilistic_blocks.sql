-- By what a contact without a key may still be found: a full name that few have (f:), or a first name
-- at an employer (g:), for last names that are misspelt or changed. What many profiles of a source
-- hold tells nothing, and is dropped where the source is staged (enrichment/sql/find.sql).

CREATE OR REPLACE TEMP TABLE contact_block AS
SELECT contact_id, key FROM contact_name
UNION
SELECT contact_id, 'g:' || unnest(firsts) || '|n:' || employer_key
FROM contact_person WHERE employer_key IS NOT NULL
UNION
SELECT contact_id, 'g:' || unnest(firsts) || '|d:' || domain
FROM contact_person WHERE domain IS NOT NULL;

INSERT INTO wanted SELECT DISTINCT key FROM contact_block WHERE starts_with(key, 'g:');
