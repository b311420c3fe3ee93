-- By what a contact without a key may still be found: a full name that few have (f:), a first name
-- at an employer (g:, for last names that are misspelt or changed), a last name with an initial in a
-- city (c:). Keys that many profiles hold are dropped by the source (stage.sql): they tell nothing.

CREATE OR REPLACE TEMP TABLE contact_block AS
SELECT contact_id, key FROM contact_name
UNION
SELECT contact_id, 'g:' || unnest(firsts) || '|n:' || company_key
FROM contact_person WHERE company_key IS NOT NULL
UNION
SELECT contact_id, 'g:' || unnest(firsts) || '|d:' || domain
FROM contact_person WHERE domain IS NOT NULL
UNION
SELECT contact_id, 'c:' || last_key || '|' || left(first_key, 1) || '|' || city_key
FROM contact_person WHERE last_key IS NOT NULL AND first_key IS NOT NULL AND city_key IS NOT NULL;

INSERT INTO wanted SELECT DISTINCT key FROM contact_block WHERE NOT starts_with(key, 'f:');
